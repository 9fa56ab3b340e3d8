//! Frames, tables and messages: what all messages share, what each fixes, and what it means.

use crate::codec::compile::Compiler;
use crate::codec::compile::row::Scope;
use crate::codec::dialogue::FRAME_FIELDS;
use crate::codec::field::Size;
use crate::codec::plan::{Entry, Frame, Meaning, Message, Number, OperationPlan, Part, Plan, Refusal, Rule};
use crate::load::Node;

/// What a length can be where nothing else bounds it: beyond it, sums of lengths would have to be watched.
const LONGEST_FRAME: u64 = 1 << 40;

impl<'a> Compiler<'a> {
    /// The shape of one direction. An answer's frame can follow from the `request`'s.
    pub(super) fn frame(&mut self, node: &'a Node, request: Option<&Frame>) -> Option<Frame> {
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
    pub(super) fn refusals(&mut self, frame: &mut Frame) {
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

    pub(super) fn operations(&mut self, say: &Frame, hear: &Frame) -> Vec<OperationPlan> {
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
            self.document.only(value, &["say", "hear"], &mut self.found);
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

    pub(super) fn table(
        &mut self,
        node: Option<&'a Node>,
        frame: &Frame,
        operation: Option<&str>,
        path: &str,
    ) -> Vec<Entry> {
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

    fn known_error(&mut self, node: &Node) {
        let (name, service) = (node.text().unwrap_or_default(), self.service);
        if !service.errors.contains_key(name) {
            self.refuse(node, format!("errors.yaml has no error `{name}`"), |d| {
                d.suggest(name, service.errors.keys().map(String::as_str))
            });
        }
    }
}
