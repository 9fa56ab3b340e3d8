//! The suite, as a command.

use std::process::ExitCode;

use clap::Parser;
use conformance::commands::{self, Arguments};

fn main() -> ExitCode {
    commands::main(Arguments::parse()).into()
}
