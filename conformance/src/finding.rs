//! Findings: what a run says about each requirement, with the evidence.
//!
//! Not here: how they are shown (`report`), and whether a failure was known before (`expected`).

use std::fmt;
use std::sync::Arc;

use spec::scenario::Scenario;

use crate::history::History;
use crate::target::StartError;

/// What a case came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Every claim held.
    Passed,
    /// A claim did not hold, and the target is to blame.
    Failed,
    /// The case depends on a policy in which the target is another than it declares. That is a finding of its own.
    NotJudged,
    /// The target does not claim what the case needs.
    NotApplicable,
    /// The case ran, and nothing can be said.
    Inconclusive,
    /// The case was planned and never ran.
    NotReached,
}

impl Verdict {
    /// All verdicts, in the order of reports.
    pub const ALL: [Verdict; 6] = [
        Verdict::Passed,
        Verdict::Failed,
        Verdict::NotJudged,
        Verdict::NotApplicable,
        Verdict::Inconclusive,
        Verdict::NotReached,
    ];

    /// The word in reports and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::NotJudged => "not_judged",
            Verdict::NotApplicable => "not_applicable",
            Verdict::Inconclusive => "inconclusive",
            Verdict::NotReached => "not_reached",
        }
    }

    /// The words for people.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::NotJudged => "not judged",
            Verdict::NotApplicable => "not applicable",
            Verdict::NotReached => "never reached",
            other => other.name(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One judged requirement in one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The requirement's id.
    pub requirement: String,
    /// What was found.
    pub verdict: Verdict,
}

/// A case that was planned, and what it came to.
#[derive(Debug, Clone)]
pub struct CaseResult {
    /// `framed/delivery/an-offline-message-arrives-once`.
    pub id: String,
    /// The dialect.
    pub dialect: String,
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// What it came to.
    pub verdict: Verdict,
    /// Why, in a sentence; empty if it passed.
    pub why: String,
    /// What was seen, if there is something to explain.
    pub evidence: Option<Box<Evidence>>,
    /// One for each requirement that the scenario checks, and for others that were broken in it.
    pub findings: Vec<Finding>,
}

impl CaseResult {
    /// A case that did not get as far as a claim that failed.
    pub fn new(dialect: &str, scenario: &Arc<Scenario>, verdict: Verdict, why: impl Into<String>) -> Self {
        let findings = scenario.checks.iter().map(|id| Finding { requirement: id.clone(), verdict }).collect();
        CaseResult {
            id: format!("{dialect}/{}", scenario.id()),
            dialect: dialect.to_owned(),
            scenario: scenario.clone(),
            verdict,
            why: why.into(),
            evidence: None,
            findings,
        }
    }

    /// A case in which the claim of a step did not hold. What the step shows failed; the rest was not reached.
    pub fn failed(dialect: &str, scenario: &Arc<Scenario>, evidence: Evidence) -> Self {
        let mut result = CaseResult::new(dialect, scenario, Verdict::Failed, evidence.seen.clone());
        for finding in &mut result.findings {
            if !evidence.convicts.is_empty() && !evidence.convicts.contains(&finding.requirement) {
                finding.verdict = Verdict::NotReached;
            }
        }
        // What is looked at in every case need not be what this one is about.
        for id in &evidence.convicts {
            if !result.findings.iter().any(|finding| finding.requirement == *id) {
                result.findings.push(Finding { requirement: id.clone(), verdict: Verdict::Failed });
            }
        }
        result.evidence = Some(Box::new(evidence));
        result
    }

    /// The same with evidence.
    #[must_use]
    pub fn with_evidence(mut self, evidence: Evidence) -> Self {
        self.evidence = Some(Box::new(evidence));
        self
    }

    /// The requirements that failed.
    pub fn convicted(&self) -> impl Iterator<Item = &str> {
        self.findings
            .iter()
            .filter(|finding| finding.verdict == Verdict::Failed)
            .map(|finding| finding.requirement.as_str())
    }
}

/// Who is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The implementation under test.
    Target,
    /// This suite.
    Suite,
    /// The machine or the network.
    Environment,
}

impl Blame {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Blame::Target => "target",
            Blame::Suite => "suite",
            Blame::Environment => "environment",
        }
    }
}

/// What a failure tells.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The step, counted from 1; 0 while the actors are made ready.
    pub step: usize,
    /// The step as it is written, or what was being prepared.
    pub step_text: String,
    /// Where it is written: file, line and column.
    pub place: String,
    /// What was expected, as it is written.
    pub expected: String,
    /// What came instead.
    pub seen: String,
    /// The requirements that the step's claim stands for. Empty: all that the scenario checks.
    pub convicts: Vec<String>,
    /// Who is to blame.
    pub fault: Blame,
    /// Everything that was said and heard.
    pub history: History,
    /// The last lines that the target printed.
    pub output: Vec<String>,
}

impl Evidence {
    /// A play for which nothing could be started.
    pub fn of_start(scenario: &Scenario, error: StartError) -> Self {
        Evidence {
            step: 0,
            step_text: "a target of its own is started for this play".into(),
            place: scenario.place.to_string(),
            expected: "ok".into(),
            seen: error.why,
            convicts: Vec::new(),
            fault: Blame::Environment,
            history: History::default(),
            output: error.output,
        }
    }
}
