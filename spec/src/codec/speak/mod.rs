//! Slots into bytes: the one function that speaks.
//!
//! Numbers that measure other parts are written when those are there: into blanks of their own width, or, where their
//! own length depends on their value, by saying the message again with what was measured.

mod part;
pub(crate) mod write;

use std::fmt;

use smallvec::SmallVec;

use crate::codec::field::Measure;
use crate::codec::measured::taken;
use crate::codec::plan::{Form, Label, Message, Number, Of, Part, Rule, Shape};
use crate::codec::slots::{Base, Slot, Slots};
use crate::codec::speak::write::overwrite_int;

/// Why a message cannot be said on this wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unspeakable {
    /// The field that cannot be said.
    pub field: String,
    /// What is wrong with its value.
    pub why: String,
}

impl Unspeakable {
    /// Whether nobody gave the field a value.
    pub(crate) fn is_missing(&self) -> bool {
        self.why == NO_VALUE
    }
}

impl fmt::Display for Unspeakable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field `{}` {}", self.field, self.why)
    }
}

impl std::error::Error for Unspeakable {}

/// What a speaker knows beside the slots.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Occasion<'m> {
    /// The number for fields that are new each time.
    pub(crate) fresh: u64,
    /// Milliseconds since 1970.
    pub(crate) now: u64,
    /// Who acts.
    pub(crate) me: Option<&'m str>,
    /// What the request's frame said, by slot.
    pub(crate) request: &'m [u64],
    /// The slots of the request's frame, by name.
    pub(crate) request_labels: &'m [Label],
}

const NO_VALUE: &str = "has no value";

/// Says a message again at most so often until what it measures of itself stays the same.
const AGAIN: usize = 4;

/// Appends a whole message to `out`. On an error `out` is as before. What the numbers of the frame were is in `said`.
pub(crate) fn speak(
    message: &Message,
    slots: &Slots<'_>,
    occasion: &Occasion<'_>,
    said: &mut [u64],
    out: &mut Vec<u8>,
) -> Result<(), Unspeakable> {
    let start = out.len();
    let mut speaker = Speaker {
        shape: &message.shape,
        slots,
        occasion,
        start,
        marks: SmallVec::new(),
        measured: SmallVec::new(),
        said,
    };
    speaker.message(message, out).map_err(|why| {
        out.truncate(start);
        *why
    })
}

/// Appends a shape without measures: a text inside something else.
pub(crate) fn speak_text(
    shape: &Shape,
    slots: &Slots<'_>,
    occasion: &Occasion<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Box<Unspeakable>> {
    let start = out.len();
    let mut speaker =
        Speaker { shape, slots, occasion, start, marks: SmallVec::new(), measured: SmallVec::new(), said: &mut [] };
    speaker.parts(&shape.parts, Base::Message, out)
}

struct Speaker<'p, 'v, 's, 'o> {
    shape: &'p Shape,
    slots: &'s Slots<'v>,
    occasion: &'o Occasion<'o>,
    start: usize,
    /// Where the parts of marked slots begin and end.
    marks: SmallVec<[(usize, usize, usize); 4]>,
    /// What numbers measured, by slot, when the message was said before.
    measured: SmallVec<[(usize, u64); 2]>,
    said: &'o mut [u64],
}

impl<'p> Speaker<'p, '_, '_, '_> {
    #[inline]
    fn message(&mut self, message: &'p Message, out: &mut Vec<u8>) -> Result<(), Box<Unspeakable>> {
        self.parts(&message.shape.parts, Base::Message, out)?;
        if message.measures.is_empty() {
            return Ok(());
        }
        for _ in 0..AGAIN {
            let mut same = true;
            for number in &message.measures {
                let measured = self.measure(number, out);
                if !number.fits(measured) {
                    return Err(out_of_range(measured, number, &self.shape.labels[number.slot]));
                }
                if let Some(said) = self.said.get_mut(number.slot) {
                    *said = measured;
                }
                if let (true, Form::Int(int)) = (message.patches, &number.form) {
                    let at = self.marks.iter().find(|(slot, ..)| *slot == number.slot).map_or(0, |(_, from, _)| *from);
                    overwrite_int(out, at, *int, measured);
                    continue;
                }
                match self.measured.iter_mut().find(|(slot, _)| *slot == number.slot) {
                    Some((_, known)) if *known == measured => {}
                    Some((_, known)) => (*known, same) = (measured, false),
                    None => {
                        self.measured.push((number.slot, measured));
                        same = false;
                    }
                }
            }
            if message.patches || same {
                return Ok(());
            }
            out.truncate(self.start);
            self.marks.clear();
            self.parts(&message.shape.parts, Base::Message, out)?;
        }
        let label = &self.shape.labels[message.measures[0].slot];
        Err(unspeakable(label, "measures itself, and never comes to an end"))
    }

    #[inline]
    fn parts(&mut self, parts: &'p [Part], base: Base, out: &mut Vec<u8>) -> Result<(), Box<Unspeakable>> {
        for part in parts {
            let from = out.len();
            let slot = match part {
                Part::Number(number) => {
                    self.number(number, base, out)?;
                    if number.plain {
                        continue;
                    }
                    number.slot
                }
                Part::Text(text) => {
                    self.text(text, base, out)?;
                    if text.plain {
                        continue;
                    }
                    text.slot
                }
                Part::Literal(bytes) => {
                    out.extend_from_slice(bytes);
                    continue;
                }
                Part::Region(region) => {
                    self.region(region, base, out)?;
                    region.slot
                }
                Part::List(list) => {
                    self.list(list, base, out)?;
                    list.slot
                }
                Part::Bits(fields) => {
                    self.bits(fields, base, out)?;
                    continue;
                }
                Part::Either(rows) => {
                    self.either(rows, base, out)?;
                    continue;
                }
                Part::Json(json) => {
                    let spoken = json.json.speak(&self.shape.labels, base, self.slots, self.occasion, out)?;
                    if !spoken && json.ends_itself() {
                        out.extend_from_slice(b"null");
                    }
                    json.slot
                }
            };
            if base == Base::Message && self.shape.labels[slot].marked {
                self.marks.push((slot, from, out.len()));
            }
        }
        Ok(())
    }

    fn measure(&self, number: &Number, out: &[u8]) -> u64 {
        let Rule::Measure { measure, of, plus } = &number.rule else { return 0 };
        let stretch = |slot: &usize| {
            let mark = self.marks.iter().find(|(marked, ..)| marked == slot);
            mark.map_or(&[][..], |(_, from, end)| &out[*from..*end])
        };
        let count = |slot: &usize| match self.slots.at(*slot) {
            Slot::List { count, .. } => u64::from(count),
            _ => 0,
        };
        let measured = match (measure, of) {
            (Measure::Count, Of::Slots(slots)) => slots.iter().map(count).sum(),
            (measure, Of::Slots(slots)) => taken(*measure, slots.iter().map(stretch)),
            (measure, Of::Frame) => taken(*measure, [&out[self.start..]].into_iter()),
        };
        measured.wrapping_add_signed(*plus)
    }
}

/// Made out of the way of what can be said, which is why it is boxed.
#[cold]
pub(crate) fn unspeakable(label: &Label, why: impl Into<String>) -> Box<Unspeakable> {
    Box::new(Unspeakable { field: label.text.clone(), why: why.into() })
}

#[cold]
pub(crate) fn missing(label: &Label) -> Box<Unspeakable> {
    unspeakable(label, NO_VALUE)
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
fn of_another_size(length: usize, of: &str, most: &str, label: &Label) -> Box<Unspeakable> {
    unspeakable(label, format!("has {length} {of}; this wire {most}"))
}
