//! Slots into bytes: the one function that speaks.

use std::fmt;

use crate::codec::dialogue::Dialogue;
use crate::codec::field::{Int, Size};
use crate::codec::plan::{Frame, Message, NO_SLOT, Part, Plan, Rule};
use crate::codec::slots::{Slot, Slots};

/// Why a message cannot be said on this wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unspeakable {
    /// The field that cannot be said.
    pub field: String,
    /// What is wrong with its value.
    pub why: String,
}

impl fmt::Display for Unspeakable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field `{}` {}", self.field, self.why)
    }
}

impl std::error::Error for Unspeakable {}

/// Appends a whole message to `out`. On an error `out` is as before.
///
/// `fresh` is the number for fields that are new each time; what the frame says is remembered in `dialogue`.
pub(crate) fn speak(
    frame: &Frame,
    message: &Message,
    slots: &Slots<'_>,
    dialogue: &mut Dialogue,
    fresh: u64,
    out: &mut Vec<u8>,
) -> Result<(), Unspeakable> {
    let start = out.len();
    let result = speak_frame(frame, message, slots, dialogue, fresh, out);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn speak_frame(
    frame: &Frame,
    message: &Message,
    slots: &Slots<'_>,
    dialogue: &mut Dialogue,
    fresh: u64,
    out: &mut Vec<u8>,
) -> Result<(), Unspeakable> {
    let start = out.len();
    let mut measured = None;
    for (index, part) in frame.plan.parts.iter().enumerate() {
        let label = &frame.plan.labels[index];
        let Part::Int { slot, int, least, most, rule } = part else {
            speak_plan(&message.body, slots, out)?;
            continue;
        };
        let value = match (message.narrowed_to(index), rule) {
            (Some(number), _) => number,
            (None, Rule::Is(number) | Rule::Usually(number)) => *number,
            (None, Rule::Fresh) => slots.int(*slot).unwrap_or(fresh & int.most()),
            (None, Rule::FrameLength { plus }) => {
                measured = Some((out.len(), *int, *plus, index, *least, *most));
                0
            }
            (None, Rule::Sum { slot, plus }) => {
                let base = dialogue.int(*slot).ok_or_else(|| missing(label))?;
                (base as i64 + plus) as u64
            }
            (None, Rule::Open) => slots.int(*slot).or_else(|| dialogue.int(*slot)).ok_or_else(|| missing(label))?,
        };
        if !matches!(rule, Rule::FrameLength { .. }) {
            in_range(value, *least, (*most).min(int.most()), label)?;
        }
        if *slot != NO_SLOT && !matches!(rule, Rule::FrameLength { .. } | Rule::Is(_)) {
            dialogue.remember(*slot, value);
        }
        write_int(out, *int, value);
    }
    if let Some((at, int, plus, index, least, most)) = measured {
        let length = (out.len() - start) as i64 + plus;
        in_range(length as u64, least, most.min(int.most()), &frame.plan.labels[index])?;
        let mut bytes = Vec::with_capacity(8);
        write_int(&mut bytes, int, length as u64);
        out[at..at + bytes.len()].copy_from_slice(&bytes);
    }
    Ok(())
}

fn speak_plan(plan: &Plan, slots: &Slots<'_>, out: &mut Vec<u8>) -> Result<(), Unspeakable> {
    for (part, label) in plan.parts.iter().zip(&plan.labels) {
        let value = if part.slot() == NO_SLOT { Slot::Empty } else { slots.at(part.slot()) };
        speak_part(part, value, label, slots, out)?;
    }
    Ok(())
}

fn speak_part(
    part: &Part,
    value: Slot<'_>,
    label: &str,
    slots: &Slots<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Unspeakable> {
    match (part, value) {
        (Part::Int { int, least, most, rule, .. }, value) => {
            let number = match (rule, value) {
                (Rule::Is(number), _) => *number,
                (_, Slot::Int(number)) => number,
                (Rule::Usually(number), _) => *number,
                (_, Slot::Empty) => return Err(missing(label)),
                _ => return Err(Unspeakable { field: label.to_owned(), why: "is not a number".into() }),
            };
            in_range(number, *least, (*most).min(int.most()), label)?;
            write_int(out, *int, number);
        }
        (Part::Bytes { size, .. }, Slot::Bytes(bytes)) => {
            match size {
                Size::Prefix(int) => write_size(out, *int, bytes.len(), label)?,
                Size::Fixed(n) if *n != bytes.len() as u64 => {
                    let why = format!("has {} bytes; this wire has {n}", bytes.len());
                    return Err(Unspeakable { field: label.to_owned(), why });
                }
                Size::Fixed(_) | Size::Rest => {}
            }
            out.extend_from_slice(bytes);
        }
        (Part::List { size, item, .. }, Slot::List { start, count, width }) => {
            if let Size::Prefix(int) = size {
                write_size(out, *int, count as usize, label)?;
            }
            for index in 0..count {
                let first = (start + index * width) as usize;
                for (part, name) in item.plan.parts.iter().zip(&item.plan.labels) {
                    let value = match part.slot() {
                        NO_SLOT => Slot::Empty,
                        slot => slots.rows[first + usize::from(slot)],
                    };
                    speak_part(part, value, name, slots, out)?;
                }
            }
        }
        (_, Slot::Empty) => return Err(missing(label)),
        _ => return Err(Unspeakable { field: label.to_owned(), why: "is of another kind".into() }),
    }
    Ok(())
}

fn missing(label: &str) -> Unspeakable {
    Unspeakable { field: label.to_owned(), why: "has no value".into() }
}

fn in_range(value: u64, least: u64, most: u64, label: &str) -> Result<(), Unspeakable> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Unspeakable { field: label.to_owned(), why: format!("would be {value}; this wire carries {least} to {most}") })
}

fn write_size(out: &mut Vec<u8>, int: Int, length: usize, label: &str) -> Result<(), Unspeakable> {
    if length as u64 > int.most() {
        let why = format!("has {length} bytes or items; this wire carries at most {}", int.most());
        return Err(Unspeakable { field: label.to_owned(), why });
    }
    write_int(out, int, length as u64);
    Ok(())
}

#[inline]
fn write_int(out: &mut Vec<u8>, int: Int, value: u64) {
    let width = usize::from(int.width);
    if int.little {
        out.extend_from_slice(&value.to_le_bytes()[..width]);
    } else {
        out.extend_from_slice(&value.to_be_bytes()[8 - width..]);
    }
}
