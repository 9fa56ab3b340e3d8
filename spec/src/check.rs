//! What must be true of the specification as a whole: every reference leads somewhere, every MUST is exercised from
//! both sides, nothing can pass by being dead, and every message has an example.
//!
//! Not here: mistakes inside one file, which its reader shows.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Diagnostic, Diagnostics, Place};
use crate::example;
use crate::requirement::{JudgedBy, Level, Requirement};
use crate::scenario::{self, Scenario};
use crate::source::{Source, is_embedded};
use crate::spec::{Spec, read_and_rehearse};

/// Reads everything in a source and shows every mistake.
pub fn check(source: &Source) -> (Option<Spec>, Vec<Scenario>, Diagnostics) {
    let mut found = Diagnostics::default();
    let Some(spec) = Spec::read(source, &mut found) else { return (None, Vec::new(), found) };
    for file in source.below("protocol/dialects").filter(|file| is_embedded(file)) {
        read_and_rehearse(file, &spec.service, &mut found);
    }
    let scenarios: Vec<Scenario> =
        scenario::list(source).iter().filter_map(|entry| entry.read(&spec.service, &mut found)).collect();
    for scenario in &scenarios {
        references(scenario, &spec, &mut found);
        life(scenario, &mut found);
    }
    unique_names(&scenarios, &mut found);
    for requirement in spec.requirements().filter(|requirement| requirement.judged_by == JudgedBy::Scenario) {
        exercised(requirement, &scenarios, &mut found);
    }
    let examples = example::read(source, &spec.service, &mut found);
    example::check(&examples, source, &spec.service, &mut found);
    (Some(spec), scenarios, found)
}

fn references(scenario: &Scenario, spec: &Spec, found: &mut Diagnostics) {
    if scenario.checks.is_empty() {
        found.push(Diagnostic::new(&scenario.place, "this scenario checks no requirement"));
    }
    let shown: BTreeSet<&String> = scenario.all_steps().flat_map(|step| &step.shows).collect();
    let checked: BTreeSet<&String> = scenario.checks.iter().collect();
    for id in checked.union(&shown) {
        let place = scenario.place_of(id);
        if spec.requirement(id).is_none() {
            let known = spec.requirements().map(|requirement| requirement.id.as_str());
            found.push(Diagnostic::new(place, format!("there is no requirement `{id}`")).suggest(id, known));
        } else if !checked.contains(id) {
            found.push(
                Diagnostic::new(place, format!("this step shows `{id}`, which the scenario does not check"))
                    .other(&scenario.place, "add it to `checks` of this one"),
            );
        }
    }
    for requirement in scenario.checks.iter().filter_map(|id| spec.requirement(id)) {
        let played =
            |policy: &String| scenario.when.get(policy).map(|choices| choices.0.as_slice()).unwrap_or_default();
        let beyond = requirement.when.iter().find(|(policy, choices)| {
            let played = played(policy);
            played.is_empty() || played.iter().any(|choice| !choices.0.contains(choice))
        });
        if let Some((policy, choices)) = beyond {
            let (id, only) = (&requirement.id, choices.0.join(" or "));
            let message = format!("`{id}` is for {policy}: {only}, and this scenario for others, too");
            found.push(
                Diagnostic::new(scenario.place_of(id), message)
                    .other(&requirement.place, "which says so in `when`")
                    .help("whoever chose otherwise would be blamed for it"),
            );
        }
    }
    for dialect in scenario.dialects.iter().filter(|name| !spec.dialects.contains_key(*name)) {
        let known = spec.dialects.keys().map(String::as_str);
        let message = format!("there is no dialect `{dialect}`");
        found.push(Diagnostic::new(scenario.place_of(dialect), message).suggest(dialect, known));
    }
}

/// A closed connection, an error and silence can be had from a server that does nothing: something must succeed, too,
/// and after a close it must succeed later.
fn life(scenario: &Scenario, found: &mut Diagnostics) {
    let claims: Vec<_> =
        scenario.all_steps().filter_map(|step| step.gets.as_ref().map(|gets| (gets, &step.place))).collect();
    if claims.is_empty() {
        found.push(Diagnostic::new(&scenario.place, "this scenario claims nothing: no step says what it `gets`"));
    } else if !claims.iter().any(|(gets, _)| gets.is_success()) {
        found.push(
            Diagnostic::new(&scenario.place, "a server that does nothing could pass this: no step claims a success")
                .help("end with an exchange that shows that the server lives and remembers"),
        );
    }
    let last_close = claims.iter().rposition(|(gets, _)| gets.is_close());
    if let Some(close) = last_close
        && !claims[close + 1..].iter().any(|(gets, _)| gets.is_success())
    {
        found.push(
            Diagnostic::new(claims[close].1, "nothing after this close shows that the server still lives")
                .help("let another actor, or this one after it `returns`, do something that succeeds"),
        );
    }
}

fn unique_names(scenarios: &[Scenario], found: &mut Diagnostics) {
    let mut first: BTreeMap<String, &Place> = BTreeMap::new();
    for scenario in scenarios {
        if let Some(place) = first.insert(scenario.id(), &scenario.place) {
            found.push(
                Diagnostic::new(&scenario.place, format!("the name of `{}` is taken", scenario.id()))
                    .other(place, "first here"),
            );
        }
    }
}

fn exercised(requirement: &Requirement, scenarios: &[Scenario], found: &mut Diagnostics) {
    let mut positive = false;
    let mut negative = false;
    for scenario in scenarios.iter().filter(|scenario| scenario.checks.contains(&requirement.id)) {
        if scenario.is_negative() {
            negative = true;
        } else {
            positive = true;
        }
    }
    let mut refuse = |message: String, help: &str| {
        found.push(Diagnostic::new(&requirement.place, message).help(help));
    };
    let id = &requirement.id;
    match (positive, negative) {
        (false, false) => {
            refuse(format!("no scenario checks `{id}`"), "a requirement that nothing exercises is an orphan")
        }
        _ if requirement.level != Level::Must => {}
        (false, _) if requirement.negative_only.is_none() => refuse(
            format!("`{id}` has no positive scenario"),
            "add one in which everything succeeds, or say `negative_only: why`",
        ),
        (_, false) if requirement.positive_only.is_none() => refuse(
            format!("`{id}` has no negative scenario"),
            "add one in which something is refused or does not happen, or say `positive_only: why`",
        ),
        (true, _) if requirement.negative_only.is_some() => {
            refuse(format!("`{id}` says `negative_only`, and has a positive scenario"), "remove the exemption");
        }
        (_, true) if requirement.positive_only.is_some() => {
            refuse(format!("`{id}` says `positive_only`, and has a negative scenario"), "remove the exemption");
        }
        _ => {}
    }
}
