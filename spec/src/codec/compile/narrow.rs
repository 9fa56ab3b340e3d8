//! The parts of a frame, filled with what a message says of them. Not here: the message as a whole (`message`).

use std::collections::BTreeSet;

use crate::codec::compile::shape::Builder;
use crate::codec::compile::{Compiler, text};
use crate::codec::field::Class;
use crate::codec::json::Json;
use crate::codec::plan::{End, Frame, JsonText, Name, Number, Part, Region, Rule, Size, Text, TextRule};
use crate::load::Node;

impl<'a> Compiler<'a> {
    /// Whether a map narrows the members of a frame that is a map itself.
    pub(super) fn narrows_members(&self, node: &Node, frame: &Frame) -> bool {
        let object = frame.shape.parts.iter().find_map(|part| match part {
            Part::Json(JsonText { json: Json::Object(members), .. }) => Some(members),
            _ => None,
        });
        object.is_some() && node.entries().is_some()
    }

    pub(super) fn refuse_unknown_fields(&mut self, node: &Node, frame: &Frame) {
        let members = frame.shape.parts.iter().filter_map(|part| match part {
            Part::Json(JsonText { json: Json::Object(members), .. }) => {
                Some(members.iter().map(|(name, _)| name.as_str()))
            }
            _ => None,
        });
        let known: Vec<&str> = members.flatten().chain(frame.names().filter(|name| !name.is_empty())).collect();
        for (key, _) in node.entries().unwrap_or_default() {
            let field = key.text().unwrap_or_default();
            if field != "then" && !known.contains(&field) {
                self.refuse(key, format!("the frame has no field `{field}`"), |d| d.suggest(field, known.clone()));
            }
        }
    }

    /// What a message says of a field must have found its place.
    pub(super) fn refuse_unused_fields(&mut self, node: &Node, frame: &Frame, used: &[String]) {
        for (key, _) in node.entries().unwrap_or_default() {
            let field = text(key);
            if frame.position(&field).is_some() && !used.contains(&field) {
                self.refuse(key, format!("a message cannot say what the frame's field `{field}` is"), |d| {
                    d.help("it stands deeper in the frame than a message reaches: fields of rows, and members of the outermost map")
                });
            }
        }
    }

    /// A part of the frame, filled with what a map of the frame's fields says of it. What was said is added to `used`.
    pub(super) fn narrow_by(
        &mut self,
        node: &'a Node,
        part: &Part,
        frame: &Frame,
        used: &mut Vec<String>,
        builder: &mut Builder<'a>,
    ) -> Option<Vec<Part>> {
        let given = |slot: usize| {
            let label = &frame.shape.labels[slot];
            node.get(&label.text).filter(|_| label.name != Name::Nothing)
        };
        match part {
            Part::Json(JsonText { slot, size, json: Json::Object(members) }) => {
                used.extend(members.iter().map(|(name, _)| name.clone()));
                let json = self.narrow_members(node, members, builder)?;
                Some(vec![Part::Json(JsonText { slot: *slot, size: size.clone(), json })])
            }
            Part::Bits(fields) => {
                let narrow = |(bits, number): &(u8, Number)| {
                    used.push(frame.shape.labels[number.slot].text.clone());
                    let fixed = given(number.slot).map(|given| self.fix(given, number, frame));
                    (*bits, fixed.unwrap_or_else(|| number.clone()))
                };
                Some(vec![Part::Bits(fields.iter().map(narrow).collect())])
            }
            Part::Either(rows) => {
                // Of the rows only those that have all of what is said.
                let said: BTreeSet<usize> =
                    rows.iter().flat_map(|row| slots(row)).filter(|slot| given(*slot).is_some()).collect();
                let kept = rows.iter().filter(|row| said.is_subset(&slots(row)));
                let narrowed = kept.map(|row| {
                    let parts = row.iter().map(|part| self.narrow_by(node, part, frame, used, builder));
                    Some(parts.collect::<Option<Vec<_>>>()?.concat())
                });
                let mut rows = narrowed.collect::<Option<Vec<_>>>()?;
                if rows.is_empty() {
                    self.refuse(node, "no row of the frame's `either` has all of these fields", |d| d);
                    return None;
                }
                Some(if rows.len() == 1 { rows.remove(0) } else { vec![Part::Either(rows)] })
            }
            part => {
                let slot = part.slot();
                used.extend(slot.map(|slot| frame.shape.labels[slot].text.clone()));
                match (part, slot.and_then(given)) {
                    (Part::Number(number), Some(given)) => Some(vec![Part::Number(self.fix(given, number, frame))]),
                    (part, given) => self.narrow(part, given, builder),
                }
            }
        }
    }

    /// A number of the frame, fixed.
    pub(super) fn fix(&mut self, value: &Node, number: &Number, frame: &Frame) -> Number {
        let field = &frame.shape.labels[number.slot].text;
        let Some(fixed) = self.document.typed::<u64>(value).ok() else {
            self.refuse(value, format!("the frame's field `{field}` takes a number"), |d| d);
            return number.clone();
        };
        let Number { least, most, .. } = *number;
        if !number.fits(fixed) {
            self.refuse(value, format!("`{field}` cannot be {fixed}: its type holds {least} to {most}"), |d| d);
        }
        Number { least: fixed, most: fixed, rule: Rule::Is(fixed), ..number.clone() }
    }

    /// A part of the frame, filled with what the message says; with nothing if it says nothing.
    pub(super) fn narrow(
        &mut self,
        part: &Part,
        given: Option<&'a Node>,
        builder: &mut Builder<'a>,
    ) -> Option<Vec<Part>> {
        let Some(given) = given else {
            return Some(vec![match part {
                Part::Text(Text {
                    slot,
                    size,
                    rule: TextRule::Open,
                    class: Class::Bytes | Class::Text | Class::Line,
                    filter: None,
                    padded,
                    ..
                }) => Part::Region(Region {
                    slot: *slot,
                    size: size.clone(),
                    parts: Vec::new(),
                    ignored: true,
                    padded: *padded,
                }),
                part => part.clone(),
            }]);
        };
        match part {
            Part::Text(text) => {
                if given.is_plain() && given.text().is_some_and(|text| text.parse::<f64>().is_ok()) {
                    let written = given.text().unwrap_or_default().to_owned();
                    self.refuse(given, "a number stands where a text is expected", |d| {
                        d.help(format!("put it in quotes: \"{written}\""))
                    });
                    return None;
                }
                let constant = given.text().filter(|text| !text.contains('{') && !self.is_shape(text));
                if let (Some(constant), false) = (constant, text.class == Class::Bytes) {
                    if let (Size::Rest(_), true) = (&text.size, text.class == Class::Text) {
                        return Some(
                            vec![Part::Literal(constant.as_bytes().into())]
                                .into_iter()
                                .filter(|_| !constant.is_empty())
                                .collect(),
                        );
                    }
                    let (rule, size) = (TextRule::Is(constant.as_bytes().into()), text.size.clone());
                    return Some(vec![Part::Text(Text { rule, size, ..text.clone() })]);
                }
                builder.class = match text.class {
                    Class::Word => Some("word"),
                    Class::Line => Some("line"),
                    _ => None,
                };
                let parts = match given.text().filter(|text| !text.contains('{')) {
                    Some(name) => {
                        let shape = self.shape(given, name, builder)?;
                        self.parts_of_shape(shape, name, builder)
                    }
                    None => self.parts(given, builder),
                };
                builder.class = None;
                let parts = parts?;
                match &text.size {
                    Size::Rest(_) if builder.labels[text.slot].marked => {
                        let size = Size::Rest(End::Inside);
                        Some(vec![Part::Region(Region { slot: text.slot, size, parts, ignored: false, padded: None })])
                    }
                    Size::Rest(_) => Some(parts),
                    size => Some(vec![Part::Region(Region {
                        slot: text.slot,
                        size: size.clone(),
                        parts,
                        ignored: false,
                        padded: text.padded,
                    })]),
                }
            }
            Part::Json(JsonText { slot, size, .. }) => {
                let json = self.json(given, builder)?;
                Some(vec![Part::Json(JsonText { slot: *slot, size: size.clone(), json })])
            }
            part => {
                let field = part.slot().map(|slot| builder.labels[slot].text.clone()).unwrap_or_default();
                self.refuse(given, format!("the frame's field `{field}` cannot be filled"), |d| d);
                None
            }
        }
    }

    pub(super) fn is_shape(&self, name: &str) -> bool {
        self.document.root.get("shapes").is_some_and(|shapes| shapes.get(name).is_some())
    }

    pub(super) fn narrow_members(
        &mut self,
        node: &'a Node,
        members: &[(String, Json)],
        builder: &mut Builder<'a>,
    ) -> Option<Json> {
        let narrowed = members.iter().map(|(name, json)| {
            let json = match node.get(name) {
                Some(given) => self.json(given, builder)?,
                None => json.clone(),
            };
            Some((name.clone(), json))
        });
        Some(Json::Object(narrowed.collect::<Option<_>>()?))
    }
}

/// The slots of a row's own parts.
fn slots(row: &[Part]) -> BTreeSet<usize> {
    let of = |part: &Part| match part {
        Part::Bits(fields) => fields.iter().map(|(_, number)| number.slot).collect(),
        Part::Either(rows) => rows.iter().flat_map(|row| slots(row)).collect(),
        part => part.slot().into_iter().collect::<BTreeSet<usize>>(),
    };
    row.iter().flat_map(of).collect()
}
