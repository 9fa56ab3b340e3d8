//! The program of a target file, and the mistakes in the keys that start it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;
use spec::Spec;
use spec::dialect::Dialect;
use spec::error::Diagnostics;
use spec::load::{Document, Node};
use spec::value::{Record, Value};

use crate::target::description::{FileLayout, PortLayout, ReadyLayout, TargetFile, at};
use crate::target::process::{host_and_port, is_free_port, placeholders};
use crate::target::{Companion, Directory, Line, Probe, Program, Ready, ServerOptions};

/// Placeholders that everybody has.
const ALWAYS: [&str; 4] = ["port", "host", "folder", "directory"];

/// Makes a program of a description. Mistakes are added to `found`.
pub(super) fn read(
    described: &TargetFile,
    folder: &Path,
    spec: &Spec,
    dialect: &Arc<Dialect>,
    document: &Document,
    found: &mut Diagnostics,
) -> Program {
    let mut reader = Reader { folder, spec, dialect, document, found };
    let ports = reader.ports(described);
    let listening = if ports.contains_key("client") { "127.0.0.1:{client}" } else { "127.0.0.1:{port}" };
    let companions = described.processes.iter().enumerate().map(|(index, process)| {
        let node = document.root.get("processes").and_then(Node::items).and_then(|items| items.get(index));
        let node = node.unwrap_or(&document.root);
        if process.command.is_empty() {
            let at = node.get("command").unwrap_or(node);
            reader.found.push(document.error(at, "a process has a `command`").help("`command: [program, argument]`"));
        }
        let ready = process.ready.as_ref();
        Companion {
            command: process.command.clone(),
            environment: process.environment.clone(),
            ready: ready.map_or(Ready::Started, |ready| reader.ready(ready, node.get("ready"), &ports)),
        }
    });
    let companions = companions.collect();
    let ready = described.ready.as_ref();
    let program = Program {
        build: described.build.clone(),
        folder: folder.to_path_buf(),
        directory: match described.directory.as_deref() {
            Some("fresh") => Directory::Fresh,
            Some(directory) => Directory::Folder(folder.join(directory)),
            None => Directory::Folder(folder.to_path_buf()),
        },
        environment: described.environment.clone(),
        address: described.address.clone().unwrap_or_else(|| listening.to_owned()),
        files: reader.files(described),
        state: described.state.clone(),
        companions,
        ready: ready.map_or(Ready::Port(None), |ready| reader.ready(ready, document.root.get("ready"), &ports)),
        ready_within: Duration::from_millis(described.ready_within_ms.unwrap_or(10_000)),
        restart: described.restart,
        options: described.options.clone(),
        defaults: defaults(spec),
        ports,
        ..Program::new(described.command.clone().unwrap_or_default())
    };
    reader.address(&program);
    reader.placeholders(&program, &document.root);
    reader.paths(described);
    program
}

/// A server that is told no port would listen anywhere.
pub(super) fn reachable(program: &Program, document: &Document, found: &mut Diagnostics) {
    let free: Vec<String> = host_and_port(&program.address).map(|(_, port)| placeholders(port)).unwrap_or_default();
    let Some(name) = free.first().filter(|name| program.ports.get(*name).copied().flatten().is_none()) else {
        return;
    };
    let mut named = program.texts().filter(|text| *text != program.address).flat_map(placeholders);
    if !named.any(|word| word == *name) {
        let node = document.root.get("command").unwrap_or(&document.root);
        let message = format!("nothing tells the server its port: `{{{name}}}` stands nowhere");
        let help = format!(
            "write `{{{name}}}` in the command, the environment or a file; for a port that cannot be chosen say `port: 7171`"
        );
        found.push(document.error(node, message).help(help));
    }
}

/// What options are where nobody asks for another value: the protocol's limits, in the units of the options.
fn defaults(spec: &Spec) -> ServerOptions {
    let options = spec.service.options.iter().map(|(name, option)| {
        let limit = spec.service.limit(&option.limit);
        let seconds = name.ends_with("_ms") && option.limit.ends_with("_s");
        (name.clone(), if seconds { limit * 1000 } else { limit })
    });
    options.collect()
}

struct Reader<'a> {
    folder: &'a Path,
    spec: &'a Spec,
    dialect: &'a Arc<Dialect>,
    document: &'a Document,
    found: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn ports(&mut self, described: &TargetFile) -> BTreeMap<String, Option<u16>> {
        let mut ports = BTreeMap::new();
        for (name, port) in &described.ports {
            let taken = ALWAYS[1..].contains(&name.as_str()) || self.spec.service.options.contains_key(name);
            let plain = placeholders(&format!("{{{name}}}")).len() == 1;
            if taken || !plain || name == "value" {
                let message = format!("a port cannot be called `{name}`");
                let help = if plain {
                    "this name stands for something else already"
                } else {
                    "small letters, digits and `_`, a letter first: `heartbeat`"
                };
                self.found.push(self.document.error(at(self.document, "ports", name), message).help(help));
            }
            ports.insert(name.clone(), if let PortLayout::Fixed(port) = port { Some(*port) } else { None });
        }
        if let Some(port) = described.port {
            let node = self.document.root.get("port").unwrap_or(&self.document.root);
            if port == 0 {
                self.found.push(
                    self.document
                        .error(node, "no server listens on port 0")
                        .help("a free port needs no key: write `{port}` in the command"),
                );
            }
            if ports.insert("port".into(), Some(port)).is_some() {
                let twice = self.document.error(node, "the port called `port` stands here twice");
                self.found.push(twice.other(&self.document.place(at(self.document, "ports", "port")), "and here"));
            }
        }
        let mut numbers = BTreeMap::new();
        for (name, number) in ports.iter().filter_map(|(name, number)| Some((name, (*number)?))) {
            if let Some(first) = numbers.insert(number, name.clone()) {
                let message = format!("`{first}` and `{name}` are both port {number}");
                self.found.push(self.document.error(at(self.document, "ports", name), message));
            }
        }
        ports
    }

    fn ready(&mut self, ready: &ReadyLayout, node: Option<&Node>, ports: &BTreeMap<String, Option<u16>>) -> Ready {
        let document = self.document;
        let node = node.unwrap_or(&document.root);
        let value = |key: &str| node.get(key).unwrap_or(node);
        match (&ready.line, &ready.matches, &ready.operation, &ready.port) {
            (Some(words), None, None, None) => Ready::Line(Line::With(words.clone())),
            (None, Some(expression), None, None) => match Regex::new(expression) {
                Ok(expression) => Ready::Line(Line::Fitting(expression)),
                Err(error) => {
                    let message = format!("this is no regular expression: {error}");
                    self.found.push(document.error(value("matches"), message));
                    Ready::Started
                }
            },
            (None, None, Some(operation), None) => self.operation(operation, value("operation")),
            (None, None, None, Some(port)) => {
                if !ports.contains_key(port) && !is_free_port(port) {
                    let known = ports.keys().map(String::as_str).chain(["port"]);
                    let message = format!("there is no port called `{port}`");
                    self.found.push(document.error(value("port"), message).suggest(port, known));
                }
                Ready::Port(Some(port.clone()))
            }
            _ => {
                let help = "`{line: WORDS}`, `{matches: EXPRESSION}`, `{operation: ping}` or `{port: NAME}`; without `ready`, it is up when its port accepts";
                self.found.push(document.error(node, "`ready` says exactly one thing").help(help));
                Ready::Started
            }
        }
    }

    fn operation(&mut self, operation: &str, node: &Node) -> Ready {
        let service = &self.spec.service;
        let operation = if operation == "fence" { self.dialect.fence.as_str() } else { operation };
        let Some(known) = service.operations.get(operation) else {
            let names = service.operations.keys().map(String::as_str).chain(["fence"]);
            let message = format!("service.yaml has no operation `{operation}`");
            self.found.push(self.document.error(node, message).suggest(operation, names));
            return Ready::Started;
        };
        let mut arguments = Record::new();
        for name in &known.arguments {
            let default = service.field(name).and_then(spec::service::Field::default_value);
            arguments.set(name, default.unwrap_or(Value::Int(42)));
        }
        let mut bytes = Vec::new();
        if let Err(error) = self.dialect.speak_request(operation, &arguments, 1, &mut bytes) {
            let message = format!("`{operation}` cannot be asked for without anything to say: {error}");
            self.found.push(self.document.error(node, message).help("`fence` always can"));
        }
        Ready::Operation(Probe { dialect: self.dialect.clone(), operation: operation.to_owned(), arguments })
    }

    fn files(&mut self, described: &TargetFile) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for (name, written) in &described.files {
            let text = match written {
                FileLayout::Text(text) => text.clone(),
                FileLayout::Template(template) => {
                    let path = self.folder.join(&template.template);
                    std::fs::read_to_string(&path).unwrap_or_else(|error| {
                        let map = self.document.root.get("files").and_then(|files| files.get(name));
                        let node = map.and_then(|map| map.get("template")).unwrap_or(&self.document.root);
                        let message = format!("cannot read the template {}: {error}", path.display());
                        self.found.push(
                            self.document.error(node, message).help("its path is taken from the folder of this file"),
                        );
                        String::new()
                    })
                }
            };
            files.insert(name.clone(), text);
        }
        files
    }

    fn address(&mut self, program: &Program) {
        let port = host_and_port(&program.address).map(|(_, port)| port);
        let good = port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0) || port.starts_with('{'));
        if let (false, Some(node)) = (good, self.document.root.get("address")) {
            let message = "an address is a host and a port";
            self.found.push(
                self.document.error(node, message).help("`127.0.0.1:{port}`, `localhost:7171`, `\"[::1]:{port}\"`"),
            );
        }
    }

    /// Shows placeholders that stand for nothing: usually a slip of the pen, and the server would get it as it is.
    fn placeholders(&mut self, program: &Program, root: &Node) {
        let mut known: BTreeSet<&str> = ALWAYS.into_iter().chain(program.ports.keys().map(String::as_str)).collect();
        known.extend(self.spec.service.options.keys().map(String::as_str));
        for key in ["command", "environment", "files", "state", "processes", "options", "address"] {
            let Some(node) = root.get(key) else { continue };
            for (node, text) in texts(node) {
                let unknown = placeholders(text).into_iter().find(|name| {
                    let value = key == "options" && name == "value";
                    !(known.contains(name.as_str()) || is_free_port(name) || value)
                });
                if let Some(name) = unknown {
                    self.unknown(node, &name, &known);
                }
            }
        }
        // A template's text is not in this file; its mistakes are shown where it is named.
        let in_templates = program.files.iter().filter_map(|(file, text)| {
            let node = root.get("files")?.get(file)?.get("template")?;
            let name =
                placeholders(text).into_iter().find(|name| !known.contains(name.as_str()) && !is_free_port(name))?;
            Some((node, name))
        });
        for (node, name) in in_templates.collect::<Vec<_>>() {
            self.unknown(node, &name, &known);
        }
    }

    fn unknown(&mut self, node: &Node, name: &str, known: &BTreeSet<&str>) {
        let nearest = spec::error::suggestion(name, known.iter().copied()).unwrap_or_default();
        let help =
            format!("{nearest}; `{{{{{name}}}}}` for braces that mean themselves; a port of that name under `ports`");
        self.found.push(self.document.error(node, format!("`{{{name}}}` stands for nothing")).help(help));
    }

    /// Files of state that would take the user's own things with them.
    fn paths(&mut self, described: &TargetFile) {
        let items = self.document.root.get("state").and_then(Node::items).unwrap_or_default();
        for (path, node) in described.state.iter().zip(items) {
            let parts = PathBuf::from(path);
            let whole = parts.components().all(|part| !matches!(part, std::path::Component::Normal(_)));
            if whole || parts.components().any(|part| part == std::path::Component::ParentDir) {
                let message = format!("`{path}` would be removed before each start, with all that is in it");
                let help =
                    "name the files and folders of state one by one, inside the target's directory or from the root on";
                self.found.push(self.document.error(node, message).help(help));
            }
        }
        for name in described.files.keys().filter(|name| name.is_empty() || name.ends_with('/')) {
            let message = format!("`{name}` is no name of a file");
            self.found.push(self.document.error(at(self.document, "files", name), message));
        }
    }
}

/// All texts in a node, keys of maps included.
fn texts(node: &Node) -> Vec<(&Node, &str)> {
    if let Some(text) = node.text() {
        return vec![(node, text)];
    }
    let items = node.items().unwrap_or_default().iter();
    let entries = node.entries().unwrap_or_default().iter().flat_map(|(key, value)| [key, value]);
    items.chain(entries).flat_map(texts).collect()
}
