//! Where a message ends: everything that says so on people's wires.

use crate::stage::{error, ok, record, wire_of};
use spec::codec::{Dialogue, Heard, Inbound, RequestDecoder, RequestHeard, ResponseDecoder, Slots, hex};
use spec::value::Record;

/// Bytes from hex.
fn h(text: &str) -> Vec<u8> {
    hex(text).expect("hex")
}

fn greeting(client: &str) -> Record {
    record! {client: client}
}

const HELLO: &str = "hello: {say: {body: [client: text]}, hear: {ok: {body: [u8 = 0, server: text]}}}";

/// A wire of one operation, `hello`, in a frame; it says "ab", and is answered "c".
fn hello(frame: &str, said: &str, answered: &str) {
    let wire = wire_of(&format!("frame: {frame}"), HELLO);
    let asked = wire.says("hello", greeting("ab"), h(said));
    wire.answers(&asked, ok(record! {server: "c"}), h(answered));
    // Joined messages come apart.
    let mut decoder = RequestDecoder::new(wire.0.clone());
    decoder.push(&[h(said), h(said)].concat());
    assert!(matches!((decoder.next(), decoder.next()), (Some(Inbound::Request { .. }), Some(Inbound::Request { .. }))));
    assert_eq!(decoder.waiting(), 0);
    assert!(!wire.0.requests_are_open() && !wire.0.answers_are_open());
}

#[test]
fn a_length_of_the_body_is_1_to_8_bytes_in_either_order() {
    for bytes in 1..=8 {
        let zeros = "00".repeat(bytes - 1);
        let big = format!("[size: u{} = length(body), body: bytes]", bytes * 8);
        hello(&big, &format!("{zeros} 02 6162"), &format!("{zeros} 02 0063"));
        let little = format!("[size: u{}le = length(body), body: bytes]", bytes * 8);
        hello(&little, &format!("02 {zeros} 6162"), &format!("02 {zeros} 0063"));
        let signed = format!("[size: i{} = length(body), body: bytes]", bytes * 8);
        hello(&signed, &format!("{zeros} 02 6162"), &format!("{zeros} 02 0063"));
    }
}

#[test]
fn a_signed_length_that_is_negative_is_refused() {
    let wire = wire_of(
        "frame: [size: i32le = length(body), body: bytes]\nrefuse: {size: {error: malformed, then: close}}",
        HELLO,
    );
    let heard = wire.0.hear_request(&h("ffffffff 61"), &mut Slots::new(), &mut Dialogue::default());
    assert!(matches!(heard, RequestHeard::Refused { close: true, .. }), "{heard:?}");
}

#[test]
fn a_length_counts_everything_or_the_body_and_more_or_several_parts() {
    hello("[size: u16 = length(frame), body: bytes]", "0004 6162", "0004 0063");
    hello("[size: u16 = length(frame) - 1, body: bytes]", "0003 6162", "0003 0063");
    hello("[size: u16 = length(body) + 2, body: bytes]", "0004 6162", "0004 0063");
    hello("[size: u16 = length(kind + body), kind: u8 = 9, body: bytes]", "0003 09 6162", "0003 09 0063");
    // What is measured need not stand at once behind its length, nor at the end.
    hello("[size: u8 = length(body), kind: u8 = 9, body: bytes, u8 = 10]", "02 09 6162 0a", "02 09 0063 0a");
    // The length stands behind other fields.
    hello("[kind: u8 = 9, size: u8 = length(body), body: bytes]", "09 02 6162", "09 02 0063");
}

#[test]
fn an_escape_value_leads_to_a_longer_length() {
    let size =
        "shapes:\n  size: {either: [[u8 in 0..254], [u8 = 255, u32]]}\nframe: [size: size = length(body), body: bytes]";
    let wire = wire_of(size, HELLO);
    for (length, prefix) in [(2, "02"), (254, "fe"), (255, "ff 000000ff"), (70_000, "ff 00011170")] {
        let client = "x".repeat(length);
        wire.says("hello", greeting(&client), [h(prefix), client.clone().into_bytes()].concat());
    }
    // As the size of a text, too.
    let wire = wire_of(
        "shapes:\n  size: {either: [[u8 in 0..254], [u8 = 255, u32le]]}\nframe: [body: bytes]",
        "hello: {say: {body: [client: text(size)]}, hear: {ok: {body: [server: text(size)]}}}",
    );
    let long = "y".repeat(300);
    let asked = wire.says("hello", greeting(&long), [h("ff 2c010000"), long.clone().into_bytes()].concat());
    wire.answers(&asked, ok(record! {server: "c"}), h("01 63"));
}

#[test]
fn several_lengths_stand_in_front() {
    let wire = wire_of(
        "frame: [code: u8, body: bytes]",
        "send_message: {say: {code: 1, body: [a: u16 = length(recipient), b: u32 = length(text), recipient: text, text: text]}, \
         hear: {delivered: {code: 2, body: []}, queued: {code: 3, body: []}}}\n\
         hello: {say: {code: 4, body: [u8 = 0]}, hear: {ok: {code: 4, body: []}}}",
    );
    let arguments = record! {recipient: "bob", text: "hi!!"};
    let asked = wire.says("send_message", arguments, [&h("01 0003 00000004")[..], b"bobhi!!"].concat());
    wire.answers(&asked, ok(record! {delivered: false}), h("03"));
    // A length that says too little is another message.
    let heard = wire.0.hear_request(&h("01 0003 00000000 626f62"), &mut Slots::new(), &mut Dialogue::default());
    assert!(matches!(heard, RequestHeard::Taken(10)), "{heard:?}");
}

#[test]
fn a_length_counts_the_lengths_of_what_it_measures() {
    let wire = wire_of(
        "frame: [size: u16 = length(code + from + body), code: u8, from: text(u8), body: text(u16)]",
        "log_in: {say: {code: 1, from: \"{username}\", body: \"{password}\"}, hear: {ok: {code: 1}, bad_credentials: {code: 2, from: \"{_}\"}}}",
    );
    let asked = wire.says("log_in", record! {username: "ann", password: "pw"}, h("0009 01 03616e6e 00027077"));
    wire.answers(&asked, ok(record! {}), h("0004 01 00 0000"));
    wire.is_answered(&asked, ok(record! {}), h("0006 01 0178 000179"));
    wire.is_no_answer(&asked, h("0003 01 0178 000179"));
}

#[test]
fn the_length_of_the_header_comes_first() {
    // A header of its own length, and in it the length of the body.
    hello(
        "[head: u8 = length(size + kind), size: u16 = length(body), kind: text = 'T', body: bytes]",
        "03 0002 54 6162",
        "03 0002 54 0063",
    );
}

#[test]
fn a_decimal_length_in_a_text_header_measures_what_follows() {
    hello("[\"LEN {size: int = length(body)}\\n\", body: bytes]", "4c454e20320a 6162", "4c454e20320a 0063");
    // Blank-padded to a fixed width, and with noughts in front.
    hello("[size: int(4) padded ' ' = length(body), body: bytes]", "32202020 6162", "32202020 0063");
    hello("[size: int(4) = length(body), body: bytes]", "30303032 6162", "30303032 0063");
    let wire = wire_of("frame: [size: int(4) padded ' ' = length(body), body: bytes]", HELLO);
    wire.says("hello", greeting(&"x".repeat(1234)), ["1234", &"x".repeat(1234)].concat());
}

#[test]
fn a_text_header_measures_json() {
    let wire = wire_of(
        "frame: [\"{size: int = length(body)} \", body: bytes]",
        "hello: {say: {body: {op: hello, who: \"{client}\"}}, hear: {ok: {body: {ok: true, who: \"{server}\"}}}}\n\
         ping: {say: {body: {op: ping, nonce: \"{nonce}\"}}, hear: {ok: {body: {ok: true, nonce: \"{nonce}\"}}}}",
    );
    let asked = wire.says("hello", greeting("ab"), "25 {\"op\":\"hello\",\"who\":\"ab\"}");
    wire.answers(&asked, ok(record! {server: "c"}), "21 {\"ok\":true,\"who\":\"c\"}");
    wire.says("ping", record! {nonce: 5_u64}, "23 {\"op\":\"ping\",\"nonce\":5}");
    // Whoever writes JSON with blanks and more members is understood.
    let loose = r#"{ "who" : "ab", "v":[1],"op":"hello"} "#;
    wire.hears("hello", greeting("ab"), format!("{} {loose}", loose.len()));
}

#[test]
fn fields_that_end_themselves_need_no_total() {
    let wire = wire_of(
        "frame: [code: u8, body: bytes]",
        "log_in: {say: {code: 1, body: [username: text(u8), password: text(u8)]}, \
         hear: {ok: {code: 0, body: [waiting: u16]}, bad_credentials: {code: 9}}}",
    );
    let asked = wire.says("log_in", record! {username: "ann", password: "pw"}, b"\x01\x03ann\x02pw");
    wire.answers(&asked, ok(record! {waiting: 5_u64}), h("00 0005"));
    wire.answers(&asked, error("bad_credentials"), h("09"));
    assert!(!wire.0.requests_are_open() && !wire.0.answers_are_open());
}

#[test]
fn a_terminator_ends_a_message() {
    let wire = wire_of(
        "frame: \"{line}\\r\\n\"",
        "log_in: {say: \"LOGIN {username: word} {password}\", hear: {ok: \"+OK {waiting} waiting\", bad_credentials: \"-ERR {_}\"}}",
    );
    let asked = wire.says("log_in", record! {username: "ann", password: "p w"}, "LOGIN ann p w\r\n");
    wire.answers(&asked, ok(record! {waiting: 5_u64}), "+OK 5 waiting\r\n");
    wire.is_answered(&asked, error("bad_credentials"), "-ERR what\r\n");
    assert!(!wire.0.requests_are_open() && !wire.0.answers_are_open());
    // One byte ends it as well, and it may be no text at all.
    hello("[body: bytes, u8 = 0]", "6162 00", "0063 00");
}

#[test]
fn a_fixed_size_is_filled_up() {
    for (padding, byte) in [("0", 0), ("' '", b' ')] {
        let wire = wire_of(
            "frame: [code: u8, body: bytes(24)]",
            &format!(
                "log_in: {{say: {{code: 1, body: [username: text(10) padded {padding}, password: text(14) padded {padding}]}}, \
             hear: {{ok: {{code: 2}}, bad_credentials: {{code: 3}}}}}}"
            ),
        );
        let fill = |text: &str, size: usize| {
            let mut bytes = text.as_bytes().to_vec();
            bytes.resize(size, byte);
            bytes
        };
        let bytes = [vec![1], fill("ann", 10), fill("pw", 14)].concat();
        let asked = wire.says("log_in", record! {username: "ann", password: "pw"}, bytes);
        wire.answers(&asked, ok(record! {}), [vec![2], vec![0; 24]].concat());
        wire.is_answered(&asked, error("bad_credentials"), [vec![3], vec![7; 24]].concat());
    }
    // A text frame of a fixed size, whatever the message is.
    let wire = wire_of(
        "frame: [text: text(16) padded ' ']",
        "log_in: {say: \"IN {username: word} {password: word}\", hear: {ok: \"WELCOME\", bad_credentials: \"GO AWAY\"}}",
    );
    let asked = wire.says("log_in", record! {username: "ann", password: "pw"}, "IN ann pw       ");
    wire.answers(&asked, ok(record! {}), "WELCOME         ");
    wire.answers(&asked, error("bad_credentials"), "GO AWAY         ");
}

#[test]
fn a_json_object_ends_where_it_is_closed() {
    let wire = wire_of(
        "frame: json",
        "hello: {say: {op: hello, from: {name: \"{client}\"}}, hear: {ok: {op: hello, name: \"{server}\"}}}",
    );
    let asked = wire.says("hello", greeting("a}\"b"), r#"{"op":"hello","from":{"name":"a}\"b"}}"#);
    wire.answers(&asked, ok(record! {server: "c"}), r#"{"op":"hello","name":"c"}"#);
    assert!(!wire.0.requests_are_open() && !wire.0.answers_are_open());
    let mut decoder = RequestDecoder::new(wire.0.clone());
    decoder.push(br#"{"op":"hello","from":{"name":"a"}} {"op":"hello","from":{"name":"b"}}"#);
    for name in ["a", "b"] {
        let Some(Inbound::Request { request, .. }) = decoder.next() else { panic!("{name} is lost") };
        assert_eq!(request.to_record(), greeting(name));
    }
    // One object in each line.
    let wire = wire_of(
        "frame: [body: json, \"\\n\"]",
        "hello: {say: {body: {hi: \"{client}\"}}, hear: {ok: {body: {ho: \"{server}\"}}}}",
    );
    let asked = wire.says("hello", greeting("x"), "{\"hi\":\"x\"}\n");
    wire.answers(&asked, ok(record! {server: "c"}), "{\"ho\":\"c\"}\n");
}

#[test]
fn without_any_end_a_pause_ends_a_message() {
    let wire = wire_of("", "hello: {say: \"hi {client}\", hear: {ok: \"welcome to {server}\"}}");
    assert!(wire.0.requests_are_open() && wire.0.answers_are_open());
    let asked = wire.says("hello", greeting("a b"), "hi a b");
    wire.answers(&asked, ok(record! {server: "c"}), "welcome to c");
    let mut decoder = RequestDecoder::new(wire.0.clone());
    decoder.push(b"hi a");
    assert_eq!(decoder.next(), None);
    assert!(decoder.waits_for_a_pause());
    decoder.push(b"nn");
    assert!(matches!(decoder.after_a_pause(), Some(Inbound::Request { .. })));
    assert!(!decoder.waits_for_a_pause());
}

#[test]
fn what_ends_itself_waits_for_nothing_among_what_is_open() {
    let wire = wire_of("", "hello: {say: \"hi {client}\", hear: {ok: [\"welcome\\n\", \"hello {server}\"]}}");
    let asked = wire.says("hello", greeting("a"), "hi a");
    let mut decoder = ResponseDecoder::new(wire.0.clone());
    decoder.push(b"welcome\n");
    assert!(matches!(decoder.next(Some(&asked.0)), Some((Heard::Ok { .. }, _))));
    decoder.push(b"hello x");
    assert!(decoder.next(Some(&asked.0)).is_none());
}

#[test]
fn each_direction_has_a_frame_of_its_own() {
    let wire = wire_of(
        "frame: {say: [code: u8, size: u16 = length(body), body: bytes], hear: \"{line}\\n\"}",
        "hello: {say: {code: 3, body: [client: text]}, hear: {ok: \"hello from {server}\"}}",
    );
    let asked = wire.says("hello", greeting("ab"), h("03 0002 6162"));
    wire.answers(&asked, ok(record! {server: "c"}), "hello from c\n");
}

#[test]
fn a_message_has_an_end_of_its_own_kind() {
    // Requests carry a length, but for one of a fixed size; an answer is one byte, or a line.
    let wire = wire_of(
        "frame: {say: [code: u8, body: bytes], hear: [body: bytes]}",
        "hello: {say: {code: 1, body: [client: text(u16)]}, hear: {ok: {body: [u8 = 1]}, unavailable: {body: \"-{_: line}\\n\"}}}\n\
         ping: {say: {code: 2, body: [nonce: u64]}, hear: {ok: {body: [nonce: u64]}}}",
    );
    let asked = wire.says("hello", greeting("ab"), h("01 0002 6162"));
    wire.answers(&asked, ok(record! {}), h("01"));
    wire.is_answered(&asked, error("unavailable"), "-later\n");
    let asked = wire.says("ping", record! {nonce: 5_u64}, h("02 0000000000000005"));
    wire.answers(&asked, ok(record! {nonce: 5_u64}), h("0000000000000005"));
}

#[test]
fn a_reply_that_is_written_in_several_pieces_is_one() {
    // `says` and `answers` cut everything into single bytes as well; here the header comes alone.
    let wire = wire_of("frame: [size: u16 = length(body), body: bytes]", HELLO);
    let asked = wire.says("hello", greeting("ab"), h("0002 6162"));
    let mut decoder = ResponseDecoder::new(wire.0.clone());
    for piece in [&h("0002")[..], &h("00"), &h("63")] {
        assert!(decoder.next(Some(&asked.0)).is_none());
        decoder.push(piece);
    }
    assert!(matches!(decoder.next(Some(&asked.0)), Some((Heard::Ok { .. }, _))));
}

#[test]
fn an_answer_ends_with_its_frame_whatever_was_expected() {
    // A name without an end of its own would look for one in the messages behind.
    let frame = "frame: {say: \"{body: line}\\n\", hear: \"{tag: word} {size: int = length(body)} {body}\\n\"}";
    let table = "{ok: {tag: \"key:{username: text}\", body: \"Logged in as:{username: text}\"}, \
                 bad_credentials: {tag: \"key:{username: text}\", body: \"Login Failed\"}}";
    let wire = wire_of(
        frame,
        &format!("log_in: {{say: {{body: \"in {{username: word}} {{password: word}}\"}}, hear: {table}}}"),
    );
    let asked = wire.says("log_in", record! {username: "alice", password: "pw"}, "in alice pw\n");
    wire.is_answered(&asked, error("bad_credentials"), "key:alice 12 Login Failed\n");
    // Where the constant that the hole waits for is not there at all, the answer is wrong at once, and not late.
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "log_in: {say: \"in {username: word} {password: word}\", hear: {ok: \"{_} is in\", bad_credentials: \"no\"}}",
    );
    let asked = wire.says("log_in", record! {username: "alice", password: "pw"}, "in alice pw\n");
    wire.is_answered(&asked, error("bad_credentials"), "no\n");
    let heard = wire.0.hear_answer(b"who?\n", Some(&asked.0));
    assert!(matches!(heard, Some(Heard::Other { taken: Some(5), .. })), "{heard:?}");
    assert_eq!(wire.0.hear_answer(b"who?", Some(&asked.0)), None);
}

#[test]
fn a_hole_in_a_word_is_a_word_and_in_a_line_a_line() {
    let wire = wire_of(
        "frame: {say: \"{body}\\n\", hear: \"{tag: word} {body: line}\\n\"}",
        "log_in: {say: {body: \"in {username: word} {password: word}\"}, \
                  hear: {ok: {tag: \"k-{token}\", body: \"in\"}, bad_credentials: {tag: \"k\", body: \"no\"}}}",
    );
    let asked = wire.says("log_in", record! {username: "alice", password: "pw"}, "in alice pw\n");
    wire.answers(&asked, ok(record! {token: b"secret".to_vec()}), "k-secret in\n");
    wire.is_no_answer(&asked, "k-two words in\n");
}

#[test]
fn an_answer_that_may_begin_another_has_ended_when_nothing_more_comes() {
    let wire = wire_of("", "hello: {say: \"hi\\n\", hear: {ok: \"{_} {server: word} is here\\n\", error: \"bad\"}}");
    assert!(!wire.0.requests_are_open() && wire.0.answers_are_open());
}
