//! Values that are made up, so that a dialect can speak to itself: short ones, lists with items, and long ones.
//!
//! Not here: what is done with them (`rehearse`, `carry`).

use std::collections::BTreeMap;

use crate::codec::field::Class;
use crate::codec::filter::Filter;
use crate::codec::plan::{Message, Name, Part, Rule, Shape, Size};
use crate::dialect::Dialect;
use crate::service::FieldKind;
use crate::value::{Record, Value};

/// Kinds of sample values: short ones and empty lists, lists with items, and long ones.
pub(crate) const SHORT: usize = 0;
pub(crate) const FILLED: usize = 1;
pub(crate) const LONG: usize = 2;

/// Values for the names of a shape.
pub(crate) fn sample(dialect: &Dialect, shape: &Shape, variant: usize) -> Record {
    let mut record = Record::new();
    let mut numbers = BTreeMap::new();
    ranges(&shape.parts, &mut numbers);
    for (slot, label) in shape.labels.iter().enumerate() {
        let (text, field) = (&label.text, label.text.strip_prefix("my ").unwrap_or(&label.text));
        if label.name == Name::Nothing || text == "error" || shape_of_frame(shape, slot, dialect) {
            continue;
        }
        let list = shape.list(slot);
        let value = match (list, numbers.get(&slot)) {
            (Some(list), _) => {
                if list.computed().is_some() {
                    continue;
                }
                let row = sample(dialect, &list.item, variant);
                let value = match list.single {
                    true => row.iter().next().map_or(Value::Int(0), |(_, value)| value.clone()),
                    false => Value::Row(row),
                };
                let many = if let Size::Fixed(count) = list.size { count as usize } else { variant.min(FILLED) * 2 };
                Value::List(vec![value; many])
            }
            (None, Some((computed, least, most))) => {
                if *computed {
                    continue;
                }
                let number = if variant == SHORT { *least } else { *most };
                match dialect.service.field(field).map(|field| field.kind) {
                    Some(FieldKind::Flag) => Value::Flag(number != 0),
                    _ => Value::Int(number),
                }
            }
            (None, None) => match dialect.service.field(field).map(|field| field.kind) {
                Some(FieldKind::Int) => Value::Int(1 + variant as u64),
                Some(FieldKind::Flag) => Value::Flag(variant > SHORT),
                _ => sample_bytes(dialect, shape, slot, field, variant),
            },
        };
        record.set(text, value);
    }
    record
}

fn sample_bytes(dialect: &Dialect, shape: &Shape, slot: usize, label: &str, variant: usize) -> Value {
    let field = dialect.service.field(label);
    let size = field.and_then(|field| field.sizes.get(variant.min(FILLED)).copied());
    let fixed = fixed_size(&shape.parts, slot);
    let room = room(&shape.parts, slot).map_or(usize::MAX, |room| room as usize);
    let length = fixed.or(size).map_or(if variant < LONG { 1 } else { room.min(40) }, |size| size as usize);
    match field.map(|field| field.kind) {
        Some(FieldKind::Bytes) => Value::Bytes(vec![0x2a; length]),
        _ => Value::Text(usual_text(dialect, label, length)),
    }
}

/// A text of that length, or another one if the wire's limits do not allow it.
pub(crate) fn usual_text(dialect: &Dialect, field: &str, length: usize) -> String {
    let text = "a".repeat(length);
    let like = dialect.service.field(field).and_then(|field| field.like.as_deref());
    let limit = dialect.limits.get(field).or_else(|| dialect.limits.get(like?));
    let samples = [text.clone(), "alice".into(), "a".into(), "abc".into(), "ab!".into(), "a1".into()];
    let allowed = samples.into_iter().find(|text| limit.is_none_or(|limit| limit.allows(text)));
    allowed.unwrap_or(text)
}

/// The names whose values are written in a way that cannot be read back.
pub(crate) fn hashes(message: &Message) -> Vec<&str> {
    let mut names = Vec::new();
    one_way(&message.shape.parts, &mut |slot| names.push(message.shape.labels[slot].text.as_str()));
    names
}

/// Whether a slot is one that all messages share.
fn shape_of_frame(shape: &Shape, slot: usize, dialect: &Dialect) -> bool {
    let label = &shape.labels[slot];
    // An answer may name a number of the request's frame, wherever it stands.
    label.name == Name::Own
        && (dialect.say.position(&label.text).is_some() || dialect.hear.shape.labels.get(slot) == Some(label))
        && dialect.service.field(&shape.labels[slot].text).is_none()
}

/// The range of each number, and whether it is computed.
fn ranges(parts: &[Part], found: &mut BTreeMap<usize, (bool, u64, u64)>) {
    for part in parts {
        match part {
            Part::Number(number) => {
                let computed = !matches!(number.rule, Rule::Open);
                found.insert(number.slot, (computed, number.least, number.most));
            }
            Part::Bits(fields) => fields.iter().for_each(|(_, number)| {
                found.insert(number.slot, (!matches!(number.rule, Rule::Open), number.least, number.most));
            }),
            Part::Region(region) => ranges(&region.parts, found),
            Part::Either(rows) => rows.iter().for_each(|row| ranges(row, found)),
            Part::Json(json) => json.json.numbers(&mut |slot, bounds| {
                found.insert(slot, bounds);
            }),
            _ => {}
        }
    }
}

impl Message {
    /// How many bytes a value has, where it is always as many.
    pub(crate) fn fixed_bytes(&self, name: &str) -> Option<usize> {
        let size = fixed_size(&self.shape.parts, self.shape.position(name)?)?;
        usize::try_from(size).ok()
    }
}

/// Tells of each slot that is written in a way that cannot be read back.
pub(crate) fn one_way(parts: &[Part], found: &mut dyn FnMut(usize)) {
    for part in parts {
        match part {
            Part::Text(text) if text.filter == Some(Filter::Sha256Hex) => found(text.slot),
            Part::Region(region) => one_way(&region.parts, found),
            Part::Either(rows) => rows.iter().for_each(|row| one_way(row, found)),
            Part::Json(json) => json.json.one_way(found),
            _ => {}
        }
    }
}

/// How many bytes a value has that is always as long.
fn fixed_size(parts: &[Part], slot: usize) -> Option<u64> {
    parts.iter().find_map(|part| match part {
        Part::Text(text) if text.slot == slot => match text.size {
            Size::Fixed(digits) if text.class == Class::Hex => Some(digits / 2),
            Size::Fixed(length) if text.padded.is_none() => Some(length),
            _ => None,
        },
        Part::Region(region) => fixed_size(&region.parts, slot),
        Part::Either(rows) => rows.iter().find_map(|row| fixed_size(row, slot)),
        _ => None,
    })
}

/// The most bytes that a value has room for.
fn room(parts: &[Part], slot: usize) -> Option<u64> {
    parts.iter().find_map(|part| match part {
        Part::Text(text) if text.slot == slot => match &text.size {
            Size::Fixed(length) => Some(*length),
            Size::Prefix(form) => Some(form.most()),
            _ => None,
        },
        Part::Region(region) => room(&region.parts, slot),
        Part::Either(rows) => rows.iter().find_map(|row| room(row, slot)),
        _ => None,
    })
}
