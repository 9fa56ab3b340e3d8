//! The suite, judged: every server that is wrong on purpose is caught, by the requirements that it breaks.
//!
//! A trial starts a mutant, plays the cases that check one of its `caught_by`, and asks that each of these is convicted
//! at least once. The reference itself and servers with unusual habits play the same cases, and nobody is convicted.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use conformance::finding::{CaseResult, Verdict};
use conformance::mutant::{self, Mutant};
use conformance::run::{Quiet, Settings, run};
use conformance::select::{self, Filter};
use conformance::target::{Reference, Starter, Target};
use libtest_mimic::{Arguments, Failed, Trial};
use spec::Spec;
use spec::dialect::Dialect;
use spec::requirement::JudgedBy;
use spec::scenario::Scenario;

/// Shorter than for strangers: a mutant that does not answer is looked at again, with ten times as much time.
const DEADLINE: Duration = Duration::from_millis(50);

fn main() {
    let mut trials = vec![
        Trial::test("every_mutant_has_a_name_of_its_own", names_are_unique),
        Trial::test("every_requirement_catches_a_mutant", no_requirement_is_idle),
    ];
    let caught_by = mutant::all().iter().flat_map(|mutant| mutant.caught_by).map(|id| (*id).to_owned()).collect();
    trials.push(Trial::test("the_reference_is_convicted_of_nothing", move || {
        let world = world();
        let dialect = world.spec.dialect("framed").expect("the protocol's own wire");
        let starter = Arc::new(Reference::new(world.spec.clone(), dialect.clone()));
        convicted_of_nothing(dialect, starter, &caught_by)
    }));
    for unusual in mutant::unusual() {
        trials.push(Trial::test(format!("right::{}", unusual.name), move || {
            let spec = &world().spec;
            convicted_of_nothing(unusual.dialect(spec), unusual.starter(spec), &BTreeSet::new())
        }));
    }
    for mutant in mutant::all() {
        trials.push(Trial::test(format!("mutant::{}", mutant.name), move || caught(&mutant)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn names_are_unique() -> Result<(), Failed> {
    let mutants = mutant::all();
    let names: BTreeSet<_> = mutants.iter().map(|mutant| mutant.name).collect();
    let nameless = mutants.iter().find(|mutant| mutant.about.is_empty() || mutant.caught_by.is_empty());
    match nameless {
        Some(mutant) => Err(format!("{} has no reason, or nothing that catches it", mutant.name).into()),
        None if names.len() < mutants.len() => Err("two mutants have one name".into()),
        None => Ok(()),
    }
}

/// A requirement that nothing wrong was ever caught by may be one that nothing can be caught by.
fn no_requirement_is_idle() -> Result<(), Failed> {
    let mutants = mutant::all();
    let at_work: BTreeSet<&str> = mutants.iter().flat_map(|mutant| mutant.caught_by).copied().collect();
    let played = world().spec.requirements().filter(|requirement| requirement.judged_by == JudgedBy::Scenario);
    let idle: Vec<&str> =
        played.map(|requirement| requirement.id.as_str()).filter(|id| !at_work.contains(id)).collect();
    if idle.is_empty() { Ok(()) } else { Err(format!("no mutant is caught by {idle:?}").into()) }
}

fn caught(mutant: &Mutant) -> Result<(), Failed> {
    let world = world();
    let wanted: BTreeSet<String> = mutant.caught_by.iter().map(|id| (*id).to_owned()).collect();
    if let Some(id) = wanted.iter().find(|id| world.spec.requirement(id).is_none()) {
        return Err(format!("there is no requirement {id}").into());
    }
    let settings = Settings { deadline: Some(DEADLINE), ..Settings::default() };
    let results = judge(mutant.dialect(&world.spec), mutant.starter(&world.spec), &wanted, &settings)?;
    let convicted: BTreeSet<String> = results.iter().flat_map(CaseResult::convicted).map(str::to_owned).collect();
    let missing: Vec<&String> = wanted.difference(&convicted).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?} did not catch it\n{}", told(&results)).into()) }
}

fn convicted_of_nothing(
    dialect: Arc<Dialect>,
    starter: Arc<dyn Starter>,
    requirements: &BTreeSet<String>,
) -> Result<(), Failed> {
    let results = judge(dialect, starter, requirements, &Settings::default())?;
    let fine = |result: &CaseResult| matches!(result.verdict, Verdict::Passed | Verdict::NotApplicable);
    if results.iter().all(fine) { Ok(()) } else { Err(told(&results).into()) }
}

/// Plays the cases that check one of these requirements. If there are none: all, but for those that set the server a
/// short time for something, which is too short for one that takes its time.
fn judge(
    dialect: Arc<Dialect>,
    starter: Arc<dyn Starter>,
    requirements: &BTreeSet<String>,
    settings: &Settings,
) -> Result<Vec<CaseResult>, Failed> {
    let world = world();
    let target = Target::new("mutant", "mutant", dialect, starter);
    let filter = Filter { requirements: requirements.iter().cloned().collect(), ..Filter::default() };
    let mut cases = select::cases(&world.scenarios, &target, &filter);
    cases.retain(|case| !requirements.is_empty() || case.scenario.server.is_empty());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = runtime.block_on(run(&target, &world.spec, cases, settings, &Quiet));
    match run.stopped {
        Some(error) => Err(format!("{error}\n{}", told(&run.results)).into()),
        None => Ok(run.results),
    }
}

/// What came of the cases that did not pass.
fn told(results: &[CaseResult]) -> String {
    let mut text = String::new();
    for result in results.iter().filter(|result| result.verdict != Verdict::Passed) {
        text += &format!("{} {}: {}\n", result.verdict, result.id, result.why);
        if let Some(evidence) = &result.evidence {
            text += &format!("    {}: `{}` and not `{}`\n", evidence.place, evidence.expected, evidence.seen);
        }
    }
    let passed = results.iter().filter(|result| result.verdict == Verdict::Passed).count();
    text + &format!("{passed} of {} cases passed", results.len())
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
