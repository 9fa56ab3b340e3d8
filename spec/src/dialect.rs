//! A dialect: how operations, answers and events look on one wire, ready to be spoken and heard in both directions.
//!
//! One value of this type serves the suite as client, the reference server and client, golden bytes and annotations.
//! Not here: reading it from YAML (`codec::compile`), and the buffering of a connection (`codec::stream`).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::codec::dialogue::Numbers;
use crate::codec::plan::{Entry, Frame, Meaning, OperationPlan, Rule};
use crate::codec::{Dialogue, Framed, Heard, Reason, Saying, Slots, Unfit, Unspeakable, hear_frame, hear_plan, speak};
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
    /// By number, as far as one byte goes: wire formats number their operations from nought.
    low: Vec<Option<usize>>,
    /// The others.
    high: Vec<(u64, usize)>,
}

impl Index {
    fn new(part: usize, operations: &[(u64, usize)]) -> Self {
        let (mut low, mut high) = (Vec::new(), Vec::new());
        for (number, operation) in operations {
            match usize::try_from(*number) {
                Ok(number) if number < 256 => {
                    low.resize(low.len().max(number + 1), None);
                    low[number] = Some(*operation);
                }
                _ => high.push((*number, *operation)),
            }
        }
        Index { part, low, high }
    }

    #[inline]
    fn operation(&self, number: u64) -> Option<usize> {
        match usize::try_from(number).ok().and_then(|number| self.low.get(number)) {
            Some(operation) => *operation,
            None => self.high.iter().find(|(known, _)| *known == number).map(|(_, operation)| *operation),
        }
    }
}

/// What came out of the bytes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestHeard {
    /// At least so many bytes are needed in all.
    More(usize),
    /// A request, and how many bytes it took.
    Taken(usize),
    /// It must be refused. `taken` is none where its end cannot be known; then the connection must close.
    Refused {
        /// Bytes to pass over.
        taken: Option<usize>,
        /// The protocol's error.
        error: String,
        /// What exactly does not fit.
        unfit: Box<Unfit>,
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

    /// Empty slots for an operation's request, to be filled for `encode_request`.
    pub fn slots<'a>(&self, operation: usize) -> Slots<'a> {
        Slots::with_parts(self.operations[operation].say.body.parts.len())
    }

    /// The slot of an argument in an operation's request.
    pub fn slot(&self, operation: usize, argument: &str) -> Option<usize> {
        self.operations[operation].say.body.position(argument)
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
        let slots = Slots::of(&self.operations[index].say.body, arguments);
        let mut dialogue = Dialogue::default();
        self.encode_request(index, &slots, fresh, &mut dialogue, out)?;
        Ok(dialogue)
    }

    /// As `speak_request`, from the slots of this operation and into a new dialogue: the path without allocation.
    ///
    /// # Errors
    /// The wire cannot carry it; `out` is as before.
    #[inline]
    pub fn encode_request(
        &self,
        operation: usize,
        slots: &Slots<'_>,
        fresh: u64,
        dialogue: &mut Dialogue,
        out: &mut Vec<u8>,
    ) -> Result<(), Unspeakable> {
        dialogue.operation = Some(operation);
        speak(&self.say, &self.operations[operation].say, slots, &[], fresh, &mut dialogue.frame, out)
    }

    /// The number of an operation, for `encode_request`.
    pub fn operation(&self, name: &str) -> Option<usize> {
        self.operations.iter().position(|operation| operation.name == name)
    }

    /// Reads one request from the front of `bytes` into `slots`, and what its answer can echo into a new `dialogue`.
    pub fn hear_request<'a>(&self, bytes: &'a [u8], slots: &mut Slots<'a>, dialogue: &mut Dialogue) -> RequestHeard {
        let (taken, body) = match hear_frame(&self.say, bytes, &mut dialogue.frame, &mut ()) {
            Framed::More(least) => return RequestHeard::More(least),
            Framed::Unfit(part, unfit, taken) => {
                // What stands before the part that broke is known and can be echoed; the rest cannot be trusted.
                dialogue.frame.know(part);
                return self.refused(taken, Some(part), unfit);
            }
            Framed::Taken(taken, body) => (taken, body),
        };
        dialogue.operation = self.operation_heard(&dialogue.frame);
        let Some(operation) = dialogue.operation else {
            let (part, unfit) = self.unknown(&dialogue.frame);
            return self.refused(Some(taken), part, unfit);
        };
        match hear_plan(&self.operations[operation].say.body, &bytes[..body.end], body.start, slots, &mut ()) {
            Ok(()) => RequestHeard::Taken(taken),
            Err(unfit) => self.refused(Some(taken), None, unfit),
        }
    }

    /// The arguments in the slots of a request that was heard.
    pub fn arguments(&self, dialogue: &Dialogue, slots: &Slots<'_>) -> Record {
        let Some(operation) = dialogue.operation else { return Record::new() };
        slots.to_record(&self.operations[operation].say.body)
    }

    /// One of them.
    pub fn argument(&self, dialogue: &Dialogue, slots: &Slots<'_>, name: &str) -> Option<Value> {
        slots.value(&self.operations[dialogue.operation?].say.body, name)
    }

    fn operation_heard(&self, frame: &[u64]) -> Option<usize> {
        match &self.index {
            Some(index) => index.operation(frame[index.part]),
            None => self.operations.iter().position(|operation| {
                (0..frame.len()).all(|part| operation.say.fixed(part).is_none_or(|number| frame[part] == number))
            }),
        }
    }

    #[cold]
    fn unknown(&self, frame: &[u64]) -> (Option<usize>, Box<Unfit>) {
        let part = self.index.as_ref().map(|index| index.part);
        let field = part.map_or("frame", |part| self.say.labels[part].text.as_str()).to_owned();
        let seen = part.map_or(0, |part| frame[part]);
        let offset = part.map_or(0, |part| self.say.offset(part));
        (part, Box::new(Unfit { field, offset, reason: Reason::Unknown { seen } }))
    }

    #[cold]
    fn refused(&self, taken: Option<usize>, part: Option<usize>, unfit: Box<Unfit>) -> RequestHeard {
        let refusal = part.and_then(|part| self.say.refusals.get(part)?.as_ref());
        let (error, close) = match (refusal, &unfit.reason) {
            (None, _) => ("malformed", taken.is_none()),
            (Some(refusal), Reason::Above { .. }) => (refusal.above.as_str(), refusal.close),
            (Some(refusal), _) => (refusal.below.as_str(), refusal.close),
        };
        RequestHeard::Refused { taken, error: error.to_owned(), unfit, close }
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
        let values = match saying {
            Saying::Ok(values) | Saying::Event(_, values) => Cow::Borrowed(*values),
            Saying::Error { name, detail } => Cow::Owned(self.error_values(name, detail)),
        };
        let matches = |meaning: &Meaning| match (saying, meaning) {
            (Saying::Ok(_), Meaning::Ok) | (Saying::Error { .. }, Meaning::AnyError) => true,
            (Saying::Ok(values), Meaning::Outcome(name)) => {
                self.outcome(dialogue, name).all(|(field, value)| values.get(field).and_then(Value::as_flag) == value)
            }
            (Saying::Error { name, .. }, Meaning::Error(known)) | (Saying::Event(name, _), Meaning::Event(known)) => {
                known == name
            }
            _ => false,
        };
        let own = dialogue.operation.map(|index| self.operations[index].hear.as_slice()).unwrap_or_default();
        let mut unspeakable = Unspeakable { field: "answer".into(), why: "is not in any table of this dialect".into() };
        for entry in own.iter().chain(&self.anytime).filter(|entry| matches(&entry.meaning)) {
            let message = &entry.message;
            let slots = Slots::of(&message.body, &values);
            match speak(&self.hear, message, &slots, &dialogue.frame, 0, &mut Numbers::default(), out) {
                Ok(()) => return Ok(()),
                Err(why) => unspeakable = why,
            }
        }
        Err(unspeakable)
    }

    /// The flags that tell an outcome of the operation that is answered.
    pub(crate) fn outcome(&self, dialogue: &Dialogue, name: &str) -> impl Iterator<Item = (&str, Option<bool>)> {
        let operation = dialogue.operation.and_then(|index| self.outcomes.get(&self.operations[index].name));
        let fields = operation.and_then(|outcomes| outcomes.get(name)).into_iter().flatten();
        fields.map(|(field, value)| (field.as_str(), value.as_bool()))
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
        let (mut slots, mut numbers) = (Slots::new(), Numbers::default());
        let (taken, body) = match hear_frame(&self.hear, bytes, &mut numbers, &mut ()) {
            Framed::More(_) => return None,
            Framed::Unfit(_, unfit, taken) => return Some(Heard::other(taken, *unfit, self.frame_values(&numbers))),
            Framed::Taken(taken, body) => (taken, body),
        };
        let frame = self.frame_values(&numbers);
        let mut furthest: Option<Box<Unfit>> = None;
        for (operation, entry) in self.answers(dialogue) {
            match self.try_entry(entry, operation, &numbers, &bytes[..body.end], body.start, &mut slots, dialogue) {
                Ok(()) => return Some(self.heard(entry, operation, &slots, taken, frame)),
                Err(unfit) if furthest.as_ref().is_none_or(|known| known.offset < unfit.offset) => {
                    furthest = Some(unfit)
                }
                Err(_) => {}
            }
        }
        let nothing = || Box::new(Unfit { field: "frame".into(), offset: 0, reason: Reason::Unknown { seen: 0 } });
        Some(Heard::other(Some(taken), *furthest.unwrap_or_else(nothing), frame))
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

    /// Whether the numbers of a frame, and the body from `from` to the end of `bytes`, are those of an entry.
    #[expect(clippy::too_many_arguments, reason = "what was heard, and what it is held against")]
    pub(crate) fn try_entry<'a>(
        &self,
        entry: &Entry,
        operation: Option<usize>,
        frame: &[u64],
        bytes: &'a [u8],
        from: usize,
        slots: &mut Slots<'a>,
        dialogue: Option<&Dialogue>,
    ) -> Result<(), Box<Unfit>> {
        for (index, (number, seen)) in entry.message.frame.iter().zip(frame).enumerate() {
            let expected = match number.rule {
                Rule::Is(number) => Some(number),
                Rule::Echo { field, plus } => {
                    // Of a request that is not known, at least its operation's own numbers are.
                    let fixed = || self.operations[operation?].say.fixed(field);
                    let asked = dialogue.and_then(|dialogue| dialogue.frame.get(field).copied()).or_else(fixed);
                    asked.map(|number| number.wrapping_add_signed(plus))
                }
                _ => None,
            };
            if let Some(expected) = expected.filter(|expected| expected != seen) {
                let body = if index < self.hear.before { 0 } else { bytes.len() - from };
                let (field, offset) = (self.hear.labels[index].text.clone(), self.hear.offset(index) + body);
                return Err(Box::new(Unfit { field, offset, reason: Reason::Not { seen: *seen, expected } }));
            }
        }
        hear_plan(&entry.message.body, bytes, from, slots, &mut ())?;
        self.check_error(entry, slots, from)
    }

    /// A field named `error` holds the code of the error that the message means.
    fn check_error(&self, entry: &Entry, slots: &Slots<'_>, offset: usize) -> Result<(), Box<Unfit>> {
        let Some(seen) = self.error_code(entry, slots) else { return Ok(()) };
        let fits = match &entry.meaning {
            Meaning::Error(name) => self.errors.get(name).is_some_and(|error| u64::from(error.code) == seen),
            Meaning::AnyError => self.errors.values().any(|error| u64::from(error.code) == seen),
            _ => true,
        };
        let unfit = || Box::new(Unfit { field: "error".into(), offset, reason: Reason::Unknown { seen } });
        if fits { Ok(()) } else { Err(unfit()) }
    }

    /// The code in the field named `error`.
    pub(crate) fn error_code(&self, entry: &Entry, slots: &Slots<'_>) -> Option<u64> {
        slots.int(entry.message.body.position("error")?)
    }

    fn heard(&self, entry: &Entry, operation: Option<usize>, slots: &Slots<'_>, taken: usize, frame: Record) -> Heard {
        let mut values = slots.to_record(&entry.message.body);
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

    /// The numbers of an answer's frame, by name.
    fn frame_values(&self, frame: &[u64]) -> Record {
        let named = self.hear.labels.iter().zip(frame).filter(|(label, _)| label.named);
        named.map(|(label, number)| (label.text.clone(), Value::Int(*number))).collect()
    }

    /// Finds the one number that tells the operations apart.
    pub(crate) fn index_operations(&mut self) {
        let constant = |part: &usize| matches!(self.say.numbers[*part].rule, Rule::Is(_));
        let index = |part: usize| {
            let numbers =
                self.operations.iter().enumerate().map(|(at, operation)| Some((operation.say.fixed(part)?, at)));
            let operations: Vec<(u64, usize)> = numbers.collect::<Option<_>>()?;
            let different: BTreeSet<u64> = operations.iter().map(|(number, _)| *number).collect();
            (different.len() == operations.len()).then(|| Index::new(part, &operations))
        };
        self.index = (0..self.say.numbers.len()).filter(|part| !constant(part)).find_map(index);
    }
}
