//! What must never come: a second answer to one request.
//!
//! It looks like the answer to the next request, or stands where nobody reads any more. So what came is taken in before
//! anything is said on a wire whose messages run into each other, and every play ends with a question on each of its
//! connections whose answer is known.

use spec::codec::Heard;
use spec::scenario::{Step, Verb};

use crate::drive::act::memory;
use crate::drive::link::{Arrival, Arrived, Link};
use crate::drive::play::{Play, Stop};
use crate::drive::wire::Wire;

/// The requirement that an answer too many breaks, in whatever case it comes.
pub(super) const ONE_ANSWER: &str = "FRAMING-14";

impl<W: Wire> Play<'_, W> {
    /// Takes in what a step may have pushed to others, where messages have no end of their own. Whoever acts takes in
    /// what came before saying the next thing.
    pub(super) async fn settle_others(&mut self, step: &Step) -> Result<(), Stop> {
        let pushes = match &step.verb {
            Verb::Operation { name, .. } => name == "send_message",
            Verb::Writes { .. } | Verb::Together(_) => true,
            _ => false,
        };
        if !pushes || !self.stage.dialect.events_are_open() {
            return Ok(());
        }
        for actor in self.bound.clone().iter().filter(|actor| **actor != step.actor) {
            self.settle(actor).await?;
        }
        Ok(())
    }

    /// Takes in what came for an actor, who waits for no answer.
    pub(super) async fn settle(&mut self, actor: &str) -> Result<(), Stop> {
        let memory = memory(&mut self.memories, &self.cast, actor);
        let Some(link) = self.links.get_mut(actor) else { return Ok(()) };
        for arrived in link.settle(&self.stage.patience, &mut self.turn, memory).await {
            self.heard(actor, &arrived);
            match arrived.what {
                Arrival::Event(_) => self.link(actor).await?.keep_event(arrived),
                _ if self.is_stray(&arrived) => return Err(self.stray(&arrived)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Asks what always answers on every connection that is whole, and finds nothing before that answer.
    pub(super) async fn prove_that_nothing_is_left(&mut self) -> Result<(), Stop> {
        let breaks = |verb: &Verb| matches!(verb, Verb::Fault(_) | Verb::HalfCloses | Verb::Writes { .. });
        if self.stage.dialect.grpc.is_some() || self.scenario.all_steps().any(|step| breaks(&step.verb)) {
            return Ok(());
        }
        let is_whole = |link: &Link<W>| link.ended().is_none() && !link.is_over() && link.unanswered() == 0;
        let whole = self.links.iter().filter(|(_, link)| is_whole(link)).map(|(actor, _)| actor.clone());
        for actor in whole.collect::<Vec<_>>() {
            match self.ask_at_the_end(&actor).await {
                // Everything that was claimed has been shown. Who is silent now is found where that is looked at.
                Ok(())
                | Err(Stop::Wrong(_) | Stop::Silent(_) | Stop::Lost(_) | Stop::Suite(_) | Stop::Inapplicable(_)) => {}
                Err(stray) => return Err(stray),
            }
        }
        Ok(())
    }

    async fn ask_at_the_end(&mut self, actor: &str) -> Result<(), Stop> {
        let fence = self.stage.dialect.fence.clone();
        let asked = self.history.len();
        self.ask(actor, &fence, &Self::fence_arguments()).await?;
        let answer = self.next_answer(actor).await?;
        let is_refused = match &answer.what {
            Arrival::Answer(Heard::Ok { .. }) => false,
            Arrival::Answer(Heard::Error { .. }) => true,
            _ if self.is_stray(&answer) => return Err(self.stray(&answer)),
            _ => return Ok(()),
        };
        // A refusal may be an earlier one, said again; then that of the question follows at once.
        if is_refused {
            self.settle(actor).await?;
        }
        // What every play ends with is not worth reading.
        self.history.truncate(asked);
        Ok(())
    }

    /// Whether what came is the last answer once more, and none to the one request that was asked since. Of several, it
    /// may answer another in the wrong order.
    pub(super) fn is_said_again(&mut self, actor: &str, arrived: &Arrived) -> bool {
        let Arrival::Answer(heard) = &arrived.what else { return false };
        let before = self.answered.insert(actor.to_owned(), arrived.bytes.clone()).unwrap_or_default();
        let one = self.links.get(actor).is_some_and(|link| link.unanswered() == 0);
        let again = one && before == arrived.bytes && !before.is_empty();
        again && matches!(heard, Heard::Other { .. }) && self.is_stray(arrived)
    }

    /// Whether something is an answer of this wire, where nothing was asked that it can belong to.
    fn is_stray(&self, arrived: &Arrived) -> bool {
        let Arrival::Answer(heard) = &arrived.what else { return false };
        match heard {
            Heard::Ok { .. } | Heard::Error { .. } => true,
            Heard::Other { taken: Some(_), .. } => matches!(
                self.stage.dialect.hear_answer_of(&arrived.bytes, true, &[None]),
                Some(Heard::Ok { .. } | Heard::Error { .. })
            ),
            _ => false,
        }
    }

    pub(super) fn stray(&self, arrived: &Arrived) -> Stop {
        let described = match self.stage.dialect.hear_answer_of(&arrived.bytes, true, &[None]) {
            Some(heard) => self.describe(&Arrived { what: Arrival::Answer(heard), ..arrived.clone() }),
            None => self.describe(arrived),
        };
        Stop::Stray(format!("{described}, which answers nothing"))
    }
}
