//! A dialect: how operations, answers and events look on one wire, ready to be spoken and heard in both directions.
//!
//! One value of this type serves the suite as client, the reference server and client, golden bytes and annotations.
//! Not here: reading it from YAML (`codec::compile`), and the buffering of a connection (`codec::stream`).

use std::collections::BTreeMap;
use std::ops::Range;

use crate::codec::plan::{Entry, Frame, Item, Meaning, Message, NO_SLOT, Name, OperationPlan, Part, Rule, SlotNumber};
use crate::codec::{
    Dialogue, Framed, Heard, Reason, Saying, Slot, Slots, Unfit, Unspeakable, hear_frame, hear_plan, speak,
};
use crate::message::{Event, Response};
use crate::service::ErrorSpec;
use crate::value::{Record, Value};

/// A wire, compiled.
#[derive(Debug, Clone)]
pub struct Dialect {
    /// Its name, such as `framed`.
    pub name: String,
    /// What it is, in a sentence.
    pub about: String,
    /// The operation that always answers, and so proves that all before it was handled.
    pub fence: String,
    /// The choices of its implementations, for every policy of `service.yaml`.
    pub policies: BTreeMap<String, String>,
    /// The capabilities that its implementations cannot have.
    pub lacks: Vec<String>,
    pub(crate) names: Vec<Name>,
    pub(crate) say: Frame,
    pub(crate) hear: Frame,
    pub(crate) anytime: Vec<Entry>,
    pub(crate) operations: Vec<OperationPlan>,
    pub(crate) errors: BTreeMap<String, ErrorSpec>,
    pub(crate) outcomes: BTreeMap<String, BTreeMap<String, BTreeMap<String, serde_yaml::Value>>>,
    pub(crate) index: Option<Index>,
}

/// Which operation a number in the frame means, where one number tells.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    part: usize,
    slot: SlotNumber,
    operations: BTreeMap<u64, usize>,
}

/// What came out of the bytes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestHeard {
    /// At least so many bytes are needed in all.
    More(usize),
    /// A request, and how many bytes it took.
    Taken(usize, Dialogue),
    /// It must be refused. `taken` is none where its end cannot be known; then the connection must close.
    Refused {
        /// Bytes to pass over.
        taken: Option<usize>,
        /// The protocol's error.
        error: String,
        /// What exactly does not fit.
        unfit: Unfit,
        /// What the answer can echo.
        dialogue: Dialogue,
        /// Whether the connection ends after the answer.
        close: bool,
    },
}

impl Dialect {
    /// Whether the dialect has an operation.
    pub fn has_operation(&self, name: &str) -> bool {
        self.operation(name).is_some()
    }

    /// The operation that an exchange belongs to, if it is known.
    pub fn operation_of(&self, dialogue: &Dialogue) -> Option<&str> {
        dialogue.operation.map(|index| self.operations[index].name.as_str())
    }

    /// The number of a name, for reading `Slots`.
    pub fn slot(&self, name: &str) -> Option<u16> {
        self.names.iter().position(|known| known.text == name).map(|at| at as u16)
    }

    /// Empty slots for this dialect's messages.
    pub fn slots<'a>(&self) -> Slots<'a> {
        Slots::new(self.names.len())
    }

    // ── requests: what a client says ──────────────────────────────────────────────────────────────────────────────

    /// Appends a request. `fresh` is the number for fields that are new each time, such as a request id.
    ///
    /// # Errors
    /// The wire cannot carry it; `out` is as before.
    pub fn speak_request(
        &self,
        operation: &str,
        arguments: &Record,
        fresh: u64,
        out: &mut Vec<u8>,
    ) -> Result<Dialogue, Unspeakable> {
        let Some(index) = self.operation(operation) else {
            return Err(Unspeakable { field: operation.to_owned(), why: "is no operation of this dialect".into() });
        };
        let message = &self.operations[index].say;
        let mut slots = self.slots();
        slots.fill(&self.names, arguments, &|slot| item_of(message, slot));
        self.encode_request(index, &slots, fresh, out)
    }

    /// As `speak_request`, from slots: the path without allocation.
    ///
    /// # Errors
    /// The wire cannot carry it; `out` is as before.
    pub fn encode_request(
        &self,
        operation: usize,
        slots: &Slots<'_>,
        fresh: u64,
        out: &mut Vec<u8>,
    ) -> Result<Dialogue, Unspeakable> {
        let mut dialogue = Dialogue { operation: Some(operation), ..Dialogue::default() };
        speak(&self.say, &self.operations[operation].say, slots, &mut dialogue, fresh, out)?;
        Ok(dialogue)
    }

    /// The number of an operation, for `encode_request`.
    pub fn operation(&self, name: &str) -> Option<usize> {
        self.operations.iter().position(|operation| operation.name == name)
    }

    /// Reads one request from the front of `bytes` into `slots`.
    pub fn hear_request<'a>(&self, bytes: &'a [u8], slots: &mut Slots<'a>) -> RequestHeard {
        let mut dialogue = Dialogue::default();
        let (taken, body) = match hear_frame(&self.say, bytes, slots, &mut ()) {
            Framed::More(least) => return RequestHeard::More(least),
            Framed::Unfit(part, unfit, taken) => {
                // What stands before the part that broke is known and can be echoed; the rest cannot be trusted.
                self.remember(slots, part, &mut dialogue);
                return self.refused(taken, Some(part), unfit, dialogue);
            }
            Framed::Taken(taken, body) => (taken, body),
        };
        self.remember(slots, self.say.plan.parts.len(), &mut dialogue);
        let Some(operation) = self.operation_heard(slots) else {
            let (part, unfit) = self.unknown(slots);
            return self.refused(Some(taken), part, unfit, dialogue);
        };
        dialogue.operation = Some(operation);
        match hear_plan(&self.operations[operation].say.body, bytes, body.start, body.end, slots, &mut ()) {
            Ok(()) => match self.wrong_size(slots) {
                None => RequestHeard::Taken(taken, dialogue),
                Some(unfit) => self.refused(Some(taken), None, unfit, dialogue),
            },
            Err(unfit) => self.refused(Some(taken), None, unfit, dialogue),
        }
    }

    /// The arguments in the slots of a request that was heard.
    pub fn arguments(&self, dialogue: &Dialogue, slots: &Slots<'_>) -> Record {
        let Some(operation) = dialogue.operation else { return Record::new() };
        let say = &self.operations[operation].say;
        let mut record = slots.to_record(&self.names, &|slot| item_of(say, slot));
        for part in &self.say.plan.parts {
            if part.slot() != NO_SLOT {
                record.remove(&self.names[usize::from(part.slot())].text);
            }
        }
        record
    }

    fn remember(&self, slots: &Slots<'_>, parts: usize, dialogue: &mut Dialogue) {
        for part in &self.say.plan.parts[..parts] {
            if let (Part::Int { slot, .. }, Some(value)) = (part, slots.int(part.slot()))
                && *slot != NO_SLOT
            {
                dialogue.remember(*slot, value);
            }
        }
    }

    fn operation_heard(&self, slots: &Slots<'_>) -> Option<usize> {
        match &self.index {
            Some(index) => index.operations.get(&slots.int(index.slot)?).copied(),
            None => self.operations.iter().position(|operation| self.narrowed_fits(&self.say, &operation.say, slots)),
        }
    }

    fn unknown(&self, slots: &Slots<'_>) -> (Option<usize>, Unfit) {
        let part = self.index.as_ref().map(|index| index.part);
        let field = part.map_or("frame", |part| self.say.plan.labels[part].as_str()).to_owned();
        let seen = self.index.as_ref().and_then(|index| slots.int(index.slot)).unwrap_or_default();
        let offset = part.map_or(0, |part| self.say.plan.parts[..part].iter().map(Part::least_bytes).sum());
        (part, Unfit { field, offset, reason: Reason::Unknown { seen } })
    }

    fn refused(&self, taken: Option<usize>, part: Option<usize>, unfit: Unfit, dialogue: Dialogue) -> RequestHeard {
        let refusal = part.and_then(|part| self.say.refusals.get(part)?.as_ref());
        let (error, close) = match (refusal, &unfit.reason) {
            (None, _) => ("malformed", taken.is_none()),
            (Some(refusal), Reason::Above { .. }) => (refusal.above.as_str(), refusal.close),
            (Some(refusal), _) => (refusal.below.as_str(), refusal.close),
        };
        RequestHeard::Refused { taken, error: error.to_owned(), unfit, dialogue, close }
    }

    /// A value whose length no protocol field of its name can have.
    fn wrong_size(&self, slots: &Slots<'_>) -> Option<Unfit> {
        let (slot, name) = self.names.iter().enumerate().find(|(slot, name)| {
            let Slot::Bytes(bytes) = slots.at(*slot as SlotNumber) else { return false };
            !name.sizes.is_empty() && !name.sizes.contains(&(bytes.len() as u64))
        })?;
        let Slot::Bytes(bytes) = slots.at(slot as SlotNumber) else { return None };
        let reason = Reason::Limit(format!("{} bytes, where {:?} are possible", bytes.len(), name.sizes));
        Some(Unfit { field: name.text.clone(), offset: 0, reason })
    }

    // ── answers and events: what a server says ────────────────────────────────────────────────────────────────────

    /// Appends the answer to a request.
    ///
    /// # Errors
    /// The wire cannot carry it; `out` is as before.
    pub fn speak_response(
        &self,
        dialogue: &Dialogue,
        response: &Response,
        out: &mut Vec<u8>,
    ) -> Result<(), Unspeakable> {
        match response {
            Ok(reply) => self.speak_answer(dialogue, &Saying::Ok(&reply.to_record()), out),
            Err(failure) => {
                let saying = Saying::Error { name: failure.error.name(), detail: &failure.detail };
                self.speak_answer(dialogue, &saying, out)
            }
        }
    }

    /// Appends an event.
    ///
    /// # Errors
    /// The wire cannot carry it; `out` is as before.
    pub fn speak_event(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), Unspeakable> {
        self.speak_answer(&Dialogue::default(), &Saying::Event(event.name(), &event.to_record()), out)
    }

    /// Appends any answer or event, by the first entry of the tables that can carry it.
    ///
    /// # Errors
    /// No entry can, and why the last one tried could not; `out` is as before.
    pub fn speak_answer(&self, dialogue: &Dialogue, saying: &Saying<'_>, out: &mut Vec<u8>) -> Result<(), Unspeakable> {
        let (values, matches): (Record, Box<dyn Fn(&Meaning) -> bool>) = match saying {
            Saying::Ok(values) => ((*values).clone(), Box::new(|meaning| matches!(meaning, Meaning::Ok))),
            Saying::Error { name, detail } => (
                self.error_values(name, detail),
                Box::new(move |meaning| {
                    *meaning == Meaning::AnyError || *meaning == Meaning::Error((*name).to_owned())
                }),
            ),
            Saying::Event(name, values) => {
                ((*values).clone(), Box::new(move |meaning| *meaning == Meaning::Event((*name).to_owned())))
            }
        };
        let own = dialogue.operation.map(|index| self.operations[index].hear.as_slice()).unwrap_or_default();
        let mut unspeakable = Unspeakable { field: "answer".into(), why: "is not in any table of this dialect".into() };
        for entry in own.iter().chain(&self.anytime).filter(|entry| matches(&entry.meaning)) {
            let mut slots = self.slots();
            slots.fill(&self.names, &values, &|slot| item_of(&entry.message, slot));
            match speak(&self.hear, &entry.message, &slots, &mut dialogue.clone(), 0, out) {
                Ok(()) => return Ok(()),
                Err(why) => unspeakable = why,
            }
        }
        Err(unspeakable)
    }

    fn error_values(&self, name: &str, detail: &str) -> Record {
        let mut values = Record::new().with("detail", detail);
        if let Some(error) = self.errors.get(name) {
            values.set("error", u64::from(error.code));
            if let Some(field) = &error.detail {
                values.set(field, detail);
            }
        }
        values
    }

    /// Reads one answer or event from the front of `bytes`. None: more bytes are needed.
    ///
    /// With the dialogue of the oldest request that has no answer, only what can be its answer, or come at any time,
    /// is accepted. Without one, any operation's answer is.
    pub fn hear_answer(&self, bytes: &[u8], dialogue: Option<&Dialogue>) -> Option<Heard> {
        let mut slots = self.slots();
        let (taken, body) = match hear_frame(&self.hear, bytes, &mut slots, &mut ()) {
            Framed::More(_) => return None,
            Framed::Unfit(_, unfit, taken) => return Some(Heard::other(taken, unfit, self.frame_values(&slots))),
            Framed::Taken(taken, body) => (taken, body),
        };
        let frame = self.frame_values(&slots);
        let mut furthest: Option<Unfit> = None;
        for (operation, entry) in self.answers(dialogue) {
            let mut slots = slots.clone();
            let memory = dialogue.cloned().unwrap_or_default();
            match self.try_entry(entry, operation, bytes, &body, &mut slots, memory) {
                Ok(()) => return Some(self.heard(entry, operation, &slots, taken, frame)),
                Err(unfit) if furthest.as_ref().is_none_or(|known| known.offset < unfit.offset) => {
                    furthest = Some(unfit)
                }
                Err(_) => {}
            }
        }
        let nothing = || Unfit { field: "frame".into(), offset: 0, reason: Reason::Unknown { seen: 0 } };
        Some(Heard::other(Some(taken), furthest.unwrap_or_else(nothing), frame))
    }

    /// The lines that an answer is tried against, in order, with the operation that each belongs to.
    pub(crate) fn answers<'d>(
        &'d self,
        dialogue: Option<&Dialogue>,
    ) -> impl Iterator<Item = (Option<usize>, &'d Entry)> {
        let known = dialogue.and_then(|dialogue| dialogue.operation);
        let anonymous = dialogue.is_none();
        let own = self
            .operations
            .iter()
            .enumerate()
            .filter(move |(index, _)| anonymous || known == Some(*index))
            .flat_map(|(index, operation)| operation.hear.iter().map(move |entry| (Some(index), entry)));
        own.chain(self.anytime.iter().map(move |entry| (known, entry)))
    }

    pub(crate) fn try_entry<'a>(
        &self,
        entry: &Entry,
        operation: Option<usize>,
        bytes: &'a [u8],
        body: &Range<usize>,
        slots: &mut Slots<'a>,
        mut memory: Dialogue,
    ) -> Result<(), Unfit> {
        if memory.operation.is_none()
            && let Some(operation) = operation
        {
            // An answer to an unknown request: its operation's own numbers must be the ones that are echoed.
            for (part, value) in &self.operations[operation].say.narrowed {
                memory.remember(self.say.plan.parts[usize::from(*part)].slot(), *value);
            }
        }
        let mut offset = 0;
        for (index, part) in self.hear.plan.parts.iter().enumerate() {
            let Part::Int { slot, rule, .. } = part else { continue };
            let Some(seen) = slots.int(*slot) else { continue };
            let expected = match (entry.message.narrowed_to(index), rule) {
                (Some(number), _) => Some(number),
                (None, Rule::Sum { slot: base, plus }) => memory.int(*base).map(|base| (base as i64 + plus) as u64),
                (None, Rule::Open | Rule::Fresh) => memory.int(*slot),
                _ => None,
            };
            if let Some(expected) = expected.filter(|expected| *expected != seen) {
                let field = self.hear.plan.labels[index].clone();
                return Err(Unfit { field, offset, reason: Reason::Not { seen, expected } });
            }
            offset += part.least_bytes();
        }
        hear_plan(&entry.message.body, bytes, body.start, body.end, slots, &mut ())?;
        self.check_error(entry, slots, body.start)
    }

    /// A field named `error` holds the code of the error that the message means.
    fn check_error(&self, entry: &Entry, slots: &Slots<'_>, offset: usize) -> Result<(), Unfit> {
        let Some(seen) = self.slot("error").and_then(|slot| slots.int(slot)) else { return Ok(()) };
        let fits = match &entry.meaning {
            Meaning::Error(name) => self.errors.get(name).is_some_and(|error| u64::from(error.code) == seen),
            Meaning::AnyError => self.errors.values().any(|error| u64::from(error.code) == seen),
            _ => true,
        };
        if fits { Ok(()) } else { Err(Unfit { field: "error".into(), offset, reason: Reason::Unknown { seen } }) }
    }

    fn heard(&self, entry: &Entry, operation: Option<usize>, slots: &Slots<'_>, taken: usize, frame: Record) -> Heard {
        let mut values = slots.to_record(&self.names, &|slot| item_of(&entry.message, slot));
        for (name, _) in frame.iter() {
            values.remove(name);
        }
        for part in &self.hear.plan.parts {
            if part.slot() != NO_SLOT {
                values.remove(&self.names[usize::from(part.slot())].text);
            }
        }
        let operation = operation.map(|index| self.operations[index].name.clone());
        match &entry.meaning {
            Meaning::Ok => Heard::Ok { taken, operation, values, frame },
            Meaning::Outcome(name) => {
                for (field, value) in operation.iter().flat_map(|operation| &self.outcomes[operation][name]) {
                    if let Some(flag) = value.as_bool() {
                        values.set(field, flag);
                    }
                }
                Heard::Ok { taken, operation, values, frame }
            }
            Meaning::Error(name) => Heard::Error { taken, name: name.clone(), values, frame },
            Meaning::AnyError => {
                let code = values.get("error").and_then(Value::as_int);
                let known = self.errors.iter().find(|(_, error)| Some(u64::from(error.code)) == code);
                let name = known.map_or("error", |(name, _)| name.as_str()).to_owned();
                Heard::Error { taken, name, values, frame }
            }
            Meaning::Event(name) => Heard::Event { taken, name: name.clone(), values, frame },
            Meaning::Ignore => Heard::Ignored { taken, frame },
        }
    }

    fn frame_values(&self, slots: &Slots<'_>) -> Record {
        let ints = self.hear.plan.parts.iter().filter(|part| matches!(part, Part::Int { .. }));
        ints.filter(|part| part.slot() != NO_SLOT)
            .filter_map(|part| {
                Some((self.names[usize::from(part.slot())].text.clone(), Value::Int(slots.int(part.slot())?)))
            })
            .collect()
    }

    // ── helpers of loading ────────────────────────────────────────────────────────────────────────────────────────

    fn narrowed_fits(&self, frame: &Frame, message: &Message, slots: &Slots<'_>) -> bool {
        message
            .narrowed
            .iter()
            .all(|(part, value)| slots.int(frame.plan.parts[usize::from(*part)].slot()) == Some(*value))
    }

    /// Finds the one number that tells the operations apart.
    pub(crate) fn index_operations(&mut self) {
        let part = self.say.plan.parts.iter().enumerate().position(|(index, part)| {
            part.slot() != NO_SLOT && self.operations.iter().all(|op| op.say.narrowed_to(index).is_some())
        });
        self.index = part.and_then(|part| {
            let codes = self.operations.iter().enumerate();
            let operations: BTreeMap<u64, usize> =
                codes.map(|(index, op)| (op.say.narrowed_to(part).unwrap_or_default(), index)).collect();
            let all = operations.len() == self.operations.len();
            all.then(|| Index { part, slot: self.say.plan.parts[part].slot(), operations })
        });
    }
}

/// The items of the list that a message puts in a slot.
pub(crate) fn item_of(message: &Message, slot: SlotNumber) -> Option<&Item> {
    message.body.parts.iter().find_map(|part| match part {
        Part::List { slot: at, item, .. } if *at == slot => Some(&**item),
        _ => None,
    })
}
