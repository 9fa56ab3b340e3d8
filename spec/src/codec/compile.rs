//! A dialect file into plans, with every mistake at its line.
//!
//! Not here: the grammar of a field's type (`field`), and whether the finished tables can be told apart (`rehearse`).

use std::collections::BTreeMap;

use crate::codec::dialogue::FRAME_FIELDS;
use crate::codec::field::{Expr, FieldType, Int, Kind, Size, Spoken, Term};
use crate::codec::plan::{Entry, Frame, Label, Meaning, Message, Number, OperationPlan, Part, Plan, Refusal, Rule};
use crate::dialect::Dialect;
use crate::error::{Diagnostic, Diagnostics};
use crate::load::{Document, Node};
use crate::service::Service;

/// The keys of a dialect file, in the order in which a reader wants them.
pub(crate) const KEYS: &[&str] =
    &["dialect", "about", "frame", "shapes", "refuse", "hear", "operations", "fence", "policies", "lacks"];

/// What a length can be where nothing else bounds it: beyond it, sums of lengths would have to be watched.
const LONGEST_FRAME: u64 = 1 << 40;

/// Deepest nesting of shapes: more is a shape that contains itself.
const SHAPES_DEEP: usize = 16;

/// Compiles a dialect. Mistakes are added to `found`; a dialect comes back only if there is none.
pub(crate) fn compile(document: &Document, service: &Service, found: &mut Diagnostics) -> Option<Dialect> {
    let mut compiler = Compiler { document, service, found: Diagnostics::default(), refused: 0 };
    let dialect = compiler.dialect();
    let clean = compiler.found.is_empty();
    found.0.append(&mut compiler.found.0);
    dialect.filter(|_| clean)
}

struct Compiler<'a> {
    document: &'a Document,
    service: &'a Service,
    found: Diagnostics,
    /// How often something was refused, though what is wrong in one place is shown once.
    refused: usize,
}

impl<'a> Compiler<'a> {
    fn dialect(&mut self) -> Option<Dialect> {
        let root = &self.document.root;
        self.document.only(root, KEYS, &mut self.found);
        let name = self.document.word(root, "dialect", &mut self.found)?;
        let about = self.document.word(root, "about", &mut self.found)?;
        let frame_node = self.need(root, "frame")?;
        let (say_node, hear_node) = match (frame_node.get("say"), frame_node.get("hear")) {
            (Some(say), Some(hear)) => (say, hear),
            _ => (frame_node, frame_node),
        };
        let mut say = self.frame(say_node, None)?;
        // All else is held against the frames: where they are wrong, so would be what is said about it.
        if !self.found.is_empty() {
            return None;
        }
        let mut hear = self.frame(hear_node, Some(&say))?;
        if !self.found.is_empty() {
            return None;
        }
        self.refusals(&mut say);
        hear.refusals = vec![None; hear.numbers.len()];
        let anytime = self.table(root.get("hear"), &hear, None, "hear");
        let operations = self.operations(&say, &hear);
        let mut dialect = Dialect {
            name,
            about,
            say,
            hear,
            anytime,
            operations,
            fence: self.fence(),
            policies: self.policies(),
            lacks: self.lacks(),
            errors: self.service.errors.iter().map(|(name, error)| (name.clone(), error.clone())).collect(),
            outcomes: self
                .service
                .operations
                .iter()
                .map(|(name, spec)| (name.clone(), spec.outcomes.clone()))
                .collect(),
            index: None,
        };
        dialect.index_operations();
        Some(dialect)
    }

    /// The shape of one direction. An answer's frame can follow from the `request`'s.
    fn frame(&mut self, node: &'a Node, request: Option<&Frame>) -> Option<Frame> {
        let plan = self.row(node, Scope::Frame(request), 0)?;
        let shortest = plan.least_bytes() as u64;
        let mut frame = Frame::default();
        for (part, label) in plan.parts.into_iter().zip(plan.labels) {
            let field = &label.text;
            match part {
                Part::Bytes { size: Size::Rest, .. } if frame.open.is_none() => frame.open = Some(label.text),
                Part::Bytes { size: Size::Rest, .. } => {
                    self.refuse(node, format!("nothing ends the field `{field}`: another one is open, too"), |d| d);
                }
                Part::Int(number) => {
                    match (number.rule, frame.measured) {
                        (Rule::FrameLength { .. }, Some(_)) => {
                            let message = format!("another field than `{field}` says how long the frame is");
                            self.refuse(node, message, |d| d);
                        }
                        (Rule::FrameLength { .. }, None) => frame.measured = Some(frame.numbers.len()),
                        _ => {}
                    }
                    if frame.open.is_some() {
                        frame.behind_bytes += number.int.bytes();
                    } else {
                        frame.before += 1;
                    }
                    frame.numbers.push(number);
                    frame.labels.push(label);
                }
                _ => self.refuse(node, format!("the frame's field `{field}` must be a number, or be open"), |d| d),
            }
        }
        if let Some(field) = &frame.open
            && frame.measured.is_none_or(|measured| measured >= frame.before)
        {
            self.refuse(node, format!("nothing ends the frame's open field `{field}`"), |d| {
                d.help("a field before it says how long the frame is: `size: u32 = length(frame)`")
            });
        }
        if frame.numbers.len() > FRAME_FIELDS {
            self.refuse(node, format!("a frame has at most {FRAME_FIELDS} numbers"), |d| d);
            return None;
        }
        // A frame is never shorter than its own fields, and without an open one never longer.
        let is_open = frame.open.is_some();
        if let Some(number) = frame.measured.map(|measured| &mut frame.numbers[measured])
            && let Rule::FrameLength { plus } = number.rule
        {
            let shortest = shortest.saturating_add_signed(plus);
            number.least = number.least.max(shortest);
            number.most = number.most.min(if is_open { LONGEST_FRAME } else { shortest });
        }
        Some(frame)
    }

    /// `refuse:` which errors answer the fields of a request's frame.
    fn refusals(&mut self, frame: &mut Frame) {
        frame.refusals = vec![None; frame.numbers.len()];
        let Some(entries) = self.document.root.get("refuse").and_then(Node::entries) else { return };
        for (key, value) in entries {
            let field = key.text().unwrap_or_default();
            let Some(index) = frame.position(field) else {
                self.refuse(key, format!("the frame has no field `{field}`"), |d| d.suggest(field, frame.names()));
                continue;
            };
            let mut refusal = Refusal { below: "malformed".into(), above: "malformed".into(), close: false };
            for (key, value) in value.entries().unwrap_or_default() {
                let word = value.text().unwrap_or_default().to_owned();
                match key.text().unwrap_or_default() {
                    "then" if word == "close" => refusal.close = true,
                    "then" => self.refuse(value, "after `then` comes `close`", |d| d),
                    side @ ("below" | "above" | "error") => {
                        self.known_error(value);
                        if side != "above" {
                            refusal.below.clone_from(&word);
                        }
                        if side != "below" {
                            refusal.above = word;
                        }
                    }
                    other => self.refuse(key, format!("unknown key `{other}`"), |d| {
                        d.suggest(other, ["below", "above", "error", "then"])
                    }),
                }
            }
            frame.refusals[index] = Some(refusal);
        }
    }

    fn operations(&mut self, say: &Frame, hear: &Frame) -> Vec<OperationPlan> {
        let Some(node) = self.need(&self.document.root, "operations") else { return Vec::new() };
        let mut operations = Vec::new();
        for (key, value) in node.entries().unwrap_or_default() {
            let name = key.text().unwrap_or_default();
            if !self.service.operations.contains_key(name) {
                let known: Vec<&str> = self.service.operations.keys().map(String::as_str).collect();
                self.refuse(key, format!("service.yaml has no operation `{name}`"), |d| d.suggest(name, known));
                continue;
            }
            let before = self.refused;
            let Some(said) = self.need(value, "say") else { continue };
            let message = self.message(said, say).unwrap_or_default();
            let table = self.table(value.get("hear"), hear, Some(name), &format!("operations.{name}.hear"));
            if self.refused == before {
                self.check_fields(key, name, &message, &table);
            }
            operations.push(OperationPlan { name: name.to_owned(), say: message, hear: table });
        }
        operations
    }

    /// Every argument must be said, and every result heard.
    fn check_fields(&mut self, key: &Node, name: &str, say: &Message, hear: &[Entry]) {
        let spec = &self.service.operations[name];
        let has = |plan: &Plan, field: &str| plan.position(field).is_some();
        for argument in &spec.arguments {
            if !has(&say.body, argument) {
                self.refuse(key, format!("the argument `{argument}` of `{name}` is never said"), |d| d);
            }
        }
        let ok: Vec<&Entry> = hear.iter().filter(|e| matches!(e.meaning, Meaning::Ok | Meaning::Outcome(_))).collect();
        if ok.is_empty() {
            self.refuse(key, format!("`{name}` has no way to succeed"), |d| d.help("its table needs an entry `ok`"));
        }
        for result in &spec.result {
            let fills = |entry: &&Entry| match &entry.meaning {
                Meaning::Outcome(outcome) if spec.outcomes[outcome].contains_key(result) => true,
                _ => has(&entry.message.body, result),
            };
            if !ok.is_empty() && !ok.iter().any(fills) {
                self.refuse(key, format!("nothing fills the result `{result}` of `{name}`"), |d| d);
            }
        }
    }

    fn table(&mut self, node: Option<&'a Node>, frame: &Frame, operation: Option<&str>, path: &str) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (key, value) in node.and_then(Node::entries).unwrap_or_default() {
            let word = key.text().unwrap_or_default();
            let Some(meaning) = self.meaning(key, word, operation) else { continue };
            let alternatives: Vec<&Node> = match value.items() {
                Some(items) if items.iter().all(|item| item.entries().is_some()) => items.iter().collect(),
                _ => vec![value],
            };
            for node in alternatives {
                if let Some(message) = self.message(node, frame) {
                    entries.push(Entry { meaning: meaning.clone(), message, path: format!("{path}.{word}") });
                }
            }
        }
        entries
    }

    fn meaning(&mut self, key: &Node, word: &str, operation: Option<&str>) -> Option<Meaning> {
        let service = self.service;
        if word == "ok" && operation.is_some() {
            return Some(Meaning::Ok);
        }
        if operation.is_some_and(|name| service.outcome(name, word).is_some()) {
            return Some(Meaning::Outcome(word.to_owned()));
        }
        match word {
            "error" => return Some(Meaning::AnyError),
            "ignore" => return Some(Meaning::Ignore),
            _ if service.errors.contains_key(word) => return Some(Meaning::Error(word.to_owned())),
            _ if service.events.contains_key(word) => return Some(Meaning::Event(word.to_owned())),
            _ => {}
        }
        let mut known: Vec<&str> = vec!["ok", "error", "ignore"];
        known.extend(service.errors.keys().map(String::as_str));
        known.extend(service.events.keys().map(String::as_str));
        self.refuse(key, format!("`{word}` is no meaning: neither an outcome, nor an error, nor an event"), |d| {
            d.suggest(word, known)
        });
        None
    }

    /// A frame, narrowed: numbers for its fields, and a row for the open one.
    fn message(&mut self, node: &'a Node, frame: &Frame) -> Option<Message> {
        let (mut numbers, mut body) = (frame.numbers.clone(), Plan::default());
        let Some(entries) = node.entries() else {
            self.refuse(node, "a message is a map of the frame's fields", |d| d.help("such as {code: 3, body: []}"));
            return None;
        };
        for (key, value) in entries {
            let field = key.text().unwrap_or_default();
            if frame.open.as_deref() == Some(field) {
                body = self.row(value, Scope::Body, 0)?;
                continue;
            }
            let Some(index) = frame.position(field) else {
                self.refuse(key, format!("the frame has no field `{field}`"), |d| d.suggest(field, frame.names()));
                continue;
            };
            let Some(fixed) = self.document.typed::<u64>(value).ok() else {
                self.refuse(value, format!("the frame's field `{field}` takes a number"), |d| d);
                continue;
            };
            let Number { least, most, .. } = numbers[index];
            if !(least..=most).contains(&fixed) {
                self.refuse(value, format!("`{field}` cannot be {fixed}: its type holds {least} to {most}"), |d| d);
            }
            let int = numbers[index].int;
            numbers[index] = Number { int, least: fixed, most: fixed, rule: Rule::Is(fixed) };
        }
        Some(Message::new(numbers, frame.before, body))
    }

    /// A row: a list of fields, or the name of a shape that is one.
    fn row(&mut self, node: &'a Node, scope: Scope<'_>, deep: usize) -> Option<Plan> {
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

    fn fence(&mut self) -> String {
        let Some(node) = self.need(&self.document.root, "fence") else { return String::new() };
        let name = node.text().unwrap_or_default();
        if self.document.root.get("operations").and_then(|operations| operations.get(name)).is_none() {
            let operations = self.document.root.get("operations").and_then(Node::entries).unwrap_or_default();
            let known: Vec<&str> = operations.iter().filter_map(|(key, _)| key.text()).collect();
            self.refuse(node, format!("this dialect has no operation `{name}` to serve as fence"), |d| {
                d.suggest(name, known)
            });
        }
        name.to_owned()
    }

    fn policies(&mut self) -> BTreeMap<String, String> {
        let service = self.service;
        let mut policies: BTreeMap<String, String> =
            service.policies.iter().map(|(name, policy)| (name.clone(), policy.default_choice().to_owned())).collect();
        for (key, value) in self.document.root.get("policies").and_then(Node::entries).unwrap_or_default() {
            let (name, choice) = (key.text().unwrap_or_default(), value.text().unwrap_or_default());
            match service.policies.get(name) {
                None => self.refuse(key, format!("service.yaml has no policy `{name}`"), |d| {
                    d.suggest(name, service.policies.keys().map(String::as_str))
                }),
                Some(policy) if !policy.choices.iter().any(|(known, _)| known == choice) => {
                    self.refuse(value, format!("the policy `{name}` has no choice `{choice}`"), |d| {
                        d.suggest(choice, policy.choices.iter().map(|(known, _)| known.as_str()))
                    });
                }
                Some(_) => {
                    policies.insert(name.to_owned(), choice.to_owned());
                }
            }
        }
        policies
    }

    fn lacks(&mut self) -> Vec<String> {
        let service = self.service;
        let mut lacks = Vec::new();
        for node in self.document.root.get("lacks").and_then(Node::items).unwrap_or_default() {
            let name = node.text().unwrap_or_default();
            if service.is_capability(name) {
                lacks.push(name.to_owned());
            } else {
                let known = service.capabilities.keys().chain(service.operations.keys());
                self.refuse(node, format!("service.yaml has no capability `{name}`"), |d| {
                    d.suggest(name, known.map(String::as_str))
                });
            }
        }
        let operations = self.document.root.get("operations");
        let absent = service.operations.keys().filter(|name| operations.and_then(|node| node.get(name)).is_none());
        lacks.extend(absent.cloned());
        lacks
    }

    fn known_error(&mut self, node: &Node) {
        let (name, service) = (node.text().unwrap_or_default(), self.service);
        if !service.errors.contains_key(name) {
            self.refuse(node, format!("errors.yaml has no error `{name}`"), |d| {
                d.suggest(name, service.errors.keys().map(String::as_str))
            });
        }
    }

    fn need(&mut self, node: &'a Node, key: &str) -> Option<&'a Node> {
        let found = node.get(key);
        if found.is_none() {
            self.refuse(node, format!("the key `{key}` is missing"), |d| d.label("in this map"));
        }
        found
    }

    fn refuse(&mut self, node: &Node, message: impl Into<String>, more: impl FnOnce(Diagnostic) -> Diagnostic) {
        let diagnostic = more(self.document.error(node, message));
        self.refused += 1;
        // A shape is compiled wherever it is used, and its mistakes are the same everywhere.
        if !self.found.0.contains(&diagnostic) {
            self.found.push(diagnostic);
        }
    }
}

/// What a row stands in.
#[derive(Clone, Copy)]
enum Scope<'p> {
    /// A frame; that of answers knows the one of requests.
    Frame(Option<&'p Frame>),
    /// The open part of a frame.
    Body,
    /// A list.
    Item,
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
