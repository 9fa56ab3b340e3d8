//! The names that a target file takes from the protocol: capabilities, options and policies.

use spec::Spec;
use spec::error::Diagnostics;
use spec::load::{Document, Node};

use crate::target::description::{TargetFile, at};

/// Shows every name that the protocol does not know.
pub(super) fn check(described: &TargetFile, spec: &Spec, document: &Document, found: &mut Diagnostics) {
    let service = &spec.service;
    for name in described.lacks.iter().filter(|name| !service.is_capability(name)) {
        let items = document.root.get("lacks").and_then(Node::items).unwrap_or_default();
        let node = items.iter().find(|item| item.text() == Some(name)).unwrap_or(&document.root);
        let known = service.capabilities.keys().chain(service.operations.keys()).map(String::as_str);
        found.push(document.error(node, format!("service.yaml has no capability `{name}`")).suggest(name, known));
    }
    for name in described.options.keys().filter(|name| !service.options.contains_key(*name)) {
        let known = service.options.keys().map(String::as_str);
        let message = format!("service.yaml has no option `{name}`");
        found.push(document.error(at(document, "options", name), message).suggest(name, known));
    }
    for (name, choice) in &described.policies {
        match service.policies.get(name) {
            None => {
                let known = service.policies.keys().map(String::as_str);
                let message = format!("service.yaml has no policy `{name}`");
                found.push(document.error(at(document, "policies", name), message).suggest(name, known));
            }
            Some(policy) if !policy.choices.iter().any(|(known, _)| known == choice) => {
                let known = policy.choices.iter().map(|(known, _)| known.as_str());
                let message = format!("the policy `{name}` has no choice `{choice}`");
                let node = document.root.get("policies").and_then(|map| map.get(name)).unwrap_or(&document.root);
                found.push(document.error(node, message).suggest(choice, known));
            }
            Some(_) => {}
        }
    }
}
