//! The layout of every kind of YAML file as a JSON schema, for editors: completion, hints, and mistakes while typing.
//!
//! Service, errors and requirements are read as types, whose schemas follow. Scenarios, dialects and examples are read
//! node by node, so that one mistake does not hide the next; here is their layout as types that nobody fills.
//! Not here: what a schema cannot say, such as whether a hole is filled. Loading a file finds that.

mod dialect;
mod example;
mod scenario;
mod words;

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Value as Json, json};

use crate::requirement::ChapterFile;
use crate::service::{Errors, Service};

/// The schemas, by the kind of file: what stands in `schema/<kind>.json`.
pub fn schemas() -> BTreeMap<&'static str, Json> {
    BTreeMap::from([
        ("service", schema::<Service>("protocol/service.yaml")),
        ("errors", schema::<Errors>("protocol/errors.yaml")),
        ("requirements", schema::<ChapterFile>("requirements/*.yaml")),
        ("scenario", schema::<scenario::ScenarioLayout>("scenarios/*/*.yaml")),
        ("dialect", schema::<dialect::DialectLayout>("protocol/dialects/*.yaml")),
        ("example", schema::<example::ExampleLayout>("examples/*.yaml")),
    ])
}

fn schema<T: JsonSchema>(title: &str) -> Json {
    // The draft that editors know best.
    let settings = SchemaSettings::draft07().with_transform(RecursiveTransform(without_null));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".into(), json!(title));
    schema.to_value()
}

/// A key that is optional is left out; it is never there and empty.
fn without_null(schema: &mut Schema) {
    let null = json!("null");
    if let Some(Json::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| *kind != null);
        if let [only] = &types[..] {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    if let Some(Json::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type") != Some(&null));
        if let [only] = &choices[..] {
            let only = only.clone();
            schema.remove("anyOf");
            schema.insert("allOf".into(), json!([only]));
        }
    }
    if schema.get("default") == Some(&Json::Null) {
        schema.remove("default");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{codec, example, scenario};

    /// Readers know their keys by themselves; here both are held side by side.
    #[test]
    fn a_schema_has_the_keys_that_are_read() {
        let schemas = schemas();
        let known = |schema: &Json| keys(schema).map(str::to_owned).collect::<Vec<_>>();
        fn keys(schema: &Json) -> impl Iterator<Item = &str> {
            schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.as_str())
        }
        let sorted = |keys: &[&str]| {
            let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            keys.sort();
            keys
        };
        assert_eq!(known(&schemas["scenario"]), sorted(scenario::KEYS));
        assert_eq!(known(&schemas["dialect"]), sorted(codec::compile::KEYS));
        assert_eq!(known(&schemas["example"]), sorted(example::KEYS));
        let step = &schemas["scenario"]["definitions"]["Step"];
        assert_eq!(known(step), sorted(&[scenario::STEP_KEYS, &["together"]].concat()));
    }
}
