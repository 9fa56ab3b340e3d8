//! What a run came to, for people and for machines. Reports never await anything.

pub mod json;
pub mod junit;
mod reasons;
mod several;
pub mod terminal;
pub(crate) mod wire;

pub use several::{NotBuilt, Reports};

use std::sync::Arc;

use spec::Spec;
use spec::requirement::Level;

use crate::exit::Exit;
use crate::expected::Known;
use crate::finding::{CaseResult, Verdict};
use crate::run::Run;
use crate::target::Target;

/// Everything that a report is made from.
#[derive(Debug)]
pub struct Report {
    /// The protocol.
    pub spec: Arc<Spec>,
    /// Who was judged.
    pub target: Target,
    /// What came of it.
    pub run: Run,
    /// What was known before.
    pub known: Known,
    /// Entries of the known failures that are no longer true.
    pub stale: Vec<String>,
}

impl Report {
    /// A report on a run.
    pub fn new(spec: Arc<Spec>, target: Target, run: Run, known: Known) -> Self {
        let stale = known.stale(&run.results);
        Report { spec, target, run, known, stale }
    }

    /// How the command ends.
    pub fn exit(&self) -> Exit {
        exit([self])
    }

    fn has_findings(&self) -> bool {
        !self.stale.is_empty()
            || !self.run.differences.is_empty()
            || self.news().any(|result| self.breaks_a_must(result))
    }

    fn has_doubts(&self) -> bool {
        let undecided = |result: &CaseResult| match result.verdict {
            Verdict::Inconclusive => !self.known.covers(result),
            Verdict::NotReached => true,
            _ => false,
        };
        self.run.stopped.is_some() || self.run.results.iter().any(undecided)
    }

    /// Whether a case was judged at all. Where none was, nothing speaks for the target.
    fn has_judged(&self) -> bool {
        self.run.results.iter().any(|result| matches!(result.verdict, Verdict::Passed | Verdict::Failed))
    }

    /// Failures that were not known.
    pub fn news(&self) -> impl Iterator<Item = &CaseResult> {
        self.run.results.iter().filter(|result| result.verdict == Verdict::Failed && !self.known.covers(result))
    }

    /// Whether one of the broken requirements is a MUST. A broken SHOULD is reported and fails nothing.
    pub fn breaks_a_must(&self, result: &CaseResult) -> bool {
        result
            .convicted()
            .any(|id| self.spec.requirement(id).is_none_or(|requirement| requirement.level == Level::Must))
    }

    /// The command that looks at the policies again.
    pub fn look(&self) -> String {
        match self.target.words.split_once("-- ") {
            Some((options, command)) => format!("conformance probe {options}--policies -- {command}"),
            None if self.target.words.is_empty() => "conformance probe reference --policies".into(),
            None => format!("conformance probe {} --policies", self.target.words),
        }
    }

    /// The command that plays one case again.
    pub fn repeat(&self, result: &CaseResult) -> String {
        self.plays(&result.id)
    }

    /// The command that plays a case again among all others of its chapter.
    fn in_company(&self, result: &CaseResult) -> String {
        self.plays(&format!("{}/{}/", result.dialect, result.scenario.chapter))
    }

    fn plays(&self, cases: &str) -> String {
        let target = if self.target.words.is_empty() { String::new() } else { format!(" {}", self.target.words) };
        match target.split_once(" -- ") {
            Some((options, command)) => format!("conformance run{options} --case {cases} -- {command}"),
            None => format!("conformance run{target} --case {cases}"),
        }
    }
}

/// How a command ends whose run came to these reports: findings outweigh doubts, and whoever judged nothing must doubt.
fn exit<'r>(reports: impl IntoIterator<Item = &'r Report> + Clone) -> Exit {
    let any = |holds: fn(&Report) -> bool| reports.clone().into_iter().any(holds);
    if any(Report::has_findings) {
        Exit::Findings
    } else if any(Report::has_doubts) || !any(Report::has_judged) {
        Exit::Undecided
    } else {
        Exit::Passed
    }
}
