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
    /// The .proto file of its messages, where it is gRPC. Without it the server is asked for its own.
    proto: Option<String>,
    /// The full name of its gRPC service.
    service: Option<String>,
    /// What all messages share: a row of fields, a template, or one for each direction; `json` and `grpc` are ready-made.
    /// Without it a message is a text.
    frame: Option<FrameLayout>,
    /// Ways to write a value: texts of the value, and what stands for each on the wire.
    filters: Option<BTreeMap<String, BTreeMap<String, String>>>,
    /// Types and rows with a name.
    shapes: Option<BTreeMap<String, Shape>>,
    /// Which errors answer a request whose frame does not fit, by the field that broke.
    refuse: Option<BTreeMap<String, Refusal>>,
    /// What happens when a connection opens.
    connect: Option<DialogueLayout>,
    /// How a user asks to be told of messages.
    listen: Option<DialogueLayout>,
    /// What may come at any time: events, and errors of any operation.
    hear: Option<BTreeMap<Meaning, Message>>,
    /// How each operation is said, and what may answer it.
    operations: BTreeMap<Operation, DialogueLayout>,
    /// The operation that always answers, and so proves that all before it was handled.
    fence: Operation,
    /// How long nothing must come until a message without an end of its own has ended. Milliseconds.
    pause_ms: Option<u64>,
    /// Where its implementations differ from the protocol's own choices.
    policies: Option<When>,
    /// What values may be, by field: a regular expression over the whole value.
    limits: Option<BTreeMap<String, String>>,
    /// Capabilities that its implementations cannot have.
    lacks: Option<Vec<Capability>>,
}

#[derive(JsonSchema)]
#[schemars(untagged, deny_unknown_fields)]
enum FrameLayout {
    Both(Shape),
    Each {
        /// From client to server.
        say: Shape,
        /// From server to client.
        hear: Shape,
    },
}

/// Fields one after another, each `name: type` or a constant; a type; the name of a shape; a template with `{name}`
/// in it; or a map, which is JSON.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Shape {
    Text(String),
    Fields(Vec<serde_json::Value>),
    Map(BTreeMap<String, serde_json::Value>),
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
    /// The error instead of these where the connection has no session.
    logged_out: Option<Error>,
    /// `close`: the connection ends after the answer.
    then: Option<Then>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Then {
    Close,
}

/// One exchange, several in order, or `disconnect`.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum DialogueLayout {
    Disconnect(String),
    One(StepLayout),
    Several(Vec<StepLayout>),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct StepLayout {
    /// What is said; of several messages the one that carries most of what is given. Without it, this step only listens.
    say: Option<Message>,
    /// What may come, by what it means: `ok`, an outcome, an error, `next`, `more`. The first that fits is taken.
    hear: Option<BTreeMap<Meaning, Message>>,
    /// What it means that nothing comes.
    silence: Option<String>,
    /// What it means that the connection ends.
    close: Option<String>,
    /// What it means that a value of this step was never learned.
    unknown: Option<String>,
    /// Repeated for each value of a list: `NAME in LIST`.
    each: Option<String>,
}

/// The frame, narrowed, or several that mean the same: a map of its fields (and `then: close`), or what fills its one
/// open field.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Message {
    Text(String),
    Several(Vec<serde_json::Value>),
    Fields(BTreeMap<String, serde_json::Value>),
}
