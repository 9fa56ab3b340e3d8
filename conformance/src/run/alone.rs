//! Cases that have an instance each: those that may harm a server, or all of them where the target file says so.
//!
//! A death is that of the one case in play, and convicts it alone. As everywhere, silence and lost connections count
//! only if a second play, on another new instance and with more time, shows the same.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::drive::{Names, Network, Outcome, Stage};
use crate::fault::{Grounds, Open};
use crate::finding::{Blame, CaseResult, Evidence};
use crate::history::History;
use crate::run::end::End;
use crate::run::group::{First, Group, Missed, judge, with_output};
use crate::run::life;
use crate::run::second::{again_number, compare};
use crate::select::Case;
use crate::target::{Instance, Restart, ServerOptions, StartError, Starter};

/// Instances side by side, at most: those of silent targets wait, and ask for nothing but memory.
const INSTANCES: usize = 16;

/// Starts side by side, at most: each asks more of a machine than a play does.
const STARTS: usize = 4;

/// What a case that plays alone needs.
#[derive(Clone)]
struct Alone {
    starter: Arc<dyn Starter>,
    options: ServerOptions,
    /// Its ground is another for each instance.
    stage: Stage<Network>,
    names: Names,
    end: End,
    /// Whoever starts an instance holds one.
    starts: Arc<Semaphore>,
}

/// What a play came to, and how the instance was afterwards.
struct Played {
    outcome: Outcome,
    /// How it died of the play.
    death: Option<String>,
    instance: Box<dyn Instance>,
}

impl Group<'_> {
    /// Whether a case gets an instance of its own.
    pub(super) fn plays_alone(&self, case: &Case) -> bool {
        let starter = &self.target.starter;
        // A play that lets the server crash starts one itself.
        if !starter.is_ours() || self.settings.regardless || case.scenario.crashes_the_server() {
            return false;
        }
        match starter.restart() {
            Restart::Never => false,
            Restart::Groups => case.scenario.transport,
            Restart::Cases => true,
        }
    }

    /// Plays each case on an instance of its own.
    pub(super) async fn each_alone(&mut self, mut cases: VecDeque<Case>) -> Result<(), StartError> {
        let several = if self.target.starter.bears_several() { self.jobs().min(INSTANCES) } else { 1 };
        let alone = Alone {
            starter: self.target.starter.clone(),
            options: self.options.clone(),
            stage: self.stage(&life::Gone),
            names: self.names.clone(),
            end: self.end(),
            starts: Arc::new(Semaphore::new(STARTS)),
        };
        let mut players = JoinSet::new();
        loop {
            while players.len() < several
                && let Some(case) = cases.pop_front()
            {
                let alone = alone.clone();
                players.spawn(async move { (alone.end.clone().until(alone.play(&case)).await, case) });
            }
            match players.join_next().await {
                None => return Ok(()),
                Some(Ok((Some(result), case))) => self.decide(&case, result?),
                // What is cut off by the end of the run was not reached.
                Some(_) => self.in_time()?,
            }
        }
    }
}

impl Alone {
    async fn play(&self, case: &Case) -> Result<CaseResult, StartError> {
        let dialect = &self.stage.dialect.name;
        let (evidence, missed, instance) = match self.once(case, case.number, &self.stage).await? {
            Played { outcome: Outcome::Passed(history), death: Some(death), instance } => {
                (Box::new(after_the_play(case, history, &death)), Missed::Connection, instance)
            }
            Played { outcome: Outcome::Lost(evidence), instance, .. } => (evidence, Missed::Connection, instance),
            Played { outcome: Outcome::Silent(evidence), instance, .. } => (evidence, Missed::Words, instance),
            Played { mut outcome, death, instance } => {
                if let (Some(evidence), Some(death)) = (outcome.evidence(), death) {
                    evidence.seen = format!("{}; {death}", evidence.seen);
                }
                let mut result = judge(dialect, case, outcome);
                with_output(&mut result, &*instance);
                instance.stop().await;
                return Ok(result);
            }
        };
        let mut first = First { evidence, missed, in_company: false };
        first.evidence.output = instance.output();
        instance.stop().await;
        self.again(case, &first).await
    }

    /// The second play of a case whose first one met silence, lost its connection, or left nobody alive.
    async fn again(&self, case: &Case, first: &First) -> Result<CaseResult, StartError> {
        let dialect = &self.stage.dialect.name;
        let stage = Stage { patience: self.stage.patience.second_round(), ..self.stage.clone() };
        let Played { outcome, death, instance } = self.once(case, again_number(case.number), &stage).await?;
        let mut result = match (outcome, death) {
            (Outcome::Passed(history), Some(death)) => {
                CaseResult::failed(dialect, &case.scenario, after_the_play(case, history, &death))
            }
            (Outcome::Lost(mut evidence) | Outcome::Silent(mut evidence), Some(death)) => {
                evidence.seen = format!("{}; {death}, with no other case in play", evidence.seen);
                evidence.convicts.clear();
                CaseResult::failed(dialect, &case.scenario, *evidence)
            }
            (outcome, _) => compare(dialect, &case.scenario, first, outcome, true),
        };
        with_output(&mut result, &*instance);
        instance.stop().await;
        Ok(result)
    }

    /// Plays on a new instance, and looks whether anybody is there afterwards.
    async fn once(&self, case: &Case, number: usize, stage: &Stage<Network>) -> Result<Played, StartError> {
        let starting = self.starts.acquire().await;
        let mut instance = self.starter.start(&self.options).await?;
        drop(starting);
        let address = instance.address();
        let stage = Stage { ground: Arc::new(Open(address.clone())), ..stage.clone() };
        let grounds = Grounds { address, starter: self.starter.clone(), options: self.options.clone() };
        let outcome = grounds.play(&stage, &case.scenario, &self.names, number).await;
        let death = match life::proof(&stage).await {
            true => None,
            false => Some(life::ending(&mut instance, "the target stopped answering anybody".into()).await),
        };
        Ok(Played { outcome, death, instance })
    }
}

/// The evidence of a play in which every claim held, and which its target did not survive.
fn after_the_play(case: &Case, history: History, death: &str) -> Evidence {
    Evidence {
        step: case.scenario.steps.len(),
        step_text: "after the last step, somebody else connects".into(),
        place: case.scenario.place.to_string(),
        expected: "an answer".into(),
        seen: format!("{death}, with no other case in play"),
        convicts: Vec::new(),
        fault: Blame::Target,
        history,
        output: Vec::new(),
    }
}
