//! `conformance run`: judges a target.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use spec::Spec;
use spec::error::{Diagnostics, suggestion};
use spec::scenario::Scenario;
use spec::source::Source;

use crate::commands::{complain, draw, protocol, runtime, write};
use crate::exit::Exit;
use crate::expected::Known;
use crate::finding::{CaseResult, Verdict};
use crate::report::{Report, json, junit, terminal};
use crate::run::{Progress, Settings, run};
use crate::select::{self, Case, Filter};
use crate::target::{Program, Reference, Remote, Target, read_file};

/// The longest run, in seconds, if nothing else is said. A healthy server takes one.
const AT_MOST_S: u64 = 600;

/// Where the cases of the last run that did not pass are kept.
const LAST_FAILED: &str = ".conformance/last-failed";

/// The arguments of `conformance run`.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArguments {
    /// `reference`, HOST:PORT, or a target file.
    pub target: Option<String>,
    /// The dialect it speaks: a name, or a dialect file.
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
    /// Cases side by side [default: 16, or what the target file says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// The shortest time to wait for an answer, in milliseconds [default: 250]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub deadline_ms: Option<u64>,
    /// The longest time for the whole run, in seconds; what was not reached then is counted as such [default: 600]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub at_most_s: Option<u64>,
    /// Print a line for each case as it is decided.
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
    let target = target(arguments, &spec)?;
    let scenarios = select::scenarios(&spec).map_err(|found| draw(&found))?;
    let known = known_failures(arguments, &target, &spec, &scenarios)?;
    let reasons = reasons(arguments, &target, &spec, &scenarios)?;
    let cases = cases(arguments, &target, &spec, &scenarios)?;
    let settings = Settings {
        jobs: arguments.jobs.map(usize::from),
        deadline: arguments.deadline_ms.map(Duration::from_millis),
        at_most: Some(Duration::from_secs(arguments.at_most_s.unwrap_or(AT_MOST_S))),
        ..Settings::default()
    };
    let progress = Shown::new(arguments, &target, cases.len());
    let runtime = runtime();
    let run = runtime.block_on(async {
        // An interrupted run ends its target, which lives in a process group of its own.
        tokio::select! {
            biased;
            () = interrupted() => None,
            run = run(&target, &spec, cases, &settings, &progress) => Some(run),
        }
    });
    progress.bar.finish_and_clear();
    runtime.shutdown_timeout(Duration::from_secs(3));
    let Some(run) = run else { return Err(complain(Exit::Undecided, "interrupted; the target was ended")) };
    let report = Report::new(spec, target, run, known);
    write_reports(arguments, &report, &reasons)?;
    remember(&report);
    Ok(report.exit())
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        biased;
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

fn write_reports(arguments: &RunArguments, report: &Report, reasons: &Known) -> Result<(), Exit> {
    let to_stdout = arguments.json.as_deref() == Some(Path::new("-"));
    if to_stdout {
        print!("{}", json::render(report));
        anstream::eprint!("{}", terminal::render(report));
    } else {
        anstream::print!("{}", terminal::render(report));
    }
    if let Some(path) = arguments.json.as_deref().filter(|_| !to_stdout) {
        write(path, &json::render(report))?;
    }
    if let Some(path) = &arguments.junit {
        let xml = junit::render(report)
            .map_err(|error| complain(Exit::Undecided, &format!("cannot write JUnit: {error}")))?;
        write(path, &xml)?;
    }
    if let Some(path) = &arguments.write_known_failures {
        write(path, &reasons.written(&report.target.name, &report.run.results))?;
    }
    Ok(())
}

// ── what is judged ────────────────────────────────────────────────────────────────────────────────────────────────────

fn target(arguments: &RunArguments, spec: &Arc<Spec>) -> Result<Target, Exit> {
    let name = arguments.target.as_deref();
    if !arguments.command.is_empty() {
        if name.is_some() {
            return Err(complain(Exit::Usage, "give either a TARGET or a command after `--`, not both"));
        }
        let words = arguments.command.join(" ");
        if !arguments.command.iter().any(|word| word.contains("{port}")) {
            let why = "the command has no {port}: the server would not know where to listen; for a fixed port write a target file";
            return Err(complain(Exit::Usage, why));
        }
        let program = Program::new(arguments.command.clone());
        return Ok(Target::new(
            &words,
            &format!("-- {}", quoted(&arguments.command)),
            dialect(arguments, spec)?,
            Arc::new(program),
        ));
    }
    match name {
        None | Some("reference") => {
            let dialect = dialect(arguments, spec)?;
            let starter = Reference::new(spec.clone(), dialect.clone());
            let mut target = Target::new("the embedded reference", "", dialect, Arc::new(starter));
            target.notes.push("the embedded reference hashes passwords at test cost (Argon2id, m = 64 KiB, t = 1); the shipped server's default is interactive".into());
            Ok(target)
        }
        Some(path) if path.ends_with(".yaml") || path.ends_with(".yml") => {
            if arguments.dialect.is_some() {
                return Err(complain(Exit::Usage, "a target file says itself which dialect its server speaks"));
            }
            let mut found = Diagnostics::default();
            read_file(Path::new(path), spec, &mut found).ok_or_else(|| draw(&found))
        }
        Some(address) if address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) => {
            let starter = Remote { address: address.to_owned() };
            Ok(Target::new(address, address, dialect(arguments, spec)?, Arc::new(starter)))
        }
        Some(other) => {
            let why = format!("`{other}` is no target: `reference`, HOST:PORT, or a target file ending in .yaml");
            Err(complain(Exit::Usage, &why))
        }
    }
}

fn dialect(arguments: &RunArguments, spec: &Spec) -> Result<Arc<spec::dialect::Dialect>, Exit> {
    let name = arguments.dialect.as_deref().unwrap_or("framed");
    if let Some(dialect) = spec.dialect(name) {
        return Ok(dialect);
    }
    if name.ends_with(".yaml") {
        let text = std::fs::read_to_string(name)
            .map_err(|error| complain(Exit::Usage, &format!("cannot read the dialect {name}: {error}")))?;
        let file = Arc::new(spec::source::File { path: name.to_owned(), text });
        let mut found = Diagnostics::default();
        return spec::read_dialect(&file, &spec.service, &mut found).map(Arc::new).ok_or_else(|| draw(&found));
    }
    let help = suggestion(name, spec.dialects.keys().map(String::as_str)).unwrap_or_default();
    Err(complain(Exit::Usage, &format!("there is no dialect `{name}`; {help}")))
}

/// The words of a command as a shell would take them.
fn quoted(words: &[String]) -> String {
    let plain = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./=:{},@+".contains(c));
    let quote = |word: &String| if plain(word) { word.clone() } else { format!("'{}'", word.replace('\'', r"'\''")) };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

// ── what is played ────────────────────────────────────────────────────────────────────────────────────────────────────

fn cases(
    arguments: &RunArguments,
    target: &Target,
    spec: &Spec,
    scenarios: &[Arc<Scenario>],
) -> Result<Vec<Case>, Exit> {
    for id in &arguments.requirement {
        if spec.requirement(id).is_none() {
            let help =
                suggestion(id, spec.requirements().map(|requirement| requirement.id.as_str())).unwrap_or_default();
            return Err(complain(Exit::Usage, &format!("there is no requirement `{id}`; {help}")));
        }
    }
    let filter = Filter { names: arguments.cases.clone(), requirements: arguments.requirement.clone() };
    let mut cases = select::cases(scenarios, target, &filter);
    if arguments.last_failed {
        let text = std::fs::read_to_string(LAST_FAILED)
            .map_err(|_| complain(Exit::Usage, &format!("nothing is remembered here: {LAST_FAILED} does not exist")))?;
        let wanted: BTreeSet<&str> = text.lines().collect();
        cases.retain(|case| wanted.contains(case.id.as_str()));
        if cases.is_empty() {
            return Err(complain(Exit::Passed, "everything passed in the last run"));
        }
    }
    if cases.is_empty() {
        return Err(complain(Exit::Usage, "no case fits; `conformance list` shows all of them"));
    }
    Ok(cases)
}

fn known_failures(
    arguments: &RunArguments,
    target: &Target,
    spec: &Spec,
    scenarios: &[Arc<Scenario>],
) -> Result<Known, Exit> {
    let Some(path) = arguments.known_failures.as_ref().or(target.known_failures.as_ref()) else {
        return Ok(Known::default());
    };
    // A file that is about to be written for the first time need not exist.
    if arguments.write_known_failures.as_ref() == Some(path) && !path.exists() {
        return Ok(Known::default());
    }
    read_known(path, target, spec, scenarios)
}

/// The reasons that a file holds which is about to be written anew.
fn reasons(arguments: &RunArguments, target: &Target, spec: &Spec, scenarios: &[Arc<Scenario>]) -> Result<Known, Exit> {
    match &arguments.write_known_failures {
        Some(path) if path.exists() => read_known(path, target, spec, scenarios),
        _ => Ok(Known::default()),
    }
}

fn read_known(path: &Path, target: &Target, spec: &Spec, scenarios: &[Arc<Scenario>]) -> Result<Known, Exit> {
    let ids = select::cases(scenarios, target, &Filter::default()).into_iter().map(|case| case.id).collect();
    let requirements = spec.requirements().map(|requirement| requirement.id.clone()).collect();
    let mut found = Diagnostics::default();
    Known::read(path, &ids, &requirements, &mut found).ok_or_else(|| draw(&found))
}

/// Keeps what did not pass for `--last-failed`. A folder that cannot be written to loses only that.
fn remember(report: &Report) {
    let failed = report
        .run
        .results
        .iter()
        .filter(|result| matches!(result.verdict, Verdict::Failed | Verdict::Inconclusive | Verdict::NotReached));
    let text: String = failed.map(|result| format!("{}\n", result.id)).collect();
    let path = Path::new(LAST_FAILED);
    if text.is_empty() && !path.exists() {
        return;
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    if std::fs::create_dir_all(folder).is_ok() {
        let _ = std::fs::write(path, text);
    }
}

// ── what is shown meanwhile ───────────────────────────────────────────────────────────────────────────────────────────

/// A bar on a terminal, plain lines elsewhere.
struct Shown {
    bar: ProgressBar,
    lines: bool,
}

impl Shown {
    fn new(arguments: &RunArguments, target: &Target, cases: usize) -> Self {
        anstream::eprintln!("judging {} over {}: {cases} cases", target.name, target.dialect.name);
        let bar = if std::io::stderr().is_terminal() && !arguments.verbose {
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}").expect("the template is ours");
            ProgressBar::new(0).with_style(style)
        } else {
            ProgressBar::hidden()
        };
        Shown { bar, lines: arguments.verbose }
    }
}

impl Progress for Shown {
    fn planned(&self, cases: usize) {
        self.bar.set_length(cases as u64);
    }

    fn decided(&self, result: &CaseResult) {
        self.bar.inc(1);
        if self.lines {
            anstream::eprintln!("{:<14} {}", result.verdict.words(), result.id);
        }
    }

    fn again(&self, cases: usize) {
        self.bar.set_message(format!("{cases} again, with more time"));
        if self.bar.is_hidden() {
            anstream::eprintln!(
                "{cases} cases met silence or lost their connection: playing them again, with more time"
            );
        }
    }
}
