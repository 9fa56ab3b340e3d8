//! The layout of `protocol/dialects/<name>.yaml`. The words of a type are told in `codec::field`.

#![expect(dead_code, reason = "layouts are described, never filled")]

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::words::{Capability, Error, Meaning, Operation, When};

/// How operations, answers and events look on one wire, written from the client's side.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct DialectLayout {
    /// Its name.
    dialect: String,
    /// What it is, in a sentence.
    about: String,
    /// What all messages share: a row of fields, or one for each direction.
    frame: FrameLayout,
    /// Types and rows with a name.
    shapes: Option<BTreeMap<String, Row>>,
    /// Which errors answer a request whose frame does not fit, by the field that broke.
    refuse: Option<BTreeMap<String, Refusal>>,
    /// What may come at any time: events, and errors of any operation.
    hear: Option<BTreeMap<Meaning, Messages>>,
    /// How each operation is said, and what may answer it.
    operations: BTreeMap<Operation, OperationLayout>,
    /// The operation that always answers, and so proves that all before it was handled.
    fence: Operation,
    /// Where its implementations differ from the protocol's own choices.
    policies: Option<When>,
    /// Capabilities that its implementations cannot have.
    lacks: Option<Vec<Capability>>,
}

#[derive(JsonSchema)]
#[schemars(untagged, deny_unknown_fields)]
enum FrameLayout {
    Both(Row),
    Each {
        /// From client to server.
        say: Row,
        /// From server to client.
        hear: Row,
    },
}

/// Fields one after another, each `name: type` or a constant; or one type; or the name of a shape.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Row {
    Name(String),
    Fields(Vec<RowField>),
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum RowField {
    Constant(String),
    Named(BTreeMap<String, String>),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Refusal {
    /// The error for a number that is too small.
    below: Option<Error>,
    /// The error for a number that is too large.
    above: Option<Error>,
    /// The error for any number that does not fit.
    error: Option<Error>,
    /// `close`: the connection ends after the answer.
    then: Option<Then>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Then {
    Close,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct OperationLayout {
    /// The request.
    say: Message,
    /// Its answers; the first that fits is taken.
    hear: BTreeMap<Meaning, Messages>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Messages {
    One(Message),
    Several(Vec<Message>),
}

/// The frame, narrowed: numbers for some of its fields, and a row for the open one.
type Message = BTreeMap<String, Narrowed>;

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Narrowed {
    Number(u64),
    Row(Row),
}
