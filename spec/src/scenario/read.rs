//! YAML into a scenario, step by step, so that one mistake does not hide the next.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Diagnostic, Diagnostics, Place};
use crate::load::{Document, Node};
use crate::requirement::{check_needs, check_when};
use crate::scenario::expect::{Context, Expect, all};
use crate::scenario::given::Given;
use crate::scenario::{Fault, Frame, Presence, SERVER, Scenario, Step, Verb};
use crate::service::Service;

pub(crate) const KEYS: &[&str] =
    &["scenario", "checks", "why", "needs", "when", "dialects", "server", "group", "actors", "steps"];
pub(crate) const STEP_KEYS: &[&str] =
    &["with", "gets", "shows", "keep", "times", "frame", "frames", "hex", "how", "then"];
pub(crate) const VERBS: &[&str] =
    &["connects", "returns", "collects", "disconnects", "half_closes", "resets", "listens", "writes", "waits"];

/// Reads one document; mistakes are added to `found`.
pub(super) fn scenario(
    document: &Document,
    chapter: &str,
    service: &Service,
    found: &mut Diagnostics,
) -> Option<Scenario> {
    let before = found.0.len();
    let root = &document.root;
    document.only(root, KEYS, found);
    let name = document.word(root, "scenario", found)?;
    let why = document.word(root, "why", found)?;
    let mut reader = Reader { document, service, found, kept: BTreeSet::new(), actors: BTreeSet::new() };
    let checks: Vec<String> = reader.optional(root, "checks").unwrap_or_default();
    let listed: Vec<String> = reader.optional(root, "needs").unwrap_or_default();
    check_needs(document, root, &listed, service, reader.found);
    let when = reader.optional(root, "when").unwrap_or_default();
    check_when(document, root, &when, service, reader.found);
    let server: BTreeMap<String, u64> = reader.optional(root, "server").unwrap_or_default();
    let dialects = reader.optional(root, "dialects").unwrap_or_default();
    let transport = reader.group(root);
    reader.options(root, &server);
    let given = reader.presence(root);
    reader.collect_actors(root.get("steps"), &given);
    let steps = reader.steps(root.get("steps"));
    if root.get("steps").and_then(Node::items).is_none_or(<[Node]>::is_empty) {
        reader.found.push(document.error(root, "a scenario without steps shows nothing"));
    }
    let actors: BTreeMap<String, Presence> =
        reader.actors.iter().map(|name| (name.clone(), given.get(name).copied().unwrap_or(Presence::Online))).collect();
    let needs = needs(&listed, &actors, &steps);
    if found.0.len() > before {
        return None;
    }
    let place = document.place(root.get("scenario").unwrap_or(root));
    let chapter = chapter.to_owned();
    let mut places = BTreeMap::new();
    named(document, root, &mut places);
    let named = places;
    Some(Scenario { name, chapter, checks, why, needs, when, dialects, server, transport, actors, steps, place, named })
}

/// Where requirements and dialects are named, in the order in which they are read.
fn named(document: &Document, root: &Node, places: &mut BTreeMap<String, Place>) {
    let lists = ["checks", "dialects", "shows"].into_iter().filter_map(|key| root.get(key)?.items());
    for item in lists.flatten() {
        places.entry(item.text().unwrap_or_default().to_owned()).or_insert_with(|| document.place(item));
    }
    let steps = ["steps", "together"].into_iter().filter_map(|key| root.get(key)?.items());
    steps.flatten().for_each(|step| named(document, step, places));
}

/// What is named, and what is used: operations are capabilities, too.
fn needs(listed: &[String], actors: &BTreeMap<String, Presence>, steps: &[Step]) -> BTreeSet<String> {
    let mut needs: BTreeSet<String> = listed.iter().cloned().collect();
    let mut add = |name: &str| needs.insert(name.to_owned());
    if actors.values().any(|presence| *presence != Presence::Stranger) {
        add("create_account");
    }
    if actors.values().any(|presence| *presence == Presence::Online) {
        add("log_in");
    }
    let inner = steps.iter().flat_map(|step| match &step.verb {
        Verb::Together(inner) => inner.iter().collect::<Vec<_>>(),
        _ => vec![step],
    });
    for step in inner {
        match &step.verb {
            Verb::Operation { name, .. } => drop(add(name)),
            Verb::Returns => drop(add("log_in")),
            Verb::Writes { frames, .. } => frames.iter().for_each(|frame| {
                if let Frame::Operation { name, .. } | Frame::Damaged { name, .. } = frame {
                    add(name);
                }
            }),
            _ => {}
        }
    }
    needs
}

pub(super) struct Reader<'a> {
    pub(super) document: &'a Document,
    pub(super) service: &'a Service,
    found: &'a mut Diagnostics,
    /// Names of values that earlier steps keep.
    pub(super) kept: BTreeSet<String>,
    /// Names of those who act.
    pub(super) actors: BTreeSet<String>,
}

impl Reader<'_> {
    fn optional<T: serde::de::DeserializeOwned>(&mut self, node: &Node, key: &str) -> Option<T> {
        let node = node.get(key)?;
        self.found.keep(self.document.typed(node))
    }

    fn group(&mut self, root: &Node) -> bool {
        let Some(node) = root.get("group") else { return false };
        if node.text() != Some("transport") {
            self.found.push(self.document.error(node, "the only group is `transport`"));
        }
        true
    }

    fn options(&mut self, root: &Node, server: &BTreeMap<String, u64>) {
        for name in server.keys().filter(|name| !self.service.options.contains_key(*name)) {
            let node = root.get("server").and_then(|server| server.entry(name)).map_or(root, |(key, _)| key);
            let known = self.service.options.keys().map(String::as_str);
            let message = format!("service.yaml has no option `{name}`");
            self.found.push(self.document.error(node, message).suggest(name, known));
        }
    }

    fn presence(&mut self, root: &Node) -> BTreeMap<String, Presence> {
        let mut given = BTreeMap::new();
        for (key, value) in root.get("actors").and_then(Node::entries).unwrap_or_default() {
            let presence = match value.text().unwrap_or_default() {
                "online" => Presence::Online,
                "offline" => Presence::Offline,
                "stranger" => Presence::Stranger,
                other => {
                    let diagnostic = self.document.error(value, format!("`{other}` is no way to begin"));
                    self.found.push(diagnostic.suggest(other, ["online", "offline", "stranger"]));
                    continue;
                }
            };
            given.insert(key.text().unwrap_or_default().to_owned(), presence);
        }
        given
    }

    /// Whoever is listed or begins a step is an actor; names must be known before values are read.
    fn collect_actors(&mut self, steps: Option<&Node>, given: &BTreeMap<String, Presence>) {
        self.actors.extend(given.keys().cloned());
        for step in steps.and_then(Node::items).unwrap_or_default() {
            if let Some(inner) = step.get("together") {
                self.collect_actors(Some(inner), &BTreeMap::new());
            } else if let Some((key, _)) = actor_entry(step) {
                self.actors.extend(key.text().filter(|name| *name != SERVER).map(str::to_owned));
            }
        }
    }

    fn steps(&mut self, node: Option<&Node>) -> Vec<Step> {
        let mut steps = Vec::new();
        for node in node.and_then(Node::items).unwrap_or_default() {
            match self.step(node) {
                Ok(step) => {
                    let logs_in = |before: &Step| {
                        let asks = matches!(&before.verb, Verb::Operation { name, .. } if name == "log_in");
                        before.actor == step.actor && (asks || matches!(before.verb, Verb::Returns))
                    };
                    if matches!(step.verb, Verb::Collects) && !steps.last().is_some_and(logs_in) {
                        let message = "who collects has logged in in the step before";
                        self.found.push(self.document.error(node, message).help(
                            "what waits comes with or behind a log in on some wires; `deliver_messages` asks at any time",
                        ));
                    }
                    self.kept.extend(step.keep.iter().map(|(name, _)| name.clone()));
                    steps.push(step);
                }
                Err(diagnostic) => self.found.push(diagnostic),
            }
        }
        steps
    }

    fn step(&mut self, node: &Node) -> Result<Step, Diagnostic> {
        let document = self.document;
        let mut step = Step {
            actor: String::new(),
            verb: Verb::Listens,
            gets: None,
            gets_text: node.get("gets").map(|gets| document.place(gets).text().to_owned()).unwrap_or_default(),
            shows: self.optional(node, "shows").unwrap_or_default(),
            keep: Vec::new(),
            times: self.optional(node, "times").unwrap_or(1),
            frame: self.optional(node, "frame").unwrap_or_default(),
            place: document.place(node),
        };
        if let Some(inner) = node.get("together") {
            self.only(node, &["together", "gets", "shows"])?;
            step.verb = Verb::Together(self.steps(Some(inner)));
            let context = Context { service: self.service, operations: Vec::new() };
            step.gets = self.expectation(node, &context)?;
            return Ok(step);
        }
        let Some((key, value)) = actor_entry(node) else {
            return Err(document.error(node, "a step begins with an actor").help("such as `- alice: log_out`"));
        };
        key.text().unwrap_or_default().clone_into(&mut step.actor);
        let actor = key.text().unwrap_or_default();
        self.only(node, &[STEP_KEYS, &[actor]].concat())?;
        let verb = value.text().unwrap_or_default();
        step.verb = self.verb(node, actor, value, verb)?;
        let mut operations: Vec<&str> = Vec::new();
        match &step.verb {
            Verb::Operation { name, .. } => operations.push(name),
            Verb::Collects => operations.push("deliver_messages"),
            _ => {}
        }
        let context = Context { service: self.service, operations };
        step.gets = self.expectation(node, &context)?;
        for (key, value) in node.get("keep").and_then(Node::entries).unwrap_or_default() {
            let (name, path) = (key.text().unwrap_or_default(), value.text().unwrap_or_default());
            if self.actors.contains(name) || matches!(name, "prefix" | "n") {
                return Err(document.error(key, format!("`{name}` means something else already")));
            }
            step.keep.push((name.to_owned(), path.to_owned()));
        }
        Ok(step)
    }

    fn verb(&mut self, step: &Node, actor: &str, node: &Node, verb: &str) -> Result<Verb, Diagnostic> {
        Ok(match verb {
            "connects" => Verb::Connects,
            "returns" => Verb::Returns,
            "collects" => Verb::Collects,
            "disconnects" => Verb::Disconnects,
            "half_closes" => Verb::HalfCloses,
            "resets" => Verb::Resets,
            "listens" => {
                if step.get("gets").is_none() {
                    return Err(self.document.error(step, "who listens gets something, or `nothing`"));
                }
                Verb::Listens
            }
            "writes" => self.writes(step)?,
            "waits" => {
                let ms = step.get("with").and_then(|with| with.get("ms"));
                let ms = ms.ok_or_else(|| self.document.error(step, "`waits` needs `with: {ms: …}`"))?;
                Verb::Waits { ms: self.document.typed(ms)? }
            }
            _ if let Some((_, fault)) = Fault::VERBS.iter().find(|(name, _)| *name == verb) => {
                if fault.is_of_the_server() != (actor == SERVER) {
                    let message =
                        format!("`{verb}` is for {}", if actor == SERVER { "an actor's link" } else { "`server:`" });
                    return Err(self.document.error(node, message));
                }
                Verb::Fault(*fault)
            }
            _ if actor == SERVER => {
                let known = Fault::VERBS.iter().filter(|(_, fault)| fault.is_of_the_server()).map(|(name, _)| *name);
                return Err(self
                    .document
                    .error(node, format!("a server cannot `{verb}` in a play"))
                    .suggest(verb, known));
            }
            _ if self.service.operations.contains_key(verb) => {
                Verb::Operation { name: verb.to_owned(), with: self.arguments(verb, step.get("with"))? }
            }
            _ => {
                let faults = Fault::VERBS.iter().map(|(name, _)| *name);
                let known =
                    VERBS.iter().copied().chain(faults).chain(self.service.operations.keys().map(String::as_str));
                return Err(self.document.error(node, format!("nobody can `{verb}`")).suggest(verb, known));
            }
        })
    }

    pub(super) fn arguments(&self, operation: &str, with: Option<&Node>) -> Result<Vec<(String, Given)>, Diagnostic> {
        let Some(with) = with else { return Ok(Vec::new()) };
        let entries = with.entries().ok_or_else(|| self.document.error(with, "`with` is a map of arguments"))?;
        let known = &self.service.operations[operation].arguments;
        all(entries, |(key, value)| {
            let name = key.text().unwrap_or_default();
            if !known.iter().any(|argument| argument == name) {
                let message = format!("`{operation}` has no argument `{name}`");
                return Err(self.document.error(key, message).suggest(name, known.iter().map(String::as_str)));
            }
            let given = Given::read(self.document, value)?;
            given.refuse_other_kind(self.document, value, name, self.service)?;
            self.known_holes(value, &given)?;
            self.known_actor(value, name, &given)?;
            Ok((name.to_owned(), given))
        })
    }

    fn expectation(&self, step: &Node, context: &Context<'_>) -> Result<Option<Expect>, Diagnostic> {
        let Some(node) = step.get("gets") else { return Ok(None) };
        let expect = Expect::read(self.document, node, context)?;
        self.known_holes_in(node, &expect)?;
        Ok(Some(expect))
    }

    fn only(&self, node: &Node, known: &[&str]) -> Result<(), Diagnostic> {
        for (key, _) in node.entries().unwrap_or_default() {
            let text = key.text().unwrap_or_default();
            if !known.contains(&text) {
                let known = known.iter().copied();
                return Err(self.document.error(key, format!("unknown key `{text}`")).suggest(text, known));
            }
        }
        Ok(())
    }
}

/// The entry of a step that names its actor: the first whose key is none of the step's own words.
fn actor_entry(step: &Node) -> Option<&(Node, Node)> {
    step.entries()?.iter().find(|(key, _)| !STEP_KEYS.contains(&key.text().unwrap_or_default()))
}
