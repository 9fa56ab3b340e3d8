//! `conformance list`: what there is to judge by.

use clap::Args;
use spec::source::Source;

use crate::commands::{protocol, say};
use crate::exit::Exit;

/// List cases, or requirements.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// List the requirements instead of the cases.
    #[arg(long)]
    requirements: bool,
    /// Only ids that contain this.
    pattern: Option<String>,
}

/// Runs the command.
pub fn main(arguments: &ListArguments, source: &Source) -> Exit {
    let wanted = |id: &str| arguments.pattern.as_deref().is_none_or(|pattern| id.contains(pattern));
    if arguments.requirements {
        let spec = match protocol(source) {
            Ok(spec) => spec,
            Err(exit) => return exit,
        };
        for requirement in spec.requirements().filter(|requirement| wanted(&requirement.id)) {
            say!("{:<14} {:<6} {}", requirement.id, requirement.level, requirement.sentence);
        }
        return Exit::Passed;
    }
    for entry in spec::scenario::list(source) {
        let id = entry.id();
        if wanted(&id) {
            say!("{id}");
        }
    }
    Exit::Passed
}
