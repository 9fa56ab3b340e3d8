//! Whether a wire carries certain values: they are said and heard, and must be the same afterwards.
//!
//! What a wire cannot carry is nobody's mistake: scenarios that need it do not apply. Not here: arguments that a wire
//! does not say at all (`Dialect::carries_argument`), and messages that no value gets through (`rehearse`).

use crate::codec::plan::{Message, Name};
use crate::codec::sample::{hashes, sample, usual_text};
use crate::codec::{Dialogue, Heard, Memory, Reason, RequestHeard, Saying, Slots, Voice};
use crate::dialect::Dialect;
use crate::value::{Record, Value};

/// Who acts, where nobody is named.
const SOMEBODY: &str = "alice";

impl Dialect {
    /// Whether arguments come back as themselves: said as the request and heard by a server; a text that is sent, also as
    /// what its recipient is told, and a name, also in lists.
    ///
    /// # Errors
    /// Why not, in a short sentence.
    pub fn carries(&self, operation: &str, arguments: &Record) -> Result<(), String> {
        let Some(index) = self.operation(operation) else { return Err(format!("this wire has no `{operation}`")) };
        for (name, value) in arguments.iter() {
            let like = self.service.field(name).and_then(|field| field.like.as_deref());
            let limit = self.limits.get(name).or_else(|| self.limits.get(like?));
            if let (Some(limit), Value::Text(text)) = (limit, value)
                && !limit.allows(text)
            {
                return Err(format!(
                    "{} {value} is not within this wire's limit {}",
                    of(name, operation),
                    limit.written
                ));
            }
        }
        self.carries_request((index, operation), arguments)?;
        let named = |name: &str| arguments.get(name).and_then(Value::as_text);
        match operation {
            "send_message" => {
                let (usual, text) = (self.usual("text"), named("text").unwrap_or_default());
                let sender = named("sender").map_or_else(|| self.usual("sender"), str::to_owned);
                let row = |text: &str| Record::new().with("sender", sender.as_str()).with("text", text);
                self.comes_back("text", Some(index), &row(text), &row(&usual))
            }
            "create_account" => {
                let row = |name: &str| Record::new().with("username", name);
                self.comes_back(
                    "username",
                    None,
                    &row(named("username").unwrap_or_default()),
                    &row(&self.usual("username")),
                )
            }
            _ => Ok(()),
        }
    }

    // ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────

    fn carries_request(&self, (index, operation): (usize, &str), arguments: &Record) -> Result<(), String> {
        let me = arguments.get("username").and_then(Value::as_text).unwrap_or(SOMEBODY);
        let mut memory = Memory::of(me);
        for (at, step) in self.plan(index).steps.iter().enumerate() {
            let mut given = arguments.clone();
            step.say.iter().for_each(|message| self.learn_what_is_needed(message, &mut given, &mut memory));
            if let Some((one, _)) = &step.each {
                given.set(one, SOMEBODY);
            }
            let mut bytes = Vec::new();
            self.speak_step(index, at, &given, &memory, 1, &mut bytes)
                .map_err(|why| format!("this wire cannot say this {operation}: {why}"))?;
            if step.say.is_empty() {
                continue;
            }
            let says: Vec<&str> =
                step.say.iter().flat_map(|message| &message.shape.labels).map(|label| label.text.as_str()).collect();
            let hashed: Vec<&str> = step.say.iter().flat_map(hashes).collect();
            let (mut slots, mut heard) = (Slots::new(), Dialogue::default());
            let going = (at > 0).then_some((index, at));
            let mut outcome = self.hear_request_of(&bytes, false, going, &mut slots, &mut heard);
            if matches!(outcome, RequestHeard::More(_)) {
                outcome = self.hear_request_of(&bytes, true, going, &mut slots, &mut heard);
            }
            let lost = |became: String| format!("this wire cannot carry this {operation}: {became}");
            match outcome {
                RequestHeard::Taken(_) => {}
                RequestHeard::More(_) => return Err(lost("it has no end".into())),
                // Right for the wire, and wrong for the protocol: that is carried.
                RequestHeard::Refused { unfit, .. } if matches!(unfit.reason, Reason::Limit(_)) => return Ok(()),
                RequestHeard::Refused { unfit, .. } => return Err(lost(format!("it comes back as nothing: {unfit}"))),
            }
            let too_early = match outcome {
                RequestHeard::Taken(taken) if taken < bytes.len() => Some(taken),
                _ => None,
            };
            if self.operation_of(&heard) != Some(operation) {
                let other = self.operation_of(&heard).unwrap_or_default();
                if let Some(taken) = too_early {
                    return Err(lost(format!("its first {taken} bytes come back as `{other}`")));
                }
                // What begins alike, or is told apart by the session, says the same.
                let is_alike = self.plan(index).steps.len() > 1 || self.told_apart_by_session(operation, other);
                if !is_alike {
                    return Err(lost(format!("it comes back as `{other}`")));
                }
                continue;
            }
            let heard = self.arguments(&heard, &slots);
            for (name, said) in arguments.iter().filter(|(name, _)| says.contains(name) && !hashed.contains(name)) {
                if !is_same(heard.get(name), said) && !self.is_default(name, said, heard.get(name)) {
                    return Err(cannot(name, said, operation, heard.get(name)));
                }
            }
            if let Some(taken) = too_early {
                return Err(lost(format!("its first {taken} bytes are a message already")));
            }
        }
        Ok(())
    }

    /// Values that the user must have been told before: any will do.
    fn learn_what_is_needed(&self, message: &Message, given: &mut Record, memory: &mut Memory) {
        if message.shape.labels.iter().all(|label| matches!(label.name, Name::Own | Name::Nothing | Name::Me)) {
            return;
        }
        let samples = sample(self, &message.shape, 0);
        for label in &message.shape.labels {
            let Some(value) = samples.get(&label.text) else { continue };
            match &label.name {
                Name::My(name) => memory.learn(&Record::new().with(name, value.clone()), &self.service),
                Name::Of(name, whom) => {
                    let user = given.get(whom).and_then(Value::as_text).unwrap_or(SOMEBODY).to_owned();
                    memory
                        .learn(&Record::new().with("username", user.as_str()).with(name, value.clone()), &self.service);
                    given.set(whom, user);
                }
                Name::Own | Name::Nothing | Name::Me => {}
            }
        }
    }

    /// What is not said is what the protocol says it is.
    fn is_default(&self, name: &str, said: &Value, heard: Option<&Value>) -> bool {
        let default = self.service.field(name).and_then(crate::service::Field::default_value);
        heard.is_none() && default.as_ref() == Some(said)
    }

    // ── what others are told of it ────────────────────────────────────────────────────────────────────────────────

    /// Whether a value comes back from every event and list that tells of it. One that lets nothing through, not even a
    /// usual value, is not this value's matter.
    fn comes_back(&self, name: &str, asked: Option<usize>, row: &Record, usual: &Record) -> Result<(), String> {
        let Some(value) = row.get(name) else { return Ok(()) };
        let refuse = |place: &str, back: Option<Value>| Err(cannot(name, value, place, back.as_ref()));
        if name == "text" {
            let pending = asked.map(|index| Dialogue { operation: Some(index), ..Dialogue::default() });
            for pending in [None, pending.as_ref()] {
                let back = |row: &Record| self.event_comes_back(row, pending);
                if let Err(back_as) = back(row)
                    && back(usual).is_ok()
                {
                    return refuse("a message", back_as);
                }
            }
        }
        for (index, plan) in self.operations.iter().enumerate() {
            let Some(spec) = self.service.operations.get(&plan.name) else { continue };
            for list in spec.result.iter().chain(spec.result_when.keys()) {
                let of = self.service.field(list).and_then(|field| field.of.as_deref());
                let is_row = of
                    .and_then(|of| self.service.rows.get(of))
                    .is_some_and(|row| row.iter().any(|field| field == name));
                if !(is_row || of == Some(name)) || !self.carries_result(&plan.name, list) {
                    continue;
                }
                let item = |row: &Record| {
                    if is_row { Value::Row(row.clone()) } else { row.get(name).cloned().unwrap_or(Value::Int(0)) }
                };
                let back = |row: &Record| self.list_comes_back(index, list, &[item(row), item(usual)], name);
                if let Err(back_as) = back(row)
                    && back(usual).is_ok()
                {
                    return refuse(&plan.name, back_as);
                }
            }
        }
        Ok(())
    }

    /// Err: what the text became.
    fn event_comes_back(&self, row: &Record, pending: Option<&Dialogue>) -> Result<(), Option<Value>> {
        let event = row.clone().with("message_id", 1).with("sent_at", 1);
        let mut bytes = Vec::new();
        self.speak_answer_as(&Dialogue::default(), &Saying::Event("message", &event), Self::voice(), &mut bytes)
            .map_err(|_| None)?;
        let tables: &[Option<&Dialogue>] = if pending.is_some() { &[pending] } else { &[] };
        let heard = self.hear_answer_of(&bytes, false, tables).or_else(|| self.hear_answer_of(&bytes, true, tables));
        match heard {
            Some(Heard::Event { taken, values, .. }) if taken == bytes.len() => all_same(&values, row),
            Some(Heard::Event { values, .. }) => Err(values.get("text").cloned()),
            _ => Err(None),
        }
    }

    /// Err: what the value became, in the first of the items.
    fn list_comes_back(&self, index: usize, list: &str, items: &[Value], name: &str) -> Result<(), Option<Value>> {
        let dialogue = Dialogue {
            operation: Some(index),
            step: self.plan(index).steps.len().saturating_sub(1),
            ..Dialogue::default()
        };
        let answers = self.plan(index).answers();
        let one_by_one = answers.iter().any(|entry| entry.again && !entry.tells_a_list(&self.service));
        let mut bytes = Vec::new();
        for items in items.chunks(if one_by_one { 1 } else { items.len() }) {
            let said = Record::new().with(list, Value::List(items.to_vec()));
            self.speak_answer_as(&dialogue, &Saying::Ok(&said), Self::voice(), &mut bytes).map_err(|_| None)?;
        }
        let (mut rest, mut heard) = (bytes.as_slice(), Vec::new());
        while !rest.is_empty() {
            let tables = [Some(&dialogue)];
            let one = self.hear_answer_of(rest, false, &tables).or_else(|| self.hear_answer_of(rest, true, &tables));
            let taken = match one {
                Some(Heard::Ok { taken, values, .. } | Heard::Next { taken, values, .. }) => {
                    heard.extend(values.get(list).and_then(Value::as_list).unwrap_or_default().iter().cloned());
                    taken
                }
                Some(Heard::More { taken, values, again: true, .. }) if !one_by_one => {
                    heard.extend(values.get(list).and_then(Value::as_list).unwrap_or_default().iter().cloned());
                    taken
                }
                Some(Heard::More { taken, values, .. }) => {
                    heard.push(
                        values
                            .get(name)
                            .cloned()
                            .filter(|_| !matches!(items[0], Value::Row(_)))
                            .unwrap_or(Value::Row(values)),
                    );
                    taken
                }
                _ => return Err(None),
            };
            rest = &rest[taken..];
        }
        if heard.len() != items.len() {
            return Err(Some(Value::List(heard)));
        }
        heard.iter().zip(items).try_for_each(|(heard, said)| match (heard, said) {
            (Value::Row(heard), Value::Row(said)) => all_same(heard, said),
            (Value::Row(heard), said) if is_same(heard.get(name), said) => Ok(()),
            (heard, said) if is_same(Some(heard), said) => Ok(()),
            (heard, _) => Err(Some(heard.clone())),
        })
    }

    fn voice() -> Voice<'static> {
        Voice { me: Some(SOMEBODY), fresh: 1, now_ms: 1 }
    }

    /// A value of a field that this wire certainly carries.
    fn usual(&self, field: &str) -> String {
        usual_text(self, field, 1)
    }
}

/// Whether what was heard is what was said, as far as it was heard. Err: what the first that differs became.
fn all_same(heard: &Record, said: &Record) -> Result<(), Option<Value>> {
    match said.iter().find(|(name, said)| heard.get(name).is_some_and(|heard| !is_same(Some(heard), said))) {
        Some((name, _)) => Err(heard.get(name).cloned()),
        None => Ok(()),
    }
}

fn is_same(heard: Option<&Value>, said: &Value) -> bool {
    match (heard, said.as_bytes()) {
        (Some(heard), Some(said)) => heard.as_bytes() == Some(said),
        (heard, _) => heard == Some(said),
    }
}

fn of(name: &str, operation: &str) -> String {
    format!("the {name} of {operation}")
}

#[cold]
fn cannot(name: &str, said: &Value, place: &str, back: Option<&Value>) -> String {
    let became = back.map_or("it does not come back".into(), |back| format!("it comes back as {back}"));
    format!("this wire cannot carry the {name} {said} in {place}: {became}")
}

impl Dialect {
    /// Whether of two operations one needs a session and the other cannot have one.
    pub(crate) fn told_apart_by_session(&self, one: &str, other: &str) -> bool {
        use crate::service::SessionNeed::{Needed, None as Without};
        let need = |name: &str| self.service.operations.get(name).map(|spec| spec.session);
        matches!((need(one), need(other)), (Some(Needed), Some(Without)) | (Some(Without), Some(Needed)))
    }
}
