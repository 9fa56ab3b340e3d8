//! What came of a run, written where the user wants it: terminal, JSON, JUnit, known failures.

use std::path::Path;

use crate::commands::run::RunArguments;
use crate::commands::{complain, say_text, write};
use crate::exit::Exit;
use crate::expected::Known;
use crate::finding::CaseResult;
use crate::report::{Reports, json, junit, terminal};

pub(super) fn write_all(arguments: &RunArguments, reports: &Reports, reasons: &Known) -> Result<(), Exit> {
    let to_stdout = arguments.json.as_deref() == Some(Path::new("-"));
    let text = terminal::render_all(reports, arguments.verbose);
    if to_stdout {
        say_text(format_args!("{}", json::render_all(reports)));
        anstream::eprint!("{text}");
    } else {
        anstream::print!("{text}");
    }
    if let Some(path) = arguments.json.as_deref().filter(|_| !to_stdout) {
        write(path, &json::render_all(reports))?;
    }
    if let Some(path) = &arguments.junit {
        let xml = junit::render_all(reports)
            .map_err(|error| complain(Exit::Undecided, &format!("cannot write JUnit: {error}")))?;
        write(path, &xml)?;
    }
    if let Some(path) = &arguments.write_known_failures {
        let results: Vec<CaseResult> = reports.results().cloned().collect();
        write(path, &reasons.written(reports.name(), &results))?;
    }
    Ok(())
}
