//! `service.yaml` and `errors.yaml`: fields, operations, errors, limits, policies and capabilities.
//!
//! Not here: how any of it looks on a wire (`dialect`), or the same as Rust types (`message`).

mod check;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::value::Value;

/// What can be said, what it means, and where right implementations may differ.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The name of the service.
    pub service: String,
    /// What it is, in a sentence or two.
    pub about: String,
    /// Every named value of the protocol, once.
    pub fields: BTreeMap<String, Field>,
    /// Values that belong together in a list: the name of the row, and its fields in order.
    pub rows: BTreeMap<String, Vec<String>>,
    /// What a client can ask for.
    pub operations: BTreeMap<String, OperationSpec>,
    /// What a server says without being asked.
    pub events: BTreeMap<String, EventSpec>,
    /// In which order a request is checked; the first broken rule gives the answer.
    pub precedence: Vec<String>,
    /// Numbers that the protocol fixes.
    pub limits: BTreeMap<String, Limit>,
    /// What a scenario may ask of a server that the suite starts itself.
    pub options: BTreeMap<String, ServerOption>,
    /// Named choices, the first of which is the protocol's own.
    pub policies: BTreeMap<String, Policy>,
    /// Abilities that a right implementation may lack. Every operation is one, too.
    pub capabilities: BTreeMap<String, Capability>,
    /// The errors, from `errors.yaml`.
    #[serde(skip)]
    #[schemars(skip)]
    pub errors: BTreeMap<String, ErrorSpec>,
}

/// What kind of value a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// A number from 0 to 2⁶⁴ − 1.
    Int,
    /// True or false.
    Flag,
    /// UTF-8.
    Text,
    /// Bytes without a meaning of their own.
    Bytes,
    /// Several values, named by `of`.
    List,
}

impl FieldKind {
    /// Whether a field of this kind can have a value. Bytes may be given as the text that they spell.
    pub fn holds(self, value: &Value) -> bool {
        match self {
            FieldKind::Int => matches!(value, Value::Int(_)),
            FieldKind::Flag => matches!(value, Value::Flag(_)),
            FieldKind::Text => matches!(value, Value::Text(_)),
            FieldKind::Bytes => matches!(value, Value::Bytes(_) | Value::Text(_)),
            FieldKind::List => matches!(value, Value::List(_)),
        }
    }

    /// What such a field takes, in words.
    pub fn words(self) -> &'static str {
        match self {
            FieldKind::Int => "a number",
            FieldKind::Flag => "true or false",
            FieldKind::Text => "a text",
            FieldKind::Bytes => "bytes, such as {hex: \"00 ff\"}",
            FieldKind::List => "a list",
        }
    }
}

/// One named value.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// What kind of value it is.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// The field or row that a list consists of.
    pub of: Option<String>,
    /// Another field whose rules it shares.
    pub like: Option<String>,
    /// The only lengths in bytes that it can have; another is malformed.
    #[serde(default)]
    pub sizes: Vec<u64>,
    /// What an argument is when it is left out.
    #[schemars(with = "Option<serde_json::Value>")]
    pub default: Option<serde_yaml::Value>,
    /// Whether a wire may have no place for it, neither in requests nor in answers.
    #[serde(default)]
    pub optional: bool,
    /// What it means, with units and ranges.
    pub about: String,
}

impl Field {
    /// The value of an argument that is left out. None: it must be given.
    pub fn default_value(&self) -> Option<Value> {
        Some(match (self.default.as_ref()?, self.kind) {
            (serde_yaml::Value::Number(n), _) => Value::Int(n.as_u64()?),
            (serde_yaml::Value::Bool(b), _) => Value::Flag(*b),
            (serde_yaml::Value::String(s), FieldKind::Bytes) => Value::Bytes(s.clone().into_bytes()),
            (serde_yaml::Value::String(s), _) => Value::Text(s.clone()),
            _ => return None,
        })
    }
}

/// Whether an operation needs a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionNeed {
    /// Only with a session.
    Needed,
    /// Only without one.
    None,
    /// Either way.
    Any,
}

/// One operation.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationSpec {
    /// What it does.
    pub about: String,
    /// Whether it needs a session.
    pub session: SessionNeed,
    /// Its arguments, in order.
    pub arguments: Vec<String>,
    /// What it gives on success, in order.
    pub result: Vec<String>,
    /// Results that exist only under a policy: the result, and the policy with the choice that it needs.
    #[serde(default)]
    pub result_when: BTreeMap<String, BTreeMap<String, String>>,
    /// Names for successes that differ, by the results that tell them apart.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub outcomes: BTreeMap<String, BTreeMap<String, serde_yaml::Value>>,
    /// The errors it can give, besides those that any operation can.
    pub errors: Vec<String>,
}

/// One event.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventSpec {
    /// What it says.
    pub about: String,
    /// Its fields, in order.
    pub fields: Vec<String>,
}

/// A number that the protocol fixes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The number.
    pub value: u64,
    /// What it counts.
    pub unit: String,
    /// What it limits.
    pub about: String,
}

/// Something that a server can be started with, so that a rule shows in a short time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerOption {
    /// The limit that it replaces.
    pub limit: String,
    /// What it is good for.
    pub about: String,
}

/// A choice that implementations make.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What is chosen.
    pub about: String,
    /// The choices and their meaning; the first is the protocol's own.
    #[serde(deserialize_with = "ordered")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub choices: Vec<(String, String)>,
}

impl Policy {
    /// The protocol's own choice.
    pub fn default_choice(&self) -> &str {
        self.choices.first().map_or("", |(name, _)| name)
    }
}

/// An ability that an implementation may lack.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// What it is.
    pub about: String,
}

/// One error of the protocol.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorSpec {
    /// Its permanent number, from 1 to 255.
    pub code: u8,
    /// Whether the operation certainly did not happen.
    pub definite: bool,
    /// Whether any operation can answer it.
    #[serde(default)]
    pub anywhere: bool,
    /// What it says.
    pub sentence: String,
    /// What a wire may tell apart within it, and the meaning of each.
    #[serde(default)]
    pub causes: BTreeMap<String, String>,
    /// The field that its detail carries, if it is more than words for people.
    pub detail: Option<String>,
}

/// The layout of `errors.yaml`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// The errors by name.
    pub errors: BTreeMap<String, ErrorSpec>,
}

impl Service {
    /// A limit's number.
    ///
    /// # Panics
    /// If there is no such limit: limits are named in our own code, so that is a mistake of ours.
    pub fn limit(&self, name: &str) -> u64 {
        self.limits.get(name).unwrap_or_else(|| panic!("service.yaml has no limit `{name}`")).value
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.get(name)
    }

    /// Whether a field holds usernames: it is `username`, or like it.
    pub fn is_username(&self, name: &str) -> bool {
        name == "username" || self.field(name).is_some_and(|field| field.like.as_deref() == Some("username"))
    }

    /// The error with a code.
    pub fn error_by_code(&self, code: u64) -> Option<&str> {
        self.errors.iter().find(|(_, error)| u64::from(error.code) == code).map(|(name, _)| name.as_str())
    }

    /// The operations that have an outcome of this name.
    pub fn outcome(&self, operation: &str, name: &str) -> Option<&BTreeMap<String, serde_yaml::Value>> {
        self.operations.get(operation)?.outcomes.get(name)
    }

    /// Whether a word names a capability: one of the listed, or an operation.
    pub fn is_capability(&self, name: &str) -> bool {
        self.capabilities.contains_key(name) || self.operations.contains_key(name)
    }
}

/// Keeps the order in which choices are written: the first is the default.
fn ordered<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    let mapping = serde_yaml::Mapping::deserialize(deserializer)?;
    mapping
        .into_iter()
        .map(|(key, value)| match (key, value) {
            (serde_yaml::Value::String(key), serde_yaml::Value::String(value)) => Ok((key, value)),
            _ => Err(D::Error::custom("a choice is a word and a sentence")),
        })
        .collect()
}
