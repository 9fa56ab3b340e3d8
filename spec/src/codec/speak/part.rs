//! The parts of a shape into bytes.

use crate::codec::field::{Class, Measure};
use crate::codec::plan::{Label, List, Name, Number, Of, Part, Region, Rule, Size, Text, TextRule};
use crate::codec::slots::{Base, Slot};
use crate::codec::speak::write::{write_number, write_size};
use crate::codec::speak::{Speaker, Unspeakable, missing, of_another_kind, of_another_size, out_of_range};

impl<'p> Speaker<'p, '_, '_, '_> {
    #[inline(always)]
    pub(super) fn label(&self, slot: usize) -> &'p Label {
        &self.shape.labels[slot]
    }

    #[inline(always)]
    pub(super) fn number(&mut self, number: &Number, base: Base, out: &mut Vec<u8>) -> Result<(), Box<Unspeakable>> {
        let value = self.number_value(number, base)?;
        if !number.fits(value) || !write_number(out, &number.form, value) {
            return match number.rule {
                // What is measured is not known yet.
                Rule::Measure { .. } if write_number(out, &number.form, number.least.min(number.form.most())) => Ok(()),
                _ => Err(out_of_range(value, number, self.label(number.slot))),
            };
        }
        if base == Base::Message
            && let Some(said) = self.said.get_mut(number.slot)
        {
            *said = value;
        }
        Ok(())
    }

    #[inline(always)]
    pub(super) fn number_value(&self, number: &Number, base: Base) -> Result<u64, Box<Unspeakable>> {
        let occasion = self.occasion;
        Ok(match (&number.rule, self.slots.get(base, number.slot)) {
            (Rule::Is(fixed), _) => *fixed,
            (Rule::Measure { .. }, _) => {
                self.measured.iter().find(|(slot, _)| *slot == number.slot).map_or(number.least, |(_, known)| *known)
            }
            (Rule::Known { name, plus }, _) => {
                let slot = occasion.request_labels.iter().position(|label| label.text == *name);
                let known = slot.and_then(|slot| occasion.request.get(slot));
                known.ok_or_else(|| missing(self.label(number.slot)))?.wrapping_add_signed(*plus)
            }
            (_, Slot::Int(value)) => value,
            (Rule::Usually(fixed), Slot::Empty) => *fixed,
            (Rule::Fresh, Slot::Empty) => match number.most - number.least {
                u64::MAX => occasion.fresh,
                room => number.least + occasion.fresh % (room + 1),
            },
            (Rule::Now, Slot::Empty) => occasion.now,
            (Rule::Open, Slot::Empty) => return Err(missing(self.label_at(number.slot, base))),
            _ => return Err(of_another_kind(self.label_at(number.slot, base))),
        })
    }

    pub(super) fn label_at(&self, slot: usize, _base: Base) -> &'p Label {
        self.shape.labels.get(slot).unwrap_or(&self.shape.labels[0])
    }

    #[inline(always)]
    pub(super) fn text(&mut self, text: &Text, base: Base, out: &mut Vec<u8>) -> Result<(), Box<Unspeakable>> {
        if let (true, Slot::Bytes(bytes)) = (text.plain, self.slots.get(base, text.slot)) {
            write_size(out, &text.size, bytes.len(), "bytes", || self.label_at(text.slot, base))?;
            out.extend_from_slice(bytes);
            return Ok(());
        }
        self.unusual_text(text, base, out)
    }

    #[inline(never)]
    pub(super) fn unusual_text(&mut self, text: &Text, base: Base, out: &mut Vec<u8>) -> Result<(), Box<Unspeakable>> {
        let label = self.label_at(text.slot, base);
        let slot = self.slots.get(base, text.slot);
        let mut written = match (&text.rule, self.slots.bytes(slot)) {
            (TextRule::Is(fixed), _) => fixed.to_vec(),
            (_, Some(value)) => match &text.filter {
                Some(filter) => filter.write(value),
                None if text.class == Class::Hex => crate::codec::filter::Filter::Hex.write(value),
                None => value.to_vec(),
            },
            (TextRule::Usually(usual), None) => usual.to_vec(),
            (TextRule::UsuallyMe, None) => self.occasion.me.unwrap_or_default().as_bytes().to_vec(),
            (TextRule::Fresh, None) => fresh(text, self.occasion.fresh),
            (TextRule::Open, None) => match slot {
                Slot::Int(number) => number.to_string().into_bytes(),
                // What has no name says nothing.
                _ if label.name == Name::Nothing => Vec::new(),
                _ => return Err(missing(label)),
            },
        };
        if text.class == Class::Hex
            && let Size::Fixed(digits) = text.size
        {
            written.truncate(digits as usize);
        }
        if let (Some(padding), Size::Fixed(length)) = (text.padded, &text.size) {
            let missing = (*length as usize).saturating_sub(written.len());
            let pad = std::iter::repeat_n(padding, missing);
            match padding {
                b'0' => drop(written.splice(0..0, pad)),
                _ => written.extend(pad),
            }
        } else if label.name == Name::Nothing
            && let Size::Fixed(length) = text.size
        {
            written.resize(length as usize, 0);
        }
        write_size(out, &text.size, written.len(), "bytes", || label)?;
        out.extend_from_slice(&written);
        Ok(())
    }

    #[inline]
    pub(super) fn region(&mut self, region: &'p Region, base: Base, out: &mut Vec<u8>) -> Result<(), Box<Unspeakable>> {
        let Size::Prefix(form) = &region.size else {
            let from = out.len();
            self.parts(&region.parts, base, out)?;
            if let Size::Fixed(length) = region.size {
                let padding = region.padded.unwrap_or_default();
                let padded = from + length as usize;
                if out.len() > padded {
                    return Err(of_another_size(
                        out.len() - from,
                        "bytes",
                        &format!("has {length}"),
                        self.label(region.slot),
                    ));
                }
                out.resize(padded, padding);
            }
            return Ok(());
        };
        let mut inside = Vec::new();
        self.parts(&region.parts, base, &mut inside)?;
        write_size(out, &Size::Prefix(form.clone()), inside.len(), "bytes", || self.label(region.slot))?;
        out.extend_from_slice(&inside);
        Ok(())
    }

    #[inline(never)]
    pub(super) fn bits(
        &mut self,
        fields: &[(u8, Number)],
        base: Base,
        out: &mut Vec<u8>,
    ) -> Result<(), Box<Unspeakable>> {
        let mut bits = Vec::new();
        for (width, number) in fields {
            let value = self.number_value(number, base)?;
            if !number.fits(value) {
                return Err(out_of_range(value, number, self.label_at(number.slot, base)));
            }
            if base == Base::Message
                && let Some(said) = self.said.get_mut(number.slot)
            {
                *said = value;
            }
            bits.extend((0..*width).rev().map(|bit| value >> bit & 1));
        }
        out.extend(bits.chunks(8).map(|byte| byte.iter().fold(0_u8, |byte, bit| byte << 1 | *bit as u8)));
        Ok(())
    }

    #[inline(never)]
    pub(super) fn list(&mut self, list: &'p List, base: Base, out: &mut Vec<u8>) -> Result<(), Box<Unspeakable>> {
        let slot = self.slots.get(base, list.slot);
        let (start, count, width) = match slot {
            Slot::List { start, count, width } => (start as usize, count as usize, width as usize),
            _ if list.computed().is_some() => return self.computed_list(list, out),
            _ => return Err(missing(self.label_at(list.slot, base))),
        };
        write_size(out, &list.size, count, "items", || self.label_at(list.slot, base))?;
        let outer = std::mem::replace(&mut self.shape, &list.item);
        for at in 0..count {
            if let Some(joined) = list.joined.as_ref().filter(|joined| at > 0 && !joined.ends) {
                out.extend_from_slice(&joined.separator);
            }
            if let Err(why) = self.parts(&list.item.parts, Base::Item(start + at * width), out) {
                self.shape = outer;
                return Err(why);
            }
            if let Some(joined) = list.joined.as_ref().filter(|joined| joined.ends) {
                out.extend_from_slice(&joined.separator);
            }
        }
        self.shape = outer;
        Ok(())
    }

    /// A list whose numbers measure the items of another: `sizes: list of u8 = length(names)`.
    pub(super) fn computed_list(&mut self, list: &'p List, out: &mut Vec<u8>) -> Result<(), Box<Unspeakable>> {
        let Some((number, of)) = list.computed() else { return Ok(()) };
        let missing = || missing(self.label(list.slot));
        let measured = self.shape.list(of).ok_or_else(missing)?;
        let Slot::List { start, count, width } = self.slots.at(of) else { return Err(missing()) };
        write_size(out, &list.size, count as usize, "items", || self.label(list.slot))?;
        for at in 0..count as usize {
            let mut item = Vec::new();
            let outer = std::mem::replace(&mut self.shape, &measured.item);
            let said = self.parts(&measured.item.parts, Base::Item(start as usize + at * width as usize), &mut item);
            self.shape = outer;
            said?;
            if !number.fits(item.len() as u64) || !write_number(out, &number.form, item.len() as u64) {
                return Err(out_of_range(item.len() as u64, number, self.label(list.slot)));
            }
        }
        Ok(())
    }

    #[inline(never)]
    pub(super) fn either(
        &mut self,
        rows: &'p [Vec<Part>],
        base: Base,
        out: &mut Vec<u8>,
    ) -> Result<(), Box<Unspeakable>> {
        let before = out.len();
        let mut last = None;
        for row in rows {
            match self.parts(row, base, out) {
                Ok(()) => return Ok(()),
                Err(why) => last = Some(why),
            }
            out.truncate(before);
        }
        last.map_or(Ok(()), Err)
    }
}

impl List {
    /// The number that each item is, and the list that it measures.
    pub(crate) fn computed(&self) -> Option<(&Number, usize)> {
        match self.item.parts.as_slice() {
            [Part::Number(number)] => match &number.rule {
                Rule::Measure { measure: Measure::Length, of: Of::Slots(of), .. } => Some((number, *of.first()?)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// New bytes of a text's length.
fn fresh(text: &Text, fresh: u64) -> Vec<u8> {
    let digits = format!("{fresh:016x}").into_bytes();
    match text.size {
        Size::Fixed(length) => digits.iter().rev().cycle().take(length as usize).copied().collect(),
        _ => digits,
    }
}
