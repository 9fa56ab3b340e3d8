//! Whether the examples show everything: each operation's success and each of its outcomes and errors, each event,
//! and each error that is no operation's own.

use crate::error::Diagnostics;
use crate::example::{Answer, Example};
use crate::load::{Document, Node};
use crate::service::Service;
use crate::source::Source;
use crate::value::{Record, Value};

/// Shows what has no example, at the line that defines it.
pub(crate) fn check(examples: &[Example], source: &Source, service: &Service, found: &mut Diagnostics) {
    // Both files were read before; their mistakes are known.
    let document = |path| Document::read(source.file(path)?, &mut Diagnostics::default()).into_iter().next();
    let (Some(spec), Some(errors)) = (document("protocol/service.yaml"), document("protocol/errors.yaml")) else {
        return;
    };
    let mut miss = |document: &Document, path: &[&str], file: &str, what: String| {
        found.push(
            document
                .error(defined(document, path), format!("no example shows {what}"))
                .help(format!("add one to examples/{file}.yaml")),
        );
    };
    for (name, operation) in &service.operations {
        let answers: Vec<&Answer> = answers_of(examples, name);
        if !succeeds(&answers, |_| true) {
            miss(&spec, &["operations", name], name, format!("`{name}` that succeeds"));
        }
        for (outcome, wanted) in &operation.outcomes {
            let is_wanted = |values: &Record| {
                wanted.iter().all(|(field, value)| values.get(field).and_then(Value::as_flag) == value.as_bool())
            };
            if !succeeds(&answers, is_wanted) {
                miss(&spec, &["operations", name, "outcomes", outcome], name, format!("`{name}` with `{outcome}`"));
            }
        }
        for error in operation.errors.iter().filter(|error| !answers.iter().any(|answer| is_error(answer, error))) {
            miss(&spec, &["operations", name, "errors", error], name, format!("`{name}` answered with `{error}`"));
        }
    }
    for name in service.events.keys() {
        if !examples.iter().any(|e| matches!(&e.answer, Answer::Event { name: shown, .. } if shown == name)) {
            miss(&spec, &["events", name], "events", format!("the event `{name}`"));
        }
    }
    let anywhere = service.errors.iter().filter(|(_, error)| error.anywhere).map(|(name, _)| name);
    for name in anywhere.filter(|name| !examples.iter().any(|example| is_error(&example.answer, name))) {
        miss(&errors, &["errors", name], "frames", format!("the error `{name}`"));
    }
}

fn answers_of<'e>(examples: &'e [Example], operation: &str) -> Vec<&'e Answer> {
    let asked = |example: &&Example| example.request.as_ref().is_some_and(|(name, _)| name == operation);
    examples.iter().filter(asked).map(|example| &example.answer).collect()
}

fn succeeds(answers: &[&Answer], with: impl Fn(&Record) -> bool) -> bool {
    answers.iter().any(|answer| matches!(answer, Answer::Ok(values) if with(values)))
}

fn is_error(answer: &Answer, wanted: &str) -> bool {
    matches!(answer, Answer::Error { name, .. } if name == wanted)
}

/// The key, or the item of a list, that a path ends at.
fn defined<'d>(document: &'d Document, path: &[&str]) -> &'d Node {
    let (mut node, mut value) = (&document.root, &document.root);
    for key in path {
        if let Some((key, inner)) = value.entry(key) {
            (node, value) = (key, inner);
        } else if let Some(item) = value.items().and_then(|items| items.iter().find(|i| i.text() == Some(key))) {
            (node, value) = (item, item);
        }
    }
    node
}
