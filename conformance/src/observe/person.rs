//! Who asks: an account with a connection, what it remembers, and what came to it without being asked for.

use std::collections::BTreeSet;
use std::time::Duration;

use spec::codec::{Heard, Memory, News};
use spec::dialect::Dialect;
use spec::service::Field;
use spec::value::{Record, Value};

use crate::check::answer::describe;
use crate::drive::{Arrival, Arrived, Link, Names, Network, Stage, Turn, Wire as _};
use crate::history::{Direction, Entry, History};
use crate::observe::answer::Answer;
use crate::observe::session::Question;
use crate::observe::{Observation, Observed, Stop};

/// Somebody with an account, or without one yet.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) link: Option<Link<Network>>,
    memory: Memory,
    /// Texts of the messages that came without being asked for.
    pub(super) pushed: Vec<String>,
}

/// A look in progress.
pub(super) struct Asking<'a> {
    stage: &'a Stage<Network>,
    names: &'a Names,
    prefix: String,
    wait: Duration,
    wanted: &'a BTreeSet<&'a str>,
    turn: Turn,
    began: tokio::time::Instant,
    history: History,
    observed: Observed,
    /// What the wire calls users, as far as anybody has learned it.
    told: Vec<News>,
    pub(super) question: Option<Question>,
}

impl<'a> Asking<'a> {
    pub(super) async fn new(
        stage: &'a Stage<Network>,
        names: &'a Names,
        number: usize,
        wait: Duration,
        wanted: &'a BTreeSet<&'a str>,
    ) -> Self {
        let turn = stage.patience.turn().await;
        let began = tokio::time::Instant::now();
        let (prefix, history, observed) = (names.prefix(number), History::default(), Observed::default());
        Asking { stage, names, prefix, wait, wanted, turn, began, history, observed, told: Vec::new(), question: None }
    }

    pub(super) fn observed(self) -> Observed {
        self.observed
    }

    // ── what is known ─────────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn dialect(&self) -> &'a Dialect {
        &self.stage.dialect
    }

    pub(super) fn has(&self, operation: &str) -> bool {
        self.stage.dialect.has_operation(operation)
    }

    pub(super) fn wants(&self, policies: &[&str]) -> bool {
        policies.iter().any(|policy| self.wanted.contains(policy))
    }

    /// The choice that was seen in a policy, if it was one alone.
    pub(super) fn seen(&self, policy: &str) -> Option<&str> {
        match self.observed.policies.get(policy)?.choices.as_slice() {
            [choice] => Some(choice),
            _ => None,
        }
    }

    /// Whether what was seen in a policy leaves nothing but these choices.
    pub(super) fn is_among(&self, policy: &str, choices: &[&str]) -> bool {
        let seen = self.observed.policies.get(policy);
        seen.is_some_and(|seen| seen.choices.iter().all(|seen| choices.contains(&seen.as_str())))
    }

    /// What the dialect declares.
    pub(super) fn declares(&self, policy: &str, choice: &str) -> bool {
        self.stage.dialect.policies.get(policy).is_some_and(|declared| declared == choice)
    }

    /// What all names here begin with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A new question: what is said from here on belongs to it.
    pub(super) fn begin(&mut self) {
        self.history = History::default();
    }

    /// What was seen in answer to the last question. None: nothing can be concluded.
    pub(super) fn conclude(&mut self, policy: &str, choices: Option<&[&str]>) {
        let (Some(choices), true) = (choices, self.wanted.contains(policy)) else { return };
        // What is no choice of the policy is no policy.
        let known = self.stage.spec.service.policies.get(policy);
        let is_known =
            |choice: &&&str| known.is_some_and(|known| known.choices.iter().any(|(name, _)| name == **choice));
        let choices: Vec<String> = choices.iter().filter(is_known).map(|choice| (*choice).to_owned()).collect();
        if choices.is_empty() {
            return;
        }
        let observation = Observation { policy: policy.to_owned(), choices, history: self.history.clone() };
        self.observed.policies.insert(policy.to_owned(), observation);
    }

    /// Waits before something is taken for absent.
    pub(super) async fn patiently(&self) {
        if !self.wait.is_zero() {
            tokio::time::sleep(self.wait).await;
        }
    }

    // ── people ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Somebody whose name is the common prefix and `ending`, connected.
    pub(super) async fn person(&mut self, ending: &str) -> Result<Person, Stop> {
        let name = format!("{}{ending}", self.prefix);
        let limits = &self.stage.dialect.limits;
        let allowed = |field: &str, value: &str| limits.get(field).is_none_or(|limit| limit.allows(value));
        if !allowed("username", &name) || !allowed("password", &password(&name)) {
            return Err(self.stop("the limits of the wire allow no name that the look could take"));
        }
        let memory = self.memory(&name);
        let mut person = Person { name, link: None, memory, pushed: Vec::new() };
        self.connect(&mut person).await?;
        Ok(person)
    }

    /// The same account on a connection of its own, with nothing that the other one was told.
    pub(super) async fn elsewhere(&mut self, person: &Person) -> Result<Person, Stop> {
        let memory = self.memory(&person.name);
        let mut other = Person { name: person.name.clone(), link: None, memory, pushed: Vec::new() };
        self.connect(&mut other).await?;
        Ok(other)
    }

    /// What somebody knows who was told nothing: a name, a password, and a token that nobody gave.
    fn memory(&self, name: &str) -> Memory {
        let mut memory = Memory::of(name);
        let first = Record::new().with("password", password(name)).with("token", vec![0_u8; 16]);
        memory.learn(&first, &self.stage.spec.service);
        memory
    }

    pub(super) async fn connect(&mut self, person: &mut Person) -> Result<(), Stop> {
        let stage = self.stage;
        let connecting = async {
            let address = stage.ground.address("").await?;
            stage.wire.connect(&address).await
        };
        match stage.patience.wait_for_connection(&mut self.turn, connecting).await {
            Some(Ok(stream)) => {
                self.note(&person.name, "connects");
                let mut link = Link::new(stream, stage.dialect.clone()).numbered(self.names.connection());
                link.open(&stage.patience, &mut self.turn, &mut person.memory).await;
                person.link = Some(link);
                Ok(())
            }
            _ => Err(self.stop("no connection could be made")),
        }
    }

    /// Closes in the ordinary way, and waits until the server has closed, too: then it knows.
    pub(super) async fn leave(&mut self, person: &mut Person) {
        let Some(mut link) = person.link.take() else { return };
        self.note(&person.name, "disconnects");
        if link.half_close().await.is_ok() {
            while !matches!(
                link.next(&self.stage.patience, &mut self.turn, &mut person.memory).await.what,
                Arrival::End(_) | Arrival::Silence | Arrival::Flood
            ) {}
        }
    }

    // ── questions ─────────────────────────────────────────────────────────────────────────────────────────────────

    pub(super) async fn ask(&mut self, person: &mut Person, operation: &str) -> Result<Answer, Stop> {
        self.ask_with(person, operation, Record::new()).await
    }

    /// Asks for an operation. Arguments that are not given are one's own name and password, and the defaults.
    pub(super) async fn ask_with(
        &mut self,
        person: &mut Person,
        operation: &str,
        given: Record,
    ) -> Result<Answer, Stop> {
        let arguments = self.arguments(person, operation, &given);
        let fits = |(name, value): (&str, &Value)| match (self.stage.dialect.limits.get(name), value.as_text()) {
            (Some(limit), Some(text)) => limit.allows(text),
            _ => true,
        };
        if !self.has(operation) || !arguments.iter().all(fits) {
            return Ok(Answer::Unclear);
        }
        if self.stage.dialect.events_are_open() {
            self.settle(person).await;
        }
        // What the wire calls users, those who ask tell each other.
        person.memory.is_told(&self.told);
        let Some(link) = &mut person.link else { return Ok(Answer::Gone) };
        let composed = link.compose(operation, &arguments, &person.memory);
        if link.was_not_asked() {
            return Ok(Answer::Unclear);
        }
        let bytes = match composed {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                self.leave(person).await;
                return Ok(Answer::Ok(Record::new()));
            }
            Err(_) => return Ok(Answer::Unclear),
        };
        let _ = link.write(&bytes, &self.stage.patience, &mut self.turn).await;
        self.record(&person.name, Direction::Said, format!("{operation} {arguments}"), bytes, None);
        let answer = self.answer(person, operation).await?;
        self.told.extend(person.memory.take_news());
        let binds = matches!(operation, "log_in" | "resume_session" | "create_account");
        if binds && answer.is_ok() {
            self.listen(person).await?;
        }
        Ok(answer)
    }

    /// Takes in what was pushed, before something is said.
    async fn settle(&mut self, person: &mut Person) {
        let Some(link) = &mut person.link else { return };
        for arrived in link.settle(&self.stage.patience, &mut self.turn, &mut person.memory).await {
            self.heard(&person.name, &arrived);
            if let Arrival::Event(Heard::Event { values, .. }) = arrived.what {
                person.pushed.extend(values.get("text").and_then(Value::as_text).map(str::to_owned));
            }
        }
    }

    /// Asks for what the dialect proves silence with, so that whatever was under way has come.
    pub(super) async fn fence(&mut self, person: &mut Person) -> Result<Answer, Stop> {
        let fence = self.stage.dialect.fence.clone();
        let given = if fence == "list_accounts" && self.stage.dialect.carries_argument(&fence, "pattern") {
            Record::new().with("pattern", self.prefix.as_str())
        } else {
            Record::new()
        };
        self.ask_with(person, &fence, given).await
    }

    /// Where a user must say so, asks to be told of messages.
    async fn listen(&mut self, person: &mut Person) -> Result<(), Stop> {
        if !self.stage.dialect.has_listen() {
            return Ok(());
        }
        let Some(link) = &mut person.link else { return Ok(()) };
        let Ok(bytes) = link.listen(&person.memory) else { return Err(Stop) };
        let _ = link.write(&bytes, &self.stage.patience, &mut self.turn).await;
        self.record(&person.name, Direction::Said, "listen".into(), bytes, None);
        Box::pin(self.fence(person)).await.map(drop)
    }

    async fn answer(&mut self, person: &mut Person, operation: &str) -> Result<Answer, Stop> {
        loop {
            let Some(link) = &mut person.link else { return Ok(Answer::Gone) };
            let arrived = link.next(&self.stage.patience, &mut self.turn, &mut person.memory).await;
            for bytes in link.take_said() {
                self.record(&person.name, Direction::Said, "what the dialogue needs to go on".into(), bytes, None);
            }
            self.heard(&person.name, &arrived);
            match arrived.what {
                Arrival::Part(_) => {}
                Arrival::Event(Heard::Event { values, .. }) => {
                    person.pushed.extend(values.get("text").and_then(Value::as_text).map(str::to_owned));
                }
                Arrival::Event(_) => {}
                Arrival::Answer(Heard::Ok { values, .. }) => return Ok(Answer::Ok(values)),
                Arrival::Answer(Heard::Error { name, .. }) => return Ok(Answer::Error(name)),
                Arrival::Answer(_) => return Ok(Answer::Unclear),
                Arrival::End(_) => {
                    person.link = None;
                    return Ok(Answer::Gone);
                }
                Arrival::Silence => return Err(self.stop(&format!("no answer to {operation} came"))),
                Arrival::Unsent(_) => return Err(self.stop(&format!("{operation} could not be sent"))),
                Arrival::Flood => {
                    return Err(self.stop(&format!("{operation} was answered with more than anybody could want")));
                }
            }
        }
    }

    fn arguments(&self, person: &Person, operation: &str, given: &Record) -> Record {
        let service = &self.stage.spec.service;
        let names = service.operations.get(operation).map(|spec| spec.arguments.as_slice()).unwrap_or_default();
        let value = |name: &String| match given.get(name) {
            Some(value) => value.clone(),
            None if name == "username" => Value::Text(person.name.clone()),
            None if name == "password" => Value::Text(password(&person.name)),
            None => service.field(name).and_then(Field::default_value).unwrap_or(Value::Int(42)),
        };
        names.iter().map(|name| (name.clone(), value(name))).collect()
    }

    /// Counts an account that was made.
    pub(super) fn made_an_account(&mut self) {
        self.observed.accounts += 1;
    }

    /// Ends the look, and says why.
    pub(super) fn stop(&mut self, why: &str) -> Stop {
        self.observed.stopped = Some(why.to_owned());
        Stop
    }

    // ── history ───────────────────────────────────────────────────────────────────────────────────────────────────

    fn note(&mut self, who: &str, text: &str) {
        self.record(who, Direction::Noted, text.to_owned(), Vec::new(), None);
    }

    fn heard(&mut self, who: &str, arrived: &Arrived) {
        let text = describe(arrived, &self.stage.spec.service);
        let direction = if arrived.bytes.is_empty() { Direction::Noted } else { Direction::Heard };
        self.record(who, direction, text, arrived.bytes.clone(), arrived.dialogue.clone());
    }

    fn record(
        &mut self,
        who: &str,
        direction: Direction,
        text: String,
        bytes: Vec<u8>,
        dialogue: Option<spec::codec::Dialogue>,
    ) {
        let at = self.began.elapsed();
        let actor = who.strip_prefix(self.prefix.as_str()).unwrap_or(who).to_owned();
        self.history.push(Entry { step: 0, at, actor, direction, text, bytes, dialogue });
    }
}

/// The password that goes with a name.
pub(super) fn password(name: &str) -> String {
    format!("pw{name}")
}
