//! What must come: the next answer, event or end, held against the claim of a step.
//!
//! Not here: whether one arrival meets one claim (`check::answer`).

use std::time::Duration;

use spec::codec::Heard;
use spec::scenario::{Expect, Step, Verb};
use spec::value::{Record, Value};

use crate::check::answer::{Eyes, describe};
use crate::drive::act::memory;
use crate::drive::link::{Arrival, Arrived, Link};
use crate::drive::play::{Play, Stop};
use crate::drive::wire::Wire;

/// The pause before a server is asked again whether it has noticed that a connection is gone.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// Why a case does not apply in which somebody goes on where the wire does not.
pub(super) const ENDS: &str =
    "on this wire the server ends the connection after an answer that this case goes on behind";

impl<W: Wire> Play<'_, W> {
    pub(super) async fn claims_of(&mut self, step: &Step) -> Result<(), Stop> {
        match (&step.gets, &step.verb) {
            (expect, Verb::Collects) if self.stage.dialect.brings_what_waits().is_none() => {
                self.claim_pushed(&step.actor, expect.as_ref()).await?;
            }
            (Some(expect), _) => {
                self.claim(&step.actor, expect).await?;
                if expect.is_close() && self.links.get(&step.actor).is_some_and(|link| link.ended().is_some()) {
                    // It was claimed to end and did: the actor has no connection now, and may open another.
                    self.links.remove(&step.actor);
                }
            }
            (None, Verb::Operation { .. } | Verb::Returns | Verb::Collects) => {
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

    pub(super) async fn claim(&mut self, actor: &str, expect: &Expect) -> Result<(), Stop> {
        self.wants_refusal = matches!(expect, Expect::Error(name, _) if name == "already_logged_in");
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
    pub(super) async fn claim_one(&mut self, actor: &str, expect: &Expect, after: u64) -> Result<u64, Stop> {
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

    pub(super) fn matches(&mut self, expect: &Expect, arrived: &Arrived) -> Result<(), String> {
        let cast = &mut self.cast;
        let prefix = cast.prefix().to_owned();
        let mut eyes = Eyes {
            service: &self.stage.spec.service,
            dialect: &self.stage.dialect,
            in_order: self.scenario.when.contains_key("list_order"),
            prefix: &prefix,
            make: &mut |field, given| cast.make(field, given),
        };
        let result = eyes.meets(expect, arrived);
        if result.is_ok()
            && let Arrival::Answer(Heard::Ok { values, frame, .. } | Heard::Error { values, frame, .. })
            | Arrival::Event(Heard::Event { values, frame, .. }) = &arrived.what
        {
            self.last = (values.clone(), frame.clone());
        }
        result.map_err(|why| if why.is_empty() { self.describe(arrived) } else { why })
    }

    pub(super) fn match_set(&mut self, wanted: &[Expect], arrived: &[Arrived]) -> Result<(), String> {
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

    /// Proves that nothing comes: an operation that always answers is answered, and nothing stood before its answer; nor
    /// a little behind it, where nothing orders an answer and the events beside it.
    pub(super) async fn claim_nothing(&mut self, actor: &str) -> Result<(), Stop> {
        let waiting = self.links.get_mut(actor).and_then(Link::take_event);
        if let Some(event) = waiting {
            return Err(Stop::Wrong(self.describe(&event)));
        }
        let fence = self.stage.dialect.fence.clone();
        self.ask(actor, &fence, &Self::fence_arguments()).await?;
        let arrived = self.arrival(actor).await?;
        match arrived.what {
            // Where the fence needs a session, a refusal proves as much.
            Arrival::Answer(Heard::Ok { .. } | Heard::Error { .. }) => self.claim_quiet(actor).await,
            _ => Err(self.wrong(actor, &arrived)),
        }
    }

    pub(super) async fn next_answer(&mut self, actor: &str) -> Result<Arrived, Stop> {
        let arrived = self.next_answer_or_end(actor).await?;
        if let Arrival::End(_) = arrived.what { Err(self.wrong(actor, &arrived)) } else { Ok(arrived) }
    }

    pub(super) async fn next_answer_or_end(&mut self, actor: &str) -> Result<Arrived, Stop> {
        loop {
            let arrived = self.arrival(actor).await?;
            match arrived.what {
                Arrival::Event(_) => self.link(actor).await?.keep_event(arrived),
                _ if self.asks_again(actor, &arrived).await? => {}
                _ => return Ok(arrived),
            }
        }
    }

    /// Whoever left its last connection says its log in again while the server still counts that one.
    async fn asks_again(&mut self, actor: &str, arrived: &Arrived) -> Result<bool, Stop> {
        let Some(returning) = self.returning.get(actor) else { return Ok(false) };
        let refused =
            matches!(&arrived.what, Arrival::Answer(Heard::Error { name, .. }) if name == "already_logged_in");
        if !refused || self.wants_refusal || returning.since.elapsed() > self.stage.patience.deadline() {
            self.returning.remove(actor);
            return Ok(false);
        }
        tokio::time::sleep(ASK_AGAIN).await;
        let arguments = returning.arguments.clone();
        Box::pin(self.say(actor, "log_in", &arguments)).await?;
        Ok(true)
    }

    pub(super) async fn next_event(&mut self, actor: &str) -> Result<Arrived, Stop> {
        if let Some(event) = self.links.get_mut(actor).and_then(Link::take_event) {
            return Ok(event);
        }
        let arrived = self.arrival(actor).await?;
        match arrived.what {
            Arrival::Event(_) => Ok(arrived),
            _ => Err(self.wrong(actor, &arrived)),
        }
    }

    pub(super) async fn next_end(&mut self, actor: &str) -> Result<Arrived, Stop> {
        loop {
            let arrived = self.arrival(actor).await?;
            match arrived.what {
                Arrival::End(_) => return Ok(arrived),
                Arrival::Event(_) => {}
                _ => return Err(self.wrong(actor, &arrived)),
            }
        }
    }

    /// The next arrival, recorded. Silence ends the play here: nothing that could follow would be judged fairly.
    pub(super) async fn arrival(&mut self, actor: &str) -> Result<Arrived, Stop> {
        if !self.links.contains_key(actor) && !self.instead.contains_key(actor) {
            self.connect(actor).await?;
        }
        if let Some(arrived) = self.instead.remove(actor) {
            return Ok(arrived);
        }
        let arrived = loop {
            let memory = memory(&mut self.memories, &self.cast, actor);
            let link = self.links.get_mut(actor).expect("just connected");
            let arrived = link.next(&self.stage.patience, &mut self.turn, memory).await;
            for bytes in link.take_said() {
                self.said(actor, "what the dialogue needs to go on".into(), bytes);
            }
            self.heard(actor, &arrived);
            if !matches!(arrived.what, Arrival::Part(_)) {
                break arrived;
            }
        };
        self.conclude(actor, &arrived);
        if self.is_said_again(actor, &arrived) {
            return Err(self.stray(&arrived));
        }
        match &arrived.what {
            Arrival::Silence => {
                let waited = self.stage.patience.deadline().as_millis();
                Err(Stop::Silent(format!("{} for {waited} ms", self.describe(&arrived))))
            }
            // Nobody has answered: whatever is claimed of it, the server is not at fault.
            Arrival::Unsent(_) => Err(Stop::Suite(self.describe(&arrived))),
            Arrival::Answer(Heard::Ok { operation: Some(operation), .. }) if self.binds(operation) => {
                Box::pin(self.start_listening(actor)).await?;
                Ok(arrived)
            }
            _ => Ok(arrived),
        }
    }

    /// Who acts from now on, and whether there still is a connection.
    fn conclude(&mut self, actor: &str, arrived: &Arrived) {
        let Arrival::Answer(heard) = &arrived.what else { return };
        let operation = arrived.dialogue.as_ref().and_then(|dialogue| self.stage.dialect.operation_of(dialogue));
        if let (Some(operation), Heard::Ok { .. }) = (operation, heard) {
            match operation {
                "log_out" | "delete_account" => drop(self.bound.remove(actor)),
                _ if self.begins_a_session(operation) => drop(self.bound.insert(actor.to_owned())),
                _ => {}
            }
        }
        if let (Some("log_in"), Heard::Ok { values, .. }) = (operation, heard) {
            let messages = values.get("messages").cloned().unwrap_or_else(|| Value::List(Vec::new()));
            self.brought.insert(actor.to_owned(), messages);
        }
        let logs_in = match operation {
            Some("log_in") => true,
            Some("create_account") => self.begins_a_session("create_account"),
            _ => return self.leave_ended(actor),
        };
        if let Some(former) = self.former.remove(actor)
            && !(logs_in && matches!(heard, Heard::Ok { .. }))
        {
            memory(&mut self.memories, &self.cast, actor).become_user(former);
        }
    }

    /// Where an operation is done by the server's closing, the actor has no connection after it.
    fn leave_ended(&mut self, actor: &str) {
        if self.links.get(actor).is_some_and(|link| link.was_closed_as_answer()) {
            self.links.remove(actor);
            self.left.insert(actor.to_owned());
        }
    }

    /// Whether the user must say now that it wants to be told of messages.
    fn binds(&self, operation: &str) -> bool {
        self.begins_a_session(operation) && self.stage.dialect.has_listen()
    }

    fn begins_a_session(&self, operation: &str) -> bool {
        match operation {
            "log_in" | "resume_session" => true,
            "create_account" => self.stage.chooses("after_create", "logged_in"),
            _ => false,
        }
    }

    pub(super) fn wrong(&self, actor: &str, arrived: &Arrived) -> Stop {
        match &arrived.what {
            Arrival::End(_) if self.links.get(actor).is_some_and(Link::is_over) => Stop::Inapplicable(ENDS.into()),
            Arrival::End(_) => Stop::Lost(self.describe(arrived)),
            _ => Stop::Wrong(self.describe(arrived)),
        }
    }

    pub(super) fn describe(&self, arrived: &Arrived) -> String {
        describe(arrived, &self.stage.spec.service)
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
