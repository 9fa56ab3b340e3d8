//! The layout of `examples/<group>.yaml`.

#![expect(dead_code, reason = "layouts are described, never filled")]

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::scenario::Given;
use super::words::{Error, Event, Field, Operation};

/// A message in fields and without bytes. A file holds several, separated by `---`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ExampleLayout {
    /// What it shows: a lower-case sentence, unique in the file.
    example: String,
    /// What is asked. Without it `gets` answers bytes that are no request.
    operation: Option<Operation>,
    /// All arguments, except those that have their default.
    arguments: Option<BTreeMap<Field, Said>>,
    /// What comes back.
    gets: Option<Gets>,
    /// What comes without being asked for.
    event: Option<Event>,
    /// All fields of the event.
    fields: Option<BTreeMap<Field, Said>>,
}

#[derive(JsonSchema)]
#[schemars(untagged, deny_unknown_fields)]
enum Gets {
    /// Success, with all results.
    Ok { ok: BTreeMap<Field, Said> },
    /// An error.
    Error { error: Error, detail: Option<String> },
}

/// A value, or a list of values or rows.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Said {
    One(Given),
    Several(Vec<Said>),
    Row(BTreeMap<Field, Said>),
}
