//! Messages: the frame, narrowed, and what follows for the whole of it. Not here: how a part is narrowed (`narrow`).

use crate::codec::compile::ends::measures_itself;
use crate::codec::compile::frame::fillable;
use crate::codec::compile::measure::{collect_echoes, collect_measures, collect_values, settle};
use crate::codec::compile::shape::Builder;
use crate::codec::compile::{Compiler, text};
use crate::codec::field::{Class, Measure};
use crate::codec::plan::{Form, Frame, Message, Name, Number, Of, Part, Rule, Shape, Text};
use crate::load::Node;
use crate::service::FieldKind;

impl<'a> Compiler<'a> {
    /// The frame, narrowed.
    pub(super) fn message(&mut self, node: &'a Node, frame: &Frame, request: Option<Vec<String>>) -> Option<Message> {
        let mut builder = Builder {
            labels: frame.shape.labels.clone(),
            places: vec![None; frame.shape.labels.len()],
            made: frame.made.clone(),
            request,
            ..Builder::default()
        };
        let mut parts = Vec::new();
        let open: Vec<&Part> = frame.shape.parts.iter().filter(|part| fillable(part)).collect();
        let sole = if let [sole] = open.as_slice() { sole.slot() } else { None };
        let is_json_alone = matches!(frame.shape.parts.as_slice(), [Part::Json(_), ..]) && sole.is_some();
        let alone = node.entries().is_none()
            || (is_json_alone && !self.narrows_members(node, frame) && !names_fields(node, frame));
        if alone {
            let Some(sole) = sole else {
                self.refuse(node, "a message is a map of the frame's fields", |d| {
                    d.help("such as {code: 3, body: []}")
                });
                return None;
            };
            for part in &frame.shape.parts {
                let narrowed = (part.slot() == Some(sole)).then_some(node);
                parts.extend(self.narrow(part, narrowed, &mut builder)?);
            }
        } else {
            self.refuse_unknown_fields(node, frame);
            let mut used = Vec::new();
            for part in &frame.shape.parts {
                parts.extend(self.narrow_by(node, part, frame, &mut used, &mut builder)?);
            }
            self.refuse_unused_fields(node, frame, &used);
        }
        Some(self.finish(node, parts, builder))
    }

    /// Measures, ends, and what follows from them.
    pub(super) fn finish(&mut self, node: &'a Node, mut parts: Vec<Part>, mut builder: Builder<'a>) -> Message {
        self.frame_measures(&parts, &mut builder);
        self.measure(node, &mut parts, &mut builder);
        // A field of the frame that this message fills in another way, or not at all, is nobody's value.
        let mut values = Vec::new();
        collect_values(&parts, &mut values);
        let bounded = measures_itself(&parts);
        let is_open = self.ends(node, &mut parts, &builder, bounded);
        let mut measures = Vec::new();
        collect_measures(&parts, &mut measures);
        measures.sort_by_key(|number| match &number.rule {
            Rule::Measure { measure, .. } if measure.is_length() || *measure == Measure::Count => 0,
            _ => 1,
        });
        let patches = measures.iter().all(|number| {
            let stands_alone = parts.iter().any(|part| matches!(part, Part::Number(own) if own.slot == number.slot));
            matches!(number.form, Form::Int(_)) && stands_alone
        });
        for number in &measures {
            builder.labels[number.slot].marked = true;
        }
        for (_, label) in builder.labels.iter_mut().enumerate().filter(|(slot, _)| !values.contains(slot)) {
            label.name = Name::Nothing;
        }
        settle(&mut parts, &builder.labels);
        let shape = Shape { parts, labels: builder.labels.clone() };
        self.refuse_single_lists(node, &shape, &builder);
        let mut echoes = Vec::new();
        collect_echoes(&shape.parts, &builder, &mut echoes);
        let is_whole =
            |number: &&Number| !matches!(number.rule, Rule::Measure { measure: Measure::Length, of: Of::Frame, .. });
        let checks = measures.iter().filter(is_whole).cloned().collect();
        Message {
            at: self.document.place(node).span,
            shape,
            is_open,
            measures,
            checks,
            patches,
            echoes,
            made: builder.made,
            outruns: true,
        }
    }

    /// What the protocol calls a list is one here, too.
    fn refuse_single_lists(&mut self, node: &'a Node, shape: &Shape, builder: &Builder<'a>) {
        for (slot, label) in shape.labels.iter().enumerate() {
            if !label.is_own() || label.kind != Some(FieldKind::List) || shape.list(slot).is_some() {
                continue;
            }
            let (service, name) = (self.service, &label.text);
            let of = service.field(name).and_then(|field| field.of.as_deref()).unwrap_or_default();
            let one = match service.rows.get(of) {
                Some(row) => row.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", "),
                None => format!("`{of}`"),
            };
            let place = builder.places.get(slot).copied().flatten().unwrap_or(node);
            self.refuse(place, format!("`{name}` is a list, and one value stands here"), |d| {
                d.help(format!("a list is `{name}: list of …`; one row of it, as in `more`, is {one}"))
            });
        }
    }

    pub(super) fn known_error(&mut self, node: &Node) {
        let (name, service) = (node.text().unwrap_or_default(), self.service);
        if !service.errors.contains_key(name) {
            self.refuse(node, format!("errors.yaml has no error `{name}`"), |d| {
                d.suggest(name, service.errors.keys().map(String::as_str))
            });
        }
    }

    /// Whether a list is several messages, and not one that is a row of fields.
    pub(super) fn alternatives(&self, node: &'a Node, frame: &Frame) -> Vec<&'a Node> {
        let takes_rows =
            frame.shape.parts.iter().any(|part| matches!(part, Part::Text(Text { class: Class::Bytes, .. })));
        match node.items() {
            Some(items)
                if !takes_rows || items.iter().all(|item| item.entries().is_some() && text(item).is_empty()) =>
            {
                let are_fields = takes_rows
                    && items
                        .iter()
                        .all(|item| matches!(item.entries(), Some([(key, _)]) if frame.position(&text(key)).is_none()));
                if are_fields { vec![node] } else { items.iter().collect() }
            }
            _ => vec![node],
        }
    }
}

/// Whether a map speaks of the frame's fields, and of nothing else.
fn names_fields(node: &Node, frame: &Frame) -> bool {
    let is_field = |key: &str| key == "then" || frame.position(key).is_some();
    node.entries().is_some_and(|entries| entries.iter().all(|(key, _)| is_field(&text(key))))
}
