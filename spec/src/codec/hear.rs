//! Bytes into slots: the one function that listens.
//!
//! It asks for more, or takes a message, or says which field at which offset does not fit and why.
//! It reads no clock, panics on no input, and allocates at most one slot for each smallest possible list item.

use std::fmt;
use std::ops::Range;

use crate::codec::field::{Int, Size};
use crate::codec::plan::{Frame, Item, NO_SLOT, Part, Plan, Rule};
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
    Unfit(usize, Unfit, Option<usize>),
}

/// Sees every part that was heard, for annotated bytes. The empty one costs nothing.
pub(crate) trait Trace {
    fn part(&mut self, _label: &str, _from: usize, _to: usize, _slot: Slot<'_>) {}
}
impl Trace for () {}

/// Finds a frame's end and reads its header; the open part is left as bytes.
pub(crate) fn hear_frame<'a, T: Trace>(frame: &Frame, bytes: &'a [u8], slots: &mut Slots<'a>, trace: &mut T) -> Framed {
    let (mut at, mut end, mut unfit, mut open) = (0, None, None, 0..0);
    for (index, part) in frame.plan.parts.iter().enumerate() {
        let label = &frame.plan.labels[index];
        match part {
            Part::Int { slot, int, least, most, rule } => {
                let Some(seen) = read_int(bytes, at, *int) else { return Framed::More(at + usize::from(int.width)) };
                slots.set(*slot, Slot::Int(seen));
                trace.part(label, at, at + usize::from(int.width), Slot::Int(seen));
                let reason = check_int(seen, *least, *most, *rule);
                if let Some(reason) = reason {
                    unfit.get_or_insert_with(|| (index, Unfit { field: label.clone(), offset: at, reason }));
                }
                if let Rule::FrameLength { plus } = rule
                    && unfit.is_none()
                {
                    end = usize::try_from(seen as i64 - plus).ok();
                }
                let closes = frame.refusals[index].as_ref().is_some_and(|refusal| refusal.close);
                if let (Some((broken, _)), true) = (&unfit, end.is_none() || closes)
                    && *broken == index
                {
                    let (index, unfit) = unfit.expect("just looked at");
                    return Framed::Unfit(index, unfit, None);
                }
                at += usize::from(int.width);
            }
            // The open part, whose end the frame's length tells; parts behind it have a fixed width.
            Part::Bytes { slot, .. } | Part::List { slot, .. } => {
                let behind: usize = frame.plan.parts[index + 1..].iter().map(Part::least_bytes).sum();
                let stop = end.map_or(bytes.len(), |end| end.saturating_sub(behind)).max(at);
                if bytes.len() < end.unwrap_or(stop) {
                    return Framed::More(end.unwrap_or(stop));
                }
                slots.set(*slot, Slot::Bytes(&bytes[at..stop]));
                open = at..stop;
                at = stop;
            }
        }
    }
    match unfit {
        Some((index, unfit)) => Framed::Unfit(index, unfit, end),
        None => Framed::Taken(end.unwrap_or(at), open),
    }
}

/// Reads a row of parts from `bytes[from..to]`, which it must fill.
pub(crate) fn hear_plan<'a, T: Trace>(
    plan: &Plan,
    bytes: &'a [u8],
    from: usize,
    to: usize,
    slots: &mut Slots<'a>,
    trace: &mut T,
) -> Result<(), Unfit> {
    let mut reader = Reader { bytes, at: from, to };
    let mut rows = std::mem::take(&mut slots.rows);
    let mut result = Ok(());
    for (part, label) in plan.parts.iter().zip(&plan.labels) {
        let began = reader.at;
        match reader.part(part, label, &mut rows, trace) {
            Ok(value) => {
                slots.set(part.slot(), value);
                if !matches!(value, Slot::List { .. }) {
                    trace.part(label, began, reader.at, value);
                }
            }
            Err(unfit) => {
                result = Err(unfit);
                break;
            }
        }
    }
    slots.rows = rows;
    result?;
    if reader.at < to {
        let left = (to - reader.at) as u64;
        return Err(Unfit { field: "end".into(), offset: reader.at, reason: Reason::Trailing { left } });
    }
    Ok(())
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    to: usize,
}

impl<'a> Reader<'a> {
    fn part<T: Trace>(
        &mut self,
        part: &Part,
        label: &str,
        rows: &mut Vec<Slot<'a>>,
        trace: &mut T,
    ) -> Result<Slot<'a>, Unfit> {
        match part {
            Part::Int { int, least, most, rule, .. } => {
                let offset = self.at;
                let seen = self.int(*int, label)?;
                match check_int(seen, *least, *most, *rule) {
                    None => Ok(Slot::Int(seen)),
                    Some(reason) => Err(Unfit { field: label.to_owned(), offset, reason }),
                }
            }
            Part::Bytes { size, utf8, .. } => {
                let offset = self.at;
                let length = match size {
                    Size::Fixed(n) => *n,
                    Size::Prefix(int) => self.int(*int, label)?,
                    Size::Rest => (self.to - self.at) as u64,
                };
                let taken = self.take(length, label)?;
                if *utf8 && std::str::from_utf8(taken).is_err() {
                    return Err(Unfit { field: label.to_owned(), offset, reason: Reason::NotUtf8 });
                }
                Ok(Slot::Bytes(taken))
            }
            Part::List { size, item, .. } => self.list(*size, item, label, rows, trace),
        }
    }

    fn list<T: Trace>(
        &mut self,
        size: Size,
        item: &Item,
        label: &str,
        rows: &mut Vec<Slot<'a>>,
        trace: &mut T,
    ) -> Result<Slot<'a>, Unfit> {
        let offset = self.at;
        let count = match size {
            Size::Fixed(n) => n,
            Size::Prefix(int) => self.int(int, label)?,
            Size::Rest => u64::MAX,
        };
        trace.part(label, offset, self.at, Slot::Int(count));
        // A count that cannot be true must not make room for itself.
        let (left, least) = ((self.to - self.at) as u64, item.plan.least_bytes().max(1) as u64);
        if size != Size::Rest && count > left / least {
            let reason = Reason::Truncated { needed: count.saturating_mul(least), left };
            return Err(Unfit { field: label.to_owned(), offset, reason });
        }
        let (start, width) = (rows.len(), item.names.len());
        let mut items = 0;
        while items < count && (size != Size::Rest || self.at < self.to) {
            let first = rows.len();
            rows.resize(first + width, Slot::Empty);
            for (part, name) in item.plan.parts.iter().zip(&item.plan.labels) {
                let began = self.at;
                let label_here =
                    || if item.single { format!("{label}[{items}]") } else { format!("{label}[{items}].{name}") };
                let value = self.part(part, name, rows, &mut ()).map_err(|mut unfit| {
                    unfit.field = label_here();
                    unfit
                })?;
                if std::mem::size_of::<T>() > 0 {
                    trace.part(&label_here(), began, self.at, value);
                }
                if part.slot() != NO_SLOT {
                    rows[first + usize::from(part.slot())] = value;
                }
            }
            items += 1;
        }
        Ok(Slot::List { start: start as u32, count: items as u32, width: width as u32 })
    }

    fn int(&mut self, int: Int, label: &str) -> Result<u64, Unfit> {
        let offset = self.at;
        match read_int(&self.bytes[..self.to], self.at, int) {
            Some(value) => {
                self.at += usize::from(int.width);
                Ok(value)
            }
            None => {
                let reason = Reason::Truncated { needed: u64::from(int.width), left: (self.to - self.at) as u64 };
                Err(Unfit { field: label.to_owned(), offset, reason })
            }
        }
    }

    fn take(&mut self, length: u64, label: &str) -> Result<&'a [u8], Unfit> {
        let left = (self.to - self.at) as u64;
        if length > left {
            let reason = Reason::Truncated { needed: length, left };
            return Err(Unfit { field: label.to_owned(), offset: self.at, reason });
        }
        let taken = &self.bytes[self.at..self.at + length as usize];
        self.at += length as usize;
        Ok(taken)
    }
}

#[inline]
pub(crate) fn read_int(bytes: &[u8], at: usize, int: Int) -> Option<u64> {
    let field = bytes.get(at..at + usize::from(int.width))?;
    Some(match (int.width, int.little) {
        (1, _) => u64::from(field[0]),
        (2, false) => u64::from(u16::from_be_bytes([field[0], field[1]])),
        (4, false) => u64::from(u32::from_be_bytes([field[0], field[1], field[2], field[3]])),
        (_, false) => field.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)),
        (_, true) => field.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)),
    })
}

#[inline]
fn check_int(seen: u64, least: u64, most: u64, rule: Rule) -> Option<Reason> {
    match rule {
        _ if seen < least => Some(Reason::Below { seen, least }),
        _ if seen > most => Some(Reason::Above { seen, most }),
        Rule::Is(expected) if seen != expected => Some(Reason::Not { seen, expected }),
        _ => None,
    }
}
