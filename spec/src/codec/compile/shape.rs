//! Shapes: rows of fields, templates and maps into parts, and their names into slots.

use crate::codec::compile::Compiler;
use crate::codec::field::Measure;
use crate::codec::json::Json;
use crate::codec::plan::{JsonText, Label, Made, Name, Number, Part};
use crate::load::Node;
use crate::service::FieldKind;

/// The names of the shape that is being made, and what is still to be said about them.
#[derive(Debug, Default, Clone)]
pub(super) struct Builder<'a> {
    pub(super) labels: Vec<Label>,
    /// Where each slot is written.
    pub(super) places: Vec<Option<&'a Node>>,
    /// Numbers that measure parts by name: slot, measure, names, plus. The names may stand further behind.
    pub(super) measures: Vec<(usize, Measure, Vec<String>, i64)>,
    /// Values that a speaker makes up.
    pub(super) made: Vec<(usize, Made)>,
    /// Names that a number of the request's frame has, where this is an answer.
    pub(super) request: Option<Vec<String>>,
    /// The shapes that are being made, of which each stands in the one before.
    pub(super) path: Vec<String>,
    /// What a hole holds that does not say so, where it stands in a field of the frame that is a word or a line.
    pub(super) class: Option<&'static str>,
}

/// A piece of a template.
pub(super) enum Piece {
    Literal(String),
    Hole(String),
}

impl<'a> Compiler<'a> {
    /// Any shape as it stands in a message: a list, a template, or a map.
    pub(super) fn parts(&mut self, node: &'a Node, builder: &mut Builder<'a>) -> Option<Vec<Part>> {
        if let Some(template) = node.text() {
            return self.template(node, template, builder);
        }
        match (node.items(), node.get("either")) {
            (Some(items), _) => self.row(items, builder),
            (None, Some(_)) if node.entries().is_some_and(|entries| entries.len() == 1) => self.either(node, builder),
            _ => self.map(node, builder),
        }
    }

    /// A list of fields, one after another.
    pub(super) fn row(&mut self, items: &'a [Node], builder: &mut Builder<'a>) -> Option<Vec<Part>> {
        let (mut parts, mut bits) = (Vec::new(), Vec::new());
        let mut known = Vec::new();
        for item in items {
            let (name, kind) = match item.entries() {
                Some([(key, value)]) if key.text() == Some("either") => {
                    parts.extend(self.either(item, builder).unwrap_or_default());
                    let _ = value;
                    continue;
                }
                Some([(key, value)]) => (key.text().unwrap_or_default(), value),
                Some(_) => {
                    self.refuse(item, "a field is one name and its type", |d| d);
                    continue;
                }
                None => ("", item),
            };
            let Some(written) = kind.text() else {
                match kind.items() {
                    Some(items) if name.is_empty() => parts.extend(self.row(items, builder)?),
                    _ => self.refuse(kind, "a field's type is written as words", |d| d.help("such as text(u16)")),
                }
                continue;
            };
            if !name.is_empty() && name != "_" {
                if known.contains(&name) {
                    self.refuse(item, format!("the field `{name}` stands here twice"), |d| d);
                }
                known.push(name);
            }
            if name.is_empty() && (written.contains('{') || (written.trim().is_empty() && !written.is_empty())) {
                parts.extend(self.template(kind, written, builder)?);
                continue;
            }
            match self.field(kind, name, written, builder) {
                Some(Field::Bits(width, number)) => {
                    bits.push((width, number));
                    let total: usize = bits.iter().map(|(width, _)| usize::from(*width)).sum();
                    if total.is_multiple_of(8) {
                        parts.push(Part::Bits(std::mem::take(&mut bits)));
                    }
                    continue;
                }
                Some(Field::Parts(more)) => {
                    self.refuse_half_bytes(item, &mut bits);
                    parts.extend(more);
                }
                None => {}
            }
        }
        if let Some(last) = items.last() {
            self.refuse_half_bytes(last, &mut bits);
        }
        Some(parts)
    }

    pub(super) fn refuse_half_bytes(&mut self, node: &Node, bits: &mut Vec<(u8, Number)>) {
        if !bits.is_empty() {
            let total: usize = bits.drain(..).map(|(width, _)| usize::from(width)).sum();
            self.refuse(node, format!("the bits before this do not fill bytes: there are {total}"), |d| {
                d.help(format!("add `_: u{}`", 8 - total % 8))
            });
        }
    }

    /// Text with holes.
    pub(super) fn template(&mut self, node: &'a Node, template: &str, builder: &mut Builder<'a>) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        for piece in self.pieces(node, template)? {
            match piece {
                Piece::Literal(text) => parts.push(Part::Literal(text.into_bytes().into())),
                Piece::Hole(hole) => {
                    let (name, written) = split_hole(&hole);
                    let written = match written.split_whitespace().next() {
                        None | Some("as" | "padded" | "in" | "=" | "usually") => {
                            let usual = self.usual_type(name);
                            let class = builder.class.filter(|_| usual == "text").unwrap_or(&usual);
                            format!("{class} {written}").trim_end().to_owned()
                        }
                        Some(_) => written.to_owned(),
                    };
                    match self.field(node, name, &written, builder)? {
                        Field::Parts(more) => parts.extend(more),
                        Field::Bits(..) => self.refuse(node, "bits do not stand in text", |d| d),
                    }
                }
            }
        }
        Some(parts)
    }

    /// What a hole holds that does not say so.
    pub(super) fn usual_type(&self, name: &str) -> String {
        let field = name.strip_prefix("my ").unwrap_or(name);
        match self.service.field(field).map(|field| field.kind) {
            Some(FieldKind::Int | FieldKind::Flag) => "int".into(),
            // Whoever acts has a name that the protocol allows, and that has no white space.
            _ if name == "me" => "word".into(),
            _ => "text".into(),
        }
    }

    pub(super) fn pieces(&mut self, node: &Node, template: &str) -> Option<Vec<Piece>> {
        let (mut pieces, mut literal) = (Vec::new(), String::new());
        let mut rest = template;
        while let Some(c) = rest.chars().next() {
            if rest.starts_with("{{") || rest.starts_with("}}") {
                literal.push(c);
                rest = &rest[2..];
            } else if c == '{' {
                let Some(end) = rest.find('}') else {
                    self.refuse(node, "a hole is not closed", |d| d.help("`{name}`; a brace itself is written `{{`"));
                    return None;
                };
                let (hole, _) = split_hole(&rest[1..end]);
                if rest[1..end].contains('{') {
                    self.refuse(node, "a hole is not closed", |d| d.help("`{name}`; a brace itself is written `{{`"));
                    return None;
                }
                if hole.is_empty() || !hole.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ' ') {
                    self.refuse(node, format!("`{{{hole}}}` has no name"), |d| {
                        d.help("what is heard and forgotten is `{_}`; a brace itself is written `{{`")
                    });
                    return None;
                }
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Hole(rest[1..end].to_owned()));
                rest = &rest[end + 1..];
            } else {
                literal.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        pieces.extend((!literal.is_empty()).then_some(Piece::Literal(literal)));
        Some(pieces)
    }

    pub(super) fn either(&mut self, node: &'a Node, builder: &mut Builder<'a>) -> Option<Vec<Part>> {
        let alternatives = node.get("either")?;
        let Some(rows) = alternatives.items().filter(|rows| !rows.is_empty()) else {
            self.refuse(alternatives, "after `either` comes a list of shapes", |d| d);
            return None;
        };
        if rows.iter().all(|row| row.entries().is_some()) {
            let jsons: Vec<Json> = rows.iter().map(|row| self.json(row, builder)).collect::<Option<_>>()?;
            let slot = builder.nameless("json");
            return Some(vec![Part::Json(JsonText::new(slot, Json::Either(jsons)))]);
        }
        let rows = rows.iter().map(|row| self.parts(row, builder)).collect::<Option<_>>()?;
        Some(vec![Part::Either(rows)])
    }

    pub(super) fn map(&mut self, node: &'a Node, builder: &mut Builder<'a>) -> Option<Vec<Part>> {
        let json = self.json(node, builder)?;
        let slot = builder.nameless("");
        Some(vec![Part::Json(JsonText::new(slot, json))])
    }
}

/// What a written field becomes.
pub(super) enum Field {
    Parts(Vec<Part>),
    Bits(u8, Number),
}

impl<'a> Builder<'a> {
    /// The slot of a label: of a name that is known already, the same.
    pub(super) fn slot(&mut self, label: Label) -> usize {
        let known = self.labels.iter().position(|known| known.name == label.name && known.text == label.text);
        match known.filter(|_| label.name != Name::Nothing) {
            Some(slot) => slot,
            None => {
                self.labels.push(label);
                self.places.push(None);
                self.labels.len() - 1
            }
        }
    }

    pub(super) fn nameless(&mut self, text: &str) -> usize {
        self.slot(Label { text: text.to_owned(), name: Name::Nothing, kind: None, marked: false })
    }
}

/// What stands between braces: a name, and what is said of it: `name: type`, `name as base64`, `name`.
pub(crate) fn split_hole(hole: &str) -> (&str, &str) {
    if let Some((name, written)) = hole.split_once(':').filter(|(name, _)| !name.contains('\'')) {
        return (name.trim(), written.trim());
    }
    let more = [" as ", " padded ", " in ", " = ", " usually "].iter().filter_map(|word| hole.find(word)).min();
    let (name, written) = hole.split_at(more.unwrap_or(hole.len()));
    (name.trim(), written.trim())
}

/// `token`, `my token`, `id of recipient`, `me`, `_`.
pub(super) fn whose(name: &str) -> (Name, String) {
    let whose = match name {
        "" | "_" => Name::Nothing,
        "me" => Name::Me,
        _ => match (name.strip_prefix("my "), name.split_once(" of ")) {
            (Some(of), _) => Name::My(of.trim().to_owned()),
            (None, Some((of, whom))) => Name::Of(of.trim().to_owned(), whom.trim().to_owned()),
            (None, None) => Name::Own,
        },
    };
    (whose, name.to_owned())
}
