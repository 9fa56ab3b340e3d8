//! `conformance clocks`: judges logical-clock peers by the logs of a run.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use spec::source::Source;

use crate::check::clock::{Both, PeerLog, Policies, Queue, Stamp, Verdict, check};
use crate::commands::{complain, protocol, say};
use crate::exit::Exit;

/// Judge logical-clock peers by their logs: one file for each peer of a run.
#[derive(Debug, Args)]
pub struct ClocksArguments {
    /// The logs of all peers of one run, a JSON object a line.
    #[arg(required = true)]
    logs: Vec<PathBuf>,
    /// Which clock a message carries.
    #[arg(long, value_enum, default_value_t = StampChoice::AfterTick)]
    stamp: StampChoice,
    /// Sending to both peers takes two ticks.
    #[arg(long)]
    two_ticks: bool,
    /// The queue is counted before a message is taken from it.
    #[arg(long)]
    queue_before: bool,
}

/// Which clock a message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StampChoice {
    /// That of the send itself.
    AfterTick,
    /// That before the send.
    BeforeTick,
}

/// Runs the command.
pub fn main(arguments: &ClocksArguments, source: &Source) -> Exit {
    let spec = match protocol(source) {
        Ok(spec) => spec,
        Err(exit) => return exit,
    };
    let mut logs = Vec::new();
    for path in &arguments.logs {
        match std::fs::read_to_string(path) {
            Ok(text) => logs.push(PeerLog::parse(path.display().to_string(), &text)),
            Err(error) => return complain(Exit::Usage, &format!("cannot read {}: {error}", path.display())),
        }
    }
    let policies = Policies {
        stamp: if arguments.stamp == StampChoice::BeforeTick { Stamp::BeforeTick } else { Stamp::AfterTick },
        both: if arguments.two_ticks { Both::TwoTicks } else { Both::OneTick },
        queue: if arguments.queue_before { Queue::BeforeTaking } else { Queue::AfterTaking },
    };
    let mut exit = Exit::Passed;
    for finding in check(&logs, policies) {
        let sentence = spec.requirement(&finding.requirement).map_or("", |requirement| requirement.sentence.as_str());
        let (word, worst) = match finding.verdict {
            Verdict::Pass => ("passed", Exit::Passed),
            Verdict::Fail => ("FAILED", Exit::Findings),
            Verdict::Inconclusive => ("inconclusive", Exit::Undecided),
        };
        say!("{word:<13} {:<10} {sentence}", finding.requirement);
        if finding.verdict != Verdict::Pass {
            for line in finding.evidence.lines() {
                say!("                           {line}");
            }
        }
        // A failure outweighs what could not be decided.
        if exit != Exit::Findings && worst != Exit::Passed {
            exit = worst;
        }
    }
    exit
}
