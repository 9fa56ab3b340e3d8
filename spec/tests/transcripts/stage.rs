//! The words of these tests: who speaks on which wire, what is asked, what it gets, all with their bytes.
//!
//! Every line is held against the wire four times: the client says it, the server hears it, the server answers, and
//! the client hears the answer, byte by byte and whole.

use std::sync::Arc;

use spec::Spec;
use spec::codec::{Dialogue, Exchange, Heard, Inbound, Memory, Progress, RequestDecoder, ResponseDecoder, Voice};
use spec::dialect::Dialect;
use spec::message::{ErrorName, Event, Failure, Operation, Reply, Response};
use spec::value::{Record, Value};

/// `record! {username: "alice"}`
macro_rules! record {
    ($($name:ident: $value:expr),* $(,)?) => {
        spec::value::Record::new()$(.with(stringify!($name), $value))*
    };
}
pub(crate) use record;

/// Names in a list.
pub(crate) fn names(names: &[&str]) -> Value {
    Value::List(names.iter().map(|name| Value::from(*name)).collect())
}

/// Messages by sender and text.
pub(crate) fn messages(messages: &[(&str, &str)]) -> Value {
    let row = |(sender, text): &(&str, &str)| Value::Row(record! {sender: *sender, text: *text});
    Value::List(messages.iter().map(row).collect())
}

/// A wire, and what its client remembers.
pub(crate) struct Talk {
    pub(crate) wire: Arc<Dialect>,
    memory: Memory,
}

/// Alice at one of the wires.
pub(crate) fn alice_on(dialect: &str) -> Talk {
    let wire = Spec::embedded().dialect(dialect).expect("a wire of this repository");
    Talk { wire, memory: Memory::of("alice") }
}

/// What an answer means.
pub(crate) enum Answer {
    Ok(Record),
    /// The error as it is said, with its cause behind a dot, and the name that is heard.
    Error(&'static str, &'static str),
}

pub(crate) fn ok(values: Record) -> Answer {
    Answer::Ok(values)
}

pub(crate) fn error(name: &'static str) -> Answer {
    Answer::Error(name, name.split('.').next().unwrap_or(name))
}

/// An error that the wire does not tell from others.
pub(crate) fn some_error(name: &'static str) -> Answer {
    Answer::Error(name, "error")
}

/// What goes with errors in these tests.
pub(crate) const DETAIL: &str = "so it is";

impl Talk {
    pub(crate) fn knowing(mut self, values: Record) -> Self {
        self.memory.learn(&values, &Spec::embedded().service);
        self
    }

    /// What a server says to whoever connects.
    pub(crate) fn greets(&self, answer: Answer, bytes: impl AsRef<[u8]>) {
        let (exchange, _) =
            self.wire.begin("connect", &Record::new(), &self.memory, 7, &mut Vec::new()).expect("a greeting");
        if let Answer::Ok(_) = answer {
            let mut said = Vec::new();
            self.wire.speak_greeting(voice(), &mut said).expect("it can be said");
            same_bytes(&said, bytes.as_ref());
        }
        let asked = Asked { talk: self, operation: None, exchange, dialogue: Dialogue::default() };
        asked.is_heard(&answer, bytes.as_ref());
    }

    /// Asks for messages on this connection.
    pub(crate) fn listens(&self, bytes: impl AsRef<[u8]>) {
        let mut said = Vec::new();
        self.wire.begin("listen", &Record::new(), &self.memory, 7, &mut said).expect("it can be said");
        same_bytes(&said, bytes.as_ref());
        let heard = self.server_hears(bytes.as_ref());
        let Inbound::Listens { dialogue } = heard else { panic!("heard as {heard:?}") };
        assert!(dialogue.said("me").is_none_or(|me| me.as_text() == Some("alice")), "{dialogue:?}");
    }

    /// The request is these bytes.
    pub(crate) fn asks(&self, operation: &str, arguments: Record, bytes: impl AsRef<[u8]>) -> Asked<'_> {
        let (mut said, bytes) = (Vec::new(), bytes.as_ref());
        let (exchange, _) = self.wire.begin(operation, &arguments, &self.memory, 7, &mut said).expect("it can be said");
        same_bytes(&said, bytes);
        let heard = self.server_hears(bytes);
        let Inbound::Request { request, dialogue } = heard else { panic!("{operation} was heard as {heard:?}") };
        assert_eq!(request.operation().name(), operation);
        let heard = request.to_record();
        for (name, value) in arguments.iter().filter(|(name, _)| self.wire.carries_argument(operation, name)) {
            let me = dialogue.said("me").filter(|_| name == "username");
            assert_eq!(me.or(heard.get(name)), Some(value), "{name} of {operation}");
        }
        Asked { talk: self, operation: Operation::from_name(operation), exchange, dialogue }
    }

    /// These bytes are no request: the server answers the error in these bytes.
    pub(crate) fn refuses(&self, bytes: impl AsRef<[u8]>, error: &str, answer: impl AsRef<[u8]>) {
        let heard = self.server_hears(bytes.as_ref());
        let Inbound::Refused { failure, dialogue, .. } = heard else { panic!("heard as {heard:?}") };
        assert_eq!(failure.error.name(), error, "{failure}");
        let failure = Failure { detail: DETAIL.into(), ..failure };
        let mut said = Vec::new();
        self.wire.speak_response_as(&dialogue, &Err(failure), voice(), &mut said).expect("it can be said");
        same_bytes(&said, answer.as_ref());
    }

    /// A message that comes unasked.
    pub(crate) fn is_told(&self, sender: &str, text: &str, bytes: impl AsRef<[u8]>) {
        let fields = record! {message_id: 1, sender: sender, text: text, sent_at: 2};
        let event = Event::from_record("message", &fields).expect("a message");
        let mut said = Vec::new();
        self.wire.speak_event_as(&event, voice(), &mut said).expect("it can be said");
        same_bytes(&said, bytes.as_ref());
        // It comes while an answer is waited for.
        let (fence, _) = self
            .wire
            .begin(&self.wire.fence, &record! {pattern: "", nonce: 1}, &self.memory, 7, &mut Vec::new())
            .expect("a fence");
        let mut decoder = ResponseDecoder::new(self.wire.clone());
        decoder.push(bytes.as_ref());
        match decoder.take(true, &[Some(fence.dialogue())]) {
            Some((Heard::Event { values, .. }, taken)) if taken == bytes.as_ref() => assert_same(&values, &fields),
            other => panic!("heard as {other:?}"),
        }
    }

    fn server_hears(&self, bytes: &[u8]) -> Inbound {
        let mut decoder = RequestDecoder::new(self.wire.clone());
        let mut heard = None;
        for byte in bytes {
            assert!(heard.is_none(), "heard before its end: {heard:?}");
            decoder.push(&[*byte]);
            heard = decoder.next();
        }
        let heard = heard.or_else(|| decoder.after_a_pause());
        heard.unwrap_or_else(|| panic!("not heard: {:?}", String::from_utf8_lossy(bytes)))
    }
}

/// A request that was said and heard.
pub(crate) struct Asked<'t> {
    talk: &'t Talk,
    operation: Option<Operation>,
    exchange: Exchange,
    dialogue: Dialogue,
}

impl Asked<'_> {
    /// One of the answers it can get.
    pub(crate) fn gets(&self, answer: Answer, bytes: impl AsRef<[u8]>) -> &Self {
        let response: Response = match &answer {
            Answer::Ok(values) => {
                Ok(Reply::from_record(self.operation.expect("an operation"), values).expect("a reply"))
            }
            Answer::Error(name, _) => {
                let (name, cause) = name.split_once('.').unwrap_or((name, ""));
                let error = ErrorName::from_name(name).expect("an error");
                Err(Failure { error, cause, detail: DETAIL.into() })
            }
        };
        let mut said = Vec::new();
        self.talk.wire.speak_response_as(&self.dialogue, &response, voice(), &mut said).expect("it can be said");
        same_bytes(&said, bytes.as_ref());
        self.is_heard(&answer, bytes.as_ref());
        self
    }

    /// Bytes that nobody here would say, and that are heard all the same.
    pub(crate) fn hears(&self, answer: Answer, bytes: impl AsRef<[u8]>) -> &Self {
        self.is_heard(&answer, bytes.as_ref());
        self
    }

    fn is_heard(&self, answer: &Answer, bytes: &[u8]) {
        for size in [1, bytes.len().max(1)] {
            let heard = self.played(bytes, size);
            match (answer, heard) {
                (Answer::Ok(expected), Heard::Ok { values, .. }) => {
                    let results = self.operation.map_or(&[][..], |operation| operation.fields().1);
                    let heard = values.iter().filter(|(name, _)| results.contains(name));
                    let heard: Record = heard.map(|(name, value)| (name.to_owned(), value.clone())).collect();
                    assert_same(&heard, expected);
                    let is_there = |(name, value): &(&str, &Value)| heard.get(name).is_some() || is_nothing(value);
                    assert!(expected.iter().all(|result| is_there(&result)), "{expected} became {heard}");
                }
                (Answer::Error(_, expected), Heard::Error { name, .. }) => assert_eq!(name, *expected),
                (_, heard) => panic!("{:?} was heard as {heard:?}", String::from_utf8_lossy(bytes)),
            }
        }
    }

    /// Plays the client's dialogue to its end over bytes that come in pieces, and then no more.
    fn played(&self, bytes: &[u8], size: usize) -> Heard {
        let wire = &self.talk.wire;
        let (mut exchange, mut memory, mut unsaid) = (self.exchange.clone(), self.talk.memory.clone(), Vec::new());
        let mut decoder = ResponseDecoder::new(wire.clone());
        for (piece, complete) in bytes.chunks(size).map(|piece| (piece, false)).chain([(&[][..], true)]) {
            decoder.push(piece);
            while let Some((heard, _)) = decoder.take(complete, &[Some(exchange.dialogue())]) {
                if let Heard::Ignored { .. } = heard {
                    continue;
                }
                if let Progress::Done(end) =
                    exchange.hear(wire, heard, &mut memory, &mut unsaid).expect("no more to say")
                {
                    assert!(decoder.rest().is_empty(), "left over: {:?}", String::from_utf8_lossy(decoder.rest()));
                    return end;
                }
            }
        }
        let silent = exchange.silence(wire, &mut memory, &mut unsaid);
        match silent.or_else(|| exchange.closed(wire, &mut memory, &mut unsaid)) {
            Some(Ok(Progress::Done(end))) => end,
            other => panic!("{:?} is no end: {other:?}", String::from_utf8_lossy(bytes)),
        }
    }
}

fn voice() -> Voice<'static> {
    Voice { me: Some("alice"), fresh: 7, now_ms: 1_700_000_000_000 }
}

fn is_nothing(value: &Value) -> bool {
    value.as_list().is_some_and(<[Value]>::is_empty)
}

/// What was heard is what was meant, as far as the wire carries it.
fn assert_same(heard: &Record, meant: &Record) {
    for (name, value) in heard.iter() {
        match (value, meant.get(name)) {
            (Value::List(heard), Some(Value::List(meant))) if matches!(heard.first(), Some(Value::Row(_))) => {
                assert_eq!(heard.len(), meant.len(), "{name}");
                for (heard, meant) in heard.iter().zip(meant) {
                    assert_same(heard.as_row().expect("a row"), meant.as_row().expect("a row"));
                }
            }
            (value, meant) => {
                assert_eq!(Some(value), meant.or(Some(value).filter(|value| is_nothing(value))), "{name}")
            }
        }
    }
}

fn same_bytes(said: &[u8], written: &[u8]) {
    assert!(said == written, "said     {:?}\ninstead of {:?}", Shown(said), Shown(written));
}

struct Shown<'b>(&'b [u8]);

impl std::fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}
