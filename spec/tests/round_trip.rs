//! What a wire says it hears, however its bytes are cut; and what nobody said harms nobody.
//!
//! Values, cuts and broken bytes are random (`talk`), over the protocol's own wire and over one that has everything else.

mod by_hand;
mod talk;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use spec::Spec;
use spec::codec::RequestHeard;
use spec::codec::{Dialogue, Heard, Inbound, RequestDecoder, ResponseDecoder, Slot, Slots};
use spec::message::ErrorName;
use spec::value::{Record, Value};
use talk::{Answered, Talk, Wire, cut, record, talk, wire};

/// A failure prints the smallest input that fails; no file remembers it.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
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
            (by_hand::Heard::More(by_hand), RequestHeard::More(least)) => {
                prop_assert!(bytes.len() < least && by_hand <= least, "{by_hand} {least}");
            }
            (by_hand::Heard::Other, _) => {}
            (by_hand, planned) => panic!("{by_hand:?} by hand is {planned:?} by plan"),
        }
    }
}
