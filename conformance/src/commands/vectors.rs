//! `conformance vectors`: golden bytes as JSON.

use clap::Args;
use spec::error::Diagnostics;
use spec::source::Source;
use spec::vectors::Vectors;

use crate::commands::{draw, protocol, say};
use crate::exit::Exit;

/// Print golden bytes for every example as JSON.
#[derive(Debug, Args)]
pub struct VectorsArguments {
    /// Only this dialect.
    #[arg(long)]
    dialect: Option<String>,
}

/// Runs the command.
pub fn main(arguments: &VectorsArguments, source: &Source) -> Exit {
    match protocol(source) {
        Ok(spec) => {
            let wanted = |name: &str| arguments.dialect.as_deref().is_none_or(|wanted| wanted == name);
            let mut found = Diagnostics::default();
            let examples = spec::example::read(&spec.source, &spec.service, &mut found);
            if !found.is_empty() {
                return draw(&found);
            }
            let dialects = spec.dialects.values().filter(|dialect| wanted(&dialect.name)).map(|dialect| &**dialect);
            let vectors = Vectors::new(dialects, &examples);
            say!("{}", serde_json::to_string_pretty(&vectors).unwrap_or_default());
            Exit::Passed
        }
        Err(exit) => exit,
    }
}
