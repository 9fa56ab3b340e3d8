//! A dialect speaks every message to itself when it is loaded: what it says, it must hear, as itself and with its values.
//!
//! That finds two lines of a table that cannot be told apart, and values that a wire cannot carry, before any
//! target is touched. `drawn` shows what was found. Not here: whether a target speaks it, and whether a wire carries a
//! certain value (`carry`).

mod drawn;

use std::cell::Cell;

use crate::codec::plan::{Entry, Meaning, Message, Name, Shape};
use crate::codec::rehearse::drawn::{shown, silent_word};
use crate::codec::sample::{FILLED, LONG, SHORT, hashes, sample};
use crate::codec::{Dialogue, Heard, Memory, RequestHeard, Slots, Voice};
use crate::dialect::Dialect;
use crate::error::{Diagnostic, Diagnostics};
use crate::load::Document;
use crate::service::Service;
use crate::value::{Record, Value};

/// Details of errors have every length up to this one, so that an error can be taken for any short answer.
const LONGEST_DETAIL: usize = 32;

/// Speaks and hears every message of the dialect; what does not come back is added to `found`. Where an answer can be
/// the beginning of another, a pause tells which it was.
pub(crate) fn rehearse(dialect: &mut Dialect, service: &Service, document: &Document, found: &mut Diagnostics) {
    let stage = Stage { dialect, service, document, needs_pause: Cell::new(false) };
    stage.rehearse(found);
    dialect.open_answers |= stage.needs_pause.get();
}

struct Stage<'a> {
    dialect: &'a Dialect,
    service: &'a Service,
    document: &'a Document,
    needs_pause: Cell<bool>,
}

impl Stage<'_> {
    fn rehearse(&self, found: &mut Diagnostics) {
        let Stage { dialect, .. } = self;
        for variant in [SHORT, FILLED, LONG] {
            let mut mistakes = Vec::new();
            for (index, operation) in dialect.operations.iter().enumerate() {
                for (at, step) in operation.steps.iter().enumerate() {
                    let path = match operation.steps.len() {
                        1 => format!("operations.{}", operation.name),
                        _ => format!("operations.{}.{at}", operation.name),
                    };
                    let mut dialogue = Dialogue { operation: Some(index), step: at, ..Dialogue::default() };
                    for message in &step.say {
                        let given = sample(dialect, &message.shape, variant);
                        match self.request(&operation.name, (index, at), &path, message, &given, variant) {
                            Ok(said) => dialogue = said,
                            Err(diagnostic) => mistakes.push(diagnostic),
                        }
                    }
                    if !step.say.is_empty() && dialogue.said.is_none() {
                        continue;
                    }
                    let entries = step.hear.iter().chain(&dialect.anytime);
                    mistakes.extend(entries.filter_map(|entry| self.entry(entry, &dialogue, variant)));
                }
            }
            if !mistakes.is_empty() {
                for diagnostic in mistakes {
                    if !found.0.contains(&diagnostic) {
                        found.push(diagnostic);
                    }
                }
                return;
            }
        }
    }

    fn request(
        &self,
        name: &str,
        (index, step): (usize, usize),
        path: &str,
        message: &Message,
        given: &Record,
        variant: usize,
    ) -> Result<Dialogue, Diagnostic> {
        let path = format!("{path}.say");
        let mut bytes = Vec::new();
        let mut memory = Memory::of("alice");
        let mut given = given.clone();
        for label in &message.shape.labels {
            if let (Name::Of(of, whom), Some(value)) = (&label.name, given.get(&label.text).cloned()) {
                memory.learn(&Record::new().with("username", "carol").with(of, value), self.service);
                given.set(whom, "carol");
            }
        }
        let given = &given;
        memory.learn(given, self.service);
        given.iter().filter_map(|(name, value)| Some((name.strip_prefix("my ")?, value))).for_each(|(name, value)| {
            memory.learn(&Record::new().with(name, value.clone()), self.service);
        });
        let dialogue = match self.dialect.speak_step(index, step, given, &memory, 7, &mut bytes) {
            Ok(dialogue) => dialogue,
            // What is too long for a wire is not said there.
            Err(_) if variant == LONG => return Ok(Dialogue::default()),
            Err(why) if why.is_missing() && self.dialect.say.position(&why.field).is_some() => {
                return Err(self.of_frame("say", &self.dialect.say, &why.field));
            }
            Err(why) => return Err(self.error(&path, format!("`{name}` cannot be said: {why}"))),
        };
        if let Some(other) = self.dialect.same_constants(index, step)
            && !self.dialect.told_apart_by_session(name, &other)
        {
            let diagnostic = self.error(&path, format!("`{name}` is heard as `{other}`: {}", shown(&bytes)));
            return Err(match self.place(&format!("operations.{other}.say")) {
                Some(place) => diagnostic.other(&place, "which has the same numbers in its frame"),
                None => diagnostic,
            });
        }
        let (mut slots, mut heard) = (Slots::new(), Dialogue::default());
        let going = (step > 0).then_some((index, step));
        let outcome = self.dialect.hear_request_of(&bytes, true, going, &mut slots, &mut heard);
        if let Some(other) = self.dialect.operation_of(&heard).filter(|other| *other != name) {
            // What dialogues begin with alike, their later steps tell apart.
            let leads_on = |(index, step): (usize, usize)| step + 1 < self.dialect.plan(index).steps.len();
            if leads_on((index, step)) && heard.operation.is_some_and(|other| leads_on((other, heard.step))) {
                return Ok(dialogue);
            }
            // Requests of which one needs a session and the other cannot have one are told apart by that.
            if self.dialect.told_apart_by_session(name, other) {
                return Ok(dialogue);
            }
            let diagnostic = self.error(&path, format!("`{name}` is heard as `{other}`: {}", shown(&bytes)));
            return Err(match self.place(&format!("operations.{other}.say")) {
                Some(place) => diagnostic.other(&place, "which is heard first"),
                None => diagnostic,
            });
        }
        let why = match outcome {
            RequestHeard::Taken(_) => {
                let mut heard = self.dialect.arguments(&heard, &slots);
                // What is heard of a hash is the hash.
                let hashes = hashes(message);
                hashes.iter().for_each(|name| drop(heard.remove(name)));
                if same(&heard, given) && is_whole(&message.shape, &heard, given, &hashes) {
                    return Ok(dialogue);
                }
                format!("does not come back with its arguments: {given} became {heard}")
            }
            RequestHeard::More(_) => format!("is not heard: more than {} would be needed", shown(&bytes)),
            RequestHeard::Refused { unfit, .. } => format!("is not heard: {unfit} of {}", shown(&bytes)),
        };
        let diagnostic = self.error(&path, format!("`{name}` {why}"));
        Err(match silent_word(&message.shape.parts) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        })
    }

    /// Speaks what an entry means, and hears it where a request waits for its answer.
    fn entry(&self, entry: &Entry, dialogue: &Dialogue, variant: usize) -> Option<Diagnostic> {
        let mut values = sample(self.dialect, &entry.message.shape, variant);
        // What the request said is what the answer says.
        for (name, value) in dialogue.said.iter().flat_map(|said| said.iter()) {
            if values.get(name).is_some() && !matches!(entry.meaning, Meaning::Event(_)) {
                values.set(name, value.clone());
            }
        }
        // What an answer repeats of the request's frame is what that said.
        for label in entry.message.echoes.iter().map(|slot| &entry.message.shape.labels[*slot]) {
            let number = self.dialect.say.number(&label.text).and_then(|slot| dialogue.frame.get(slot).copied());
            if let (Some(number), true) = (number, values.get(&label.text).is_some()) {
                values.set(&label.text, number);
            }
        }
        if let Meaning::Outcome(outcome) = &entry.meaning {
            for (field, value) in self.dialect.outcome(dialogue, outcome) {
                values.set(field, value.unwrap_or_default());
            }
        }
        let is_detailed = entry.meaning == Meaning::AnyError && entry.message.shape.position("detail").is_some();
        // Once is enough: the variants do not differ in it.
        let lengths = if is_detailed && variant == SHORT { LONGEST_DETAIL } else { 1 };
        (0..lengths).find_map(|length| {
            if is_detailed {
                values.set("detail", "x".repeat(length));
            }
            if entry.message.shape.position("error").is_some()
                && let Some(error) = self.service.errors.get("unavailable")
            {
                values.set("error", u64::from(error.code));
            }
            if let Meaning::Error(name, _) = &entry.meaning
                && let Some(error) = self.service.errors.get(name)
            {
                values.set("error", u64::from(error.code));
            }
            self.answer(entry, &values, dialogue, variant)
        })
    }

    fn answer(&self, entry: &Entry, values: &Record, dialogue: &Dialogue, variant: usize) -> Option<Diagnostic> {
        let mut bytes = Vec::new();
        let is_event = matches!(entry.meaning, Meaning::Event(_));
        let nobody = Dialogue::default();
        let asked = if is_event { &nobody } else { dialogue };
        let voice = Voice { me: Some("alice"), fresh: 7, now_ms: 1 };
        if let Err(why) = self.dialect.speak_entry(entry, values, asked, voice, &mut bytes) {
            if variant == LONG {
                return None;
            }
            return Some(match self.dialect.hear.position(&why.field).filter(|_| why.is_missing()) {
                Some(_) => self.of_frame("hear", &self.dialect.hear, &why.field),
                None => self.error(&entry.path, format!("this cannot be said: {why}")),
            });
        }
        let asked = [Some(dialogue)];
        let heard = self.dialect.hear_answer_of(&bytes, true, &asked);
        let back = match (&entry.meaning, &heard) {
            (Meaning::Ok | Meaning::Outcome(_), Some(Heard::Ok { values: heard, .. }))
            | (Meaning::Next, Some(Heard::Next { values: heard, .. }))
            | (Meaning::More, Some(Heard::More { values: heard, .. })) => {
                same(heard, values) && is_whole(&entry.message.shape, heard, values, &[])
            }
            (Meaning::Event(said), Some(Heard::Event { name, values: heard, .. })) => {
                said == name && same(heard, values)
            }
            (Meaning::Error(said, _), Some(Heard::Error { name, .. })) => said == name,
            (Meaning::AnyError, Some(Heard::Error { name, .. })) => ["unavailable", "error"].contains(&name.as_str()),
            (Meaning::Ignore, _) => true,
            // Rows and events that look alike are told apart by who waits for them.
            (Meaning::Event(_), Some(Heard::More { values: heard, .. })) => same(heard, values),
            _ => false,
        };
        // By itself, too: whoever waits for more than a whole message needs a pause to tell.
        let waits = || self.dialect.hear_answer_of(&bytes, false, &asked).is_none();
        if back && !bytes.is_empty() && !self.dialect.answers_are_open() && waits() {
            self.needs_pause.set(true);
            return None;
        }
        let heard = match heard {
            _ if back => return None,
            None => "as no whole message".to_owned(),
            Some(Heard::Ok { values, .. }) => format!("as a success: {values}"),
            Some(Heard::Error { name, .. }) => format!("as the error `{name}`"),
            Some(Heard::Event { name, values, .. }) => format!("as the event `{name}`: {values}"),
            Some(Heard::Next { values, .. }) => format!("as `next`: {values}"),
            Some(Heard::More { values, again: true, .. }) => format!("as `again`: {values}"),
            Some(Heard::More { values, .. }) => format!("as `more`: {values}"),
            Some(Heard::Ignored { .. }) => "as something to ignore".to_owned(),
            Some(Heard::Other { unfit, .. }) => format!("as nothing: {unfit}"),
        };
        let message = format!("this does not come back as itself: {}", shown(&bytes));
        let help = silent_word(&entry.message.shape.parts).unwrap_or_else(|| format!("it is heard {heard}"));
        let diagnostic = self.error(&entry.path, message).help(help);
        let first = self.dialect.answers(&asked).find(|(dialogue, operation, entry)| {
            let mut slots = Slots::new();
            self.dialect.try_entry(entry, *operation, &bytes, true, &mut slots, *dialogue, &mut ()).is_ok()
        });
        let first = first.map(|(_, _, first)| &first.path).filter(|path| **path != entry.path);
        Some(match first.and_then(|path| self.place(path)) {
            Some(place) => diagnostic.other(&place, "which is heard first"),
            None => diagnostic,
        })
    }
}

/// Whether what was heard is what was said, as far as it was.
fn same(heard: &Record, said: &Record) -> bool {
    heard.iter().all(|(field, value)| said.get(field).is_none_or(|said| said == value))
}

/// Whether all that was said under a shape's names was heard; of what is empty, nothing need be.
fn is_whole(shape: &Shape, heard: &Record, said: &Record, but: &[&str]) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Text(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        _ => false,
    };
    said.iter()
        .filter(|(name, value)| shape.position(name).is_some() && !but.contains(name) && !is_empty(value))
        .all(|(name, _)| heard.get(name).is_some())
}
