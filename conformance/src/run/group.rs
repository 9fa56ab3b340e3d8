//! The cases that share an instance: batches that it bears, the first round, and a new instance when it dies.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use spec::Spec;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::drive::{Names, Network, Outcome, Patience, Stage};
use crate::fault::{Grounds, Open};
use crate::finding::{CaseResult, Evidence, Verdict};
use crate::run::end::End;
use crate::run::{Decided, FirstResult, Progress, Settings, life};
use crate::select::Case;
use crate::target::{Instance, ServerOptions, StartError, Target};

/// Cases side by side against a target that says nothing about it.
const JOBS: usize = 16;

/// The same over gRPC, where calls are work for the suite itself: more of them only wait for each other.
const GRPC_JOBS: usize = 4;

/// How often a target that dies is started again.
const RESTARTS: usize = 32;

/// The cases that share an instance.
pub(super) struct Group<'a> {
    pub(super) target: &'a Target,
    pub(super) network: Network,
    pub(super) spec: &'a Arc<Spec>,
    pub(super) settings: &'a Settings,
    pub(super) progress: &'a dyn Progress,
    pub(super) names: &'a Names,
    pub(super) options: ServerOptions,
    pub(super) patience: Patience,
    pub(super) began: Instant,
    pub(super) first: &'a FirstResult,
    pub(super) results: BTreeMap<usize, CaseResult>,
    pub(super) restarts: usize,
    /// Accounts that the present instance has been given.
    pub(super) accounts: u64,
    /// An instance that is up already.
    pub(super) instance: Option<Box<dyn Instance>>,
}

/// A case whose first play met silence or lost its connection.
pub(super) struct Doubtful {
    pub(super) case: Case,
    pub(super) first: First,
    /// Whether the target died meanwhile, perhaps of another case.
    pub(super) interrupted: bool,
}

/// A first play that decides nothing.
pub(super) struct First {
    pub(super) evidence: Box<Evidence>,
    pub(super) missed: Missed,
    /// Whether other cases were in play.
    pub(super) in_company: bool,
}

/// What a first play missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missed {
    /// Something that never came, or on a wire where only a pause ends messages the rest of what came.
    Words,
    /// Its connection.
    Connection,
}

impl Group<'_> {
    pub(super) async fn run(mut self, cases: VecDeque<Case>) -> Decided {
        let all: Vec<Case> = cases.iter().cloned().collect();
        let stopped = self.rounds(cases).await.err();
        if let Some(error) = &stopped {
            for case in all {
                if !self.results.contains_key(&case.number) {
                    self.decide(
                        &case,
                        CaseResult::new(&self.target.dialect.name, &case.scenario, Verdict::NotReached, &error.why),
                    );
                }
            }
        }
        (self.results, stopped)
    }

    async fn rounds(&mut self, cases: VecDeque<Case>) -> Result<(), StartError> {
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.start().await?,
        };
        if !self.settings.regardless {
            let stage = self.stage(&*instance);
            if let Err(why) = life::preflight(&stage, &instance.address()).await {
                let error = StartError { why: life::ending(&mut instance, why).await, output: instance.output() };
                instance.stop().await;
                return Err(error);
            }
        }
        let (alone, shared): (VecDeque<Case>, VecDeque<Case>) =
            cases.into_iter().partition(|case| self.plays_alone(case));
        let result = self.all_rounds(&mut instance, shared).await;
        // Those that play alone start instances of their own, perhaps on the same port.
        instance.stop().await;
        result?;
        self.each_alone(alone).await
    }

    /// Starts an instance, unless the run must end before it is up.
    async fn start(&self) -> Result<Box<dyn Instance>, StartError> {
        match self.end().until(self.target.starter.start(&self.options)).await {
            Some(started) => started,
            None => Err(self.in_time().err().unwrap_or_else(|| StartError::new("the target was not up in time"))),
        }
    }

    /// Cases that may harm a weak server come last; what is doubtful is looked at again after all of them.
    async fn all_rounds(&mut self, instance: &mut Box<dyn Instance>, cases: VecDeque<Case>) -> Result<(), StartError> {
        let (transport, ordinary): (VecDeque<Case>, VecDeque<Case>) =
            cases.into_iter().partition(|case| case.scenario.transport);
        let mut doubtful = Vec::new();
        for mut cases in [ordinary, transport] {
            while !cases.is_empty() {
                let batch = self.batch(&mut cases);
                if batch.is_empty() {
                    self.renew(instance).await?;
                } else {
                    self.first_round(instance, batch, &mut doubtful).await?;
                }
            }
        }
        self.second_round(instance, doubtful).await
    }

    /// As many cases as the present instance still bears; none if it is used up.
    fn batch(&mut self, cases: &mut VecDeque<Case>) -> VecDeque<Case> {
        let Some(most) = self.target.accounts else { return std::mem::take(cases) };
        let mut batch = VecDeque::new();
        while let Some(case) = cases.front() {
            let accounts = accounts_of(case);
            // A case that no instance bears is played all the same, alone on a new one.
            if self.accounts > 0 && self.accounts + accounts > most {
                break;
            }
            self.accounts += accounts;
            batch.extend(cases.pop_front());
        }
        batch
    }

    /// A new instance in place of one that is used up or dead.
    pub(super) async fn renew(&mut self, instance: &mut Box<dyn Instance>) -> Result<(), StartError> {
        if !self.target.starter.is_ours() {
            let most = self.target.accounts.unwrap_or_default();
            return Err(StartError::new(format!(
                "the target bears {most} accounts, and the suite cannot start it anew"
            )));
        }
        let fresh: Box<dyn Instance> = Box::new(life::Gone);
        std::mem::replace(instance, fresh).stop().await;
        *instance = self.start().await?;
        self.accounts = 0;
        Ok(())
    }

    /// Plays cases side by side; when the instance dies, goes on with a new one.
    async fn first_round(
        &mut self,
        instance: &mut Box<dyn Instance>,
        cases: VecDeque<Case>,
        doubtful: &mut Vec<Doubtful>,
    ) -> Result<(), StartError> {
        let waiting = Arc::new(Mutex::new(cases));
        loop {
            let stage = Arc::new(self.stage(&**instance));
            let dead = Arc::new(AtomicBool::new(false));
            let mut players = JoinSet::new();
            let before = doubtful.len();
            let (results, mut coming) = tokio::sync::mpsc::unbounded_channel();
            let regardless = self.settings.regardless;
            for _ in 0..self.jobs() {
                let (waiting, stage, dead, names) = (waiting.clone(), stage.clone(), dead.clone(), self.names.clone());
                let (results, maker, end) = (results.clone(), self.ground(&**instance), self.end());
                players.spawn(async move {
                    while !dead.load(Ordering::Relaxed) && end.why().is_none() {
                        let Some(case) = waiting.lock().await.pop_front() else { return };
                        let playing = maker.play(&stage, &case.scenario, &names, case.number);
                        // What is cut off by the end of the run was not reached.
                        let Some(outcome) = end.clone().until(playing).await else { return };
                        let lost = !regardless && matches!(outcome, Outcome::Lost(_) | Outcome::Silent(_));
                        if lost && !life::proof(&stage).await {
                            dead.store(true, Ordering::Relaxed);
                        }
                        let _ = results.send((case, outcome));
                    }
                });
            }
            drop(results);
            while let Some((case, outcome)) = coming.recv().await {
                let (mut evidence, missed) = match outcome {
                    Outcome::Lost(evidence) => (evidence, Missed::Connection),
                    Outcome::Silent(evidence) => (evidence, Missed::Words),
                    Outcome::Failed(evidence) if self.target.dialect.answers_are_open() => (evidence, Missed::Words),
                    outcome => {
                        let mut result = judge(&self.target.dialect.name, &case, outcome);
                        with_output(&mut result, &**instance);
                        self.decide(&case, result);
                        continue;
                    }
                };
                // What it prints now is about this play; at the end of the run it is about others.
                evidence.output = instance.output();
                let first = First { evidence, missed, in_company: self.jobs() > 1 };
                doubtful.push(Doubtful { case, first, interrupted: false });
            }
            while players.join_next().await.is_some() {}
            self.in_time()?;
            if dead.load(Ordering::Relaxed) && !self.settings.regardless {
                doubtful[before..].iter_mut().for_each(|doubtful| doubtful.interrupted = true);
            }
            if !dead.load(Ordering::Relaxed) {
                if waiting.lock().await.is_empty() {
                    return Ok(());
                }
                continue;
            }
            let death = life::ending(instance, "the target stopped answering in the middle of the run".into()).await;
            self.restarts += 1;
            if !self.target.starter.is_ours() || self.restarts > RESTARTS {
                return Err(StartError { why: death, output: instance.output() });
            }
            self.renew(instance).await?;
            if waiting.lock().await.is_empty() {
                return Ok(());
            }
        }
    }

    /// How many cases play side by side.
    pub(super) fn jobs(&self) -> usize {
        let usual = if self.target.dialect.grpc.is_some() { GRPC_JOBS } else { JOBS };
        let jobs = self.settings.jobs.or(self.target.jobs).unwrap_or(usual).max(1);
        if self.target.lacks.contains("many_connections") { 1 } else { jobs }
    }

    /// When the whole run must end.
    pub(super) fn end(&self) -> End {
        End::of(self.settings, self.began)
    }

    /// Whether it goes on.
    pub(super) fn in_time(&self) -> Result<(), StartError> {
        match self.end().why() {
            Some(why) => Err(StartError::new(why)),
            None => Ok(()),
        }
    }

    pub(super) fn ground(&self, instance: &dyn Instance) -> Grounds {
        Grounds { address: instance.address(), starter: self.target.starter.clone(), options: self.options.clone() }
    }

    pub(super) fn stage(&self, instance: &dyn Instance) -> Stage<Network> {
        Stage {
            wire: self.network.clone(),
            ground: Arc::new(Open(instance.address())),
            dialect: self.target.dialect.clone(),
            spec: self.spec.clone(),
            patience: self.patience.clone(),
        }
    }

    pub(super) fn decide(&mut self, case: &Case, result: CaseResult) {
        if result.verdict != Verdict::NotReached {
            self.first.set(self.began.elapsed());
        }
        self.progress.decided(&result);
        self.results.insert(case.number, result);
    }
}

/// An outcome that needs no second look.
pub(super) fn judge(dialect: &str, case: &Case, outcome: Outcome) -> CaseResult {
    match outcome {
        Outcome::Passed(_) => CaseResult::new(dialect, &case.scenario, Verdict::Passed, ""),
        Outcome::Inapplicable(why) => CaseResult::new(dialect, &case.scenario, Verdict::NotApplicable, why),
        Outcome::Failed(evidence) => CaseResult::failed(dialect, &case.scenario, *evidence),
        Outcome::Undecided(evidence) | Outcome::Silent(evidence) | Outcome::Lost(evidence) => {
            let why = format!("preparation did not succeed: {}", evidence.seen);
            CaseResult::new(dialect, &case.scenario, Verdict::Inconclusive, why).with_evidence(*evidence)
        }
    }
}

/// Adds what an instance printed last, where a play had none of its own that printed something.
pub(super) fn with_output(result: &mut CaseResult, instance: &dyn Instance) {
    if let Some(evidence) = result.evidence.as_mut().filter(|evidence| evidence.output.is_empty()) {
        evidence.output = instance.output();
    }
}

/// Accounts that a case makes, roughly: its actors, and what its steps create.
fn accounts_of(case: &Case) -> u64 {
    let created = case.scenario.all_steps().filter_map(|step| match &step.verb {
        spec::scenario::Verb::Operation { name, .. } if name == "create_account" => Some(step.times),
        _ => None,
    });
    case.scenario.actors.len() as u64 + created.sum::<u64>()
}
