//! Whether the names in `service.yaml` and `errors.yaml` name something, and whether error codes are told apart.
//!
//! Not here: the form of the files (serde checks it), or what scenarios and dialects name (`check` at the top).

use std::collections::BTreeMap;

use super::Service;
use crate::error::Diagnostics;
use crate::load::Document;

impl Service {
    /// Shows every reference to something that does not exist.
    pub(crate) fn check(&self, document: &Document, errors: &Document, found: &mut Diagnostics) {
        let known_field = |name: &str| self.fields.contains_key(name);
        let mut refuse = |path: &[&str], name: &str, what: &str, known: Vec<&str>| {
            let mut node = &document.root;
            for key in path {
                node = node.get(key).unwrap_or(node);
            }
            let items = node.items().unwrap_or_default();
            let node = items.iter().find(|item| item.text() == Some(name)).unwrap_or(node);
            found.push(document.error(node, format!("there is no {what} `{name}`")).suggest(name, known));
        };
        let fields: Vec<&str> = self.fields.keys().map(String::as_str).collect();
        for (name, operation) in &self.operations {
            for (list, names) in [("arguments", &operation.arguments), ("result", &operation.result)] {
                for field in names.iter().filter(|f| !known_field(f)) {
                    refuse(&["operations", name, list], field, "field", fields.clone());
                }
            }
            for (field, when) in &operation.result_when {
                if !known_field(field) {
                    refuse(&["operations", name, "result_when"], field, "field", fields.clone());
                }
                for (policy, choice) in when {
                    let path = ["operations", name, "result_when", field, policy];
                    match self.policies.get(policy) {
                        None => {
                            refuse(&path[..4], policy, "policy", self.policies.keys().map(String::as_str).collect())
                        }
                        Some(known) if !known.choices.iter().any(|(name, _)| name == choice) => {
                            let choices = known.choices.iter().map(|(name, _)| name.as_str()).collect();
                            refuse(&path, choice, "choice", choices);
                        }
                        Some(_) => {}
                    }
                }
            }
            for error in operation.errors.iter().filter(|e| !self.errors.contains_key(*e)) {
                let errors = self.errors.keys().map(String::as_str).collect();
                refuse(&["operations", name, "errors"], error, "error", errors);
            }
        }
        for (name, event) in &self.events {
            for field in event.fields.iter().filter(|f| !known_field(f)) {
                refuse(&["events", name, "fields"], field, "field", fields.clone());
            }
        }
        for (name, row) in &self.rows {
            for field in row.iter().filter(|f| !known_field(f)) {
                refuse(&["rows", name], field, "field", fields.clone());
            }
        }
        for (name, option) in &self.options {
            if !self.limits.contains_key(&option.limit) {
                let limits = self.limits.keys().map(String::as_str).collect();
                refuse(&["options", name, "limit"], &option.limit, "limit", limits);
            }
        }
        let place = |name: &str| errors.root.get("errors").and_then(|all| all.entry(name)).map(|(key, _)| key);
        let mut by_code: BTreeMap<u8, &str> = BTreeMap::new();
        for (name, error) in &self.errors {
            let Some(key) = place(name) else { continue };
            if error.code == 0 {
                found.push(errors.error(key, format!("`{name}` has the code 0, which says that nothing is wrong")));
            }
            if let Some(first) = by_code.insert(error.code, name) {
                let diagnostic = errors.error(key, format!("`{name}` has the code {} of `{first}`", error.code));
                found.push(match place(first) {
                    Some(first) => diagnostic.other(&errors.place(first), "which has it, too"),
                    None => diagnostic,
                });
            }
        }
    }
}
