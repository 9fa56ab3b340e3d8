//! `conformance baseline`: what servers score that are wrong as a whole.

use clap::Args;
use spec::source::Source;

use crate::commands::{complain, draw, protocol, runtime, say};
use crate::exit::Exit;
use crate::{baseline, select};

/// The most that a server which is wrong as a whole may pass, in percent of the cases that count.
const MOST_PERCENT: usize = 5;

/// Measure the suite: what servers score that are wrong as a whole.
#[derive(Debug, Args)]
pub struct BaselineArguments {
    /// The dialect they speak.
    #[arg(long, default_value = "framed")]
    dialect: String,
    /// Name the cases that each passes.
    #[arg(long)]
    cases: bool,
}

/// Runs the command.
pub fn main(arguments: &BaselineArguments, source: &Source) -> Exit {
    let spec = match protocol(source) {
        Ok(spec) => spec,
        Err(exit) => return exit,
    };
    let Some(dialect) = spec.dialect(&arguments.dialect) else {
        return complain(Exit::Usage, &format!("there is no dialect `{}`", arguments.dialect));
    };
    let scenarios = match select::scenarios(&spec) {
        Ok(scenarios) => scenarios,
        Err(found) => return draw(&found),
    };
    let scores = match runtime().block_on(baseline::scores(&spec, &scenarios, dialect)) {
        Ok(scores) => scores,
        Err(not_built) => return complain(Exit::Usage, &not_built.to_string()),
    };
    let mut exit = Exit::Passed;
    say!("{:>8} {:>6} {:>7}  server", "passed", "of", "");
    for score in scores {
        let percent = score.passed as f64 * 100.0 / score.counted.max(1) as f64;
        say!("{:>8} {:>6} {percent:>6.1}%  {}: {}", score.passed, score.counted, score.name, score.about);
        if arguments.cases {
            for id in &score.passed_ids {
                say!("                         {id}");
            }
        }
        if score.passed * 100 > MOST_PERCENT * score.counted {
            exit = Exit::Findings;
        }
    }
    say!("\na server that is wrong as a whole must pass no more than {MOST_PERCENT} % of the cases that count");
    exit
}
