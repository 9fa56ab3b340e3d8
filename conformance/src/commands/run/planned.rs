//! Which cases are played, what is known of them, and what is remembered of them for the next run.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use spec::Spec;
use spec::dialect::Dialect;
use spec::error::{Diagnostics, suggestion};
use spec::scenario::Scenario;

use crate::commands::run::RunArguments;
use crate::commands::{complain, draw};
use crate::exit::Exit;
use crate::expected::Known;
use crate::finding::Verdict;
use crate::report::{NotBuilt, Reports};
use crate::select::{self, Case, Filter};
use crate::target::Target;

/// Where the cases of the last run that did not pass are kept.
const LAST_FAILED: &str = ".conformance/last-failed";

/// The cases of each target that has any.
pub(super) fn cases(
    arguments: &RunArguments,
    targets: Vec<Target>,
    spec: &Spec,
    scenarios: &[Arc<Scenario>],
) -> Result<Vec<(Target, Vec<Case>)>, Exit> {
    for id in &arguments.requirement {
        if spec.requirement(id).is_none() {
            let help =
                suggestion(id, spec.requirements().map(|requirement| requirement.id.as_str())).unwrap_or_default();
            return Err(complain(Exit::Usage, &format!("there is no requirement `{id}`; {help}")));
        }
    }
    let filter = filter(arguments);
    let mut planned: Vec<(Target, Vec<Case>)> = Vec::new();
    for target in targets {
        let cases = select::cases(scenarios, &target, &filter);
        planned.push((target, cases));
    }
    if arguments.last_failed {
        let text = std::fs::read_to_string(LAST_FAILED)
            .map_err(|_| complain(Exit::Usage, &format!("nothing is remembered here: {LAST_FAILED} does not exist")))?;
        let wanted: BTreeSet<&str> = text.lines().collect();
        planned.iter_mut().for_each(|(_, cases)| cases.retain(|case| wanted.contains(case.id.as_str())));
        if planned.iter().all(|(_, cases)| cases.is_empty()) {
            return Err(complain(Exit::Passed, "everything passed in the last run"));
        }
    }
    planned.retain(|(_, cases)| !cases.is_empty());
    if planned.is_empty() {
        return Err(complain(Exit::Usage, "no case fits; `conformance list` shows all of them"));
    }
    Ok(planned)
}

/// The dialects of which there are cases that this program was built without.
pub(super) fn not_built(
    arguments: &RunArguments,
    dialects: &[(Arc<Dialect>, &'static str)],
    scenarios: &[Arc<Scenario>],
) -> Vec<NotBuilt> {
    let filter = filter(arguments);
    let count = |(dialect, part): &(Arc<Dialect>, &'static str)| NotBuilt {
        cases: select::over(scenarios, &dialect.name, &filter).count(),
        dialect: dialect.name.clone(),
        why: format!("this program was built without `{part}`"),
        build: format!("cargo run -p conformance --features {part} -- run reference --dialect {}", dialect.name),
    };
    dialects.iter().map(count).filter(|one| one.cases > 0).collect()
}

fn filter(arguments: &RunArguments) -> Filter {
    Filter { names: arguments.cases.clone(), requirements: arguments.requirement.clone() }
}

/// What is known to fail, from the file that is named on the command line or in the target file.
pub(super) fn known_failures(
    arguments: &RunArguments,
    targets: &[Target],
    spec: &Spec,
    scenarios: &[Arc<Scenario>],
) -> Result<Known, Exit> {
    let of_target = targets.iter().find_map(|target| target.known_failures.as_ref());
    let Some(path) = arguments.known_failures.as_ref().or(of_target) else {
        return Ok(Known::default());
    };
    // A file that is about to be written for the first time need not exist.
    if arguments.write_known_failures.as_ref() == Some(path) && !path.exists() {
        return Ok(Known::default());
    }
    read_known(path, targets, spec, scenarios)
}

/// The reasons that a file holds which is about to be written anew.
pub(super) fn reasons(
    arguments: &RunArguments,
    targets: &[Target],
    spec: &Spec,
    scenarios: &[Arc<Scenario>],
) -> Result<Known, Exit> {
    match &arguments.write_known_failures {
        Some(path) if path.exists() => read_known(path, targets, spec, scenarios),
        _ => Ok(Known::default()),
    }
}

/// One file may know of several dialects, also of those that are not judged now.
fn read_known(path: &Path, targets: &[Target], spec: &Spec, scenarios: &[Arc<Scenario>]) -> Result<Known, Exit> {
    let judged = targets.iter().map(|target| target.dialect.name.as_str());
    let dialects: BTreeSet<&str> = spec.dialects.keys().map(String::as_str).chain(judged).collect();
    let everything = Filter::default();
    let ids =
        dialects.into_iter().flat_map(|dialect| select::over(scenarios, dialect, &everything).map(|(_, id, _)| id));
    let requirements = spec.requirements().map(|requirement| requirement.id.clone()).collect();
    let mut found = Diagnostics::default();
    Known::read(path, &ids.collect(), &requirements, &mut found).ok_or_else(|| draw(&found))
}

/// Keeps what did not pass for `--last-failed`. A folder that cannot be written to loses only that.
pub(super) fn remember(reports: &Reports) {
    let failed = reports.results().filter(|result| !matches!(result.verdict, Verdict::Passed | Verdict::NotApplicable));
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
