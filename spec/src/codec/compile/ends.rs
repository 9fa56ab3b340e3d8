//! Where each part of a shape ends: the literal that follows it, the end of what it stands in, a byte that cannot
//! stand in it. A part that nothing ends is a mistake.

use crate::codec::compile::Compiler;
use crate::codec::compile::shape::Builder;
use crate::codec::field::Class;
use crate::codec::plan::{End, Form, List, Number, Part, Region, Rule, Size, Text, TextRule, least_bytes};
use crate::codec::speak::write::write_int;
use crate::load::Node;

/// What comes behind a part.
#[derive(Debug, Clone, Default)]
struct Follow {
    /// What it can begin with, as far as that is known.
    literals: Vec<Box<[u8]>>,
    /// Whether the end of the outer can come at once.
    end: bool,
    /// Whether it can begin with anything else.
    other: bool,
    /// The bytes up to the end of the outer, if they are always as many.
    fixed: Option<usize>,
}

impl<'a> Compiler<'a> {
    /// Decides where the parts of a shape end. `bounded`: the end of the whole is known from elsewhere. True comes
    /// back if it is not, and the last part needs it.
    pub(super) fn ends(&mut self, node: &'a Node, parts: &mut [Part], builder: &Builder<'a>, bounded: bool) -> bool {
        let ends = ends(parts, bounded);
        for slot in ends.without {
            let name = builder.labels.get(slot).map_or("", |label| label.text.as_str());
            let place = builder.places.get(slot).copied().flatten().unwrap_or(node);
            self.refuse(place, format!("nothing ends the field `{name}`"), |d| {
                d.help("say how long it is, such as text(u16), or put a text behind it that cannot stand in it")
            });
        }
        for slot in ends.endless {
            let place = builder.places.get(slot).copied().flatten().unwrap_or(node);
            self.refuse(place, "nothing ends this list: its items may be empty", |d| {
                d.help("say how many there are, such as list(u16) of …")
            });
        }
        ends.is_open
    }
}

/// As `Compiler::ends`; what has no end is told.
pub(super) fn ends(parts: &mut [Part], bounded: bool) -> Ends {
    let mut ends = Ends { bounded, is_open: false, without: Vec::new(), endless: Vec::new() };
    ends.parts(parts, &Follow { end: true, fixed: Some(0), ..Follow::default() });
    ends
}

/// What was decided.
pub(super) struct Ends {
    bounded: bool,
    pub(super) is_open: bool,
    without: Vec<usize>,
    /// Lists that could go on with empty items for ever.
    endless: Vec<usize>,
}

impl Ends {
    fn parts(&mut self, parts: &mut [Part], outer: &Follow) {
        for index in (0..parts.len()).rev() {
            let (before, behind) = parts.split_at_mut(index + 1);
            let follow = follow(behind, outer);
            match &mut before[index] {
                Part::Text(text) => self.text(text, &follow),
                Part::Region(Region { size: Size::Rest(End::Inside), parts, .. }) => self.parts(parts, &follow),
                Part::Region(region) => {
                    let is_plain = follow.literals.is_empty() && (follow.other || follow.end);
                    match &mut region.size {
                        // What nothing ends, and nobody speaks of, is nothing.
                        size @ Size::Rest(End::Unknown) if region.ignored && !self.bounded && is_plain => {
                            *size = Size::Fixed(0)
                        }
                        _ => {}
                    }
                    if let Size::Rest(end @ End::Unknown) = &mut region.size {
                        *end = self.end(region.slot, Class::Bytes, &follow);
                    }
                    let bounded = std::mem::replace(&mut self.bounded, true);
                    self.parts(&mut region.parts, &Follow { end: true, fixed: Some(0), ..Follow::default() });
                    self.bounded = bounded;
                    if let (true, Size::Rest(End::Before { .. })) = (region.ignored, &region.size) {
                        let (slot, size, rule) = (region.slot, region.size.clone(), TextRule::Usually(Box::default()));
                        let (filter, padded, sizes) = (None, None, Box::default());
                        before[index] = Part::Text(Text {
                            slot,
                            class: Class::Bytes,
                            size,
                            filter,
                            padded,
                            rule,
                            sizes,
                            plain: false,
                        });
                    }
                }
                Part::List(list) => self.list(list, &follow),
                Part::Json(json) => {
                    if let Size::Rest(end @ End::Unknown) = &mut json.size {
                        let behind = follow.fixed.filter(|_| self.bounded);
                        *end = behind.map_or(End::Inside, End::Outer);
                    }
                }
                Part::Either(rows) => rows.iter_mut().for_each(|row| self.parts(row, &follow)),
                Part::Number(Number { form: Form::Decimal, .. }) if follow.end && !self.bounded => self.is_open = true,
                _ => {}
            }
        }
    }

    fn text(&mut self, text: &mut Text, follow: &Follow) {
        if let Size::Rest(end @ End::Unknown) = &mut text.size {
            // A constant ends where it ends.
            if let TextRule::Is(fixed) = &text.rule {
                text.size = Size::Fixed(fixed.len() as u64);
                return;
            }
            *end = self.end(text.slot, text.class, follow);
        }
    }

    fn end(&mut self, slot: usize, class: Class, follow: &Follow) -> End {
        let is_bound_class = matches!(class, Class::Word | Class::Line | Class::Hex);
        if follow.end && !self.bounded {
            self.is_open = true;
        }
        // Where the end of the whole is known, so is that of what stands so many bytes before it.
        if let (Some(behind), true) = (follow.fixed, self.bounded) {
            return End::Outer(behind);
        }
        if !follow.other && !follow.literals.is_empty() {
            return End::Before { ends: follow.literals.clone().into(), or_end: follow.end };
        }
        match follow.fixed {
            _ if is_bound_class => End::Class,
            Some(behind) if behind == 0 || self.bounded => End::Outer(behind),
            _ => {
                self.without.push(slot);
                End::Outer(0)
            }
        }
    }

    fn list(&mut self, list: &mut List, follow: &Follow) {
        let mut inside = follow.clone();
        if let Size::Rest(end @ End::Unknown) = &mut list.size {
            let is_never_empty = |part: &Part| matches!(part, Part::Text(text) if text.class == Class::Word);
            if list.joined.is_none()
                && least_bytes(&list.item.parts) == 0
                && !list.item.parts.iter().any(is_never_empty)
            {
                self.endless.push(list.slot);
            }
            *end = match follow.literals.is_empty() {
                true => End::Outer(0),
                false => End::Before { ends: follow.literals.clone().into(), or_end: follow.end },
            };
            if follow.end && !self.bounded {
                self.is_open = true;
            }
            // Behind an item stands the next one, too.
            if list.joined.is_none() {
                inside = either(first(&list.item.parts), inside);
            }
        } else if list.joined.is_none() {
            inside = either(first(&list.item.parts), Follow { other: true, ..inside });
        }
        if let Some(joined) = &list.joined {
            if joined.ends {
                inside = Follow::default();
            }
            inside.literals.insert(0, joined.separator.clone());
            inside.fixed = None;
        }
        self.parts(&mut list.item.parts, &inside);
    }
}

/// What comes behind, up to the end of the outer.
fn follow(behind: &[Part], outer: &Follow) -> Follow {
    let Some((next, rest)) = behind.split_first() else { return outer.clone() };
    let mut first = match next {
        Part::Literal(literal) => Follow { literals: vec![literal.clone()], ..Follow::default() },
        Part::Text(Text {
            rule: TextRule::Is(fixed),
            filter: None,
            padded: None,
            size: Size::Rest(_) | Size::Fixed(_),
            ..
        }) => Follow { literals: vec![fixed.clone()], ..Follow::default() },
        Part::Number(Number { form: Form::Int(int), rule: Rule::Is(fixed), .. }) => {
            let mut literal = Vec::new();
            write_int(&mut literal, *int, *fixed);
            Follow { literals: vec![literal.into()], ..Follow::default() }
        }
        Part::Region(Region { size: Size::Rest(End::Inside), parts, .. }) => {
            self::follow(parts, &self::follow(rest, outer))
        }
        Part::Either(rows) => {
            let rest = follow(rest, outer);
            rows.iter().map(|row| follow(row, &rest)).reduce(either).unwrap_or(rest)
        }
        // It may be empty.
        Part::List(List { size: Size::Rest(_), item, .. }) => either(self::first(&item.parts), follow(rest, outer)),
        _ => Follow { other: true, ..Follow::default() },
    };
    first.fixed = fixed(behind).zip(outer.fixed).map(|(own, outer)| own + outer);
    first
}

/// What some parts begin with.
fn first(parts: &[Part]) -> Follow {
    follow(parts, &Follow { other: true, ..Follow::default() })
}

fn either(mut one: Follow, other: Follow) -> Follow {
    for literal in other.literals {
        if !one.literals.contains(&literal) {
            one.literals.push(literal);
        }
    }
    one.end |= other.end;
    one.other |= other.other;
    one.fixed = one.fixed.filter(|fixed| other.fixed == Some(*fixed));
    one
}

/// How many bytes parts take, if they are always as many.
fn fixed(parts: &[Part]) -> Option<usize> {
    parts.iter().try_fold(0_usize, |sum, part| {
        let bytes = match part {
            Part::Literal(bytes) => bytes.len(),
            Part::Number(Number { form: Form::Int(int), .. }) => int.bytes(),
            Part::Number(Number { form: Form::Padded { width, .. }, .. }) => usize::from(*width),
            Part::Bits(_) => part.least_bytes(),
            Part::Text(Text { size: Size::Fixed(length), .. }) => usize::try_from(*length).ok()?,
            Part::Text(Text { rule: TextRule::Is(fixed), .. }) => fixed.len(),
            Part::Region(Region { size: Size::Fixed(length), .. }) => usize::try_from(*length).ok()?,
            Part::Region(Region { size: Size::Rest(End::Inside), parts, .. }) => self::fixed(parts)?,
            _ => return None,
        };
        sum.checked_add(bytes)
    })
}

/// Whether a number says how long the whole is.
pub(super) fn measures_itself(parts: &[Part]) -> bool {
    let frame = |number: &Number| {
        matches!(
            &number.rule,
            Rule::Measure { measure: crate::codec::field::Measure::Length, of: crate::codec::plan::Of::Frame, .. }
        )
    };
    parts.iter().any(|part| match part {
        Part::Number(number) => frame(number),
        Part::Bits(fields) => fields.iter().any(|(_, number)| frame(number)),
        _ => false,
    })
}
