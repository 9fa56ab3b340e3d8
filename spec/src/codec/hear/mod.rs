//! Bytes into slots: the one function that listens. `number`, `text` and `list` are the kinds of parts.
//!
//! It asks for more, or takes a message, or says which field at which offset does not fit and why. Where a text ends
//! at a delimiter, every place of the delimiter is tried in turn. It reads no clock, panics on no input, and
//! allocates at most one slot for each smallest possible list item.

mod list;
mod number;
mod text;

use smallvec::SmallVec;

use crate::codec::field::Measure;
use crate::codec::measured::taken;
use crate::codec::plan::{End, List, Message, Number, Of, Part, Rule, Shape, Size};
use crate::codec::slots::{Base, Slot, Slots};
use crate::codec::unfit::{Reason, Unfit, unfit};
use crate::value::Value;

/// How many bytes may be looked at for one message, beside so many for each of its own: where a text ends is tried
/// again and again, and honest messages need a few tries.
const WORK: usize = 1 << 20;
const WORK_PER_BYTE: usize = 64;

/// Why nothing was taken.
#[derive(Debug)]
pub(crate) enum Miss {
    /// With more bytes it may fit: at least so many in all.
    More(usize),
    /// It does not fit, whatever comes.
    No(Box<Unfit>),
}

pub(crate) use number::read_int;

type Taken = Result<usize, Miss>;

/// Sees every part that was heard, for annotated bytes. The empty one costs nothing.
pub(crate) trait Trace {
    /// Whether anybody looks.
    const LOOKS: bool = false;
    /// A part, from one offset to another.
    fn part(&mut self, _label: &str, _from: usize, _to: usize, _seen: Seen<'_>) {}
    /// How many parts were seen.
    fn seen(&self) -> usize {
        0
    }
    /// Forgets all parts beyond so many: they were only tried.
    fn forget(&mut self, _seen: usize) {}
}
impl Trace for () {}

/// What a part holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seen<'s> {
    Nothing,
    Int(u64),
    Bytes(&'s [u8]),
}

/// What is known before a message is heard, by slot: values that must come back as they were said.
pub(crate) type Expected = [Option<Value>];

/// Hears a shape from the front of `bytes`. `complete`: nothing more will come, so what is open ends here.
#[inline(always)]
pub(crate) fn hear_shape<'a, T: Trace>(
    shape: &Shape,
    measures: &[Number],
    bytes: &'a [u8],
    complete: bool,
    expected: &Expected,
    slots: &mut Slots<'a>,
    trace: &mut T,
) -> Taken {
    slots.clear(shape.labels.len());
    let marks = SmallVec::new();
    let mut listener = Listener {
        shape,
        bytes,
        complete,
        limit: None,
        expected,
        slots,
        marks,
        item: None,
        work: WORK + WORK_PER_BYTE.saturating_mul(bytes.len()),
        trace,
    };
    let end = listener.parts(&shape.parts, 0, Base::Message)?;
    if !measures.is_empty() {
        listener.held_against(measures, end)?;
    }
    match listener.limit {
        Some(limit) if end < limit => Err(listener.no("end", end, Reason::Trailing { left: (limit - end) as u64 })),
        _ => Ok(end),
    }
}

/// As `hear_shape`, for a message.
#[inline(always)]
pub(crate) fn hear_message<'a, T: Trace>(
    message: &Message,
    bytes: &'a [u8],
    complete: bool,
    expected: &Expected,
    slots: &mut Slots<'a>,
    trace: &mut T,
) -> Taken {
    hear_shape(&message.shape, &message.checks, bytes, complete, expected, slots, trace)
}

struct Listener<'p, 'a, 's, T> {
    shape: &'p Shape,
    bytes: &'a [u8],
    complete: bool,
    /// Where that ends what is heard now, if it is known.
    limit: Option<usize>,
    expected: &'p Expected,
    slots: &'s mut Slots<'a>,
    /// Where the parts of marked slots begin and end.
    marks: SmallVec<[(usize, usize, usize); 4]>,
    /// The list whose item is heard, and the number of the item.
    item: Option<(&'p List, usize)>,
    /// Bytes that may still be looked at for the ends of texts.
    work: usize,
    trace: &'s mut T,
}

impl<'p, 'a, T: Trace> Listener<'p, 'a, '_, T> {
    #[inline]
    fn parts(&mut self, parts: &'p [Part], mut at: usize, base: Base) -> Taken {
        for (index, part) in parts.iter().enumerate() {
            at = match part {
                Part::Number(number) => self.number(number, at, base)?,
                Part::Text(text) => match &text.size {
                    Size::Rest(End::Before { ends, or_end }) => {
                        return self.delimited(text, (ends, *or_end), &parts[index + 1..], at, base);
                    }
                    _ => self.text(text, at, base)?,
                },
                Part::Literal(literal) => self.literal(literal, at)?,
                Part::Region(region) => self.region(region, at, base)?,
                Part::List(list) => self.list(list, at, base)?,
                Part::Bits(fields) => self.bits(fields, at, base)?,
                Part::Json(json) => self.json(json, at, base)?,
                Part::Either(rows) => return self.either(rows, &parts[index + 1..], at, base),
            };
        }
        Ok(at)
    }

    #[inline(always)]
    fn mark(&mut self, slot: usize, from: usize, end: usize) {
        if self.shape.labels[slot].marked {
            self.marks.push((slot, from, end));
        }
    }

    /// Numbers that measure parts must be right.
    fn held_against(&self, measures: &[Number], end: usize) -> Result<(), Miss> {
        for number in measures {
            let Rule::Measure { measure, of, plus } = &number.rule else { continue };
            let Some(seen) = self.slots.int(number.slot) else { continue };
            let stretch = |slot: &usize| {
                let mark = self.marks.iter().rev().find(|(marked, ..)| marked == slot);
                mark.map_or(&[][..], |(_, from, end)| &self.bytes[*from..*end])
            };
            let count = |slot: &usize| match self.slots.at(*slot) {
                Slot::List { count, .. } => u64::from(count),
                _ => 0,
            };
            let measured = match (measure, of) {
                (Measure::Count, Of::Slots(slots)) => slots.iter().map(count).sum(),
                (measure, Of::Slots(slots)) => taken(*measure, slots.iter().map(stretch)),
                (measure, Of::Frame) => taken(*measure, [&self.bytes[..end]].into_iter()),
            };
            let expected = measured.wrapping_add_signed(*plus);
            if seen != expected {
                let from =
                    self.marks.iter().find(|(marked, ..)| *marked == number.slot).map_or(0, |(_, from, _)| *from);
                return Err(self.no_slot(number.slot, from, Reason::Not { seen, expected }));
            }
        }
        Ok(())
    }

    /// The end of what is heard now, if anything tells it.
    #[inline(always)]
    fn outer(&self) -> Option<usize> {
        self.limit.or(self.complete.then_some(self.bytes.len()))
    }

    /// Where a run of bytes ends.
    fn run(&self, at: usize, may_stand: impl Fn(u8) -> bool) -> usize {
        let until = self.outer().unwrap_or(self.bytes.len()).min(self.bytes.len());
        at + self.bytes[at..until.max(at)].iter().take_while(|byte| may_stand(**byte)).count()
    }

    /// A run that reaches the end of what came may go on.
    fn settled(&self, end: usize) -> Result<(), Miss> {
        if end == self.bytes.len() && self.outer().is_none_or(|outer| outer > end) {
            return Err(Miss::More(end + 1));
        }
        Ok(())
    }

    /// Bytes are missing: of a stretch whose end is known for good, of others not yet.
    #[cold]
    fn short(&self, slot: usize, from: usize, needed: usize) -> Miss {
        let end = from.saturating_add(needed);
        match self.outer() {
            Some(outer) if outer < end => {
                let left = outer.saturating_sub(from) as u64;
                self.no_slot(slot, from, Reason::Truncated { needed: needed as u64, left })
            }
            Some(outer) => Miss::More(outer),
            None => Miss::More(end),
        }
    }

    /// The name of a slot of what is heard now.
    fn name(&self, slot: usize) -> String {
        match self.item {
            Some((list, index)) => {
                let outer = self.shape.labels.get(list.slot).map_or("", |label| label.text.as_str());
                match list.item.labels.get(slot) {
                    Some(inner) if !list.single => format!("{outer}[{index}].{}", inner.text),
                    _ => format!("{outer}[{index}]"),
                }
            }
            None => self.shape.labels.get(slot).map_or(String::new(), |label| label.text.clone()),
        }
    }

    #[cold]
    fn no_slot(&self, slot: usize, offset: usize, reason: Reason) -> Miss {
        self.no(self.name(slot), offset, reason)
    }

    #[cold]
    fn no(&self, field: impl Into<String>, offset: usize, reason: Reason) -> Miss {
        Miss::No(unfit(field, offset, reason))
    }
}
