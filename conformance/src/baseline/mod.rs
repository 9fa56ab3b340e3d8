//! Servers that are wrong as a whole, and what the suite lets them pass: the measure of how much its claims claim.
//!
//! A scenario that a server passes which does nothing says nothing about any server. `blunt` servers do not speak the
//! protocol; `hollow` ones speak it well and keep nothing. `server` is what they have in common.
//! Not here: servers with one mistake (`mutant`).

mod blunt;
mod hollow;
mod server;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use spec::Spec;
use spec::dialect::Dialect;
use spec::scenario::Scenario;
use tokio::task::JoinSet;

use crate::finding::Verdict;
use crate::run::{Quiet, Settings, run};
use crate::select::{self, Filter};
use crate::target::{NotBuilt, Target};
use server::Nature;

/// Servers side by side: most of the time is spent waiting for what never comes.
const SERVERS: usize = 2;

/// Cases side by side against each: the sockets of both ends, for all servers, fit into 1,024.
const JOBS: usize = 50;

/// The first deadline. All of these servers live in this process, and what they do not say at once they never say.
const DEADLINE: Duration = Duration::from_millis(25);

/// A server that is wrong as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Baseline {
    /// What it is called.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    nature: Nature,
}

/// What one of them passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// What it is called.
    pub name: String,
    /// What it does.
    pub about: String,
    /// How many cases it passes.
    pub passed: usize,
    /// How many cases apply.
    pub counted: usize,
    /// The ids of the cases that it passes.
    pub passed_ids: Vec<String>,
}

/// All of them, the bluntest first.
pub fn all() -> Vec<Baseline> {
    blunt::ALL.iter().chain(hollow::ALL).copied().collect()
}

/// What each of them passes of these scenarios, over a dialect.
///
/// # Errors
/// This program was built without what the dialect needs.
pub async fn scores(
    spec: &Arc<Spec>,
    scenarios: &[Arc<Scenario>],
    dialect: Arc<Dialect>,
) -> Result<Vec<Score>, NotBuilt> {
    let mut waiting = all().into_iter().enumerate();
    let (mut measured, mut scores) = (JoinSet::new(), BTreeMap::new());
    loop {
        while measured.len() < SERVERS
            && let Some((place, baseline)) = waiting.next()
        {
            let (spec, scenarios, dialect) = (spec.clone(), scenarios.to_vec(), dialect.clone());
            measured.spawn(async move { (place, baseline.score(&spec, &scenarios, &dialect).await) });
        }
        match measured.join_next().await {
            Some(Ok((place, score))) => drop(scores.insert(place, score?)),
            Some(Err(died)) => std::panic::resume_unwind(died.into_panic()),
            None => return Ok(scores.into_values().collect()),
        }
    }
}

impl Baseline {
    /// What it passes.
    ///
    /// # Errors
    /// This program was built without what the dialect needs.
    pub async fn score(
        &self,
        spec: &Arc<Spec>,
        scenarios: &[Arc<Scenario>],
        dialect: &Arc<Dialect>,
    ) -> Result<Score, NotBuilt> {
        let server = server::starter(self.nature, spec, dialect)?;
        let target = Target::new(self.name, self.name, Arc::clone(dialect), server);
        let cases = select::cases(scenarios, &target, &Filter::default());
        let settings = Settings { jobs: Some(JOBS), deadline: Some(DEADLINE), regardless: true, ..Settings::default() };
        let run = run(&target, spec, cases, &settings, &Quiet).await;
        let passed = run.results.iter().filter(|result| result.verdict == Verdict::Passed);
        let passed_ids: Vec<String> = passed.map(|result| result.id.clone()).collect();
        Ok(Score {
            name: self.name.to_owned(),
            about: self.about.to_owned(),
            passed: passed_ids.len(),
            counted: run.results.len() - run.count(Verdict::NotApplicable),
            passed_ids,
        })
    }
}
