//! Maps, as JSON.

use serde_json::Value as JsonValue;

use crate::codec::compile::shape::{Builder, Piece, split_hole};
use crate::codec::compile::{Compiler, text};
use crate::codec::field::{Class, Expr, FieldType, Kind, Length, Spoken, Term};
use crate::codec::json::{Hole, Json, Needs};
use crate::codec::plan::{End, JsonText, List, Made, Name, Part, Shape, Size};
use crate::load::Node;

impl<'a> Compiler<'a> {
    /// A map, as JSON.
    pub(super) fn json(&mut self, node: &'a Node, builder: &mut Builder<'a>) -> Option<Json> {
        if let Some(entries) = node.entries() {
            if let Some(rows) = node.get("either").and_then(Node::items).filter(|_| entries.len() == 1) {
                return Some(Json::Either(rows.iter().map(|row| self.json(row, builder)).collect::<Option<_>>()?));
            }
            let members = entries.iter().map(|(key, value)| Some((text(key), self.json(value, builder)?)));
            return Some(Json::Object(members.collect::<Option<_>>()?));
        }
        if let Some(items) = node.items() {
            return Some(Json::Array(items.iter().map(|item| self.json(item, builder)).collect::<Option<_>>()?));
        }
        let written = node.text().unwrap_or_default();
        if node.is_plain() && !written.contains('{') {
            return Some(Json::Is(self.document.typed::<JsonValue>(node).unwrap_or(JsonValue::Null)));
        }
        let pieces = self.pieces(node, written)?;
        match pieces.as_slice() {
            [Piece::Hole(hole)] => self.json_hole(node, hole, builder),
            [] => Some(Json::Is("".into())),
            [Piece::Literal(text)] => Some(Json::Is(text.as_str().into())),
            _ => {
                let mut inner = Builder { path: builder.path.clone(), ..Builder::default() };
                let mut parts = self.template(node, written, &mut inner)?;
                self.ends(node, &mut parts, &inner, true);
                let slots: Vec<usize> = inner.labels.iter().map(|label| builder.slot(label.clone())).collect();
                builder.made.extend(inner.made.iter().map(|(slot, made)| (slots[*slot], *made)));
                let shape = Shape { parts, labels: inner.labels };
                let lists = shape.lists().into_iter().map(|list| List { slot: slots[list.slot], ..list.clone() });
                Some(Json::Template { lists: lists.collect(), shape, slots })
            }
        }
    }

    pub(super) fn json_hole(&mut self, node: &'a Node, hole: &str, builder: &mut Builder<'a>) -> Option<Json> {
        let (name, written) = split_hole(hole);
        let written = match written.split_whitespace().next() {
            Some("as" | "padded" | "in" | "=" | "usually") => &format!("{} {written}", self.usual_type(name)),
            _ => written,
        };
        let (slot, whose) = self.slot(node, name, written, builder);
        let nameless = whose == Name::Nothing;
        // What is nobody's is spoken as nothing, and must be there all the same.
        let nothing = |value: JsonValue| nameless.then_some(value);
        let needs = if nameless { Needs::Anything } else { Needs::Value };
        let usual = if nameless { Needs::Nothing } else { Needs::Value };
        let plain =
            Hole { slot, number: false, class: Class::Text, filter: None, needs, usually: nothing(JsonValue::Null) };
        if written.is_empty() || written == "json" {
            return Some(Json::Hole(plain));
        }
        let field = match FieldType::parse(written) {
            Ok(field) => field,
            Err(why) => {
                self.refuse(node, format!("not a type: {why}"), |d| d);
                return None;
            }
        };
        let filter = match &field.filter {
            Some(name) => Some(self.filter(node, name)?),
            None => None,
        };
        match (&field.kind, &field.spoken) {
            (Kind::List { item, joined, size: Length::Rest }, Spoken::Open) => {
                let mut inner = Builder { path: builder.path.clone(), ..Builder::default() };
                let of = self.service.field(name).and_then(|field| field.of.clone()).unwrap_or_else(|| name.to_owned());
                let json = match &**item {
                    Kind::Shape(shape) => {
                        let found = self.shape(node, shape, builder)?;
                        self.json(found, &mut inner)?
                    }
                    _ => self.json_hole(node, &of, &mut inner)?,
                };
                let joined = joined.clone();
                let single = inner.labels.iter().filter(|label| label.is_own()).count() == 1
                    && !self.service.rows.contains_key(&of);
                let part = Part::Json(JsonText::new(inner.nameless("item"), json));
                let item = Box::new(Shape { parts: vec![part], labels: inner.labels });
                let list = List { slot, size: Size::Rest(End::Outer(0)), item, of, single, joined };
                Some(Json::List(list))
            }
            (Kind::Int(_) | Kind::Decimal(_) | Kind::Bits(_), Spoken::Open) => {
                Some(Json::Hole(Hole { number: true, usually: nothing(0.into()), ..plain }))
            }
            (Kind::Int(_) | Kind::Decimal(_) | Kind::Bits(_), Spoken::Usually(Expr { term, plus: 0 })) => {
                let mut hole = Hole { number: true, needs: usual, usually: None, ..plain };
                match term {
                    Term::Number(number) => hole.usually = Some((*number).into()),
                    // So many digits every reader of JSON takes as they are.
                    Term::Fresh => builder.made.push((slot, Made::Number((1 << 53) - 1))),
                    Term::Now => builder.made.push((slot, Made::Now)),
                    _ => {
                        self.refuse(node, "this value cannot stand here", |d| {
                            d.help("a number in a map is `usually number`, `usually fresh`, `usually now`, `= turn`")
                        });
                    }
                }
                Some(Json::Hole(hole))
            }
            (Kind::Int(_) | Kind::Decimal(_) | Kind::Bits(_), Spoken::Is(Expr { term: Term::Name(name), plus }))
                if name == "turn" && builder.request.is_none() =>
            {
                let made = self.turn(node, slot, *plus, builder)?;
                builder.made.push((slot, made));
                Some(Json::Hole(Hole { number: true, ..plain }))
            }
            (Kind::Text { class, size, .. }, Spoken::Usually(Expr { term: Term::Fresh, plus: 0 })) => {
                let many = if let Length::Fixed(many) = size { *many as usize } else { 16 };
                builder.made.push((slot, Made::Digits { many, class: *class }));
                Some(Json::Hole(Hole { class: *class, filter, needs: usual, usually: None, ..plain }))
            }
            (Kind::Text { class, .. }, Spoken::Usually(Expr { term: Term::Text(text), plus: 0 })) if !nameless => {
                Some(Json::Hole(Hole { class: *class, filter, usually: Some(text.as_str().into()), ..plain }))
            }
            (Kind::Text { class, .. }, Spoken::Usually(Expr { term: Term::Text(text), .. })) if nameless => {
                let _ = class;
                Some(Json::Usually(text.as_str().into()))
            }
            (Kind::Text { class, .. }, Spoken::Open) => {
                Some(Json::Hole(Hole { class: *class, filter, usually: nothing("".into()), ..plain }))
            }
            _ => {
                self.refuse(node, "this type cannot stand in a map", |d| {
                    d.help(
                        "`{name}` is the value itself; `{name: int}`, `{name: hex}`, `{name: list of SHAPE}` say more",
                    )
                });
                None
            }
        }
    }
}
