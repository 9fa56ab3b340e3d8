//! What it costs to listen is bounded by what came, never by what it says of itself.
//!
//! A counting allocator watches one thread at a time; a count that lies must not make room for itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use spec::Spec;
use spec::codec::{RequestDecoder, ResponseDecoder, hex};
use spec::error::Diagnostics;
use spec::source::Source;

struct Counting;

thread_local! {
    /// Bytes that this thread holds, and the most it held.
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

/// The most bytes that were held at once, beyond those held before.
fn peak(act: impl FnOnce()) -> usize {
    let (before, _) = HELD.get();
    HELD.set((before, before));
    act();
    HELD.get().1 - before
}

#[test]
fn a_count_that_lies_makes_no_room_for_itself() {
    let spec = Spec::embedded();
    let dialect = &spec.dialects["framed"];
    // Answers to list_accounts and deliver_messages with 65,535 items, of which none is there.
    for operation in ["80", "86"] {
        let answer = hex(&format!("0000000a 01 {operation} 00000007 00 ffff 00")).expect("hex");
        let mut decoder = ResponseDecoder::new(dialect.clone());
        let peak = peak(|| {
            decoder.push(&answer);
            assert!(matches!(decoder.next(None), Some((spec::codec::Heard::Other { .. }, _))));
        });
        assert!(peak < 4096, "{peak} bytes for an answer of {}", answer.len());
    }
}

#[test]
fn a_length_that_lies_makes_no_room_for_itself() {
    let spec = Spec::embedded();
    let mut found = Diagnostics::default();
    // Without bounds a length may say anything that its width can hold.
    let text = "
dialect: boundless
about: A wire whose length is not bounded.
frame: [size: u64 = length(frame), code: u8, body: bytes]
operations: {ping: {say: {code: 1, body: [nonce: u64]}, hear: {ok: {code: 2, body: [nonce: u64]}}}}
hear: {error: {code: 3, body: [error: u8, detail: text]}}
fence: ping
";
    let source = Source::default().with("boundless.yaml", text);
    let file = source.file("boundless.yaml").expect("just added");
    let dialect = spec::read_dialect(file, &spec.service, &mut found).map(std::sync::Arc::new);
    let dialect = dialect.unwrap_or_else(|| panic!("{found}"));
    for size in [0, 1, 8, 9, 1 << 20, 1 << 40, (1 << 40) + 1, u64::MAX / 2, u64::MAX / 2 + 1, u64::MAX] {
        let mut decoder = RequestDecoder::new(dialect.clone());
        let peak = peak(|| {
            decoder.push(&size.to_be_bytes());
            decoder.push(&[1, 2, 3]);
            let _ = decoder.next();
        });
        assert!(peak < 4096, "{peak} bytes for a size of {size}");
    }
}

#[test]
fn a_request_costs_no_more_than_a_few_times_its_bytes() {
    let dialect = &Spec::embedded().dialects["framed"];
    let text = "x".repeat(65_000);
    let mut bytes = Vec::new();
    let arguments = spec::value::Record::new().with("client", text);
    dialect.speak_request("hello", &arguments, 1, &mut bytes).expect("it fits the wire");
    let mut decoder = RequestDecoder::new(dialect.clone());
    let peak = peak(|| {
        for byte in bytes.chunks(1000) {
            decoder.push(byte);
            let _ = decoder.next();
        }
    });
    assert!(peak < 4 * bytes.len(), "{peak} bytes for a request of {}", bytes.len());
}
