//! A dialect speaks every message to itself when it is loaded: what it says, it must hear, as itself and with its values.
//!
//! That finds two lines of a table that cannot be told apart, and values that a wire cannot carry, before any
//! target is touched. Not here: whether a target speaks it.

use crate::codec::plan::{Entry, Meaning, Number, Part, Plan};
use crate::codec::{Dialogue, Heard, Saying, Slots};
use crate::dialect::{Dialect, RequestHeard};
use crate::error::{Diagnostic, Diagnostics};
use crate::load::Document;
use crate::service::{FieldKind, Service};
use crate::value::{Record, Value};

/// Speaks and hears every message of the dialect; what does not come back is added to `found`.
pub(crate) fn rehearse(dialect: &Dialect, service: &Service, document: &Document, found: &mut Diagnostics) {
    let stage = Stage { dialect, service, document };
    for variant in 0..2 {
        for operation in &dialect.operations {
            let arguments = stage.sample(&operation.say.body, variant);
            match stage.request(&operation.name, &arguments) {
                Ok(dialogue) => {
                    for entry in &operation.hear {
                        found.0.extend(stage.answer(entry, Some(&dialogue), variant));
                    }
                    if variant == 0 {
                        for entry in dialect.anytime.iter().filter(|entry| !matches!(entry.meaning, Meaning::Event(_)))
                        {
                            found.0.extend(stage.answer(entry, Some(&dialogue), variant));
                        }
                    }
                }
                Err(diagnostic) => found.push(diagnostic),
            }
        }
        for entry in dialect.anytime.iter().filter(|entry| matches!(entry.meaning, Meaning::Event(_))) {
            found.0.extend(stage.answer(entry, None, variant));
        }
        if !found.is_empty() {
            return;
        }
    }
}

struct Stage<'a> {
    dialect: &'a Dialect,
    service: &'a Service,
    document: &'a Document,
}

impl Stage<'_> {
    fn request(&self, name: &str, arguments: &Record) -> Result<Dialogue, Diagnostic> {
        let path = format!("operations.{name}.say");
        let mut bytes = Vec::new();
        let dialogue = self
            .dialect
            .speak_request(name, arguments, 7, &mut bytes)
            .map_err(|why| self.error(&path, format!("`{name}` cannot be said: {why}")))?;
        let (mut slots, mut heard) = (Slots::new(), Dialogue::default());
        match self.dialect.hear_request(&bytes, &mut slots, &mut heard) {
            RequestHeard::Taken(_) if heard.operation == dialogue.operation => {
                let heard = self.dialect.arguments(&heard, &slots);
                let same = arguments.iter().all(|(field, value)| heard.get(field) == Some(value));
                if same {
                    return Ok(dialogue);
                }
                Err(self.error(
                    &path,
                    format!("`{name}` does not come back with its arguments: {arguments} became {heard}"),
                ))
            }
            RequestHeard::Taken(_) => {
                let other = self.dialect.operation_of(&heard).unwrap_or_default();
                let mut diagnostic = self.error(&path, format!("`{name}` is heard as `{other}`: {}", hex(&bytes)));
                if let Some(place) = self.place(&format!("operations.{other}.say")) {
                    diagnostic = diagnostic.other(&place, "which says the same bytes");
                }
                Err(diagnostic)
            }
            heard => Err(self.error(&path, format!("`{name}` is not heard: {heard:?} from {}", hex(&bytes)))),
        }
    }

    fn answer(&self, entry: &Entry, dialogue: Option<&Dialogue>, variant: usize) -> Option<Diagnostic> {
        let values = self.sample(&entry.message.body, variant);
        let none = Dialogue::default();
        let mut bytes = Vec::new();
        let saying = match &entry.meaning {
            Meaning::Ok | Meaning::Outcome(_) => Saying::Ok(&values),
            Meaning::Error(name) => Saying::Error { name, detail: "10.0.0.1:6262" },
            Meaning::AnyError => Saying::Error { name: "unavailable", detail: "why" },
            Meaning::Event(name) => Saying::Event(name, &values),
            Meaning::Ignore => return None,
        };
        let speaking = dialogue.unwrap_or(&none);
        if let Err(why) = self.dialect.speak_answer(speaking, &saying, &mut bytes) {
            return Some(self.error(&entry.path, format!("this cannot be said: {why}")));
        }
        let heard = self.dialect.hear_answer(&bytes, dialogue);
        let back = match (&heard, &entry.meaning) {
            (Some(Heard::Ok { values: heard, .. }), Meaning::Ok | Meaning::Outcome(_))
            | (Some(Heard::Event { values: heard, .. }), Meaning::Event(_)) => same(&values, heard),
            (Some(Heard::Error { name, .. }), Meaning::Error(said)) => name == said,
            (Some(Heard::Error { name, .. }), Meaning::AnyError) => name == "unavailable",
            _ => false,
        };
        if back {
            return None;
        }
        let heard = heard.map_or_else(|| "no whole message".to_owned(), |heard| format!("{heard:?}"));
        Some(
            self.error(&entry.path, format!("this does not come back as itself: {}", hex(&bytes)))
                .help(format!("it is heard as {heard}")),
        )
    }

    /// Values for the fields of a message: short ones, then long ones.
    fn sample(&self, plan: &Plan, variant: usize) -> Record {
        let mut record = Record::new();
        for (part, label) in plan.parts.iter().zip(&plan.labels) {
            let label = &label.text;
            let value = match part {
                _ if plan.position(label).is_none() || label == "error" => continue,
                Part::Int(Number { least, most, .. }) => {
                    let number = if variant == 0 { *least } else { *most };
                    match self.service.field(label).map(|field| field.kind) {
                        Some(FieldKind::Flag) => Value::Flag(number != 0),
                        _ => Value::Int(number),
                    }
                }
                Part::Bytes { .. } => self.sample_bytes(label, variant),
                Part::List { item, single, .. } => {
                    let row = self.sample(item, variant);
                    let value = match single {
                        true => row.iter().next().map_or(Value::Int(0), |(_, value)| value.clone()),
                        false => Value::Row(row),
                    };
                    Value::List(vec![value; variant * 2])
                }
            };
            record.set(label, value);
        }
        record
    }

    fn sample_bytes(&self, label: &str, variant: usize) -> Value {
        let field = self.service.field(label);
        let size = field.and_then(|field| field.sizes.get(variant).copied());
        let length = size.map_or(if variant == 0 { 1 } else { 40 }, |size| size as usize);
        match field.map(|field| field.kind) {
            Some(FieldKind::Bytes) => Value::Bytes(vec![0x2a; length]),
            _ => Value::Text("a".repeat(length)),
        }
    }

    fn place(&self, path: &str) -> Option<crate::error::Place> {
        let mut node = &self.document.root;
        for key in path.split('.') {
            node = node.get(key)?;
        }
        Some(self.document.place(node))
    }

    fn error(&self, path: &str, message: String) -> Diagnostic {
        let place = self.place(path).unwrap_or_else(|| self.document.place(&self.document.root));
        Diagnostic::new(&place, message)
    }
}

fn same(said: &Record, heard: &Record) -> bool {
    said.iter().all(|(field, value)| heard.get(field) == Some(value))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(48).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
