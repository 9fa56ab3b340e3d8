//! Texts out of bytes: where each ends, and what its value is.
//!
//! Where a text ends at a delimiter, every place of the delimiter is tried in turn, within a budget.

use crate::codec::field::Class;
use crate::codec::hear::{Listener, Miss, Seen, Taken, Trace};
use crate::codec::plan::{End, Form, Part, Size, Text, TextRule};
use crate::codec::slots::{Base, Slot};
use crate::codec::unfit::{Reason, Unfit, glimpse};

impl<'p, 'a, T: Trace> Listener<'p, 'a, '_, T> {
    #[inline(always)]
    pub(super) fn text(&mut self, text: &'p Text, at: usize, base: Base) -> Taken {
        let (from, end) = match &text.size {
            Size::Prefix(Form::Int(int)) => match self.int(*int, at) {
                Some(length) => self.stretch(text.slot, at + int.bytes(), length)?,
                None => return Err(self.short(text.slot, at, int.bytes())),
            },
            Size::Rest(End::Class) => {
                let class = text.class;
                let end = self.run(at, |byte| may_stand(class, byte));
                self.settled(end)?;
                (at, end)
            }
            size => self.sized(size, text.slot, at)?,
        };
        self.value(text, at, from, end, base)?;
        Ok(end)
    }

    /// A text up to one of its delimiters, and what follows it.
    #[inline(never)]
    pub(super) fn delimited(
        &mut self,
        text: &'p Text,
        (ends, or_end): (&'p [Box<[u8]>], bool),
        rest: &'p [Part],
        at: usize,
        base: Base,
    ) -> Taken {
        let outer = self.outer();
        let until = outer.unwrap_or(self.bytes.len()).min(self.bytes.len());
        let mut place = at;
        let mut furthest: Option<Box<Unfit>> = None;
        let (seen, marks, kept) = (self.trace.seen(), self.marks.len(), self.slots.room());
        loop {
            self.work = self.work.saturating_sub(1);
            let here = &self.bytes[place..until];
            // A delimiter counts only outside an escape.
            if let Some((_, length)) = text.filter.as_ref().and_then(|filter| filter.escape(here)) {
                place += length;
                continue;
            }
            let is_end = or_end && here.is_empty() && outer.is_some_and(|outer| outer <= self.bytes.len());
            if is_end || ends.iter().any(|end| here.starts_with(end)) {
                let tried = self.value(text, at, at, place, base).and_then(|()| self.parts(rest, place, base));
                match tried {
                    Err(Miss::No(unfit)) => {
                        if furthest.as_ref().is_none_or(|known| known.offset < unfit.offset) {
                            furthest = Some(unfit);
                        }
                        self.trace.forget(seen);
                        self.marks.truncate(marks);
                        self.slots.back_to(kept);
                        self.work = self.work.saturating_sub(place - at);
                        if self.work == 0 {
                            break;
                        }
                    }
                    other => return other,
                }
            }
            // The rest of a delimiter may still come.
            if outer.is_none() && ends.iter().any(|end| end.starts_with(here)) {
                return Err(Miss::More(self.bytes.len() + 1));
            }
            match here.first() {
                // Behind a byte that cannot stand in the text there is no end of it.
                Some(byte) if may_stand(text.class, *byte) => place += 1,
                Some(byte) if furthest.is_none() => {
                    let reason = Reason::Unlike { seen: glimpse(&[*byte]), expected: expected_ends(ends) };
                    return Err(self.no_slot(text.slot, place, reason));
                }
                Some(_) => break,
                None if outer.is_none() => return Err(Miss::More(self.bytes.len() + 1)),
                None => break,
            }
        }
        let nothing = || Reason::Unlike { seen: "the end".into(), expected: expected_ends(ends) };
        Err(furthest.map_or_else(|| self.no_slot(text.slot, place, nothing()), Miss::No))
    }

    /// Takes a text into its slot.
    #[inline(always)]
    pub(super) fn value(&mut self, text: &'p Text, at: usize, from: usize, end: usize, base: Base) -> Result<(), Miss> {
        if text.plain && !T::LOOKS && self.expected.is_empty() {
            let raw = &self.bytes[from..end];
            if text.class != Class::Bytes && std::str::from_utf8(raw).is_err() {
                return Err(self.no_slot(text.slot, from, Reason::NotUtf8));
            }
            if !text.sizes.is_empty() && !text.sizes.contains(&(raw.len() as u64)) {
                return Err(self.no_slot(text.slot, at, wrong_size(raw.len(), &text.sizes)));
            }
            self.slots.put(base, text.slot, Slot::Bytes(raw));
            return Ok(());
        }
        self.unusual_value(text, at, from, end, base)
    }

    #[inline(never)]
    pub(super) fn unusual_value(
        &mut self,
        text: &'p Text,
        at: usize,
        mut from: usize,
        mut end: usize,
        base: Base,
    ) -> Result<(), Miss> {
        let whole = (at, end);
        if let Some(padding) = text.padded {
            while end > from && self.bytes[end - 1] == padding {
                end -= 1;
            }
            if padding == b'0' {
                while from < end && self.bytes[from] == padding {
                    from += 1;
                }
            }
        }
        let raw = &self.bytes[from..end];
        let mut slot = Slot::Bytes(raw);
        if text.filter.is_some() || text.class == Class::Hex {
            slot = self.filtered(text, raw, from)?;
        }
        if text.class != Class::Bytes && text.class != Class::Hex && std::str::from_utf8(raw).is_err() {
            return Err(self.no_slot(text.slot, from, Reason::NotUtf8));
        }
        if text.class == Class::Word && raw.is_empty() {
            return Err(self.no_slot(text.slot, from, Reason::NotWritten("a word")));
        }
        if matches!(text.class, Class::Word | Class::Line)
            && let Some(wrong) = raw.iter().find(|byte| !may_stand(text.class, **byte))
        {
            let reason = Reason::Unlike { seen: glimpse(&[*wrong]), expected: "no white space".into() };
            return Err(self.no_slot(text.slot, from, reason));
        }
        self.slots.put(base, text.slot, slot);
        if T::LOOKS {
            let label = self.name(text.slot);
            let seen = self.slots.bytes(slot).unwrap_or_default().to_vec();
            self.trace.part(&label, whole.0, whole.1, Seen::Bytes(&seen));
        }
        if let TextRule::Is(fixed) = &text.rule
            && **fixed != *raw
        {
            let reason = Reason::Unlike { seen: glimpse(raw), expected: glimpse(fixed) };
            return Err(self.no_slot(text.slot, from, reason));
        }
        if !text.sizes.is_empty() && !text.sizes.contains(&(raw.len() as u64)) {
            return Err(self.no_slot(text.slot, whole.0, wrong_size(raw.len(), &text.sizes)));
        }
        if base == Base::Message {
            self.mark(text.slot, whole.0, whole.1);
            if let Some(Some(expected)) = self.expected.get(text.slot)
                && let Some(known) = expected.as_bytes()
                && Some(known) != self.slots.bytes(slot)
            {
                let reason = Reason::Unlike { seen: glimpse(raw), expected: glimpse(known) };
                return Err(self.no_slot(text.slot, from, reason));
            }
        }
        Ok(())
    }

    #[inline(never)]
    pub(super) fn filtered(&mut self, text: &Text, raw: &[u8], from: usize) -> Result<Slot<'a>, Miss> {
        let read = match &text.filter {
            Some(filter) => filter.read(raw),
            None => crate::codec::filter::Filter::Hex.read(raw),
        };
        match read {
            Some(value) => Ok(self.slots.keep(&value)),
            None => Err(self.no_slot(text.slot, from, Reason::NotWritten("written in the way that its filter writes"))),
        }
    }

    #[inline]
    pub(super) fn literal(&mut self, literal: &[u8], at: usize) -> Taken {
        let end = at + literal.len();
        let until = self.outer().unwrap_or(self.bytes.len()).min(self.bytes.len());
        let here = &self.bytes[at.min(until)..end.min(until)];
        if here == literal {
            if T::LOOKS {
                self.trace.part(&format!("{:?}", glimpse(literal)), at, end, Seen::Nothing);
            }
            return Ok(end);
        }
        if literal.starts_with(here) && self.outer().is_none() {
            return Err(Miss::More(end));
        }
        let same = literal.iter().zip(here).take_while(|(a, b)| a == b).count();
        let reason = Reason::Unlike { seen: glimpse(&self.bytes[at.min(until)..until]), expected: glimpse(literal) };
        Err(self.no("text", at + same, reason))
    }
}

/// Whether a byte may stand in a text of that class.
#[inline]
pub(crate) fn may_stand(class: Class, byte: u8) -> bool {
    match class {
        Class::Bytes | Class::Text => true,
        Class::Word => !byte.is_ascii_whitespace(),
        Class::Line => byte != b'\n',
        Class::Hex => byte.is_ascii_hexdigit(),
    }
}

fn expected_ends(ends: &[Box<[u8]>]) -> String {
    ends.iter().map(|end| glimpse(end)).collect::<Vec<_>>().join("` or `")
}

#[cold]
fn wrong_size(length: usize, possible: &[u64]) -> Reason {
    let possible: Vec<String> = possible.iter().map(u64::to_string).collect();
    Reason::Limit(format!("{length} bytes, where {} are possible", possible.join(" or ")))
}
