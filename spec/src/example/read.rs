//! YAML into an example. Every operation says all of its arguments and every answer all of its results, so that an
//! example is a whole message on any wire.

use crate::error::Diagnostics;
use crate::example::{Answer, Example};
use crate::load::{Document, Node};
use crate::scenario::Given;
use crate::service::{FieldKind, Service};
use crate::value::{Record, Value};

pub(crate) const KEYS: &[&str] = &["example", "operation", "arguments", "gets", "event", "fields"];

/// Reads one document; mistakes are added to `found`.
pub(super) fn example(document: &Document, group: &str, service: &Service, found: &mut Diagnostics) -> Option<Example> {
    let before = found.0.len();
    let root = &document.root;
    document.only(root, KEYS, found);
    let name = document.word(root, "example", found)?;
    let mut reader = Reader { document, service, found };
    let (request, answer) = match (root.get("operation"), root.entry("event")) {
        (Some(operation), None) => {
            reader.without("fields", "an operation has `arguments`");
            reader.exchange(operation)
        }
        (None, Some((_, event))) => {
            reader.without("arguments", "an event has `fields`");
            reader.without("gets", "an event is all that is said");
            (None, reader.event(event))
        }
        (None, None) => {
            reader.without("arguments", "there is no `operation` that they could belong to");
            reader.without("fields", "there is no `event` that they could belong to");
            (None, reader.answer(None))
        }
        (Some(_), Some((event, _))) => {
            reader.refuse(event, "an example shows an operation or an event, not both");
            (None, None)
        }
    };
    if found.0.len() > before {
        return None;
    }
    let place = document.place(root.get("example").unwrap_or(root));
    Some(Example { name, group: group.to_owned(), request, answer: answer?, place })
}

/// Which fields a record has, and how to speak of it.
struct Layout<'a> {
    names: &'a [String],
    of: String,
    noun: &'a str,
    /// Whether fields with a default may be left out.
    defaults: bool,
}

struct Reader<'a> {
    document: &'a Document,
    service: &'a Service,
    found: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn exchange(&mut self, node: &Node) -> (Option<(String, Record)>, Option<Answer>) {
        let (name, service) = (node.text().unwrap_or_default(), self.service);
        let Some(spec) = service.operations.get(name) else {
            let known = service.operations.keys().map(String::as_str);
            let message = format!("service.yaml has no operation `{name}`");
            self.found.push(self.document.error(node, message).suggest(name, known));
            return (None, None);
        };
        let layout = Layout { names: &spec.arguments, of: format!("`{name}`"), noun: "argument", defaults: true };
        let arguments = self.record(node, self.document.root.get("arguments"), &layout);
        (Some((name.to_owned(), arguments)), self.answer(Some(name)))
    }

    /// `gets: {ok: {…}}` or `gets: {error: name, detail: "…"}`.
    fn answer(&mut self, operation: Option<&str>) -> Option<Answer> {
        let root = &self.document.root;
        let Some(gets) = root.get("gets") else {
            self.found.push(self.document.error(root, "the key `gets` is missing").label("in this map"));
            return None;
        };
        if let Some((key, results)) = gets.entry("ok") {
            self.document.only(gets, &["ok"], self.found);
            let Some((name, spec)) = operation.map(|name| (name, &self.service.operations[name])) else {
                self.refuse(key, "bytes that are no request cannot succeed");
                return None;
            };
            let layout = Layout { names: &spec.result, of: format!("`{name}`"), noun: "result", defaults: false };
            return Some(Answer::Ok(self.record(key, Some(results), &layout)));
        }
        let Some(error) = gets.get("error") else {
            self.found.push(
                self.document
                    .error(gets, "what comes is `ok` or an `error`")
                    .help("such as {ok: {nonce: 7}} or {error: no_such_user, detail: \"who?\"}"),
            );
            return None;
        };
        self.document.only(gets, &["error", "detail"], self.found);
        let name = error.text().unwrap_or_default();
        self.possible(error, name, operation);
        let detail = gets.get("detail").map(|node| self.value(node, "detail", FieldKind::Text));
        let detail = detail.and_then(|value| Some(value?.as_text()?.to_owned())).unwrap_or_default();
        Some(Answer::Error { name: name.to_owned(), detail })
    }

    fn possible(&mut self, node: &Node, name: &str, operation: Option<&str>) {
        let own = operation.map_or(&[][..], |operation| &self.service.operations[operation].errors);
        let errors = self.service.errors.iter();
        let possible: Vec<&str> = errors
            .filter(|(name, error)| error.anywhere || own.contains(name))
            .map(|(name, _)| name.as_str())
            .collect();
        if possible.contains(&name) {
            return;
        }
        let message = match (self.service.errors.contains_key(name), operation) {
            (false, _) => format!("errors.yaml has no error `{name}`"),
            (true, Some(operation)) => format!("`{operation}` cannot answer `{name}`"),
            (true, None) => format!("`{name}` answers an operation, and here is none"),
        };
        self.found.push(self.document.error(node, message).suggest(name, possible));
    }

    fn event(&mut self, node: &Node) -> Option<Answer> {
        let (name, service) = (node.text().unwrap_or_default(), self.service);
        let Some(spec) = service.events.get(name) else {
            let known = service.events.keys().map(String::as_str);
            let message = format!("service.yaml has no event `{name}`");
            self.found.push(self.document.error(node, message).suggest(name, known));
            return None;
        };
        let layout = Layout { names: &spec.fields, of: format!("the event `{name}`"), noun: "field", defaults: false };
        let fields = self.record(node, self.document.root.get("fields"), &layout);
        Some(Answer::Event { name: name.to_owned(), fields })
    }

    /// Named values. What is missing is shown at `at`, if the map itself is.
    fn record(&mut self, at: &Node, given: Option<&Node>, layout: &Layout<'_>) -> Record {
        let mut record = Record::new();
        let entries = match given {
            None => &[],
            Some(node) => match node.entries() {
                Some(entries) => entries,
                None => {
                    self.refuse(node, "here stands a map of fields");
                    return record;
                }
            },
        };
        for (key, value) in entries {
            let name = key.text().unwrap_or_default();
            match self.service.field(name).filter(|_| layout.names.iter().any(|known| known == name)) {
                Some(field) => {
                    if let Some(value) = self.value(value, name, field.kind) {
                        record.set(name, value);
                    }
                }
                None => {
                    let message = format!("{} has no {} `{name}`", layout.of, layout.noun);
                    let known = layout.names.iter().map(String::as_str);
                    self.found.push(self.document.error(key, message).suggest(name, known));
                }
            }
        }
        let mut missing = Vec::new();
        for name in layout.names.iter().filter(|name| !entries.iter().any(|(key, _)| key.text() == Some(name))) {
            let default = self.service.field(name).and_then(|field| field.default_value());
            match default.filter(|_| layout.defaults) {
                Some(value) => record.set(name, value),
                None => missing.push(name.as_str()),
            }
        }
        if !missing.is_empty() {
            let noun = if missing.len() > 1 { format!("{}s", layout.noun) } else { layout.noun.to_owned() };
            let message = format!("{} lacks the {noun} `{}`", layout.of, missing.join("`, `"));
            self.refuse(given.unwrap_or(at), message);
        }
        record
    }

    fn value(&mut self, node: &Node, name: &str, kind: FieldKind) -> Option<Value> {
        if kind == FieldKind::List {
            return self.list(node, name);
        }
        let value = match self.found.keep(Given::read(self.document, node))? {
            Given::Literal(value) => value,
            Given::Repeat { text, times } => Value::Text(text.repeat(usize::try_from(times).ok()?)),
            Given::Text(_) | Given::Fresh { .. } => {
                self.refuse(node, "an example says its values; only scenarios have holes");
                return None;
            }
        };
        if !kind.holds(&value) {
            self.refuse(node, format!("`{name}` takes {}", kind.words()));
            return None;
        }
        Some(match value {
            Value::Text(text) if kind == FieldKind::Bytes => Value::Bytes(text.into_bytes()),
            value => value,
        })
    }

    fn list(&mut self, node: &Node, name: &str) -> Option<Value> {
        let service = self.service;
        let of = service.field(name).and_then(|field| field.of.as_deref())?;
        let Some(items) = node.items() else {
            self.refuse(node, format!("`{name}` takes {}", FieldKind::List.words()));
            return None;
        };
        let mut values = Vec::new();
        for item in items {
            if let Some(names) = service.rows.get(of) {
                let layout = Layout { names, of: format!("an item of `{name}`"), noun: "field", defaults: false };
                values.push(Value::Row(self.record(item, Some(item), &layout)));
            } else if let Some(field) = service.field(of) {
                values.extend(self.value(item, of, field.kind));
            }
        }
        Some(Value::List(values))
    }

    /// Shows a key that this kind of example does not have.
    fn without(&mut self, key: &str, why: &str) {
        if let Some((node, _)) = self.document.root.entry(key) {
            self.found.push(self.document.error(node, format!("`{key}` cannot stand here")).help(why));
        }
    }

    fn refuse(&mut self, node: &Node, message: impl Into<String>) {
        self.found.push(self.document.error(node, message));
    }
}
