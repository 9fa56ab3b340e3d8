//! Messages: the frame, narrowed.

use crate::codec::compile::ends::measures_itself;
use crate::codec::compile::frame::fillable;
use crate::codec::compile::measure::{collect_echoes, collect_measures, collect_values, settle};
use crate::codec::compile::shape::Builder;
use crate::codec::compile::{Compiler, text};
use crate::codec::field::{Class, Measure};
use crate::codec::json::Json;
use crate::codec::plan::{
    End, Form, Frame, JsonText, Message, Name, Number, Of, Part, Region, Rule, Shape, Size, Text, TextRule,
};
use crate::load::Node;

impl<'a> Compiler<'a> {
    /// The frame, narrowed.
    pub(super) fn message(&mut self, node: &'a Node, frame: &Frame, request: Option<Vec<String>>) -> Option<Message> {
        let mut builder = Builder {
            labels: frame.shape.labels.clone(),
            places: vec![None; frame.shape.labels.len()],
            made: frame.made.clone(),
            request,
            ..Builder::default()
        };
        let mut parts = Vec::new();
        let open: Vec<&Part> = frame.shape.parts.iter().filter(|part| fillable(part)).collect();
        let sole = if let [sole] = open.as_slice() { sole.slot() } else { None };
        let is_json_alone = matches!(frame.shape.parts.as_slice(), [Part::Json(_), ..]) && sole.is_some();
        let alone = node.entries().is_none()
            || (is_json_alone && !self.narrows_members(node, frame) && !names_fields(node, frame));
        if alone {
            let Some(sole) = sole else {
                self.refuse(node, "a message is a map of the frame's fields", |d| {
                    d.help("such as {code: 3, body: []}")
                });
                return None;
            };
            for part in &frame.shape.parts {
                let narrowed = (part.slot() == Some(sole)).then_some(node);
                parts.extend(self.narrow(part, narrowed, &mut builder)?);
            }
        } else {
            self.refuse_unknown_fields(node, frame);
            for part in &frame.shape.parts {
                if let Part::Json(JsonText { slot, json: Json::Object(members) }) = part {
                    let json = self.narrow_members(node, members, &mut builder)?;
                    parts.push(Part::Json(JsonText { slot: *slot, json }));
                    continue;
                }
                if let Part::Bits(fields) = part {
                    let narrow = |(bits, number): &(u8, Number)| {
                        let given = node.get(&frame.shape.labels[number.slot].text);
                        let number = match given {
                            Some(given) if frame.shape.labels[number.slot].name != Name::Nothing => {
                                self.fix(given, number, frame)
                            }
                            _ => number.clone(),
                        };
                        (*bits, number)
                    };
                    parts.push(Part::Bits(fields.iter().map(narrow).collect()));
                    continue;
                }
                let label =
                    part.slot().map(|slot| &frame.shape.labels[slot]).filter(|label| label.name != Name::Nothing);
                let given = label.and_then(|label| node.get(&label.text));
                match (part, given) {
                    (Part::Number(number), Some(given)) => parts.push(Part::Number(self.fix(given, number, frame))),
                    (part, given) => parts.extend(self.narrow(part, given, &mut builder)?),
                }
            }
        }
        Some(self.finish(node, parts, builder))
    }

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
                let parts = match given.text().filter(|text| !text.contains('{')) {
                    Some(name) => {
                        let shape = self.shape(given, name, builder)?;
                        self.parts_of_shape(shape, name, builder)?
                    }
                    None => self.parts(given, builder)?,
                };
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
            Part::Json(JsonText { slot, .. }) => {
                let json = self.json(given, builder)?;
                Some(vec![Part::Json(JsonText { slot: *slot, json })])
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

    /// Measures, ends, and what follows from them.
    pub(super) fn finish(&mut self, node: &'a Node, mut parts: Vec<Part>, mut builder: Builder<'a>) -> Message {
        self.frame_measures(&parts, &mut builder);
        self.measure(node, &mut parts, &mut builder);
        // A field of the frame that this message fills in another way, or not at all, is nobody's value.
        let mut values = Vec::new();
        collect_values(&parts, &mut values);
        let bounded = measures_itself(&parts);
        let is_open = self.ends(node, &mut parts, &builder, bounded);
        let mut measures = Vec::new();
        collect_measures(&parts, &mut measures);
        measures.sort_by_key(|number| match &number.rule {
            Rule::Measure { measure: Measure::Length | Measure::Count, .. } => 0,
            _ => 1,
        });
        let patches = measures.iter().all(|number| {
            let stands_alone = parts.iter().any(|part| matches!(part, Part::Number(own) if own.slot == number.slot));
            matches!(number.form, Form::Int(_)) && stands_alone
        });
        for number in &measures {
            builder.labels[number.slot].marked = true;
        }
        for (_, label) in builder.labels.iter_mut().enumerate().filter(|(slot, _)| !values.contains(slot)) {
            label.name = Name::Nothing;
        }
        settle(&mut parts, &builder.labels);
        let mut echoes = Vec::new();
        collect_echoes(&parts, &builder, &mut echoes);
        let is_whole =
            |number: &&Number| !matches!(number.rule, Rule::Measure { measure: Measure::Length, of: Of::Frame, .. });
        let checks = measures.iter().filter(is_whole).cloned().collect();
        Message {
            shape: Shape { parts, labels: builder.labels },
            is_open,
            measures,
            checks,
            patches,
            echoes,
            made: builder.made,
        }
    }

    pub(super) fn known_error(&mut self, node: &Node) {
        let (name, service) = (node.text().unwrap_or_default(), self.service);
        if !service.errors.contains_key(name) {
            self.refuse(node, format!("errors.yaml has no error `{name}`"), |d| {
                d.suggest(name, service.errors.keys().map(String::as_str))
            });
        }
    }

    /// Whether a list is several messages, and not one that is a row of fields.
    pub(super) fn alternatives(&self, node: &'a Node, frame: &Frame) -> Vec<&'a Node> {
        let takes_rows =
            frame.shape.parts.iter().any(|part| matches!(part, Part::Text(Text { class: Class::Bytes, .. })));
        match node.items() {
            Some(items)
                if !takes_rows || items.iter().all(|item| item.entries().is_some() && text(item).is_empty()) =>
            {
                let are_fields = takes_rows
                    && items
                        .iter()
                        .all(|item| matches!(item.entries(), Some([(key, _)]) if frame.position(&text(key)).is_none()));
                if are_fields { vec![node] } else { items.iter().collect() }
            }
            _ => vec![node],
        }
    }
}

/// Whether a map speaks of the frame's fields, and of nothing else.
fn names_fields(node: &Node, frame: &Frame) -> bool {
    let is_field = |key: &str| key == "then" || frame.position(key).is_some();
    node.entries().is_some_and(|entries| entries.iter().all(|(key, _)| is_field(&text(key))))
}
