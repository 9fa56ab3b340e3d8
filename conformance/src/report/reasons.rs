//! Why cases do not apply: how often each reason holds, told in few lines.
//!
//! Not here: the reasons themselves, which are found where cases are selected and played (`select`, `carried`, `drive`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use regex::Regex;

use crate::finding::{CaseResult, Verdict};
use crate::report::terminal::{DIM, DOUBT, counted};

/// Kinds of reasons: how they are told together, and what tells one of them from another. A reason of none of these
/// kinds is told as it is.
const KINDS: [(&str, &str); 7] = [
    ("the target has no", r"^the target has no (`\w+`)"),
    ("for another choice of", r"^it is for (\w+): "),
    ("outside this wire's limits:", r"(?s)^the (\w+) of .* is not within this wire's limit "),
    ("this wire cannot say", r"^this wire cannot say (`\w+`)"),
    ("this wire never tells", r" never tells (`\w+`)$"),
    ("no request of this wire can be made wrong as", r"^no request of this wire can be made wrong as (`\w+`)$"),
    ("the suite cannot start this target with another", r"^the suite cannot start this target with another (\w+)$"),
];

/// What is told of one kind.
const TOLD: usize = 8;

/// Cases that do not apply: a line for each kind of reason, or for each reason where `verbose` asks for it.
pub(super) fn not_applicable<'r>(results: impl IntoIterator<Item = &'r CaseResult>, verbose: bool, text: &mut String) {
    let reasons = reasons(results);
    let every = reasons.iter().map(|(why, count)| ((*why).to_owned(), *count));
    let lines: Vec<(String, usize)> = if verbose { every.collect() } else { by_kind(&reasons) };
    for (why, count) in &lines {
        let _ = writeln!(text, "{DIM}not applicable: {}: {why}{DIM:#}", counted(*count, "case"));
    }
    if lines.len() < reasons.len() {
        let _ = writeln!(text, "{DIM}not applicable: --verbose tells all {} reasons{DIM:#}", reasons.len());
    }
}

/// Reasons in the words of their kinds, and how many cases for each kind, the most frequent first.
fn by_kind(reasons: &[(&str, usize)]) -> Vec<(String, usize)> {
    let kinds = KINDS.map(|(words, pattern)| (words, Regex::new(pattern).expect("the pattern is ours")));
    let mut found: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (why, count) in reasons {
        let kind = kinds.iter().find_map(|(words, pattern)| Some((*words, pattern.captures(why)?.get(1)?.as_str())));
        let (words, which) = kind.unwrap_or((why, ""));
        *found.entry(words).or_default().entry(which).or_default() += count;
    }
    let told = |(words, which): (&str, BTreeMap<&str, usize>)| (listed(words, &which), which.values().sum());
    let mut lines: Vec<(String, usize)> = found.into_iter().map(told).collect();
    lines.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    lines
}

/// A kind with what it is about: `the target has no `paging` (7), `take_over` (2)`.
fn listed(words: &str, which: &BTreeMap<&str, usize>) -> String {
    let mut which: Vec<(&str, usize)> = which.iter().map(|(name, count)| (*name, *count)).collect();
    which.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    if let [(name, _)] = which.as_slice() {
        return format!("{words} {name}").trim_end().to_owned();
    }
    let mut names: Vec<String> = which.iter().take(TOLD).map(|(name, count)| format!("{name} ({count})")).collect();
    let rest: usize = which.iter().skip(TOLD).map(|(_, count)| count).sum();
    if rest > 0 {
        names.push(format!("{} ({rest})", counted(which.len() - TOLD, "other")));
    }
    format!("{words} {}", names.join(", "))
}

/// A run in which no case applied says what is in the way of most of them: it is no success.
pub(super) fn nothing_judged<'r>(results: impl IntoIterator<Item = &'r CaseResult> + Copy, text: &mut String) {
    if results.into_iter().any(|result| result.verdict != Verdict::NotApplicable) {
        return;
    }
    if let Some((why, count)) = reasons(results).first() {
        let cases = counted(*count, "case");
        let _ = writeln!(text, "{DOUBT}nothing was judged{DOUBT:#}, most often because {why}: {cases}");
    }
}

/// Why cases do not apply, and how many for each reason, the most frequent first.
pub(super) fn reasons<'r>(results: impl IntoIterator<Item = &'r CaseResult>) -> Vec<(&'r str, usize)> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for result in results.into_iter().filter(|result| result.verdict == Verdict::NotApplicable) {
        *reasons.entry(&result.why).or_default() += 1;
    }
    let mut reasons: Vec<(&str, usize)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    reasons
}
