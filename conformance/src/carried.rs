//! What a wire carries of a scenario: arguments that are given, results and errors that are claimed.
//!
//! What follows from the shapes of a dialect is not declared anywhere else. Whether single values fit a wire is seen
//! when they are said (`drive`).

use spec::dialect::Dialect;
use spec::scenario::{Expect, Frame, Given, Match, Scenario, Step, Verb};
use spec::service::{Field, Service};

/// Why a dialect cannot carry a scenario. None: it can.
pub fn missing(scenario: &Scenario, dialect: &Dialect) -> Option<String> {
    // A connection under gRPC is shared, kept and mended by libraries: its end says nothing about a user.
    let ends = |step: &Step| {
        let half = matches!(step.verb, Verb::Writes { then_half_closes: true, .. });
        half || matches!(step.verb, Verb::HalfCloses | Verb::Disconnects | Verb::Resets | Verb::Returns)
    };
    if dialect.grpc.is_some() && scenario.all_steps().any(ends) {
        return Some("the end of a gRPC connection says nothing about its user".into());
    }
    let wire = Wire { dialect, service: dialect.service() };
    scenario.all_steps().find_map(|step| wire.step(step))
}

struct Wire<'a> {
    dialect: &'a Dialect,
    service: &'a Service,
}

impl Wire<'_> {
    fn step(&self, step: &Step) -> Option<String> {
        let mut asked: Vec<&str> = Vec::new();
        let mut given: Vec<(&str, &[(String, Given)])> = Vec::new();
        match &step.verb {
            Verb::Operation { name, with } => given.push((name, with)),
            Verb::Returns => asked.push("log_in"),
            Verb::Writes { frames, .. } => {
                for frame in frames {
                    match frame {
                        Frame::Operation { name, with } | Frame::Damaged { name, with, .. } => given.push((name, with)),
                        // What bytes claim is about bytes.
                        Frame::Hex(_) => return None,
                    }
                }
            }
            _ => {}
        }
        asked.extend(given.iter().map(|(name, _)| *name));
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
            let usual = self.service.field(argument).and_then(Field::default_value);
            let is_usual = matches!((given, &usual), (Given::Literal(given), Some(usual)) if given == usual);
            // A wire without passwords is asked without them.
            let needless = argument == "password" || is_usual;
            let carries = self.dialect.carries_argument(operation, argument);
            (!carries && !needless).then(|| format!("this wire cannot say `{argument}` in {operation}"))
        })
    }

    fn expect(&self, expect: &Expect, asked: &[&str]) -> Option<String> {
        match expect {
            Expect::Ok(fields) => fields.iter().find_map(|(field, wanted)| self.result(field, wanted, asked)),
            Expect::Outcome(outcome) => {
                let fields = asked.iter().find_map(|name| self.service.outcome(name, outcome))?;
                let untold = fields.keys().find(|field| !self.tells(asked, field))?;
                Some(self.never_tells(asked, untold))
            }
            Expect::Error(error, _) => {
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
        asked.is_empty() || asked.iter().any(|name| self.dialect.carries_result(name, field))
    }

    fn never_tells(&self, asked: &[&str], field: &str) -> String {
        format!("the answer to {} on this wire never tells `{field}`", asked.join(" or "))
    }
}
