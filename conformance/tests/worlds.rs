//! One scenario, every world: what passes over real sockets passes in simulated time, and a seed repeats a play exactly.

use std::collections::BTreeMap;
use std::sync::Arc;

use conformance::drive::Outcome;
use conformance::select::scenarios;
use conformance::sim::play::play;
use spec::Spec;
use spec::dialect::Dialect;
use spec::scenario::Scenario;

fn framed() -> (Arc<Spec>, Arc<Dialect>, Vec<Arc<Scenario>>) {
    let spec = Arc::new(Spec::embedded().clone());
    let dialect = spec.dialect("framed").expect("it is embedded");
    let scenarios = scenarios(&spec).expect("they are without mistakes");
    (spec, dialect, scenarios)
}

/// Real sockets are the business of `tests/cases.rs`, where each of these scenarios passes by its name.
#[test]
fn every_scenario_passes_in_simulated_time_as_over_real_sockets() {
    let (spec, dialect, scenarios) = framed();
    let mut different = Vec::new();
    for (seed, scenario) in scenarios.iter().enumerate() {
        match play(&spec, &dialect, scenario, seed as u64).outcome {
            Outcome::Passed(_) => {}
            other => different.push(format!("{}: {other:#?}", scenario.id())),
        }
    }
    assert!(different.is_empty(), "{} of {}:\n{}", different.len(), scenarios.len(), different.join("\n"));
}

/// The plays in which links are held, released and cut, a client goes silent, and the server crashes and comes back.
#[test]
fn every_seed_twice_gives_the_identical_trace_over_a_hundred_seeds() {
    let (spec, dialect, scenarios) = framed();
    let broken = |scenario: &&Arc<Scenario>| scenario.crashes_the_server() || !scenario.broken_links().is_empty();
    let plays: Vec<&Arc<Scenario>> = scenarios.iter().filter(broken).collect();
    assert!(plays.len() >= 5, "only {} plays break something", plays.len());
    let mut traces: BTreeMap<String, std::collections::BTreeSet<u64>> = BTreeMap::new();
    for seed in 0..100 {
        let scenario = plays[seed as usize % plays.len()];
        let (first, second) = (play(&spec, &dialect, scenario, seed), play(&spec, &dialect, scenario, seed));
        assert!(
            matches!(first.outcome, Outcome::Passed(_)),
            "{} with seed {seed}: {:#?}",
            scenario.id(),
            first.outcome
        );
        assert_eq!(first.trace, second.trace, "{} with seed {seed} is not repeated", scenario.id());
        traces.entry(scenario.id()).or_default().insert(first.trace);
    }
    // Were the seed without influence, the same trace twice would prove nothing.
    for (id, traces) in traces {
        assert!(traces.len() > 1, "no seed changes {id}");
    }
}
