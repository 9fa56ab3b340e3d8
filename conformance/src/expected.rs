//! Known failures: what a target is known to get wrong, written by the tool, with reasons added by people.
//!
//! A known failure does not fail a run. One that no longer fails, or that names nothing, does: the list must stay true.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use spec::error::{Diagnostics, suggestion};
use spec::load::Document;
use spec::source::File;

use crate::finding::{CaseResult, Verdict};

/// The known failures of a target, by case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    cases: BTreeMap<String, KnownCase>,
}

/// What is known about one case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct KnownCase {
    /// The requirements that fail in it. Empty: the case is known to be undecided.
    requirements: BTreeSet<String>,
    /// Why, in the words of whoever looked into it.
    why: String,
}

/// The layout of a file of known failures; editors complete and validate by it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "the layout as a type: read entry by entry, so that one mistake does not hide the next")]
pub struct KnownFile {
    /// What is known, by case.
    known_failures: BTreeMap<String, KnownCase>,
}

/// The words that the tool writes where a person should say why.
const NO_REASON: &str = "not looked into yet";

impl Known {
    /// Reads a file; mistakes are added to `found`. `ids` are the cases that exist, `requirements` likewise.
    pub fn read(
        path: &Path,
        ids: &BTreeSet<String>,
        requirements: &BTreeSet<String>,
        found: &mut Diagnostics,
    ) -> Option<Known> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let file = Arc::new(File { path: path.display().to_string(), text: String::new() });
                let place = spec::error::Place { file, span: 0..0 };
                found.push(
                    spec::error::Diagnostic::new(
                        &place,
                        format!("cannot read the known failures in {}: {error}", path.display()),
                    )
                    .help("`--write-known-failures FILE` writes one from a run"),
                );
                return None;
            }
        };
        let file = Arc::new(File { path: path.display().to_string(), text });
        let before = found.0.len();
        let documents = Document::read(&file, found);
        let mut known = Known::default();
        let Some(document) = documents.first() else { return (found.0.len() == before).then_some(known) };
        for (key, value) in document.root.entries().unwrap_or_default() {
            let text = key.text().unwrap_or_default();
            if text != "known_failures" {
                found.push(document.error(key, format!("unknown key `{text}`")).suggest(text, ["known_failures"]));
                continue;
            }
            for (key, value) in value.entries().unwrap_or_default() {
                let id = key.text().unwrap_or_default();
                if !ids.contains(id) {
                    let advice = suggestion(id, ids.iter().map(String::as_str));
                    let diagnostic = document.error(key, format!("there is no case `{id}`"));
                    found.push(diagnostic.help(advice.unwrap_or_else(|| "`conformance list` shows all cases".into())));
                    continue;
                }
                let Some(case) = found.keep(document.typed::<KnownCase>(value)) else { continue };
                for wrong in case.requirements.iter().filter(|wanted| !requirements.contains(*wanted)) {
                    let diagnostic = document.error(value, format!("there is no requirement `{wrong}`"));
                    found.push(diagnostic.suggest(wrong, requirements.iter().map(String::as_str)));
                }
                known.cases.insert(id.to_owned(), case);
            }
        }
        (found.0.len() == before).then_some(known)
    }

    /// Whether a result is as it was known: it fails in the listed requirements and in no others.
    pub fn covers(&self, result: &CaseResult) -> bool {
        self.cases.get(&result.id).is_some_and(|case| is_bad(result) && case.requirements == convicted(result))
    }

    /// The entries that a run shows to be out of date, each with what is wrong with it.
    pub fn stale(&self, results: &[CaseResult]) -> Vec<String> {
        let by_id: BTreeMap<&str, &CaseResult> = results.iter().map(|result| (result.id.as_str(), result)).collect();
        let stale = |(id, case): (&String, &KnownCase)| {
            let result = by_id.get(id.as_str())?;
            match result.verdict {
                Verdict::Passed => Some(format!("{id} passes now")),
                Verdict::NotApplicable => Some(format!("{id} does not apply to this target: {}", result.why)),
                Verdict::NotReached | Verdict::NotJudged => None,
                _ if case.requirements != convicted(result) => Some(format!(
                    "{id} was known to fail in {}, and fails in {} now",
                    words(&case.requirements),
                    words(&convicted(result))
                )),
                _ => None,
            }
        };
        self.cases.iter().filter_map(stale).collect()
    }

    /// The text of a file that knows every failure of these results; reasons that were given already are kept.
    pub fn written(&self, target: &str, results: &[CaseResult]) -> String {
        let mut text = format!(
            "# What {target} is known to get wrong. Say why in each entry; one that no longer fails must go.\n\nknown_failures:\n"
        );
        let mut bad = results.iter().filter(|result| is_bad(result)).peekable();
        if bad.peek().is_none() {
            text.push_str("  {}\n");
        }
        for result in bad {
            let why = self.cases.get(&result.id).map_or(NO_REASON, |case| case.why.as_str());
            let requirements = convicted(result).into_iter().collect::<Vec<_>>().join(", ");
            text.push_str(&format!(
                "  {}:\n    requirements: [{requirements}]\n    why: {}\n",
                result.id,
                serde_json::to_string(why).unwrap_or_default(),
            ));
        }
        text
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }
}

fn is_bad(result: &CaseResult) -> bool {
    matches!(result.verdict, Verdict::Failed | Verdict::Inconclusive)
}

fn convicted(result: &CaseResult) -> BTreeSet<String> {
    result.convicted().map(str::to_owned).collect()
}

fn words(requirements: &BTreeSet<String>) -> String {
    if requirements.is_empty() {
        return "nothing that can be decided".into();
    }
    requirements.iter().cloned().collect::<Vec<_>>().join(", ")
}
