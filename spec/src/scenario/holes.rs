//! Whether the names in a scenario's values stand for somebody or something: usernames for its actors, holes such as
//! `{id}` for what an earlier step keeps.

use super::expect::{Expect, Match};
use super::given::Given;
use super::read::Reader;
use crate::error::Diagnostic;
use crate::load::Node;

impl Reader<'_> {
    /// A username that is written out belongs to no case alone, so another run could meet it.
    pub(super) fn known_actor(&self, node: &Node, field: &str, given: &Given) -> Result<(), Diagnostic> {
        let Some(text) = given.as_plain_text().filter(|_| self.service.is_username(field)) else { return Ok(()) };
        let possible = !text.is_empty()
            && text.chars().count() as u64 <= self.service.limit("username_characters")
            && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "|*?".contains(c));
        if !possible || self.actors.contains(text) {
            return Ok(());
        }
        let diagnostic = self.document.error(node, format!("who is `{text}`?"));
        Err(diagnostic.help("list it under `actors`, or use a name of this case: \"{prefix}nobody\""))
    }

    /// Every hole in what is expected.
    pub(super) fn known_holes_in(&self, node: &Node, expect: &Expect) -> Result<(), Diagnostic> {
        match expect {
            Expect::Ok(fields) | Expect::Error(_, fields) | Expect::Event(_, fields) => {
                fields.iter().try_for_each(|(_, wanted)| self.known_holes_in_match(node, wanted))
            }
            Expect::OneOf(inner) | Expect::Sequence(inner) | Expect::Set(inner) => {
                inner.iter().try_for_each(|expect| self.known_holes_in(node, expect))
            }
            Expect::Outcome(_) | Expect::Nothing | Expect::Closed => Ok(()),
        }
    }

    fn known_holes_in_match(&self, node: &Node, wanted: &Match) -> Result<(), Diagnostic> {
        match wanted {
            Match::Equal(given) | Match::AtLeast(given) | Match::AtMost(given) | Match::StartsWith(given) => {
                self.known_holes(node, given)
            }
            Match::Row(fields) => fields.iter().try_for_each(|(_, wanted)| self.known_holes_in_match(node, wanted)),
            Match::List(items)
            | Match::Set(items)
            | Match::Includes(items)
            | Match::Excludes(items)
            | Match::OneOf(items)
            | Match::All(items) => items.iter().try_for_each(|item| self.known_holes_in_match(node, item)),
            Match::Length(inner) | Match::Not(inner) => self.known_holes_in_match(node, inner),
            Match::Sorted => Ok(()),
        }
    }

    /// A hole that nothing fills would be sent as it stands.
    pub(super) fn known_holes(&self, node: &Node, given: &Given) -> Result<(), Diagnostic> {
        for hole in given.holes() {
            let known = matches!(hole, "prefix" | "n") || self.actors.contains(hole) || self.kept.contains(hole);
            if !known {
                let names = self.kept.iter().chain(&self.actors).map(String::as_str).chain(["prefix", "n"]);
                return Err(self
                    .document
                    .error(node, format!("nothing fills the hole `{{{hole}}}`"))
                    .suggest(hole, names));
            }
        }
        Ok(())
    }
}
