//! Taking what waits, in the three ways in which targets bring it: asked for, with a log in, or pushed behind one.

use spec::codec::Heard;
use spec::scenario::{Expect, Match};
use spec::value::{Record, Value};

use crate::drive::link::{Arrival, Arrived};
use crate::drive::play::{Play, Stop};
use crate::drive::wire::Wire;

impl<W: Wire> Play<'_, W> {
    /// Asks for what waits, or takes what the log in before has brought.
    pub(super) async fn collect(&mut self, actor: &str) -> Result<(), Stop> {
        match self.stage.dialect.brings_what_waits() {
            Some("log_in") => {
                let messages = self.brought.remove(actor).unwrap_or_else(|| Value::List(Vec::new()));
                self.note(actor, "looks at what came with the log in");
                self.instead.insert(actor.to_owned(), collected(messages));
                Ok(())
            }
            Some(operation) => self.ask(actor, operation, &[]).await,
            None => Ok(()),
        }
    }

    /// Waits until as many messages were pushed as are expected, and then until the server has handled one request
    /// more: what comes before its answer is too much.
    pub(super) async fn claim_pushed(&mut self, actor: &str, expect: Option<&Expect>) -> Result<(), Stop> {
        let mut rows = Vec::new();
        while rows.len() < expect.map_or(0, many) {
            let Arrival::Event(Heard::Event { values, .. }) = self.next_event(actor).await?.what else { break };
            rows.push(Value::Row(values));
        }
        // Nothing orders a stream and the calls beside it.
        if self.stage.dialect.grpc.is_none() {
            self.prove_handled(actor).await?;
            while let Some(arrived) = self.links.get_mut(actor).and_then(crate::drive::link::Link::take_event) {
                if let Arrival::Event(Heard::Event { values, .. }) = arrived.what {
                    rows.push(Value::Row(values));
                }
            }
        }
        let Some(expect) = expect else { return Ok(()) };
        self.matches(expect, &collected(Value::List(rows))).map_err(Stop::Wrong)
    }

    /// Asks what always answers, and waits for the answer.
    async fn prove_handled(&mut self, actor: &str) -> Result<(), Stop> {
        let fence = self.stage.dialect.fence.clone();
        self.ask(actor, &fence, &Self::fence_arguments()).await?;
        self.next_answer(actor).await.map(drop)
    }
}

/// Messages, as if they had been asked for.
fn collected(messages: Value) -> Arrived {
    let values = Record::new().with("messages", messages);
    let heard = Heard::Ok { taken: 0, operation: Some("deliver_messages".into()), values, frame: Record::new() };
    Arrived { serial: 0, what: Arrival::Answer(heard), bytes: Vec::new(), dialogue: None }
}

/// How many messages are expected at least.
fn many(expect: &Expect) -> usize {
    let Expect::Ok(fields) = expect else { return 0 };
    let of = |wanted: &Match| match wanted {
        Match::List(items) | Match::Set(items) | Match::Includes(items) => items.len(),
        _ => 0,
    };
    fields.iter().find(|(name, _)| name == "messages").map_or(0, |(_, wanted)| of(wanted))
}
