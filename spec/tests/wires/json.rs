//! JSON inside other fields: where it ends, and what is said where a message says nothing of it.

use crate::stage::{error, message, ok, record, wire_of};

const NEW: &str = "create_account: {say: {code: 1, body: {u: \"{username}\", p: \"{password}\"}}, hear: {ok: {code: 1, body: {}}, username_taken: {code: 2}}}";

fn new(name: &str) -> spec::value::Record {
    record! {username: name, password: "x"}
}

#[test]
fn measured_json_ends_where_its_length_says_whatever_stands_behind() {
    let wire = wire_of(
        "frame: [size: u16 = length(frame) - 2, code: u8, inner: u16 = length(body), body: json, name: text(u8)]",
        NEW,
    );
    let asked = wire.says("create_account", new("a"), b"\0\x15\x01\0\x11{\"u\":\"a\",\"p\":\"x\"}\0");
    // The length of a name may be a blank, a tab or a newline.
    for length in [8, 9, 10, 13, 32] {
        let name = vec![b'n'; length];
        let body = [b"\x01\0\x02{}", &[length as u8][..], &name].concat();
        wire.is_answered(&asked, ok(record! {}), [&[0, body.len() as u8], &body[..]].concat());
    }
    // White space inside the length belongs to the JSON, anything else there is a mistake.
    wire.is_answered(&asked, ok(record! {}), b"\0\x09\x01\0\x05 { }\n\0");
    wire.is_no_answer(&asked, b"\0\x07\x01\0\x03{}!\0");
}

#[test]
fn json_without_a_length_leaves_what_stands_behind_it() {
    // It ends itself, or so many bytes before the end of the frame.
    let wire = wire_of("frame: [size: u8 = length(frame), code: u8, body: json, name: text(u8)]", NEW);
    let asked = wire.says("create_account", new("a"), b"\x14\x01{\"u\":\"a\",\"p\":\"x\"}\0");
    wire.is_answered(&asked, ok(record! {}), b"\x0e\x01{}\x09nnnnnnnnn");
    let wire = wire_of("frame: [size: u8 = length(frame), code: u8, body: json, check: u8 = 32]", NEW);
    let asked = wire.says("create_account", new("a"), b"\x14\x01{\"u\":\"a\",\"p\":\"x\"} ");
    wire.is_answered(&asked, ok(record! {}), b"\x06\x01{}\n ");
}

#[test]
fn json_that_a_message_does_not_speak_of_is_nothing_where_its_end_is_known_and_null_where_it_is_not() {
    for (frame, said, others) in [
        (
            "[size: u32 = length(frame), code: u8, inner: u8 = length(body), body: json, name: text(u8)]",
            &b"\0\0\0\x07\x02\0\0"[..],
            &[&b"\0\0\0\x09\x02\x02{}\0"[..], b"\0\0\0\x08\x02\x010\0", b"\0\0\0\x08\x02\x01 \0"][..],
        ),
        ("[size: u8 = length(frame), code: u8, body: json]", b"\x02\x02", &[b"\x05\x02[1]", b"\x03\x02\n"]),
        ("[code: u8, body: json]", b"\x02null", &[b"\x02{}", b"\x02\"no\""]),
    ] {
        let wire = wire_of(&format!("frame: {frame}"), NEW);
        let mut bytes = Vec::new();
        wire.0.speak_request("create_account", &new("a"), 7, &mut bytes).expect("it can be said");
        let asked = wire.says("create_account", new("a"), &bytes);
        wire.answers(&asked, error("username_taken"), said);
        others.iter().for_each(|other| wire.is_answered(&asked, error("username_taken"), other));
    }
}

#[test]
fn a_member_that_is_nobodys_must_be_there_and_may_be_anything() {
    let wire = wire_of(
        "frame: {say: json, hear: json}\nhear: {message: {from: \"{sender}\", text: \"{text}\", id: \"{_: int}\"}, ignore: {notice: \"{_}\"}}",
        "hello: {say: {hello: \"{client}\"}, hear: {ok: {server: \"{server}\", since: \"{_}\", motto: \"{_: text}\"}, error: {why: \"{_}\"}}}",
    );
    let asked = wire.says("hello", record! {client: "c"}, r#"{"hello":"c"}"#);
    // Spoken it is nothing, as its type has it.
    wire.answers(&asked, ok(record! {server: "s"}), r#"{"server":"s","since":null,"motto":""}"#);
    wire.pushes(record! {sender: "bob", text: "hi"}, r#"{"from":"bob","text":"hi","id":0}"#);
    wire.is_answered(&asked, ok(record! {server: "s"}), r#"{"since":[1],"motto":"m","server":"s"}"#);
    for why in [r#"{"why":"no"}"#, r#"{"why":null}"#, r#"{"why":{"code":4}}"#] {
        wire.is_answered(&asked, error("error"), why);
    }
    // Without the member it is something else.
    wire.is_no_answer(&asked, r#"{"server":"s"}"#);
    wire.is_no_answer(&asked, r#"{"from":"bob","text":"hi"}"#);
    wire.is_no_answer(&asked, "{}");
    wire.is_answered(&asked, message("bob", "hi"), r#"{"from":"bob","text":"hi","id":7}"#);
}
