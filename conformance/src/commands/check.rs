//! `conformance check`: every mistake in the files one writes oneself, before a target is touched.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use spec::check::check;
use spec::error::Diagnostics;
use spec::source::{File, Source};

use crate::commands::{complain, draw, say};
use crate::exit::Exit;
use crate::report::terminal::counted;
use crate::target::{hold_against_messages, read_dialect, read_file};

/// Show every mistake in spec, dialect, scenario and target files.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Files; what each is follows from its first keys. Without any, the whole specification is checked.
    files: Vec<PathBuf>,
}

/// Runs the command.
pub fn main(arguments: &CheckArguments, source: &Source) -> Exit {
    let (spec, scenarios, mut found) = check(source);
    let Some(spec) = spec else { return draw(&found) };
    if arguments.files.is_empty() {
        spec.dialects.values().for_each(|dialect| hold_against_messages(dialect, &spec, &mut found));
        if !found.is_empty() {
            return draw(&found);
        }
        say!(
            "no mistakes: {}, {}, {}, {}, {}",
            counted(spec.service.operations.len(), "operation"),
            counted(spec.service.errors.len(), "error"),
            counted(spec.dialects.len(), "dialect"),
            counted(spec.requirements().count(), "requirement"),
            counted(scenarios.len(), "scenario")
        );
        return Exit::Passed;
    }
    // With files given, only what is new counts.
    let before = found;
    found = Diagnostics::default();
    for path in &arguments.files {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return complain(Exit::Usage, &format!("cannot read {}: {error}", path.display())),
        };
        let name = path.display().to_string();
        let first_key = text
            .lines()
            .find_map(|line| line.split_once(':').filter(|(key, _)| !key.starts_with(['#', ' ', '-'])))
            .map(|(key, _)| key);
        match first_key {
            Some("dialect") => {
                let file = Arc::new(File { path: name, text });
                read_dialect(&file, &spec, &mut found);
            }
            Some("target") => drop(read_file(path, &spec, &mut found)),
            Some("known_failures") => {
                let ids = spec
                    .dialects
                    .values()
                    .flat_map(|dialect| {
                        scenarios.iter().map(move |scenario| format!("{}/{}", dialect.name, scenario.id()))
                    })
                    .collect();
                let requirements = spec.requirements().map(|requirement| requirement.id.clone()).collect();
                crate::expected::Known::read(path, &ids, &requirements, &mut found);
            }
            Some("scenario" | "chapter" | "example" | "service" | "errors") => {
                let inside = place_of(&name, first_key.unwrap_or_default());
                let (_, _, all) = check(&source.clone().with_file(&inside, File { path: name, text }));
                found.0.extend(all.0.into_iter().filter(|mistake| !before.0.contains(mistake)));
            }
            _ => {
                return complain(
                    Exit::Usage,
                    &format!(
                        "{name} is no file of ours: it begins with none of dialect, target, scenario, chapter, known_failures"
                    ),
                );
            }
        }
    }
    // A dialect is read again for each target that speaks it.
    let mut once = Diagnostics::default();
    for mistake in found.0 {
        if !once.0.contains(&mistake) {
            once.push(mistake);
        }
    }
    if !once.is_empty() {
        return draw(&once);
    }
    say!("no mistakes in {}", counted(arguments.files.len(), "file"));
    Exit::Passed
}

/// Where a file of the user's would stand in the specification: where its path says, or in a place of its own.
fn place_of(name: &str, kind: &str) -> String {
    for folder in ["protocol/", "requirements/", "scenarios/", "examples/"] {
        if let Some(at) = name.rfind(folder) {
            return name[at..].to_owned();
        }
    }
    let file = name.rsplit('/').next().unwrap_or(name);
    match kind {
        "scenario" => format!("scenarios/own/{file}"),
        "chapter" => format!("requirements/{file}"),
        "example" => format!("examples/{file}"),
        _ => format!("protocol/{file}"),
    }
}
