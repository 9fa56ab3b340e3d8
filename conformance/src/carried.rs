//! What a wire carries of a scenario: arguments that are given, results and errors that are claimed.
//!
//! What follows from the shapes of a dialect is not declared anywhere else. Whether single values fit a wire is seen
//! when they are said (`drive`).

use std::collections::{BTreeMap, BTreeSet};

use spec::dialect::Dialect;
use spec::scenario::{Expect, Frame, Given, Match, Piece, Presence, Scenario, Step, Verb};
use spec::service::{Field, Service};
use spec::value::Value;

/// Why a dialect cannot carry a scenario. None: it can.
pub fn missing(scenario: &Scenario, dialect: &Dialect) -> Option<String> {
    if dialect.grpc.is_some() && leaves_a_session(scenario, dialect) {
        return Some("the end of a gRPC connection says nothing about its user".into());
    }
    let mut wire = Wire { dialect, service: dialect.service(), written: BTreeMap::new() };
    scenario.steps.iter().find_map(|step| wire.step(step))
}

/// Whether somebody's connection ends who has a session. A connection under gRPC is shared, kept and mended by
/// libraries: a server need not learn of its end.
fn leaves_a_session(scenario: &Scenario, dialect: &Dialect) -> bool {
    let at_once = |actor: &str| scenario.actors.get(actor) == Some(&Presence::Online);
    let mut inside: BTreeSet<&str> =
        scenario.actors.keys().map(String::as_str).filter(|actor| at_once(actor)).collect();
    let binds_new = dialect.policies.get("after_create").is_some_and(|choice| choice == "logged_in");
    scenario.all_steps().any(|step| {
        let actor = step.actor.as_str();
        let is_inside = inside.contains(actor);
        match &step.verb {
            Verb::Operation { name, .. } if name == "log_out" => drop(inside.remove(actor)),
            Verb::Operation { name, .. } if name == "log_in" || name == "resume_session" => drop(inside.insert(actor)),
            Verb::Operation { name, .. } if name == "create_account" && binds_new => drop(inside.insert(actor)),
            Verb::Returns => drop(inside.insert(actor)),
            _ => {}
        }
        match step.verb {
            Verb::HalfCloses | Verb::Writes { then_half_closes: true, .. } => true,
            Verb::Disconnects | Verb::Resets | Verb::Returns => is_inside,
            _ => false,
        }
    })
}

/// Whether a pattern asks for all names with a certain beginning, so that it can be said in any language.
pub(crate) fn asks_for_a_beginning(scenario: &Scenario, given: &Given) -> bool {
    let simple = match given {
        Given::Text(pieces) => match pieces.split_last() {
            Some((Piece::Literal(last), rest)) => {
                let constant = |piece: &Piece| matches!(piece, Piece::Literal(text) if text.contains(WILD));
                last.strip_suffix('*').is_some_and(|text| !text.contains(WILD)) && !rest.iter().any(constant)
            }
            _ => false,
        },
        Given::Literal(Value::Text(text)) => text.strip_suffix('*').is_some_and(|text| !text.contains(WILD)),
        _ => false,
    };
    // A play that is about one language speaks it, but for asking for its own names.
    let about = scenario.when.get("pattern").is_some_and(|choices| !choices.0.iter().any(|one| one == "glob"));
    simple && (asks_for_its_own(given) || !about)
}

/// Whether a pattern asks for the names of this case.
fn asks_for_its_own(given: &Given) -> bool {
    let Given::Text(pieces) = given else { return false };
    matches!(&pieces[..], [Piece::Hole(hole), Piece::Literal(star)] if hole == "prefix" && star == "*")
}

const WILD: [char; 2] = ['*', '?'];

/// In the place of the operation that brings what waits, where events do.
const PUSHED: &str = "message";

struct Wire<'a> {
    dialect: &'a Dialect,
    service: &'a Service,
    /// The operations that each actor wrote raw, whose answers a later step may wait for. None: bytes that are none.
    written: BTreeMap<&'a str, Vec<Option<&'a str>>>,
}

impl<'a> Wire<'a> {
    fn step(&mut self, step: &'a Step) -> Option<String> {
        let mut given: Vec<(&str, &[(String, Given)])> = Vec::new();
        let mut asked: Vec<Option<&str>> = Vec::new();
        match &step.verb {
            Verb::Operation { name, with } => given.push((name, with)),
            Verb::Returns => asked.push(Some("log_in")),
            Verb::Collects => asked.push(Some(self.dialect.brings_what_waits().unwrap_or(PUSHED))),
            Verb::Writes { frames, .. } => {
                for frame in frames {
                    match frame {
                        Frame::Operation { name, with } | Frame::Damaged { name, with, .. } => given.push((name, with)),
                        Frame::Hex(_) => asked.push(None),
                    }
                }
            }
            Verb::Listens => asked.extend(self.written.get(step.actor.as_str()).into_iter().flatten()),
            Verb::Together(inner) => {
                if let Some(why) = inner.iter().find_map(|step| self.step(step)) {
                    return Some(why);
                }
                asked.extend(inner.iter().filter_map(|step| match &step.verb {
                    Verb::Operation { name, .. } => Some(Some(name.as_str())),
                    _ => None,
                }));
            }
            _ => {}
        }
        asked.extend(given.iter().map(|(name, _)| Some(*name)));
        if let Verb::Writes { .. } = step.verb {
            self.written.entry(&step.actor).or_default().extend(&asked);
        }
        // What bytes claim is about bytes.
        let known: Option<Vec<&str>> = asked.into_iter().collect();
        let asked = known.unwrap_or_default();
        let argument = given.iter().find_map(|(name, with)| self.argument(name, with));
        argument.or_else(|| self.expect(step.gets.as_ref()?, &asked)).or_else(|| {
            let kept = step.keep.iter().map(|(_, path)| path.as_str());
            kept.flat_map(|path| path.split('.')).find_map(|field| {
                let is_field = self.service.field(field).is_some();
                (is_field && !self.tells(&asked, field)).then(|| self.never_tells(&asked, field))
            })
        })
    }

    fn argument(&self, operation: &str, with: &[(String, Given)]) -> Option<String> {
        with.iter().find_map(|(argument, given)| {
            let field = self.service.field(argument);
            let usual = field.and_then(Field::default_value);
            let is_usual = matches!((given, &usual), (Given::Literal(given), Some(usual)) if given == usual);
            // A wire without passwords is asked without them, one without patterns for all names, and one without a
            // place for it without what is optional.
            let without = self.dialect.policies.get("pattern").is_some_and(|choice| choice == "none");
            let for_all = argument == "pattern" && without && asks_for_its_own(given);
            let optional = field.is_some_and(|field| field.optional);
            let needless = argument == "password" || is_usual || for_all || optional;
            let carries = self.dialect.carries_argument(operation, argument);
            (!carries && !needless).then(|| format!("this wire cannot say `{argument}` in {operation}"))
        })
    }

    fn expect(&self, expect: &Expect, asked: &[&str]) -> Option<String> {
        match expect {
            Expect::Ok(fields) => fields.iter().find_map(|(field, wanted)| self.result(field, wanted, asked)),
            Expect::Outcome(outcome) => {
                let mut have = asked.iter().filter(|name| self.service.outcome(name, outcome).is_some()).peekable();
                have.peek()?;
                let told = have.any(|name| self.dialect.tells_outcome(name, outcome));
                (!told).then(|| self.never_tells(asked, outcome))
            }
            Expect::Error(error, _) => {
                let hidden = error
                    .strip_prefix("invalid_")
                    .filter(|argument| asked.iter().any(|operation| self.dialect.hides_argument(operation, argument)));
                if let Some(argument) = hidden {
                    return Some(format!("this wire hides the {argument}, so a server cannot find it `{error}`"));
                }
                let told = asked.is_empty()
                    || asked
                        .iter()
                        .any(|name| self.dialect.tells_error(name, error) || self.dialect.tells_some_error(name));
                (!told).then(|| format!("this wire cannot say `{error}` in answer to {}", asked.join(" or ")))
            }
            Expect::Event(event, fields) => {
                let untold = fields.iter().find(|(field, _)| !self.dialect.carries_event(event, field))?;
                Some(format!("the event {event} of this wire never tells `{}`", untold.0))
            }
            // It is enough that one of them can come.
            Expect::OneOf(any) => {
                let why: Vec<Option<String>> = any.iter().map(|one| self.expect(one, asked)).collect();
                if why.iter().any(Option::is_none) { None } else { why.into_iter().flatten().next() }
            }
            Expect::Sequence(all) | Expect::Set(all) => all.iter().find_map(|one| self.expect(one, asked)),
            Expect::Nothing | Expect::Closed => None,
        }
    }

    fn result(&self, field: &str, wanted: &Match, asked: &[&str]) -> Option<String> {
        if !self.tells(asked, field) {
            return Some(self.never_tells(asked, field));
        }
        self.inside(wanted, asked)
    }

    /// Fields of rows inside a list.
    fn inside(&self, wanted: &Match, asked: &[&str]) -> Option<String> {
        match wanted {
            Match::Row(fields) => fields.iter().find_map(|(field, wanted)| self.result(field, wanted, asked)),
            Match::List(all)
            | Match::Set(all)
            | Match::Includes(all)
            | Match::Excludes(all)
            | Match::OneOf(all)
            | Match::All(all) => all.iter().find_map(|one| self.inside(one, asked)),
            Match::Not(inner) => self.inside(inner, asked),
            _ => None,
        }
    }

    fn tells(&self, asked: &[&str], field: &str) -> bool {
        let told = |name: &&str| match *name {
            PUSHED => field == "messages" || self.dialect.carries_event("message", field),
            name => self.dialect.carries_result(name, field),
        };
        asked.is_empty() || asked.iter().any(told)
    }

    fn never_tells(&self, asked: &[&str], field: &str) -> String {
        match asked {
            [PUSHED] => format!("the event {PUSHED} of this wire never tells `{field}`"),
            _ => format!("the answer to {} on this wire never tells `{field}`", asked.join(" or ")),
        }
    }
}
