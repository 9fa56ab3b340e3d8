//! Frames: what all messages of a direction share.

use crate::codec::compile::Compiler;
use crate::codec::compile::ends::{self, measures_itself};
use crate::codec::compile::shape::Builder;
use crate::codec::field::{Class, Measure};
use crate::codec::json::Json;
use crate::codec::plan::{End, Frame, JsonText, Name, Of, Part, Refusal, Rule, Shape, Size, Text, TextRule};
use crate::load::Node;

/// What a length can be where nothing else bounds it: beyond it, sums of lengths would have to be watched.
const LONGEST_FRAME: u64 = 1 << 40;

impl<'a> Compiler<'a> {
    /// The shapes of both directions. None: nothing else can be held against them.
    pub(super) fn frames(&mut self) -> Option<(Frame, Frame)> {
        let Some(node) = self.document.root.get("frame") else {
            let frame = open_frame();
            return Some((frame.clone(), frame));
        };
        let (say, hear) = match (node.get("say"), node.get("hear")) {
            (Some(say), Some(hear)) => (say, hear),
            _ => (node, node),
        };
        let say = self.frame(say, None);
        if !self.found.is_empty() {
            return None;
        }
        let say = say?;
        let names = say.names().map(str::to_owned).collect();
        let hear = self.frame(hear, Some(names));
        if !self.found.is_empty() {
            return None;
        }
        Some((say, hear?))
    }

    pub(super) fn frame(&mut self, node: &'a Node, request: Option<Vec<String>>) -> Option<Frame> {
        let mut builder = Builder { request, ..Builder::default() };
        let parts = match node.text() {
            Some("json") => vec![open_json("json", &mut builder)],
            Some("grpc") if builder.request.is_none() => grpc(&["method", "request"], &mut builder),
            Some("grpc") => grpc(&["method", "status", "detail", "reply", "end"], &mut builder),
            Some(name) if !name.contains('{') => {
                let shape = self.shape(node, name, &mut builder)?;
                self.parts_of_shape(shape, name, &mut builder)?
            }
            _ => self.parts(node, &mut builder)?,
        };
        let mut frame =
            Frame { shape: Shape { parts, labels: builder.labels.clone() }, refusals: Vec::new(), made: Vec::new() };
        self.measure(node, &mut frame.shape.parts, &mut builder);
        let lengths = frame.shape.parts.iter().filter(|part| measures_itself(std::slice::from_ref(part))).count();
        if lengths > 1 {
            self.refuse(node, "two fields say how long the frame is", |d| d);
        }
        frame.shape.labels = builder.labels;
        frame.made = builder.made;
        // A frame is never shorter than its own fields, and without an open one never longer.
        let shortest = crate::codec::plan::least_bytes(&frame.shape.parts) as u64;
        let is_open = frame.shape.parts.iter().any(fillable);
        for part in &mut frame.shape.parts {
            if let Part::Number(number) = part
                && let Rule::Measure { measure: Measure::Length, of: Of::Frame, plus } = number.rule
            {
                let shortest = shortest.saturating_add_signed(plus);
                number.least = number.least.max(shortest);
                number.most = number.most.min(if is_open { LONGEST_FRAME } else { shortest });
            }
        }
        Some(frame)
    }

    /// A frame as it is heard when no message fits, and whether only a pause ends it.
    pub(super) fn whole(frame: &Frame) -> (Shape, bool) {
        let mut shape = frame.shape.clone();
        let bounded = measures_itself(&shape.parts);
        // Where nothing ends a field, all that came is its value.
        let is_open = ends::ends(&mut shape.parts, bounded).is_open;
        (shape, is_open)
    }

    /// `refuse:` which errors answer the fields of a request's frame.
    pub(super) fn refusals(&mut self, frame: &mut Frame) {
        frame.refusals = vec![None; frame.shape.labels.len()];
        let Some(entries) = self.document.root.get("refuse").and_then(Node::entries) else { return };
        for (key, value) in entries {
            let field = key.text().unwrap_or_default();
            let Some(index) = frame.position(field) else {
                self.refuse(key, format!("the frame has no field `{field}`"), |d| d.suggest(field, frame.names()));
                continue;
            };
            let mut refusal =
                Refusal { below: "malformed".into(), above: "malformed".into(), logged_out: None, close: false };
            for (key, value) in value.entries().unwrap_or_default() {
                let word = value.text().unwrap_or_default().to_owned();
                match key.text().unwrap_or_default() {
                    "then" if word == "close" => refusal.close = true,
                    "then" => self.refuse(value, "after `then` comes `close`", |d| d),
                    "logged_out" => {
                        self.known_error(value);
                        refusal.logged_out = Some(word);
                    }
                    side @ ("below" | "above" | "error") => {
                        self.known_error(value);
                        if side != "above" {
                            refusal.below.clone_from(&word);
                        }
                        if side != "below" {
                            refusal.above = word;
                        }
                    }
                    other => self.refuse(key, format!("unknown key `{other}`"), |d| {
                        d.suggest(other, ["below", "above", "error", "logged_out", "then"])
                    }),
                }
            }
            frame.refusals[index] = Some(refusal);
        }
    }
}

/// Whether a message can fill the part with a shape of its own.
pub(super) fn fillable(part: &Part) -> bool {
    match part {
        Part::Text(text) => text.rule == TextRule::Open && text.filter.is_none() && !matches!(text.class, Class::Hex),
        Part::Json(_) => true,
        _ => false,
    }
}

/// Without a frame there is one open field.
fn open_frame() -> Frame {
    let mut builder = Builder::default();
    let label = crate::codec::plan::Label { text: "text".into(), name: Name::Own, kind: None, marked: false };
    let slot = builder.slot(label);
    let (size, rule) = (Size::Rest(End::Unknown), TextRule::Open);
    let text =
        Text { slot, class: Class::Text, size, filter: None, padded: None, rule, sizes: Box::default(), plain: false };
    Frame {
        shape: Shape { parts: vec![Part::Text(text)], labels: builder.labels },
        refusals: Vec::new(),
        made: Vec::new(),
    }
}

fn wire_label(name: &str) -> crate::codec::plan::Label {
    crate::codec::plan::Label { text: name.into(), name: Name::Own, kind: None, marked: false }
}

fn open_json(name: &str, builder: &mut Builder<'_>) -> Part {
    let slot = builder.slot(wire_label(name));
    Part::Json(JsonText::new(slot, Json::any(slot)))
}

/// The ready-made frame of gRPC: one JSON object for each message, as the crate `grpc` speaks and hears them.
fn grpc(members: &[&str], builder: &mut Builder<'_>) -> Vec<Part> {
    let members = members.iter().map(|name| {
        let slot = builder.slot(crate::codec::plan::Label { name: Name::Nothing, ..wire_label(name) });
        let json = match *name {
            "status" => Json::Is("OK".into()),
            _ => Json::any(slot),
        };
        ((*name).to_owned(), json)
    });
    let json = Json::Object(members.collect());
    let slot = builder.slot(wire_label("call"));
    vec![Part::Json(JsonText::new(slot, json)), Part::Literal(b"\n".as_slice().into())]
}
