//! Bytes into slots: the one function that listens.
//!
//! It asks for more, or takes a message, or says which field at which offset does not fit and why.
//! It reads no clock, panics on no input, and allocates at most one slot for each smallest possible list item.

use std::fmt;
use std::ops::Range;

use crate::codec::dialogue::Numbers;
use crate::codec::field::{Int, Size};
use crate::codec::plan::{Frame, Number, Part, Plan, Rule};
use crate::codec::slots::{Slot, Slots};

/// Why bytes are not the message they were tried against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The field that does not fit.
    pub field: String,
    /// Where it begins, in bytes from the start of the frame.
    pub offset: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The number is smaller than allowed.
    Below {
        /// What came.
        seen: u64,
        /// The smallest allowed.
        least: u64,
    },
    /// The number is larger than allowed.
    Above {
        /// What came.
        seen: u64,
        /// The largest allowed.
        most: u64,
    },
    /// Another number stands where one is fixed.
    Not {
        /// What came.
        seen: u64,
        /// What is fixed.
        expected: u64,
    },
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The frame ends inside the field.
    Truncated {
        /// Bytes or items that the field still needs.
        needed: u64,
        /// Bytes that are left.
        left: u64,
    },
    /// Bytes are left over behind the last field.
    Trailing {
        /// How many.
        left: u64,
    },
    /// The number names nothing that this dialect knows.
    Unknown {
        /// What came.
        seen: u64,
    },
    /// The value is right for the wire and wrong for the protocol.
    Limit(String),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field `{}` at offset {}: ", self.field, self.offset)?;
        match &self.reason {
            Reason::Below { seen, least } => write!(f, "{seen} is less than {least}"),
            Reason::Above { seen, most } => write!(f, "{seen} is more than {most}"),
            Reason::Not { seen, expected } => write!(f, "{seen} instead of {expected}"),
            Reason::NotUtf8 => write!(f, "not UTF-8"),
            Reason::Truncated { needed, left } => write!(f, "needs {needed} more bytes, the frame has {left}"),
            Reason::Trailing { left } => write!(f, "{left} bytes too many"),
            Reason::Unknown { seen } => write!(f, "{seen} is unknown"),
            Reason::Limit(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Unfit {}

/// What became of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Framed {
    /// It goes on: at least so many bytes are needed in all.
    More(usize),
    /// It takes so many bytes, and its open part is these of them.
    Taken(usize, Range<usize>),
    /// Its header does not fit, at this part. If its end is known nevertheless, so is its length.
    Unfit(usize, Box<Unfit>, Option<usize>),
}

/// Sees every part that was heard, for annotated bytes. The empty one costs nothing.
pub(crate) trait Trace {
    fn part(&mut self, _label: &str, _from: usize, _to: usize, _slot: Slot<'_>) {}
}
impl Trace for () {}

/// Finds a frame's end and reads its numbers; the open part is left as bytes.
#[inline(always)]
pub(crate) fn hear_frame<T: Trace>(frame: &Frame, bytes: &[u8], numbers: &mut Numbers, trace: &mut T) -> Framed {
    let at = match hear_numbers(frame, 0..frame.before, bytes, 0, numbers, trace) {
        Ok(at) => at,
        Err(framed) => return framed,
    };
    let end = frame.end(numbers).unwrap_or(at);
    if bytes.len() < end {
        return Framed::More(end);
    }
    let behind = end - frame.behind_bytes;
    if frame.behind_bytes > 0
        && let Err(framed) = hear_numbers(frame, frame.before..frame.numbers.len(), bytes, behind, numbers, trace)
    {
        return framed;
    }
    numbers.know(frame.numbers.len());
    Framed::Taken(end, at..behind)
}

/// Reads some of the frame's numbers from `at` on, and tells where they end.
#[inline(always)]
fn hear_numbers<T: Trace>(
    frame: &Frame,
    fields: Range<usize>,
    bytes: &[u8],
    mut at: usize,
    numbers: &mut Numbers,
    trace: &mut T,
) -> Result<usize, Framed> {
    let places = &mut numbers.places()[fields.clone()];
    for (index, (number, place)) in frame.numbers[fields.clone()].iter().zip(places).enumerate() {
        let Some(seen) = read_int(bytes, at, number.int) else { return Err(Framed::More(at + number.int.bytes())) };
        *place = seen;
        let end = at + number.int.bytes();
        if std::mem::size_of::<T>() > 0 {
            trace.part(&frame.labels[fields.start + index].text, at, end, Slot::Int(seen));
        }
        if !number.fits(seen) {
            return Err(hear_misfit(frame, fields.start + index, bytes, at, numbers, trace));
        }
        at = end;
    }
    Ok(at)
}

/// A number of the frame that does not fit. If it leaves the end of the frame known, the frame is heard nevertheless.
#[cold]
fn hear_misfit<T: Trace>(
    frame: &Frame,
    field: usize,
    bytes: &[u8],
    offset: usize,
    numbers: &mut Numbers,
    trace: &mut T,
) -> Framed {
    numbers.know(field + 1);
    let reason = why_not(numbers[field], &frame.numbers[field]);
    let unfit = unfit(offset, reason).of(&frame.labels[field].text);
    let closes = frame.refusals[field].as_ref().is_some_and(|refusal| refusal.close);
    let measured = frame.measured.filter(|measured| *measured < field && !closes);
    let Some(end) = measured.and_then(|_| frame.end(numbers)) else { return Framed::Unfit(field, unfit, None) };
    if bytes.len() < end {
        return Framed::More(end);
    }
    let mut at = offset + frame.numbers[field].int.bytes();
    for next in field + 1..frame.before {
        let int = frame.numbers[next].int;
        let Some(seen) = read_int(bytes, at, int) else { break };
        numbers.set(next, seen);
        numbers.know(next + 1);
        trace.part(&frame.labels[next].text, at, at + int.bytes(), Slot::Int(seen));
        at += int.bytes();
    }
    Framed::Unfit(field, unfit, Some(end))
}

/// Reads a row of parts, which must fill `bytes` from `from` to the end, into the slots.
#[inline(always)]
pub(crate) fn hear_plan<'a, T: Trace>(
    plan: &Plan,
    bytes: &'a [u8],
    from: usize,
    slots: &mut Slots<'a>,
    trace: &mut T,
) -> Result<(), Box<Unfit>> {
    slots.clear();
    let mut reader = Reader { bytes, at: from };
    for (index, part) in plan.parts.iter().enumerate() {
        let label = move || plan.labels[index].text.as_str();
        let began = reader.at;
        if let Part::List { size, item, single } = part {
            let list;
            (list, reader) = reader.list(*size, item, *single, label(), &mut slots.rows, trace)?;
            slots.values.push(list);
            continue;
        }
        let value = match reader.leaf(part) {
            Ok(value) => value,
            Err(unfit) => return Err(unfit.of(label())),
        };
        slots.values.push(value);
        if std::mem::size_of::<T>() > 0 {
            trace.part(label(), began, reader.at, value);
        }
    }
    match reader.left() {
        0 => Ok(()),
        left => Err(unfit(reader.at, Reason::Trailing { left }).of("end")),
    }
}

/// What does not fit, of a field whose name is still to be told; made out of the way of what fits, and so in a box.
#[cold]
#[inline(never)]
fn unfit(offset: usize, reason: Reason) -> Box<Unfit> {
    Box::new(Unfit { field: String::new(), offset, reason })
}

#[cold]
#[inline(never)]
fn truncated(offset: usize, needed: u64, left: u64) -> Box<Unfit> {
    unfit(offset, Reason::Truncated { needed, left })
}

impl Unfit {
    #[cold]
    #[inline(never)]
    fn of(mut self: Box<Self>, field: &str) -> Box<Self> {
        field.clone_into(&mut self.field);
        self
    }
}

/// Bytes, and how far they are read. It is passed by value, so that it need not lie in memory.
#[derive(Clone, Copy)]
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Anything but a list.
    #[inline(always)]
    fn leaf(&mut self, part: &Part) -> Result<Slot<'a>, Box<Unfit>> {
        let offset = self.at;
        match part {
            Part::Bytes { size, utf8, sizes } => {
                let length = match size {
                    Size::Prefix(int) => self.int(*int)?,
                    Size::Fixed(n) => *n,
                    Size::Rest => self.left(),
                };
                let taken = self.take(length)?;
                if *utf8 && std::str::from_utf8(taken).is_err() {
                    return Err(unfit(offset, Reason::NotUtf8));
                }
                if !sizes.is_empty() && !sizes.contains(&length) {
                    return Err(unfit(offset, wrong_size(length, sizes)));
                }
                Ok(Slot::Bytes(taken))
            }
            Part::Int(number) => {
                let seen = self.int(number.int)?;
                if !number.fits(seen) {
                    return Err(unfit(offset, why_not(seen, number)));
                }
                Ok(Slot::Int(seen))
            }
            Part::List { .. } => unreachable!("the compiler refuses lists inside lists"),
        }
    }

    /// A list, and what is left behind it.
    #[inline(never)]
    fn list<T: Trace>(
        mut self,
        size: Size,
        item: &Plan,
        single: bool,
        label: &str,
        rows: &mut Vec<Slot<'a>>,
        trace: &mut T,
    ) -> Result<(Slot<'a>, Self), Box<Unfit>> {
        let offset = self.at;
        let count = match size {
            Size::Fixed(n) => n,
            Size::Prefix(int) => self.int(int).map_err(|unfit| unfit.of(label))?,
            Size::Rest => u64::MAX,
        };
        trace.part(label, offset, self.at, Slot::Int(count));
        // A count that cannot be true must not make room for itself.
        let (left, least) = (self.left(), item.least_bytes().max(1) as u64);
        if size != Size::Rest && count > left / least {
            return Err(truncated(offset, count.saturating_mul(least), left).of(label));
        }
        let (start, width) = (rows.len(), item.parts.len());
        let mut items = 0;
        while items < count && (size != Size::Rest || self.left() > 0) {
            for (part, inner) in item.parts.iter().zip(&item.labels) {
                let began = self.at;
                let name =
                    || if single { format!("{label}[{items}]") } else { format!("{label}[{items}].{}", inner.text) };
                let value = self.leaf(part).map_err(|unfit| unfit.of(&name()))?;
                rows.push(value);
                if std::mem::size_of::<T>() > 0 {
                    trace.part(&name(), began, self.at, value);
                }
            }
            items += 1;
        }
        Ok((Slot::List { start: start as u32, count: items as u32, width: width as u32 }, self))
    }

    #[inline(always)]
    fn left(self) -> u64 {
        (self.bytes.len() - self.at) as u64
    }

    #[inline(always)]
    fn int(&mut self, int: Int) -> Result<u64, Box<Unfit>> {
        match read_int(self.bytes, self.at, int) {
            Some(value) => {
                self.at += int.bytes();
                Ok(value)
            }
            None => Err(truncated(self.at, int.width.into(), self.left())),
        }
    }

    #[inline(always)]
    fn take(&mut self, length: u64) -> Result<&'a [u8], Box<Unfit>> {
        if length > self.left() {
            return Err(truncated(self.at, length, self.left()));
        }
        let taken = &self.bytes[self.at..][..length as usize];
        self.at += taken.len();
        Ok(taken)
    }
}

/// Reads a number: those of usual widths at once, the others byte by byte.
#[inline(always)]
pub(crate) fn read_int(bytes: &[u8], at: usize, int: Int) -> Option<u64> {
    let rest = bytes.get(at..)?;
    match (int.width, int.little) {
        (1, _) => rest.first().map(|byte| u64::from(*byte)),
        (2, false) => rest.first_chunk().map(|two| u16::from_be_bytes(*two).into()),
        (4, false) => rest.first_chunk().map(|four| u32::from_be_bytes(*four).into()),
        _ => read_unusual(rest, int),
    }
}

#[inline(never)]
fn read_unusual(rest: &[u8], int: Int) -> Option<u64> {
    let field = rest.get(..int.bytes())?;
    let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    Some(if int.little { field.iter().rev().fold(0, join) } else { field.iter().fold(0, join) })
}

/// Why a number that was seen does not fit.
#[cold]
fn why_not(seen: u64, number: &Number) -> Reason {
    match number.rule {
        Rule::Is(expected) => Reason::Not { seen, expected },
        _ if seen < number.least => Reason::Below { seen, least: number.least },
        _ => Reason::Above { seen, most: number.most },
    }
}

#[cold]
fn wrong_size(length: u64, possible: &[u64]) -> Reason {
    let possible: Vec<String> = possible.iter().map(u64::to_string).collect();
    Reason::Limit(format!("{length} bytes, where {} are possible", possible.join(" or ")))
}
