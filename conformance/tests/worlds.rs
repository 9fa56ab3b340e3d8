//! One scenario, every world: what passes over real sockets passes in simulated time, and a seed repeats a play exactly.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use conformance::drive::Outcome;
use conformance::select::{Filter, cases, scenarios};
use conformance::sim::net::Turmoil;
use conformance::sim::play::play;
use conformance::target::{Target, embedded};
use reference_client::Client;
use reference_server::net::Net as _;
use reference_server::world::World;
use reference_server::{Chat, Cost, Limits, Options, Server};
use spec::Spec;
use spec::dialect::Dialect;
use spec::message::Event;
use spec::scenario::Scenario;

fn framed() -> (Arc<Spec>, Arc<Dialect>, Vec<Arc<Scenario>>) {
    let spec = Arc::new(Spec::embedded().clone());
    let dialect = spec.dialect("framed").expect("it is embedded");
    let scenarios = scenarios(&spec).expect("they are without mistakes");
    let starter = embedded(&spec, &dialect).expect("it needs nothing");
    let target = Target::new("the reference", "", dialect.clone(), starter);
    let cases = cases(&scenarios, &target, &Filter::default()).into_iter();
    let apply = cases.filter(|case| case.ruled_out.is_none()).map(|case| case.scenario).collect();
    (spec, dialect, apply)
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

/// The reference client, unchanged, on the simulated network: what two of them say to each other arrives, and again
/// to the same moment when the seed is the same.
#[test]
fn the_reference_client_talks_in_simulated_time_as_it_does_in_ours() {
    let talk = |seed: u64| {
        let mut simulation = turmoil::Builder::new()
            .rng_seed(seed)
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(Duration::from_millis(100))
            .build();
        simulation.host("server", move || async move {
            let limit = |name: &str| Spec::embedded().service.limit(name);
            let dialect = Spec::embedded().dialect("framed").expect("it is embedded");
            let world = World::seeded(seed, || turmoil::since_epoch().map_or(0, |time| time.as_millis() as u64));
            let (core, options) = (Chat::new(Limits::new(limit)), Options::new(limit, Cost::Test));
            let _running = Server::start(Turmoil, "0.0.0.0:6262", core, world, dialect, options).await?;
            std::future::pending().await
        });
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearing = heard.clone();
        simulation.client("clients", async move {
            let dialect = Spec::embedded().dialect("framed").expect("it is embedded");
            let mut people = Vec::new();
            for name in ["alice", "bob"] {
                let mut client = Client::over(Turmoil.connect("server:6262").await?, dialect.clone());
                client.create_account(name, "secret").await?;
                client.log_in(name, "secret", false).await?;
                people.push(client);
            }
            for text in ["one", "two", "three"] {
                people[0].send_message("bob", text).await?;
            }
            for _ in 0..3 {
                let Some(Event::Message(message)) = people[1].next_event().await? else { break };
                let at = turmoil::elapsed();
                hearing.lock().expect("nobody panics").push((at, message.text));
            }
            Ok(())
        });
        simulation.run().expect("nobody fails");
        drop(simulation);
        Arc::try_unwrap(heard).expect("the simulation is over").into_inner().expect("nobody panics")
    };
    let texts: Vec<String> = talk(1).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    assert_eq!(talk(1), talk(1));
    assert_ne!(talk(1), talk(2));
}
