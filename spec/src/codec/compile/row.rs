//! Rows of fields, and the shapes they are made of.

use crate::codec::compile::Compiler;
use crate::codec::field::{Expr, FieldType, Int, Kind, Size, Spoken, Term};
use crate::codec::plan::{Frame, Label, Number, Part, Plan, Rule};
use crate::load::Node;

/// Deepest nesting of shapes: more is a shape that contains itself.
const SHAPES_DEEP: usize = 16;

/// What a row stands in.
#[derive(Clone, Copy)]
pub(super) enum Scope<'p> {
    /// A frame; that of answers knows the one of requests.
    Frame(Option<&'p Frame>),
    /// The open part of a frame.
    Body,
    /// A list.
    Item,
}

impl<'a> Compiler<'a> {
    /// A row: a list of fields, or the name of a shape that is one.
    pub(super) fn row(&mut self, node: &'a Node, scope: Scope<'_>, deep: usize) -> Option<Plan> {
        if let Some(name) = node.text() {
            let shape = self.shape(node, name, deep)?;
            return self.row(shape, scope, deep + 1);
        }
        let Some(items) = node.items() else {
            self.refuse(node, "here stands a list of fields", |d| d.help("such as [id: u32, username: text(u8)]"));
            return None;
        };
        let mut plan = Plan::default();
        for item in items {
            let (label, kind) = match item.entries() {
                Some([(key, value)]) => (key.text().unwrap_or_default(), value),
                Some(_) => {
                    self.refuse(item, "a field is one name and its type", |d| d);
                    continue;
                }
                None => ("", item),
            };
            let Some(text) = kind.text() else {
                self.refuse(kind, "a field's type is written as words", |d| d.help("such as text(u16)"));
                continue;
            };
            if let Some(part) = self.part(kind, label, text, scope, deep) {
                let label = self.label(label, text);
                if label.named && plan.position(&label.text).is_some() {
                    self.refuse(item, format!("the field `{}` stands here twice", label.text), |d| d);
                }
                plan.parts.push(part);
                plan.labels.push(label);
            }
        }
        self.refuse_without_end(items, &plan, scope);
        Some(plan)
    }

    /// Only the last field of a row may go on to the end of what it stands in.
    fn refuse_without_end(&mut self, items: &[Node], plan: &Plan, scope: Scope<'_>) {
        let ends = match scope {
            Scope::Frame(_) => return,
            Scope::Body => plan.parts.len().saturating_sub(1),
            Scope::Item => plan.parts.len(),
        };
        for ((part, label), item) in plan.parts.iter().zip(&plan.labels).zip(items).take(ends) {
            if let Part::Bytes { size: Size::Rest, .. } | Part::List { size: Size::Rest, .. } = part {
                self.refuse(item, format!("nothing ends the field `{}`", label.text), |d| {
                    d.help("say how long it is, such as text(u16)")
                });
            }
        }
    }

    fn label(&self, label: &str, text: &str) -> Label {
        let named = !label.is_empty() && label != "_";
        let kind = self.service.field(label).map(|field| field.kind).filter(|_| named);
        Label { text: if label.is_empty() { text } else { label }.to_owned(), named, kind }
    }

    fn part(&mut self, node: &'a Node, label: &str, text: &str, scope: Scope<'_>, deep: usize) -> Option<Part> {
        let field = match FieldType::parse(text) {
            Ok(field) => field,
            Err(why) => {
                self.refuse(node, format!("not a type: {why}"), |d| d);
                return None;
            }
        };
        match field.kind.clone() {
            Kind::Int(int) => {
                let (least, most) = field.range.unwrap_or((0, int.most()));
                if most > int.most() {
                    self.refuse(node, format!("{most} does not fit {} bytes", int.width), |d| d);
                }
                let rule = match self.rule(node, &field, label, scope)? {
                    Rule::Open if !self.label(label, text).named => Rule::Usually(least),
                    rule => rule,
                };
                let most = most.min(int.most());
                match rule {
                    Rule::Is(number) | Rule::Usually(number) if !(least..=most).contains(&number) => {
                        self.refuse(node, format!("{number} is not among {least} to {most}"), |d| d);
                        None
                    }
                    Rule::Is(number) => Some(Part::Int(Number { int, least: number, most: number, rule })),
                    rule => Some(Part::Int(Number { int, least, most, rule })),
                }
            }
            Kind::Bytes { size, utf8 } => {
                self.refuse_computed(node, &field);
                let sizes = self.service.field(label).map(|field| field.sizes.clone().into_boxed_slice());
                Some(Part::Bytes { size, utf8, sizes: sizes.unwrap_or_default() })
            }
            Kind::List { size, item } => {
                self.refuse_computed(node, &field);
                if matches!(scope, Scope::Item) {
                    self.refuse(node, "a list cannot stand in the item of another", |d| d);
                    return None;
                }
                let (item, single) = self.item(node, label, &item, deep)?;
                if size == Size::Rest && item.least_bytes() == 0 {
                    self.refuse(node, "nothing ends this list: its items may be empty", |d| {
                        d.help("say how many there are, such as list(u16) of …")
                    });
                }
                Some(Part::List { size, item: Box::new(item), single })
            }
            Kind::Shape(name) => {
                let shape = self.shape(node, &name, deep)?;
                match shape.text() {
                    Some(alias) => self.part(shape, label, alias, scope, deep + 1),
                    None => {
                        self.refuse(node, format!("`{name}` is a row; one field cannot hold it"), |d| {
                            d.help(format!("write it as an item: list(u16) of {name}"))
                        });
                        None
                    }
                }
            }
        }
    }

    /// What a list consists of: a row of its own names, or one value.
    fn item(&mut self, node: &'a Node, label: &str, kind: &Kind, deep: usize) -> Option<(Plan, bool)> {
        if let Kind::Shape(name) = kind {
            let shape = self.shape(node, name, deep)?;
            if shape.items().is_some() {
                return Some((self.row(shape, Scope::Item, deep + 1)?, false));
            }
        }
        let of = self.service.field(label).and_then(|field| field.of.clone()).unwrap_or_else(|| label.to_owned());
        let text = written(kind);
        let part = self.part(node, &of, &text, Scope::Item, deep + 1)?;
        Some((Plan { labels: vec![self.label(&of, &text)], parts: vec![part] }, true))
    }

    fn shape(&mut self, node: &'a Node, name: &str, deep: usize) -> Option<&'a Node> {
        let shapes = self.document.root.get("shapes");
        let found = shapes.and_then(|shapes| shapes.get(name));
        if found.is_none() {
            let known: Vec<String> = shapes
                .and_then(Node::entries)
                .unwrap_or_default()
                .iter()
                .filter_map(|(key, _)| key.text().map(str::to_owned))
                .collect();
            self.refuse(node, format!("there is no type or shape `{name}`"), |d| {
                d.suggest(name, known.iter().map(String::as_str).chain(["text", "bytes", "u8", "u16", "u32", "u64"]))
            });
        } else if deep > SHAPES_DEEP {
            self.refuse(node, format!("the shape `{name}` contains itself"), |d| d);
            return None;
        }
        found
    }

    fn rule(&mut self, node: &Node, field: &FieldType, label: &str, scope: Scope<'_>) -> Option<Rule> {
        // What an answer's frame says under a name of the request's frame is what that said.
        let request = if let Scope::Frame(request) = scope { request } else { None };
        let asked = |name: &str| request?.position(name);
        let (expr, usually) = match &field.spoken {
            Spoken::Open => return Some(asked(label).map_or(Rule::Open, |field| Rule::Echo { field, plus: 0 })),
            Spoken::Is(expr) => (expr, false),
            Spoken::Usually(expr) => (expr, true),
        };
        let in_frame = matches!(scope, Scope::Frame(_));
        match (expr, usually) {
            (Expr { term: Term::Number(number), plus: 0 }, false) => Some(Rule::Is(*number)),
            (Expr { term: Term::Number(number), plus: 0 }, true) => Some(Rule::Usually(*number)),
            (Expr { term: Term::Fresh, plus: 0 }, true) if in_frame => {
                Some(asked(label).map_or(Rule::Fresh, |field| Rule::Echo { field, plus: 0 }))
            }
            (Expr { term: Term::FrameLength, plus }, false) if in_frame => Some(Rule::FrameLength { plus: *plus }),
            (Expr { term: Term::Name(name), plus }, false) if request.is_some() => match asked(name) {
                Some(field) => Some(Rule::Echo { field, plus: *plus }),
                None => {
                    let known: Vec<&str> = request.map(|request| request.names().collect()).unwrap_or_default();
                    self.refuse(node, format!("the frame of requests has no number `{name}`"), |d| {
                        d.suggest(name, known)
                    });
                    None
                }
            },
            _ => {
                self.refuse(node, "this value cannot stand here", |d| {
                    d.help(
                        "anywhere: `= number`, `usually number`; in a frame also `= length(frame)` and `usually fresh`; \
                         in the frame of answers also `= name + number`",
                    )
                });
                None
            }
        }
    }

    fn refuse_computed(&mut self, node: &Node, field: &FieldType) {
        if field.spoken != Spoken::Open || field.range.is_some() {
            self.refuse(node, "only numbers can be fixed or bounded", |d| d);
        }
    }
}

/// A kind in the words it was written in.
fn written(kind: &Kind) -> String {
    let int = |int: &Int| format!("u{}{}", int.width * 8, if int.little { "le" } else { "" });
    let size = |size: &Size| match size {
        Size::Fixed(n) => format!("({n})"),
        Size::Prefix(prefix) => format!("({})", int(prefix)),
        Size::Rest => String::new(),
    };
    match kind {
        Kind::Int(kind) => int(kind),
        Kind::Bytes { size: length, utf8 } => format!("{}{}", if *utf8 { "text" } else { "bytes" }, size(length)),
        Kind::List { size: count, item } => format!("list{} of {}", size(count), written(item)),
        Kind::Shape(name) => name.clone(),
    }
}
