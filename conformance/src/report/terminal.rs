//! The report that people read: failures last, each with everything that is needed to understand it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use crate::finding::{Blame, CaseResult, Evidence, Verdict};
use crate::history::{Entry, History};
use crate::report::reasons::{not_applicable, nothing_judged};
use crate::report::{Report, Reports, wire};
use crate::run::{Difference, IN_COMPANY, MORE_TIME, choices_written};

pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const DOUBT: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const BOLD: Style = Style::new().bold();

/// Entries of the history before the failing step that are shown.
const LEAD: usize = 4;

/// Entries of the failing step that are shown.
const SHOWN: usize = 12;

/// Lines that the target printed last that are shown.
const WORDS: usize = 12;

/// Writes the whole report. Colours are in it; whoever prints it takes them out where they are not wanted. Each reason
/// why cases do not apply is told only where `verbose` asks for it.
pub fn render(report: &Report, verbose: bool) -> String {
    let mut text = String::new();
    for note in &report.target.notes {
        let _ = writeln!(text, "{DIM}note: {note}{DIM:#}");
    }
    not_applicable(&report.run.results, verbose, &mut text);
    body(report, &mut text);
    broken(report, report.news(), &mut text);
    nothing_judged(&report.run.results, &mut text);
    let _ = writeln!(text, "{}", summary(&report.run.results, &[report], "", "", report.run.elapsed));
    text
}

/// Writes the reports of one run: as `render`, unless several dialects were asked for. Then the reasons why cases do not
/// apply are told for each of them only where `verbose` asks for it.
pub fn render_all(reports: &Reports, verbose: bool) -> String {
    match reports.single() {
        Some(report) => render(report, verbose),
        None => super::several::render(reports, verbose),
    }
}

/// What needs somebody's attention.
pub(super) fn body(report: &Report, text: &mut String) {
    undecided(report, text);
    for result in report.news() {
        failure(report, result, text);
    }
    for difference in &report.run.differences {
        policy(report, difference, text);
    }
    if let [_, _, ..] = report.run.differences.as_slice() {
        let _ =
            writeln!(text, "all of them as they are\n  {GOOD}{}{GOOD:#}\n", choices_written(&report.run.differences));
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
        output(&stopped.output, WORDS, text);
        text.push('\n');
    }
}

/// A policy that is another one than declared.
fn policy(report: &Report, difference: &Difference, text: &mut String) {
    let name = &difference.policy;
    let _ = writeln!(text, "{BAD}FAILED{BAD:#} {BOLD}{}{BOLD:#}", difference.sentence());
    if let Some(policy) = report.spec.service.policies.get(name) {
        let _ = writeln!(text, "  {DIM}{}{DIM:#}", policy.about);
        for (choice, about) in policy.choices.iter() {
            let mark = match (*choice == difference.declared, difference.observed.contains(choice)) {
                (true, _) => "declared",
                (_, true) => "observed",
                _ => continue,
            };
            let _ = writeln!(text, "  {mark:<10} {choice}: {about}");
        }
    }
    let _ = writeln!(text, "  either     the server is wrong, or its target file (else its dialect) is to say");
    let _ = writeln!(text, "                 {GOOD}{}{GOOD:#}", choices_written(std::slice::from_ref(difference)));
    if difference.cases > 0 {
        let which = if difference.cases == 1 { "depends on it is" } else { "depend on it are" };
        let _ = writeln!(text, "  so long    {} that {which} not judged", counted(difference.cases, "case"));
    }
    let _ = writeln!(text, "  on the wire");
    let entries = &difference.history.entries;
    for entry in &entries[entries.len().saturating_sub(SHOWN)..] {
        for line in wire::shown(entry, &report.target.dialect).lines() {
            let _ = writeln!(text, "      {line}");
        }
    }
    let _ =
        writeln!(text, "  {DIM}conformance explain {name} tells all choices; {} looks again{DIM:#}\n", report.look());
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
            // What one thread says of a race stands among what the others say of their own affairs.
            output(&evidence.output, if why.contains(IN_COMPANY) { usize::MAX } else { WORDS }, text);
        }
        let _ = writeln!(text, "  again      {}", report.repeat(results[0]));
        if why.contains(MORE_TIME) {
            let _ = writeln!(text, "  a server that needs more time for each: --jobs 4, or --deadline-ms 2000");
        } else if why.contains(IN_COMPANY) {
            let _ = writeln!(text, "  a race in the server? In company: {}", report.in_company(results[0]));
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
        output(&evidence.output, WORDS, text);
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
            for line in wire::shown(entry, &report.target.dialect).lines() {
                let _ = writeln!(text, "      {line}");
            }
        }
    }
}

/// The failing step's exchanges, and the last ones before it.
fn shown(history: &History, step: usize) -> Vec<&Entry> {
    let first = history.entries.iter().position(|entry| entry.step == step).unwrap_or(history.entries.len());
    let entries = &history.entries[first.saturating_sub(LEAD)..];
    let skip = entries.len().saturating_sub(SHOWN);
    entries[skip..].iter().collect()
}

/// What the target printed last, at most so many lines.
fn output(lines: &[String], most: usize, text: &mut String) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "  the target's last words, of all that it did");
    for line in lines.iter().skip(lines.len().saturating_sub(most)) {
        let _ = writeln!(text, "      {DIM}{line}{DIM:#}");
    }
}

/// The requirements that were broken, by how many cases.
pub(super) fn broken<'r>(report: &Report, news: impl Iterator<Item = &'r CaseResult>, text: &mut String) {
    let mut broken: BTreeMap<&str, usize> = BTreeMap::new();
    for id in news.flat_map(CaseResult::convicted) {
        *broken.entry(id).or_default() += 1;
    }
    if broken.is_empty() {
        return;
    }
    let _ = writeln!(text, "{BOLD}broken requirements{BOLD:#}");
    for (id, cases) in broken {
        let sentence = report.spec.requirement(id).map_or("", |requirement| requirement.sentence.as_str());
        let _ = writeln!(text, "  {id:<14} {cases:>3} {}  {sentence}", if cases == 1 { "case " } else { "cases" });
    }
    let _ = writeln!(text, "  {DIM}conformance explain ID tells more about one{DIM:#}\n");
}

/// How many cases came to what: `12 cases planned over 2 dialects: 10 passed, …`.
pub(super) fn summary<'r>(
    results: impl IntoIterator<Item = &'r CaseResult> + Copy,
    reports: &[&Report],
    over: &str,
    besides: &str,
    elapsed: Duration,
) -> String {
    let planned = counted(results.into_iter().count(), "case");
    let counts = counts(results, reports, &told_of(results), |count, verdict| format!("{count} {}", verdict.words()));
    let differences: usize = reports.iter().map(|report| report.run.differences.len()).sum();
    let differences = match differences {
        0 => String::new(),
        1 => format!("; {BAD}1 policy is not as declared{BAD:#}"),
        many => format!("; {BAD}{many} policies are not as declared{BAD:#}"),
    };
    format!(
        "{planned} planned{over}: {}{besides}{differences}  {DIM}in {:.2} s{DIM:#}",
        counts.join(", "),
        elapsed.as_secs_f64()
    )
}

/// The verdicts that are counted: nobody needs to be told that there is nothing that was not judged.
pub(super) fn told_of<'r>(results: impl IntoIterator<Item = &'r CaseResult> + Copy) -> Vec<Verdict> {
    let is_left_out = |verdict: &Verdict| results.into_iter().any(|result| result.verdict == *verdict);
    Verdict::ALL.into_iter().filter(|verdict| *verdict != Verdict::NotJudged || is_left_out(verdict)).collect()
}

/// A number for each verdict, in its colour.
pub(super) fn counts<'r>(
    results: impl IntoIterator<Item = &'r CaseResult> + Copy,
    reports: &[&Report],
    verdicts: &[Verdict],
    words: impl Fn(usize, Verdict) -> String,
) -> Vec<String> {
    let style = |verdict: Verdict, count: usize| match verdict {
        Verdict::Passed if count > 0 => GOOD,
        Verdict::Failed if count > 0 => BAD,
        Verdict::NotJudged | Verdict::Inconclusive | Verdict::NotReached if count > 0 => DOUBT,
        _ => DIM,
    };
    let count = |verdict: Verdict| {
        let all: Vec<&CaseResult> = results.into_iter().filter(|result| result.verdict == verdict).collect();
        let style = style(verdict, all.len());
        let known = all.iter().filter(|result| reports.iter().any(|report| report.known.covers(result))).count();
        let known = if known > 0 { format!(" ({known} as known)") } else { String::new() };
        format!("{style}{}{style:#}{known}", words(all.len(), verdict))
    };
    verdicts.iter().copied().map(count).collect()
}

/// A number and its noun.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn one_line(written: &str) -> String {
    written.split_whitespace().collect::<Vec<_>>().join(" ")
}
