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
//!  "stale_known_failures": []}
//! ```

use serde_json::{Value, json};

use crate::finding::{CaseResult, Evidence, Verdict};
use crate::history::Direction;
use crate::report::Report;

/// The report as one JSON document.
pub fn render(report: &Report) -> String {
    let counts: serde_json::Map<String, Value> =
        Verdict::ALL.iter().map(|verdict| (verdict.name().to_owned(), json!(report.run.count(*verdict)))).collect();
    let document = json!({
        "target": report.target.name,
        "dialect": report.target.dialect.name,
        "exit": report.exit() as u8,
        "counts": counts,
        "stopped": report.run.stopped.as_ref().map(|stopped| json!({"why": stopped.why, "output": stopped.output})),
        "elapsed_ms": report.run.elapsed.as_millis() as u64,
        "cases": report.run.results.iter().map(|result| case(report, result)).collect::<Vec<_>>(),
        "stale_known_failures": report.stale,
    });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
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

fn evidence(evidence: &Evidence) -> Value {
    let history: Vec<Value> = evidence
        .history
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
        .collect();
    json!({
        "step": evidence.step,
        "place": evidence.place,
        "expected": evidence.expected,
        "seen": evidence.seen,
        "fault": evidence.fault.name(),
        "history": history,
        "output": evidence.output,
    })
}
