//! What a dialect is compiled into: shapes of parts over numbered slots, and tables of messages.
//!
//! A slot is the place of a value in its message, or in its item of a list. The fields of the frame have the same
//! slots in every message. Nothing here knows YAML. `hear` and `speak` are the only two functions that run a plan.

mod index;
mod number;
mod table;

use crate::codec::field::{Class, Joined, Measure};
use crate::codec::filter::Filter;
use crate::codec::json::Json;
use crate::service::FieldKind;

pub(crate) use index::Index;
pub(crate) use number::{Choice, Form, Number, Of, Rule};
pub(crate) use table::{Entry, Frame, Made, Meaning, Message, OperationPlan, Refusal, Step};

/// Parts one after another, with what their slots are called: a message, or an item of a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shape {
    pub(crate) parts: Vec<Part>,
    pub(crate) labels: Vec<Label>,
}

/// Some bytes of a shape.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// These bytes.
    Literal(Box<[u8]>),
    Number(Number),
    /// Numbers that share bytes, highest bits first; together they are whole bytes.
    Bits(Vec<(u8, Number)>),
    Text(Text),
    /// Parts that fill a stretch whose end is known from elsewhere.
    Region(Region),
    List(List),
    /// The first of several rows that fits, in both directions.
    Either(Vec<Vec<Part>>),
    Json(JsonText),
}

/// Characters, or bytes without a meaning of their own.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) slot: usize,
    pub(crate) class: Class,
    pub(crate) size: Size,
    pub(crate) filter: Option<Filter>,
    pub(crate) padded: Option<u8>,
    pub(crate) rule: TextRule,
    /// The only lengths that the protocol gives its value. None: any.
    pub(crate) sizes: Box<[u64]>,
    /// Whether it is a value as it is, and nothing more.
    pub(crate) plain: bool,
}

/// What decides a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TextRule {
    Open,
    Is(Box<[u8]>),
    Usually(Box<[u8]>),
    /// The name of who acts when spoken, anything when heard.
    UsuallyMe,
    /// New bytes when spoken, anything when heard.
    Fresh,
}

/// Where something ends: bytes of a text or region, items of a list.
#[derive(Debug, Clone)]
pub(crate) enum Size {
    Fixed(u64),
    /// A number right before.
    Prefix(Form),
    /// The number in the slot `by` measures what begins at the part of slot `from`, and says `plus` more than that.
    Measured {
        by: usize,
        measure: Measure,
        from: usize,
        plus: i64,
    },
    /// The number at the same place of another list.
    Each {
        by: usize,
    },
    /// What follows it, or what it stands in.
    Rest(End),
}

/// What ends something that no number measures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// Not decided yet: the compiler looks at what follows.
    Unknown,
    /// The end of what it stands in, less so many bytes; of an endless stream, a pause.
    Outer(usize),
    /// The first byte that cannot stand in it.
    Class,
    /// Where what it holds has ended.
    Inside,
    /// The first of these that comes, or, where `or_end` says so, the end of what it stands in.
    Before { ends: Box<[Box<[u8]>]>, or_end: bool },
}

/// Parts that fill a stretch.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    pub(crate) slot: usize,
    pub(crate) size: Size,
    pub(crate) parts: Vec<Part>,
    /// Whether the message says nothing about it: spoken empty, heard as anything.
    pub(crate) ignored: bool,
    /// What fills it up, where its size is fixed.
    pub(crate) padded: Option<u8>,
}

/// Items of one kind.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) slot: usize,
    pub(crate) size: Size,
    pub(crate) item: Box<Shape>,
    /// The field or row that an item is.
    pub(crate) of: String,
    /// Whether an item is its one value, not a row.
    pub(crate) single: bool,
    pub(crate) joined: Option<Joined>,
}

/// A JSON text. Where its size is told, white space around it belongs to it, and one that may be anything may be nothing.
#[derive(Debug, Clone)]
pub(crate) struct JsonText {
    pub(crate) slot: usize,
    pub(crate) size: Size,
    pub(crate) json: Json,
}

impl JsonText {
    /// One whose end is not decided yet.
    pub(crate) fn new(slot: usize, json: Json) -> Self {
        JsonText { slot, size: Size::Rest(End::Unknown), json }
    }

    /// Whether it is over where its value is.
    pub(crate) fn ends_itself(&self) -> bool {
        matches!(self.size, Size::Rest(End::Inside))
    }
}

impl Part {
    /// The fewest bytes it can take.
    pub(crate) fn least_bytes(&self) -> usize {
        match self {
            Part::Literal(bytes) => bytes.len(),
            Part::Number(number) => number.form.least_bytes(),
            Part::Bits(fields) => fields.iter().map(|(bits, _)| usize::from(*bits)).sum::<usize>() / 8,
            Part::Text(text) => text.size.least_bytes(1),
            Part::Region(region) => match &region.size {
                Size::Rest(_) | Size::Measured { .. } if !region.ignored => least_bytes(&region.parts),
                size => size.least_bytes(1),
            },
            Part::List(list) => list.size.least_bytes(least_bytes(&list.item.parts)),
            Part::Either(rows) => rows.iter().map(|row| least_bytes(row)).min().unwrap_or(0),
            Part::Json(json) => usize::from(json.ends_itself()),
        }
    }

    /// The slot whose value it holds.
    pub(crate) fn slot(&self) -> Option<usize> {
        match self {
            Part::Number(number) => Some(number.slot),
            Part::Text(text) => Some(text.slot),
            Part::Region(region) => Some(region.slot),
            Part::List(list) => Some(list.slot),
            Part::Json(json) => Some(json.slot),
            Part::Literal(_) | Part::Bits(_) | Part::Either(_) => None,
        }
    }
}

/// The fewest bytes that parts can take.
pub(crate) fn least_bytes(parts: &[Part]) -> usize {
    parts.iter().fold(0, |sum, part| sum.saturating_add(part.least_bytes()))
}

impl Size {
    fn least_bytes(&self, of: usize) -> usize {
        match self {
            Size::Fixed(n) => usize::try_from(*n).unwrap_or(usize::MAX).saturating_mul(of),
            Size::Prefix(form) => form.least_bytes(),
            Size::Measured { .. } | Size::Each { .. } | Size::Rest(_) => 0,
        }
    }
}

/// What a slot is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    /// Its name; without one, its type as it is written.
    pub(crate) text: String,
    pub(crate) name: Name,
    /// The kind that `service.yaml` gives the name. None: a name of the wire's own.
    pub(crate) kind: Option<FieldKind>,
    /// Whether its bytes are measured by another part.
    pub(crate) marked: bool,
}

/// Whose value a slot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    /// Nobody's: a constant or padding, or heard and forgotten.
    Nothing,
    /// A value of the operation or event, or of the wire itself.
    Own,
    /// `me`: the name of who acts.
    Me,
    /// `my token`: the last value of this name that was said or heard for who acts.
    My(String),
    /// `id of recipient`: the value of this name that belongs to the user in the other.
    Of(String, String),
}

impl Label {
    /// Whether it has a value that the protocol, or the wire's own dialogue, gives it.
    pub(crate) fn is_own(&self) -> bool {
        self.name == Name::Own
    }
}

/// Something that always stands in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Constant<'p> {
    Number(u64),
    Text(&'p [u8]),
}

impl Shape {
    /// What always stands in it, in order. None: it holds what is not compared, such as JSON.
    pub(crate) fn constants(&self) -> Option<Vec<Constant<'_>>> {
        fn collect<'p>(parts: &'p [Part], found: &mut Vec<Constant<'p>>) -> Option<()> {
            for part in parts {
                let number = |number: &Number| match number.rule {
                    Rule::Is(fixed) => Some(Constant::Number(fixed)),
                    _ => None,
                };
                match part {
                    Part::Literal(bytes) => found.push(Constant::Text(bytes)),
                    Part::Number(own) => found.extend(number(own)),
                    Part::Bits(fields) => found.extend(fields.iter().filter_map(|(_, own)| number(own))),
                    Part::Text(Text { rule: TextRule::Is(bytes), .. }) => found.push(Constant::Text(bytes)),
                    Part::Region(region) => collect(&region.parts, found)?,
                    Part::Either(_) | Part::Json(_) => return None,
                    Part::Text(_) | Part::List(_) => {}
                }
            }
            Some(())
        }
        let mut found = Vec::new();
        collect(&self.parts, &mut found)?;
        Some(found)
    }

    /// The slot of a value's name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.labels.iter().position(|label| label.is_own() && label.text == name)
    }

    /// Every list in it, however deep.
    pub(crate) fn lists(&self) -> Vec<&List> {
        fn collect<'p>(parts: &'p [Part], lists: &mut Vec<&'p List>) {
            for part in parts {
                match part {
                    Part::List(list) => lists.push(list),
                    Part::Region(region) => collect(&region.parts, lists),
                    Part::Either(rows) => rows.iter().for_each(|row| collect(row, lists)),
                    Part::Json(json) => json.json.lists(lists),
                    _ => {}
                }
            }
        }
        let mut lists = Vec::new();
        collect(&self.parts, &mut lists);
        lists
    }

    /// The list that a slot holds.
    pub(crate) fn list(&self, slot: usize) -> Option<&List> {
        self.lists().into_iter().find(|list| list.slot == slot)
    }
}
