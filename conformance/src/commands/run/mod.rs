//! `conformance run`: judges a target, or the embedded reference over several dialects at once.
//!
//! `judged` finds out who is judged, `planned` by which cases, `shown` tells how it goes meanwhile, `written` writes
//! what came of it.

pub(super) mod judged;
mod planned;
mod shown;
mod written;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use spec::Spec;
use spec::source::Source;
use tokio::sync::watch;

use crate::commands::{complain, draw, interrupted, protocol, runtime};
use crate::exit::Exit;
use crate::report::{Report, Reports};
use crate::run::{Progress, Run, Settings, run, side_by_side};
use crate::select::{self, Case};
use crate::target::Target;

use judged::{Judged, judged};
use shown::Shown;

/// The longest run, in seconds, if nothing else is said. A healthy server takes one.
const AT_MOST_S: u64 = 600;

/// Cases side by side in each of several dialects, but for those on whose wires every answer costs a wait: more would
/// only be in each other's way, and miss the times that some cases set.
const JOBS_EACH: usize = 4;

/// The arguments of `conformance run`.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArguments {
    /// `reference`, HOST:PORT, or a target file.
    pub target: Option<String>,
    /// The dialect it speaks: a name, or a dialect file. The reference is judged over several at once: NAME,NAME … or all
    #[arg(long, value_name = "DIALECT")]
    pub dialect: Option<String>,
    /// Only cases whose id contains this, or fits it with `*`. May be given several times.
    #[arg(long = "case", visible_alias = "filter", value_name = "PATTERN")]
    pub cases: Vec<String>,
    /// Only cases that check this requirement. May be given several times.
    #[arg(long, value_name = "ID")]
    pub requirement: Vec<String>,
    /// Only cases that did not pass in the last run from this folder.
    #[arg(long)]
    pub last_failed: bool,
    /// Known failures: they do not fail the run, and must still fail.
    #[arg(long, value_name = "FILE")]
    pub known_failures: Option<PathBuf>,
    /// Write all failures of this run as known ones; reasons given before are kept.
    #[arg(long, value_name = "FILE")]
    pub write_known_failures: Option<PathBuf>,
    /// Write the report as JUnit XML, too.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the report as JSON, too; `-` is standard output, and then nothing else is printed there.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Cases side by side [default: what the target file says, or 16; 4 over gRPC]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// The shortest time to wait for an answer, in milliseconds [default: 250]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub deadline_ms: Option<u64>,
    /// The longest time for the whole run, in seconds; what was not reached then is counted as such [default: 600]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub at_most_s: Option<u64>,
    /// Print a line for each case as it is decided, and each reason why cases do not apply.
    #[arg(long, short)]
    pub verbose: bool,
    /// A server to start, and its arguments.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Runs the command.
pub fn main(arguments: &RunArguments, source: &Source) -> Exit {
    judge(arguments, source).unwrap_or_else(|exit| exit)
}

fn judge(arguments: &RunArguments, source: &Source) -> Result<Exit, Exit> {
    let spec = protocol(source)?;
    let Judged { targets, not_built, several } = judged(arguments, &spec)?;
    let scenarios = select::scenarios(&spec).map_err(|found| draw(&found))?;
    let known = planned::known_failures(arguments, &targets, &spec, &scenarios)?;
    let reasons = planned::reasons(arguments, &targets, &spec, &scenarios)?;
    let not_built = planned::not_built(arguments, &not_built, &scenarios);
    let planned = planned::cases(arguments, targets, &spec, &scenarios)?;
    let (stop, unwanted) = watch::channel(false);
    let settings = Settings {
        unwanted: Some(unwanted),
        jobs: arguments.jobs.map(usize::from),
        deadline: arguments.deadline_ms.map(Duration::from_millis),
        at_most: Some(Duration::from_secs(arguments.at_most_s.unwrap_or(AT_MOST_S))),
        looks_at_policies: true,
        ..Settings::default()
    };
    let progress = Shown::new(arguments, &planned);
    let runtime = runtime();
    let began = tokio::time::Instant::now();
    let runs = runtime.block_on(async {
        tokio::select! {
            biased;
            // Once: what is decided is reported. Twice: at once.
            () = async { interrupted().await; stop.send_replace(true); interrupted().await } => None,
            runs = all(planned, &spec, &settings, &progress) => Some(runs),
        }
    });
    let elapsed = began.elapsed();
    progress.finish();
    runtime.shutdown_timeout(Duration::from_secs(3));
    let Some(runs) = runs else { return Err(complain(Exit::Undecided, "interrupted; the target was ended")) };
    let reports = runs.into_iter().map(|(target, run)| Report::new(spec.clone(), target, run, known.clone()));
    let reports = Reports { reports: reports.collect(), not_built, several, elapsed };
    written::write_all(arguments, &reports, &reasons)?;
    planned::remember(&reports);
    Ok(reports.exit())
}

/// Judges every target, and gives the runs in their order. Those that speak bytes are judged at the same time: they wait
/// more than they work. Calls over gRPC are work for this program itself, so those come afterwards, one by one.
async fn all(
    planned: Vec<(Target, Vec<Case>)>,
    spec: &Arc<Spec>,
    settings: &Settings,
    progress: &dyn Progress,
) -> Vec<(Target, Run)> {
    let (began, several) = (tokio::time::Instant::now(), planned.len() > 1);
    let judge = |(place, (target, cases)): (usize, (Target, Vec<Case>))| async move {
        let left = settings.at_most.map(|at_most| at_most.saturating_sub(began.elapsed()));
        let jobs = settings.jobs.or((several && !target.dialect.answers_are_open()).then_some(JOBS_EACH));
        let run = run(&target, spec, cases, &Settings { at_most: left, jobs, ..settings.clone() }, progress).await;
        (place, (target, run))
    };
    let (calls, bytes): (Vec<_>, Vec<_>) =
        planned.into_iter().enumerate().partition(|(_, (target, _))| target.dialect.grpc.is_some());
    let mut runs: BTreeMap<usize, (Target, Run)> =
        side_by_side(bytes.into_iter().map(judge).collect()).await.into_iter().collect();
    for one in calls {
        let (place, run) = judge(one).await;
        runs.insert(place, run);
    }
    runs.into_values().collect()
}
