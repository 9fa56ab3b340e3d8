//! JSON shapes: a map is held against a JSON value, and written as one, in the order of the dialect file.
//!
//! Members that a shape does not name are allowed when listening. Not here: where a JSON text ends (`hear`).

mod say;

use serde_json::Value as JsonValue;

use crate::codec::field::Class;
use crate::codec::filter::Filter;
use crate::codec::hear::{Expected, Miss, hear_shape};
use crate::codec::plan::{List, Part, Rule, Shape};
use crate::codec::slots::{Base, Slot, Slots};
use crate::codec::unfit::Reason;
use crate::value::Value;

/// The largest number that every reader of JSON takes as it is.
const EXACT: u64 = (1 << 53) - 1;

/// What a JSON value looks like.
#[derive(Debug, Clone)]
pub(crate) enum Json {
    Object(Vec<(String, Json)>),
    Array(Vec<Json>),
    /// This value; anything else is no match.
    Is(JsonValue),
    /// This value when spoken, anything when heard.
    Usually(JsonValue),
    /// The value of a slot.
    Hole(Hole),
    /// A text with holes: a shape of its own, whose slots are these of the message.
    Template {
        shape: Shape,
        slots: Vec<usize>,
        /// Its lists, in the slots of the message.
        lists: Vec<List>,
    },
    /// A list, each of whose items is one JSON part.
    List(List),
    Either(Vec<Json>),
}

/// The value of a slot.
#[derive(Debug, Clone)]
pub(crate) struct Hole {
    pub(crate) slot: usize,
    /// Whether it is a number, whatever its name's kind.
    pub(crate) number: bool,
    pub(crate) class: Class,
    pub(crate) filter: Option<Filter>,
    pub(crate) needs: Needs,
    /// Spoken where nothing else is known.
    pub(crate) usually: Option<JsonValue>,
}

/// What must stand where a hole is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Its value.
    Value,
    /// Anything: nobody wants to know it.
    Anything,
    /// Not even that. It is spoken only where it is known.
    Nothing,
}

type Misfit = (String, Reason);

impl Json {
    /// Any JSON, of which nothing is known.
    pub(crate) fn any(slot: usize) -> Self {
        Json::Hole(Hole { slot, number: false, class: Class::Text, filter: None, needs: Needs::Nothing, usually: None })
    }

    /// Whether nothing need stand for it.
    pub(crate) fn is_optional(&self) -> bool {
        matches!(self, Json::Hole(hole) if hole.needs == Needs::Nothing)
    }

    /// Whether a member without it is no match. What else a missing member is, its value tells: it is null.
    fn must_be_there(&self) -> bool {
        match self {
            Json::List(_) => true,
            Json::Hole(hole) => hole.needs == Needs::Anything,
            _ => false,
        }
    }

    /// Every list in it.
    pub(crate) fn lists<'p>(&'p self, lists: &mut Vec<&'p List>) {
        match self {
            Json::Object(members) => members.iter().for_each(|(_, json)| json.lists(lists)),
            Json::Array(items) | Json::Either(items) => items.iter().for_each(|json| json.lists(lists)),
            Json::List(list) => lists.push(list),
            Json::Template { lists: own, .. } => lists.extend(own),
            Json::Is(_) | Json::Usually(_) | Json::Hole(_) => {}
        }
    }

    /// Tells of each slot that holds a number: whether another is spoken where none is given, and the bounds.
    pub(crate) fn numbers(&self, found: &mut dyn FnMut(usize, (bool, u64, u64))) {
        match self {
            Json::Object(members) => members.iter().for_each(|(_, json)| json.numbers(found)),
            Json::Array(items) | Json::Either(items) => items.iter().for_each(|json| json.numbers(found)),
            Json::Hole(hole) if hole.number => found(hole.slot, (hole.usually.is_some(), 1, EXACT)),
            Json::Template { shape, slots, .. } => {
                for part in &shape.parts {
                    if let Part::Number(number) = part {
                        let is_computed = !matches!(number.rule, Rule::Open);
                        found(slots[number.slot], (is_computed, number.least, number.most));
                    }
                }
            }
            Json::Is(_) | Json::Usually(_) | Json::Hole(_) | Json::List(..) => {}
        }
    }

    /// Tells of each slot that is written in a way that cannot be read back.
    pub(crate) fn one_way(&self, found: &mut dyn FnMut(usize)) {
        match self {
            Json::Object(members) => members.iter().for_each(|(_, json)| json.one_way(found)),
            Json::Array(items) | Json::Either(items) => items.iter().for_each(|json| json.one_way(found)),
            Json::Hole(hole) if hole.filter == Some(Filter::Sha256Hex) => found(hole.slot),
            Json::Template { shape, slots, .. } => {
                crate::codec::sample::one_way(&shape.parts, &mut |slot| found(slots[slot]))
            }
            Json::Is(_) | Json::Usually(_) | Json::Hole(_) | Json::List(..) => {}
        }
    }

    /// The slots that it fills.
    pub(crate) fn slots(&self, found: &mut Vec<usize>) {
        match self {
            Json::Object(members) => members.iter().for_each(|(_, json)| json.slots(found)),
            Json::Array(items) | Json::Either(items) => items.iter().for_each(|json| json.slots(found)),
            Json::List(list) => found.push(list.slot),
            Json::Hole(hole) => found.push(hole.slot),
            Json::Template { slots, .. } => found.extend(slots),
            Json::Is(_) | Json::Usually(_) => {}
        }
    }

    /// Takes a value into the slots.
    pub(crate) fn hear(
        &self,
        value: &JsonValue,
        path: &str,
        expected: &Expected,
        base: Base,
        slots: &mut Slots<'_>,
    ) -> Result<(), Misfit> {
        let misfit = |what: &str| {
            let seen: String = value.to_string().chars().take(60).collect();
            Err((path.to_owned(), Reason::Unlike { seen, expected: what.to_owned() }))
        };
        match self {
            Json::Usually(_) => Ok(()),
            Json::Is(fixed) if same(fixed, value) => Ok(()),
            Json::Is(fixed) => misfit(&fixed.to_string()),
            Json::Object(members) => {
                let Some(object) = value.as_object() else { return misfit("an object") };
                for (name, json) in members {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    let member = match (object.get(name), json) {
                        (Some(member), _) => member,
                        (None, json) if json.must_be_there() => {
                            let expected = if let Json::List(_) = json { "an array" } else { "a value" };
                            return Err((path, Reason::Unlike { seen: "nothing".into(), expected: expected.into() }));
                        }
                        (None, _) => &JsonValue::Null,
                    };
                    json.hear(member, &path, expected, base, slots)?;
                }
                Ok(())
            }
            Json::Array(items) => match value.as_array() {
                Some(values) if values.len() == items.len() => {
                    let mut both = items.iter().zip(values).enumerate();
                    both.try_for_each(|(at, (json, value))| {
                        json.hear(value, &format!("{path}[{at}]"), expected, base, slots)
                    })
                }
                _ => misfit("an array of another length"),
            },
            Json::Either(rows) => {
                let mut first = None;
                for json in rows {
                    match json.hear(value, path, expected, base, slots) {
                        Ok(()) => return Ok(()),
                        Err(why) => first = first.or(Some(why)),
                    }
                    json.forget(base, slots);
                }
                Err(first.unwrap_or_else(|| (path.to_owned(), Reason::Unheard)))
            }
            Json::List(list) => {
                let Some(item) = item(list) else { return misfit("a list") };
                let values = match (value, &list.joined) {
                    (JsonValue::Array(values), None) => values.clone(),
                    (JsonValue::String(text), Some(_)) if text.is_empty() => Vec::new(),
                    (JsonValue::String(text), Some(joined)) => {
                        let all = if joined.ends { text.strip_suffix(joined.text()) } else { Some(text.as_str()) };
                        let Some(all) = all else { return misfit("a list whose last item is ended, too") };
                        all.split(joined.text()).map(JsonValue::from).collect()
                    }
                    (JsonValue::Null, _) => Vec::new(),
                    _ => return misfit("a list"),
                };
                let (start, width) = (slots.rows.len(), list.item.labels.len());
                for (at, value) in values.iter().enumerate() {
                    let first = slots.rows.len();
                    slots.rows.resize(first + width, Slot::Empty);
                    item.hear(value, &format!("{path}[{at}]"), &[], Base::Item(first), slots)?;
                }
                let heard = Slot::List { start: start as u32, count: values.len() as u32, width: width as u32 };
                slots.put(base, list.slot, heard);
                Ok(())
            }
            Json::Template { shape: inner, slots: outer, .. } => {
                let Some(text) = value.as_str() else { return misfit("a text") };
                let mut heard = Slots::new();
                match hear_shape(inner, &[], text.as_bytes(), true, &[], &mut heard, &mut ()) {
                    Ok(end) if end == text.len() => {}
                    Err(Miss::No(unfit)) => return Err((path.to_owned(), unfit.reason)),
                    _ => return misfit("another text"),
                }
                for (from, to) in outer.iter().enumerate() {
                    let slot = slots.keep_from(&heard, heard.at(from));
                    if slot != Slot::Empty {
                        slots.put(base, *to, slot);
                    }
                }
                Ok(())
            }
            Json::Hole(hole) => {
                let slot = match value {
                    JsonValue::Null if hole.needs != Needs::Value || hole.usually.is_some() => return Ok(()),
                    JsonValue::Null => return misfit("a value"),
                    JsonValue::Bool(flag) => Slot::Int(u64::from(*flag)),
                    JsonValue::Number(number) => match number.as_u64().or_else(|| number.as_f64().map(|n| n as u64)) {
                        Some(number) => Slot::Int(number),
                        None => return misfit("a number"),
                    },
                    JsonValue::String(text) if hole.number => match text.parse() {
                        Ok(number) => Slot::Int(number),
                        Err(_) => return misfit("a number"),
                    },
                    JsonValue::String(text) => {
                        let filter = if hole.class == Class::Hex { Some(&Filter::Hex) } else { hole.filter.as_ref() };
                        let bytes = filter.map_or_else(|| Some(text.clone().into_bytes()), |f| f.read(text.as_bytes()));
                        match bytes {
                            Some(bytes) => slots.keep(&bytes),
                            None => return misfit("a text as its filter writes it"),
                        }
                    }
                    JsonValue::Array(_) | JsonValue::Object(_) if hole.needs != Needs::Value => return Ok(()),
                    JsonValue::Array(_) | JsonValue::Object(_) => return misfit("one value"),
                };
                slots.put(base, hole.slot, slot);
                let known = expected.get(hole.slot).and_then(Option::as_ref).filter(|_| base == Base::Message);
                let heard = match (slot, known) {
                    (Slot::Int(number), Some(Value::Int(known))) => number == *known,
                    (slot, Some(known)) if known.as_bytes().is_some() => slots.bytes(slot) == known.as_bytes(),
                    _ => true,
                };
                if heard { Ok(()) } else { misfit(&known.map(ToString::to_string).unwrap_or_default()) }
            }
        }
    }

    fn forget(&self, base: Base, slots: &mut Slots<'_>) {
        let mut filled = Vec::new();
        self.slots(&mut filled);
        filled.into_iter().for_each(|slot| slots.put(base, slot, Slot::Empty));
    }
}

/// What an item of a list looks like.
pub(crate) fn item(list: &List) -> Option<&Json> {
    match list.item.parts.as_slice() {
        [Part::Json(part)] => Some(&part.json),
        _ => None,
    }
}

/// Numbers are the same whatever they are written as.
fn same(fixed: &JsonValue, value: &JsonValue) -> bool {
    match (fixed.as_f64(), value.as_f64()) {
        (Some(fixed), Some(value)) => fixed == value,
        _ => fixed == value,
    }
}
