//! Requirements: one normative sentence each, with a permanent id, from `requirements/<chapter>.yaml`.
//!
//! Not here: what shows that they are kept (`scenario`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::{Diagnostics, Place};
use crate::load::{Document, Node};
use crate::service::Service;

/// How binding a requirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
pub enum Level {
    /// Every implementation that claims the capability keeps it.
    #[serde(rename = "MUST")]
    Must,
    /// There may be good reasons not to; a break is reported and does not fail a run.
    #[serde(rename = "SHOULD")]
    Should,
    /// Free to choose.
    #[serde(rename = "MAY")]
    May,
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Level::Must => "MUST",
            Level::Should => "SHOULD",
            Level::May => "MAY",
        })
    }
}

/// From what a requirement is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JudgedBy {
    /// By scenarios.
    #[default]
    Scenario,
    /// By a checker that reads the logs of a run.
    Log,
}

/// What a requirement file says about one requirement.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// MUST, SHOULD or MAY.
    level: Level,
    /// The sentence.
    sentence: String,
    /// Why the protocol wants it.
    why: Option<String>,
    /// Where it comes from.
    source: String,
    /// Policies under which it applies.
    #[serde(default)]
    when: BTreeMap<String, Choices>,
    /// Capabilities without which it does not apply.
    #[serde(default)]
    needs: Vec<String>,
    /// Why no negative scenario can exist.
    positive_only: Option<String>,
    /// Why no positive scenario can exist.
    negative_only: Option<String>,
    /// From what it is judged, if not by scenarios.
    #[serde(default)]
    judged_by: JudgedBy,
}

/// The layout of `requirements/<chapter>.yaml`; editors complete and validate by it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "the layout as a type: read entry by entry, so that one mistake does not hide the next")]
pub struct ChapterFile {
    /// The chapter's name, as in the file name.
    chapter: String,
    /// Its heading.
    title: String,
    /// What it is about.
    about: String,
    /// The requirements by id.
    requirements: BTreeMap<String, Entry>,
}

/// One or several choices of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "serde_yaml::Value")]
#[schemars(with = "serde_json::Value")]
pub struct Choices(pub Vec<String>);

impl From<serde_yaml::Value> for Choices {
    fn from(value: serde_yaml::Value) -> Self {
        let word = |value: serde_yaml::Value| match value {
            serde_yaml::Value::String(text) => text,
            serde_yaml::Value::Bool(flag) => flag.to_string(),
            serde_yaml::Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        match value {
            serde_yaml::Value::Sequence(items) => Choices(items.into_iter().map(word).collect()),
            other => Choices(vec![word(other)]),
        }
    }
}

/// One requirement.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// Its permanent id, such as `DELIVERY-2`.
    pub id: String,
    /// Its chapter, such as `delivery`.
    pub chapter: String,
    /// How binding it is.
    pub level: Level,
    /// The sentence.
    pub sentence: String,
    /// Why the protocol wants it.
    pub why: Option<String>,
    /// Where it comes from.
    pub source: String,
    /// Policies under which it applies.
    pub when: BTreeMap<String, Choices>,
    /// Capabilities without which it does not apply.
    pub needs: Vec<String>,
    /// Why it has no negative scenario.
    pub positive_only: Option<String>,
    /// Why it has no positive scenario.
    pub negative_only: Option<String>,
    /// From what it is judged.
    pub judged_by: JudgedBy,
    /// Where it is written.
    pub place: Place,
}

/// A chapter of requirements.
#[derive(Debug, Clone)]
pub struct Chapter {
    /// Its name, such as `delivery`.
    pub name: String,
    /// Its heading.
    pub title: String,
    /// What it is about.
    pub about: String,
    /// Its requirements, in reading order.
    pub requirements: Vec<Requirement>,
}

impl Chapter {
    /// Reads a chapter; mistakes are added to `found`.
    pub(crate) fn read(document: &Document, service: &Service, found: &mut Diagnostics) -> Option<Chapter> {
        let root = &document.root;
        document.only(root, &["chapter", "title", "about", "requirements"], found);
        let mut word = |key: &str| document.word(root, key, found);
        let (name, title, about) = (word("chapter")?, word("title")?, word("about")?);
        let mut requirements = Vec::new();
        for (key, value) in root.get("requirements").and_then(Node::entries).unwrap_or_default() {
            let id = key.text().unwrap_or_default();
            check_id(document, key, id, &name, found);
            let Some(entry) = found.keep(document.typed::<Entry>(value)) else { continue };
            check_when(document, value, &entry.when, service, found);
            check_needs(document, value, &entry.needs, service, found);
            requirements.push(Requirement {
                id: id.to_owned(),
                chapter: name.clone(),
                level: entry.level,
                sentence: entry.sentence,
                why: entry.why,
                source: entry.source,
                when: entry.when,
                needs: entry.needs,
                positive_only: entry.positive_only,
                negative_only: entry.negative_only,
                judged_by: entry.judged_by,
                place: document.place(key),
            });
        }
        Some(Chapter { name, title, about, requirements })
    }
}

fn check_id(document: &Document, key: &Node, id: &str, chapter: &str, found: &mut Diagnostics) {
    let prefix = chapter.to_uppercase();
    let numbered = id.strip_prefix(&prefix).and_then(|rest| rest.strip_prefix('-'));
    if numbered.is_none_or(|number| number.parse::<u32>().is_err()) {
        found.push(
            document
                .error(key, format!("`{id}` is no id of this chapter"))
                .help(format!("ids here are {prefix}-1, {prefix}-2, …")),
        );
    }
}

/// Shows policies and choices that do not exist. `node` is the map that has the key `when`.
pub(crate) fn check_when(
    document: &Document,
    node: &Node,
    when: &BTreeMap<String, Choices>,
    service: &Service,
    found: &mut Diagnostics,
) {
    for (name, choices) in when {
        let Some((key, value)) = node.get("when").and_then(|when| when.entry(name)) else { continue };
        let Some(policy) = service.policies.get(name) else {
            let known = service.policies.keys().map(String::as_str);
            found.push(document.error(key, format!("service.yaml has no policy `{name}`")).suggest(name, known));
            continue;
        };
        for choice in choices.0.iter().filter(|choice| !policy.choices.iter().any(|(known, _)| known == *choice)) {
            let known = policy.choices.iter().map(|(known, _)| known.as_str());
            found.push(
                document.error(value, format!("the policy `{name}` has no choice `{choice}`")).suggest(choice, known),
            );
        }
    }
}

/// Shows capabilities that do not exist. `node` is the map that has the key `needs`.
pub(crate) fn check_needs(
    document: &Document,
    node: &Node,
    needs: &[String],
    service: &Service,
    found: &mut Diagnostics,
) {
    for (index, name) in needs.iter().enumerate().filter(|(_, name)| !service.is_capability(name)) {
        let at = node.get("needs").and_then(|needs| needs.items()?.get(index)).unwrap_or(node);
        let known = service.capabilities.keys().chain(service.operations.keys()).map(String::as_str);
        found.push(document.error(at, format!("service.yaml has no capability `{name}`")).suggest(name, known));
    }
}
