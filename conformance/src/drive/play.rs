//! One play, from making the actors ready to its outcome.
//!
//! A step with a claim (`gets`) convicts if something else comes; a step without one is preparation, and if it does not
//! succeed the case is undecided. Silence and lost connections are told apart from wrong answers: whether they count
//! is decided by whoever runs the case (`run`), who can look at the target from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use spec::Spec;
use spec::codec::{Memory, News};
use spec::dialect::Dialect;
use spec::scenario::{Expect, Given, Presence, Scenario, Step, Verb};
use spec::value::{Record, Value};

use crate::drive::cast::{Cast, Names};
use crate::drive::link::{Arrival, Arrived, Link};
use crate::drive::patience::{Patience, Turn};
use crate::drive::stray::ONE_ANSWER;
use crate::drive::wire::Wire;
use crate::fault::Ground;
use crate::finding::{Blame, Evidence};
use crate::history::{Direction, Entry, History};

/// Where plays are played: a network, a target on it, its dialect, and how long its answers are waited for.
#[derive(Clone)]
#[allow(missing_debug_implementations, reason = "it is handed around, and never looked at")]
pub struct Stage<W: Wire> {
    /// The network.
    pub wire: W,
    /// Where actors connect to, and what can break.
    pub ground: Arc<dyn Ground>,
    /// What it speaks.
    pub dialect: Arc<Dialect>,
    /// The protocol.
    pub spec: Arc<Spec>,
    /// The deadline.
    pub patience: Patience,
}

impl<W: Wire> Stage<W> {
    /// Whether a choice is the target's.
    pub(super) fn chooses(&self, policy: &str, choice: &str) -> bool {
        self.dialect.policies.get(policy).is_some_and(|chosen| chosen == choice)
    }
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
    /// The wire cannot carry what is played, for this reason.
    Inapplicable(String),
}

impl Outcome {
    /// What explains it, unless everything held.
    pub fn evidence(&mut self) -> Option<&mut Evidence> {
        match self {
            Outcome::Passed(_) | Outcome::Inapplicable(_) => None,
            Outcome::Failed(evidence)
            | Outcome::Undecided(evidence)
            | Outcome::Silent(evidence)
            | Outcome::Lost(evidence) => Some(evidence),
        }
    }
}

/// Why a step did not go on.
pub(super) enum Stop {
    Wrong(String),
    /// An answer to nothing.
    Stray(String),
    Silent(String),
    Lost(String),
    Suite(String),
    Inapplicable(String),
}

/// A log in that may have to be said again.
pub(super) struct Returning {
    pub(super) arguments: Record,
    pub(super) since: tokio::time::Instant,
}

/// A play in progress.
#[allow(missing_debug_implementations, reason = "it holds a connection")]
pub struct Play<'a, W: Wire> {
    pub(super) stage: &'a Stage<W>,
    pub(super) scenario: &'a Scenario,
    pub(super) names: Names,
    pub(super) cast: Cast<'a>,
    pub(super) links: BTreeMap<String, Link<W>>,
    /// What each actor remembers.
    pub(super) memories: BTreeMap<String, Memory>,
    /// What the wire calls users, as far as anybody has learned it.
    pub(super) told: Vec<News>,
    /// Who each actor was before it asked to be somebody else.
    pub(super) former: BTreeMap<String, String>,
    /// Who has a session on its connection.
    pub(super) bound: BTreeSet<String>,
    /// Who left its last connection. When a server learns of that is its own affair.
    pub(super) left: BTreeSet<String>,
    /// A log in of somebody who left, to be said again while the server still counts the old connection.
    pub(super) returning: BTreeMap<String, Returning>,
    /// Whether the present claim is that a log in is refused.
    pub(super) wants_refusal: bool,
    /// What came with the last log in of each actor, on wires where what waits does.
    pub(super) brought: BTreeMap<String, Value>,
    /// The bytes of the last answer that each actor heard.
    pub(super) answered: BTreeMap<String, Vec<u8>>,
    /// Answers to what was done without asking.
    pub(super) instead: BTreeMap<String, Arrived>,
    pub(super) history: History,
    pub(super) turn: Turn,
    pub(super) began: tokio::time::Instant,
    pub(super) step: usize,
    /// Values of the last answer or event that met a claim, and its frame.
    pub(super) last: (Record, Record),
}

impl<'a, W: Wire> Play<'a, W> {
    /// Plays a scenario. `case` tells this case's names from those of all others in the run.
    pub async fn play(stage: &'a Stage<W>, scenario: &'a Scenario, names: &Names, case: usize) -> Outcome {
        let cast = Cast::new(scenario, &stage.spec.service, names.prefix(case), names.world().clone());
        let turn = stage.patience.turn().await;
        let mut play = Play {
            stage,
            scenario,
            names: names.clone(),
            cast,
            links: BTreeMap::new(),
            memories: BTreeMap::new(),
            told: Vec::new(),
            former: BTreeMap::new(),
            bound: BTreeSet::new(),
            left: BTreeSet::new(),
            returning: BTreeMap::new(),
            wants_refusal: false,
            brought: BTreeMap::new(),
            answered: BTreeMap::new(),
            instead: BTreeMap::new(),
            history: History::default(),
            turn,
            began: tokio::time::Instant::now(),
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
        if let Err(stop) = play.prove_that_nothing_is_left().await {
            return play.outcome(None, String::new(), stop);
        }
        Outcome::Passed(play.history)
    }

    fn outcome(self, step: Option<&Step>, doing: String, stop: Stop) -> Outcome {
        if let Stop::Inapplicable(why) = stop {
            return Outcome::Inapplicable(why);
        }
        let claims = step.is_some_and(|step| step.gets.is_some());
        let (seen, fault) = match &stop {
            Stop::Wrong(seen) | Stop::Stray(seen) | Stop::Silent(seen) | Stop::Lost(seen) => {
                (seen.clone(), Blame::Target)
            }
            Stop::Suite(seen) | Stop::Inapplicable(seen) => (seen.clone(), Blame::Suite),
        };
        let expected = match step {
            _ if matches!(stop, Stop::Stray(_)) => "one answer to each request, and no other".into(),
            Some(step) if claims => step.gets_text.clone(),
            _ => "ok".into(),
        };
        let evidence = Box::new(Evidence {
            step: self.step,
            step_text: step.map_or(doing, |step| step.place.text().to_owned()),
            place: step.map_or_else(|| self.scenario.place.to_string(), |step| step.place.to_string()),
            expected,
            seen,
            convicts: match &stop {
                Stop::Stray(_) => vec![ONE_ANSWER.into()],
                _ => step.map(|step| step.shows.clone()).unwrap_or_default(),
            },
            fault,
            history: self.history,
            output: Vec::new(),
        });
        match stop {
            Stop::Stray(_) => Outcome::Failed(evidence),
            Stop::Wrong(_) if claims => Outcome::Failed(evidence),
            Stop::Wrong(_) | Stop::Suite(_) | Stop::Inapplicable(_) => Outcome::Undecided(evidence),
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
        if self.stage.chooses("after_create", "logged_out") && self.stage.dialect.has_operation("log_in") {
            self.succeed(actor, "log_in", &[]).await?;
        }
        Ok(())
    }

    async fn offline(&mut self, actor: &str) -> Result<(), Stop> {
        self.connect(actor).await?;
        self.succeed(actor, "create_account", &[]).await?;
        // Where making an account logs in, the end of the connection alone need not log out.
        if self.stage.chooses("after_create", "logged_in") && self.stage.chooses("log_out_by", "operation") {
            self.succeed(actor, "log_out", &[]).await?;
        }
        self.disconnect(actor).await
    }

    async fn succeed(&mut self, actor: &str, operation: &str, with: &[(String, Given)]) -> Result<(), Stop> {
        self.ask(actor, operation, with).await?;
        self.claim(actor, &Expect::Ok(Vec::new())).await
    }

    // ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────────

    pub(super) async fn perform(&mut self, step: &'a Step) -> Result<(), (&'a Step, Stop)> {
        if let Verb::Together(inner) = &step.verb {
            return self.perform_together(step, inner).await;
        }
        for n in 1..=step.times {
            self.cast.n = n;
            self.act(step).await.map_err(|stop| (step, stop))?;
            self.claims_of(step).await.map_err(|stop| (step, stop))?;
            // What was pushed meanwhile, and has no end, must not run into what is pushed next.
            self.settle_others(step).await.map_err(|stop| (step, stop))?;
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

    // ── history ───────────────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn said(&mut self, actor: &str, text: String, bytes: Vec<u8>) {
        self.record(actor, Direction::Said, text, bytes, None);
    }

    pub(super) fn heard(&mut self, actor: &str, arrived: &Arrived) {
        let text = self.describe(arrived);
        let direction = match arrived.what {
            Arrival::Answer(_) | Arrival::Part(_) | Arrival::Event(_) => Direction::Heard,
            _ if !arrived.bytes.is_empty() => Direction::Heard,
            _ => Direction::Noted,
        };
        self.record(actor, direction, text, arrived.bytes.clone(), arrived.dialogue.clone());
    }

    pub(super) fn note(&mut self, actor: &str, text: &str) {
        self.record(actor, Direction::Noted, text.to_owned(), Vec::new(), None);
    }

    pub(super) fn record(
        &mut self,
        actor: &str,
        direction: Direction,
        text: String,
        bytes: Vec<u8>,
        dialogue: Option<spec::codec::Dialogue>,
    ) {
        let at = self.began.elapsed();
        self.history.push(Entry { step: self.step, at, actor: actor.to_owned(), direction, text, bytes, dialogue });
    }
}
