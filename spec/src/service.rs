//! `service.yaml` and `errors.yaml`: fields, operations, errors, limits, policies and capabilities.
//!
//! Not here: how any of it looks on a wire (`dialect`), or the same as Rust types (`message`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::error::Diagnostics;
use crate::load::Document;
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

    /// Shows every reference to something that does not exist.
    pub(crate) fn check(&self, document: &Document, errors: &Document, found: &mut Diagnostics) {
        let known_field = |name: &str| self.fields.contains_key(name);
        let mut refuse = |path: &[&str], name: &str, what: &str, known: Vec<&str>| {
            let mut node = &document.root;
            for key in path {
                node = node.get(key).unwrap_or(node);
            }
            let items = node.items().unwrap_or_default();
            let node = items.iter().find(|item| item.text() == Some(name)).unwrap_or(node);
            found.push(document.error(node, format!("there is no {what} `{name}`")).suggest(name, known));
        };
        let fields: Vec<&str> = self.fields.keys().map(String::as_str).collect();
        for (name, operation) in &self.operations {
            for (list, names) in [("arguments", &operation.arguments), ("result", &operation.result)] {
                for field in names.iter().filter(|f| !known_field(f)) {
                    refuse(&["operations", name, list], field, "field", fields.clone());
                }
            }
            for (field, when) in &operation.result_when {
                if !known_field(field) {
                    refuse(&["operations", name, "result_when"], field, "field", fields.clone());
                }
                for (policy, choice) in when {
                    let path = ["operations", name, "result_when", field, policy];
                    match self.policies.get(policy) {
                        None => {
                            refuse(&path[..4], policy, "policy", self.policies.keys().map(String::as_str).collect())
                        }
                        Some(known) if !known.choices.iter().any(|(name, _)| name == choice) => {
                            let choices = known.choices.iter().map(|(name, _)| name.as_str()).collect();
                            refuse(&path, choice, "choice", choices);
                        }
                        Some(_) => {}
                    }
                }
            }
            for error in operation.errors.iter().filter(|e| !self.errors.contains_key(*e)) {
                let errors = self.errors.keys().map(String::as_str).collect();
                refuse(&["operations", name, "errors"], error, "error", errors);
            }
        }
        for (name, event) in &self.events {
            for field in event.fields.iter().filter(|f| !known_field(f)) {
                refuse(&["events", name, "fields"], field, "field", fields.clone());
            }
        }
        for (name, row) in &self.rows {
            for field in row.iter().filter(|f| !known_field(f)) {
                refuse(&["rows", name], field, "field", fields.clone());
            }
        }
        for (name, option) in &self.options {
            if !self.limits.contains_key(&option.limit) {
                let limits = self.limits.keys().map(String::as_str).collect();
                refuse(&["options", name, "limit"], &option.limit, "limit", limits);
            }
        }
        let place = |name: &str| errors.root.get("errors").and_then(|all| all.entry(name)).map(|(key, _)| key);
        let mut by_code: BTreeMap<u8, &str> = BTreeMap::new();
        for (name, error) in &self.errors {
            let Some(key) = place(name) else { continue };
            if error.code == 0 {
                found.push(errors.error(key, format!("`{name}` has the code 0, which says that nothing is wrong")));
            }
            if let Some(first) = by_code.insert(error.code, name) {
                let diagnostic = errors.error(key, format!("`{name}` has the code {} of `{first}`", error.code));
                found.push(match place(first) {
                    Some(first) => diagnostic.other(&errors.place(first), "which has it, too"),
                    None => diagnostic,
                });
            }
        }
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
