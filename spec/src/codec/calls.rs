//! What a gRPC dialect says and hears, member by member, each with the place where it is written.
//!
//! So whoever has the messages of the service can hold the dialect against them, and draw what does not fit. Not here:
//! the messages themselves, for this crate reads no `.proto`.

use std::ops::Range;

use serde_json::Value as JsonValue;

use crate::codec::compile::split_hole;
use crate::codec::field::{Class, FieldType, Kind};
use crate::codec::filter::Filter;
use crate::codec::json::{Hole, Json, item};
use crate::codec::plan::{JsonText, Label, Message, Name, Part, Step};
use crate::dialect::Dialect;
use crate::error::Place;
use crate::load::{Document, Node};
use crate::service::FieldKind;

/// One message of a gRPC dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Whether a client says it; else it hears it.
    pub is_said: bool,
    /// The methods that it can be the answer of, where it names none itself.
    pub asked: Vec<String>,
    /// What it says of the call: `method`, `request`, `reply`, `status`, …
    pub members: Vec<Member>,
    /// Where it is written.
    pub place: Place,
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where that stands.
    pub place: Place,
    /// What it looks like.
    pub form: Form,
}

/// What a value looks like, and where that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Its looks.
    pub looks: Looks,
    /// Where they are written.
    pub place: Place,
}

/// What a value looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looks {
    /// These members, and perhaps others.
    Object(Vec<Member>),
    /// An array of these.
    Array(Vec<Form>),
    /// An array of any number of these.
    Each(Box<Form>),
    /// One of these.
    Either(Vec<Form>),
    /// This value and no other.
    Is(JsonValue),
    /// A number. `in_text`: heard, it may stand in a text.
    Number {
        /// Whether digits in a text are taken for it.
        in_text: bool,
    },
    /// True or false.
    Flag,
    /// A text. `base64`: it is the base64 of some bytes.
    Text {
        /// Whether it is written in base64.
        base64: bool,
    },
    /// Anything: nobody's value, or what was learned before.
    Any,
}

impl Call {
    /// The member of a name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// The method that it names.
    pub fn method(&self) -> Option<&str> {
        match &self.member("method")?.form.looks {
            Looks::Is(JsonValue::String(name)) => Some(name),
            _ => None,
        }
    }
}

/// The status of a line that the bridge made of a call which it could not make: none of gRPC's.
const UNSENT: &str = "UNSENT";

impl Dialect {
    /// Why a call was never sent, where a line says so in the place of an answer.
    pub fn unsent(&self, line: &[u8]) -> Option<String> {
        let is_told = self.grpc.is_some() && line.windows(UNSENT.len()).any(|word| word == UNSENT.as_bytes());
        let line: JsonValue = is_told.then(|| serde_json::from_slice(line).ok())??;
        let text = |member: &str| line.get(member).and_then(JsonValue::as_str);
        (text("status") == Some(UNSENT)).then(|| text("detail").unwrap_or_default().to_owned())
    }
}

/// Every message of a dialect's dialogues and tables.
pub(crate) fn calls(dialect: &Dialect, document: &Document) -> Vec<Call> {
    let mut reader = Reader { document, is_said: true, labels: &[] };
    let mut calls: Vec<Call> = Vec::new();
    for step in dialect.all_plans().flat_map(|(_, plan)| &plan.steps) {
        let said: Vec<Call> = step.say.iter().filter_map(|message| reader.call(message, Vec::new())).collect();
        let asked = methods(&said);
        reader.is_said = false;
        calls.extend(said);
        calls.extend(heard(step).filter_map(|message| reader.call(message, asked.clone())));
        reader.is_said = true;
    }
    let asked = methods(&calls);
    reader.is_said = false;
    calls.extend(dialect.anytime.iter().filter_map(|entry| reader.call(&entry.message, asked.clone())));
    calls
}

fn heard(step: &Step) -> impl Iterator<Item = &Message> {
    step.hear.iter().map(|entry| &entry.message)
}

/// The methods that are called, each once.
fn methods(calls: &[Call]) -> Vec<String> {
    let mut names = Vec::new();
    for name in calls.iter().filter(|call| call.is_said).filter_map(Call::method) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

struct Reader<'a> {
    document: &'a Document,
    is_said: bool,
    labels: &'a [Label],
}

impl<'a> Reader<'a> {
    fn call(&self, message: &'a Message, asked: Vec<String>) -> Option<Call> {
        let Some(Part::Json(JsonText { json: Json::Object(members), .. })) = message.shape.parts.first() else {
            return None;
        };
        let node = find(self.document, &self.document.root, &message.at)?;
        let reader = Reader { labels: &message.shape.labels, ..*self };
        let place = self.document.place(node);
        Some(Call { is_said: self.is_said, asked, members: reader.members(members, node), place })
    }

    /// The members that are written. A frame has others, of which a message need not speak.
    fn members(&self, members: &[(String, Json)], node: &Node) -> Vec<Member> {
        let written = members.iter().filter_map(|(name, json)| {
            let (key, value) = node.entry(name)?;
            Some(Member { name: name.clone(), place: self.document.place(key), form: self.form(json, value) })
        });
        written.collect()
    }

    fn form(&self, json: &Json, node: &Node) -> Form {
        let looks = match json {
            Json::Object(members) => Looks::Object(self.members(members, node)),
            Json::Array(items) => Looks::Array(self.forms(items, node.items())),
            Json::Either(rows) => Looks::Either(self.forms(rows, node.get("either").and_then(Node::items))),
            Json::Is(value) => Looks::Is(value.clone()),
            Json::Usually(value) if self.is_said => Looks::Is(value.clone()),
            Json::Usually(_) => Looks::Any,
            Json::Template { .. } => Looks::Text { base64: false },
            Json::List(list) if list.joined.is_some() => Looks::Text { base64: false },
            Json::List(list) => {
                let reader = Reader { labels: &list.item.labels, ..*self };
                let of = self.shape_of_items(node).unwrap_or(node);
                item(list).map_or(Looks::Any, |json| Looks::Each(Box::new(reader.form(json, of))))
            }
            Json::Hole(hole) => self.hole(hole),
        };
        Form { looks, place: self.document.place(node) }
    }

    fn forms(&self, all: &[Json], nodes: Option<&[Node]>) -> Vec<Form> {
        all.iter().zip(nodes.unwrap_or_default()).map(|(json, node)| self.form(json, node)).collect()
    }

    fn hole(&self, hole: &Hole) -> Looks {
        let label = &self.labels[hole.slot];
        let is_nobodys = label.name == Name::Nothing;
        match (&hole.usually, label.kind) {
            _ if is_nobodys && !self.is_said => Looks::Any,
            (Some(value), _) if is_nobodys => Looks::Is(value.clone()),
            _ if hole.number => Looks::Number { in_text: true },
            (_, Some(FieldKind::Int)) => Looks::Number { in_text: false },
            (_, Some(FieldKind::Flag)) => Looks::Flag,
            (_, Some(FieldKind::Text | FieldKind::Bytes)) => {
                Looks::Text { base64: hole.filter == Some(Filter::Base64) }
            }
            // A value of the wire's own is what it was when it was learned, unless its type says more.
            _ if hole.filter.is_some() || hole.class == Class::Hex => {
                Looks::Text { base64: hole.filter == Some(Filter::Base64) }
            }
            _ => Looks::Any,
        }
    }

    /// The shape that the items of a list are written in: `{messages: list of row}`.
    fn shape_of_items(&self, list: &Node) -> Option<&'a Node> {
        let hole = list.text()?.strip_prefix('{')?.strip_suffix('}')?;
        let Kind::List { item, .. } = FieldType::parse(split_hole(hole).1).ok()?.kind else { return None };
        let Kind::Shape(name) = *item else { return None };
        self.document.root.get("shapes")?.get(&name)
    }
}

/// The node that stands there.
fn find<'a>(document: &Document, node: &'a Node, at: &Range<usize>) -> Option<&'a Node> {
    if document.place(node).span == *at {
        return Some(node);
    }
    let inside = node.entries().unwrap_or_default().iter().map(|(_, value)| value);
    inside.chain(node.items().unwrap_or_default()).find_map(|inner| find(document, inner, at))
}
