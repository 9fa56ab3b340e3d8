//! Before the cases: does the target follow the policies that it declares?
//!
//! One that plainly follows another choice is one finding. The cases that depend on that policy would say the same again,
//! and are not judged; the others are played with the choice that was seen, since it decides how actors are made ready
//! and how patterns are written. A difference counts only if a second look, with other accounts and more time, shows the
//! same, and only if what was seen is another choice of the policy: whatever is none is for the cases to judge.

use std::collections::BTreeSet;
use std::sync::Arc;

use spec::Spec;
use spec::scenario::{Scenario, Verb};

use crate::drive::{Names, Network, Patience, Stage};
use crate::fault::Open;
use crate::history::History;
use crate::observe::{Observation, observe, observe_again};
use crate::run::end::End;
use crate::run::life;
use crate::select::{self, Case};
use crate::target::{Instance, ServerOptions, Target};

/// A policy in which a target follows another choice than it declares.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The policy.
    pub policy: String,
    /// The choice that the target, or its dialect, declares.
    pub declared: String,
    /// The choices that what was seen is right for, the likeliest first.
    pub observed: Vec<String>,
    /// What was said and heard.
    pub history: History,
    /// How many cases are not judged because of it.
    pub cases: usize,
}

impl Difference {
    fn new(seen: Observation, target: &Target) -> Self {
        let declared = target.policy(&seen.policy).unwrap_or_default().to_owned();
        Difference { policy: seen.policy, declared, observed: seen.choices, history: seen.history, cases: 0 }
    }

    /// It in a sentence.
    pub fn sentence(&self) -> String {
        format!("policy {}: declared {}, observed {}", self.policy, self.declared, self.observed.join(" or "))
    }
}

/// What a target file or a dialect says of policies that are so.
pub fn choices_written(differences: &[Difference]) -> String {
    let choices = differences.iter().map(|difference| format!("{}: {}", difference.policy, difference.observed[0]));
    format!("policies: {{{}}}", choices.collect::<Vec<_>>().join(", "))
}

/// What was looked at before the cases.
#[derive(Default)]
pub(super) struct Looked {
    pub(super) differences: Vec<Difference>,
    /// The instance that was looked at; it can be judged, too.
    pub(super) instance: Option<Box<dyn Instance>>,
    /// The accounts that were made on it.
    pub(super) accounts: u64,
}

/// Looks at the policies that cases depend on, and leaves out the cases of those that differ.
pub(super) async fn look(
    target: &Target,
    network: &Network,
    spec: &Arc<Spec>,
    cases: &mut [Case],
    names: &Names,
    patience: &Patience,
    end: End,
) -> Looked {
    let mut looked = Looked::default();
    let is_planned = |case: &Case| case.ruled_out.is_none() && case.scenario.server.is_empty();
    // A wrong declaration may be the only reason why nothing is planned.
    let is_ruled_out = |case: &Case| case.ruled_out.is_some() && !case.scenario.when.is_empty();
    let is_shared = cases.iter().any(|case| is_planned(case) || is_ruled_out(case));
    // Also what rules cases out: a wrong declaration must not hide them.
    let wanted: BTreeSet<String> = cases.iter().flat_map(|case| depends_on(&case.scenario)).collect();
    let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    // Where accounts are few and no new instance can be had, they are for the cases.
    let spares_accounts = target.accounts.is_none() || target.starter.is_ours();
    if !is_shared || !spares_accounts || target.lacks.contains("many_connections") {
        return looked;
    }
    let Some(Ok(instance)) = end.clone().until(target.starter.start(&ServerOptions::new())).await else {
        return looked;
    };
    let stage = Stage {
        wire: network.clone(),
        ground: Arc::new(Open(instance.address())),
        dialect: target.dialect.clone(),
        spec: spec.clone(),
        patience: patience.clone(),
    };
    let looking = async {
        if !life::proof(&stage).await {
            return (Vec::new(), 0);
        }
        let first = observe(&stage, names, &wanted).await;
        let different =
            |seen: &&Observation| target.policy(&seen.policy).is_some_and(|declared| !seen.allows(declared));
        let doubtful: Vec<&Observation> = first.policies.values().filter(different).collect();
        if doubtful.is_empty() {
            return (Vec::new(), first.accounts);
        }
        let second = observe_again(&stage, names, &wanted).await;
        let same = doubtful
            .into_iter()
            .filter(|seen| second.policies.get(&seen.policy).is_some_and(|again| again.choices == seen.choices));
        (same.cloned().collect(), first.accounts + second.accounts)
    };
    let (different, accounts) = end.clone().until(looking).await.unwrap_or_default();
    looked.accounts = accounts;
    // One that did not survive the questions is for the cases to judge, which begin with another one.
    if !target.starter.is_ours() || life::proof(&stage).await {
        looked.instance = Some(instance);
    } else {
        instance.stop().await;
        looked.accounts = 0;
    }
    looked.differences = different.into_iter().map(|seen| Difference::new(seen, target)).collect();
    leave_out(cases, target, &mut looked.differences);
    looked
}

/// Cases that depend on a policy which differs are not judged, whether they are for the choice that was declared or for
/// the one that was seen.
fn leave_out(cases: &mut [Case], target: &Target, differences: &mut [Difference]) {
    let seen = as_seen(target, differences);
    for case in cases {
        let depends = |difference: &&mut Difference| case.scenario.when.contains_key(&difference.policy);
        let Some(difference) = differences.iter_mut().find(depends) else { continue };
        if case.ruled_out.is_none() || select::ruled_out(&case.scenario, &seen).is_none() {
            case.ruled_out = None;
            case.not_judged = Some(difference.sentence());
            difference.cases += 1;
        }
    }
}

/// The target as it was seen.
pub(super) fn as_seen(target: &Target, differences: &[Difference]) -> Target {
    let seen = differences.iter().map(|difference| (difference.policy.clone(), difference.observed[0].clone()));
    target.clone().with_policies(seen.collect())
}

/// The policies that decide whether a scenario applies, and how it is played.
fn depends_on(scenario: &Scenario) -> BTreeSet<String> {
    let mut policies: BTreeSet<String> = scenario.when.keys().cloned().collect();
    policies.insert("after_create".into());
    if scenario.all_steps().any(|step| matches!(&step.verb, Verb::Operation { name, .. } if name == "list_accounts")) {
        policies.insert("pattern".into());
    }
    policies
}
