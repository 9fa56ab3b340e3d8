//! Random talks: requests, answers and events with random values, on the protocol's own wire and on one that has
//! everything else.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::Union;
use spec::Spec;
use spec::codec::{Dialogue, Saying};
use spec::dialect::Dialect;
use spec::error::Diagnostics;
use spec::message::ErrorName;
use spec::service::{Field, FieldKind};
use spec::source::Source;
use spec::value::{Record, Value};

/// What `framed` does not have: little-endian numbers of odd widths, constants, sizes that are fixed, a field behind
/// the body, a length of everything without bounds, and numbers that follow from those of the request.
const HERON: &str = r#"
dialect: heron
about: A wire for tests.
frame: [u16 = 0xCAFE, code: u8, ticket: u24le usually fresh, echo: u24le, size: u64le = length(frame), body: bytes, u8 = 10]
hear:
  message: {code: 99, ticket: 0, echo: 0, body: [message_id: u64le, sent_at: u56le, sender: text(u32le), text: text]}
  error:   [{code: 98, body: [error: u16le, detail: text]}, {code: 97, ticket: 0, echo: 0, body: [error: u16le, detail: text]}]
operations:
  ping:
    say:  {code: 1, echo: 0, body: [nonce: u64le]}
    hear: {ok: {code: 11, body: [nonce: u64le, "bytes(0)"]}}
  list_accounts:
    say:  {code: 2, echo: 0, body: [limit: u16le, pattern: text(u8), after: text]}
    hear: {ok: {code: 12, body: [more: u8 in 0..1, usernames: list(u24) of text(u16le)]}}
  send_message:
    say:  {code: 3, echo: 0, body: [key: bytes(u16), recipient: text(u8), text: text(u32)]}
    hear: {delivered: {code: 13, body: [message_id: u16]}, queued: {code: 14, body: [message_id: u16, _: u8]}}
fence: ping
"#;

/// A dialect that shows itself by its name.
#[derive(Clone)]
pub(crate) struct Wire(pub(crate) Arc<Dialect>);

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name)
    }
}

impl Deref for Wire {
    type Target = Dialect;

    fn deref(&self) -> &Dialect {
        &self.0
    }
}

static WIRES: LazyLock<Vec<Wire>> = LazyLock::new(|| {
    let spec = Spec::embedded();
    let source = Source::default().with("heron.yaml", HERON);
    let mut found = Diagnostics::default();
    let heron = spec::read_dialect(source.file("heron.yaml").expect("just added"), &spec.service, &mut found);
    assert!(found.is_empty(), "{found}");
    spec.dialect("framed").into_iter().chain(heron.map(Arc::new)).map(Wire).collect()
});

/// An operation with its arguments.
pub(crate) type Asked = (String, Record);

/// A success, an error or an event.
#[derive(Debug, Clone)]
pub(crate) enum Answered {
    Ok(Record),
    Error(String, String),
    Event(Record),
}

impl Answered {
    pub(crate) fn saying(&self) -> Saying<'_> {
        match self {
            Answered::Ok(values) => Saying::Ok(values),
            Answered::Error(name, detail) => Saying::Error { name, cause: "", detail },
            Answered::Event(fields) => Saying::Event("message", fields),
        }
    }
}

pub(crate) fn wire() -> impl Strategy<Value = Wire> {
    select(WIRES.clone())
}

pub(crate) fn record(names: &[String]) -> BoxedStrategy<Record> {
    let fields: Vec<_> = names.iter().map(|name| (Just(name.clone()), value(name))).collect();
    fields.prop_map(|fields| fields.into_iter().collect()).boxed()
}

fn value(name: &str) -> BoxedStrategy<Value> {
    let service = &Spec::embedded().service;
    let Field { kind, of, sizes, .. } = service.field(name).expect("a field of the service");
    match kind {
        // What fits the narrowest number of the wires above; the others are tried for themselves.
        FieldKind::Int => any::<u16>().prop_map(|n| Value::Int(n.into())).boxed(),
        FieldKind::Flag => any::<bool>().prop_map(Value::Flag).boxed(),
        FieldKind::Text => vec(any::<char>(), 0..40).prop_map(|text| Value::Text(text.into_iter().collect())).boxed(),
        FieldKind::Bytes if sizes.is_empty() => vec(any::<u8>(), 0..64).prop_map(Value::Bytes).boxed(),
        FieldKind::Bytes => {
            let sizes = sizes.iter().map(|size| vec(any::<u8>(), *size as usize));
            Union::new(sizes).prop_map(Value::Bytes).boxed()
        }
        FieldKind::List => {
            let of = of.as_deref().expect("a list of something");
            let item = match service.rows.get(of) {
                Some(row) => record(row).prop_map(Value::Row).boxed(),
                None => value(of),
            };
            vec(item, 0..5).prop_map(Value::List).boxed()
        }
    }
}

fn asked(wire: &Wire) -> impl Strategy<Value = Asked> + use<> {
    let operations = Spec::embedded().service.operations.iter().filter(|(name, _)| wire.has_operation(name));
    Union::new(operations.map(|(name, operation)| (Just(name.clone()), record(&operation.arguments))))
}

fn answered(operation: &str) -> impl Strategy<Value = Answered> + use<> {
    let service = &Spec::embedded().service;
    let error = select(ErrorName::ALL).prop_map(|error| error.name().to_owned());
    let detail = vec(any::<char>(), 0..40).prop_map(|text| text.into_iter().collect());
    prop_oneof![
        record(&service.operations[operation].result).prop_map(Answered::Ok),
        (error, detail).prop_map(|(name, detail)| Answered::Error(name, detail)),
    ]
}

pub(crate) fn event() -> impl Strategy<Value = Answered> {
    record(&Spec::embedded().service.events["message"].fields).prop_map(Answered::Event)
}

/// A connection: a wire, requests with their answers, and events between the answers.
#[derive(Debug, Clone)]
pub(crate) struct Talk {
    pub(crate) wire: Wire,
    pub(crate) requests: Vec<Asked>,
    pub(crate) answers: Vec<Answered>,
}

pub(crate) fn talk() -> impl Strategy<Value = Talk> {
    let exchange = |wire: &Wire| {
        let answer = |(operation, arguments): Asked| {
            let answers = (answered(&operation), vec(event(), 0..2));
            (Just((operation, arguments)), answers)
        };
        vec(asked(wire).prop_flat_map(answer), 1..6)
    };
    wire().prop_flat_map(move |wire| (Just(wire.clone()), exchange(&wire))).prop_map(|(wire, exchanges)| {
        let mut talk = Talk { wire, requests: Vec::new(), answers: Vec::new() };
        for (request, (answer, events)) in exchanges {
            talk.requests.push(request);
            talk.answers.extend(events);
            talk.answers.push(answer);
        }
        talk
    })
}

impl Talk {
    pub(crate) fn say_requests(&self) -> (Vec<u8>, VecDeque<Dialogue>) {
        let mut bytes = Vec::new();
        let say = |(number, (operation, arguments)): (usize, &Asked)| {
            self.wire.speak_request(operation, arguments, number as u64 + 1, &mut bytes).expect("it fits the wire")
        };
        let dialogues = self.requests.iter().enumerate().map(say).collect();
        (bytes, dialogues)
    }

    pub(crate) fn say_answers(&self) -> Vec<u8> {
        let (_, mut dialogues) = self.say_requests();
        let mut bytes = Vec::new();
        for answer in &self.answers {
            let dialogue = match answer {
                Answered::Event(_) => Dialogue::default(),
                _ => dialogues.pop_front().expect("an answer has a request"),
            };
            self.wire.speak_answer(&dialogue, &answer.saying(), &mut bytes).expect("it fits the wire");
        }
        bytes
    }
}

/// The same bytes in pieces.
pub(crate) fn cut<'b>(bytes: &'b [u8], at: &[Index]) -> Vec<&'b [u8]> {
    let mut at: Vec<usize> = at.iter().map(|index| index.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}
