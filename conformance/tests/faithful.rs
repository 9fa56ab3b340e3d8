//! The suite, judged by the past: every recorded fault of the systems that the dialects come from is found over its own
//! wire, by the requirement that names it, and nothing else is reported.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use conformance::finding::{CaseResult, Verdict};
use conformance::mutant::{self, Mutant};
use conformance::run::{Quiet, Settings, run};
use conformance::select::{self, Filter};
use conformance::target::Target;
use libtest_mimic::{Arguments, Failed, Trial};
use spec::Spec;
use spec::scenario::Scenario;

/// Cases side by side, fewer than usual: trials share the machine, and an answer that is late makes all deadlines longer.
const JOBS: usize = 4;

/// A busy machine must not decide.
const DEADLINE: Duration = Duration::from_secs(2);

fn main() {
    let faults = mutant::faithful().into_iter();
    let trials = faults.map(|fault| Trial::test(fault.name, move || found_and_nothing_else(&fault)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

fn found_and_nothing_else(fault: &Mutant) -> Result<(), Failed> {
    let World { spec, scenarios } = world();
    let target = Target::new(fault.name, fault.name, fault.dialect(spec), fault.starter(spec));
    let cases = select::cases(scenarios, &target, &Filter::default());
    let settings =
        Settings { jobs: Some(JOBS), deadline: Some(DEADLINE), looks_at_policies: true, ..Settings::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = runtime.block_on(run(&target, spec, cases, &settings, &Quiet));
    if let Some(error) = run.stopped {
        return Err(format!("{error}").into());
    }
    if let [difference, ..] = run.differences.as_slice() {
        return Err(difference.sentence().into());
    }
    let convicted: BTreeSet<&str> = run.results.iter().flat_map(CaseResult::convicted).collect();
    let named: BTreeSet<&str> = fault.caught_by.iter().copied().collect();
    let undecided = |result: &CaseResult| matches!(result.verdict, Verdict::Inconclusive | Verdict::NotReached);
    if convicted == named && !run.results.iter().any(undecided) {
        return Ok(());
    }
    Err(format!("found by {convicted:?}, and not by exactly {named:?}\n{}", told(&run.results)).into())
}

/// What came of the cases that were played and did not pass.
fn told(results: &[CaseResult]) -> String {
    let mut text = String::new();
    let fine = |result: &&CaseResult| !matches!(result.verdict, Verdict::Passed | Verdict::NotApplicable);
    for result in results.iter().filter(fine) {
        let convicted: Vec<&str> = result.convicted().collect();
        text += &format!("{} {} {convicted:?}: {}\n", result.verdict, result.id, result.why);
        if let Some(evidence) = &result.evidence {
            text += &format!("    {}: `{}` and not `{}`\n", evidence.place, evidence.expected, evidence.seen);
        }
    }
    text
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
