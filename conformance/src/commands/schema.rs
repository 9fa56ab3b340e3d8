//! `conformance schema`: JSON schemas, by which editors complete and validate.

use clap::Args;

use crate::commands::{complain, say};
use crate::exit::Exit;
use crate::expected::KnownFile;
use crate::target::TargetFile;

/// Print the JSON schema of a kind of file.
#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// service, errors, requirements, scenario, dialect, example, target or known-failures.
    kind: String,
}

/// Runs the command.
pub fn main(arguments: &SchemaArguments) -> Exit {
    let mut schemas = spec::schema::schemas();
    schemas.insert("target", schemars::schema_for!(TargetFile).to_value());
    schemas.insert("known-failures", schemars::schema_for!(KnownFile).to_value());
    match schemas.get(arguments.kind.as_str()) {
        Some(schema) => {
            say!("{}", serde_json::to_string_pretty(schema).unwrap_or_default());
            Exit::Passed
        }
        None => {
            let names: Vec<&str> = schemas.keys().copied().collect();
            complain(Exit::Usage, &format!("there is no schema `{}`; known are {}", arguments.kind, names.join(", ")))
        }
    }
}
