//! What a wire says it hears, however its bytes are cut; and what nobody said harms nobody.
//!
//! Values, cuts and broken bytes are random, over the protocol's own wire and over one that has everything else.

mod by_hand;

use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::Union;
use spec::Spec;
use spec::codec::{Dialogue, Heard, Inbound, RequestDecoder, ResponseDecoder, Saying, Slot, Slots};
use spec::dialect::{Dialect, RequestHeard};
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
struct Wire(Arc<Dialect>);

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
    spec.dialects.values().cloned().chain(heron.map(Arc::new)).map(Wire).collect()
});

/// A failure prints the smallest input that fails; no file remembers it.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

// ── what is said ──────────────────────────────────────────────────────────────────────────────────────────────────

/// An operation with its arguments.
type Asked = (String, Record);

/// A success, an error or an event.
#[derive(Debug, Clone)]
enum Answered {
    Ok(Record),
    Error(String, String),
    Event(Record),
}

impl Answered {
    fn saying(&self) -> Saying<'_> {
        match self {
            Answered::Ok(values) => Saying::Ok(values),
            Answered::Error(name, detail) => Saying::Error { name, detail },
            Answered::Event(fields) => Saying::Event("message", fields),
        }
    }
}

fn wire() -> impl Strategy<Value = Wire> {
    select(WIRES.clone())
}

fn record(names: &[String]) -> BoxedStrategy<Record> {
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

fn event() -> impl Strategy<Value = Answered> {
    record(&Spec::embedded().service.events["message"].fields).prop_map(Answered::Event)
}

/// A connection: a wire, requests with their answers, and events between the answers.
#[derive(Debug, Clone)]
struct Talk {
    wire: Wire,
    requests: Vec<Asked>,
    answers: Vec<Answered>,
}

fn talk() -> impl Strategy<Value = Talk> {
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
    fn say_requests(&self) -> (Vec<u8>, VecDeque<Dialogue>) {
        let mut bytes = Vec::new();
        let say = |(number, (operation, arguments)): (usize, &Asked)| {
            self.wire.speak_request(operation, arguments, number as u64 + 1, &mut bytes).expect("it fits the wire")
        };
        let dialogues = self.requests.iter().enumerate().map(say).collect();
        (bytes, dialogues)
    }

    fn say_answers(&self) -> Vec<u8> {
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
fn cut<'b>(bytes: &'b [u8], at: &[Index]) -> Vec<&'b [u8]> {
    let mut at: Vec<usize> = at.iter().map(|index| index.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

// ── what is heard ─────────────────────────────────────────────────────────────────────────────────────────────────

proptest! {
    #![proptest_config(config())]

    #[test]
    fn requests_are_heard_as_they_were_said_however_they_are_cut(talk in talk(), at in vec(any::<Index>(), 0..12)) {
        let (bytes, dialogues) = talk.say_requests();
        let mut decoder = RequestDecoder::new(talk.wire.0.clone());
        let mut heard = Vec::new();
        for piece in cut(&bytes, &at) {
            decoder.push(piece);
            while let Some(inbound) = decoder.next() {
                heard.push(inbound);
            }
        }
        prop_assert_eq!(decoder.waiting(), 0);
        prop_assert_eq!(heard.len(), talk.requests.len());
        for ((inbound, (operation, arguments)), said) in heard.iter().zip(&talk.requests).zip(&dialogues) {
            let Inbound::Request { request, dialogue } = inbound else { panic!("{inbound:?}") };
            prop_assert_eq!(request.operation().name(), operation);
            prop_assert_eq!(&request.to_record(), arguments);
            // What the answer must echo is what the client will check.
            let answer = Answered::Error("unavailable".into(), String::new());
            let mut bytes = Vec::new();
            talk.wire.speak_answer(dialogue, &answer.saying(), &mut bytes).expect("errors fit the wire");
            let back = talk.wire.hear_answer(&bytes, Some(said));
            prop_assert!(matches!(&back, Some(Heard::Error { name, .. }) if name == "unavailable"), "{:?}", back);
        }
    }

    #[test]
    fn answers_and_events_are_heard_as_they_were_said_however_they_are_cut(
        talk in talk(),
        at in vec(any::<Index>(), 0..12),
    ) {
        let (_, mut dialogues) = talk.say_requests();
        let bytes = talk.say_answers();
        let mut decoder = ResponseDecoder::new(talk.wire.0.clone());
        let mut answers = talk.answers.iter();
        let mut asked = talk.requests.iter();
        let mut seen = Vec::new();
        for piece in cut(&bytes, &at) {
            decoder.push(piece);
            while let Some((heard, taken)) = decoder.next(dialogues.front()) {
                seen.extend(taken);
                match (answers.next().expect("no more than was said"), heard) {
                    (Answered::Ok(said), Heard::Ok { operation, values, .. }) => {
                        prop_assert_eq!(operation.as_deref(), asked.next().map(|(name, _)| name.as_str()));
                        prop_assert_eq!(said, &values);
                        dialogues.pop_front();
                    }
                    (Answered::Error(said, detail), Heard::Error { name, values, .. }) => {
                        prop_assert_eq!(said, &name);
                        let carried = values.get("detail").or(values.get("primary"));
                        prop_assert_eq!(carried, Some(&Value::Text(detail.clone())));
                        dialogues.pop_front();
                        asked.next();
                    }
                    (Answered::Event(said), Heard::Event { name, values, .. }) => {
                        prop_assert_eq!(name.as_str(), "message");
                        prop_assert_eq!(said, &values);
                    }
                    (said, heard) => panic!("{said:?} became {heard:?}"),
                }
            }
        }
        prop_assert_eq!(answers.next().is_none(), true);
        prop_assert_eq!(seen, bytes);
    }

    #[test]
    fn what_a_wire_cannot_carry_is_refused_and_leaves_nothing_behind(
        wire in wire(),
        number in any::<u64>(),
        length in 0usize..70_000,
    ) {
        let text = "x".repeat(length);
        let arguments = Record::new()
            .with("nonce", number).with("limit", number).with("pattern", text.as_str()).with("after", text.as_str());
        for operation in ["ping", "list_accounts"] {
            let mut bytes = b"before".to_vec();
            match wire.speak_request(operation, &arguments, number, &mut bytes) {
                Err(_) => prop_assert_eq!(bytes, b"before"),
                Ok(_) => {
                    let (mut slots, mut dialogue) = (Slots::new(), Dialogue::default());
                    let RequestHeard::Taken(taken) = wire.hear_request(&bytes[6..], &mut slots, &mut dialogue) else {
                        panic!("{operation} is not heard")
                    };
                    prop_assert_eq!(taken, bytes.len() - 6);
                    for (name, value) in wire.arguments(&dialogue, &slots).iter() {
                        prop_assert_eq!(Some(value), arguments.get(name));
                    }
                }
            }
        }
    }
}

// ── what nobody said ──────────────────────────────────────────────────────────────────────────────────────────────

/// A change to a stream of good messages.
#[derive(Debug, Clone)]
enum Damage {
    Replace(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Cut(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    // Numbers at the edges are where lengths and counts lie best.
    let byte = || prop_oneof![any::<u8>(), select(vec![0, 1, 0x7f, 0x80, 0xff])];
    prop_oneof![
        4 => (any::<Index>(), byte()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        1 => (any::<Index>(), byte()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        1 => any::<Index>().prop_map(Damage::Remove),
        1 => any::<Index>().prop_map(Damage::Cut),
    ]
}

fn damaged(mut bytes: Vec<u8>, damage: &[Damage]) -> Vec<u8> {
    for damage in damage {
        match damage {
            Damage::Insert(at, byte) => bytes.insert(at.index(bytes.len() + 1), *byte),
            _ if bytes.is_empty() => {}
            Damage::Replace(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Damage::Remove(at) => drop(bytes.remove(at.index(bytes.len()))),
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
        }
    }
    bytes
}

fn broken_requests() -> impl Strategy<Value = (Wire, Vec<u8>)> {
    prop_oneof![
        4 => (talk(), vec(damage(), 1..8))
            .prop_map(|(talk, damage)| (talk.wire.clone(), damaged(talk.say_requests().0, &damage))),
        1 => (wire(), vec(any::<u8>(), 0..200)),
    ]
}

fn broken_answers() -> impl Strategy<Value = (Talk, Vec<u8>)> {
    (talk(), vec(damage(), 1..8)).prop_map(|(talk, damage)| {
        let bytes = damaged(talk.say_answers(), &damage);
        (talk, bytes)
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn broken_requests_are_taken_or_refused_inside_their_frame((wire, bytes) in broken_requests()) {
        let mut rest = &bytes[..];
        loop {
            let taken = match wire.hear_request(rest, &mut Slots::new(), &mut Dialogue::default()) {
                RequestHeard::More(least) => {
                    prop_assert!(least > rest.len(), "more than {} is {least}", rest.len());
                    break;
                }
                RequestHeard::Taken(taken) => taken,
                RequestHeard::Refused { taken, error, unfit, close, .. } => {
                    prop_assert!(ErrorName::from_name(&error).is_some(), "{error}");
                    prop_assert!(unfit.offset <= taken.unwrap_or(rest.len()), "{unfit} in {taken:?}");
                    match taken {
                        Some(taken) => taken,
                        None => {
                            prop_assert!(close, "an end that is not known must close");
                            break;
                        }
                    }
                }
            };
            prop_assert!(0 < taken && taken <= rest.len(), "{taken} of {}", rest.len());
            rest = &rest[taken..];
        }
    }

    #[test]
    fn broken_answers_are_heard_or_shown_inside_their_frame((talk, bytes) in broken_answers()) {
        let (_, dialogues) = talk.say_requests();
        for dialogue in [None, dialogues.front()] {
            let mut rest = &bytes[..];
            while let Some(heard) = talk.wire.hear_answer(rest, dialogue) {
                if let Heard::Other { taken, unfit, .. } = &heard {
                    prop_assert!(unfit.offset <= taken.unwrap_or(rest.len()), "{unfit} in {taken:?}");
                }
                let Some(taken) = heard.taken() else { break };
                prop_assert!(0 < taken && taken <= rest.len(), "{taken} of {}", rest.len());
                let annotated = talk.wire.annotate_answer(&rest[..taken], dialogue);
                let told: Vec<u8> = annotated.lines.into_iter().flat_map(|line| line.bytes).collect();
                prop_assert_eq!(&told[..], &rest[..taken]);
                rest = &rest[taken..];
            }
        }
    }

    #[test]
    fn no_more_waits_than_one_frame(
        bytes in vec(any::<u8>(), 0..400),
        size in 0u32..80_000,
        piece in 1usize..20_000,
    ) {
        let dialect = Spec::embedded().dialect("framed").expect("the protocol's own");
        let most = Spec::embedded().service.limit("frame_bytes") as usize + 4;
        // A header that promises much, a body that goes on for ever.
        let mut stream = [&size.to_be_bytes()[..], &[1, 5, 0, 0, 0, 1], &bytes].concat();
        stream.resize(2 * most, 0);
        let mut decoder = RequestDecoder::new(dialect);
        for piece in stream.chunks(piece) {
            decoder.push(piece);
            prop_assert!(decoder.waiting() <= most + piece.len(), "{}", decoder.waiting());
            while let Some(inbound) = decoder.next() {
                if let Inbound::Refused { close: true, .. } = inbound {
                    prop_assert!(decoder.next().is_none());
                }
            }
        }
    }
}

// ── a second opinion ──────────────────────────────────────────────────────────────────────────────────────────────

fn send_message() -> impl Strategy<Value = (u32, Record)> {
    (any::<u32>(), record(&Spec::embedded().service.operations["send_message"].arguments))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_plan_and_code_written_by_hand_say_the_same((id, arguments) in send_message()) {
        let dialect = Spec::embedded().dialect("framed").expect("the protocol's own");
        let mut planned = Vec::new();
        dialect.speak_request("send_message", &arguments, id.into(), &mut planned).expect("it fits the wire");
        let text = |name: &str| arguments.get(name).and_then(Value::as_text).expect("a text");
        let key = arguments.get("key").and_then(Value::as_bytes).expect("bytes");
        let message =
            by_hand::SendMessage { request_id: id, recipient: text("recipient"), text: text("text"), key };
        let mut written = Vec::new();
        by_hand::encode(&message, &mut written).expect("it fits the wire");
        prop_assert_eq!(planned, written);
    }

    #[test]
    fn the_plan_and_code_written_by_hand_hear_the_same((id, arguments) in send_message(), damage in vec(damage(), 0..3)) {
        let dialect = Spec::embedded().dialect("framed").expect("the protocol's own");
        let mut bytes = Vec::new();
        dialect.speak_request("send_message", &arguments, id.into(), &mut bytes).expect("it fits the wire");
        let bytes = damaged(bytes, &damage);
        let (mut slots, mut dialogue) = (Slots::new(), Dialogue::default());
        match (by_hand::decode(&bytes), dialect.hear_request(&bytes, &mut slots, &mut dialogue)) {
            (by_hand::Heard::Taken(by_hand, message), RequestHeard::Taken(taken)) => {
                prop_assert_eq!(by_hand, taken);
                prop_assert_eq!(dialect.operation_of(&dialogue), Some("send_message"));
                let operation = dialect.operation("send_message").expect("an operation of the wire");
                let slot = |argument: &str| slots.at(dialect.slot(operation, argument).expect("an argument"));
                prop_assert_eq!(slot("recipient"), Slot::Bytes(message.recipient.as_bytes()));
                prop_assert_eq!(slot("text"), Slot::Bytes(message.text.as_bytes()));
                prop_assert_eq!(slot("key"), Slot::Bytes(message.key));
            }
            (by_hand::Heard::Refused(by_hand, name), RequestHeard::Refused { taken, error, .. }) => {
                prop_assert_eq!(by_hand, taken);
                prop_assert_eq!(name, error);
            }
            (by_hand::Heard::More(by_hand), RequestHeard::More(least)) => prop_assert_eq!(by_hand, least),
            (by_hand::Heard::Other, _) => {}
            (by_hand, planned) => panic!("{by_hand:?} by hand is {planned:?} by plan"),
        }
    }
}
