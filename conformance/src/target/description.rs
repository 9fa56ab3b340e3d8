//! The YAML of a target: how it is started and reached, which dialect it speaks, and what it claims.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use spec::Spec;
use spec::error::{Diagnostic, Diagnostics, Place};
use spec::load::{Document, Node};
use spec::source::File;

use crate::target::{Program, Ready, Remote, Starter, Target};

/// The layout of a target file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetFile {
    /// What reports call it.
    pub target: String,
    /// The dialect it speaks: a name, or the path of a dialect file.
    #[serde(default = "framed")]
    pub dialect: String,
    /// Where it runs already, as `host:port`.
    pub address: Option<String>,
    /// How it is started: the program and its arguments. `{port}` is replaced by a free port.
    pub command: Option<Vec<String>>,
    /// Its port, if that cannot be chosen.
    pub port: Option<u16>,
    /// Where it is started; taken from the folder of this file.
    pub directory: Option<PathBuf>,
    /// Variables added to its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// A line that it prints when it is up. Without it, it is up when its port accepts.
    pub ready_line: Option<String>,
    /// How long it may take until it is up. Milliseconds.
    pub ready_within_ms: Option<u64>,
    /// Files and folders removed before each start.
    #[serde(default)]
    pub state: Vec<PathBuf>,
    /// Arguments that set an option of `service.yaml`, with `{value}` in them.
    #[serde(default)]
    pub options: BTreeMap<String, Vec<String>>,
    /// Capabilities that it does not have.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// Its choices, where they differ from its dialect's.
    #[serde(default)]
    pub policies: BTreeMap<String, String>,
    /// How many accounts one instance bears.
    pub accounts: Option<u64>,
    /// How many cases may run side by side.
    pub jobs: Option<usize>,
    /// A file of known failures; taken from the folder of this file.
    pub known_failures: Option<PathBuf>,
}

fn framed() -> String {
    "framed".into()
}

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
    check_names(&described, spec, document, found);
    let starter: Arc<dyn Starter> = match (&described.address, &described.command) {
        (Some(address), None) => Arc::new(Remote { address: address.clone() }),
        (None, Some(command)) if !command.is_empty() => Arc::new(program(&described, command, &folder)),
        _ => {
            found.push(
                document
                    .error(root, "a target has either an `address` or a `command`")
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

fn program(described: &TargetFile, command: &[String], folder: &Path) -> Program {
    let directory = match &described.directory {
        Some(directory) => folder.join(directory),
        None => folder.to_path_buf(),
    };
    Program {
        // An empty path is the present folder, which needs no changing to.
        directory: (directory != Path::new("")).then_some(directory),
        environment: described.environment.clone(),
        port: described.port,
        ready: described.ready_line.clone().map_or(Ready::Port, Ready::Line),
        ready_within: Duration::from_millis(described.ready_within_ms.unwrap_or(10_000)),
        state: described.state.clone(),
        options: described.options.clone(),
        ..Program::new(command.to_vec())
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
        return spec::read_dialect(&file, &spec.service, found).map(Arc::new);
    }
    let known = spec.dialects.keys().map(String::as_str);
    found.push(document.error(node, format!("there is no dialect `{name}`")).suggest(name, known));
    None
}

fn check_names(described: &TargetFile, spec: &Spec, document: &Document, found: &mut Diagnostics) {
    let service = &spec.service;
    let key = |map: &str, name: &str| -> &Node {
        let map = document.root.get(map);
        map.and_then(|map| map.entry(name)).map(|(key, _)| key).or(map).unwrap_or(&document.root)
    };
    for name in described.lacks.iter().filter(|name| !service.is_capability(name)) {
        let items = document.root.get("lacks").and_then(Node::items).unwrap_or_default();
        let node = items.iter().find(|item| item.text() == Some(name)).unwrap_or(&document.root);
        let known = service.capabilities.keys().chain(service.operations.keys()).map(String::as_str);
        found.push(document.error(node, format!("service.yaml has no capability `{name}`")).suggest(name, known));
    }
    for name in described.options.keys().filter(|name| !service.options.contains_key(*name)) {
        let known = service.options.keys().map(String::as_str);
        let message = format!("service.yaml has no option `{name}`");
        found.push(document.error(key("options", name), message).suggest(name, known));
    }
    for (name, choice) in &described.policies {
        match service.policies.get(name) {
            None => {
                let known = service.policies.keys().map(String::as_str);
                let message = format!("service.yaml has no policy `{name}`");
                found.push(document.error(key("policies", name), message).suggest(name, known));
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
