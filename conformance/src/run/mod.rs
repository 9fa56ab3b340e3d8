//! A run: all cases of a target, played side by side, and what came of each.
//!
//! Three rounds. The first plays the cases; those in which something never came, or a connection was lost, are
//! played again at the end by themselves (`second`), because silence alone convicts nobody. Cases that need a server with
//! other options have an instance of their own. If the target is plainly not there, or dies and cannot be started
//! again, the rest is *never reached*, and said to be.
//!
//! Not here: one play (`drive`), or how any of it is shown (`report`).

mod life;
mod second;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reference_server::net::Tcp;
use reference_server::world::World;
use spec::Spec;
use spec::scenario::Scenario;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::drive::{Names, Outcome, Patience, Play, Stage};
use crate::fault::{Fragile, Open};
use crate::finding::{CaseResult, Evidence, Verdict};
use crate::select::Case;
use crate::target::{Instance, ServerOptions, StartError, Starter, Target};

/// Cases side by side against a target that says nothing about it.
const JOBS: usize = 16;

/// How often a target that dies is started again.
const RESTARTS: usize = 32;

/// How a run is done.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Cases side by side.
    pub jobs: Option<usize>,
    /// The shortest deadline.
    pub deadline: Option<Duration>,
    /// Plays even if the target is plainly not there: for measuring what such a target would pass.
    pub regardless: bool,
    /// Bounds the whole run.
    pub at_most: Option<Duration>,
}

/// Hears of results as they come.
pub trait Progress: Send + Sync {
    /// So many cases will run.
    fn planned(&self, _cases: usize) {}
    /// A case is decided.
    fn decided(&self, _result: &CaseResult) {}
    /// So many cases are played again.
    fn again(&self, _cases: usize) {}
}

/// Hears nothing.
#[derive(Debug, Clone, Copy)]
pub struct Quiet;
impl Progress for Quiet {}

/// What came of a run.
#[derive(Debug)]
pub struct Run {
    /// One for each case, in order.
    pub results: Vec<CaseResult>,
    /// Why the target could not be judged to the end.
    pub stopped: Option<StartError>,
    /// How long it took.
    pub elapsed: Duration,
    /// When the first result was there, counted from the start.
    pub first_result: Option<Duration>,
}

impl Run {
    /// How many cases have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.results.iter().filter(|result| result.verdict == verdict).count()
    }
}

/// Runs cases against a target.
pub async fn run(target: &Target, spec: &Arc<Spec>, cases: Vec<Case>, settings: &Settings, progress: &dyn Progress) -> Run {
    let began = Instant::now();
    let names = Names::new(&World::real());
    let mut results: BTreeMap<usize, CaseResult> = BTreeMap::new();
    let mut groups: BTreeMap<(bool, ServerOptions), VecDeque<Case>> = BTreeMap::new();
    for case in cases {
        match &case.ruled_out {
            Some(why) => {
                let result = CaseResult::new(&target.dialect.name, &case.scenario, Verdict::NotApplicable, why);
                results.insert(case.number, result);
            }
            None => {
                let options = case.scenario.server.clone();
                groups.entry((!options.is_empty(), options)).or_default().push_back(case);
            }
        }
    }
    progress.planned(groups.values().map(VecDeque::len).sum());
    let first = AtomicU64Time::default();
    let patience = Patience::new(settings.deadline);
    let mut stopped = None;
    // Instances side by side where they cannot be in each other's way; a fixed port can be had by one alone.
    let mut tasks = Vec::new();
    for ((_, options), cases) in groups {
        let group = Group {
            target,
            spec,
            settings,
            progress,
            names: &names,
            options,
            patience: patience.clone(),
            began,
            first: &first,
            results: BTreeMap::new(),
            restarts: 0,
        };
        tasks.push(group.run(cases));
    }
    let groups = if target.starter.is_ours() { side_by_side(tasks).await } else { one_by_one(tasks).await };
    for (decided, why) in groups {
        results.extend(decided);
        stopped = stopped.or(why);
    }
    Run { results: results.into_values().collect(), stopped, elapsed: began.elapsed(), first_result: first.get() }
}

type Decided = (BTreeMap<usize, CaseResult>, Option<StartError>);

async fn one_by_one<F: Future<Output = Decided>>(tasks: Vec<F>) -> Vec<Decided> {
    let mut decided = Vec::new();
    for task in tasks {
        decided.push(task.await);
    }
    decided
}

async fn side_by_side<F: Future<Output = Decided>>(tasks: Vec<F>) -> Vec<Decided> {
    let mut tasks: Vec<_> = tasks.into_iter().map(|task| (Box::pin(task), None)).collect();
    std::future::poll_fn(|context| {
        let mut waiting = false;
        for (task, done) in &mut tasks {
            if done.is_none() {
                match task.as_mut().poll(context) {
                    std::task::Poll::Ready(decided) => *done = Some(decided),
                    std::task::Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    tasks.into_iter().filter_map(|(_, done)| done).collect()
}

/// The moment of the first result, in microseconds; 0 is none.
#[derive(Debug, Default)]
struct AtomicU64Time(std::sync::atomic::AtomicU64);

impl AtomicU64Time {
    fn set(&self, elapsed: Duration) {
        let now = (elapsed.as_micros() as u64).max(1);
        let _ = self.0.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn get(&self) -> Option<Duration> {
        Some(self.0.load(Ordering::Relaxed)).filter(|at| *at > 0).map(Duration::from_micros)
    }
}

/// The cases that share an instance.
struct Group<'a> {
    target: &'a Target,
    spec: &'a Arc<Spec>,
    settings: &'a Settings,
    progress: &'a dyn Progress,
    names: &'a Names,
    options: ServerOptions,
    patience: Patience,
    began: Instant,
    first: &'a AtomicU64Time,
    results: BTreeMap<usize, CaseResult>,
    restarts: usize,
}

/// A case whose first play met silence or lost its connection.
struct Doubtful {
    case: Case,
    first: Box<Evidence>,
    silent: bool,
}

impl Group<'_> {
    async fn run(mut self, cases: VecDeque<Case>) -> Decided {
        let all: Vec<Case> = cases.iter().cloned().collect();
        let stopped = self.rounds(cases).await.err();
        if let Some(error) = &stopped {
            for case in all {
                if !self.results.contains_key(&case.number) {
                    self.decide(&case, CaseResult::new(&self.target.dialect.name, &case.scenario, Verdict::NotReached, &error.why));
                }
            }
        }
        (self.results, stopped)
    }

    async fn rounds(&mut self, cases: VecDeque<Case>) -> Result<(), StartError> {
        let mut instance = self.target.starter.start(&self.options).await?;
        if !self.settings.regardless {
            let stage = self.stage(&instance);
            if let Err(why) = life::preflight(&stage, &instance.address()).await {
                let error = StartError { why: life::ending(&mut instance, why), output: instance.output() };
                instance.stop().await;
                return Err(error);
            }
        }
        let (transport, ordinary): (VecDeque<Case>, VecDeque<Case>) =
            cases.into_iter().partition(|case| case.scenario.transport);
        let mut doubtful = Vec::new();
        let mut result = Ok(());
        for mut cases in [ordinary, transport] {
            let mut batch = self.batch(&mut cases);
            while !batch.is_empty() {
                result = self.first_round(&mut instance, batch, &mut doubtful).await;
                if result.is_err() {
                    break;
                }
                batch = self.batch(&mut cases);
                if !batch.is_empty() && self.target.accounts.is_some() {
                    result = self.renew(&mut instance).await;
                }
            }
            if result.is_err() {
                break;
            }
        }
        if result.is_ok() {
            result = self.second_round(&mut instance, doubtful).await;
        }
        instance.stop().await;
        result
    }

    /// As many cases as one instance bears.
    fn batch(&self, cases: &mut VecDeque<Case>) -> VecDeque<Case> {
        let Some(most) = self.target.accounts else { return std::mem::take(cases) };
        let (mut batch, mut accounts) = (VecDeque::new(), 0);
        while let Some(case) = cases.front() {
            accounts += accounts_of(case);
            if accounts > most && !batch.is_empty() {
                break;
            }
            batch.extend(cases.pop_front());
        }
        batch
    }

    /// A new instance in place of one that is used up or dead.
    async fn renew(&mut self, instance: &mut Box<dyn Instance>) -> Result<(), StartError> {
        if !self.target.starter.is_ours() {
            let most = self.target.accounts.unwrap_or_default();
            return Err(StartError::new(format!("the target bears {most} accounts, and the suite cannot start it anew")));
        }
        let fresh: Box<dyn Instance> = Box::new(life::Gone);
        std::mem::replace(instance, fresh).stop().await;
        *instance = self.target.starter.start(&self.options).await?;
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
            let stage = Arc::new(self.stage(instance));
            let dead = Arc::new(AtomicBool::new(false));
            let mut players = JoinSet::new();
            let (results, mut coming) = tokio::sync::mpsc::unbounded_channel();
            let jobs = self.settings.jobs.or(self.target.jobs).unwrap_or(JOBS);
            let jobs = if self.target.lacks.contains("many_connections") { 1 } else { jobs };
            for _ in 0..jobs.max(1) {
                let (waiting, stage, dead, names) = (waiting.clone(), stage.clone(), dead.clone(), self.names.clone());
                let (results, maker, end) = (results.clone(), self.ground(instance), self.end());
                players.spawn(async move {
                    while !dead.load(Ordering::Relaxed) && end.is_none_or(|end| Instant::now() < end) {
                        let Some(case) = waiting.lock().await.pop_front() else { return };
                        let outcome = maker.play(&stage, &case.scenario, &names, case.number).await;
                        let lost = matches!(outcome, Outcome::Lost(_) | Outcome::Silent(_));
                        if lost && !life::proof(&stage).await {
                            dead.store(true, Ordering::Relaxed);
                        }
                        let _ = results.send((case, outcome));
                    }
                });
            }
            drop(results);
            while let Some((case, outcome)) = coming.recv().await {
                match outcome {
                    Outcome::Lost(first) => doubtful.push(Doubtful { case, first, silent: false }),
                    Outcome::Silent(first) => doubtful.push(Doubtful { case, first, silent: true }),
                    outcome => {
                        let result = self.judge(&case, outcome);
                        self.decide(&case, result);
                    }
                }
            }
            while players.join_next().await.is_some() {}
            self.in_time()?;
            if !dead.load(Ordering::Relaxed) || self.settings.regardless {
                if waiting.lock().await.is_empty() {
                    return Ok(());
                }
                continue;
            }
            let death = life::ending(instance, "the target stopped answering in the middle of the run".into());
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

    /// When the whole run must end.
    fn end(&self) -> Option<Instant> {
        self.settings.at_most.map(|at_most| self.began + at_most)
    }

    /// Whether there is time left.
    fn in_time(&self) -> Result<(), StartError> {
        match self.settings.at_most {
            Some(at_most) if self.began.elapsed() >= at_most => {
                Err(StartError::new(format!("the run was to take {} s at most", at_most.as_secs())))
            }
            _ => Ok(()),
        }
    }

    fn ground(&self, instance: &Box<dyn Instance>) -> Grounds {
        Grounds {
            address: instance.address(),
            starter: self.target.starter.clone(),
            options: self.options.clone(),
        }
    }

    fn stage(&self, instance: &Box<dyn Instance>) -> Stage<Tcp> {
        Stage {
            wire: Tcp,
            ground: Arc::new(Open(instance.address())),
            dialect: self.target.dialect.clone(),
            spec: self.spec.clone(),
            patience: self.patience.clone(),
        }
    }

    /// An outcome that needs no second look.
    fn judge(&self, case: &Case, outcome: Outcome) -> CaseResult {
        let dialect = &self.target.dialect.name;
        match outcome {
            Outcome::Passed(_) => CaseResult::new(dialect, &case.scenario, Verdict::Passed, ""),
            Outcome::Failed(evidence) => CaseResult::failed(dialect, &case.scenario, *evidence),
            Outcome::Undecided(evidence) | Outcome::Silent(evidence) | Outcome::Lost(evidence) => {
                let why = format!("preparation did not succeed: {}", evidence.seen);
                CaseResult::new(dialect, &case.scenario, Verdict::Inconclusive, why).with_evidence(*evidence)
            }
        }
    }

    fn decide(&mut self, case: &Case, result: CaseResult) {
        if result.verdict != Verdict::NotReached {
            self.first.set(self.began.elapsed());
        }
        self.progress.decided(&result);
        self.results.insert(case.number, result);
    }
}

/// Makes the ground that a play needs: where nothing breaks, the one that all share.
#[derive(Clone)]
struct Grounds {
    address: String,
    starter: Arc<dyn Starter>,
    options: ServerOptions,
}

impl Grounds {
    async fn play(&self, stage: &Stage<Tcp>, scenario: &Arc<Scenario>, names: &Names, number: usize) -> Outcome {
        if !Fragile::is_needed(scenario) {
            return Play::play(stage, scenario, names, number).await;
        }
        match Fragile::new(scenario, &self.address, self.starter.clone(), self.options.clone()).await {
            Ok(ground) => {
                let stage = Stage { ground: Arc::new(ground), ..stage.clone() };
                Play::play(&stage, scenario, names, number).await
            }
            Err(error) => Outcome::Undecided(Box::new(Evidence::of_start(scenario, error))),
        }
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
