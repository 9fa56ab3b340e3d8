//! One play, from making the actors ready to its outcome.
//!
//! A step with a claim (`gets`) convicts if something else comes; a step without one is preparation, and if it does not
//! succeed the case is undecided. Silence and lost connections are told apart from wrong answers: whether they count
//! is decided by whoever runs the case (`run`), who can look at the target from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use spec::Spec;
use spec::codec::Heard;
use spec::dialect::Dialect;
use spec::scenario::{Expect, Frame, Given, How, Presence, Scenario, Step, Verb};
use spec::value::{Record, Value};

use crate::check::answer::{Eyes, describe};
use crate::drive::cast::{Cast, Names};
use crate::drive::link::{Arrival, Arrived, Link};
use crate::drive::patience::{Patience, Turn};
use crate::drive::wire::Wire;
use crate::finding::{Evidence, Fault};
use crate::history::{Direction, Entry, History};

/// Where plays are played: a target's address, its wire, and how long its answers are waited for.
#[derive(Debug, Clone)]
pub struct Stage<W: Wire> {
    /// The network.
    pub wire: W,
    /// `host:port` of the target.
    pub address: String,
    /// What it speaks.
    pub dialect: Arc<Dialect>,
    /// The protocol.
    pub spec: Arc<Spec>,
    /// The deadline.
    pub patience: Patience,
}

/// What a play came to, with everything observed.
#[derive(Debug)]
pub enum Outcome {
    /// Every claim held.
    Passed(History),
    /// A claim did not hold.
    Failed(Box<Evidence>),
    /// Preparation did not succeed.
    Undecided(Box<Evidence>),
    /// Something was waited for that never came.
    Silent(Box<Evidence>),
    /// No connection could be made, or one broke where nobody should have ended it.
    Lost(Box<Evidence>),
}

/// The pause before a server is asked again whether it has noticed that a connection is gone.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// Why a step did not go on.
enum Stop {
    Wrong(String),
    Silent(String),
    Lost(String),
    Suite(String),
}

/// A play in progress.
#[allow(missing_debug_implementations, reason = "it holds a connection")]
pub struct Play<'a, W: Wire> {
    stage: &'a Stage<W>,
    scenario: &'a Scenario,
    cast: Cast<'a>,
    links: BTreeMap<String, Link<W>>,
    /// Who reset its last connection. When a server learns of that is its own affair.
    reset: BTreeSet<String>,
    history: History,
    turn: Turn,
    step: usize,
    /// Values of the last answer or event that met a claim, and its frame.
    last: (Record, Record),
}

impl<'a, W: Wire> Play<'a, W> {
    /// Plays a scenario. `case` tells this case's names from those of all others in the run.
    pub async fn play(stage: &'a Stage<W>, scenario: &'a Scenario, names: &Names, case: usize) -> Outcome {
        let cast = Cast::new(scenario, &stage.spec.service, names.prefix(case), names.world().clone());
        let turn = stage.patience.turn().await;
        let mut play = Play {
            stage,
            scenario,
            cast,
            links: BTreeMap::new(),
            reset: BTreeSet::new(),
            history: History::default(),
            turn,
            step: 0,
            last: Default::default(),
        };
        if let Err((doing, stop)) = play.make_ready().await {
            return play.outcome(None, doing, stop);
        }
        for (index, step) in scenario.steps.iter().enumerate() {
            play.step = index + 1;
            if let Err((failing, stop)) = play.perform(step).await {
                return play.outcome(Some(failing), String::new(), stop);
            }
        }
        Outcome::Passed(play.history)
    }

    fn outcome(self, step: Option<&Step>, doing: String, stop: Stop) -> Outcome {
        let claims = step.is_some_and(|step| step.gets.is_some());
        let (seen, fault) = match &stop {
            Stop::Wrong(seen) | Stop::Silent(seen) | Stop::Lost(seen) => (seen.clone(), Fault::Target),
            Stop::Suite(seen) => (seen.clone(), Fault::Suite),
        };
        let expected = match step {
            Some(step) if claims => step.gets_text.clone(),
            _ => "ok".into(),
        };
        let evidence = Box::new(Evidence {
            step: self.step,
            step_text: step.map_or(doing, |step| step.place.text().to_owned()),
            place: step.map_or_else(|| self.scenario.place.to_string(), |step| step.place.to_string()),
            expected,
            seen,
            convicts: step.map(|step| step.shows.clone()).unwrap_or_default(),
            fault,
            history: self.history,
            output: Vec::new(),
        });
        match stop {
            Stop::Wrong(_) if claims => Outcome::Failed(evidence),
            Stop::Wrong(_) | Stop::Suite(_) => Outcome::Undecided(evidence),
            Stop::Silent(_) => Outcome::Silent(evidence),
            Stop::Lost(_) => Outcome::Lost(evidence),
        }
    }

    // ── actors ────────────────────────────────────────────────────────────────────────────────────────────────────

    async fn make_ready(&mut self) -> Result<(), (String, Stop)> {
        for (actor, presence) in &self.scenario.actors {
            let (doing, result) = match presence {
                Presence::Online => ("is made ready to play: account, connection, log in", self.online(actor).await),
                Presence::Offline => ("is given an account", self.offline(actor).await),
                Presence::Stranger => ("connects", self.connect(actor).await),
            };
            result.map_err(|stop| (format!("{actor} {doing}"), stop))?;
        }
        Ok(())
    }

    async fn online(&mut self, actor: &str) -> Result<(), Stop> {
        self.connect(actor).await?;
        self.succeed(actor, "create_account", &[]).await?;
        if self.stage.dialect.policies.get("after_create").is_none_or(|choice| choice == "logged_out") {
            self.succeed(actor, "log_in", &[]).await?;
        }
        Ok(())
    }

    async fn offline(&mut self, actor: &str) -> Result<(), Stop> {
        self.connect(actor).await?;
        self.succeed(actor, "create_account", &[]).await?;
        self.disconnect(actor).await
    }

    async fn connect(&mut self, actor: &str) -> Result<(), Stop> {
        let connecting = self.stage.wire.connect(&self.stage.address);
        match self.stage.patience.wait(&mut self.turn, connecting).await {
            None => Err(Stop::Silent("no connection".into())),
            Some(Err(error)) => Err(Stop::Lost(format!("no connection: {error}"))),
            Some(Ok(stream)) => {
                self.note(actor, "connects");
                self.links.insert(actor.to_owned(), Link::new(stream, self.stage.dialect.clone()));
                Ok(())
            }
        }
    }

    /// Closes in the ordinary way, and waits until the server has closed, too: then it knows.
    async fn disconnect(&mut self, actor: &str) -> Result<(), Stop> {
        let Some(mut link) = self.links.remove(actor) else { return Ok(()) };
        self.note(actor, "disconnects");
        if link.half_close().await.is_err() {
            return Ok(());
        }
        loop {
            let arrived = link.next(&self.stage.patience, &mut self.turn).await;
            match arrived.what {
                // A server that keeps its side open is not wrong, only unproven to know.
                Arrival::End(_) | Arrival::Silence | Arrival::Flood => return Ok(()),
                Arrival::Answer(_) | Arrival::Event(_) => self.heard(actor, &arrived),
            }
        }
    }

    async fn succeed(&mut self, actor: &str, operation: &str, with: &[(String, Given)]) -> Result<(), Stop> {
        self.ask(actor, operation, with).await?;
        self.claim(actor, &Expect::Ok(Vec::new())).await
    }

    // ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async fn perform(&mut self, step: &'a Step) -> Result<(), (&'a Step, Stop)> {
        if let Verb::Together(inner) = &step.verb {
            return self.perform_together(step, inner).await;
        }
        for n in 1..=step.times {
            self.cast.n = n;
            self.act(step).await.map_err(|stop| (step, stop))?;
            self.claims_of(step).await.map_err(|stop| (step, stop))?;
        }
        Ok(())
    }

    async fn perform_together(&mut self, step: &'a Step, inner: &'a [Step]) -> Result<(), (&'a Step, Stop)> {
        for step in inner {
            self.act(step).await.map_err(|stop| (step, stop))?;
        }
        let Some(expect) = &step.gets else {
            for step in inner {
                self.claims_of(step).await.map_err(|stop| (step, stop))?;
            }
            return Ok(());
        };
        let mut arrived = Vec::new();
        for inner in inner {
            arrived.push(self.next_answer(&inner.actor).await.map_err(|stop| (step, stop))?);
        }
        let wanted = if let Expect::Set(wanted) = expect { wanted.as_slice() } else { std::slice::from_ref(expect) };
        self.match_set(wanted, &arrived).map_err(|why| (step, Stop::Wrong(why)))
    }

    async fn act(&mut self, step: &'a Step) -> Result<(), Stop> {
        let actor = step.actor.as_str();
        match &step.verb {
            Verb::Operation { name, with } => self.ask(actor, name, with).await,
            Verb::Writes { frames, how, then_half_closes } => {
                self.write(actor, frames, how).await?;
                if *then_half_closes { self.half_close(actor).await } else { Ok(()) }
            }
            Verb::Connects => self.connect(actor).await,
            Verb::Returns => self.come_back(actor).await,
            Verb::Disconnects => self.disconnect(actor).await,
            Verb::HalfCloses => self.half_close(actor).await,
            Verb::Resets => {
                self.note(actor, "resets the connection");
                if let Some(link) = self.links.remove(actor) {
                    link.reset();
                    self.reset.insert(actor.to_owned());
                }
                Ok(())
            }
            Verb::Waits { ms } => {
                tokio::time::sleep(Duration::from_millis(*ms)).await;
                Ok(())
            }
            Verb::Listens | Verb::Together(_) => Ok(()),
        }
    }

    async fn half_close(&mut self, actor: &str) -> Result<(), Stop> {
        self.note(actor, "says that it will send no more");
        let link = self.link(actor).await?;
        link.half_close().await.map_err(|error| Stop::Lost(format!("the connection broke: {error}")))
    }

    /// Connects and asks to log in. Whoever reset the last connection asks again while the server still counts that one.
    async fn come_back(&mut self, actor: &str) -> Result<(), Stop> {
        self.connect(actor).await?;
        if self.reset.remove(actor) {
            let patience = self.stage.patience.deadline();
            let began = tokio::time::Instant::now();
            while began.elapsed() < patience {
                self.ask(actor, "log_in", &[]).await?;
                let arrived = self.arrival(actor).await?;
                match &arrived.what {
                    Arrival::Answer(Heard::Error { name, .. }) if name == "already_logged_in" => {
                        tokio::time::sleep(ASK_AGAIN).await;
                    }
                    Arrival::Answer(_) => {
                        self.link(actor).await?.put_back(arrived);
                        return Ok(());
                    }
                    _ => return Err(self.wrong(&arrived)),
                }
            }
        }
        self.ask(actor, "log_in", &[]).await
    }

    async fn claims_of(&mut self, step: &'a Step) -> Result<(), Stop> {
        match (&step.gets, &step.verb) {
            (Some(expect), _) => {
                self.claim(&step.actor, expect).await?;
                if expect.is_close() && self.links.get(&step.actor).is_some_and(|link| link.ended().is_some()) {
                    // It was claimed to end and did: the actor has no connection now, and may open another.
                    self.links.remove(&step.actor);
                }
            }
            (None, Verb::Operation { .. } | Verb::Returns) => {
                self.claim(&step.actor, &Expect::Ok(Vec::new())).await?;
            }
            (None, _) => {}
        }
        for (field, number) in &step.frame {
            let seen = self.last.1.get(field);
            if seen != Some(&Value::Int(*number)) {
                let seen = seen.map_or_else(|| "nothing".into(), Value::to_string);
                return Err(Stop::Wrong(format!("{field}: {seen} in the frame of the answer, not {number}")));
            }
        }
        for (name, path) in &step.keep {
            let value = lookup(&self.last.0, path)
                .ok_or_else(|| Stop::Wrong(format!("no `{path}` in {}", self.last.0)))?
                .clone();
            self.cast.keep(name, value);
        }
        Ok(())
    }

    async fn ask(&mut self, actor: &str, operation: &str, with: &[(String, Given)]) -> Result<(), Stop> {
        let arguments = self.arguments(actor, operation, with);
        let link = self.link(actor).await?;
        let bytes = link
            .compose(operation, &arguments)
            .map_err(|why| Stop::Suite(format!("`{operation}` cannot be said in this dialect: {why}")))?;
        let written = link.write(&bytes).await;
        self.said(actor, format!("{operation} {arguments}"), bytes);
        // Whatever broke the connection is found when the answer is read: it may have been said before.
        let _ = written;
        Ok(())
    }

    async fn write(&mut self, actor: &str, frames: &[Frame], how: &How) -> Result<(), Stop> {
        let mut all = Vec::new();
        for frame in frames {
            match frame {
                Frame::Operation { name, with } => {
                    let arguments = self.arguments(actor, name, with);
                    let link = self.link(actor).await?;
                    let bytes = link
                        .compose(name, &arguments)
                        .map_err(|why| Stop::Suite(format!("`{name}` cannot be said in this dialect: {why}")))?;
                    self.said(actor, format!("{name} {arguments}"), bytes.clone());
                    all.extend(bytes);
                }
                Frame::Hex(bytes) => {
                    self.link(actor).await?.expect_unexplained();
                    self.said(actor, format!("{} raw bytes", bytes.len()), bytes.clone());
                    all.extend(bytes);
                }
            }
        }
        let cuts: Vec<usize> = match how {
            How::Joined => Vec::new(),
            How::Dripped => (1..all.len()).collect(),
            How::Split(offsets) => offsets.iter().copied().filter(|offset| *offset < all.len()).collect(),
        };
        let link = self.link(actor).await?;
        let mut start = 0;
        for cut in cuts.into_iter().chain([all.len()]) {
            if link.write(&all[start..cut.max(start)]).await.is_err() {
                break;
            }
            start = cut.max(start);
            // Each piece is a segment of its own if the other side gets a chance to read between them.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// The arguments of an operation: what is given, the actor's own name and password, and the defaults.
    fn arguments(&mut self, actor: &str, operation: &str, with: &[(String, Given)]) -> Record {
        let spec = self.stage.spec.clone();
        let mut arguments = Record::new();
        let names = spec.service.operations.get(operation).map(|spec| spec.arguments.as_slice()).unwrap_or_default();
        for name in names {
            let given = with.iter().find(|(field, _)| field == name).map(|(_, given)| given);
            let value = match (given, name.as_str()) {
                (Some(given), _) => self.cast.make(name, given),
                (None, "username") => Value::Text(self.cast.username(actor)),
                (None, "password") => Value::Text(self.cast.password(actor)),
                _ => match spec.service.field(name).and_then(spec::service::Field::default_value) {
                    Some(value) => value,
                    None => Value::Int(self.cast.random()),
                },
            };
            arguments.set(name, value);
        }
        arguments
    }

    /// The actor's connection; one is opened if there is none.
    async fn link(&mut self, actor: &str) -> Result<&mut Link<W>, Stop> {
        if !self.links.contains_key(actor) {
            self.connect(actor).await?;
        }
        Ok(self.links.get_mut(actor).expect("just connected"))
    }

    // ── claims ────────────────────────────────────────────────────────────────────────────────────────────────────

    async fn claim(&mut self, actor: &str, expect: &Expect) -> Result<(), Stop> {
        match expect {
            Expect::Nothing => self.claim_nothing(actor).await,
            Expect::Sequence(items) => {
                let mut after = 0;
                for item in items {
                    after = self.claim_one(actor, item, after).await?;
                }
                Ok(())
            }
            Expect::Set(items) => {
                let mut arrived = Vec::new();
                for item in items {
                    arrived.push(match item {
                        Expect::Event(..) => self.next_event(actor).await?,
                        _ => self.next_answer(actor).await?,
                    });
                }
                self.match_set(items, &arrived).map_err(Stop::Wrong)
            }
            _ => self.claim_one(actor, expect, 0).await.map(drop),
        }
    }

    /// One thing, which must have come after the serial number `after`. Gives its own.
    async fn claim_one(&mut self, actor: &str, expect: &Expect, after: u64) -> Result<u64, Stop> {
        let arrived = match expect {
            Expect::Event(..) => self.next_event(actor).await?,
            Expect::Closed => self.next_end(actor).await?,
            Expect::Nothing => return self.claim_nothing(actor).await.map(|()| after),
            Expect::OneOf(items) if items.iter().all(|item| matches!(item, Expect::Event(..))) => {
                self.next_event(actor).await?
            }
            Expect::OneOf(_) => self.next_answer_or_end(actor).await?,
            _ => self.next_answer(actor).await?,
        };
        self.matches(expect, &arrived).map_err(Stop::Wrong)?;
        if arrived.serial < after {
            return Err(Stop::Wrong(format!("the other order: {} came first", self.describe(&arrived))));
        }
        Ok(arrived.serial)
    }

    fn matches(&mut self, expect: &Expect, arrived: &Arrived) -> Result<(), String> {
        let service = &self.stage.spec.service;
        let cast = &mut self.cast;
        let result = Eyes { service, make: &mut |field, given| cast.make(field, given) }.meets(expect, arrived);
        if result.is_ok()
            && let Arrival::Answer(Heard::Ok { values, frame, .. } | Heard::Error { values, frame, .. })
            | Arrival::Event(Heard::Event { values, frame, .. }) = &arrived.what
        {
            self.last = (values.clone(), frame.clone());
        }
        result.map_err(|why| if why.is_empty() { self.describe(arrived) } else { why })
    }

    fn match_set(&mut self, wanted: &[Expect], arrived: &[Arrived]) -> Result<(), String> {
        let Some((first, rest)) = wanted.split_first() else { return Ok(()) };
        for index in 0..arrived.len() {
            if self.matches(first, &arrived[index]).is_ok() {
                let mut others = arrived.to_vec();
                others.remove(index);
                if self.match_set(rest, &others).is_ok() {
                    return Ok(());
                }
            }
        }
        Err(arrived.iter().map(|arrived| self.describe(arrived)).collect::<Vec<_>>().join(", and "))
    }

    /// Proves that nothing comes: an operation that always answers is answered, and nothing stood before its answer.
    async fn claim_nothing(&mut self, actor: &str) -> Result<(), Stop> {
        let waiting = self.links.get_mut(actor).and_then(Link::take_event);
        if let Some(event) = waiting {
            return Err(Stop::Wrong(self.describe(&event)));
        }
        let fence = self.stage.dialect.fence.clone();
        self.ask(actor, &fence, &[]).await?;
        let arrived = self.arrival(actor).await?;
        match arrived.what {
            Arrival::Answer(Heard::Ok { .. }) => Ok(()),
            _ => Err(self.wrong(&arrived)),
        }
    }

    async fn next_answer(&mut self, actor: &str) -> Result<Arrived, Stop> {
        let arrived = self.next_answer_or_end(actor).await?;
        if let Arrival::End(_) = arrived.what { Err(self.wrong(&arrived)) } else { Ok(arrived) }
    }

    async fn next_answer_or_end(&mut self, actor: &str) -> Result<Arrived, Stop> {
        loop {
            let arrived = self.arrival(actor).await?;
            match arrived.what {
                Arrival::Event(_) => self.link(actor).await?.keep_event(arrived),
                _ => return Ok(arrived),
            }
        }
    }

    async fn next_event(&mut self, actor: &str) -> Result<Arrived, Stop> {
        if let Some(event) = self.links.get_mut(actor).and_then(Link::take_event) {
            return Ok(event);
        }
        let arrived = self.arrival(actor).await?;
        match arrived.what {
            Arrival::Event(_) => Ok(arrived),
            _ => Err(self.wrong(&arrived)),
        }
    }

    async fn next_end(&mut self, actor: &str) -> Result<Arrived, Stop> {
        loop {
            let arrived = self.arrival(actor).await?;
            match arrived.what {
                Arrival::End(_) => return Ok(arrived),
                Arrival::Event(_) => {}
                _ => return Err(self.wrong(&arrived)),
            }
        }
    }

    /// The next arrival, recorded. Silence ends the play here: nothing that could follow would be judged fairly.
    async fn arrival(&mut self, actor: &str) -> Result<Arrived, Stop> {
        if !self.links.contains_key(actor) {
            self.connect(actor).await?;
        }
        let link = self.links.get_mut(actor).expect("just connected");
        let arrived = link.next(&self.stage.patience, &mut self.turn).await;
        self.heard(actor, &arrived);
        match arrived.what {
            Arrival::Silence => {
                let waited = self.stage.patience.deadline().as_millis();
                Err(Stop::Silent(format!("{} for {waited} ms", self.describe(&arrived))))
            }
            _ => Ok(arrived),
        }
    }

    fn wrong(&self, arrived: &Arrived) -> Stop {
        match &arrived.what {
            Arrival::End(_) => Stop::Lost(self.describe(arrived)),
            _ => Stop::Wrong(self.describe(arrived)),
        }
    }

    fn describe(&self, arrived: &Arrived) -> String {
        describe(arrived, &self.stage.spec.service)
    }

    // ── history ───────────────────────────────────────────────────────────────────────────────────────────────────

    fn said(&mut self, actor: &str, text: String, bytes: Vec<u8>) {
        self.record(actor, Direction::Said, text, bytes, None);
    }

    fn heard(&mut self, actor: &str, arrived: &Arrived) {
        let text = self.describe(arrived);
        let direction = match arrived.what {
            Arrival::Answer(_) | Arrival::Event(_) => Direction::Heard,
            _ if !arrived.bytes.is_empty() => Direction::Heard,
            _ => Direction::Noted,
        };
        self.record(actor, direction, text, arrived.bytes.clone(), arrived.dialogue.clone());
    }

    fn note(&mut self, actor: &str, text: &str) {
        self.record(actor, Direction::Noted, text.to_owned(), Vec::new(), None);
    }

    fn record(
        &mut self,
        actor: &str,
        direction: Direction,
        text: String,
        bytes: Vec<u8>,
        dialogue: Option<spec::codec::Dialogue>,
    ) {
        self.history.push(Entry { step: self.step, actor: actor.to_owned(), direction, text, bytes, dialogue });
    }
}

/// The value at a path such as `messages.0.message_id`.
fn lookup<'v>(values: &'v Record, path: &str) -> Option<&'v Value> {
    let mut parts = path.split('.');
    let mut value = values.get(parts.next()?)?;
    for part in parts {
        value = match value {
            Value::List(items) => items.get(part.parse::<usize>().ok()?)?,
            Value::Row(row) => row.get(part)?,
            _ => return None,
        };
    }
    Some(value)
}
