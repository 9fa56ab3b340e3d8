//! The words that the specification defines, for schemas to list: an editor completes them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

use crate::scenario;
use crate::service::{ErrorSpec, Service};
use crate::spec::Spec;

/// Declares words that the specification defines; a schema lists them all.
macro_rules! words {
    ($($(#[doc = $doc:literal])* $name:ident: |$service:ident| $words:expr;)*) => {$(
        $(#[doc = $doc])*
        pub(super) enum $name {}

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let $service = &Spec::embedded().service;
                let words: Vec<String> = $words.map(Into::into).collect();
                json_schema!({"description": concat!($($doc),*).trim(), "type": "string", "enum": words})
            }
        }
    )*};
}

words! {
    /// An operation of `service.yaml`.
    Operation: |service| keys(&service.operations);
    /// An event of `service.yaml`.
    Event: |service| keys(&service.events);
    /// An error of `errors.yaml`.
    Error: |service| keys(&service.errors);
    /// An option of `service.yaml`.
    ServerOption: |service| keys(&service.options);
    /// An operation, or one of the capabilities of `service.yaml`.
    Capability: |service| keys(&service.operations).chain(keys(&service.capabilities));
    /// An argument of an operation, or the field of an event.
    Field: |service| keys(&service.fields);
    /// What an actor does: an operation, or something with its connection; or what breaks, and is mended.
    Verb: |service| keys(&service.operations)
        .chain(scenario::VERBS.iter().copied())
        .chain(scenario::Fault::VERBS.iter().map(|(name, _)| *name));
    /// What came, in a word.
    Outcome: |service| ["ok", "nothing", "closed"].into_iter().chain(outcomes(service)).chain(keys(&service.errors));
    /// What a message means: success, an outcome, an error, perhaps with its cause, or `error` (some error), an event, `next`, `more` or `ignore`.
    Meaning: |service| ["ok", "error", "ignore", "next", "more", "again"].into_iter().map(str::to_owned)
        .chain(outcomes(service).map(str::to_owned)).chain(keys(&service.errors).map(str::to_owned))
        .chain(causes(service)).chain(keys(&service.events).map(str::to_owned));
}

fn keys<T>(map: &BTreeMap<String, T>) -> impl Iterator<Item = &str> {
    map.keys().map(String::as_str)
}

fn outcomes(service: &Service) -> impl Iterator<Item = &str> {
    service.operations.values().flat_map(|operation| keys(&operation.outcomes))
}

/// Errors with one of their causes behind a dot.
fn causes(service: &Service) -> impl Iterator<Item = String> {
    let of = |(name, error): (&String, &ErrorSpec)| -> Vec<String> {
        error.causes.keys().map(|cause| format!("{name}.{cause}")).collect()
    };
    service.errors.iter().flat_map(of)
}

/// Choices by policy: one, or where several fit, a list.
pub(super) struct When;

impl JsonSchema for When {
    fn schema_name() -> Cow<'static, str> {
        "When".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let policies = Spec::embedded().service.policies.iter().map(|(name, policy)| {
            let choices: Vec<&str> = policy.choices.iter().map(|(choice, _)| choice.as_str()).collect();
            let one = json!({"type": "string", "enum": choices});
            let several = json!({"type": "array", "items": one});
            (name.clone(), json!({"description": policy.about, "anyOf": [one, several]}))
        });
        json_schema!({
            "description": "Policies, each with the choice that is meant.",
            "type": "object",
            "properties": policies.collect::<serde_json::Map<_, _>>(),
            "additionalProperties": false,
        })
    }
}
