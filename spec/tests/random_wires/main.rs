//! Wires that are made up at random: what they say they hear, however it is cut, for all that they claim to carry; and
//! whatever they hear, they come to an end soon and keep no more than came.
//!
//! `made` makes the wires. Not here: wires that people have (`wires`).

mod made;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use made::{Made, made, value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use spec::codec::{Dialogue, Heard, Inbound, RequestDecoder, ResponseDecoder, Saying};
use spec::value::Record;

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, cases: 192, ..ProptestConfig::default() }
}

/// Bytes in pieces.
fn pieces<'b>(bytes: &'b [u8], at: &[Index]) -> Vec<&'b [u8]> {
    let mut cuts: Vec<usize> = at.iter().map(|index| index.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
    cuts.sort_unstable();
    cuts.windows(2).map(|two| &bytes[two[0]..two[1]]).collect()
}

fn arguments() -> impl Strategy<Value = Record> {
    (value(), value()).prop_map(|(recipient, text)| Record::new().with("recipient", recipient).with("text", text))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_a_wire_carries_is_heard_as_it_was_said_however_it_is_cut(
        made in made(),
        arguments in arguments(),
        at in vec(any::<Index>(), 0..8),
    ) {
        let wire = made.compiled();
        let mut bytes = Vec::new();
        let said = wire.speak_request("send_message", &arguments, 7, &mut bytes);
        let carried = wire.carries("send_message", &arguments);
        let mut decoder = RequestDecoder::new(wire.clone());
        let mut heard = Vec::new();
        for piece in pieces(&bytes, &at) {
            decoder.push(piece);
            heard.extend(std::iter::from_fn(|| decoder.next()));
        }
        heard.extend(decoder.after_a_pause());
        let came_back = match heard.as_slice() {
            [Inbound::Request { request, .. }] => {
                let back = request.to_record();
                said.is_ok() && decoder.waiting() == 0 && arguments.iter().all(|(name, value)| back.get(name) == Some(value))
            }
            _ => false,
        };
        // In neither direction is anything claimed that is not so; what is told of the text is looked at below.
        if carried.is_ok() {
            prop_assert!(came_back, "{}\n{:?} became {:?} of {:?}", made.yaml, arguments, heard, bytes.escape_ascii().to_string());
        } else if came_back {
            let why = carried.expect_err("it is not carried");
            prop_assert!(why.contains("a message") || why.contains("deliver_messages"), "{}\n{why}", made.yaml);
        }
    }

    #[test]
    fn what_a_wire_carries_is_told_as_it_was_said(
        made in made(),
        texts in vec(value(), 1..4),
        at in vec(any::<Index>(), 0..8),
    ) {
        let wire = made.compiled();
        let all = |text: &String| wire.carries("send_message", &Record::new().with("recipient", "bob").with("text", text.as_str())).is_ok();
        let texts: Vec<String> = texts.into_iter().filter(all).collect();
        let mut bytes = Vec::new();
        let mut sent = Vec::new();
        for text in &texts {
            let event = Record::new().with("sender", "bob").with("text", text.as_str()).with("message_id", 1).with("sent_at", 1);
            if wire.speak_answer(&Dialogue::default(), &Saying::Event("message", &event), &mut bytes).is_ok() {
                sent.push(text);
            }
        }
        let mut decoder = ResponseDecoder::new(wire.clone());
        let mut heard = Vec::new();
        for piece in pieces(&bytes, &at) {
            decoder.push(piece);
            heard.extend(std::iter::from_fn(|| decoder.take(false, &[])));
        }
        heard.extend(std::iter::from_fn(|| decoder.take(true, &[])));
        // Open messages are told apart by a pause alone, and here is none between them.
        if sent.len() == 1 || !wire.answers_are_open() {
            let texts: Vec<Option<&str>> = heard.iter().map(|(heard, _)| match heard {
                Heard::Event { values, .. } => values.get("text").and_then(|text| text.as_text()),
                _ => None,
            }).collect();
            let sent: Vec<Option<&str>> = sent.iter().map(|text| Some(text.as_str())).collect();
            prop_assert_eq!(texts, sent, "{}\n{:?}", made.yaml, heard);
        }
    }

    #[test]
    fn random_bytes_are_heard_to_an_end(
        made in made(),
        bytes in vec(any::<u8>(), 0..300),
        at in vec(any::<Index>(), 0..8),
    ) {
        let wire = made.compiled();
        let asked = Dialogue::default();
        let mut requests = RequestDecoder::new(wire.clone());
        let mut answers = ResponseDecoder::new(wire.clone());
        for piece in pieces(&bytes, &at) {
            requests.push(piece);
            answers.push(piece);
            while requests.next().is_some() {}
            while answers.next(Some(&asked)).is_some() {}
            prop_assert!(requests.waiting() <= bytes.len());
        }
        while requests.after_a_pause().is_some() {}
        while answers.take(true, &[Some(&asked)]).is_some() {}
    }
}

// ── hostile bytes ─────────────────────────────────────────────────────────────────────────────────────────────────

struct Counting;

thread_local! {
    /// Bytes that this thread holds, the most it held, and how often it asked for some.
    static HELD: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

#[expect(unsafe_code, reason = "an allocator cannot be written without it; this one only counts")]
// SAFETY: everything is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (held, most) = HELD.get();
        HELD.set((held + layout.size(), most.max(held + layout.size())));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let (held, most) = HELD.get();
        HELD.set((held.saturating_sub(layout.size()), most));
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The longest that a frame of 64 KiB may keep a server busy here; without optimisation, beside other tests.
const BUSY_MS: u128 = 4_000;

#[test]
fn hostile_bytes_cost_neither_time_nor_room() {
    const HOSTILE: usize = 64 << 10;
    // A row of three bytes is a record with two names: some hundred times as much.
    for (yaml, unit) in made::HOSTILE {
        let wire = Made { yaml: yaml.to_string() }.compiled();
        let mut bytes: Vec<u8> = unit.iter().copied().cycle().take(HOSTILE).collect();
        for end in [&b""[..], b"\n", b"!"] {
            bytes.extend(end);
            let (before, _) = HELD.get();
            HELD.set((before, before));
            let began = made::now_ms();
            let mut requests = RequestDecoder::new(wire.clone());
            requests.push(&bytes);
            while requests.next().is_some() {}
            while requests.after_a_pause().is_some() {}
            let mut answers = ResponseDecoder::new(wire.clone());
            answers.push(&bytes);
            let asked = Dialogue::default();
            while answers.next(Some(&asked)).is_some() {}
            while answers.take(true, &[None]).is_some() {}
            let (busy, room) = (made::now_ms() - began, HELD.get().1 - before);
            assert!(busy < BUSY_MS, "{busy} ms for {} of {yaml}", unit.escape_ascii());
            assert!(room < 160 * bytes.len(), "{room} bytes for {} of {yaml}", unit.escape_ascii());
        }
    }
}
