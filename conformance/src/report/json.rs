//! The report as JSON, for whoever wants to make something else of it.
//!
//! ```json
//! {"target": "…", "dialect": "framed", "exit": 1, "counts": {"passed": 188, "failed": 2, …}, "stopped": null,
//!  "cases": [{"id": "framed/…", "scenario": "…", "verdict": "failed", "why": "…", "known": false,
//!             "findings": [{"requirement": "DELIVERY-2", "level": "MUST", "verdict": "failed"}],
//!             "evidence": {"step": 3, "place": "…", "expected": "…", "seen": "…", "fault": "target",
//!                          "history": [{"step": 1, "actor": "alice", "direction": "said", "text": "…", "hex": "…"}],
//!                          "output": []},
//!             "repeat": "conformance run … --case framed/…"}],
//!  "policies": [{"policy": "second_log_in", "declared": "refused", "observed": ["takes_over"], "cases": 3,
//!                "write": "policies: {second_log_in: takes_over}", "history": […]}],
//!  "stale_known_failures": []}
//! ```
//!
//! Of several dialects: `{"target": "…", "exit": 1, "counts": {…}, "dialects": [one such object each], "not_built":
//! [{"dialect": "…", "cases": 440, "why": "…", "build": "cargo run …"}]}`.

use serde_json::{Value, json};

use crate::finding::{CaseResult, Evidence, Verdict};
use crate::history::{Direction, History};
use crate::report::{NotBuilt, Report, Reports};
use crate::run::{Difference, choices_written};

/// The report as one JSON document.
pub fn render(report: &Report) -> String {
    written(&document(report))
}

/// The reports of one run as one JSON document: as `render`, unless several dialects were asked for.
pub fn render_all(reports: &Reports) -> String {
    if let Some(report) = reports.single() {
        return render(report);
    }
    let not_built =
        |one: &NotBuilt| json!({"dialect": one.dialect, "cases": one.cases, "why": one.why, "build": one.build});
    written(&json!({
        "target": reports.name(),
        "exit": reports.exit() as u8,
        "counts": counts(|verdict| reports.count(verdict)),
        "elapsed_ms": reports.elapsed.as_millis() as u64,
        "dialects": reports.reports.iter().map(document).collect::<Vec<_>>(),
        "not_built": reports.not_built.iter().map(not_built).collect::<Vec<_>>(),
    }))
}

fn written(document: &Value) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
}

fn counts(count: impl Fn(Verdict) -> usize) -> Value {
    Verdict::ALL.iter().map(|verdict| (verdict.name().to_owned(), json!(count(*verdict)))).collect()
}

fn document(report: &Report) -> Value {
    json!({
        "target": report.target.name,
        "dialect": report.target.dialect.name,
        "exit": report.exit() as u8,
        "counts": counts(|verdict| report.run.count(verdict)),
        "stopped": report.run.stopped.as_ref().map(|stopped| json!({"why": stopped.why, "output": stopped.output})),
        "elapsed_ms": report.run.elapsed.as_millis() as u64,
        "policies": report.run.differences.iter().map(difference).collect::<Vec<_>>(),
        "cases": report.run.results.iter().map(|result| case(report, result)).collect::<Vec<_>>(),
        "stale_known_failures": report.stale,
    })
}

fn difference(difference: &Difference) -> Value {
    json!({
        "policy": difference.policy,
        "declared": difference.declared,
        "observed": difference.observed,
        "cases": difference.cases,
        "write": choices_written(std::slice::from_ref(difference)),
        "history": history(&difference.history),
    })
}

fn case(report: &Report, result: &CaseResult) -> Value {
    let findings: Vec<Value> = result
        .findings
        .iter()
        .map(|finding| {
            let level = report.spec.requirement(&finding.requirement).map(|requirement| requirement.level.to_string());
            json!({"requirement": finding.requirement, "level": level, "verdict": finding.verdict.name()})
        })
        .collect();
    json!({
        "id": result.id,
        "scenario": result.scenario.name,
        "verdict": result.verdict.name(),
        "why": result.why,
        "known": report.known.covers(result),
        "findings": findings,
        "evidence": result.evidence.as_deref().map(evidence),
        "repeat": report.repeat(result),
    })
}

fn history(history: &History) -> Vec<Value> {
    history
        .entries
        .iter()
        .map(|entry| {
            let direction = match entry.direction {
                Direction::Said => "said",
                Direction::Heard => "heard",
                Direction::Noted => "noted",
            };
            let hex: String = entry.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({"step": entry.step, "actor": entry.actor, "direction": direction, "text": entry.text, "hex": hex})
        })
        .collect()
}

fn evidence(evidence: &Evidence) -> Value {
    json!({
        "step": evidence.step,
        "place": evidence.place,
        "expected": evidence.expected,
        "seen": evidence.seen,
        "fault": evidence.fault.name(),
        "history": history(&evidence.history),
        "output": evidence.output,
    })
}
