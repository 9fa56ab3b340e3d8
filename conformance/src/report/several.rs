//! The reports of one run over several dialects: what is told once, for each, and of all together.

use std::fmt::Write as _;
use std::time::Duration;

use crate::exit::Exit;
use crate::finding::{CaseResult, Verdict};
use crate::report::Report;
use crate::report::reasons::{not_applicable, nothing_judged, reasons};
use crate::report::terminal::{BOLD, DIM, DOUBT, body, broken, counted, counts, summary, told_of};

/// Reasons why cases do not apply that are told of all dialects together.
const REASONS: usize = 3;

/// A dialect that this program was built without.
#[derive(Debug)]
pub struct NotBuilt {
    /// Its name.
    pub dialect: String,
    /// Why it cannot be spoken.
    pub why: String,
    /// How many cases there would be over it.
    pub cases: usize,
    /// The command that builds it and plays them.
    pub build: String,
}

/// The reports of one run.
#[derive(Debug)]
pub struct Reports {
    /// One for each dialect, in order.
    pub reports: Vec<Report>,
    /// Dialects that this program was built without.
    pub not_built: Vec<NotBuilt>,
    /// Whether several dialects were asked for, however many there are.
    pub several: bool,
    /// How long all of them took together.
    pub elapsed: Duration,
}

impl Reports {
    /// The one report, unless several dialects were asked for.
    pub fn single(&self) -> Option<&Report> {
        self.reports.first().filter(|_| !self.several)
    }

    /// Who was judged.
    pub fn name(&self) -> &str {
        self.reports.first().map_or("", |report| report.target.name.as_str())
    }

    /// What came of all cases.
    pub fn results(&self) -> impl Iterator<Item = &CaseResult> {
        self.reports.iter().flat_map(|report| &report.run.results)
    }

    /// How many cases have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.reports.iter().map(|report| report.run.count(verdict)).sum()
    }

    /// How the command ends. That no case applies over one of the dialects is no doubt, if one does over another.
    pub fn exit(&self) -> Exit {
        super::exit(&self.reports)
    }
}

/// The report that people read.
pub(super) fn render(reports: &Reports, verbose: bool) -> String {
    let mut text = String::new();
    let mut notes: Vec<&str> = Vec::new();
    for note in reports.reports.iter().flat_map(|report| &report.target.notes) {
        if !notes.contains(&note.as_str()) {
            notes.push(note);
            let _ = writeln!(text, "{DIM}note: {note}{DIM:#}");
        }
    }
    for report in &reports.reports {
        if verbose {
            let _ = writeln!(text, "{BOLD}{}{BOLD:#}", report.target.dialect.name);
            not_applicable(&report.run.results, true, &mut text);
        }
        body(report, &mut text);
    }
    if let Some(report) = reports.reports.first() {
        broken(report, reports.reports.iter().flat_map(Report::news), &mut text);
    }
    if !verbose {
        often(reports, &mut text);
    }
    table(reports, &mut text);
    let all: Vec<&Report> = reports.reports.iter().collect();
    let results: Vec<&CaseResult> = reports.results().collect();
    let over = format!(" over {}", counted(all.len(), "dialect"));
    let not_built: usize = reports.not_built.iter().map(|one| one.cases).sum();
    let not_built = if not_built > 0 { format!("; {not_built} not built") } else { String::new() };
    nothing_judged(Borrowed(&results), &mut text);
    let _ = writeln!(text, "{}", summary(Borrowed(&results), &all, &over, &not_built, reports.elapsed));
    text
}

/// The most frequent reasons why cases do not apply.
fn often(reports: &Reports, text: &mut String) {
    let all = reasons(reports.results());
    if all.is_empty() {
        return;
    }
    let told: Vec<String> = all.iter().take(REASONS).map(|(why, count)| format!("{why} ({count})")).collect();
    let rest: usize = all.iter().skip(REASONS).map(|(_, count)| count).sum();
    let rest = if rest > 0 { format!("; other reasons ({rest}): --verbose") } else { String::new() };
    let _ = writeln!(text, "{DIM}not applicable, most often: {}{rest}{DIM:#}\n", told.join("; "));
}

/// A line for each dialect.
fn table(reports: &Reports, text: &mut String) {
    let names = reports.reports.iter().map(|report| report.target.dialect.name.as_str());
    let width = names.chain(reports.not_built.iter().map(|one| one.dialect.as_str())).map(str::len).max().unwrap_or(0);
    let _ = write!(text, "{BOLD}{:<width$}", "dialect");
    let all: Vec<&CaseResult> = reports.results().collect();
    let verdicts = told_of(Borrowed(&all));
    for verdict in &verdicts {
        let _ = write!(text, "  {:>14}", verdict.words());
    }
    let _ = writeln!(text, "{BOLD:#}");
    for report in &reports.reports {
        let _ = write!(text, "{:<width$}", report.target.dialect.name);
        for count in counts(&report.run.results, &[report], &verdicts, |count, _| format!("{count:>14}")) {
            let _ = write!(text, "  {count}");
        }
        let differs = report.run.differences.len();
        let differs = if differs > 0 { format!("  {DOUBT}{differs} not as declared{DOUBT:#}") } else { String::new() };
        let _ = writeln!(text, "{differs}");
    }
    for one in &reports.not_built {
        let _ = writeln!(
            text,
            "{DIM}{:<width$}  {} not built: {}{DIM:#}",
            one.dialect,
            counted(one.cases, "case"),
            one.build
        );
    }
    text.push('\n');
}

/// Borrowed results, to be gone through more than once.
#[derive(Clone, Copy)]
struct Borrowed<'r>(&'r [&'r CaseResult]);

impl<'r> IntoIterator for Borrowed<'r> {
    type Item = &'r CaseResult;
    type IntoIter = std::iter::Copied<std::slice::Iter<'r, &'r CaseResult>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().copied()
    }
}
