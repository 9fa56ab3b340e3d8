//! Slots into bytes: the one function that speaks.

use std::fmt;

use crate::codec::dialogue::Numbers;
use crate::codec::field::{Int, Size};
use crate::codec::plan::{Frame, Label, Message, Number, Part, Plan, Rule};
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
/// An answer echoes the numbers of the `request` that it answers; a request has none. `fresh` is the number for fields
/// that are new each time. What the frame says is `said` afterwards.
pub(crate) fn speak(
    frame: &Frame,
    message: &Message,
    slots: &Slots<'_>,
    request: &[u64],
    fresh: u64,
    said: &mut Numbers,
    out: &mut Vec<u8>,
) -> Result<(), Unspeakable> {
    let start = out.len();
    let result = speak_frame(frame, message, slots, request, fresh, said, out);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

#[inline]
fn speak_frame(
    frame: &Frame,
    message: &Message,
    slots: &Slots<'_>,
    request: &[u64],
    fresh: u64,
    said: &mut Numbers,
    out: &mut Vec<u8>,
) -> Result<(), Unspeakable> {
    let start = out.len();
    out.extend_from_slice(&message.form.before);
    speak_plan(&message.body, slots, out)?;
    let behind = out.len();
    out.extend_from_slice(&message.form.behind);
    *said = message.form.numbers;
    for blank in &message.form.blanks {
        let (number, label) = (&message.frame[blank.field], &frame.labels[blank.field]);
        let value = match number.rule {
            Rule::Is(value) | Rule::Usually(value) => value,
            Rule::Fresh => fresh & number.int.most(),
            Rule::FrameLength { plus } => ((out.len() - start) as u64).wrapping_add_signed(plus),
            Rule::Echo { field, plus } => match request.get(field) {
                Some(asked) => asked.wrapping_add_signed(plus),
                None => return Err(missing(label)),
            },
            Rule::Open => return Err(missing(label)),
        };
        if !number.fits(value) {
            return Err(out_of_range(value, number, label));
        }
        said.set(blank.field, value);
        overwrite_int(out, if blank.behind { behind } else { start } + blank.offset, number.int, value);
    }
    Ok(())
}

#[inline]
fn speak_plan(plan: &Plan, slots: &Slots<'_>, out: &mut Vec<u8>) -> Result<(), Unspeakable> {
    assert_eq!(plan.parts.len(), slots.values.len(), "slots are made for the message that is said");
    for ((part, label), value) in plan.parts.iter().zip(&plan.labels).zip(&slots.values) {
        match (part, value) {
            (Part::List { size, item, .. }, Slot::List { start, count, width }) => {
                write_size(out, *size, *count as usize, "items", label)?;
                let rows = &slots.rows[*start as usize..(start + count * width) as usize];
                speak_rows(item, rows, out)?;
            }
            _ => speak_leaf(part, value, label, out)?,
        }
    }
    Ok(())
}

fn speak_rows(item: &Plan, rows: &[Slot<'_>], out: &mut Vec<u8>) -> Result<(), Unspeakable> {
    for row in rows.chunks(item.parts.len().max(1)) {
        for ((part, label), value) in item.parts.iter().zip(&item.labels).zip(row) {
            speak_leaf(part, value, label, out)?;
        }
    }
    Ok(())
}

/// Says anything but a list.
#[inline(always)]
fn speak_leaf(part: &Part, value: &Slot<'_>, label: &Label, out: &mut Vec<u8>) -> Result<(), Unspeakable> {
    match (part, value) {
        (Part::Bytes { size, .. }, Slot::Bytes(bytes)) => {
            write_size(out, *size, bytes.len(), "bytes", label)?;
            out.extend_from_slice(bytes);
        }
        (Part::Int(number), value) => {
            let value = match (number.rule, value) {
                (Rule::Is(fixed), _) | (Rule::Usually(fixed), Slot::Empty) => fixed,
                (_, Slot::Int(value)) => *value,
                (_, Slot::Empty) => return Err(missing(label)),
                _ => return Err(of_another_kind(label)),
            };
            if !number.fits(value) {
                return Err(out_of_range(value, number, label));
            }
            write_int(out, number.int, value);
        }
        // Padding: what has no name says nothing, in as many bytes as it takes.
        (_, Slot::Empty) if !label.named => out.resize(out.len() + part.least_bytes(), 0),
        (_, Slot::Empty) => return Err(missing(label)),
        _ => return Err(of_another_kind(label)),
    }
    Ok(())
}

#[cold]
fn unspeakable(label: &Label, why: impl Into<String>) -> Unspeakable {
    Unspeakable { field: label.text.clone(), why: why.into() }
}

#[cold]
fn missing(label: &Label) -> Unspeakable {
    unspeakable(label, "has no value")
}

#[cold]
fn of_another_kind(label: &Label) -> Unspeakable {
    unspeakable(label, "is of another kind")
}

#[cold]
fn out_of_range(value: u64, number: &Number, label: &Label) -> Unspeakable {
    unspeakable(label, format!("would be {value}; this wire carries {} to {}", number.least, number.most))
}

/// Writes the size that stands before bytes or items, or checks the one that is fixed.
#[inline(always)]
fn write_size(out: &mut Vec<u8>, size: Size, length: usize, of: &str, label: &Label) -> Result<(), Unspeakable> {
    let length = length as u64;
    match size {
        Size::Prefix(int) if length <= int.most() => write_int(out, int, length),
        Size::Prefix(int) => {
            return Err(unspeakable(label, format!("has {length} {of}; this wire carries at most {}", int.most())));
        }
        Size::Fixed(fixed) if length != fixed => {
            return Err(unspeakable(label, format!("has {length} {of}; this wire has {fixed}")));
        }
        Size::Fixed(_) | Size::Rest => {}
    }
    Ok(())
}

/// Writes a number of any width: eight bytes, of which the rest is taken back.
#[inline]
fn write_int(out: &mut Vec<u8>, int: Int, value: u64) {
    let end = out.len() + int.bytes();
    out.extend_from_slice(&match int.little {
        false => (value << (64 - 8 * u32::from(int.width))).to_be_bytes(),
        true => value.to_le_bytes(),
    });
    out.truncate(end);
}

/// Writes a number over one of the same width.
#[inline]
pub(crate) fn overwrite_int(out: &mut [u8], at: usize, int: Int, value: u64) {
    let field = &mut out[at..at + int.bytes()];
    match (field, int.little) {
        ([byte], _) => *byte = value as u8,
        ([a, b], false) => [*a, *b] = (value as u16).to_be_bytes(),
        ([a, b, c, d], false) => [*a, *b, *c, *d] = (value as u32).to_be_bytes(),
        (field, false) => field.copy_from_slice(&value.to_be_bytes()[8 - field.len()..]),
        (field, true) => field.copy_from_slice(&value.to_le_bytes()[..field.len()]),
    }
}
