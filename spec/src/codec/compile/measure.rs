//! What measures what, and other facts about the finished parts of a message.

use crate::codec::compile::Compiler;
use crate::codec::compile::shape::Builder;
use crate::codec::field::{Class, Measure};
use crate::codec::plan::{List, Name, Number, Of, Part, Rule, Size, Text, TextRule};
use crate::load::Node;

impl<'a> Compiler<'a> {
    /// The frame's own measures, by name again: what they measure may be filled now.
    pub(super) fn frame_measures(&self, parts: &[Part], builder: &mut Builder<'a>) {
        for part in parts {
            if let Part::Number(Number { slot, rule: Rule::Measure { measure, of: Of::Slots(of), plus }, .. }) = part
                && !of.is_empty()
            {
                let names = of.iter().map(|slot| builder.labels[*slot].text.clone()).collect();
                builder.measures.push((*slot, *measure, names, *plus));
            }
        }
    }

    /// Turns the names of what is measured into slots, and lets lengths and counts end what they measure.
    pub(super) fn measure(&mut self, node: &'a Node, parts: &mut [Part], builder: &mut Builder<'a>) {
        for (by, measure, names, plus) in std::mem::take(&mut builder.measures) {
            let node = builder.places.get(by).copied().flatten().unwrap_or(node);
            let mut slots = Vec::new();
            for name in &names {
                match builder.labels.iter().position(|label| label.name != Name::Nothing && label.text == *name) {
                    Some(slot) if slot == by => {
                        self.refuse(node, format!("`{name}` measures itself"), |d| d);
                    }
                    Some(slot) => slots.push(slot),
                    None => {
                        let known: Vec<&str> = builder.labels.iter().map(|label| label.text.as_str()).collect();
                        self.refuse(node, format!("there is nothing called `{name}` to be measured"), |d| {
                            d.suggest(name, known)
                        });
                    }
                }
            }
            let Some(last) = slots.last().copied() else { continue };
            for slot in &slots {
                builder.labels[*slot].marked = true;
            }
            let from = slots[0];
            let of = Of::Slots(slots.into());
            set_measure(parts, by, measure, &of, plus, (from, last));
        }
        // A list of sizes has as many as what they measure.
        let mut counts = Vec::new();
        each_list(parts, &mut |list| {
            if let Size::Measured { .. } = &list.size {
                counts.push((list.slot, list.size.clone()));
            }
        });
        each_list(parts, &mut |list| {
            if let (Size::Rest(_), Some((_, of))) = (&list.size, list.computed())
                && let Some((_, size)) = counts.iter().find(|(slot, _)| *slot == of)
            {
                list.size = size.clone();
            }
        });
    }
}

fn set_measure(parts: &mut [Part], by: usize, measure: Measure, of: &Of, plus: i64, (from, last): (usize, usize)) {
    let rule = Rule::Measure { measure, of: of.clone(), plus };
    for part in parts {
        match part {
            Part::Number(number) if number.slot == by => number.rule = rule.clone(),
            Part::Bits(fields) => {
                fields
                    .iter_mut()
                    .filter(|(_, number)| number.slot == by)
                    .for_each(|(_, number)| number.rule = rule.clone());
            }
            Part::Region(region) => {
                if measure.is_length() && region.slot == last && matches!(region.size, Size::Rest(_)) {
                    region.size = Size::Measured { by, measure, from, plus };
                }
                set_measure(&mut region.parts, by, measure, of, plus, (from, last));
            }
            Part::Either(rows) => rows.iter_mut().for_each(|row| set_measure(row, by, measure, of, plus, (from, last))),
            Part::Text(text) if measure.is_length() && text.slot == last && matches!(text.size, Size::Rest(_)) => {
                text.size = Size::Measured { by, measure, from, plus };
            }
            Part::Json(json) if measure.is_length() && json.slot == last && matches!(json.size, Size::Rest(_)) => {
                json.size = Size::Measured { by, measure, from, plus };
            }
            Part::List(list) => {
                if list.slot == last && matches!(list.size, Size::Rest(_)) && measure == Measure::Count {
                    list.size = Size::Measured { by, measure, from, plus };
                }
                if list.slot == by
                    && let [Part::Number(number)] = list.item.parts.as_mut_slice()
                {
                    number.rule = rule.clone();
                }
                // `sizes: list of u8 = length(names)`: each item of the one ends an item of the other.
                if list.slot == last
                    && measure == Measure::Length
                    && let [Part::Text(Text { size: size @ Size::Rest(_), .. })] = list.item.parts.as_mut_slice()
                {
                    *size = Size::Each { by };
                    if matches!(list.size, Size::Rest(_)) {
                        list.size = Size::Each { by };
                    }
                }
            }
            _ => {}
        }
    }
}

fn each_list(parts: &mut [Part], act: &mut dyn FnMut(&mut List)) {
    for part in parts {
        match part {
            Part::List(list) => act(list),
            Part::Region(region) => each_list(&mut region.parts, act),
            Part::Either(rows) => rows.iter_mut().for_each(|row| each_list(row, act)),
            _ => {}
        }
    }
}

pub(super) fn collect_measures(parts: &[Part], measures: &mut Vec<Number>) {
    for part in parts {
        match part {
            Part::Number(number @ Number { rule: Rule::Measure { .. }, .. }) => measures.push(number.clone()),
            Part::Bits(fields) => {
                let measured = fields.iter().filter(|(_, number)| matches!(number.rule, Rule::Measure { .. }));
                measures.extend(measured.map(|(_, number)| number.clone()));
            }
            Part::Region(region) => collect_measures(&region.parts, measures),
            Part::Either(rows) => rows.iter().for_each(|row| collect_measures(row, measures)),
            Part::List(List { .. }) | Part::Number(_) | Part::Literal(_) | Part::Text(_) | Part::Json(_) => {}
        }
    }
}

/// Marks what is a value and nothing more: that is most of what is spoken and heard, and need not be asked about.
pub(super) fn settle(parts: &mut [Part], labels: &[crate::codec::plan::Label]) {
    for part in parts {
        match part {
            Part::Number(number) => {
                number.plain = !labels[number.slot].marked && !matches!(number.rule, Rule::Measure { .. });
            }
            Part::Text(text) => {
                let is_open = text.rule == TextRule::Open && text.filter.is_none() && text.padded.is_none();
                let is_any = matches!(text.class, Class::Bytes | Class::Text);
                text.plain = is_open && is_any && !labels[text.slot].marked;
            }
            Part::Region(region) => settle(&mut region.parts, labels),
            Part::Either(rows) => rows.iter_mut().for_each(|row| settle(row, labels)),
            Part::List(list) => settle(&mut list.item.parts, &list.item.labels),
            Part::Literal(_) | Part::Bits(_) | Part::Json(_) => {}
        }
    }
}

/// Slots that hold a value.
pub(super) fn collect_values(parts: &[Part], values: &mut Vec<usize>) {
    for part in parts {
        match part {
            Part::Region(region) => collect_values(&region.parts, values),
            Part::Either(rows) => rows.iter().for_each(|row| collect_values(row, values)),
            Part::Bits(fields) => values.extend(fields.iter().map(|(_, number)| number.slot)),
            Part::Json(json) => json.json.slots(values),
            Part::Text(Text { rule: TextRule::Is(_), .. }) => {}
            part => values.extend(part.slot()),
        }
    }
}

/// Slots whose value must be what the request said, if it said one.
pub(super) fn collect_echoes(parts: &[Part], builder: &Builder, echoes: &mut Vec<usize>) {
    let named = |slot: usize| builder.labels[slot].name != Name::Nothing;
    let number = |number: &Number| match number.rule {
        Rule::Open | Rule::Fresh => named(number.slot),
        Rule::Known { .. } => true,
        _ => false,
    };
    for part in parts {
        match part {
            Part::Number(own) if number(own) => echoes.push(own.slot),
            Part::Bits(fields) => echoes.extend(fields.iter().filter(|(_, own)| number(own)).map(|(_, own)| own.slot)),
            Part::Text(text) if text.rule == TextRule::Open && named(text.slot) => echoes.push(text.slot),
            Part::Region(region) => collect_echoes(&region.parts, builder, echoes),
            Part::Either(rows) => rows.iter().for_each(|row| collect_echoes(row, builder, echoes)),
            Part::Json(json) => {
                let mut slots = Vec::new();
                json.json.slots(&mut slots);
                echoes.extend(slots.into_iter().filter(|slot| named(*slot)));
            }
            _ => {}
        }
    }
}
