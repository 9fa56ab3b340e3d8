//! What a server says: the entry of the tables that carries most of it.

use crate::codec::plan::{Entry, Meaning, Name};
use crate::codec::speak::Occasion;
use crate::codec::{Dialogue, Saying, Slots, Unspeakable, speak};
use crate::dialect::Dialect;
use crate::message::{Event, Response};
use crate::value::{Record, Value};

/// What a server knows beside the answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Voice<'v> {
    /// The user of the connection.
    pub me: Option<&'v str>,
    /// A number for fields that are new each time.
    pub fresh: u64,
    /// Milliseconds since 1970.
    pub now_ms: u64,
}

impl Dialect {
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
        self.speak_response_as(dialogue, response, Voice::default(), out).map(drop)
    }

    /// As `speak_response`, with what the server knows. True: the connection ends after it.
    ///
    /// # Errors
    /// The wire cannot carry it; `out` is as before.
    pub fn speak_response_as(
        &self,
        dialogue: &Dialogue,
        response: &Response,
        voice: Voice<'_>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Unspeakable> {
        match response {
            Ok(reply) => self.speak_answer_as(dialogue, &Saying::Ok(&reply.to_record()), voice, out),
            Err(failure) => {
                let (name, cause) = (failure.error.name(), failure.cause);
                self.speak_answer_as(dialogue, &Saying::Error { name, cause, detail: &failure.detail }, voice, out)
            }
        }
    }

    /// Appends an event.
    ///
    /// # Errors
    /// The wire cannot carry it; `out` is as before.
    pub fn speak_event(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), Unspeakable> {
        self.speak_event_as(event, Voice::default(), out)
    }

    /// As `speak_event`, with what the server knows.
    ///
    /// # Errors
    /// The wire cannot carry it; `out` is as before.
    pub fn speak_event_as(&self, event: &Event, voice: Voice<'_>, out: &mut Vec<u8>) -> Result<(), Unspeakable> {
        let saying = Saying::Event(event.name(), &event.to_record());
        self.speak_answer_as(&Dialogue::default(), &saying, voice, out).map(drop)
    }

    /// Appends what a server says when somebody connects, if it says anything.
    ///
    /// # Errors
    /// The wire cannot carry it; `out` is as before.
    pub fn speak_greeting(&self, voice: Voice<'_>, out: &mut Vec<u8>) -> Result<(), Unspeakable> {
        let Some(index) = self.occasion("connect") else { return Ok(()) };
        let dialogue = Dialogue { operation: Some(index), ..Dialogue::default() };
        self.speak_answer_as(&dialogue, &Saying::Ok(&Record::new()), voice, out).map(drop)
    }

    /// Appends any answer or event, by the entry of the tables that carries most of it.
    ///
    /// # Errors
    /// No entry can, and why the last one tried could not; `out` is as before.
    pub fn speak_answer(&self, dialogue: &Dialogue, saying: &Saying<'_>, out: &mut Vec<u8>) -> Result<(), Unspeakable> {
        self.speak_answer_as(dialogue, saying, Voice::default(), out).map(drop)
    }

    /// As `speak_answer`, with what the server knows. True: the connection ends after it.
    ///
    /// # Errors
    /// As `speak_answer`.
    pub fn speak_answer_as(
        &self,
        dialogue: &Dialogue,
        saying: &Saying<'_>,
        voice: Voice<'_>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Unspeakable> {
        let start = out.len();
        if let Saying::Ok(values) = saying
            && let Some(plan) = dialogue.operation.map(|index| self.plan(index))
            && let Some(more) = plan.answers().iter().find(|entry| entry.meaning == Meaning::More)
        {
            if more.again {
                // An end that tells a list tells all of it at once.
                let is_whole = |entry: &Entry| entry.meaning == Meaning::Ok && entry.tells_a_list(&self.service);
                if plan.answers().iter().any(is_whole) {
                    return self.speak_one(dialogue, saying, voice, out);
                }
                return self.speak_piece(more, values, dialogue, voice, out);
            }
            let rows = self.speak_rows(more, values, dialogue, voice, out)?;
            // Rows, and then the end: by an entry, by silence, or by closing.
            let last = plan.steps.last();
            let ends_by_itself = last.is_some_and(|step| step.silence.is_some() || step.close.is_some());
            if ends_by_itself && (rows > 0 || !plan.answers().iter().any(|entry| entry.meaning == Meaning::Ok)) {
                return Ok(last.is_some_and(|step| step.close.is_some()));
            }
            let nothing = Record::new();
            return self.speak_one(dialogue, &Saying::Ok(&nothing), voice, out).inspect_err(|_| out.truncate(start));
        }
        self.speak_one(dialogue, saying, voice, out)
    }

    /// One `more` for each row of the result.
    fn speak_rows(
        &self,
        more: &Entry,
        values: &Record,
        dialogue: &Dialogue,
        voice: Voice<'_>,
        out: &mut Vec<u8>,
    ) -> Result<usize, Unspeakable> {
        let (start, mut count) = (out.len(), 0);
        let lists = values.iter().filter_map(|(name, value)| Some((name, value.as_list()?)));
        for (name, items) in lists {
            let of = self.service.field(name).and_then(|field| field.of.clone()).unwrap_or_default();
            for item in items {
                let row = item.as_row().cloned().unwrap_or_else(|| Record::new().with(&of, item.clone()));
                let said = self.speak_entry(more, &row, dialogue, voice, out);
                said.inspect_err(|_| out.truncate(start))?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// What an `again` tells: all at once as a list, or one row of one. Where nothing is left, the end.
    fn speak_piece(
        &self,
        again: &Entry,
        values: &Record,
        dialogue: &Dialogue,
        voice: Voice<'_>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Unspeakable> {
        let lists = || values.iter().filter_map(|(name, value)| Some((name, value.as_list()?)));
        let tells_lists = again.tells_a_list(&self.service);
        // A list was told whole at the first turn.
        if tells_lists && self.is_later_turn(dialogue) && lists().any(|(_, items)| !items.is_empty()) {
            let nothing = lists().map(|(name, _)| (name.to_owned(), Value::List(Vec::new()))).collect();
            return self.speak_piece(again, &nothing, dialogue, voice, out);
        }
        let rows: usize = lists().map(|(_, items)| items.len()).sum();
        if rows == 0 {
            let end = self.speak_one(dialogue, &Saying::Ok(&Record::new()), voice, out);
            let is_open = tells_lists && end.is_err();
            return if is_open {
                self.speak_entry(again, values, dialogue, voice, out).map(|()| again.close)
            } else {
                end
            };
        }
        match (tells_lists, rows) {
            (true, _) => self.speak_entry(again, values, dialogue, voice, out)?,
            (false, 1) => drop(self.speak_rows(again, values, dialogue, voice, out)?),
            // A server that answers row by row would have to remember how far it is.
            (false, _) => {
                return Err(Unspeakable { field: "answer".into(), why: format!("is {rows} rows, and tells one") });
            }
        }
        Ok(again.close)
    }

    /// Whether a request counts how often it was said, and says that it is not the first.
    fn is_later_turn(&self, dialogue: &Dialogue) -> bool {
        let step = dialogue.operation.and_then(|index| self.plan(index).steps.get(dialogue.step));
        let said = |name: &str| dialogue.said(name).and_then(Value::as_int);
        step.is_some_and(|step| step.turns().any(|(name, first)| said(name).is_some_and(|turn| turn > first)))
    }

    fn speak_one(
        &self,
        dialogue: &Dialogue,
        saying: &Saying<'_>,
        voice: Voice<'_>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Unspeakable> {
        let values = match saying {
            Saying::Ok(values) | Saying::Event(_, values) => (*values).clone(),
            Saying::Error { name, detail, .. } => self.error_values(name, detail),
        };
        let plan = dialogue.operation.map(|index| self.plan(index));
        let step = plan.and_then(|plan| plan.steps.get(dialogue.step).or(plan.steps.last()));
        let own = step.map(|step| step.hear.as_slice()).unwrap_or_default();
        let is_ok = matches!(saying, Saying::Ok(_));
        let mut ranked: Vec<(u32, &Entry)> = own
            .iter()
            .chain(&self.anytime)
            .filter_map(|entry| Some((self.rank(entry, saying, dialogue, &values)?, entry)))
            .collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        // An earlier step leads on, unless it says the end itself.
        let goes_on = plan.is_some_and(|plan| dialogue.step + 1 < plan.steps.len());
        if is_ok && goes_on {
            ranked = own.iter().filter(|entry| entry.meaning == Meaning::Next).map(|entry| (0, entry)).collect();
        }
        let mut unspeakable = Unspeakable { field: "answer".into(), why: "is not in any table of this dialect".into() };
        for (_, entry) in ranked {
            match self.speak_entry(entry, &values, dialogue, voice, out) {
                Ok(()) => return Ok(entry.close),
                Err(why) => unspeakable = why,
            }
        }
        match step {
            // Nothing answers it, ever.
            Some(step) if is_ok && step.hear.is_empty() && step.close.is_none() => Ok(false),
            Some(step) if is_ok && step.silence.as_ref().is_some_and(|meaning| *meaning == Meaning::Ok) => Ok(false),
            Some(step) if is_ok && step.close.as_ref().is_some_and(|meaning| *meaning == Meaning::Ok) => Ok(true),
            _ => Err(unspeakable),
        }
    }

    /// How well an entry says something: the lower, the better. None: it says something else.
    fn rank(&self, entry: &Entry, saying: &Saying<'_>, dialogue: &Dialogue, values: &Record) -> Option<u32> {
        // The first that carries most of the values.
        let carried = |bias: u32| {
            let is_nothing = |value: &Value| match value {
                Value::Text(text) => text.is_empty(),
                Value::List(items) => items.is_empty(),
                _ => false,
            };
            let named = |name: &str| entry.message.shape.position(name).is_some();
            bias - values.iter().filter(|(name, value)| named(name) && !is_nothing(value)).count() as u32
        };
        match (saying, &entry.meaning) {
            (Saying::Ok(values), Meaning::Outcome(name)) => {
                let is_so = |(field, value): (&str, Option<bool>)| values.get(field).and_then(Value::as_flag) == value;
                self.outcome(dialogue, name).all(is_so).then(|| carried(100))
            }
            (Saying::Ok(_), Meaning::Ok) => Some(carried(200)),
            (Saying::Event(name, _), Meaning::Event(known)) if known == name => Some(carried(100)),
            (Saying::Error { name, cause, .. }, Meaning::Error(known, told)) if known == name => {
                match told.as_deref() {
                    Some(told) if told == *cause => Some(0),
                    None => Some(1),
                    // Better a cause that is not the right one than no answer.
                    Some(_) => Some(3),
                }
            }
            (Saying::Error { .. }, Meaning::AnyError) => Some(2),
            _ => None,
        }
    }

    pub(crate) fn speak_entry(
        &self,
        entry: &Entry,
        values: &Record,
        dialogue: &Dialogue,
        voice: Voice<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unspeakable> {
        let shape = &entry.message.shape;
        let me = voice.me.map(Value::from);
        let frame = |label: &str| {
            let slot = self.say.number(label).filter(|slot| *slot < dialogue.frame.len())?;
            Some(Value::Int(dialogue.frame[slot]))
        };
        let is_event = matches!(entry.meaning, Meaning::Event(_));
        let echoed: Vec<Option<Value>> =
            shape.labels.iter().map(|label| frame(&label.text).filter(|_| !is_event)).collect();
        let made: Vec<Value> =
            entry.message.made.iter().map(|(_, made)| made.value(voice.fresh, voice.now_ms)).collect();
        let mut slots = Slots::with_width(shape.labels.len());
        slots.fill(shape, |label| match &label.name {
            Name::Own => values.get(&label.text),
            Name::Me => me.as_ref(),
            Name::My(name) => values.get(name),
            _ => None,
        });
        slots.fill(shape, |label| if label.name == Name::Nothing { None } else { dialogue.said(&label.text) });
        for (slot, value) in echoed.iter().enumerate() {
            let own_rule = entry.message.echoes.contains(&slot);
            if let (Some(Value::Int(number)), true, crate::codec::Slot::Empty) = (value, own_rule, slots.at(slot)) {
                slots.set(slot, crate::codec::Slot::Int(*number));
            }
        }
        for ((slot, _), value) in entry.message.made.iter().zip(&made) {
            slots.fill_one(*slot, value);
        }
        let occasion = Occasion {
            fresh: voice.fresh,
            now: voice.now_ms,
            me: voice.me,
            request: &dialogue.frame,
            request_labels: &self.say.shape.labels,
        };
        speak(&entry.message, &slots, &occasion, &mut [], out)
    }

    /// The flags that tell an outcome of the operation that is answered.
    pub(crate) fn outcome(&self, dialogue: &Dialogue, name: &str) -> impl Iterator<Item = (&str, Option<bool>)> {
        let operation = dialogue.operation.and_then(|index| self.service.operations.get(&self.plan(index).name));
        let fields = operation.and_then(|operation| operation.outcomes.get(name)).into_iter().flatten();
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
}
