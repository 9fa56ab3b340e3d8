//! The report as JUnit XML, for continuous integration: a suite per chapter, a test case per case.
//!
//! Known failures and cases that do not apply are skipped, with the reason; undecided ones are errors.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use crate::finding::{CaseResult, Verdict};
use crate::report::Report;

/// The report as one XML document.
///
/// # Errors
/// The library could not write it.
pub fn render(report: &Report) -> Result<String, quick_junit::SerializeError> {
    let mut document = Document::new(format!("conformance of {}", report.target.name));
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for result in &report.run.results {
        let suite = suites
            .entry(&result.scenario.chapter)
            .or_insert_with(|| TestSuite::new(format!("{}.{}", result.dialect, result.scenario.chapter)));
        suite.add_test_case(case(report, result));
    }
    document.add_test_suites(suites.into_values());
    if !report.stale.is_empty() {
        let mut suite = TestSuite::new("known failures that are out of date");
        suite.add_test_cases(report.stale.iter().map(|stale| {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(stale);
            TestCase::new(stale.split_whitespace().next().unwrap_or(stale), status)
        }));
        document.add_test_suite(suite);
    }
    document.to_string()
}

fn case(report: &Report, result: &CaseResult) -> TestCase {
    let skipped = |why: &str| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(why);
        status
    };
    let bad = |kind: NonSuccessKind| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(&result.why);
        status.set_type(result.convicted().collect::<Vec<_>>().join(" "));
        status.set_description(description(report, result));
        status
    };
    let status = match result.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::NotApplicable => skipped(&result.why),
        Verdict::Failed | Verdict::Inconclusive if report.known.covers(result) => skipped("a known failure"),
        Verdict::Failed if report.breaks_a_must(result) => bad(NonSuccessKind::Failure),
        Verdict::Failed => skipped(&format!("a SHOULD is broken: {}", result.why)),
        Verdict::Inconclusive | Verdict::NotReached => bad(NonSuccessKind::Error),
    };
    let mut case = TestCase::new(&result.id, status);
    case.set_classname(format!("{}.{}", result.dialect, result.scenario.chapter));
    case
}

fn description(report: &Report, result: &CaseResult) -> String {
    let mut text = String::new();
    for id in result.convicted() {
        if let Some(requirement) = report.spec.requirement(id) {
            text.push_str(&format!("{id} {} {}\n", requirement.level, requirement.sentence));
        }
    }
    if let Some(evidence) = &result.evidence {
        text.push_str(&format!(
            "{}\n{}\nexpected {}\nseen {}\n",
            evidence.place, evidence.step_text, evidence.expected, evidence.seen
        ));
    }
    text + &report.repeat(result)
}
