//! The suite, judged: servers that are wrong as a whole pass next to nothing, over every wire.
//!
//! A trial is a dialect, and all of these servers over it.

use std::sync::{Arc, OnceLock};

use conformance::baseline::{self, Score};
use conformance::select;
use libtest_mimic::{Arguments, Failed, Trial};
use spec::Spec;
use spec::dialect::Dialect;
use spec::scenario::Scenario;

/// The most that such a server may pass, in percent. Other suites let them pass half.
const MOST_PERCENT: usize = 5;

/// With fewer cases a percentage says nothing. The wires with the fewest operations carry as many.
const FEWEST_CASES: usize = 70;

fn main() {
    let is_built = |dialect: &&Arc<Dialect>| cfg!(feature = "grpc") || dialect.grpc.is_none();
    let trials = Spec::embedded().dialects.values().filter(is_built).map(|dialect| {
        let dialect = Arc::clone(dialect);
        Trial::test(format!("whoever_does_nothing_passes_next_to_nothing::{}", dialect.name), move || measure(dialect))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

fn measure(dialect: Arc<Dialect>) -> Result<(), Failed> {
    let World { spec, scenarios } = world();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let scores = runtime.block_on(baseline::scores(spec, scenarios, dialect))?;
    let wrong: Vec<String> = scores.iter().filter_map(too_much).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.concat().into()) }
}

/// What a server passes, if that is too much, or out of too few.
fn too_much(score: &Score) -> Option<String> {
    let Score { name, about, passed, counted, passed_ids } = score;
    let fine = *counted >= FEWEST_CASES && passed * 100 <= counted * MOST_PERCENT;
    (!fine).then(|| format!("{passed} of {counted} · {name}: {about}\n    {}\n", passed_ids.join("\n    ")))
}

/// What all trials share.
struct World {
    spec: Arc<Spec>,
    scenarios: Vec<Arc<Scenario>>,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let spec = Arc::new(Spec::embedded().clone());
        let scenarios = select::scenarios(&spec).unwrap_or_else(|found| panic!("{found}"));
        World { spec, scenarios }
    })
}
