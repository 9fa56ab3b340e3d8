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
