//! `conformance explain`: everything the specification says about one word.

use std::sync::Arc;

use clap::Args;
use spec::Spec;
use spec::dialect::Dialect;
use spec::error::suggestion;
use spec::example::Answer;
use spec::requirement::JudgedBy;
use spec::source::Source;

use crate::commands::run::judged::dialect;
use crate::commands::{complain, draw, protocol, say};
use crate::exit::Exit;
use crate::select;

/// Tell everything about a requirement, operation, error, policy or case.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// A requirement (`DELIVERY-2`), an operation, event, error, field, policy or capability, or a case.
    id: String,
    /// The wire that bytes are shown over: a name, a file, or `all`.
    #[arg(long, value_name = "DIALECT", default_value = "framed")]
    dialect: String,
}

/// Runs the command.
pub fn main(arguments: &ExplainArguments, source: &Source) -> Exit {
    let spec = match protocol(source) {
        Ok(spec) => spec,
        Err(exit) => return exit,
    };
    let id = &arguments.id;
    let scenarios = match select::scenarios(&spec) {
        Ok(scenarios) => scenarios,
        Err(found) => return draw(&found),
    };
    if let Some(requirement) = spec.requirement(&id.to_uppercase()) {
        say!("{} {}\n  {}\n", requirement.id, requirement.level, requirement.sentence);
        if let Some(why) = &requirement.why {
            say!("why     {why}");
        }
        say!("source  {}\nwritten spec/{}", requirement.source, requirement.place);
        for (policy, choices) in &requirement.when {
            say!("when    {policy}: {}", choices.0.join(" or "));
        }
        if !requirement.needs.is_empty() {
            say!("needs   {}", requirement.needs.join(", "));
        }
        if requirement.judged_by == JudgedBy::Log {
            say!("\njudged by the logs of a run\n  conformance clocks LOG LOG LOG");
            return Exit::Passed;
        }
        say!("\nshown by");
        for scenario in scenarios.iter().filter(|scenario| scenario.checks.contains(&requirement.id)) {
            say!("  {}\n      {}\n      spec/{}", scenario.id(), scenario.why, scenario.place);
        }
        say!("\njudge it alone\n  conformance run TARGET --requirement {}", requirement.id);
        return Exit::Passed;
    }
    let dialects = match arguments.dialect.as_str() {
        "all" => spec.dialects.values().cloned().collect(),
        name => match dialect(Some(name), &spec) {
            Ok(dialect) => vec![dialect],
            Err(exit) => return exit,
        },
    };
    if word(&spec, id, &dialects) {
        return Exit::Passed;
    }
    let short = id
        .split_once('/')
        .filter(|(dialect, _)| spec.dialects.contains_key(*dialect))
        .map_or(id.as_str(), |(_, rest)| rest);
    if let Some(scenario) = scenarios.iter().find(|scenario| scenario.id() == short) {
        say!("{}\n  {}\n  spec/{}\n", scenario.id(), scenario.why, scenario.place);
        for id in &scenario.checks {
            if let Some(requirement) = spec.requirement(id) {
                say!("{id} {} {}", requirement.level, requirement.sentence);
            }
        }
        say!("");
        for step in &scenario.steps {
            say!("{}", step.place.text());
        }
        return Exit::Passed;
    }
    let known = spec.requirements().map(|requirement| requirement.id.as_str());
    let known = known
        .chain(spec.service.operations.keys().map(String::as_str))
        .chain(spec.service.errors.keys().map(String::as_str));
    let help = suggestion(id, known).unwrap_or_else(|| "`conformance list` shows all there are".into());
    complain(Exit::Usage, &format!("the specification does not know `{id}`; {help}"))
}

/// Explains a word of `service.yaml` or `errors.yaml`, with golden bytes where it has any.
fn word(spec: &Spec, name: &str, dialects: &[Arc<Dialect>]) -> bool {
    let service = &spec.service;
    let mut known = false;
    if let Some(operation) = service.operations.get(name) {
        known = true;
        say!("operation {name}\n  {}\n", operation.about);
        let fields = |title: &str, names: &[String]| {
            say!("{title}");
            for name in names {
                if let Some(field) = service.field(name) {
                    say!("  {name:<14} {}", field.about);
                }
            }
        };
        fields("arguments", &operation.arguments);
        fields("result", &operation.result);
        let own = if operation.errors.is_empty() { "none of its own".into() } else { operation.errors.join(", ") };
        say!("errors\n  {own}\n");
    }
    if let Some(event) = service.events.get(name) {
        known = true;
        say!("event {name}\n  {}\n  fields: {}\n", event.about, event.fields.join(", "));
    }
    if let Some(error) = service.errors.get(name) {
        known = true;
        let definite =
            if error.definite { "the operation certainly did not happen" } else { "the operation may have happened" };
        say!("error {name} (code {})\n  {}\n  {definite}", error.code, error.sentence);
        let by: Vec<&str> = service
            .operations
            .iter()
            .filter(|(_, op)| op.errors.iter().any(|e| e == name))
            .map(|(op, _)| op.as_str())
            .collect();
        say!("  from: {}\n", if error.anywhere { "any operation".into() } else { by.join(", ") });
    }
    if let Some(field) = service.field(name) {
        known = true;
        say!("field {name}\n  {}\n", field.about);
    }
    if let Some(policy) = service.policies.get(name) {
        known = true;
        say!("policy {name}\n  {}", policy.about);
        for (index, (choice, about)) in policy.choices.iter().enumerate() {
            say!("  {choice:<26} {about}{}", if index == 0 { " (the protocol's own)" } else { "" });
        }
    }
    if let Some(capability) = service.capabilities.get(name) {
        known = true;
        say!("capability {name}\n  {}\n", capability.about);
    }
    if known {
        bytes(spec, name, dialects);
    }
    known
}

/// The worked examples of a word, annotated.
fn bytes(spec: &Spec, name: &str, dialects: &[Arc<Dialect>]) {
    let examples = spec::example::read(&spec.source, &spec.service, &mut spec::error::Diagnostics::default());
    for dialect in dialects {
        for example in &examples {
            let Ok(spoken) = spec::vectors::speak(dialect, example) else { continue };
            let about = |operation: &(String, _)| operation.0 == name;
            let is_answer = match &example.answer {
                Answer::Error { name: error, .. } => error == name,
                Answer::Event { name: event, .. } => event == name,
                Answer::Ok(_) => false,
            };
            if !is_answer && !example.request.as_ref().is_some_and(about) {
                continue;
            }
            say!("{} over {}", example.name, dialect.name);
            if let Some(request) = &spoken.request {
                say!("→ {}\n{}", request.annotated.title, request.annotated);
            }
            say!("← {}\n{}", spoken.answer.annotated.title, spoken.answer.annotated);
        }
    }
}
