//! Examples: every request, answer and event of the protocol at least once, in fields and without bytes.
//!
//! They stand in `examples/*.yaml`, one document each. What they look like on a wire follows from the dialect:
//! golden bytes (`tests/golden.rs`) and `vectors` are the same examples, spoken.
//! Not here: what a server must do, which is what scenarios show.

mod complete;
mod read;

pub(crate) use complete::check;
#[cfg(test)]
pub(crate) use read::KEYS;

use crate::codec::Saying;
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::load::Document;
use crate::scenario::slug;
use crate::service::Service;
use crate::source::Source;
use crate::value::Record;

/// An exchange, an event, or the answer to bytes that are no request.
#[derive(Debug, Clone)]
pub struct Example {
    /// What it shows: a lower-case sentence, unique in its group.
    pub name: String,
    /// The file that it stands in, without folder and ending: the operation's name, `events` or `frames`.
    pub group: String,
    /// The operation, with every argument. None: nobody asked for the answer.
    pub request: Option<(String, Record)>,
    /// What the server says.
    pub answer: Answer,
    /// Where it is written.
    pub place: Place,
}

/// What a server says in an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The operation succeeds, with every result.
    Ok(Record),
    /// It fails, or the bytes were no request.
    Error {
        /// Its name in `errors.yaml`.
        name: String,
        /// What goes with it.
        detail: String,
    },
    /// An event.
    Event {
        /// Its name in `service.yaml`.
        name: String,
        /// All of its fields.
        fields: Record,
    },
}

impl Example {
    /// What stands in reports: `send_message/a-message-for-nobody`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.group, slug(&self.name))
    }
}

impl Answer {
    /// The same for `Dialect::speak_answer`.
    pub fn saying(&self) -> Saying<'_> {
        match self {
            Answer::Ok(values) => Saying::Ok(values),
            Answer::Error { name, detail } => Saying::Error { name, cause: "", detail },
            Answer::Event { name, fields } => Saying::Event(name, fields),
        }
    }
}

/// Reads all examples of a source. Mistakes are added to `found`; the examples without one come back.
pub fn read(source: &Source, service: &Service, found: &mut Diagnostics) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    for file in source.below("examples") {
        let group = file.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".yaml");
        for document in Document::read(file, found) {
            let Some(example) = read::example(&document, group, service, found) else { continue };
            if let Some(first) = examples.iter().find(|known| known.id() == example.id()) {
                found.push(
                    Diagnostic::new(&example.place, format!("the name of `{}` is taken", example.id()))
                        .other(&first.place, "first here"),
                );
            }
            examples.push(example);
        }
    }
    examples
}
