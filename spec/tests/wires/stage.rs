//! The words of these tests: a wire from a few lines of YAML, and what it says and hears, always in both directions.

use std::sync::{Arc, LazyLock};

use spec::Spec;
use spec::codec::{
    Dialogue, Exchange, Heard, Inbound, Memory, Progress, RequestDecoder, ResponseDecoder, Saying, Voice,
};
use spec::dialect::Dialect;
use spec::error::Diagnostics;
use spec::message::Operation;
use spec::service::Service;
use spec::source::Source;
use spec::value::{Record, Value};

/// `record! {username: "alice", limit: 5}`
macro_rules! record {
    ($($name:ident: $value:expr),* $(,)?) => {
        spec::value::Record::new()$(.with(stringify!($name), $value))*
    };
}
/// `list!["alice", "bob"]`, `list![record! {…}]`
macro_rules! list {
    ($($value:expr),* $(,)?) => { spec::value::Value::List(vec![$(crate::stage::value($value)),*]) };
}
pub(crate) use {list, record};

pub(crate) fn value(value: impl IntoValue) -> Value {
    value.into_value()
}

/// What can stand in a list.
pub(crate) trait IntoValue {
    fn into_value(self) -> Value;
}
impl IntoValue for &str {
    fn into_value(self) -> Value {
        self.into()
    }
}
impl IntoValue for Record {
    fn into_value(self) -> Value {
        Value::Row(self)
    }
}

/// The number for fields that are new each time, in all of these tests.
pub(crate) const FRESH: u64 = 7;

/// A wire that is right.
pub(crate) struct Wire(pub(crate) Arc<Dialect>);

/// What is spoken of, without the wires that come with it.
pub(crate) fn service() -> &'static Service {
    static SPEC: LazyLock<Spec> = LazyLock::new(|| {
        let files =
            ["protocol/service.yaml", "protocol/errors.yaml"].map(|path| Source::embedded().file(path).cloned());
        let source = files
            .into_iter()
            .flatten()
            .fold(Source::default(), |source, file| source.with(&file.path, file.text.as_str()));
        Spec::read_protocol(&source, &mut Diagnostics::default()).expect("the protocol has no mistakes")
    });
    &SPEC.service
}

/// Reads a whole dialect.
pub(crate) fn wire(text: &str) -> Wire {
    let source = Source::default().with("wire.yaml", text);
    let mut found = Diagnostics::default();
    let dialect = spec::read_dialect(source.file("wire.yaml").expect("just added"), service(), &mut found);
    assert!(found.is_empty(), "{found}");
    Wire(Arc::new(dialect.expect("no mistakes, so a dialect")))
}

/// A wire whose one operation of interest stands beside a fence: `rest` is the frame and what belongs to it.
pub(crate) fn wire_of(rest: &str, operations: &str) -> Wire {
    let fence = operations.trim().split(':').next().expect("an operation");
    let operations: String = operations.lines().map(|line| format!("  {}\n", line)).collect();
    wire(&format!("dialect: small\nabout: A small wire.\n{rest}\noperations:\n{operations}\nfence: {fence}\n"))
}

/// What an answer means.
pub(crate) fn ok(values: Record) -> Meant {
    Meant::Ok(values)
}
pub(crate) fn error(name: &'static str) -> Meant {
    Meant::Error(name)
}
pub(crate) fn message(sender: &str, text: &str) -> Meant {
    Meant::Event(record! {sender: sender, text: text})
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Meant {
    Ok(Record),
    /// The name, with a cause behind a dot where the wire tells it.
    Error(&'static str),
    Event(Record),
}

impl Wire {
    /// The request is these bytes, and these bytes are the request, however they are cut. What comes back is what the
    /// client and the server remember of it.
    pub(crate) fn says(&self, operation: &str, arguments: Record, bytes: impl AsRef<[u8]>) -> (Dialogue, Dialogue) {
        self.says_as(&Memory::of("alice"), operation, arguments, bytes)
    }

    pub(crate) fn says_as(
        &self,
        memory: &Memory,
        operation: &str,
        arguments: Record,
        bytes: impl AsRef<[u8]>,
    ) -> (Dialogue, Dialogue) {
        let (bytes, mut said) = (bytes.as_ref(), Vec::new());
        let client = self.0.speak_request_as(operation, &arguments, memory, FRESH, &mut said).expect("it can be said");
        assert_same(&said, bytes, "said");
        (client, self.is_heard(operation, &arguments, bytes))
    }

    /// These bytes, which nobody here would say like that, are heard as this request all the same.
    pub(crate) fn hears(&self, operation: &str, arguments: Record, bytes: impl AsRef<[u8]>) {
        self.is_heard(operation, &arguments, bytes.as_ref());
    }

    fn is_heard(&self, operation: &str, arguments: &Record, bytes: &[u8]) -> Dialogue {
        let mut whole = None;
        for size in [bytes.len(), 1] {
            let mut decoder = RequestDecoder::new(self.0.clone());
            let mut heard = None;
            for piece in bytes.chunks(size.max(1)) {
                assert!(heard.is_none(), "heard before its end: {heard:?}");
                decoder.push(piece);
                heard = decoder.next();
            }
            let heard = heard.or_else(|| decoder.after_a_pause());
            assert_eq!(decoder.waiting(), 0, "bytes are left over");
            let dialogue = match heard {
                Some(Inbound::Request { request, dialogue }) => {
                    assert_eq!(request.operation().name(), operation);
                    let heard = request.to_record();
                    for (name, value) in arguments.iter() {
                        let known = Operation::from_name(operation).expect("an operation").fields().0.contains(&name);
                        assert!(!known || heard.get(name) == Some(value), "{name}: {value} came back in {heard}");
                    }
                    dialogue
                }
                other => panic!("{operation} was heard as {other:?}"),
            };
            whole = Some(dialogue);
        }
        whole.expect("heard twice")
    }

    /// The answer to a request is these bytes, and these bytes are the answer, however they are cut.
    pub(crate) fn answers(&self, asked: &(Dialogue, Dialogue), meant: Meant, bytes: impl AsRef<[u8]>) {
        let (bytes, mut said) = (bytes.as_ref(), Vec::new());
        let saying = match &meant {
            Meant::Ok(values) => Saying::Ok(values),
            Meant::Error(name) => {
                let (name, cause) = name.split_once('.').unwrap_or((name, ""));
                Saying::Error { name, cause, detail: "" }
            }
            Meant::Event(values) => Saying::Event("message", values),
        };
        self.0.speak_answer(&asked.1, &saying, &mut said).unwrap_or_else(|why| panic!("{meant:?}: {why}"));
        assert_same(&said, bytes, "said");
        self.is_answered(asked, meant, bytes);
    }

    /// These bytes, which nobody here would say like that, are heard as this answer all the same.
    pub(crate) fn is_answered(&self, asked: &(Dialogue, Dialogue), meant: Meant, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        for size in [bytes.len(), 1] {
            let mut decoder = ResponseDecoder::new(self.0.clone());
            let mut heard = None;
            for piece in bytes.chunks(size.max(1)) {
                assert!(heard.is_none(), "heard before its end: {heard:?}");
                decoder.push(piece);
                heard = decoder.next(Some(&asked.0));
            }
            let heard = heard.or_else(|| decoder.take(true, &[Some(&asked.0)]));
            let Some((heard, taken)) = heard else { panic!("{} is nothing", shown(bytes)) };
            assert_same(&taken, bytes, "taken");
            assert_meant(&heard, &meant);
        }
    }

    /// Nothing that may come here looks like these bytes.
    pub(crate) fn is_no_answer(&self, asked: &(Dialogue, Dialogue), bytes: impl AsRef<[u8]>) {
        let heard = self.0.hear_answer_of(bytes.as_ref(), true, &[Some(&asked.0)]);
        assert!(matches!(heard, None | Some(Heard::Other { .. })), "{heard:?}");
    }

    /// What comes without being asked for, in both directions.
    pub(crate) fn pushes(&self, event: Record, bytes: impl AsRef<[u8]>) {
        let nobody = (Dialogue::default(), Dialogue::default());
        self.answers(&nobody, Meant::Event(event), bytes);
    }

    /// Begins an operation on the client's side; a server listens.
    pub(crate) fn play<'w>(&'w self, memory: &'w mut Memory, operation: &str, arguments: Record) -> Play<'w> {
        let mut bytes = Vec::new();
        let (exchange, progress) =
            self.0.begin(operation, &arguments, memory, FRESH, &mut bytes).expect("it can be said");
        let server = RequestDecoder::new(self.0.clone());
        Play { wire: self, memory, exchange, progress, bytes, server, asked: Dialogue::default(), inbound: None }
    }
}

pub(crate) fn assert_meant(heard: &Heard, meant: &Meant) {
    match (heard, meant) {
        (Heard::Ok { values, .. }, Meant::Ok(said)) | (Heard::Event { values, .. }, Meant::Event(said)) => {
            for (name, value) in said.iter() {
                // A list that an answer does not speak of is empty.
                let is_empty = value.as_list().is_some_and(<[Value]>::is_empty) && values.get(name).is_none();
                assert!(is_empty || values.get(name) == Some(value), "{name} is not {value} in {values}");
            }
        }
        (Heard::Error { name, .. }, Meant::Error(said)) => {
            assert_eq!(name, said.split('.').next().expect("a name"));
        }
        (heard, meant) => panic!("{meant:?} was heard as {heard:?}"),
    }
}

/// A dialogue between a client and a server, step by step.
pub(crate) struct Play<'w> {
    wire: &'w Wire,
    memory: &'w mut Memory,
    exchange: Exchange,
    progress: Progress,
    bytes: Vec<u8>,
    server: RequestDecoder,
    asked: Dialogue,
    inbound: Option<Inbound>,
}

impl Play<'_> {
    /// The client says these bytes now, and the server hears a step of the same operation in them.
    #[track_caller]
    pub(crate) fn says(mut self, bytes: impl AsRef<[u8]>) -> Self {
        assert_eq!(self.progress, Progress::GoesOn);
        assert_same(&std::mem::take(&mut self.bytes), bytes.as_ref(), "said");
        self.server.push(bytes.as_ref());
        let inbound = self.server.next().or_else(|| self.server.after_a_pause()).expect("a whole message");
        self.asked = match &inbound {
            Inbound::Request { dialogue, .. } | Inbound::Step { dialogue } | Inbound::Listens { dialogue } => {
                dialogue.clone()
            }
            Inbound::Refused { failure, .. } => panic!("{failure:?}"),
        };
        // What dialogues begin with alike, their last steps tell apart.
        if !matches!(inbound, Inbound::Step { .. }) {
            let heard = self.wire.0.operation_of(&self.asked);
            assert_eq!(heard, self.wire.0.operation_of(self.exchange.dialogue()), "heard as another operation");
        }
        self.inbound = Some(inbound);
        self
    }

    /// The server answers what it was asked last with these values: these are the bytes, and the client goes on.
    #[track_caller]
    pub(crate) fn told(self, values: Record, bytes: impl AsRef<[u8]>) -> Self {
        let mut said = Vec::new();
        let voice = Voice { me: self.memory.me(), fresh: FRESH, now_ms: 0 };
        let saying = Saying::Ok(&values);
        self.wire.0.speak_answer_as(&self.asked, &saying, voice, &mut said).expect("it can be said");
        assert_same(&said, bytes.as_ref(), "told");
        self.hears(bytes)
    }

    /// The client hears these bytes.
    #[track_caller]
    pub(crate) fn hears(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let mut decoder = ResponseDecoder::new(self.wire.0.clone());
        decoder.push(bytes.as_ref());
        while let Some((heard, _)) = {
            let dialogues = [Some(self.exchange.dialogue())];
            decoder.take(false, &dialogues).or_else(|| decoder.take(true, &dialogues))
        } {
            assert!(!matches!(heard, Heard::Other { .. }), "{heard:?}");
            self.progress =
                self.exchange.hear(&self.wire.0, heard, self.memory, &mut self.bytes).expect("it can be said");
        }
        assert_eq!(decoder.rest(), b"", "bytes are left over");
        self
    }

    /// Nothing comes.
    #[track_caller]
    pub(crate) fn silence(mut self) -> Self {
        assert!(self.exchange.may_be_silent(&self.wire.0));
        let end = self.exchange.silence(&self.wire.0, self.memory, &mut self.bytes).expect("it means something");
        self.progress = end.expect("it can be said");
        self
    }

    /// The connection ends.
    #[track_caller]
    pub(crate) fn closes(mut self) -> Self {
        let end = self.exchange.closed(&self.wire.0, self.memory, &mut self.bytes).expect("it means something");
        self.progress = end.expect("it can be said");
        self
    }

    /// What the server took the dialogue for, in its last step.
    #[track_caller]
    pub(crate) fn server_heard(self, arguments: Record) -> Self {
        let Some(Inbound::Request { request, .. }) = &self.inbound else { panic!("{:?}", self.inbound) };
        let heard = request.to_record();
        for (name, value) in arguments.iter() {
            assert_eq!(heard.get(name), Some(value), "{name} of {heard}");
        }
        self
    }

    /// The dialogue has come to its end, with this meaning.
    #[track_caller]
    pub(crate) fn ends(self, meant: Meant) {
        assert_eq!(self.bytes, b"", "something is said after the end");
        match &self.progress {
            Progress::Done(heard) => assert_meant(heard, &meant),
            Progress::GoesOn => panic!("it goes on"),
        }
    }
}

#[track_caller]
fn assert_same(seen: &[u8], expected: &[u8], what: &str) {
    assert!(seen == expected, "{what}: {}\nexpected: {}", shown(seen), shown(expected));
}

pub(crate) fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
