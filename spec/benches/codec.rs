//! What a plan compiled from YAML costs, beside code written by hand for the same message with the same checks.
//!
//! `cargo bench -p spec --bench codec`. The figures that were last looked at are in `docs/benchmarks.md`.

use divan::{AllocProfiler, Bencher, black_box};
use spec::Spec;
use spec::codec::{Dialogue, Slot, Slots};
use spec::dialect::{Dialect, RequestHeard};

#[path = "../tests/by_hand/mod.rs"]
mod by_hand;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// A frame of 64 bytes: 10 of header, then a name, a text and a key.
const MESSAGE: by_hand::SendMessage<'_> =
    by_hand::SendMessage { request_id: 7, recipient: "bob", text: "see you at the bridge at 9 pm.", key: &[42; 16] };

fn main() {
    assert_eq!(frame().len(), 64);
    divan::main();
}

fn frame() -> Vec<u8> {
    let mut bytes = Vec::new();
    by_hand::encode(&MESSAGE, &mut bytes).expect("it fits the wire");
    bytes
}

fn framed() -> &'static Dialect {
    &Spec::embedded().dialects["framed"]
}

#[divan::bench_group(sample_size = 1000)]
mod decode {
    use super::*;

    #[divan::bench]
    fn by_hand(bencher: Bencher<'_, '_>) {
        let bytes = frame();
        bencher.bench_local(|| match by_hand::decode(black_box(&bytes)) {
            by_hand::Heard::Taken(taken, message) => (taken, message.text.len(), message.key.len()),
            _ => panic!("the frame is good"),
        });
    }

    #[divan::bench]
    fn tmp_setup(bencher: Bencher<'_, '_>) {
        bencher.bench_local(|| {
            let mut slots = Slots::new();
            let mut dialogue = Dialogue::default();
            black_box((&mut slots, &mut dialogue));
        });
    }
    #[divan::bench]
    fn tmp_dialogue(bencher: Bencher<'_, '_>) {
        bencher.bench_local(|| {
            let mut dialogue = Dialogue::default();
            black_box(&mut dialogue);
        });
    }
    #[divan::bench]
    fn tmp_short(bencher: Bencher<'_, '_>) {
        let (dialect, bytes) = (framed(), frame());
        bencher.bench_local(|| {
            let mut slots = Slots::new();
            let mut dialogue = Dialogue::default();
            let r = dialect.hear_request(black_box(&bytes[..60]), &mut slots, &mut dialogue);
            matches!(r, RequestHeard::More(_))
        });
    }
    #[divan::bench]
    fn tmp_utf8(bencher: Bencher<'_, '_>) {
        let bytes = frame();
        bencher.bench_local(|| {
            (std::str::from_utf8(black_box(&bytes[12..15])).is_ok(), std::str::from_utf8(black_box(&bytes[17..47])).is_ok())
        });
    }
    /// As a connection does it: new slots for each message.
    #[divan::bench]
    fn by_plan(bencher: Bencher<'_, '_>) {
        let (dialect, bytes) = (framed(), frame());
        let operation = dialect.operation("send_message").expect("an operation");
        let [text, key] = ["text", "key"].map(|name| dialect.slot(operation, name).expect("an argument"));
        bencher.bench_local(|| {
            let mut slots = Slots::new();
            let mut dialogue = Dialogue::default();
            match dialect.hear_request(black_box(&bytes), &mut slots, &mut dialogue) {
                RequestHeard::Taken(taken) => (taken, length(&slots, text), length(&slots, key)),
                _ => panic!("the frame is good"),
            }
        });
    }
}

fn length(slots: &Slots<'_>, slot: usize) -> usize {
    if let Slot::Bytes(bytes) = slots.at(slot) { bytes.len() } else { panic!("the slot is filled") }
}

#[divan::bench_group(sample_size = 1000)]
mod encode {
    use super::*;

    #[divan::bench]
    fn by_hand(bencher: Bencher<'_, '_>) {
        let mut out = Vec::with_capacity(64);
        bencher.bench_local(|| {
            out.clear();
            by_hand::encode(black_box(&MESSAGE), &mut out)
        });
    }

    /// As a connection does it: new slots for each message.
    #[divan::bench]
    fn by_plan(bencher: Bencher<'_, '_>) {
        let dialect = framed();
        let operation = dialect.operation("send_message").expect("an operation");
        let [recipient, text, key] =
            ["recipient", "text", "key"].map(|name| dialect.slot(operation, name).expect("an argument"));
        let mut out = Vec::with_capacity(64);
        bencher.bench_local(|| {
            out.clear();
            let message = black_box(&MESSAGE);
            let mut slots = dialect.slots(operation);
            slots.set(recipient, Slot::Bytes(message.recipient.as_bytes()));
            slots.set(text, Slot::Bytes(message.text.as_bytes()));
            slots.set(key, Slot::Bytes(message.key));
            let mut dialogue = Dialogue::default();
            dialect.encode_request(operation, &slots, message.request_id.into(), &mut dialogue, &mut out).is_ok()
        });
    }
}
