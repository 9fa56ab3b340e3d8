//! Numbers out of bytes: whole bytes, bits, decimal digits, and those that are written in several ways.

use crate::codec::field::{Int, Measure};
use crate::codec::hear::{Listener, Miss, Seen, Taken, Trace};
use crate::codec::plan::{Form, Number, Of, Rule};
use crate::codec::slots::{Base, Slot};
use crate::codec::unfit::Reason;
use crate::value::Value;

impl<'p, 'a, T: Trace> Listener<'p, 'a, '_, T> {
    #[inline(always)]
    pub(super) fn number(&mut self, number: &'p Number, at: usize, base: Base) -> Taken {
        let (seen, end) = match &number.form {
            Form::Int(int) => match self.int(*int, at) {
                Some(seen) => (seen, at + int.bytes()),
                None => return Err(self.short(number.slot, at, int.bytes())),
            },
            form => self.written(form, number.slot, at)?,
        };
        if number.plain && !T::LOOKS && self.expected.is_empty() {
            self.slots.put(base, number.slot, Slot::Int(seen));
            return if number.fits(seen) { Ok(end) } else { Err(self.no_slot(number.slot, at, why_not(seen, number))) };
        }
        self.accept(number, seen, at, end, base)?;
        Ok(end)
    }

    #[inline(always)]
    pub(super) fn accept(
        &mut self,
        number: &'p Number,
        seen: u64,
        at: usize,
        end: usize,
        base: Base,
    ) -> Result<(), Miss> {
        if T::LOOKS {
            let label = self.name(number.slot);
            self.trace.part(&label, at, end, Seen::Int(seen));
        }
        self.slots.put(base, number.slot, Slot::Int(seen));
        if !number.fits(seen) {
            return Err(self.no_slot(number.slot, at, why_not(seen, number)));
        }
        if let Rule::Measure { measure: Measure::Length, of: Of::Frame, plus } = number.rule {
            let limit = seen.wrapping_add_signed(plus.wrapping_neg()) as usize;
            self.limit = Some(limit);
            if limit < end {
                return Err(self.no_slot(
                    number.slot,
                    at,
                    Reason::Below { seen, least: (end as u64).saturating_add_signed(plus) },
                ));
            }
        }
        if base == Base::Message {
            self.mark(number.slot, at, end);
            if let Some(Some(Value::Int(expected))) = self.expected.get(number.slot)
                && *expected != seen
            {
                return Err(self.no_slot(number.slot, at, Reason::Not { seen, expected: *expected }));
            }
        }
        Ok(())
    }

    #[inline(always)]
    pub(super) fn int(&self, int: Int, at: usize) -> Option<u64> {
        let seen = read_int(self.bytes, at, int)?;
        (self.limit.is_none_or(|limit| at + int.bytes() <= limit)).then_some(seen)
    }

    pub(super) fn written(&mut self, form: &Form, slot: usize, at: usize) -> Result<(u64, usize), Miss> {
        match form {
            Form::Int(int) => match self.int(*int, at) {
                Some(seen) => Ok((seen, at + int.bytes())),
                None => Err(self.short(slot, at, int.bytes())),
            },
            Form::Decimal => {
                let end = self.run(at, |byte| byte.is_ascii_digit());
                self.settled(end)?;
                let digits = std::str::from_utf8(&self.bytes[at..end]).unwrap_or_default();
                match digits.parse() {
                    Ok(seen) => Ok((seen, end)),
                    Err(_) => Err(self.no_slot(slot, at, Reason::NotWritten("a decimal number"))),
                }
            }
            Form::Padded { width, padding } => {
                let (from, end) = self.stretch(slot, at, u64::from(*width))?;
                let written = std::str::from_utf8(&self.bytes[from..end]).unwrap_or_default();
                let digits = if *padding == b'0' { written } else { written.trim_end_matches(char::from(*padding)) };
                match digits.parse() {
                    Ok(seen) if !digits.starts_with('+') => Ok((seen, end)),
                    _ => Err(self.no_slot(slot, at, Reason::NotWritten("a decimal number"))),
                }
            }
            Form::Choice(choices) => {
                let mut first = None;
                for choice in choices {
                    let mut end = at;
                    let constants = choice.before.iter().all(|(int, constant)| {
                        let seen = self.int(*int, end);
                        end += int.bytes();
                        seen == Some(*constant)
                    });
                    let least = end + choice.int.bytes();
                    match self.int(choice.int, end) {
                        Some(seen) if constants && (choice.least..=choice.most).contains(&seen) => {
                            return Ok((seen, least));
                        }
                        Some(seen) => first = first.or(Some(seen)),
                        None if self.outer().is_none() && at < self.bytes.len() && constants => {
                            return Err(Miss::More(least));
                        }
                        None => {}
                    }
                }
                match first {
                    Some(seen) => Err(self.no_slot(slot, at, Reason::Unknown { seen })),
                    None => Err(self.short(slot, at, 1)),
                }
            }
        }
    }

    #[inline(never)]
    pub(super) fn bits(&mut self, fields: &'p [(u8, Number)], at: usize, base: Base) -> Taken {
        let total: usize = fields.iter().map(|(bits, _)| usize::from(*bits)).sum::<usize>() / 8;
        let slot = fields.first().map_or(0, |(_, number)| number.slot);
        let end = at + total;
        if self.limit.is_some_and(|limit| limit < end) || self.bytes.len() < end {
            return Err(self.short(slot, at, total));
        }
        let bytes = self.bytes;
        let mut before = 0_usize;
        for (bits, number) in fields {
            let bit = |index: usize| u64::from(bytes[at + index / 8] >> (7 - index % 8) & 1);
            let seen = (before..before + usize::from(*bits)).fold(0, |seen, index| seen << 1 | bit(index));
            let from = at + before / 8;
            before += usize::from(*bits);
            self.accept(number, seen, from, at + before.div_ceil(8), base)?;
        }
        Ok(end)
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
