//! What is shown while cases are played: one bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use crate::commands::run::RunArguments;
use crate::finding::CaseResult;
use crate::report::terminal::counted;
use crate::run::Progress;
use crate::select::Case;
use crate::target::Target;

/// Tells how it goes, over all targets together.
pub(super) struct Shown {
    bar: ProgressBar,
    lines: bool,
    several: bool,
    again: AtomicUsize,
}

impl Shown {
    pub(super) fn new(arguments: &RunArguments, planned: &[(Target, Vec<Case>)]) -> Self {
        let cases = counted(planned.iter().map(|(_, cases)| cases.len()).sum(), "case");
        if let [(target, _)] = planned {
            anstream::eprintln!("judging {} over {}: {cases}", target.name, target.dialect.name);
        } else if let Some((target, _)) = planned.first() {
            anstream::eprintln!("judging {} over {}: {cases}", target.name, counted(planned.len(), "dialect"));
        }
        let bar = if std::io::stderr().is_terminal() && !arguments.verbose {
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}").expect("the template is ours");
            ProgressBar::new(0).with_style(style)
        } else {
            ProgressBar::hidden()
        };
        Shown { bar, lines: arguments.verbose, several: planned.len() > 1, again: AtomicUsize::new(0) }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
        let again = self.again.load(Ordering::Relaxed);
        if again > 0 && self.several && self.bar.is_hidden() {
            let were = counted(again, "case");
            anstream::eprintln!("{were} met silence or lost a connection, and had a second play with more time");
        }
    }
}

impl Progress for Shown {
    fn planned(&self, cases: usize) {
        self.bar.inc_length(cases as u64);
    }

    fn decided(&self, result: &CaseResult) {
        self.bar.inc(1);
        if self.lines {
            anstream::eprintln!("{:<14} {}", result.verdict.words(), result.id);
        }
    }

    fn again(&self, cases: usize) {
        let all = self.again.fetch_add(cases, Ordering::Relaxed) + cases;
        self.bar.set_message(format!("{all} again, with more time"));
        if self.bar.is_hidden() && !self.several {
            let were = counted(cases, "case");
            anstream::eprintln!("{were} met silence or lost a connection: playing that again, with more time");
        }
    }
}
