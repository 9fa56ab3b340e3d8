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

/// Details of errors have every length up to this one, so that an error can be taken for any short answer.
const LONGEST_DETAIL: usize = 32;

/// Speaks and hears every message of the dialect; what does not come back is added to `found`.
pub(crate) fn rehearse(dialect: &Dialect, service: &Service, document: &Document, found: &mut Diagnostics) {
    let stage = Stage { dialect, service, document };
    for variant in 0..2 {
        let mut mistakes = Vec::new();
        for operation in &dialect.operations {
            let arguments = stage.sample(&operation.say.body, variant);
            match stage.request(&operation.name, &arguments) {
                Ok(dialogue) => {
                    let entries = operation.hear.iter().chain(&dialect.anytime);
                    mistakes.extend(entries.filter_map(|entry| stage.entry(entry, &dialogue, variant)));
                }
                Err(diagnostic) => mistakes.push(diagnostic),
            }
        }
        if !mistakes.is_empty() {
            mistakes.into_iter().for_each(|diagnostic| found.push(diagnostic));
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
        let outcome = self.dialect.hear_request(&bytes, &mut slots, &mut heard);
        if let Some(other) = self.dialect.operation_of(&heard).filter(|other| *other != name) {
            let diagnostic = self.error(&path, format!("`{name}` is heard as `{other}`: {}", hex(&bytes)));
            return Err(match self.place(&format!("operations.{other}.say")) {
                Some(place) => diagnostic.other(&place, "which has the same numbers in its frame"),
                None => diagnostic,
            });
        }
        let why = match outcome {
            RequestHeard::Taken(_) => {
                let heard = self.dialect.arguments(&heard, &slots);
                if same(arguments, &heard) {
                    return Ok(dialogue);
                }
                format!("does not come back with its arguments: {arguments} became {heard}")
            }
            RequestHeard::More(_) => format!("is not heard: more than {} would be needed", hex(&bytes)),
            RequestHeard::Refused { unfit, .. } => format!("is not heard: {unfit} of {}", hex(&bytes)),
        };
        Err(self.error(&path, format!("`{name}` {why}")))
    }

    /// Speaks what an entry means, and hears it where a request waits for its answer.
    fn entry(&self, entry: &Entry, dialogue: &Dialogue, variant: usize) -> Option<Diagnostic> {
        let mut values = self.sample(&entry.message.body, variant);
        match &entry.meaning {
            Meaning::Ok => self.answer(entry, &Saying::Ok(&values), dialogue),
            Meaning::Outcome(outcome) => {
                for (field, value) in self.dialect.outcome(dialogue, outcome) {
                    values.set(field, value.unwrap_or_default());
                }
                self.answer(entry, &Saying::Ok(&values), dialogue)
            }
            Meaning::Event(name) => self.answer(entry, &Saying::Event(name, &values), dialogue),
            Meaning::Error(name) => self.answer(entry, &Saying::Error { name, detail: "10.0.0.1:6262" }, dialogue),
            Meaning::AnyError => (0..LONGEST_DETAIL).find_map(|length| {
                let detail = "x".repeat(length);
                self.answer(entry, &Saying::Error { name: "unavailable", detail: &detail }, dialogue)
            }),
            Meaning::Ignore => None,
        }
    }

    fn answer(&self, entry: &Entry, saying: &Saying<'_>, dialogue: &Dialogue) -> Option<Diagnostic> {
        let mut bytes = Vec::new();
        let nobody = Dialogue::default();
        let asked = if let Saying::Event(..) = saying { &nobody } else { dialogue };
        if let Err(why) = self.dialect.speak_answer(asked, saying, &mut bytes) {
            return Some(self.error(&entry.path, format!("this cannot be said: {why}")));
        }
        let heard = self.dialect.hear_answer(&bytes, Some(dialogue));
        let back = match (saying, &heard) {
            (Saying::Ok(said), Some(Heard::Ok { values, .. })) => same(said, values),
            (Saying::Event(said, fields), Some(Heard::Event { name, values, .. })) => {
                said == name && same(fields, values)
            }
            (Saying::Error { name: said, .. }, Some(Heard::Error { name, .. })) => said == name,
            _ => false,
        };
        let heard = match heard {
            _ if back => return None,
            None => "as no whole message".to_owned(),
            Some(Heard::Ok { values, .. }) => format!("as a success: {values}"),
            Some(Heard::Error { name, .. }) => format!("as the error `{name}`"),
            Some(Heard::Event { name, values, .. }) => format!("as the event `{name}`: {values}"),
            Some(Heard::Ignored { .. }) => "as something to ignore".to_owned(),
            Some(Heard::Other { unfit, .. }) => format!("as nothing: {unfit}"),
        };
        let message = format!("this does not come back as itself: {}", hex(&bytes));
        Some(self.error(&entry.path, message).help(format!("it is heard {heard}")))
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
