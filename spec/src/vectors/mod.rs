//! Test vectors: the examples as bytes of a wire, as JSON for programs in other languages.
//!
//! ```json
//! {
//!   "fresh": 7,
//!   "vectors": [
//!     {
//!       "dialect": "framed",
//!       "example": "ping/a-sign-of-life",
//!       "direction": "say",
//!       "kind": "request",
//!       "operation": "ping",
//!       "fields": {"nonce": 7},
//!       "hex": "0000000e0109000000070000000000000007",
//!       "parts": [{"offset": 0, "hex": "0000000e", "field": "length", "value": "14"}, …]
//!     }, …
//!   ],
//!   "unspeakable": [{"dialect": "…", "example": "…", "why": "…"}]
//! }
//! ```
//!
//! `say` goes from client to server, `hear` from server to client; an answer echoes the request of the same example.
//! Numbers are whole and go up to 2⁶⁴ − 1; bytes among the fields are `{"hex": "…"}`. The parts cover the whole message.
//! The fields are those that the wire carries. An answer that a wire gives in several messages is one vector.
//!
//! Not here: the same for people to read (`tests/golden.rs`), and bytes that are wrong (scenarios have those).

mod spoken;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

pub use self::spoken::{Bytes, Spoken, speak};
use crate::codec::Line;
use crate::dialect::Dialect;
use crate::example::{Answer, Example};
use crate::value::{Record, Value};

/// The number in fields that are new in each request, such as a request id.
pub const FRESH: u64 = 7;

/// All vectors of some dialects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Vectors {
    /// The number in fields that are new in each request.
    pub fresh: u64,
    /// The messages.
    pub vectors: Vec<Vector>,
    /// Examples that a wire cannot carry.
    pub unspeakable: Vec<Silence>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Vector {
    /// The wire.
    pub dialect: String,
    /// The example that it belongs to. A request and its answer have the same.
    pub example: String,
    /// Who says it.
    pub direction: Direction,
    /// What it is.
    pub kind: Kind,
    /// The operation that it asks for or answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The name of the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The name of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Arguments, results, the fields of an event, or an error's `detail`, as far as the wire carries them.
    pub fields: Map<String, Json>,
    /// The whole message.
    pub hex: String,
    /// The message field by field, in the order of the bytes.
    pub parts: Vec<Part>,
}

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The client.
    Say,
    /// The server.
    Hear,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An operation with its arguments.
    Request,
    /// Its success.
    Ok,
    /// An error.
    Error,
    /// An event.
    Event,
}

/// One field of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Where it begins, in bytes from the start of the message.
    pub offset: usize,
    /// Its bytes.
    pub hex: String,
    /// Its name in the dialect.
    pub field: String,
    /// Its value, as a person reads it; long ones are cut.
    pub value: String,
}

/// An example that a wire cannot carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Silence {
    /// The wire.
    pub dialect: String,
    /// The example.
    pub example: String,
    /// What stands in the way.
    pub why: String,
}

impl Vectors {
    /// Says every example on every wire.
    pub fn new<'a>(dialects: impl IntoIterator<Item = &'a Dialect>, examples: &[Example]) -> Self {
        let mut all = Vectors { fresh: FRESH, vectors: Vec::new(), unspeakable: Vec::new() };
        for dialect in dialects {
            for example in examples {
                match speak(dialect, example) {
                    Ok(spoken) => all.vectors.extend(vectors(dialect, example, &spoken)),
                    Err(why) => all.unspeakable.push(Silence {
                        dialect: dialect.name.clone(),
                        example: example.id(),
                        why: why.to_string(),
                    }),
                }
            }
        }
        all
    }
}

fn vectors(dialect: &Dialect, example: &Example, spoken: &Spoken) -> impl Iterator<Item = Vector> {
    let vector = |direction, kind, bytes: &Bytes| Vector {
        dialect: dialect.name.clone(),
        example: example.id(),
        direction,
        kind,
        operation: example.request.as_ref().map(|(operation, _)| operation.clone()),
        error: None,
        event: None,
        fields: fields(&bytes.fields),
        hex: hex(&bytes.bytes),
        parts: bytes.annotated.lines.iter().map(part).collect(),
    };
    let request = spoken.request.as_ref().map(|bytes| vector(Direction::Say, Kind::Request, bytes));
    let answer = match &example.answer {
        Answer::Ok(_) => vector(Direction::Hear, Kind::Ok, &spoken.answer),
        Answer::Error { name, .. } => {
            Vector { error: Some(name.clone()), ..vector(Direction::Hear, Kind::Error, &spoken.answer) }
        }
        Answer::Event { name, .. } => {
            Vector { event: Some(name.clone()), ..vector(Direction::Hear, Kind::Event, &spoken.answer) }
        }
    };
    request.into_iter().chain([answer])
}

fn part(line: &Line) -> Part {
    Part { offset: line.offset, hex: hex(&line.bytes), field: line.field.clone(), value: line.value.clone() }
}

/// A record as the vectors have it: bytes as `{"hex": "…"}`, everything else as itself.
pub fn fields(record: &Record) -> Map<String, Json> {
    record.iter().map(|(name, value)| (name.to_owned(), json(value))).collect()
}

fn json(value: &Value) -> Json {
    match value {
        Value::Int(number) => json!(number),
        Value::Flag(flag) => json!(flag),
        Value::Text(text) => json!(text),
        Value::Bytes(bytes) => json!({"hex": hex(bytes)}),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Row(row) => Json::Object(fields(row)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
