//! What must come: the next answer, event or end, held against the claim of a step.
//!
//! Not here: whether one arrival meets one claim (`check::answer`).

use spec::codec::Heard;
use spec::scenario::{Expect, Step, Verb};
use spec::value::{Record, Value};

use crate::check::answer::{Eyes, describe};
use crate::drive::link::{Arrival, Arrived, Link};
use crate::drive::play::{Play, Stop};
use crate::drive::wire::Wire;

impl<W: Wire> Play<'_, W> {
    pub(super) async fn claims_of(&mut self, step: &Step) -> Result<(), Stop> {
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

    pub(super) async fn claim(&mut self, actor: &str, expect: &Expect) -> Result<(), Stop> {
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

    /// Proves that nothing comes: an operation that always answers is answered, and nothing stood before its answer.
    pub(super) async fn claim_nothing(&mut self, actor: &str) -> Result<(), Stop> {
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

    pub(super) async fn next_answer(&mut self, actor: &str) -> Result<Arrived, Stop> {
        let arrived = self.next_answer_or_end(actor).await?;
        if let Arrival::End(_) = arrived.what { Err(self.wrong(&arrived)) } else { Ok(arrived) }
    }

    pub(super) async fn next_answer_or_end(&mut self, actor: &str) -> Result<Arrived, Stop> {
        loop {
            let arrived = self.arrival(actor).await?;
            match arrived.what {
                Arrival::Event(_) => self.link(actor).await?.keep_event(arrived),
                _ => return Ok(arrived),
            }
        }
    }

    pub(super) async fn next_event(&mut self, actor: &str) -> Result<Arrived, Stop> {
        if let Some(event) = self.links.get_mut(actor).and_then(Link::take_event) {
            return Ok(event);
        }
        let arrived = self.arrival(actor).await?;
        match arrived.what {
            Arrival::Event(_) => Ok(arrived),
            _ => Err(self.wrong(&arrived)),
        }
    }

    pub(super) async fn next_end(&mut self, actor: &str) -> Result<Arrived, Stop> {
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
    pub(super) async fn arrival(&mut self, actor: &str) -> Result<Arrived, Stop> {
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

    pub(super) fn wrong(&self, arrived: &Arrived) -> Stop {
        match &arrived.what {
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
