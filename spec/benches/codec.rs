//! What a plan compiled from YAML costs, beside code written by hand for the same message with the same checks.
//!
//! `cargo bench -p spec --bench codec`. The figures that were last looked at are in `docs/benchmarks.md`.

use divan::{AllocProfiler, Bencher, black_box};
use spec::Spec;
use spec::codec::RequestHeard;
use spec::codec::{Dialogue, RequestDecoder, Slot, Slots};
use spec::dialect::Dialect;
use spec::message::Request;

#[path = "../tests/by_hand/mod.rs"]
mod by_hand;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// A frame of 64 bytes: 10 of header, then a name, a text and a key.
const MESSAGE: by_hand::SendMessage<'_> =
    by_hand::SendMessage { request_id: 7, recipient: "bob", text: "see you at the bridge at 9 pm.", key: &[42; 16] };

fn main() {
    assert_eq!(frame().len(), 64);
    let heard = framed().hear_request(&frame(), &mut Slots::new(), &mut Dialogue::default());
    assert_eq!(heard, RequestHeard::Taken(64));
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
        bencher.bench_local(|| {
            let heard = by_hand::decode(black_box(&bytes));
            black_box(&heard);
        });
    }

    /// As a connection does it: new slots for each message.
    #[divan::bench]
    fn by_plan(bencher: Bencher<'_, '_>) {
        let (dialect, bytes) = (framed(), frame());
        bencher.bench_local(|| {
            let mut slots = Slots::new();
            let mut dialogue = Dialogue::default();
            let heard = dialect.hear_request(black_box(&bytes), &mut slots, &mut dialogue);
            black_box((&heard, &slots, &dialogue));
        });
    }
}

#[divan::bench_group(sample_size = 1000)]
mod encode {
    use super::*;

    #[divan::bench]
    fn by_hand(bencher: Bencher<'_, '_>) {
        let mut out = Vec::with_capacity(64);
        bencher.bench_local(|| {
            out.clear();
            let said = by_hand::encode(black_box(&MESSAGE), &mut out);
            black_box(&said);
        });
    }

    #[divan::bench]
    fn by_plan(bencher: Bencher<'_, '_>) {
        let dialect = framed();
        let operation = dialect.operation("send_message").expect("an operation");
        let mut slots = dialect.slots(operation);
        let values = [MESSAGE.recipient.as_bytes(), MESSAGE.text.as_bytes(), MESSAGE.key];
        for (name, value) in ["recipient", "text", "key"].into_iter().zip(values) {
            slots.set(dialect.slot(operation, name).expect("an argument"), Slot::Bytes(value));
        }
        let mut out = Vec::with_capacity(64);
        bencher.bench_local(|| {
            out.clear();
            let mut dialogue = Dialogue::default();
            let said = dialect.encode_request(operation, black_box(&slots), 7, &mut dialogue, &mut out);
            black_box((&said, &dialogue));
        });
    }
}

/// The same message on its whole way: bytes of a connection into a `Request`, and a `Request` into bytes.
#[divan::bench_group(sample_size = 1000)]
mod whole_way {
    use super::*;

    #[divan::bench]
    fn decoder(bencher: Bencher<'_, '_>) {
        let mut decoder = RequestDecoder::new(Spec::embedded().dialects["framed"].clone());
        let bytes = frame();
        bencher.bench_local(|| {
            decoder.push(black_box(&bytes));
            decoder.next()
        });
    }

    #[divan::bench]
    fn speak_request(bencher: Bencher<'_, '_>) {
        let request = Request::SendMessage {
            recipient: MESSAGE.recipient.into(),
            text: MESSAGE.text.into(),
            key: MESSAGE.key.into(),
        };
        let mut out = Vec::with_capacity(64);
        bencher.bench_local(|| {
            out.clear();
            framed().speak_request("send_message", &black_box(&request).to_record(), 7, &mut out).is_ok()
        });
    }
}

/// What it costs to ask whether a wire carries a message, which scenarios do before every send.
#[divan::bench(sample_size = 100)]
fn carries(bencher: Bencher<'_, '_>) {
    let arguments = Request::SendMessage {
        recipient: MESSAGE.recipient.into(),
        text: MESSAGE.text.into(),
        key: MESSAGE.key.into(),
    };
    let arguments = arguments.to_record();
    bencher.bench_local(|| framed().carries("send_message", black_box(&arguments)).is_ok());
}
