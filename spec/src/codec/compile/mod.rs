//! A dialect file into plans, with every mistake at its line.
//!
//! Here is the file as a whole. `shape` makes parts of rows and templates, with `fields`, `lists` and `maps` for what
//! stands in them; `measure` and `ends` find where each part ends; `frame` is what messages share, `message` and
//! `narrow` narrow it, `operation` makes dialogues and tables. Not here: the grammar of a field's type
//! (`field`), and whether the finished tables can be told apart (`rehearse`).

mod ends;
mod fields;
mod frame;
mod lists;
mod maps;
mod measure;
mod message;
mod narrow;
mod operation;
mod shape;

use std::collections::BTreeMap;

use crate::codec::calls::calls;
use crate::codec::filter::Filter;
use crate::codec::plan::{OperationPlan, Step};
use crate::dialect::{Dialect, Grpc, Limit};
use crate::error::{Diagnostic, Diagnostics};
use crate::load::{Document, Node};
use crate::service::Service;

pub(crate) use shape::split_hole;

/// The keys of a dialect file, in the order in which a reader wants them.
pub(crate) const KEYS: &[&str] = &[
    "dialect",
    "about",
    "proto",
    "service",
    "frame",
    "filters",
    "shapes",
    "refuse",
    "connect",
    "listen",
    "hear",
    "operations",
    "fence",
    "pause_ms",
    "policies",
    "limits",
    "lacks",
];

/// Compiles a dialect. Mistakes are added to `found`; a dialect comes back only if there is none.
pub(crate) fn compile(document: &Document, service: &Service, found: &mut Diagnostics) -> Option<Dialect> {
    let mut compiler =
        Compiler { document, service, found: Diagnostics::default(), refused: 0, filters: BTreeMap::new() };
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
    filters: BTreeMap<String, Filter>,
}

impl<'a> Compiler<'a> {
    fn dialect(&mut self) -> Option<Dialect> {
        let root = &self.document.root;
        self.document.only(root, KEYS, &mut self.found);
        let name = self.document.word(root, "dialect", &mut self.found)?;
        let about = self.document.word(root, "about", &mut self.found)?;
        self.filters();
        let (mut say, hear) = self.frames()?;
        self.refusals(&mut say);
        let connect = self.occasion("connect", &say, &hear);
        let listen = self.occasion("listen", &say, &hear);
        let anytime = self.table(root.get("hear"), &hear, None, "hear");
        let operations = self.operations(&say, &hear);
        let ((whole_say, say_is_open), (whole_hear, hear_is_open)) = (Self::whole(&say), Self::whole(&hear));
        let mut dialect = Dialect {
            name,
            about,
            whole_say,
            whole_hear,
            whole_is_open: (say_is_open, hear_is_open),
            say,
            hear,
            connect,
            listen,
            anytime,
            fence: self.fence(&operations),
            operations,
            pause_ms: root.get("pause_ms").and_then(|node| self.document.typed::<u64>(node).ok()),
            policies: self.policies(),
            limits: self.limits(),
            lacks: self.lacks(),
            grpc: self.grpc(),
            errors: self.service.errors.iter().map(|(name, error)| (name.clone(), error.clone())).collect(),
            service: std::sync::Arc::new(self.service.clone()),
            code: None,
            index: None,
            open_answers: false,
            open_requests: false,
        };
        dialect.settle();
        let calls = calls(&dialect, self.document);
        dialect.grpc.iter_mut().for_each(|grpc| grpc.calls.clone_from(&calls));
        // Where logging out ends the connection, or cannot be said, nothing else needs to say so.
        let says_how = root.get("policies").is_some_and(|policies| policies.get("log_out_by").is_some());
        if !says_how && (dialect.ends_by("log_out") || !dialect.has_operation("log_out")) {
            dialect.policies.insert("log_out_by".into(), "disconnect".into());
        }
        let by_shape = dialect.lacks_by_shape().into_iter().filter(|name| !dialect.lacks.contains(name));
        dialect.lacks.extend(by_shape.collect::<Vec<_>>());
        Some(dialect)
    }

    /// Tables of one's own: what a value is written as.
    fn filters(&mut self) {
        for (key, value) in self.document.root.get("filters").and_then(Node::entries).unwrap_or_default() {
            let rows = value.entries().unwrap_or_default().iter();
            let rows = rows.map(|(from, to)| (text(from), text(to))).collect::<Vec<_>>();
            if rows.is_empty() {
                self.refuse(value, "a filter is a map from texts of the value to what is written for them", |d| {
                    d.help("such as {\"/\": \"//\", \";\": \"/;\"}")
                });
            }
            self.filters.insert(text(key), Filter::Table(rows));
        }
    }

    fn grpc(&mut self) -> Option<Grpc> {
        let root = &self.document.root;
        let is_grpc = root.get("frame").and_then(Node::text) == Some("grpc");
        let word = |key: &str| root.get(key).and_then(Node::text).map(str::to_owned);
        let service = word("service");
        match (is_grpc, service) {
            (true, Some(service)) => {
                let proto = word("proto").map(|proto| beside(&self.document.file.path, &proto));
                let place = |key| root.get(key).map(|node| self.document.place(node));
                Some(Grpc { proto, service, calls: Vec::new(), places: (place("proto"), place("service")) })
            }
            (true, None) => {
                self.refuse(root, "a gRPC dialect names its `service`", |d| d.help("such as `service: chat.Chat`"));
                None
            }
            (false, _) => None,
        }
    }

    fn fence(&mut self, operations: &[OperationPlan]) -> String {
        let Some(node) = self.need(&self.document.root, "fence") else { return String::new() };
        let name = node.text().unwrap_or_default();
        if self.document.root.get("operations").and_then(|operations| operations.get(name)).is_none() {
            let operations = self.document.root.get("operations").and_then(Node::entries).unwrap_or_default();
            let known: Vec<&str> = operations.iter().filter_map(|(key, _)| key.text()).collect();
            self.refuse(node, format!("this dialect has no operation `{name}` to serve as fence"), |d| {
                d.suggest(name, known)
            });
        }
        // What its steps are is known where they have no mistakes.
        let plan = operations.iter().find(|plan| plan.name == name && self.found.is_empty());
        let Some(plan) = plan else { return name.to_owned() };
        let is_silent = |step: &Step| step.silence.is_some() || step.hear.is_empty();
        let why = match plan.steps.iter().any(is_silent) {
            true => "may be answered by nothing",
            false if plan.steps.is_empty() => "ends the connection",
            false => return name.to_owned(),
        };
        self.refuse(node, format!("`{name}` {why}, so it proves nothing"), |d| {
            d.help("the fence is an operation that is always answered, such as `ping` or `list_accounts`")
        });
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

    /// What values may be, so that none is made up which the servers of this wire refuse, or the wire cannot carry.
    fn limits(&mut self) -> BTreeMap<String, Limit> {
        let service = self.service;
        let mut limits = BTreeMap::new();
        for (key, value) in self.document.root.get("limits").and_then(Node::entries).unwrap_or_default() {
            let (name, pattern) = (text(key), text(value));
            if service.field(&name).is_none() {
                let known = service.fields.keys().map(String::as_str);
                self.refuse(key, format!("service.yaml has no field `{name}`"), |d| d.suggest(&name, known));
                continue;
            }
            match Limit::new(&pattern) {
                Ok(limit) => drop(limits.insert(name, limit)),
                Err(why) => {
                    let why = why.to_string();
                    let last = why.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
                    self.refuse(value, format!("this is no regular expression: {last}"), |d| d);
                }
            }
        }
        limits
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

/// A path that is written in a file, from where the file is.
fn beside(file: &str, written: &str) -> String {
    let mut folders: Vec<&str> = file.split('/').collect();
    folders.pop();
    for part in written.split('/') {
        match part {
            "." => {}
            ".." if folders.last().is_some_and(|last| *last != "..") => drop(folders.pop()),
            part => folders.push(part),
        }
    }
    folders.join("/")
}

fn text(node: &Node) -> String {
    node.text().unwrap_or_default().to_owned()
}
