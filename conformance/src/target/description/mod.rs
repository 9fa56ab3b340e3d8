//! The YAML of a target: how it is started and reached, which dialect it speaks, and what it claims.
//!
//! `layout` has the keys, `program` makes a program of those that start one, `claims` looks at the names in the others.

mod claims;
mod layout;
mod program;

use std::path::Path;
use std::sync::Arc;

use spec::Spec;
use spec::error::{Diagnostic, Diagnostics, Place};
use spec::load::{Document, Node};
use spec::source::File;

pub use layout::TargetFile;
use layout::{FileLayout, PortLayout, ReadyLayout};

use crate::target::{Remote, Starter, Target, read_dialect};

/// Reads a target file. Mistakes are added to `found`.
pub fn read_file(path: &Path, spec: &Spec, found: &mut Diagnostics) -> Option<Target> {
    let file = open(path, found)?;
    let documents = Document::read(&file, found);
    let document = documents.first()?;
    let root = &document.root;
    let described: TargetFile = found.keep(document.typed(root))?;
    let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
    let dialect = dialect(&described.dialect, &folder, spec, document, found)?;
    let before = found.0.len();
    claims::check(&described, spec, document, found);
    let starter: Arc<dyn Starter> = match (&described.address, &described.command) {
        (Some(address), None) => {
            remote_alone(document, found);
            Arc::new(Remote { address: address.clone() })
        }
        (_, Some(command)) if !command.is_empty() => {
            let program = program::read(&described, &folder, spec, &dialect, document, found);
            // Said only where nothing else is wrong: a mistyped placeholder is the likelier reason.
            if found.0.len() == before {
                program::reachable(&program, document, found);
            }
            Arc::new(program)
        }
        _ => {
            found.push(
                document
                    .error(root, "a target has an `address` or a `command`")
                    .help("`address: 127.0.0.1:6262` for one that runs, `command: [python3, server.py, \"{port}\"]` for one to start"),
            );
            return None;
        }
    };
    if found.0.len() > before {
        return None;
    }
    let mut target =
        Target::new(&described.target, &path.display().to_string(), dialect, starter).with_policies(described.policies);
    target.lacks.extend(described.lacks);
    target.accounts = described.accounts;
    target.jobs = described.jobs;
    target.known_failures = described.known_failures.map(|known| folder.join(known));
    Some(target)
}

/// Keys that only a target that is started can have.
fn remote_alone(document: &Document, found: &mut Diagnostics) {
    for key in [
        "build",
        "directory",
        "environment",
        "port",
        "ports",
        "files",
        "state",
        "processes",
        "ready",
        "ready_within_ms",
        "restart",
        "options",
    ] {
        if let Some((at, _)) = document.root.entry(key) {
            found.push(
                document
                    .error(at, format!("`{key}` is for a target that is started, and this one has no `command`"))
                    .help("add a `command`, or remove this key: the suite neither starts nor ends what runs at an `address`"),
            );
        }
    }
}

fn open(path: &Path, found: &mut Diagnostics) -> Option<Arc<File>> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Some(Arc::new(File { path: name, text })),
        Err(error) => {
            let file = Arc::new(File { path: name.clone(), text: String::new() });
            found.push(Diagnostic::new(&Place { file, span: 0..0 }, format!("cannot read {name}: {error}")));
            None
        }
    }
}

fn dialect(
    name: &str,
    folder: &Path,
    spec: &Spec,
    document: &Document,
    found: &mut Diagnostics,
) -> Option<Arc<spec::dialect::Dialect>> {
    if let Some(dialect) = spec.dialect(name) {
        return Some(dialect);
    }
    let node = document.root.get("dialect").unwrap_or(&document.root);
    if name.ends_with(".yaml") {
        let file = open(&folder.join(name), found)?;
        return read_dialect(&file, spec, found).map(Arc::new);
    }
    let known = spec.dialects.keys().map(String::as_str);
    found.push(document.error(node, format!("there is no dialect `{name}`")).suggest(name, known));
    None
}

/// The node of an entry of a map, as near as there is one.
fn at<'a>(document: &'a Document, map: &str, name: &str) -> &'a Node {
    let map = document.root.get(map);
    map.and_then(|map| map.entry(name)).map(|(key, _)| key).or(map).unwrap_or(&document.root)
}
