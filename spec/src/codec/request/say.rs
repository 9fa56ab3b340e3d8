//! What a client says.

use crate::codec::dialogue::{FRAME_FIELDS, Memory};
use crate::codec::plan::{Label, Message, Name};
use crate::codec::speak::Occasion;
use crate::codec::{Dialogue, Slots, Unspeakable, speak};
use crate::dialect::Dialect;
use crate::value::{Record, Value};

impl Dialect {
    /// Empty slots for an operation's request, to be filled for `encode_request`.
    pub fn slots<'a>(&self, operation: usize) -> Slots<'a> {
        let message = self.operations[operation].steps.first().and_then(|step| step.say.first());
        Slots::with_width(message.map_or(0, |message| message.shape.labels.len()))
    }

    /// The slot of an argument in an operation's request.
    pub fn slot(&self, operation: usize, argument: &str) -> Option<usize> {
        self.operations[operation].steps.first()?.say.first()?.shape.position(argument)
    }

    /// The number of an operation, for `encode_request`.
    pub fn operation(&self, name: &str) -> Option<usize> {
        self.operations.iter().position(|operation| operation.name == name)
    }

    /// Appends the first request of an operation. `fresh` is the number for fields that are new each time.
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
        self.speak_request_as(operation, arguments, &Memory::default(), fresh, out)
    }

    /// As `speak_request`, by somebody who remembers.
    ///
    /// # Errors
    /// The wire cannot carry it; `out` is as before.
    pub fn speak_request_as(
        &self,
        operation: &str,
        arguments: &Record,
        memory: &Memory,
        fresh: u64,
        out: &mut Vec<u8>,
    ) -> Result<Dialogue, Unspeakable> {
        let Some(index) = self.operation(operation) else {
            return Err(Unspeakable { field: operation.to_owned(), why: "is no operation of this dialect".into() });
        };
        self.speak_step(index, 0, arguments, memory, fresh, out)
    }

    /// Appends what a step of an operation's dialogue says: the first of its messages that carries most of what is given.
    pub(crate) fn speak_step(
        &self,
        operation: usize,
        step: usize,
        given: &Record,
        memory: &Memory,
        fresh: u64,
        out: &mut Vec<u8>,
    ) -> Result<Dialogue, Unspeakable> {
        let mut dialogue = Dialogue { operation: Some(operation), step, ..Dialogue::default() };
        let says = self.plan(operation).steps.get(step).map(|step| step.say.as_slice()).unwrap_or_default();
        let mut why = None;
        for message in self.by_weight(says, given) {
            let known = known_values(message, given, memory, fresh);
            let mut slots = Slots::with_width(message.shape.labels.len());
            slots.fill(&message.shape, |label| known.get(&label.text));
            let occasion = Occasion { fresh, me: memory.me(), ..Occasion::default() };
            match self.speak_into(message, &slots, &occasion, &mut dialogue, out) {
                Ok(()) => {
                    let mut said = given.clone();
                    known.iter().for_each(|(name, value)| said.set(name, value.clone()));
                    return Ok(dialogue.with_said(said));
                }
                Err(unspeakable) => why = why.or(Some(unspeakable)),
            }
        }
        match why {
            Some(why) => Err(why),
            None => Ok(dialogue.with_said(given.clone())),
        }
    }

    /// Messages in the order in which they are tried: those that carry most of what is given and is not the default, and
    /// of these the shortest.
    fn by_weight<'m>(&self, says: &'m [Message], given: &Record) -> Vec<&'m Message> {
        let weight = |message: &&Message| {
            let matters = |(name, value): &(&str, &Value)| {
                let usual = self.service.field(name).and_then(crate::service::Field::default_value);
                usual.as_ref() != Some(*value) && message.shape.position(name).is_some()
            };
            let own = message.shape.labels.iter().filter(|label| label.is_own()).count();
            (std::cmp::Reverse(given.iter().filter(matters).count()), own)
        };
        let mut messages: Vec<&Message> = says.iter().collect();
        messages.sort_by_key(weight);
        messages
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
        let occasion = Occasion { fresh, ..Occasion::default() };
        match self.operations[operation].steps.first().and_then(|step| step.say.first()) {
            Some(message) => self.speak_into(message, slots, &occasion, dialogue, out),
            None => Ok(()),
        }
    }

    #[inline]
    fn speak_into(
        &self,
        message: &Message,
        slots: &Slots<'_>,
        occasion: &Occasion<'_>,
        dialogue: &mut Dialogue,
        out: &mut Vec<u8>,
    ) -> Result<(), Unspeakable> {
        let fields = self.say.shape.labels.len().min(FRAME_FIELDS);
        speak(message, slots, occasion, &mut dialogue.frame.places()[..fields], out)?;
        dialogue.frame.know(fields);
        Ok(())
    }
}

/// What a message says under the names of its slots, as far as it is known.
fn known_values(message: &Message, given: &Record, memory: &Memory, fresh: u64) -> Record {
    let mut known = Record::new();
    for label in &message.shape.labels {
        let value = match &label.name {
            Name::Nothing => None,
            Name::Own => given.get(&label.text).cloned(),
            Name::Me => memory.me().map(Value::from),
            Name::My(name) => memory.value(name).cloned(),
            Name::Of(name, whom) => owner(label, whom, given).and_then(|user| memory.value_of(name, user).cloned()),
        };
        if let Some(value) = value {
            known.set(&label.text, value);
        }
    }
    for (slot, made) in &message.made {
        let label = &message.shape.labels[*slot];
        if label.name == Name::Own && known.get(&label.text).is_none() {
            known.set(&label.text, made.value(fresh, 0));
        }
    }
    known
}

fn owner<'r>(_label: &Label, whom: &str, given: &'r Record) -> Option<&'r str> {
    given.get(whom)?.as_text()
}
