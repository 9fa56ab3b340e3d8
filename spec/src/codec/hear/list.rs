//! Stretches, lists and alternatives out of bytes: parts that hold other parts.

use serde::Deserialize;
use serde_json::Value as JsonValue;

use crate::codec::field::Measure;
use crate::codec::hear::{Listener, Miss, Seen, Taken, Trace};
use crate::codec::measured::{character, taken};
use crate::codec::plan::{End, JsonText, List, Part, Region, Size, least_bytes};
use crate::codec::slots::{Base, Slot, Slots};
use crate::codec::unfit::{Reason, Unfit, unfit};

impl<'p, 'a, T: Trace> Listener<'p, 'a, '_, T> {
    /// Where something of that size begins and ends.
    pub(super) fn sized(&mut self, size: &'p Size, slot: usize, at: usize) -> Result<(usize, usize), Miss> {
        match size {
            Size::Fixed(length) => self.stretch(slot, at, *length),
            Size::Prefix(form) => {
                let (length, from) = self.written(form, slot, at)?;
                self.stretch(slot, from, length)
            }
            Size::Measured { by, measure, from, plus } => {
                let began =
                    self.marks.iter().rev().find(|(marked, ..)| marked == from).map_or(at, |(_, began, _)| *began);
                let measured = self.slots.int(*by).unwrap_or_default().wrapping_add_signed(plus.wrapping_neg());
                let before = taken(*measure, [&self.bytes[began..at]].into_iter());
                match measured.checked_sub(before) {
                    Some(length) if *measure == Measure::Length => self.stretch(slot, at, length),
                    Some(many) => self.characters(slot, at, many, *measure),
                    None => Err(self.no_slot(*by, at, Reason::Below { seen: measured, least: before })),
                }
            }
            Size::Each { by } => {
                let index = self.item.map_or(0, |(_, index)| index);
                let Slot::List { start, count, width } = self.slots.at(*by) else {
                    return Err(self.no_slot(slot, at, Reason::Unheard));
                };
                match self.slots.rows.get(start as usize + index * width as usize) {
                    Some(Slot::Int(length)) if index < count as usize => self.stretch(slot, at, *length),
                    _ => Err(self.no_slot(slot, at, Reason::Truncated { needed: 1, left: 0 })),
                }
            }
            Size::Rest(End::Outer(behind)) => match self.outer() {
                Some(outer) if outer > self.bytes.len() => Err(Miss::More(outer)),
                Some(outer) if outer < at + behind => {
                    Err(self.no_slot(slot, at, Reason::Truncated { needed: (at + behind - outer) as u64, left: 0 }))
                }
                Some(outer) => Ok((at, outer - behind)),
                None => Err(Miss::More(self.bytes.len() + 1)),
            },
            Size::Rest(_) => Ok((at, at)),
        }
    }

    /// Where so many characters end.
    #[inline(never)]
    fn characters(&self, slot: usize, from: usize, many: u64, measure: Measure) -> Result<(usize, usize), Miss> {
        // None takes fewer bytes than it counts.
        self.stretch(slot, from, many)?;
        let (mut end, mut left) = (from, many);
        while left > 0 {
            let (bytes, units) = self.bytes.get(end).map_or((1, 0), |first| character(measure, *first));
            (_, end) = self.stretch(slot, end, bytes)?;
            left = left
                .checked_sub(units)
                .ok_or_else(|| self.no_slot(slot, end, Reason::NotWritten("whole characters")))?;
        }
        Ok((from, end))
    }

    #[inline(always)]
    pub(super) fn stretch(&self, slot: usize, from: usize, length: u64) -> Result<(usize, usize), Miss> {
        let end = from.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        if self.bytes.len() < end || self.limit.is_some_and(|limit| limit < end) {
            return Err(self.short(slot, from, end - from));
        }
        Ok((from, end))
    }

    #[inline]
    pub(super) fn region(&mut self, region: &'p Region, at: usize, base: Base) -> Taken {
        if let Size::Rest(End::Inside) = region.size {
            let end = self.parts(&region.parts, at, base)?;
            if base == Base::Message {
                self.mark(region.slot, at, end);
            }
            return Ok(end);
        }
        let (from, end) = self.sized(&region.size, region.slot, at)?;
        if let (Some(padding), false) = (region.padded, region.ignored) {
            self.padded_region(region, (from, end), padding, base)?;
        } else if !region.ignored {
            let limit = self.limit.replace(end);
            let reached = self.parts(&region.parts, from, base)?;
            self.limit = limit;
            if reached < end {
                return Err(self.no("end", reached, Reason::Trailing { left: (end - reached) as u64 }));
            }
        } else if T::LOOKS && from < end {
            let (label, seen) = (self.name(region.slot), &self.bytes[from..end]);
            self.trace.part(&label, from, end, Seen::Bytes(seen));
        }
        // What says how long it is belongs to it.
        if base == Base::Message {
            self.mark(region.slot, at, end);
        }
        Ok(end)
    }

    /// A stretch that is filled up. What fills it may look like the end of what stands in it, so that is tried next.
    #[inline(never)]
    pub(super) fn padded_region(
        &mut self,
        region: &'p Region,
        (from, end): (usize, usize),
        padding: u8,
        base: Base,
    ) -> Result<(), Miss> {
        let filled = self.bytes[from..end].iter().rev().take_while(|byte| **byte == padding).count();
        let (seen, marks, outer) = (self.trace.seen(), self.marks.len(), self.limit);
        let mut first = None;
        for limit in [end - filled, end] {
            self.limit = Some(limit);
            let heard = self.parts(&region.parts, from, base);
            self.limit = outer;
            match heard {
                Ok(reached) if reached + filled >= end => return Ok(()),
                Ok(reached) => {
                    let left = (end - filled - reached) as u64;
                    first = first.or(Some(self.no("end", reached, Reason::Trailing { left })));
                }
                Err(miss) => first = first.or(Some(miss)),
            }
            self.trace.forget(seen);
            self.marks.truncate(marks);
        }
        Err(first.unwrap_or_else(|| self.no_slot(region.slot, from, Reason::Unheard)))
    }

    #[inline(never)]
    pub(super) fn list(&mut self, list: &'p List, at: usize, base: Base) -> Taken {
        let (mut place, count) = match &list.size {
            Size::Fixed(count) => (at, Some(*count)),
            Size::Prefix(form) => {
                let (count, from) = self.written(form, list.slot, at)?;
                if T::LOOKS {
                    let label = self.name(list.slot);
                    self.trace.part(&label, at, from, Seen::Int(count));
                }
                (from, Some(count))
            }
            Size::Measured { by, plus, .. } => {
                (at, Some(self.slots.int(*by).unwrap_or_default().wrapping_add_signed(plus.wrapping_neg())))
            }
            Size::Each { by } => match self.slots.at(*by) {
                Slot::List { count, .. } => (at, Some(count.into())),
                _ => (at, None),
            },
            Size::Rest(_) => (at, None),
        };
        let least = least_bytes(&list.item.parts).max(1) as u64;
        if let Some(count) = count {
            // A count that cannot be true must not make room for itself.
            let left =
                (self.outer().unwrap_or(self.bytes.len()).min(self.bytes.len()) - place.min(self.bytes.len())) as u64;
            if count > left / least {
                return Err(self.short(
                    list.slot,
                    place,
                    usize::try_from(count.saturating_mul(least)).unwrap_or(usize::MAX),
                ));
            }
        }
        let outer_item = self.item;
        let (start, width) = (self.slots.rows.len(), list.item.labels.len());
        let mut items = 0;
        while count.is_none_or(|count| (items as u64) < count) {
            if count.is_none() && self.is_over(list, place) {
                break;
            }
            let (seen, rows, marks) = (self.trace.seen(), self.slots.rows.len(), self.marks.len());
            let from = match &list.joined {
                Some(joined) if items > 0 && !joined.ends => self.literal(&joined.separator, place),
                _ => Ok(place),
            };
            let first = self.slots.rows.len();
            self.slots.rows.resize(first + width, Slot::Empty);
            self.item = Some((list, items));
            let heard = from.and_then(|from| self.parts(&list.item.parts, from, Base::Item(first)));
            let heard = match &list.joined {
                Some(joined) if joined.ends => heard.and_then(|end| self.literal(&joined.separator, end)),
                _ => heard,
            };
            match heard {
                Ok(end) if end > place || count.is_some() => {
                    place = end;
                    items += 1;
                }
                Err(Miss::No(_)) | Ok(_) if count.is_none() => {
                    self.trace.forget(seen);
                    self.marks.truncate(marks);
                    self.slots.rows.truncate(rows);
                    break;
                }
                Err(miss) => {
                    self.item = outer_item;
                    return Err(miss);
                }
                Ok(_) => unreachable!("items of a list without a count take bytes"),
            }
        }
        self.item = outer_item;
        self.slots.put(base, list.slot, Slot::List { start: start as u32, count: items as u32, width: width as u32 });
        if base == Base::Message {
            self.mark(list.slot, at, place);
        }
        Ok(place)
    }

    /// Whether nothing can follow in a list that has no count.
    pub(super) fn is_over(&self, list: &List, place: usize) -> bool {
        let ends: &[Box<[u8]>] = if let Size::Rest(End::Before { ends, .. }) = &list.size { ends } else { &[] };
        let at_the_end = self.outer().is_some_and(|outer| place >= outer.min(self.bytes.len()));
        // What follows may look like an item, but where it comes at once there is none.
        at_the_end || ends.iter().any(|end| self.bytes[place..].starts_with(end))
    }

    #[inline(never)]
    pub(super) fn either(&mut self, rows: &'p [Vec<Part>], rest: &'p [Part], at: usize, base: Base) -> Taken {
        let mut furthest: Option<Box<Unfit>> = None;
        let (seen, marks, limit, kept) = (self.trace.seen(), self.marks.len(), self.limit, self.slots.rows.len());
        for row in rows {
            let tried = self.parts(row, at, base).and_then(|end| self.parts(rest, end, base));
            match tried {
                Err(Miss::No(unfit)) => {
                    if furthest.as_ref().is_none_or(|known| known.offset < unfit.offset) {
                        furthest = Some(unfit);
                    }
                    self.trace.forget(seen);
                    self.marks.truncate(marks);
                    self.limit = limit;
                    self.slots.rows.truncate(kept);
                    forget(row, base, self.slots);
                }
                other => return other,
            }
        }
        Err(Miss::No(furthest.unwrap_or_else(|| unfit("either", at, Reason::Unheard))))
    }

    pub(super) fn json(&mut self, part: &'p JsonText, at: usize, base: Base) -> Taken {
        let told = match &part.size {
            Size::Rest(End::Inside) => None,
            size => Some(self.sized(size, part.slot, at)?),
        };
        let (at, until) = told.unwrap_or((at, self.outer().unwrap_or(self.bytes.len()).min(self.bytes.len())));
        if self.limit.is_some_and(|limit| limit > self.bytes.len()) {
            return Err(Miss::More(self.limit.unwrap_or_default()));
        }
        let may_go_on = told.is_none() && self.outer().is_none();
        let is_empty = || self.bytes[at..until].iter().all(u8::is_ascii_whitespace);
        let mut text = serde_json::Deserializer::from_slice(&self.bytes[at..until]);
        let value = match JsonValue::deserialize(&mut text) {
            Ok(value) => value,
            Err(error) if error.is_eof() && may_go_on => return Err(Miss::More(self.bytes.len() + 1)),
            Err(_) if told.is_some() && part.json.is_optional() && is_empty() => JsonValue::Null,
            Err(_) => return Err(self.no_slot(part.slot, at, Reason::NotWritten("JSON"))),
        };
        let mut end = at + text.into_iter::<JsonValue>().byte_offset();
        if told.is_some() {
            end += self.bytes[end..until].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            if end < until {
                return Err(self.no("end", end, Reason::Trailing { left: (until - end) as u64 }));
            }
        } else if value.is_number() {
            // At the very end of what came it may go on.
            self.settled(end)?;
        }
        if T::LOOKS {
            let label = self.name(part.slot);
            let seen = &self.bytes[at..end];
            self.trace.part(&label, at, end, Seen::Bytes(seen));
        }
        let path =
            if self.shape.labels.get(part.slot).is_some_and(|label| label.text.is_empty()) { "json" } else { "" };
        part.json
            .hear(&value, path, self.expected, base, self.slots)
            .map_err(|(field, reason)| Miss::No(unfit(field, at, reason)))?;
        if base == Base::Message {
            self.mark(part.slot, at, end);
        }
        Ok(end)
    }
}

/// Empties the slots of a row that was only tried.
fn forget(parts: &[Part], base: Base, slots: &mut Slots<'_>) {
    for part in parts {
        match part {
            Part::Bits(fields) => fields.iter().for_each(|(_, number)| slots.put(base, number.slot, Slot::Empty)),
            Part::Either(rows) => rows.iter().for_each(|row| forget(row, base, slots)),
            Part::Region(region) => forget(&region.parts, base, slots),
            part => part.slot().into_iter().for_each(|slot| slots.put(base, slot, Slot::Empty)),
        }
    }
}
