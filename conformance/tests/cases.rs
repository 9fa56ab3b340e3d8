//! Every YAML scenario is a test of its own: the reference passes it, over real sockets.
//!
//! Listing reads names only; a trial reads its own scenario and the protocol, and nothing else.

use std::sync::Arc;

use conformance::finding::Verdict;
use conformance::run::{Quiet, Settings, run};
use conformance::select::{Filter, cases};
use conformance::target::{Reference, Target};
use libtest_mimic::{Arguments, Failed, Trial};
use spec::Spec;
use spec::error::Diagnostics;
use spec::scenario::{Entry, list};
use spec::source::Source;

fn main() {
    let entries = list(&Source::embedded());
    let trials = entries.into_iter().map(|entry| Trial::test(format!("framed/{}", entry.id()), move || passes(&entry)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

fn passes(entry: &Entry) -> Result<(), Failed> {
    let mut found = Diagnostics::default();
    let spec = Arc::new(Spec::read_protocol(&Source::embedded(), &mut found).ok_or_else(|| found.to_string())?);
    let scenario = entry.read(&spec.service, &mut found).ok_or_else(|| found.to_string())?;
    let dialect = spec.dialect("framed").ok_or("framed is embedded")?;
    let starter = Reference::new(spec.clone(), dialect.clone());
    let target = Target::new("the embedded reference", "", dialect, Arc::new(starter));
    let cases = cases(&[Arc::new(scenario)], &target, &Filter::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = runtime.block_on(run(&target, &spec, cases, &Settings::default(), &Quiet));
    match run.results.first() {
        Some(result) if result.verdict == Verdict::Passed => Ok(()),
        Some(result) => Err(format!("{}: {}\n{:#?}", result.verdict, result.why, result.evidence).into()),
        None => Err("it is for no dialect".into()),
    }
}
