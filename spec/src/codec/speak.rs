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
    speak_frame(frame, message, slots, request, fresh, said, out).map_err(|unspeakable| {
        out.truncate(start);
        *unspeakable
    })
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
) -> Result<(), Box<Unspeakable>> {
    let start = out.len();
    out.extend_from_slice(&message.form.before);
    speak_plan(&message.body, slots, out)?;
    let behind = out.len();
    if !message.form.behind.is_empty() {
        out.extend_from_slice(&message.form.behind);
    }
    *said = message.form.numbers;
    for blank in &message.form.blanks {
        let (number, label) = (&blank.number, || &frame.labels[blank.field]);
        let value = if let Rule::FrameLength { plus } = number.rule {
            ((out.len() - start) as u64).wrapping_add_signed(plus)
        } else if number.rule == Rule::Fresh {
            fresh & number.int.most()
        } else {
            echo(number, request).ok_or_else(|| missing(label()))?
        };
        if !number.fits(value) {
            return Err(out_of_range(value, number, label()));
        }
        said.set(blank.field, value);
        overwrite_int(out, if blank.behind { behind } else { start } + blank.offset, number.int, value);
    }
    Ok(())
}

/// What an answer repeats of its request.
fn echo(number: &Number, request: &[u64]) -> Option<u64> {
    let Rule::Echo { field, plus } = number.rule else { return None };
    request.get(field).map(|asked| asked.wrapping_add_signed(plus))
}

#[inline]
fn speak_plan(plan: &Plan, slots: &Slots<'_>, out: &mut Vec<u8>) -> Result<(), Box<Unspeakable>> {
    assert_eq!(plan.parts.len(), slots.values.len(), "slots are made for the message that is said");
    for (index, (part, value)) in plan.parts.iter().zip(&slots.values).enumerate() {
        let label = move || &plan.labels[index];
        if let (Part::List { size, item, .. }, Slot::List { start, count, width }) = (part, value) {
            let rows = &slots.rows[*start as usize..(start + count * width) as usize];
            speak_list(*size, *count, item, rows, label(), out)?;
        } else {
            speak_leaf(part, value, label, out)?;
        }
    }
    Ok(())
}

#[inline(never)]
fn speak_list(
    size: Size,
    count: u32,
    item: &Plan,
    rows: &[Slot<'_>],
    label: &Label,
    out: &mut Vec<u8>,
) -> Result<(), Box<Unspeakable>> {
    write_size(out, size, count as usize, "items", || label)?;
    for row in rows.chunks(item.parts.len().max(1)) {
        for ((part, label), value) in item.parts.iter().zip(&item.labels).zip(row) {
            speak_leaf(part, value, || label, out)?;
        }
    }
    Ok(())
}

/// Says anything but a list.
#[inline(always)]
fn speak_leaf<'p>(
    part: &Part,
    value: &Slot<'_>,
    label: impl Fn() -> &'p Label,
    out: &mut Vec<u8>,
) -> Result<(), Box<Unspeakable>> {
    if let (Part::Bytes { size, .. }, Slot::Bytes(bytes)) = (part, value) {
        write_size(out, *size, bytes.len(), "bytes", label)?;
        out.extend_from_slice(bytes);
    } else if let Part::Int(number) = part {
        let value = match (number.rule, value) {
            (Rule::Is(fixed), _) | (Rule::Usually(fixed), Slot::Empty) => fixed,
            (_, Slot::Int(value)) => *value,
            (_, Slot::Empty) => return Err(missing(label())),
            _ => return Err(of_another_kind(label())),
        };
        if !number.fits(value) || !write_int(out, number.int, value) {
            return Err(out_of_range(value, number, label()));
        }
    } else if *value != Slot::Empty {
        return Err(of_another_kind(label()));
    } else if label().named {
        return Err(missing(label()));
    } else {
        // Padding: what has no name says nothing, in as many bytes as it takes.
        out.resize(out.len() + part.least_bytes(), 0);
    }
    Ok(())
}

/// Made out of the way of what can be said, which is why it is boxed.
#[cold]
fn unspeakable(label: &Label, why: impl Into<String>) -> Box<Unspeakable> {
    Box::new(Unspeakable { field: label.text.clone(), why: why.into() })
}

#[cold]
fn missing(label: &Label) -> Box<Unspeakable> {
    unspeakable(label, "has no value")
}

#[cold]
fn of_another_kind(label: &Label) -> Box<Unspeakable> {
    unspeakable(label, "is of another kind")
}

#[cold]
fn out_of_range(value: u64, number: &Number, label: &Label) -> Box<Unspeakable> {
    unspeakable(label, format!("would be {value}; this wire carries {} to {}", number.least, number.most))
}

#[cold]
fn of_another_size(length: u64, of: &str, most: impl fmt::Display, label: &Label) -> Box<Unspeakable> {
    unspeakable(label, format!("has {length} {of}; this wire {most}"))
}

/// Writes the size that stands before bytes or items, or checks the one that is fixed.
#[inline(always)]
fn write_size<'p>(
    out: &mut Vec<u8>,
    size: Size,
    length: usize,
    of: &str,
    label: impl Fn() -> &'p Label,
) -> Result<(), Box<Unspeakable>> {
    let length = length as u64;
    match size {
        Size::Prefix(int) if !write_int(out, int, length) => {
            Err(of_another_size(length, of, format_args!("carries at most {}", int.most()), label()))
        }
        Size::Fixed(fixed) if length != fixed => Err(of_another_size(length, of, format_args!("has {fixed}"), label())),
        _ => Ok(()),
    }
}

/// Writes a number, those of usual widths at once. False: it is too large, and nothing was written.
#[inline(always)]
fn write_int(out: &mut Vec<u8>, int: Int, value: u64) -> bool {
    match (int.width, int.little) {
        (1, _) => u8::try_from(value).map(|value| out.push(value)).is_ok(),
        (2, false) => u16::try_from(value).map(|value| out.extend_from_slice(&value.to_be_bytes())).is_ok(),
        (4, false) => u32::try_from(value).map(|value| out.extend_from_slice(&value.to_be_bytes())).is_ok(),
        _ => write_unusual(out, int, value),
    }
}

#[inline(never)]
fn write_unusual(out: &mut Vec<u8>, int: Int, value: u64) -> bool {
    match int.little {
        _ if value > int.most() => return false,
        false => out.extend_from_slice(&value.to_be_bytes()[8 - int.bytes()..]),
        true => out.extend_from_slice(&value.to_le_bytes()[..int.bytes()]),
    }
    true
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
