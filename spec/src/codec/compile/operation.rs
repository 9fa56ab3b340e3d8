//! Operations as dialogues, and what may be heard in them: tables of meanings.

use std::collections::BTreeSet;

use crate::codec::compile::Compiler;
use crate::codec::plan::{
    Entry, Frame, Label, Meaning, Message, Name, Number, OperationPlan, Part, Rule, Step, TextRule,
};
use crate::load::Node;
use crate::service::Service;

/// The keys of a step.
const STEP: &[&str] = &["say", "hear", "silence", "close", "unknown", "each"];

impl<'a> Compiler<'a> {
    pub(super) fn operations(&mut self, say: &Frame, hear: &Frame) -> Vec<OperationPlan> {
        let Some(node) = self.need(&self.document.root, "operations") else { return Vec::new() };
        let mut operations = Vec::new();
        for (key, value) in node.entries().unwrap_or_default() {
            let name = key.text().unwrap_or_default();
            if !self.service.operations.contains_key(name) {
                let known: Vec<&str> = self.service.operations.keys().map(String::as_str).collect();
                self.refuse(key, format!("service.yaml has no operation `{name}`"), |d| d.suggest(name, known));
                continue;
            }
            let before = self.refused;
            let path = format!("operations.{name}");
            let steps = match value.text() {
                Some("disconnect") => Vec::new(),
                Some(_) => {
                    self.refuse(value, "an operation is a dialogue, or `disconnect`", |d| {
                        d.help("such as {say: {code: 3}, hear: {ok: {code: 4}}}")
                    });
                    continue;
                }
                None => self.steps(value, say, hear, Some(name), &path),
            };
            let plan = OperationPlan { name: name.to_owned(), steps, known: true };
            if self.refused == before && !plan.steps.is_empty() {
                self.check_fields(key, &plan);
            }
            operations.push(plan);
        }
        operations
    }

    /// `connect` and `listen`: dialogues that belong to no operation.
    pub(super) fn occasion(&mut self, name: &str, say: &Frame, hear: &Frame) -> Option<OperationPlan> {
        let node = self.document.root.get(name)?;
        let steps = self.steps(node, say, hear, None, name);
        Some(OperationPlan { name: name.to_owned(), steps, known: false })
    }

    fn steps(&mut self, node: &'a Node, say: &Frame, hear: &Frame, operation: Option<&str>, path: &str) -> Vec<Step> {
        match node.items() {
            Some(items) => {
                let count = items.len();
                let step = |(at, item)| {
                    let path = if count == 1 { path.to_owned() } else { format!("{path}.{at}") };
                    self.step(item, say, hear, operation, &path, at + 1 < count)
                };
                items.iter().enumerate().map(step).collect()
            }
            None => vec![self.step(node, say, hear, operation, path, false)],
        }
    }

    fn step(
        &mut self,
        node: &'a Node,
        say: &Frame,
        hear: &Frame,
        operation: Option<&str>,
        path: &str,
        goes_on: bool,
    ) -> Step {
        self.document.only(node, STEP, &mut self.found);
        let mut step = Step::default();
        if operation.is_some() && node.get("say").is_none() && node.get("hear").is_none() {
            self.need(node, "say");
        }
        if let Some(said) = node.get("say") {
            for said in self.alternatives(said, say) {
                step.say.extend(self.message(said, say, None));
            }
            // What says more is heard first: it may begin with what says less.
            step.say.sort_by_key(|message| std::cmp::Reverse(message.shape.labels.len()));
        }
        step.hear = self.table(node.get("hear"), hear, Some((operation, say)), &format!("{path}.hear"));
        for (key, place) in [("silence", &mut step.silence), ("close", &mut step.close), ("unknown", &mut step.unknown)]
        {
            if let Some(value) = node.get(key) {
                let word = value.text().unwrap_or_default();
                *place = self.meaning(value, word, operation, true);
            }
        }
        if let Some(each) = node.get("each") {
            match each.text().unwrap_or_default().split_once(" in ") {
                Some((one, many)) => step.each = Some((one.trim().to_owned(), many.trim().to_owned())),
                None => self.refuse(each, "after `each` comes `NAME in LIST`", |d| {
                    d.help("such as `each: friend in usernames`")
                }),
            }
        }
        let leads_on = step.hear.iter().any(|entry| entry.leads_on(self.service))
            || [&step.silence, &step.close].contains(&&Some(Meaning::Next));
        if goes_on && !leads_on {
            self.refuse(node, "nobody reaches the step behind this one", |d| d.help("its table needs an entry `next`"));
        }
        step
    }

    /// Every argument that is needed must be said, and the results that matter heard.
    fn check_fields(&mut self, key: &Node, plan: &OperationPlan) {
        let name = plan.name.as_str();
        let (service, root) = (self.service, &self.document.root);
        let spec = &service.operations[name];
        let lacks = |capability: &str| {
            root.get("lacks")
                .and_then(Node::items)
                .unwrap_or_default()
                .iter()
                .any(|node| node.text() == Some(capability))
        };
        let says = |field: &str| {
            let of = |label: &Label| match &label.name {
                Name::Own => label.text == field,
                Name::My(of) => of == field,
                Name::Of(_, whom) => whom == field,
                Name::Me => field == "username",
                Name::Nothing => false,
            };
            plan.steps.iter().flat_map(|step| &step.say).any(|message| message.shape.labels.iter().any(of))
        };
        for argument in &spec.arguments {
            let field = service.field(argument);
            let is_needless = field.is_some_and(|field| field.optional || field.default_value().is_some());
            let is_password = argument == "password" && (lacks("passwords") || name == "delete_account");
            if !says(argument) && !is_needless && !is_password {
                self.refuse(key, format!("the argument `{argument}` of `{name}` is never said"), |d| d);
            }
        }
        let succeeds = |meaning: &Meaning| matches!(meaning, Meaning::Ok | Meaning::Outcome(_));
        let ends = plan.steps.iter().flat_map(|step| [&step.silence, &step.close]).flatten();
        let last = plan.steps.last();
        let next = last.is_some_and(|step| step.hear.iter().any(|entry| entry.leads_on(service)));
        let ok: Vec<&Entry> = plan
            .steps
            .iter()
            .flat_map(|step| &step.hear)
            .filter(|e| succeeds(&e.meaning) || matches!(e.meaning, Meaning::More | Meaning::Next))
            .collect();
        if !ok.iter().any(|entry| succeeds(&entry.meaning)) && !ends.into_iter().any(succeeds) && !next {
            self.refuse(key, format!("`{name}` has no way to succeed"), |d| d.help("its table needs an entry `ok`"));
            return;
        }
        let fills = |entry: &&Entry, result: &str| {
            let row = service.field(result).and_then(|field| field.of.as_deref()).and_then(|of| service.rows.get(of));
            let labels = &entry.message.shape.labels;
            let carries = |field: &str| {
                labels.iter().any(|label| label.text == field || label.name == Name::Of("id".into(), field.into()))
            };
            match &entry.meaning {
                Meaning::Outcome(outcome) if spec.outcomes[outcome].contains_key(result) => true,
                Meaning::More => {
                    let of = service.field(result).and_then(|field| field.of.as_deref());
                    row.is_some_and(|row| row.iter().any(|field| carries(field)))
                        || of.is_some_and(carries)
                        || carries(result)
                }
                _ => carries(result),
            }
        };
        let is_list = |result: &&String| service.field(result).is_some_and(|field| field.of.is_some());
        let streams =
            root.get("policies").and_then(|policies| policies.get("delivery")).and_then(Node::text) == Some("stream");
        for result in spec.result.iter().filter(is_list).filter(|result| *result != "capabilities" && !streams) {
            if !ok.iter().any(|entry| fills(entry, result)) {
                self.refuse(key, format!("nothing fills the result `{result}` of `{name}`"), |d| d);
            }
        }
    }

    /// A table of what may be heard: in an operation's step, or at any time.
    pub(super) fn table(
        &mut self,
        node: Option<&'a Node>,
        frame: &Frame,
        place: Option<(Option<&str>, &Frame)>,
        path: &str,
    ) -> Vec<Entry> {
        let operation = place.and_then(|(operation, _)| operation);
        let mut entries = Vec::new();
        let request: BTreeSet<String> = frame.shape.labels.iter().map(|label| label.text.clone()).collect();
        for (key, value) in node.and_then(Node::entries).unwrap_or_default() {
            let word = key.text().unwrap_or_default();
            // What is said again brings more.
            let again = word == "again" && place.is_some();
            let meant = if again { "more" } else { word };
            let Some(meaning) = self.meaning(key, meant, operation, place.is_some()) else { continue };
            for node in self.alternatives(value, frame) {
                if let Some(mut message) = self.message(node, frame, Some(request.iter().cloned().collect())) {
                    if matches!(meaning, Meaning::Event(_)) {
                        message.echoes.clear();
                    }
                    // A result is what the answer tells, and judged where it is claimed.
                    let results = operation.and_then(|name| self.service.operations.get(name)).map(|spec| &spec.result);
                    message.echoes.retain(|slot| {
                        let label = &message.shape.labels[*slot].text;
                        !results.is_some_and(|results| results.contains(label))
                    });
                    let then = node.get("then").filter(|_| frame.position("then").is_none());
                    if let Some(then) = then.filter(|then| then.text() != Some("close")) {
                        self.refuse(then, "after `then` comes `close`", |d| d);
                    }
                    let close = then.is_some();
                    let path = format!("{path}.{word}");
                    entries.push(Entry { meaning: meaning.clone(), message, close, again, path });
                }
            }
        }
        entries
    }

    fn meaning(&mut self, key: &Node, word: &str, operation: Option<&str>, in_dialogue: bool) -> Option<Meaning> {
        let service = self.service;
        match word {
            "ok" if in_dialogue => return Some(Meaning::Ok),
            "next" if in_dialogue => return Some(Meaning::Next),
            "more" if in_dialogue => return Some(Meaning::More),
            _ => {}
        }
        if operation.is_some_and(|name| service.outcome(name, word).is_some()) {
            return Some(Meaning::Outcome(word.to_owned()));
        }
        let (name, cause) = match word.split_once('.') {
            Some((name, cause)) => (name, Some(cause.to_owned())),
            None => (word, None),
        };
        match name {
            "error" => return Some(Meaning::AnyError),
            "ignore" => return Some(Meaning::Ignore),
            _ if service.errors.contains_key(name) => {
                let causes = &service.errors[name].causes;
                if let Some(cause) = cause.as_deref().filter(|cause| !causes.contains_key(*cause)) {
                    self.refuse(key, format!("the error `{name}` has no cause `{cause}`"), |d| {
                        d.suggest(cause, causes.keys().map(String::as_str))
                    });
                    return None;
                }
                return Some(Meaning::Error(name.to_owned(), cause));
            }
            _ if service.events.contains_key(name) => return Some(Meaning::Event(name.to_owned())),
            _ => {}
        }
        let mut known: Vec<&str> = vec!["ok", "error", "ignore", "next", "more", "again"];
        known.extend(service.errors.keys().map(String::as_str));
        known.extend(service.events.keys().map(String::as_str));
        self.refuse(key, format!("`{word}` is no meaning: neither an outcome, nor an error, nor an event"), |d| {
            if word == "again" {
                d.help("only what comes, in the table of a step, can be `again`")
            } else {
                d.suggest(word, known)
            }
        });
        None
    }
}

impl Entry {
    /// Whether it can lead on to what stands behind its step: a list that is asked for again does when it is empty.
    fn leads_on(&self, service: &Service) -> bool {
        self.meaning == Meaning::Next || (self.again && self.tells_a_list(service))
    }

    /// Whether it tells all rows at once, and not one.
    pub(crate) fn tells_a_list(&self, service: &Service) -> bool {
        let is_list = |label: &Label| service.field(&label.text).is_some_and(|field| field.of.is_some());
        self.message.shape.labels.iter().any(is_list)
    }
}

impl Message {
    /// What a field of the frame is fixed to.
    pub(crate) fn fixed(&self, slot: usize) -> Option<u64> {
        let is = |number: &Number| if let Rule::Is(fixed) = number.rule { Some(fixed) } else { None };
        self.shape.parts.iter().find_map(|part| match part {
            Part::Number(number) if number.slot == slot => is(number),
            Part::Bits(fields) => {
                fields.iter().find(|(_, number)| number.slot == slot).and_then(|(_, number)| is(number))
            }
            _ => None,
        })
    }

    /// The texts that are always in it, for telling messages apart.
    pub(crate) fn constants(&self) -> impl Iterator<Item = &[u8]> {
        self.shape.parts.iter().filter_map(|part| match part {
            Part::Literal(bytes) => Some(&**bytes),
            Part::Text(text) => match &text.rule {
                TextRule::Is(bytes) => Some(&**bytes),
                _ => None,
            },
            _ => None,
        })
    }
}
