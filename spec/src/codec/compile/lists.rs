//! Lists, and shapes that stand in the place of a type.

use crate::codec::compile::shape::{Builder, Field};
use crate::codec::compile::{Compiler, text};
use crate::codec::field::{Class, Expr, FieldType, Joined, Kind, Length, Measure, Spoken, Term};
use crate::codec::plan::{List, Part, Shape};
use crate::load::Node;

impl<'a> Compiler<'a> {
    pub(super) fn list(
        &mut self,
        node: &'a Node,
        name: &str,
        written: &str,
        field: &FieldType,
        (size, item, joined): (&Length, &Kind, Option<Joined>),
        builder: &mut Builder<'a>,
    ) -> Option<List> {
        let size = self.size(node, size)?;
        let (slot, _) = self.slot(node, name, written, builder);
        let mut inner = Builder { path: builder.path.clone(), ..Builder::default() };
        let of = self.service.field(name).and_then(|field| field.of.clone()).unwrap_or_else(|| name.to_owned());
        let item_of_shape = match item {
            Kind::Shape(shape) => {
                let found = self.shape(node, shape, builder)?;
                let is_type = found.text().is_some_and(|text| !text.contains('{'));
                (!is_type).then_some(found)
            }
            _ => None,
        };
        let (parts, json) = match item_of_shape {
            Some(shape) if shape.entries().is_some() && !is_row(shape) => {
                (Vec::new(), Some(self.json(shape, &mut inner)?))
            }
            Some(shape) => (self.parts_of_shape(shape, &written_kind(item), &mut inner)?, None),
            None => {
                let written = written_kind(item);
                match self.field(node, &of, &written, &mut inner)? {
                    Field::Parts(parts) => (parts, None),
                    Field::Bits(..) => {
                        self.refuse(node, "a list consists of whole bytes", |d| d);
                        return None;
                    }
                }
            }
        };
        // `list of u8 = length(names)`: each number measures the item at its place.
        if let (Spoken::Is(Expr { term: Term::Measure(Measure::Length, names), plus }), [Part::Number(_)]) =
            (&field.spoken, parts.as_slice())
        {
            builder.measures.push((slot, Measure::Length, names.clone(), *plus));
        } else if field.spoken != Spoken::Open || field.range.is_some() {
            self.refuse(node, "only numbers can be fixed or bounded", |d| d);
        }
        if parts.iter().any(|part| matches!(part, Part::List(_))) {
            self.refuse(node, "a list cannot stand in the item of another", |d| d);
            return None;
        }
        let single = inner.labels.iter().filter(|label| label.is_own()).count() == 1
            && self
                .service
                .field(name)
                .and_then(|field| field.of.as_deref())
                .is_none_or(|of| !self.service.rows.contains_key(of));
        let item = Box::new(Shape { parts, labels: inner.labels });
        let list = List { slot, size, item, of, single, joined };
        match json {
            Some(_) => {
                self.refuse(node, "a list of maps stands in a map", |d| {
                    d.help("such as {all: \"{usernames: list of friend}\"}")
                });
                None
            }
            None => Some(list),
        }
    }

    pub(super) fn shape_field(
        &mut self,
        node: &'a Node,
        name: &str,
        written: &str,
        field: &FieldType,
        shape: &str,
        builder: &mut Builder<'a>,
    ) -> Option<Field> {
        let found = self.shape(node, shape, builder)?;
        if let Some(alias) = found.text().filter(|text| !text.contains('{')) {
            builder.path.push(shape.to_owned());
            // What is said behind the name of a type belongs to the type: `string = 'x'`.
            let more = written.strip_prefix(shape).unwrap_or_default();
            let made = self.field(found, name, &format!("{alias}{more}"), builder);
            builder.path.pop();
            return made;
        }
        if name.is_empty() {
            return self.parts_of_shape(found, shape, builder).map(Field::Parts);
        }
        // A number that is written in several ways has a name like any other.
        let is_number = is_row(found) && FieldType::parse(written).is_ok_and(|field| field.filter.is_none());
        if is_number {
            let before = self.found.0.len();
            if let Some(form) = self.number_shape(node, shape) {
                return self
                    .number(node, name, written, field, form, builder)
                    .map(|n| Field::Parts(vec![Part::Number(n)]));
            }
            self.found.0.truncate(before);
        }
        self.refuse(node, format!("`{shape}` is a row; one field cannot hold it"), |d| {
            d.help(format!("write it as an item: list(u16) of {shape}"))
        });
        None
    }

    pub(super) fn parts_of_shape(
        &mut self,
        shape: &'a Node,
        name: &str,
        builder: &mut Builder<'a>,
    ) -> Option<Vec<Part>> {
        builder.path.push(name.to_owned());
        let parts = self.parts(shape, builder);
        builder.path.pop();
        parts
    }

    pub(super) fn shape(&mut self, node: &'a Node, name: &str, builder: &mut Builder<'a>) -> Option<&'a Node> {
        let shapes = self.document.root.get("shapes");
        let found = shapes.and_then(|shapes| shapes.get(name));
        if found.is_none() {
            let known: Vec<String> =
                shapes.and_then(Node::entries).unwrap_or_default().iter().map(|(key, _)| text(key)).collect();
            let types = ["text", "word", "line", "int", "bytes", "hex", "json", "u8", "u16", "u32", "u64"];
            self.refuse(node, format!("there is no type or shape `{name}`"), |d| {
                d.suggest(name, known.iter().map(String::as_str).chain(types))
            });
        } else if builder.path.iter().any(|outer| outer == name) {
            self.refuse(node, format!("the shape `{name}` contains itself"), |d| d);
            return None;
        }
        found
    }
}

/// Whether a shape is written as a list of fields, or as several of them.
pub(super) fn is_row(shape: &Node) -> bool {
    let rows = shape.get("either").and_then(Node::items);
    shape.items().is_some() || rows.is_some_and(|rows| rows.iter().all(|row| row.items().is_some()))
}

/// A kind in the words it was written in.
pub(super) fn written_kind(kind: &Kind) -> String {
    let int = |int: &crate::codec::field::Int| {
        format!("{}{}{}", if int.signed { "i" } else { "u" }, int.width * 8, if int.little { "le" } else { "" })
    };
    let size = |size: &Length| match size {
        Length::Fixed(n) => format!("({n})"),
        Length::Prefix(prefix) => format!("({})", int(prefix)),
        Length::Shaped(name) => format!("({name})"),
        Length::Rest => String::new(),
    };
    match kind {
        Kind::Int(kind) => int(kind),
        Kind::Bits(bits) => format!("u{bits}"),
        Kind::Decimal(None) => "int".into(),
        Kind::Decimal(Some(digits)) => format!("int({digits})"),
        Kind::Json => "json".into(),
        Kind::Text { class, size: length } => {
            let name = match class {
                Class::Bytes => "bytes",
                Class::Text => "text",
                Class::Word => "word",
                Class::Line => "line",
                Class::Hex => "hex",
            };
            format!("{name}{}", size(length))
        }
        Kind::List { size: count, item, .. } => format!("list{} of {}", size(count), written_kind(item)),
        Kind::Shape(name) => name.clone(),
    }
}
