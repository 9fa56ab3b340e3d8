//! The report that people read: failures last, each with everything that is needed to understand it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::finding::{Blame, CaseResult, Evidence, Verdict};
use crate::history::{Entry, History};
use crate::report::Report;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DOUBT: Style = AnsiColor::Yellow.on_default().bold();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

/// Entries of the history before the failing step that are shown.
const LEAD: usize = 4;

/// Entries of the failing step that are shown.
const SHOWN: usize = 12;

/// Writes the whole report. Colours are in it; whoever prints it takes them out where they are not wanted.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    for note in &report.target.notes {
        let _ = writeln!(text, "{DIM}note: {note}{DIM:#}");
    }
    not_applicable(report, &mut text);
    undecided(report, &mut text);
    let news: Vec<&CaseResult> = report.news().collect();
    for result in &news {
        failure(report, result, &mut text);
    }
    if !report.stale.is_empty() {
        let _ = writeln!(
            text,
            "{BAD}known failures that are out of date{BAD:#} (remove them, or write the file anew with --write-known-failures)"
        );
        for stale in &report.stale {
            let _ = writeln!(text, "  {stale}");
        }
        text.push('\n');
    }
    if let Some(stopped) = &report.run.stopped {
        let _ = writeln!(text, "{DOUBT}stopped{DOUBT:#}: {}", stopped.why);
        output(&stopped.output, &mut text);
        text.push('\n');
    }
    summary(report, &news, &mut text);
    text
}

/// Cases that do not apply, counted by their reasons.
fn not_applicable(report: &Report, text: &mut String) {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for result in report.run.results.iter().filter(|result| result.verdict == Verdict::NotApplicable) {
        *reasons.entry(&result.why).or_default() += 1;
    }
    for (why, count) in reasons {
        let _ = writeln!(text, "{DIM}not applicable: {}: {why}{DIM:#}", counted(count, "case"));
    }
}

/// Cases without a verdict, by their reasons, with one of them in full.
fn undecided(report: &Report, text: &mut String) {
    let mut reasons: BTreeMap<&str, Vec<&CaseResult>> = BTreeMap::new();
    for result in report.run.results.iter().filter(|result| result.verdict == Verdict::Inconclusive) {
        if !report.known.covers(result) {
            reasons.entry(&result.why).or_default().push(result);
        }
    }
    for (why, results) in reasons {
        let _ = writeln!(text, "{DOUBT}inconclusive{DOUBT:#}: {}: {why}", counted(results.len(), "case"));
        if let Some(evidence) = &results[0].evidence {
            let _ = writeln!(text, "  first of them: {}", results[0].id);
            told(report, evidence, text);
        }
        let _ = writeln!(text, "  again      {}", report.repeat(results[0]));
        if results.iter().any(|result| result.why.contains("with more time")) {
            let _ = writeln!(text, "  a server that needs more time for each: --jobs 4, or --deadline-ms 2000");
        }
        text.push('\n');
    }
}

fn failure(report: &Report, result: &CaseResult, text: &mut String) {
    let should = if report.breaks_a_must(result) { "" } else { " (a SHOULD: reported, and fails nothing)" };
    let _ = writeln!(text, "{BAD}FAILED{BAD:#} {BOLD}{}{BOLD:#}{should}", result.id);
    for id in result.convicted() {
        if let Some(requirement) = report.spec.requirement(id) {
            let _ = writeln!(text, "  {BOLD}{id}{BOLD:#} {} {}", requirement.level, requirement.sentence);
        }
    }
    let _ = writeln!(text, "  {DIM}why this is looked at: {}{DIM:#}", result.scenario.why);
    if let Some(evidence) = &result.evidence {
        told(report, evidence, text);
    }
    let _ = writeln!(text, "  again      {}\n", report.repeat(result));
}

/// What a failure tells: the step, what was expected, what came, the bytes, and who is to blame.
fn told(report: &Report, evidence: &Evidence, text: &mut String) {
    let steps = if evidence.step == 0 { "before the first step".into() } else { format!("step {}", evidence.step) };
    let _ = writeln!(text, "  {steps}, spec/{}", evidence.place);
    for line in evidence.step_text.lines() {
        let _ = writeln!(text, "      {DIM}{}{DIM:#}", line.trim_end());
    }
    let _ = writeln!(text, "  expected   {GOOD}{}{GOOD:#}", one_line(&evidence.expected));
    let _ = writeln!(text, "  seen       {BAD}{}{BAD:#}", evidence.seen);
    if evidence.fault != Blame::Target {
        let _ = writeln!(text, "  at fault   {}", evidence.fault.name());
    }
    let shown = shown(&evidence.history, evidence.step);
    if !shown.is_empty() {
        let _ = writeln!(text, "  on the wire");
        for entry in shown {
            for line in History::render(entry, &report.target.dialect).lines() {
                let _ = writeln!(text, "      {line}");
            }
        }
    }
    output(&evidence.output, text);
}

/// The failing step's exchanges, and the last ones before it.
fn shown(history: &History, step: usize) -> Vec<&Entry> {
    let first = history.entries.iter().position(|entry| entry.step == step).unwrap_or(history.entries.len());
    let entries = &history.entries[first.saturating_sub(LEAD)..];
    let skip = entries.len().saturating_sub(SHOWN);
    entries[skip..].iter().collect()
}

fn output(lines: &[String], text: &mut String) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "  the target's last words");
    for line in lines.iter().skip(lines.len().saturating_sub(12)) {
        let _ = writeln!(text, "      {DIM}{line}{DIM:#}");
    }
}

fn summary(report: &Report, news: &[&CaseResult], text: &mut String) {
    if !news.is_empty() {
        let mut broken: BTreeMap<&str, usize> = BTreeMap::new();
        for id in news.iter().flat_map(|result| result.convicted()) {
            *broken.entry(id).or_default() += 1;
        }
        let _ = writeln!(text, "{BOLD}broken requirements{BOLD:#}");
        for (id, cases) in broken {
            let sentence = report.spec.requirement(id).map_or("", |requirement| requirement.sentence.as_str());
            let _ = writeln!(text, "  {id:<14} {cases:>3} {}  {sentence}", if cases == 1 { "case " } else { "cases" });
        }
        let _ = writeln!(text, "  {DIM}conformance explain ID tells more about one{DIM:#}\n");
    }
    let count = |verdict| report.run.count(verdict);
    let style = |verdict: Verdict, count: usize| match verdict {
        Verdict::Passed if count > 0 => GOOD,
        Verdict::Failed if count > 0 => BAD,
        Verdict::Inconclusive | Verdict::NotReached if count > 0 => DOUBT,
        _ => DIM,
    };
    let counts: Vec<String> = Verdict::ALL
        .iter()
        .map(|verdict| {
            let count = count(*verdict);
            let style = style(*verdict, count);
            let known = report.run.results.iter().filter(|r| r.verdict == *verdict && report.known.covers(r)).count();
            let known = if known > 0 { format!(" ({known} as known)") } else { String::new() };
            format!("{style}{count} {}{style:#}{known}", verdict.words())
        })
        .collect();
    let planned = counted(report.run.results.len(), "case");
    let _ = write!(text, "{planned} planned: {}", counts.join(", "));
    let _ = writeln!(text, "  {DIM}in {:.2} s{DIM:#}", report.run.elapsed.as_secs_f64());
}

/// A number and its noun.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn one_line(written: &str) -> String {
    written.split_whitespace().collect::<Vec<_>>().join(" ")
}
