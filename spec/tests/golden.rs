//! Every example on every wire, byte for byte, as a person reads it: one snapshot for each wire and group of examples.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test -p spec --test golden`, then read the difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::fs;
use std::path::Path;

use spec::Spec;
use spec::codec::Unspeakable;
use spec::dialect::Dialect;
use spec::error::Diagnostics;
use spec::example::{self, Answer, Example};
use spec::vectors::{self, Bytes};

#[test]
fn every_message_is_said_in_the_bytes_that_were_reviewed() {
    let spec = Spec::embedded();
    let examples = examples(spec);
    for dialect in spec.dialects.values() {
        for (group, examples) in &by_group(&examples) {
            let text: Vec<String> = examples.iter().map(|example| drawn(dialect, example)).collect();
            insta::with_settings!({
                snapshot_path => format!("golden/{}", dialect.name),
                prepend_module_to_snapshot => false,
                omit_expression => true,
            }, { insta::assert_snapshot!(*group, text.join("\n")) });
        }
    }
}

#[test]
fn no_snapshot_is_left_over() {
    let spec = Spec::embedded();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let names = |folder: &Path| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).expect("the folder can be read");
        entries.map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned()).collect()
    };
    let groups: BTreeSet<String> = examples(spec).iter().map(|example| format!("{}.snap", example.group)).collect();
    assert_eq!(names(&folder), spec.dialects.keys().cloned().collect());
    for dialect in spec.dialects.keys() {
        assert_eq!(names(&folder.join(dialect)), groups, "{dialect}");
    }
}

#[test]
fn every_golden_byte_is_explained() {
    let spec = Spec::embedded();
    for dialect in spec.dialects.values() {
        for example in examples(spec) {
            let Ok(spoken) = vectors::speak(dialect, &example) else { continue };
            for message in spoken.request.iter().chain([&spoken.answer]) {
                let lines = &message.annotated.lines;
                let bytes: Vec<u8> = lines.iter().flat_map(|line| line.bytes.clone()).collect();
                assert_eq!(bytes, message.bytes, "{}", example.id());
                let what = || format!("{} on {}: {:?}", example.id(), dialect.name, lines);
                assert!(!message.annotated.title.is_empty(), "{}", what());
                assert!(lines.iter().all(|line| !line.field.is_empty()), "{}", what());
            }
        }
    }
}

fn examples(spec: &Spec) -> Vec<Example> {
    let mut found = Diagnostics::default();
    let examples = example::read(&spec.source, &spec.service, &mut found);
    assert!(found.is_empty(), "{found}");
    examples
}

fn by_group(examples: &[Example]) -> BTreeMap<&str, Vec<&Example>> {
    let mut groups: BTreeMap<&str, Vec<&Example>> = BTreeMap::new();
    for example in examples {
        groups.entry(&example.group).or_default().push(example);
    }
    groups
}

fn drawn(dialect: &Dialect, example: &Example) -> String {
    let mut text = format!("── {} ──\n\n", example.name);
    draw(dialect, example, &mut text).expect("a text can always be written to");
    text
}

fn draw(dialect: &Dialect, example: &Example, text: &mut String) -> fmt::Result {
    let spoken = match vectors::speak(dialect, example) {
        Ok(spoken) => spoken,
        Err(Unspeakable { field, why }) => return writeln!(text, "cannot be said: `{field}` {why}"),
    };
    // A call is a line of JSON, which says what it means by itself.
    let message = |text: &mut String, who: &str, what: &dyn fmt::Display, said: &Bytes| match &dialect.grpc {
        Some(_) => write!(text, "{who}: {} {what}\n{}", said.annotated.title, String::from_utf8_lossy(&said.bytes)),
        None => write!(text, "{who}: {} {what}\n{}", said.annotated.title, said.annotated),
    };
    if let Some(said) = &spoken.request {
        message(text, "client", &said.fields, said)?;
        writeln!(text)?;
    }
    let what = match &example.answer {
        Answer::Ok(_) | Answer::Event { .. } => spoken.answer.fields.to_string(),
        Answer::Error { .. } => spoken.answer.fields.iter().map(|(_, detail)| detail.to_string()).collect(),
    };
    message(text, "server", &what, &spoken.answer)
}
