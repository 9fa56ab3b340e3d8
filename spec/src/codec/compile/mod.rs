//! A dialect file into plans, with every mistake at its line.
//!
//! Here is the file as a whole; `message` makes frames, tables and messages of it, `row` the fields they consist of.
//! Not here: the grammar of a field's type (`field`), and whether the finished tables can be told apart (`rehearse`).

mod message;
mod row;

use std::collections::BTreeMap;

use crate::dialect::Dialect;
use crate::error::{Diagnostic, Diagnostics};
use crate::load::{Document, Node};
use crate::service::Service;

/// The keys of a dialect file, in the order in which a reader wants them.
pub(crate) const KEYS: &[&str] =
    &["dialect", "about", "frame", "shapes", "refuse", "hear", "operations", "fence", "policies", "lacks"];

/// Compiles a dialect. Mistakes are added to `found`; a dialect comes back only if there is none.
pub(crate) fn compile(document: &Document, service: &Service, found: &mut Diagnostics) -> Option<Dialect> {
    let mut compiler = Compiler { document, service, found: Diagnostics::default(), refused: 0 };
    let dialect = compiler.dialect();
    let clean = compiler.found.is_empty();
    found.0.append(&mut compiler.found.0);
    dialect.filter(|_| clean)
}

struct Compiler<'a> {
    document: &'a Document,
    service: &'a Service,
    found: Diagnostics,
    /// How often something was refused, though what is wrong in one place is shown once.
    refused: usize,
}

impl<'a> Compiler<'a> {
    fn dialect(&mut self) -> Option<Dialect> {
        let root = &self.document.root;
        self.document.only(root, KEYS, &mut self.found);
        let name = self.document.word(root, "dialect", &mut self.found)?;
        let about = self.document.word(root, "about", &mut self.found)?;
        let frame_node = self.need(root, "frame")?;
        let (say_node, hear_node) = match (frame_node.get("say"), frame_node.get("hear")) {
            (Some(say), Some(hear)) => (say, hear),
            _ => (frame_node, frame_node),
        };
        let mut say = self.frame(say_node, None)?;
        // All else is held against the frames: where they are wrong, so would be what is said about it.
        if !self.found.is_empty() {
            return None;
        }
        let mut hear = self.frame(hear_node, Some(&say))?;
        if !self.found.is_empty() {
            return None;
        }
        self.refusals(&mut say);
        hear.refusals = vec![None; hear.numbers.len()];
        let anytime = self.table(root.get("hear"), &hear, None, "hear");
        let operations = self.operations(&say, &hear);
        let mut dialect = Dialect {
            name,
            about,
            say,
            hear,
            anytime,
            operations,
            fence: self.fence(),
            policies: self.policies(),
            lacks: self.lacks(),
            errors: self.service.errors.iter().map(|(name, error)| (name.clone(), error.clone())).collect(),
            outcomes: self
                .service
                .operations
                .iter()
                .map(|(name, spec)| (name.clone(), spec.outcomes.clone()))
                .collect(),
            index: None,
        };
        dialect.index_operations();
        Some(dialect)
    }

    fn fence(&mut self) -> String {
        let Some(node) = self.need(&self.document.root, "fence") else { return String::new() };
        let name = node.text().unwrap_or_default();
        if self.document.root.get("operations").and_then(|operations| operations.get(name)).is_none() {
            let operations = self.document.root.get("operations").and_then(Node::entries).unwrap_or_default();
            let known: Vec<&str> = operations.iter().filter_map(|(key, _)| key.text()).collect();
            self.refuse(node, format!("this dialect has no operation `{name}` to serve as fence"), |d| {
                d.suggest(name, known)
            });
        }
        name.to_owned()
    }

    fn policies(&mut self) -> BTreeMap<String, String> {
        let service = self.service;
        let mut policies: BTreeMap<String, String> =
            service.policies.iter().map(|(name, policy)| (name.clone(), policy.default_choice().to_owned())).collect();
        for (key, value) in self.document.root.get("policies").and_then(Node::entries).unwrap_or_default() {
            let (name, choice) = (key.text().unwrap_or_default(), value.text().unwrap_or_default());
            match service.policies.get(name) {
                None => self.refuse(key, format!("service.yaml has no policy `{name}`"), |d| {
                    d.suggest(name, service.policies.keys().map(String::as_str))
                }),
                Some(policy) if !policy.choices.iter().any(|(known, _)| known == choice) => {
                    self.refuse(value, format!("the policy `{name}` has no choice `{choice}`"), |d| {
                        d.suggest(choice, policy.choices.iter().map(|(known, _)| known.as_str()))
                    });
                }
                Some(_) => {
                    policies.insert(name.to_owned(), choice.to_owned());
                }
            }
        }
        policies
    }

    fn lacks(&mut self) -> Vec<String> {
        let service = self.service;
        let mut lacks = Vec::new();
        for node in self.document.root.get("lacks").and_then(Node::items).unwrap_or_default() {
            let name = node.text().unwrap_or_default();
            if service.is_capability(name) {
                lacks.push(name.to_owned());
            } else {
                let known = service.capabilities.keys().chain(service.operations.keys());
                self.refuse(node, format!("service.yaml has no capability `{name}`"), |d| {
                    d.suggest(name, known.map(String::as_str))
                });
            }
        }
        let operations = self.document.root.get("operations");
        let absent = service.operations.keys().filter(|name| operations.and_then(|node| node.get(name)).is_none());
        lacks.extend(absent.cloned());
        lacks
    }

    fn need(&mut self, node: &'a Node, key: &str) -> Option<&'a Node> {
        let found = node.get(key);
        if found.is_none() {
            self.refuse(node, format!("the key `{key}` is missing"), |d| d.label("in this map"));
        }
        found
    }

    fn refuse(&mut self, node: &Node, message: impl Into<String>, more: impl FnOnce(Diagnostic) -> Diagnostic) {
        let diagnostic = more(self.document.error(node, message));
        self.refused += 1;
        // A shape is compiled wherever it is used, and its mistakes are the same everywhere.
        if !self.found.0.contains(&diagnostic) {
            self.found.push(diagnostic);
        }
    }
}
