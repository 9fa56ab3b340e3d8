//! Whether what came is what was claimed.
//!
//! What is right follows from the claim alone. Nothing here knows the reference server.

use std::collections::BTreeMap;

use spec::codec::Heard;
use spec::dialect::Dialect;
use spec::scenario::{Expect, Match};
use spec::service::Service;
use spec::value::{Record, Value};

use crate::drive::{Arrival, Arrived};

/// Makes the values of a claim: who the actors are, and what was kept.
pub type Make<'a> = dyn FnMut(&str, &spec::scenario::Given) -> Value + 'a;

/// The eyes of one step: the protocol's words, and what the claim's values are.
pub struct Eyes<'a> {
    /// Fields, rows and outcomes.
    pub service: &'a Service,
    /// What the target speaks, and its choices.
    pub dialect: &'a Dialect,
    /// Whether the order of names in a list is what the play is about.
    pub in_order: bool,
    /// What all usernames of the case begin with.
    pub prefix: &'a str,
    /// Makes the values of the claim.
    pub make: &'a mut Make<'a>,
}

impl Eyes<'_> {
    /// Whether one arrival meets one claim. The error says what is different.
    ///
    /// # Errors
    /// In what the arrival differs from the claim.
    pub fn meets(&mut self, expect: &Expect, arrived: &Arrived) -> Result<(), String> {
        match (expect, &arrived.what) {
            (Expect::OneOf(alternatives), _) => {
                let mut last = String::new();
                for alternative in alternatives {
                    match self.meets(alternative, arrived) {
                        Ok(()) => return Ok(()),
                        Err(why) => last = why,
                    }
                }
                Err(last)
            }
            (Expect::Ok(fields), Arrival::Answer(Heard::Ok { values, .. })) => self.row_fits(fields, values),
            (Expect::Outcome(name), Arrival::Answer(Heard::Ok { operation, values, .. })) => {
                let outcome = operation.as_deref().and_then(|operation| self.service.outcome(operation, name));
                let same = outcome.is_some_and(|outcome| outcome_fits(outcome, values));
                if same { Ok(()) } else { Err(describe(arrived, self.service)) }
            }
            (Expect::Error(name, fields), Arrival::Answer(Heard::Error { name: seen, values, .. }))
            | (Expect::Event(name, fields), Arrival::Event(Heard::Event { name: seen, values, .. }))
                if name == seen =>
            {
                self.row_fits(fields, values)
            }
            // Some wires say that something failed, and not why.
            (Expect::Error(name, _), Arrival::Answer(Heard::Error { name: seen, .. })) if seen == "error" => {
                let operation = arrived.dialogue.as_ref().and_then(|dialogue| self.dialect.operation_of(dialogue));
                match self.dialect.tells_error(operation.unwrap_or_default(), name) {
                    true => Err(describe(arrived, self.service)),
                    false => Ok(()),
                }
            }
            (Expect::Closed, Arrival::End(_)) => Ok(()),
            _ => Err(describe(arrived, self.service)),
        }
    }

    fn row_fits(&mut self, fields: &[(String, Match)], values: &Record) -> Result<(), String> {
        for (field, wanted) in fields {
            let Some(value) = values.get(field) else { return Err(format!("no `{field}` in {values}")) };
            if !self.fits(wanted, value, field) {
                return Err(format!("{field}: {value}"));
            }
        }
        Ok(())
    }

    fn fits(&mut self, wanted: &Match, value: &Value, field: &str) -> bool {
        // The kind of a list's items decides how actors' names in it are read.
        let service = self.service;
        let item = service.field(field).and_then(|field| field.of.as_deref()).unwrap_or(field);
        if let (Value::List(items), "username") = (value, item) {
            return self.names_fit(wanted, items, item);
        }
        self.fits_as_it_is(wanted, value, field, item)
    }

    /// A list of names: in the order of the target's policy, and where its patterns are loose, only the case's own.
    fn names_fit(&mut self, wanted: &Match, items: &[Value], item: &str) -> bool {
        let chooses = |policy: &str, choices: &[&str]| {
            self.dialect.policies.get(policy).is_some_and(|chosen| choices.contains(&chosen.as_str()))
        };
        let is_own = |value: &&Value| value.as_text().is_some_and(|name| name.starts_with(self.prefix));
        let items: Vec<Value> = match chooses("pattern", &["substring", "none"]) {
            true => items.iter().filter(is_own).cloned().collect(),
            false => items.to_vec(),
        };
        let sorted = chooses("list_order", &["sorted"]);
        match wanted {
            Match::Sorted if !sorted => true,
            Match::List(wanted) if !sorted && !self.in_order => {
                wanted.len() == items.len() && self.all_found(wanted, &items, item)
            }
            Match::All(wanted) => wanted.iter().all(|wanted| self.names_fit(wanted, &items, item)),
            Match::OneOf(wanted) => wanted.iter().any(|wanted| self.names_fit(wanted, &items, item)),
            Match::Not(wanted) => !self.names_fit(wanted, &items, item),
            wanted => self.fits_as_it_is(wanted, &Value::List(items), "usernames", item),
        }
    }

    fn fits_as_it_is(&mut self, wanted: &Match, value: &Value, field: &str, item: &str) -> bool {
        match (wanted, value) {
            (Match::Equal(given), _) => (self.make)(field, given) == *value,
            (Match::Row(fields), Value::Row(row)) => self.row_fits(fields, row).is_ok(),
            (Match::List(wanted), Value::List(items)) => {
                wanted.len() == items.len()
                    && wanted.iter().zip(items).all(|(wanted, value)| self.fits(wanted, value, item))
            }
            (Match::Set(wanted), Value::List(items)) => {
                wanted.len() == items.len() && self.all_found(wanted, items, item)
            }
            (Match::Includes(wanted), Value::List(items)) => self.all_found(wanted, items, item),
            (Match::Excludes(wanted), Value::List(items)) => {
                wanted.iter().all(|wanted| !items.iter().any(|value| self.fits(wanted, value, item)))
            }
            (Match::Sorted, Value::List(items)) => items.is_sorted(),
            (Match::Length(wanted), value) => {
                let length = match value {
                    Value::List(items) => items.len(),
                    Value::Text(text) => text.chars().count(),
                    Value::Bytes(bytes) => bytes.len(),
                    _ => return false,
                };
                self.fits(wanted, &Value::Int(length as u64), "")
            }
            (Match::AtLeast(given), value) => (self.make)(field, given) <= *value,
            (Match::AtMost(given), value) => (self.make)(field, given) >= *value,
            (Match::StartsWith(given), value) => match ((self.make)(field, given).as_bytes(), value.as_bytes()) {
                (Some(start), Some(bytes)) => bytes.starts_with(start),
                _ => false,
            },
            (Match::OneOf(wanted), value) => wanted.iter().any(|wanted| self.fits(wanted, value, field)),
            (Match::Not(wanted), value) => !self.fits(wanted, value, field),
            (Match::All(wanted), value) => wanted.iter().all(|wanted| self.fits(wanted, value, field)),
            _ => false,
        }
    }

    /// Whether every wanted item has an item of its own.
    fn all_found(&mut self, wanted: &[Match], items: &[Value], field: &str) -> bool {
        let Some((first, rest)) = wanted.split_first() else { return true };
        for (index, value) in items.iter().enumerate() {
            if self.fits(first, value, field) {
                let mut others = items.to_vec();
                others.remove(index);
                if self.all_found(rest, &others, field) {
                    return true;
                }
            }
        }
        false
    }
}

/// What arrived, in a line.
pub fn describe(arrived: &Arrived, service: &Service) -> String {
    match &arrived.what {
        Arrival::Answer(Heard::Ok { operation, values, .. }) => {
            let outcome = operation.as_deref().and_then(|operation| outcome_of(service, operation, values));
            match outcome {
                Some(name) => format!("{name} {values}"),
                None if values.is_empty() => "ok".into(),
                None => format!("ok {values}"),
            }
        }
        Arrival::Answer(Heard::Error { name, values, .. }) => {
            let detail = values.get("detail").and_then(Value::as_text).filter(|detail| !detail.is_empty());
            detail.map_or_else(|| name.clone(), |detail| format!("{name} ({detail})"))
        }
        Arrival::Answer(Heard::Other { unfit, .. }) => format!("bytes that are no answer in this dialect: {unfit}"),
        Arrival::Answer(_) => "noise".into(),
        Arrival::Unsent(why) => format!("the request never left the suite: {why}"),
        Arrival::Part(part) => describe_part(part),
        Arrival::Event(Heard::Event { name, values, .. }) => format!("the event {name} {values}"),
        Arrival::Event(_) => "an event".into(),
        Arrival::End(how) if arrived.bytes.is_empty() => how.clone(),
        Arrival::End(how) => format!("{how}, inside a message"),
        Arrival::Silence if arrived.bytes.is_empty() => "nothing".into(),
        Arrival::Silence => format!("{} bytes of a message, and then nothing", arrived.bytes.len()),
        Arrival::Flood => "more than anybody asked for: the server floods the connection".into(),
    }
}

/// Part of an answer that goes on, a greeting, or the answer to a fence that the dialogue itself has said.
fn describe_part(part: &Heard) -> String {
    let words = match part {
        Heard::More { values, .. } => format!("one more {values}"),
        Heard::Next { values, .. } => format!("go on {values}"),
        Heard::Ok { operation: Some(name), values, .. } if name == "connect" => format!("the greeting {values}"),
        Heard::Ok { operation: Some(name), values, .. } => format!("{name} is answered with ok {values}"),
        Heard::Ok { values, .. } => format!("ok {values}"),
        Heard::Error { name, .. } => name.clone(),
        Heard::Other { unfit, .. } => format!("bytes that are no answer in this dialect: {unfit}"),
        Heard::Event { .. } | Heard::Ignored { .. } => "noise".into(),
    };
    words.replace(" {}", "")
}

fn outcome_of<'s>(service: &'s Service, operation: &str, values: &Record) -> Option<&'s str> {
    let outcomes = &service.operations.get(operation)?.outcomes;
    outcomes.iter().find(|(_, fields)| outcome_fits(fields, values)).map(|(name, _)| name.as_str())
}

fn outcome_fits(outcome: &BTreeMap<String, serde_yaml::Value>, values: &Record) -> bool {
    outcome.iter().all(|(field, value)| values.get(field).and_then(Value::as_flag) == value.as_bool())
}
