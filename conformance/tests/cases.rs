//! Every YAML scenario is a test of its own: the reference passes it over every dialect that can carry it, over real
//! sockets, and it can be played over at least one.
//!
//! Listing reads names only; a trial reads its own scenario and the protocol, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use conformance::finding::Verdict;
use conformance::run::{Quiet, Settings, run};
use conformance::select::{Filter, cases};
use conformance::target::{Target, embedded};
use libtest_mimic::{Arguments, Failed, Trial};
use spec::Spec;
use spec::dialect::Dialect;
use spec::error::Diagnostics;
use spec::scenario::{Entry, Scenario, list};
use spec::source::Source;

/// Nobody waits so long for a server that is right; a busy machine must not decide.
const DEADLINE: Duration = Duration::from_secs(5);

fn main() {
    let entries = list(&Source::embedded());
    let trials = entries.into_iter().map(|entry| Trial::test(entry.id(), move || passes(&entry)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

fn passes(entry: &Entry) -> Result<(), Failed> {
    let mut found = Diagnostics::default();
    let spec = Arc::new(Spec::read_protocol(&Source::embedded(), &mut found).ok_or_else(|| found.to_string())?);
    let scenario = Arc::new(entry.read(&spec.service, &mut found).ok_or_else(|| found.to_string())?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut passed = 0;
    for dialect in spec.dialects.values() {
        passed += played(&spec, dialect, &scenario, &runtime)?;
    }
    if passed == 0 && !scenario.when.is_empty() {
        // Choices that no embedded dialect makes: a wire that can carry them, with a server that makes them.
        let own = spec.dialect("framed").ok_or("framed is embedded")?;
        for dialect in std::iter::once(&own).chain(spec.dialects.values()) {
            let mut dialect = (**dialect).clone();
            let chosen = scenario.when.iter().map(|(policy, choices)| (policy.clone(), choices.0[0].clone()));
            dialect.policies.extend(chosen);
            passed += played(&spec, &Arc::new(dialect), &scenario, &runtime)?;
            if passed > 0 {
                break;
            }
        }
    }
    if passed > 0 { Ok(()) } else { Err("it can be played over no dialect".into()) }
}

/// How often the reference passed over a dialect.
fn played(
    spec: &Arc<Spec>,
    dialect: &Arc<Dialect>,
    scenario: &Arc<Scenario>,
    runtime: &tokio::runtime::Runtime,
) -> Result<usize, Failed> {
    let Ok(starter) = embedded(spec, dialect) else { return Ok(0) };
    let target = Target::new("the embedded reference", "", dialect.clone(), starter);
    let cases = cases(std::slice::from_ref(scenario), &target, &Filter::default());
    let settings = Settings { deadline: Some(DEADLINE), ..Settings::default() };
    let run = runtime.block_on(run(&target, spec, cases, &settings, &Quiet));
    let mut passed = 0;
    for result in &run.results {
        match result.verdict {
            Verdict::Passed => passed += 1,
            Verdict::NotApplicable => {}
            verdict => return Err(format!("{}: {verdict}: {}\n{:#?}", result.id, result.why, result.evidence).into()),
        }
    }
    Ok(passed)
}
