//! A run: all cases of a target, played side by side, and what came of each.
//!
//! The first round plays the cases that share an instance; those in which something never came, or a connection was
//! lost, are played again at the end by themselves (`second`), because silence alone convicts nobody. Cases that need a
//! server with other options have an instance of their own, and so has each case that may harm a weak server. If the
//! target is plainly not there, or dies and cannot be started again, the rest is *never reached*, and said to be.
//!
//! `policies` looks beforehand which choices the target follows, `group` plays the cases that share an instance,
//! `second` plays doubtful ones again, `alone` plays those that have an instance each, `life` looks whether anybody is there. Not here: one play (`drive`), or how any of it is shown (`report`).

mod alone;
mod end;
mod group;
mod life;
mod policies;
mod second;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reference_server::world::World;
use spec::Spec;
use tokio::sync::watch;
use tokio::time::Instant;

pub use policies::{Difference, choices_written};
pub(crate) use second::{IN_COMPANY, MORE_TIME};

use crate::drive::{Names, Network, Patience};
use crate::finding::{CaseResult, Verdict};
use crate::run::end::End;
use crate::run::group::Group;
use crate::select::Case;
use crate::target::{ServerOptions, StartError, Target};

/// How a run is done.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Cases side by side.
    pub jobs: Option<usize>,
    /// The shortest deadline.
    pub deadline: Option<Duration>,
    /// Plays once, even if the target is plainly not there: for measuring what such a target would pass.
    pub regardless: bool,
    /// Bounds the whole run.
    pub at_most: Option<Duration>,
    /// Becomes true when its user wants no more.
    pub unwanted: Option<watch::Receiver<bool>>,
    /// Looks before the cases whether the target follows the policies that it declares.
    pub looks_at_policies: bool,
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
    /// Policies in which the target follows another choice than it declares.
    pub differences: Vec<Difference>,
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
pub async fn run(
    target: &Target,
    spec: &Arc<Spec>,
    mut cases: Vec<Case>,
    settings: &Settings,
    progress: &dyn Progress,
) -> Run {
    let began = Instant::now();
    let names = Names::new(&World::real());
    let patience = Patience::new(settings.deadline);
    let network = Network::of(&target.dialect, spec);
    let not_built = network.as_ref().err().map(ToString::to_string);
    let network = network.unwrap_or(Network::Tcp);
    let end = End::of(settings, began);
    let looked = match settings.looks_at_policies && not_built.is_none() {
        true => policies::look(target, &network, spec, &mut cases, &names, &patience, end).await,
        false => policies::Looked::default(),
    };
    let policies::Looked { differences, mut instance, accounts } = looked;
    let target = &policies::as_seen(target, &differences);
    let mut results: BTreeMap<usize, CaseResult> = BTreeMap::new();
    let mut groups: BTreeMap<(bool, ServerOptions), VecDeque<Case>> = BTreeMap::new();
    for case in cases {
        let ruled_out = not_built.as_ref().or(case.ruled_out.as_ref()).map(|why| (Verdict::NotApplicable, why));
        match ruled_out.or(case.not_judged.as_ref().map(|why| (Verdict::NotJudged, why))) {
            Some((verdict, why)) => {
                let result = CaseResult::new(&target.dialect.name, &case.scenario, verdict, why);
                results.insert(case.number, result);
            }
            None => {
                let options = case.scenario.server.clone();
                groups.entry((!options.is_empty(), options)).or_default().push_back(case);
            }
        }
    }
    progress.planned(groups.values().map(VecDeque::len).sum());
    let first = FirstResult::default();
    let mut stopped = None;
    // Instances side by side where they cannot be in each other's way; a fixed port can be had by one alone.
    let mut tasks = Vec::new();
    for ((_, options), cases) in groups {
        // What was looked at was started like those that are started with nothing special.
        let (instance, accounts) = if options.is_empty() { (instance.take(), accounts) } else { (None, 0) };
        let group = Group {
            target,
            network: network.clone(),
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
            accounts,
            instance,
        };
        tasks.push(group.run(cases));
    }
    if let Some(instance) = instance {
        instance.stop().await;
    }
    let groups = if target.starter.bears_several() { side_by_side(tasks).await } else { one_by_one(tasks).await };
    for (decided, why) in groups {
        results.extend(decided);
        stopped = stopped.or(why);
    }
    let results = results.into_values().collect();
    Run { results, differences, stopped, elapsed: began.elapsed(), first_result: first.get() }
}

/// Results by the numbers of their cases, and why there are not all.
type Decided = (BTreeMap<usize, CaseResult>, Option<StartError>);

async fn one_by_one<F: Future<Output = Decided>>(tasks: Vec<F>) -> Vec<Decided> {
    let mut decided = Vec::new();
    for task in tasks {
        decided.push(task.await);
    }
    decided
}

/// Does all at the same time, and gives what came of each in their order.
pub async fn side_by_side<F: Future>(tasks: Vec<F>) -> Vec<F::Output> {
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
struct FirstResult(AtomicU64);

impl FirstResult {
    fn set(&self, elapsed: Duration) {
        let now = (elapsed.as_micros() as u64).max(1);
        let _ = self.0.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn get(&self) -> Option<Duration> {
        Some(self.0.load(Ordering::Relaxed)).filter(|at| *at > 0).map(Duration::from_micros)
    }
}
