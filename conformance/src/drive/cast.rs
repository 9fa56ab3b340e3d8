//! The actors of a play: their names and passwords, and the values that earlier steps kept.
//!
//! Names belong to one case of one run alone, so cases can run side by side, and again against the same living server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use reference_server::world::World;
use spec::scenario::{Given, Piece, Scenario};
use spec::service::{FieldKind, Service};
use spec::value::Value;

/// Digits of names: short, and allowed by every wire known.
const DIGITS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// Characters from here on make names that are too short for a prefix: there are enough to be alone with one of them.
const RARE: (u32, u32) = (0x20000, 0x2a6d0);

/// The names of one run: a run id that no other run has.
#[derive(Debug, Clone)]
pub struct Names {
    run: String,
    world: World,
    connections: Arc<AtomicU32>,
}

impl Names {
    /// Names for a new run.
    pub fn new(world: &World) -> Self {
        let run = (0..6).map(|_| char::from(DIGITS[world.below(26) as usize])).collect();
        Names { run, world: world.clone(), connections: Arc::default() }
    }

    /// What all usernames of one case begin with. Prefixes have one length, so none begins another.
    pub fn prefix(&self, case: usize) -> String {
        let mut number = case;
        let mut digits = [0_u8; 3];
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS[number % DIGITS.len()];
            number /= DIGITS.len();
        }
        format!("{}{}", self.run, digits.map(char::from).iter().collect::<String>())
    }

    /// The number of a new connection.
    pub fn connection(&self) -> u32 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The randomness of this run.
    pub fn world(&self) -> &World {
        &self.world
    }
}

/// The actors of one case and what is known about them.
#[derive(Debug)]
pub(crate) struct Cast<'a> {
    service: &'a Service,
    prefix: String,
    actors: Vec<String>,
    kept: BTreeMap<String, Value>,
    /// The count in a step that is done several times.
    pub(crate) n: u64,
    fresh: u64,
    world: World,
}

impl<'a> Cast<'a> {
    pub(crate) fn new(scenario: &Scenario, service: &'a Service, prefix: String, world: World) -> Self {
        let actors = scenario.actors.keys().cloned().collect();
        Cast { service, prefix, actors, kept: BTreeMap::new(), n: 1, fresh: 0, world }
    }

    /// What all usernames of the case begin with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The protocol.
    pub(crate) fn service(&self) -> &'a Service {
        self.service
    }

    /// An actor's username.
    pub(crate) fn username(&self, actor: &str) -> String {
        format!("{}{actor}", self.prefix)
    }

    /// An actor's password.
    pub(crate) fn password(&self, actor: &str) -> String {
        format!("pw{}", self.username(actor))
    }

    /// A number nobody can guess, for fences.
    pub(crate) fn random(&self) -> u64 {
        u64::from_be_bytes(self.world.random())
    }

    /// Remembers a value under a name.
    pub(crate) fn keep(&mut self, name: &str, value: Value) {
        self.kept.insert(name.to_owned(), value);
    }

    /// Makes the value that a field is given.
    pub(crate) fn make(&mut self, field: &str, given: &Given) -> Value {
        let value = match given {
            Given::Literal(Value::Text(text)) => Value::Text(self.own(field, text)),
            Given::Literal(value) => value.clone(),
            Given::Text(pieces) => self.fill(pieces),
            Given::Repeat { text, times } => Value::Text(text.repeat(*times as usize)),
            Given::Fresh { characters, filler } => Value::Text(self.fresh(*characters as usize, filler)),
        };
        match (value, self.service.field(field).map(|field| field.kind)) {
            (Value::Text(text), Some(FieldKind::Bytes)) => Value::Bytes(text.into_bytes()),
            (value, _) => value,
        }
    }

    /// In a field for usernames or passwords, an actor's name means that actor's own.
    fn own(&self, field: &str, text: &str) -> String {
        if !self.actors.iter().any(|actor| actor == text) {
            return text.to_owned();
        }
        match field {
            "password" => self.password(text),
            _ if self.service.is_username(field) => self.username(text),
            _ => text.to_owned(),
        }
    }

    fn fill(&self, pieces: &[Piece]) -> Value {
        if let [Piece::Hole(name)] = pieces {
            return self.hole(name);
        }
        let text = pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Hole(name) => match self.hole(name) {
                Value::Text(text) => text,
                Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                other => other.to_string(),
            },
        });
        Value::Text(text.collect())
    }

    fn hole(&self, name: &str) -> Value {
        match name {
            _ if self.kept.contains_key(name) => self.kept[name].clone(),
            "prefix" => Value::Text(self.prefix.clone()),
            "n" => Value::Int(self.n),
            actor => Value::Text(self.username(actor)),
        }
    }

    /// A username of so many characters that this run has not used.
    fn fresh(&mut self, characters: usize, filler: &str) -> String {
        self.fresh += 1;
        let mut name = format!("{}{}", self.prefix, self.fresh);
        if name.len() > characters {
            let (first, last) = RARE;
            let rare = |_| char::from_u32(first + self.world.below(u64::from(last - first)) as u32).unwrap_or('𠀀');
            return (0..characters).map(rare).collect();
        }
        let mut filling = filler.chars().cycle();
        while name.chars().count() < characters {
            name.extend(filling.next());
        }
        name
    }
}
