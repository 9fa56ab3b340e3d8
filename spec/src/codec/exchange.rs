//! One operation's dialogue, played as a client: what to say next, and when it has come to its end.
//!
//! Not here: sockets and time. Whoever reads the connection tells what was heard, or that nothing comes.

use crate::codec::dialogue::Memory;
use crate::codec::plan::{Meaning, Name};
use crate::codec::unfit::{Reason, unfit};
use crate::codec::{Dialogue, Heard, Unspeakable};
use crate::dialect::Dialect;
use crate::service::OperationSpec;
use crate::value::{Record, Value};

/// How often a step is said again, at most: whoever still brings something then never ends.
const MOST_TURNS: u64 = 4_096;

/// An operation in progress.
#[derive(Debug, Clone)]
pub struct Exchange {
    dialogue: Dialogue,
    /// All that was said and heard in it so far, by name.
    known: Record,
    /// Results of earlier steps, and rows that came one by one.
    results: Record,
    /// The values that a step is repeated for, and how many are done.
    each: Option<(String, Vec<Value>, usize)>,
    /// How often the step was said, this time included.
    turn: u64,
    fresh: u64,
}

/// What became of a dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It goes on; what is to be said next was appended.
    GoesOn,
    /// It has come to its end: success or an error.
    Done(Heard),
}

impl Dialect {
    /// Begins an operation, and appends what is to be said.
    ///
    /// # Errors
    /// The wire cannot carry it; `out` is as before.
    pub fn begin(
        &self,
        operation: &str,
        arguments: &Record,
        memory: &Memory,
        fresh: u64,
        out: &mut Vec<u8>,
    ) -> Result<(Exchange, Progress), Unspeakable> {
        let Some(index) = self.operation(operation).or_else(|| self.occasion(operation)) else {
            return Err(Unspeakable { field: operation.to_owned(), why: "is no operation of this dialect".into() });
        };
        let dialogue = Dialogue { operation: Some(index), ..Dialogue::default() };
        let mut exchange =
            Exchange { dialogue, known: arguments.clone(), results: Record::new(), each: None, turn: 1, fresh };
        let progress = exchange.say(self, 0, memory, out)?;
        Ok((exchange, progress))
    }
}

impl Exchange {
    /// What its answers are held against.
    pub fn dialogue(&self) -> &Dialogue {
        &self.dialogue
    }

    /// Everything that was said and heard in it, by name.
    pub fn known(&self) -> &Record {
        &self.known
    }

    /// Takes in what was heard as an answer of this dialogue.
    ///
    /// # Errors
    /// The next step cannot be said.
    pub fn hear(
        &mut self,
        dialect: &Dialect,
        heard: Heard,
        memory: &mut Memory,
        out: &mut Vec<u8>,
    ) -> Result<Progress, Unspeakable> {
        match heard {
            Heard::Ok { taken, operation, mut values, frame } => {
                self.learn(dialect, &values, memory);
                memory.recognise(&mut values);
                let mut all = std::mem::take(&mut self.results);
                values.iter().for_each(|(name, value)| add(&mut all, name, plain(dialect, name, value)));
                self.fill_lists(dialect, &mut all);
                Ok(Progress::Done(Heard::Ok { taken, operation, values: all, frame }))
            }
            Heard::More { mut values, again, frame, taken } => {
                memory.learn_rows(&values, &dialect.service);
                memory.recognise(&mut values);
                let brought = self.add_rows(dialect, &values);
                match again {
                    false => Ok(Progress::GoesOn),
                    true if !brought => self.go_on(dialect, memory, out),
                    true if self.turn < MOST_TURNS => {
                        self.turn += 1;
                        self.say(dialect, self.dialogue.step, memory, out)
                    }
                    true => {
                        let why = format!("still something, after it was asked {MOST_TURNS} times");
                        let unfit = unfit("frame", 0, Reason::Limit(why));
                        Ok(Progress::Done(Heard::other(Some(taken), *unfit, frame)))
                    }
                }
            }
            Heard::Next { mut values, .. } => {
                self.learn(dialect, &values, memory);
                memory.recognise(&mut values);
                self.add_results(dialect, &values);
                self.go_on(dialect, memory, out)
            }
            end => Ok(Progress::Done(end)),
        }
    }

    /// Nothing comes. None: that means nothing here.
    ///
    /// # Errors
    /// The next step cannot be said.
    pub fn silence(
        &mut self,
        dialect: &Dialect,
        memory: &mut Memory,
        out: &mut Vec<u8>,
    ) -> Option<Result<Progress, Unspeakable>> {
        let meaning = dialect.plan(self.dialogue.operation?).steps.get(self.dialogue.step)?.silence.clone()?;
        Some(self.end(dialect, &meaning, memory, out))
    }

    /// Whether any answer can come at all.
    pub fn expects_an_answer(&self, dialect: &Dialect) -> bool {
        let step = self.dialogue.operation.and_then(|index| dialect.plan(index).steps.get(self.dialogue.step));
        step.is_some_and(|step| !step.hear.is_empty())
    }

    /// Whether it can be that nothing comes, and that means something.
    pub fn may_be_silent(&self, dialect: &Dialect) -> bool {
        let step = self.dialogue.operation.and_then(|index| dialect.plan(index).steps.get(self.dialogue.step));
        step.is_some_and(|step| step.silence.is_some())
    }

    /// The connection ended. None: that means nothing here.
    ///
    /// # Errors
    /// The next step cannot be said.
    pub fn closed(
        &mut self,
        dialect: &Dialect,
        memory: &mut Memory,
        out: &mut Vec<u8>,
    ) -> Option<Result<Progress, Unspeakable>> {
        let meaning = dialect.plan(self.dialogue.operation?).steps.get(self.dialogue.step)?.close.clone()?;
        Some(self.end(dialect, &meaning, memory, out))
    }

    fn end(
        &mut self,
        dialect: &Dialect,
        meaning: &Meaning,
        memory: &mut Memory,
        out: &mut Vec<u8>,
    ) -> Result<Progress, Unspeakable> {
        let heard = dialect.meant(meaning, self.dialogue.operation, Record::new(), Record::new(), 0);
        self.hear(dialect, heard, memory, out)
    }

    /// The next step, or the same one for the next value of its list, or the end.
    fn go_on(&mut self, dialect: &Dialect, memory: &Memory, out: &mut Vec<u8>) -> Result<Progress, Unspeakable> {
        self.turn = 1;
        if let Some((_, values, done)) = &mut self.each {
            *done += 1;
            if *done < values.len() {
                return self.say(dialect, self.dialogue.step, memory, out);
            }
        }
        self.each = None;
        self.say(dialect, self.dialogue.step + 1, memory, out)
    }

    fn say(
        &mut self,
        dialect: &Dialect,
        step: usize,
        memory: &Memory,
        out: &mut Vec<u8>,
    ) -> Result<Progress, Unspeakable> {
        let index = self.dialogue.operation.unwrap_or_default();
        let plan = dialect.plan(index);
        let Some(next) = plan.steps.get(step) else {
            let mut values = std::mem::take(&mut self.results);
            self.fill_lists(dialect, &mut values);
            return Ok(Progress::Done(dialect.meant(&Meaning::Ok, Some(index), values, Record::new(), 0)));
        };
        if let (Some((one, many)), None) = (&next.each, &self.each) {
            let values = self.known.get(many).and_then(Value::as_list).unwrap_or_default().to_vec();
            self.each = Some((one.clone(), values, 0));
        }
        if let Some((one, values, done)) = &self.each {
            match values.get(*done) {
                Some(Value::Row(row)) => {
                    let service = &dialect.service;
                    let named = row.iter().find(|(name, _)| service.is_username(name));
                    self.known.set(one, named.map_or(Value::Int(0), |(_, value)| value.clone()));
                }
                Some(value) => self.known.set(one, value.clone()),
                None => {
                    self.each = None;
                    return self.say(dialect, step + 1, memory, out);
                }
            }
        }
        for (name, first) in next.turns() {
            self.known.set(name, first + self.turn - 1);
        }
        match dialect.speak_step(index, step, &self.known, memory, self.fresh, out) {
            Ok(dialogue) => {
                self.dialogue = dialogue;
                Ok(Progress::GoesOn)
            }
            Err(unspeakable) => {
                let is_unknown =
                    next.say.iter().flat_map(|message| &message.shape.labels).any(|label| {
                        matches!(label.name, Name::My(_) | Name::Of(..)) && label.text == unspeakable.field
                    });
                match &next.unknown {
                    Some(meaning) if is_unknown => {
                        Ok(Progress::Done(dialect.meant(meaning, Some(index), Record::new(), Record::new(), 0)))
                    }
                    _ => Err(unspeakable),
                }
            }
        }
    }

    /// A list that this wire tells, and that nothing filled, is empty.
    fn fill_lists(&self, dialect: &Dialect, values: &mut Record) {
        let Some(operation) = dialect.operation_of(&self.dialogue) else { return };
        let Some(spec) = dialect.service.operations.get(operation) else { return };
        for name in spec.result.iter().chain(spec.result_when.keys()) {
            let is_list = dialect.service.field(name).is_some_and(|field| field.of.is_some());
            if is_list && values.get(name).is_none() && dialect.carries_result(operation, name) {
                values.set(name, Value::List(Vec::new()));
            }
        }
    }

    fn learn(&mut self, dialect: &Dialect, values: &Record, memory: &mut Memory) {
        values.iter().for_each(|(name, value)| self.known.set(name, value.clone()));
        let mut learned = self.known.clone();
        // Whose values these are is told by the names among them; without any, they are those of who acts.
        if let (Some(me), None) = (memory.me(), learned.get("username")) {
            learned.set("username", me.to_owned());
        }
        memory.learn(&learned, &dialect.service);
    }

    /// Lists of earlier steps become part of the result, where they are one.
    fn add_results(&mut self, dialect: &Dialect, values: &Record) {
        for (name, value) in values.iter() {
            let service = &dialect.service;
            let results = self.dialogue.operation.and_then(|index| service.operations.get(&dialect.plan(index).name));
            let is_result = |spec: &OperationSpec| {
                spec.result.iter().any(|result| result == name) || spec.result_when.contains_key(name)
            };
            if results.is_some_and(is_result) {
                add(&mut self.results, name, plain(dialect, name, value));
            }
        }
    }

    /// A row that came by itself is one more of the result's list; a list of rows goes behind what is there. Whether
    /// that was anything.
    fn add_rows(&mut self, dialect: &Dialect, values: &Record) -> bool {
        let service = &dialect.service;
        let Some(spec) = self.dialogue.operation.and_then(|index| service.operations.get(&dialect.plan(index).name))
        else {
            return false;
        };
        let lists = spec.result.iter().chain(spec.result_when.keys());
        let list = lists.filter_map(|name| Some((name, service.field(name)?.of.as_deref()?))).find(|(name, of)| {
            values.get(name).is_some() || values.get(of).is_some() || service.rows.contains_key(*of)
        });
        let Some((name, of)) = list else { return false };
        let rows = match (values.get(name), values.get(of)) {
            (Some(list @ Value::List(_)), _) => plain(dialect, name, list),
            (_, Some(item)) => Value::List(vec![item.clone()]),
            _ => Value::List(Some(values).filter(|row| !row.is_empty()).cloned().map(Value::Row).into_iter().collect()),
        };
        let brought = rows.as_list().is_some_and(|rows| !rows.is_empty());
        add(&mut self.results, name, rows);
        brought
    }
}

/// What a later step tells goes behind what an earlier one told, where it is a list; else it takes its place.
fn add(results: &mut Record, name: &str, value: Value) {
    let value = match (results.remove(name), value) {
        (Some(Value::List(mut items)), Value::List(more)) => {
            items.extend(more);
            Value::List(items)
        }
        (_, value) => value,
    };
    results.set(name, value);
}

/// Of a list of names the names alone, also where the wire tells more of each.
fn plain(dialect: &Dialect, name: &str, value: &Value) -> Value {
    let service = &dialect.service;
    let of = service.field(name).and_then(|field| field.of.as_deref()).filter(|of| !service.rows.contains_key(*of));
    match (value, of) {
        (Value::List(items), Some(of)) => {
            let item = |item: &Value| match item {
                Value::Row(row) => row.get(of).cloned(),
                item => Some(item.clone()),
            };
            Value::List(items.iter().filter_map(item).collect())
        }
        _ => value.clone(),
    }
}
