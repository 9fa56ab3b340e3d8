//! `probe --policies`: what the server does where right servers differ, beside what is declared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reference_server::world::World;
use spec::Spec;

use crate::commands::{complain, say};
use crate::drive::{Names, Network, Patience, Stage};
use crate::exit::Exit;
use crate::fault::Open;
use crate::observe::{observe, observe_again};
use crate::target::Target;

pub(super) async fn show(target: &Target, network: Network, spec: &Arc<Spec>, address: &str) -> Exit {
    if target.lacks.contains("many_connections") {
        let why = "most policies show only to two clients at the same time, and this server serves one";
        return complain(Exit::Usage, why);
    }
    let stage = Stage {
        wire: network,
        ground: Arc::new(Open(address.to_owned())),
        dialect: target.dialect.clone(),
        spec: spec.clone(),
        patience: Patience::new(None),
    };
    let names = Names::new(&World::real());
    let wanted: BTreeSet<&str> = spec.service.policies.keys().map(String::as_str).collect();
    let first = observe(&stage, &names, &wanted).await;
    let again = observe_again(&stage, &names, &wanted).await;
    // What two looks see differently cannot be told.
    let mut seen: BTreeMap<&str, &[String]> = BTreeMap::new();
    for (policy, observation) in &again.policies {
        let same = first.policies.get(policy).is_none_or(|first| first.choices == observation.choices);
        seen.extend(same.then_some((policy.as_str(), observation.choices.as_slice())));
    }
    say!("{:<20} {:<28} observed", "policy", "declared");
    let mut differ = Vec::new();
    for policy in spec.service.policies.keys() {
        let declared = target.policy(policy).unwrap_or_default();
        let (observed, remark) = match seen.get(policy.as_str()) {
            None => ("?".to_owned(), ""),
            Some(choices) if choices.iter().any(|choice| choice == declared) => {
                (if choices.len() == 1 { declared.to_owned() } else { format!("{declared} fits") }, "")
            }
            Some(choices) => {
                differ.push((policy.as_str(), declared, choices[0].as_str()));
                (choices.join(" or "), "   ← not as declared")
            }
        };
        say!("{policy:<20} {declared:<28} {observed}{remark}");
    }
    say!("\n? cannot be told from outside, or not on this wire; what fits may be right by chance.");
    if let Some(why) = again.stopped.or(first.stopped) {
        say!("not everything was asked: {why}. `conformance probe` without --policies shows the exchanges.");
        return Exit::Undecided;
    }
    say!("\nto paste into the dialect or the target file\npolicies:");
    for (policy, known) in &spec.service.policies {
        let declared = target.policy(policy).unwrap_or(known.default_choice());
        let chosen = differ.iter().find(|(name, ..)| name == policy).map_or(declared, |(_, _, seen)| seen);
        let sure = if seen.contains_key(policy.as_str()) { "" } else { "   # as declared; not seen" };
        if chosen != known.default_choice() {
            say!("  {policy}: {chosen}{sure}");
        }
    }
    say!("  # all others as in the protocol; `conformance explain POLICY` tells the choices of one");
    if differ.is_empty() { Exit::Passed } else { Exit::Findings }
}
