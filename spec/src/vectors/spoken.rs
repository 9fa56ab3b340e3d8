//! An example said on a wire and heard again: its bytes, what each of them means, and what of it the wire carries.
//!
//! Not here: the form in which it is handed on.

use super::FRESH;
use crate::codec::{Annotated, Dialogue, Heard, Line, Memory, RequestHeard, Slots, Unspeakable, Voice};
use crate::dialect::Dialect;
use crate::example::{Answer, Example};
use crate::message::{Operation, Reply};
use crate::value::{Record, Value};

/// An example on one wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The request.
    pub request: Option<Bytes>,
    /// What comes back, or comes unasked.
    pub answer: Bytes,
}

/// A message in bytes, and taken apart. Where an answer comes in several, they stand one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes {
    /// The whole message.
    pub bytes: Vec<u8>,
    /// The same, field by field.
    pub annotated: Annotated,
    /// What it carries of the example's values: arguments, results, an event's fields, an error's `detail`.
    pub fields: Record,
}

/// Who acts in all vectors, and what she remembers, for wires that say so in each request.
fn alice(dialect: &Dialect) -> Memory {
    let mut memory = Memory::of("alice");
    let token: Vec<u8> = (0..15).map(|byte| byte * 17).collect();
    memory.learn(&Record::new().with("token", token).with("password", "wonderland"), &dialect.service);
    memory
}

/// Says an example on a wire.
///
/// # Errors
/// The wire lacks the operation, or cannot carry a value: it would come back as another, or as another error.
pub fn speak(dialect: &Dialect, example: &Example) -> Result<Spoken, Unspeakable> {
    let (mut request, mut dialogue) = (None, None);
    if let Some((operation, arguments)) = &example.request {
        if dialect.is_disconnect(operation) {
            return Err(unspeakable(operation, "is done by ending the connection"));
        }
        let mut bytes = Vec::new();
        dialogue = Some(dialect.speak_request_as(operation, arguments, &alice(dialect), FRESH, &mut bytes)?);
        let fields = heard_request(dialect, operation, arguments, &bytes)?;
        request = Some(Bytes { annotated: dialect.annotate_request(&bytes), bytes, fields });
    }
    let mut bytes = Vec::new();
    let nobody = Dialogue::default();
    let voice = Voice { me: Some("alice"), ..Voice::default() };
    // Results that the example leaves out, for they need a policy, are empty.
    let operation = example.request.as_ref().and_then(|(operation, _)| Operation::from_name(operation));
    let answer = match (&example.answer, operation.and_then(|one| reply(one, example))) {
        (Answer::Ok(_), Some(whole)) => Answer::Ok(whole),
        (answer, _) => answer.clone(),
    };
    dialect.speak_answer_as(dialogue.as_ref().unwrap_or(&nobody), &answer.saying(), voice, &mut bytes)?;
    let (annotated, fields) = heard_answer(dialect, dialogue.as_ref(), &answer, &bytes)?;
    Ok(Spoken { request, answer: Bytes { bytes, annotated, fields } })
}

fn reply(operation: Operation, example: &Example) -> Option<Record> {
    let Answer::Ok(values) = &example.answer else { return None };
    Some(Reply::from_record(operation, values)?.to_record())
}

fn unspeakable(field: &str, why: impl Into<String>) -> Unspeakable {
    Unspeakable { field: field.to_owned(), why: why.into() }
}

fn heard_request(dialect: &Dialect, operation: &str, said: &Record, bytes: &[u8]) -> Result<Record, Unspeakable> {
    let (mut slots, mut dialogue) = (Slots::new(), Dialogue::default());
    match dialect.hear_request_of(bytes, true, None, &mut slots, &mut dialogue) {
        RequestHeard::Taken(taken) if taken == bytes.len() => carried(&dialect.arguments(&dialogue, &slots), said),
        _ => Err(unspeakable(operation, "does not come back as itself")),
    }
}

/// Hears what was said, message by message.
fn heard_answer(
    dialect: &Dialect,
    dialogue: Option<&Dialogue>,
    answer: &Answer,
    bytes: &[u8],
) -> Result<(Annotated, Record), Unspeakable> {
    let mut annotated = Annotated { title: String::new(), lines: Vec::new(), call: Vec::new() };
    let (mut said, mut rows, mut at) = (None, Vec::new(), 0);
    while at < bytes.len() {
        let heard = dialect.hear_answer_of(&bytes[at..], true, &[dialogue]);
        let taken = heard.as_ref().and_then(Heard::taken).filter(|taken| *taken > 0).unwrap_or(bytes.len() - at);
        let part = dialect.annotate_answer(&bytes[at..at + taken], dialogue);
        let shifted = part.lines.into_iter().map(|line| Line { offset: line.offset + at, ..line });
        annotated.lines.extend(shifted);
        annotated.call.extend(part.call);
        annotated.title = part.title;
        at += taken;
        let (meant, name, values) = match (answer, heard) {
            (Answer::Ok(_), Some(Heard::More { values, .. })) => {
                rows.push(Value::Row(values));
                continue;
            }
            (Answer::Ok(meant), Some(Heard::Ok { values, .. })) => (meant.clone(), None, values),
            (Answer::Error { name, detail }, Some(Heard::Error { name: heard, values, .. })) => {
                let detail = detail.as_str();
                (Record::new().with("detail", detail).with("primary", detail), Some((name, heard)), values)
            }
            (Answer::Event { name, fields }, Some(Heard::Event { name: heard, values, .. })) => {
                (fields.clone(), Some((name, heard)), values)
            }
            (Answer::Event { fields, .. }, Some(Heard::More { values, .. })) => (fields.clone(), None, values),
            _ => return Err(unspeakable("answer", "does not come back as itself")),
        };
        if let Some((name, heard)) = name
            && *name != heard
        {
            return Err(unspeakable(name, format!("is told as `{heard}`")));
        }
        said = Some(carried(&values, &meant)?);
    }
    // A row by itself looks like an event; here it is known which it is.
    match answer {
        Answer::Event { name, .. } => annotated.title.clone_from(name),
        _ => annotated.title = annotated.title.replace("more of", "ok of"),
    }
    match (said, answer) {
        (None, _) if bytes.is_empty() => Err(unspeakable("answer", "has no bytes")),
        (said, Answer::Ok(meant)) if !rows.is_empty() => {
            let list = meant.iter().find(|(_, value)| value.as_list().is_some()).map(|(name, _)| name.to_owned());
            let mut all = said.unwrap_or_default();
            all.set(&list.unwrap_or_default(), Value::List(rows));
            Ok((annotated, carried(&all, meant)?))
        }
        (Some(said), Answer::Error { .. }) => {
            let detail = said.iter().next().and_then(|(_, value)| value.as_text()).unwrap_or_default();
            Ok((annotated, Record::new().with("detail", detail)))
        }
        (said, _) => Ok((annotated, said.unwrap_or_default())),
    }
}

/// Of what was heard, that which was said. A value that came back as another was not carried.
fn carried(heard: &Record, said: &Record) -> Result<Record, Unspeakable> {
    let both = heard.iter().filter_map(|(name, value)| Some((name, value, said.get(name)?)));
    let mut carried = Record::new();
    for (name, heard, said) in both {
        if !is_part(heard, said) {
            return Err(unspeakable(name, format!("would come back as {heard}")));
        }
        carried.set(name, heard.clone());
    }
    Ok(carried)
}

fn is_part(heard: &Value, said: &Value) -> bool {
    match (heard, said) {
        (Value::Row(heard), Value::Row(said)) => {
            heard.iter().all(|(name, value)| said.get(name).is_some_and(|said| is_part(value, said)))
        }
        (Value::List(heard), Value::List(said)) => {
            heard.len() == said.len() && heard.iter().zip(said).all(|(heard, said)| is_part(heard, said))
        }
        (heard, said) => heard == said,
    }
}
