//! The report as JUnit XML, for continuous integration: a suite per chapter, a test case per case. Of several dialects,
//! a suite per dialect. A policy that is another one than declared is a failing test case of its own.
//!
//! Known failures and cases that do not apply are skipped, with the reason; undecided ones are errors.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use crate::finding::{CaseResult, Verdict};
use crate::report::{Report, Reports, wire};
use crate::run::{Difference, choices_written};

/// The report as one XML document.
///
/// # Errors
/// The library could not write it.
pub fn render(report: &Report) -> Result<String, quick_junit::SerializeError> {
    let mut document = Document::new(format!("conformance of {}", report.target.name));
    if !report.run.differences.is_empty() {
        let mut suite = TestSuite::new(format!("{}.policies", report.target.dialect.name));
        suite.add_test_cases(report.run.differences.iter().map(|it| policy(report, it)));
        document.add_test_suite(suite);
    }
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for result in &report.run.results {
        let suite = suites
            .entry(&result.scenario.chapter)
            .or_insert_with(|| TestSuite::new(format!("{}.{}", result.dialect, result.scenario.chapter)));
        suite.add_test_case(case(report, result));
    }
    document.add_test_suites(suites.into_values());
    document.add_test_suites(stale(report));
    document.to_string()
}

/// The reports of one run as one XML document: as `render`, unless several dialects were asked for.
///
/// # Errors
/// The library could not write it.
pub fn render_all(reports: &Reports) -> Result<String, quick_junit::SerializeError> {
    if let Some(report) = reports.single() {
        return render(report);
    }
    let mut document = Document::new(format!("conformance of {}", reports.name()));
    for report in &reports.reports {
        let mut suite = TestSuite::new(&report.target.dialect.name);
        suite.add_test_cases(report.run.differences.iter().map(|it| policy(report, it)));
        suite.add_test_cases(report.run.results.iter().map(|result| case(report, result)));
        document.add_test_suite(suite);
    }
    for one in &reports.not_built {
        let mut status = TestCaseStatus::skipped();
        status.set_message(format!("{} cases: {}", one.cases, one.build));
        let mut suite = TestSuite::new(&one.dialect);
        suite.add_test_case(TestCase::new(format!("{}/not built", one.dialect), status));
        document.add_test_suite(suite);
    }
    document.add_test_suites(reports.reports.iter().filter_map(stale));
    document.to_string()
}

fn stale(report: &Report) -> Option<TestSuite> {
    let mut suite = TestSuite::new("known failures that are out of date");
    suite.add_test_cases(report.stale.iter().map(|stale| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(stale);
        TestCase::new(stale.split_whitespace().next().unwrap_or(stale), status)
    }));
    (!report.stale.is_empty()).then_some(suite)
}

fn policy(report: &Report, difference: &Difference) -> TestCase {
    let dialect = &report.target.dialect.name;
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(difference.sentence());
    status.set_type("policy");
    let text: String =
        difference.history.entries.iter().map(|entry| wire::shown(entry, &report.target.dialect)).collect();
    status
        .set_description(format!("in the target file: {}\n{text}", choices_written(std::slice::from_ref(difference))));
    let mut case = TestCase::new(format!("{dialect}/policies/{}", difference.policy), status);
    case.set_classname(format!("{dialect}.policies"));
    case
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
        Verdict::NotJudged => skipped(&format!("not judged: {}", result.why)),
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
