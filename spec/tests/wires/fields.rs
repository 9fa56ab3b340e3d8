//! Numbers, bits, padding, checks, and constants.

use crate::stage::{error, ok, record, wire_of};
use spec::codec::{Conversation, Dialogue, Inbound, RequestDecoder, RequestHeard, Slots, hex};

/// Bytes from hex.
fn h(text: &str) -> Vec<u8> {
    hex(text).expect("hex")
}

#[test]
fn integers_have_any_width_and_order_in_one_message() {
    let wire = wire_of(
        "frame: [code: u8, body: bytes]",
        "log_in: {say: {code: 1, body: [a: u24le = 0x010203, username: text(u16le), b: u40 = 5, password: text(u32)]}, \
         hear: {ok: {code: 2, body: [waiting: u56le, expires_in_s: u16le]}}}",
    );
    let bytes = h("01 030201 0300 616e6e 0000000005 00000002 7077");
    let asked = wire.says("log_in", record! {username: "ann", password: "pw"}, bytes);
    wire.answers(&asked, ok(record! {waiting: 0x0102_u64, expires_in_s: 3600_u64}), h("02 02010000000000 100e"));
}

#[test]
fn nibbles_and_bits_share_bytes() {
    let wire = wire_of(
        "frame: [version: u4 = 1, kind: u4, urgent: u1, size: u15 = length(body), body: bytes]",
        "ping: {say: {kind: 3, urgent: 1, body: [nonce: u64]}, hear: {ok: {kind: 4, urgent: 0, body: [nonce: u64]}}}\n\
         log_in: {say: {kind: 5, urgent: 0, body: [username: text(u8), _: u7, take_over: u1, password: text]}, \
         hear: {ok: {kind: 6, urgent: 0, body: [waiting: u12, _: u4 = 9]}}}",
    );
    let asked = wire.says("ping", record! {nonce: 5_u64}, h("13 8008 0000000000000005"));
    wire.answers(&asked, ok(record! {nonce: 5_u64}), h("14 0008 0000000000000005"));
    let arguments = record! {username: "a", password: "pw", take_over: true};
    let asked = wire.says("log_in", arguments, h("15 0005 0161 01 7077"));
    wire.answers(&asked, ok(record! {waiting: 0xabc_u64}), h("16 0002 abc9"));
}

#[test]
fn padding_is_spoken_as_nothing_and_heard_as_anything() {
    let wire = wire_of(
        "frame: [code: u8, _: bytes(3), _: u16, body: bytes]",
        "ping: {say: {code: 1, body: [nonce: u16, _: u8 usually 255]}, hear: {ok: {code: 2, body: [_: text(2), nonce: u16]}}}",
    );
    let asked = wire.says("ping", record! {nonce: 5_u64}, h("01 000000 0000 0005 ff"));
    wire.hears("ping", record! {nonce: 5_u64}, h("01 777777 7777 0005 77"));
    wire.answers(&asked, ok(record! {nonce: 5_u64}), h("02 000000 0000 0000 0005"));
    wire.is_answered(&asked, ok(record! {nonce: 5_u64}), h("02 000000 0000 6161 0005"));
}

#[test]
fn raw_bytes_are_themselves() {
    let wire = wire_of(
        "frame: [code: u8, body: bytes]",
        "send_message: {say: {code: 1, body: [key: bytes(16), recipient: text(u8), text: text(u16)]}, hear: {ok: {code: 2, body: []}}}",
    );
    let arguments = record! {key: vec![0xff_u8; 16], recipient: "bob", text: "hi"};
    wire.says("send_message", arguments, [&[1][..], &[0xff; 16], b"\x03bob\0\x02hi"].concat());
}

#[test]
fn checks_stand_before_and_behind() {
    let frame = |frame: &str| {
        wire_of(
            &format!("frame: {frame}"),
            "hello: {say: {body: [client: text(u8)]}, hear: {ok: {body: [server: text(u8)]}}}",
        )
    };
    for (wire, said) in [
        (frame("[check: u8 = sum8(body), body: bytes]"), "c5 02 6162"),
        (frame("[check: u8 = xor8(body), body: bytes]"), "01 02 6162"),
        (frame("[body: bytes, check: u8 = sum8(body)]"), "02 6162 c5"),
        (frame("[body: bytes, check: u8 = xor8(body)]"), "02 6162 01"),
        (frame("[kind: u8 = 3, body: bytes, check: u8 = sum8(kind + body)]"), "03 02 6162 c8"),
        (frame("[size: u16 = length(body), check: u8 = sum8(size + body), body: bytes]"), "0003 c8 02 6162"),
        (frame("[check: u32 = crc32(body), body: bytes]"), "9eb2e3e4 02 6162"),
        (frame("[body: bytes, check: u32le = crc32(body)]"), "02 6162 e4e3b29e"),
    ] {
        let said = h(said);
        let crc_at = said.windows(3).position(|three| three == b"\x02ab").expect("the body");
        let mut expected = said.clone();
        if said.len() == 7 {
            // Of its own kind: computed by hand, bit by bit.
            let crc = crc32(b"\x02ab");
            if crc_at == 0 {
                expected[3..].copy_from_slice(&crc.to_le_bytes())
            } else {
                expected[..4].copy_from_slice(&crc.to_be_bytes())
            }
        }
        wire.says("hello", record! {client: "ab"}, &expected);
        // A byte that is another on the way is noticed.
        for at in 0..expected.len() {
            let mut damaged = expected.clone();
            damaged[at] ^= 0x10;
            let heard = wire.0.hear_request(&damaged, &mut Slots::new(), &mut Dialogue::default());
            assert!(!matches!(heard, RequestHeard::Taken(_)), "{at} of {expected:02x?}");
        }
    }
}

/// CRC-32 as IEEE 802.3 has it.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[test]
fn a_crc_is_the_one_that_everybody_computes() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
}

#[test]
fn a_range_narrows_a_number() {
    let wire = wire_of(
        "frame: [code: u8 in 1..9, body: bytes]",
        "ping: {say: {code: 1, body: [nonce: u16 in 5..10]}, hear: {ok: {code: 2, body: [nonce: u16]}}}",
    );
    wire.says("ping", record! {nonce: 5_u64}, h("01 0005"));
    assert!(wire.0.speak_request("ping", &record! {nonce: 4_u64}, 0, &mut Vec::new()).is_err());
    let mut decoder = RequestDecoder::new(wire.0.clone());
    decoder.push(&h("01"));
    assert!(decoder.next().is_none() && !decoder.waits_for_a_pause());
    decoder.push(&h("000b"));
    // It is none, and nothing says where it ends: then a pause does.
    assert!(decoder.next().is_none() && decoder.waits_for_a_pause());
    assert!(matches!(decoder.after_a_pause(), Some(Inbound::Refused { .. })));
}

#[test]
fn rows_are_chosen_by_what_fits() {
    // A flag says whether a password follows; the first row that can be spoken is.
    let wire = wire_of(
        "frame: [code: u8, body: bytes]",
        "log_in: {say: {code: 1, body: [username: text(u8), {either: [[u8 = 1, password: text(u8)], [u8 = 0]]}]}, \
         hear: {ok: {code: 2, body: []}, error: {code: 3, body: []}}}",
    );
    let asked = wire.says("log_in", record! {username: "ann", password: "pw"}, b"\x01\x03ann\x01\x02pw");
    wire.is_answered(&asked, error("error"), h("03"));
    wire.says("log_in", record! {username: "ann"}, b"\x01\x03ann\0");
}

#[test]
fn a_message_fills_a_field_of_a_row_and_rows_without_it_are_not_meant() {
    // The first frame of a connection has a byte in front of it.
    let wire = wire_of(
        "frame: {say: [{either: [[first: u8 in 66..66], []]}, size: u8 = length(body), code: u8, body: bytes], hear: [code: u8, body: text(u8)]}\n\
         connect: {say: {first: 66, code: 9}, hear: {ok: {code: 8}}}",
        "ping: {say: {code: 1, body: [nonce: u16]}, hear: {ok: {code: 2}}}",
    );
    wire.says("ping", record! {nonce: 5_u64}, h("02 01 0005"));
    wire.hears("ping", record! {nonce: 5_u64}, h("42 02 01 0005"));
    let bytes = Conversation::new(wire.0.clone()).to_say();
    assert_eq!(bytes, h("42 00 09"));
    // Where several rows have it, it is filled in all of them.
    let wire = wire_of(
        "frame: [{either: [[u8 = 1, code: u8], [u8 = 2, code: u16, _: u8]]}, body: bytes]",
        "ping: {say: {code: 3, body: [nonce: u8]}, hear: {ok: {code: 4}}}",
    );
    wire.says("ping", record! {nonce: 5_u64}, h("01 03 05"));
    wire.hears("ping", record! {nonce: 5_u64}, h("02 0003 00 05"));
}
