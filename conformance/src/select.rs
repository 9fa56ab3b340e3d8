//! Which cases there are: scenarios × dialect, what the target's claims rule out, and what the user asked for.

use std::sync::Arc;

use spec::Spec;
use spec::codec::RequestHeard;
use spec::codec::{Dialogue, Slots};
use spec::dialect::Dialect;
use spec::scenario::{Expect, Frame, Scenario, Step, Verb};

use crate::carried;
use crate::target::Target;

/// A scenario over a dialect, ready to be run, or the reason why it does not apply.
#[derive(Debug, Clone)]
pub struct Case {
    /// `framed/delivery/an-offline-message-arrives-once`.
    pub id: String,
    /// Its number among all cases, which its names are made from.
    pub number: usize,
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// Why it does not apply to the target.
    pub ruled_out: Option<String>,
    /// Why it is not judged: the policy in which the target is another than it declares.
    pub not_judged: Option<String>,
}

/// What the user asked for. Nothing means everything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Words or globs of which one must fit the case's id.
    pub names: Vec<String>,
    /// Requirements of which the case must check one.
    pub requirements: Vec<String>,
}

impl Filter {
    /// Whether a case is asked for.
    pub fn selects(&self, id: &str, scenario: &Scenario) -> bool {
        let named = self.names.is_empty() || self.names.iter().any(|pattern| fits(pattern, id));
        let required =
            self.requirements.is_empty() || self.requirements.iter().any(|wanted| scenario.checks.contains(wanted));
        named && required
    }
}

/// A pattern with `*` must fit the whole id; without it, it must occur in the id.
fn fits(pattern: &str, id: &str) -> bool {
    if !pattern.contains('*') {
        return id.contains(pattern);
    }
    reference_server::pattern::Pattern::new(pattern).is_some_and(|glob| glob.fits(id))
}

/// The cases of a target, in the order of scenarios.
pub fn cases(scenarios: &[Arc<Scenario>], target: &Target, filter: &Filter) -> Vec<Case> {
    let case = |(number, id, scenario): (usize, String, &Arc<Scenario>)| Case {
        id,
        number,
        scenario: scenario.clone(),
        ruled_out: ruled_out(scenario, target),
        not_judged: None,
    };
    over(scenarios, &target.dialect.name, filter).map(case).collect()
}

/// The scenarios that are asked for over a dialect, by their numbers and the ids of their cases.
pub fn over<'s>(
    scenarios: &'s [Arc<Scenario>],
    dialect: &'s str,
    filter: &'s Filter,
) -> impl Iterator<Item = (usize, String, &'s Arc<Scenario>)> {
    let is_over =
        move |scenario: &Scenario| scenario.dialects.is_empty() || scenario.dialects.iter().any(|name| name == dialect);
    let all = scenarios.iter().enumerate().filter(move |(_, scenario)| is_over(scenario));
    all.map(move |(number, scenario)| (number, format!("{dialect}/{}", scenario.id()), scenario))
        .filter(|(_, id, scenario)| filter.selects(id, scenario))
}

/// Why a scenario does not apply to a target.
pub(crate) fn ruled_out(scenario: &Scenario, target: &Target) -> Option<String> {
    if let Some(name) = scenario.needs.iter().find(|name| target.lacks.contains(*name)) {
        return Some(format!("the target has no `{name}`"));
    }
    if scenario.all_steps().any(|step| matches!(step.verb, Verb::Collects)) {
        let brings = target.dialect.brings_what_waits().unwrap_or("push");
        if target.lacks.contains(brings) {
            return Some(format!("the target has no `{brings}`"));
        }
    }
    let raw = scenario.all_steps().flat_map(|step| asked_in_bytes(step, &target.dialect));
    if let Some(name) = raw.into_iter().find(|name| target.lacks.contains(name)) {
        return Some(format!("the target has no `{name}`, which its bytes ask for"));
    }
    for (policy, choices) in &scenario.when {
        let choice = target.policy(policy).unwrap_or_default();
        if !choices.0.iter().any(|wanted| wanted == choice) {
            return Some(format!("it is for {policy}: {}; here it is {choice}", choices.0.join(" or ")));
        }
    }
    let at_once = scenario.all_steps().any(|step| matches!(step.verb, Verb::Together(_)));
    if at_once && target.dialect.events_are_open() {
        return Some("on this wire nothing tells a pushed text from the answer behind it".into());
    }
    let in_order = scenario.all_steps().filter_map(|step| step.gets.as_ref()).any(orders_event_and_answer);
    if in_order && target.dialect.grpc.is_some() {
        return Some("over gRPC nothing orders an event and the answer beside it".into());
    }
    if let Some(why) = carried::missing(scenario, &target.dialect) {
        return Some(why);
    }
    if target.lacks.contains("many_connections") && scenario.needs_many_connections() {
        return Some("the target serves one connection at a time".into());
    }
    if scenario.crashes_the_server() && !target.starter.is_ours() {
        return Some("the server breaks in it, and this one is not the suite's to start".into());
    }
    if scenario.crashes_the_server() && !target.starter.bears_several() {
        return Some("the server breaks in it, and a second instance cannot live beside the first".into());
    }
    let option = scenario.server.keys().find(|name| !target.starter.can_set(name));
    option.map(|name| format!("the suite cannot start this target with another {name}"))
}

/// Whether an event and something else must come in a certain order.
fn orders_event_and_answer(expected: &Expect) -> bool {
    let Expect::Sequence(parts) = expected else { return false };
    let is_event = |part: &Expect| matches!(part, Expect::Event(..));
    parts.iter().any(is_event) && !parts.iter().all(is_event)
}

/// The operations that a step's raw bytes ask for, as far as they can be understood.
fn asked_in_bytes(step: &Step, dialect: &Dialect) -> Vec<String> {
    let Verb::Writes { frames, .. } = &step.verb else { return Vec::new() };
    let mut asked = Vec::new();
    for frame in frames {
        let Frame::Hex(bytes) = frame else { continue };
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let mut dialogue = Dialogue::default();
            let taken = match dialect.hear_request(rest, &mut Slots::default(), &mut dialogue) {
                RequestHeard::More(_) => break,
                RequestHeard::Taken(taken) => Some(taken),
                RequestHeard::Refused { taken, .. } => taken,
            };
            asked.extend(dialect.operation_of(&dialogue).map(str::to_owned));
            match taken {
                Some(taken) => rest = &rest[taken..],
                None => break,
            }
        }
    }
    asked
}

/// Reads all scenarios of a specification.
///
/// # Errors
/// The mistakes in them.
pub fn scenarios(spec: &Spec) -> Result<Vec<Arc<Scenario>>, spec::error::Diagnostics> {
    let mut found = spec::error::Diagnostics::default();
    let entries = spec::scenario::list(&spec.source);
    let scenarios = entries.iter().filter_map(|entry| entry.read(&spec.service, &mut found)).map(Arc::new).collect();
    if found.is_empty() { Ok(scenarios) } else { Err(found) }
}
