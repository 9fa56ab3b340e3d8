//! What an operation was answered, as far as anything can be concluded from it.

use spec::value::{Record, Value};

/// What an operation was answered.
#[derive(Debug)]
pub(super) enum Answer {
    Ok(Record),
    Error(String),
    /// The connection ended.
    Gone,
    /// Something that nothing can be concluded from, or nothing that this wire can say.
    Unclear,
}

impl Answer {
    pub(super) fn is_ok(&self) -> bool {
        matches!(self, Answer::Ok(_))
    }

    pub(super) fn is_error(&self, name: &str) -> bool {
        matches!(self, Answer::Error(error) if error == name)
    }

    /// It in words, behind the name of an operation.
    pub(super) fn words(&self) -> String {
        match self {
            Answer::Ok(_) => "succeeded".into(),
            Answer::Error(name) => format!("was answered with {name}"),
            Answer::Gone => "was answered with the end of the connection".into(),
            Answer::Unclear => "had an answer that tells nothing, or cannot be said here".into(),
        }
    }

    /// Whether whoever asked plainly has no session.
    pub(super) fn is_refused(&self) -> bool {
        self.is_error("not_logged_in")
    }

    /// The texts of the messages in it.
    pub(super) fn texts(&self) -> Vec<String> {
        let Answer::Ok(values) = self else { return Vec::new() };
        let rows = values.get("messages").and_then(Value::as_list).unwrap_or_default();
        rows.iter().filter_map(|row| Some(row.as_row()?.get("text")?.as_text()?.to_owned())).collect()
    }
}
