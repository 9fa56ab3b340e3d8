//! What is generated, or written down a second time, equals what it comes from.
//!
//! `UPDATE_GENERATED=1 cargo test -p spec --test generated` writes the schemas and `proto/chat.proto` anew.

mod validate;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value as Json;
use spec::Spec;
use spec::error::Diagnostics;
use spec::load::{Document, Node};
use spec::message::{ErrorName, Event, Operation, Reply, Request};
use spec::proto::chat_proto;
use spec::schema::schemas;
use spec::service::FieldKind;
use spec::source::Source;
use spec::value::{Record, Value};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

// ── schemas ───────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_schemas_are_those_of_the_types() {
    for (kind, schema) in schemas() {
        let path = folder("schema").join(format!("{kind}.json"));
        let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n";
        if env::var_os("UPDATE_GENERATED").is_some() {
            fs::write(&path, text).expect("the schema folder can be written");
        } else {
            let stale = fs::read_to_string(&path).ok().as_deref() != Some(&text);
            assert!(!stale, "spec/schema/{kind}.json is stale: UPDATE_GENERATED=1 cargo test -p spec --test generated");
        }
    }
}

#[test]
fn the_grpc_service_is_that_of_the_protocol() {
    let (path, text) = (folder("proto").join("chat.proto"), chat_proto(&Spec::embedded().service));
    if env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, text).expect("the proto folder can be written");
    } else {
        let stale = fs::read_to_string(&path).ok().as_deref() != Some(&text);
        assert!(!stale, "spec/proto/chat.proto is stale: UPDATE_GENERATED=1 cargo test -p spec --test generated");
    }
}

/// Which files have which layout: what `schema/README.md` tells editors.
const LAYOUTS: &[(&str, &str)] = &[
    ("protocol/service.yaml", "service"),
    ("protocol/errors.yaml", "errors"),
    ("protocol/dialects/", "dialect"),
    ("requirements/", "requirements"),
    ("scenarios/", "scenario"),
    ("examples/", "example"),
];

#[test]
fn every_file_fits_its_schema() {
    let (source, schemas) = (Source::embedded(), schemas());
    let mut misfits = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for folder in ["protocol", "requirements", "scenarios", "examples"] {
        for file in source.below(folder) {
            let Some((_, kind)) = LAYOUTS.iter().find(|(prefix, _)| file.path.starts_with(prefix)) else { continue };
            for document in Document::read(file, &mut Diagnostics::default()) {
                *seen.entry(kind).or_default() += 1;
                let found = validate::misfits(&schemas[kind], &schemas[kind], &json(&document.root), "");
                misfits.extend(found.into_iter().map(|misfit| format!("{}{misfit}", document.place(&document.root))));
            }
        }
    }
    assert!(misfits.is_empty(), "{}", misfits.join("\n"));
    assert_eq!(seen.len(), schemas.len(), "{seen:?}");
}

#[test]
fn a_schema_finds_what_a_reader_would_refuse() {
    let schemas = schemas();
    for (kind, yaml) in [
        ("scenario", "{scenario: a, checks: [A-1], why: b, steps: [], sceps: []}"),
        ("scenario", "{scenario: a, checks: [A-1], why: b}"),
        ("scenario", "{scenario: a, checks: [A-1], why: b, steps: [{alice: sings}]}"),
        ("scenario", "{scenario: a, checks: [A-1], why: b, actors: {bob: asleep}, steps: []}"),
        ("scenario", "{scenario: a, checks: [A-1], why: b, when: {delivery: pigeon}, steps: []}"),
        ("scenario", "{scenario: a, checks: [A-1], why: b, steps: [{alice: ping, gets: great}]}"),
        (
            "requirements",
            "{chapter: a, title: b, about: c, requirements: {A-1: {level: MIGHT, sentence: d, source: e}}}",
        ),
        ("dialect", "{dialect: a, about: b, frame: [], operations: {sing: {say: {}, hear: {}}}, fence: ping}"),
        ("dialect", "{dialect: a, about: b, frame: [], operations: {ping: {say: {}, hear: {great: {}}}}, fence: ping}"),
        ("example", "{example: a, operation: ping, gets: {ok: {nonce: 7}, error: malformed}}"),
        ("errors", "{errors: {malformed: {code: 256, definite: true, sentence: a}}}"),
    ] {
        let document = document("a.yaml", yaml);
        assert!(!validate::misfits(&schemas[kind], &schemas[kind], &json(&document.root), "").is_empty(), "{yaml}");
    }
}

fn document(path: &str, text: &str) -> Document {
    let source = Source::default().with(path, text);
    let file = source.file(path).expect("just added");
    Document::read(file, &mut Diagnostics::default()).remove(0)
}

fn json(node: &Node) -> Json {
    serde_json::to_value(node.value()).expect("keys are texts")
}

// ── embedded files ────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_embedded_files_are_those_of_the_folder() {
    let (embedded, folder) = (Source::embedded(), Source::folder(&folder("")).expect("the folder can be read"));
    for name in ["protocol", "requirements", "scenarios", "examples"] {
        let paths = |source: &Source| source.below(name).map(|file| file.path.clone()).collect::<Vec<_>>();
        assert_eq!(paths(&embedded), paths(&folder), "touch spec/src/source.rs and build again");
        for file in folder.below(name) {
            assert_eq!(embedded.file(&file.path).map(|file| &file.text), Some(&file.text), "{}", file.path);
        }
    }
}

// ── message.rs ────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_operations_of_the_types_are_those_of_the_service() {
    let spec = Spec::embedded();
    let names: Vec<&str> = Operation::ALL.iter().map(|operation| operation.name()).collect();
    assert_eq!(names, written("protocol/service.yaml", "operations"));
    for operation in Operation::ALL {
        let service = &spec.service.operations[operation.name()];
        let (arguments, results) = operation.fields();
        assert_eq!(arguments, service.arguments, "{operation}");
        let (always, under_a_policy) = results.split_at(service.result.len());
        assert_eq!(always, service.result, "{operation}");
        let mut under_a_policy = under_a_policy.to_vec();
        under_a_policy.sort_unstable();
        assert_eq!(under_a_policy, service.result_when.keys().collect::<Vec<_>>(), "{operation}");
        assert_eq!(Operation::from_name(operation.name()), Some(*operation));
    }
}

#[test]
fn the_errors_of_the_types_are_those_of_the_protocol() {
    let names: Vec<&str> = ErrorName::ALL.iter().map(|error| error.name()).collect();
    assert_eq!(names, written("protocol/errors.yaml", "errors"));
    assert!(ErrorName::ALL.iter().all(|error| ErrorName::from_name(error.name()) == Some(*error)));
}

/// A record with a value of the right kind in every field must become a message and come back unchanged: with a field
/// of another kind it would do neither.
#[test]
fn the_fields_of_the_types_have_the_kinds_of_the_service() {
    let spec = Spec::embedded();
    for operation in Operation::ALL {
        let service = &spec.service.operations[operation.name()];
        let arguments = sample(spec, &service.arguments);
        let request = Request::from_record(*operation, &arguments);
        assert_eq!(request.map(|request| request.to_record()), Some(arguments), "{operation}");
        let names: Vec<String> = service.result.iter().chain(service.result_when.keys()).cloned().collect();
        let results = sample(spec, &names);
        let reply = Reply::from_record(*operation, &results);
        assert_eq!(reply.map(|reply| reply.to_record()), Some(results), "{operation}");
    }
    for (name, event) in &spec.service.events {
        let fields = sample(spec, &event.fields);
        let event = Event::from_record(name, &fields);
        assert_eq!(event.map(|event| event.to_record()), Some(fields), "{name}");
    }
}

fn sample(spec: &Spec, names: &[String]) -> Record {
    names.iter().map(|name| (name.clone(), sample_value(spec, name))).collect()
}

fn sample_value(spec: &Spec, name: &str) -> Value {
    let field = spec.service.field(name).unwrap_or_else(|| panic!("service.yaml has no field `{name}`"));
    match field.kind {
        FieldKind::Int => Value::Int(7),
        FieldKind::Flag => Value::Flag(true),
        FieldKind::Text => Value::Text("text".into()),
        FieldKind::Bytes => Value::Bytes(vec![0xff]),
        FieldKind::List => {
            let of = field.of.as_deref().unwrap_or_else(|| panic!("`{name}` is a list of nothing"));
            Value::List(vec![match spec.service.rows.get(of) {
                Some(row) => Value::Row(sample(spec, row)),
                None => sample_value(spec, of),
            }])
        }
    }
}

/// The keys of a map in the order in which they are written.
fn written(path: &str, key: &str) -> Vec<String> {
    let source = Source::embedded();
    let file = source.file(path).expect("the file is there");
    let document = Document::read(file, &mut Diagnostics::default()).remove(0);
    let entries = document.root.get(key).and_then(Node::entries).expect("a map").to_vec();
    entries.iter().filter_map(|(key, _)| Some(key.text()?.to_owned())).collect()
}
