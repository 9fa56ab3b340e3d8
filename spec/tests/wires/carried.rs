//! What a wire carries, and what it does not: neither is ever claimed of the other.

use crate::stage::{Wire, ok, record, wire, wire_of};
use spec::codec::{Conversation, Heard, Memory, What};
use spec::value::Record;

fn lines() -> Wire {
    wire(
        "dialect: small\nabout: Lines with bars.\nframe: \"{line}\\n\"\nhear: {message: \"<{sender: word}> {text}\", ignore: \"* {_}\"}\n\
         filters: {barred: {\"|\": \"||\"}}\nlimits: {username: \"[a-z|']{1,9}\"}\nshapes: {quoted: \"'{username}'\", row: \"{sender: word}: {text: text}\"}\n\
         operations:\n  create_account: {say: \"new|{username}|{password as sha256_hex}\", hear: {ok: \"done\"}}\n\
         \x20 send_message: {say: \"to|{recipient}|{text}\", hear: {delivered: \"sent\", queued: \"kept\"}}\n\
         \x20 list_accounts: {say: \"who\", hear: {ok: \"[{usernames: list of quoted joined by ', '}]\"}}\n\
         \x20 deliver_messages: {say: \"read\", hear: {ok: [\"-\", \"= {messages: list of row joined by ' / '}\"]}}\nfence: list_accounts\n",
    )
}

fn send(text: &str) -> Record {
    record! {recipient: "bob", text: text, key: vec![]}
}

#[test]
fn what_comes_back_as_itself_is_carried() {
    let wire = lines();
    for text in ["", "hi", "hi | there", "é", "a/b", "sent", "* hi"] {
        assert_eq!(wire.0.carries("send_message", &send(text)), Ok(()), "{text}");
    }
    assert_eq!(wire.0.carries("create_account", &record! {username: "ann", password: "a|b\n"}), Ok(()));
    assert_eq!(wire.0.carries("list_accounts", &record! {pattern: "", after: "", limit: 0}), Ok(()));
}

#[test]
fn what_does_not_come_back_is_not_and_the_reason_is_told() {
    let wire = lines();
    let refused = |operation: &str, arguments: Record| wire.0.carries(operation, &arguments).expect_err("it is lost");
    // A newline ends the frame, and so the text.
    assert_eq!(
        refused("send_message", send("a\nb")),
        "this wire cannot carry the text \"a\\nb\" in send_message: it comes back as \"a\""
    );
    // A bar ends the recipient's name.
    assert_eq!(
        refused("send_message", record! {recipient: "b|b", text: "x"}),
        "this wire cannot carry the recipient \"b|b\" in send_message: it comes back as \"b\""
    );
    // What joins messages ends one.
    let why = refused("send_message", send("a / b: c"));
    assert!(why.starts_with("this wire cannot carry the text \"a / b: c\" in deliver_messages"), "{why}");
    // A name that is listed as two.
    let why = refused("create_account", record! {username: "a|b", password: "x"});
    assert!(why.contains("\"a|b\""), "{why}");
    assert!(refused("create_account", record! {username: "A", password: "x"}).contains("limit [a-z|']{1,9}"));
    assert!(refused("ping", record! {nonce: 1}).contains("no `ping`"));
}

#[test]
fn sizes_and_padding_are_limits() {
    let wire = wire_of(
        "frame: [code: u8, body: bytes]",
        "send_message: {say: {code: 1, body: [recipient: text(6) padded ' ', text: text(u8)]}, hear: {delivered: {code: 2}, queued: {code: 3}}}",
    );
    for (recipient, text, fits) in [
        ("bob", "x".repeat(255), true),
        ("bob", "x".repeat(256), false),
        ("longer", "x".into(), true),
        ("longest", "x".into(), false),
        ("bob ", "x".into(), false),
    ] {
        let carried = wire.0.carries("send_message", &record! {recipient: recipient, text: text.as_str()});
        assert_eq!(carried.is_ok(), fits, "{recipient} {}: {carried:?}", text.len());
    }
}

#[test]
fn what_has_no_end_carries_no_beginning_of_another() {
    let wire = wire_of(
        "",
        "send_message: {say: \"to {recipient: word} {text}\", hear: {delivered: \"sent\", queued: \"kept\"}}",
    );
    assert_eq!(wire.0.carries("send_message", &send("anything\nat all")), Ok(()));
    let why = wire.0.carries("send_message", &record! {recipient: "a b", text: "x"}).expect_err("a blank ends it");
    assert!(why.contains("\"a b\""), "{why}");
}

#[test]
fn everything_is_carried_by_bytes_with_lengths() {
    let source = spec::source::Source::embedded();
    let framed = source.file("protocol/dialects/framed.yaml").expect("the protocol's own");
    let wire = wire(&framed.text);
    for text in ["", "\0", "a|b\n", &"x".repeat(4096)] {
        assert_eq!(wire.0.carries("send_message", &send(text)), Ok(()));
    }
    // What is wrong for the protocol is carried nevertheless: somebody must be able to say it.
    let key = record! {recipient: "bob", text: "x", key: vec![1, 2, 3]};
    assert_eq!(wire.0.carries("send_message", &key), Ok(()));
    assert!(wire.0.carries("send_message", &send(&"x".repeat(66_000))).is_err());
}

#[test]
fn a_sign_of_life_needs_no_number() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "ping: {say: PING, hear: {ok: PONG}}\nhello: {say: \"HELLO {client}\", hear: {ok: \"HI {server}\"}}",
    );
    let asked = wire.says("ping", record! {nonce: 0_u64}, "PING\n");
    wire.answers(&asked, ok(record! {}), "PONG\n");
    // Whoever asks with a number asks without it; nobody can claim that it comes back.
    assert_eq!(wire.0.carries("ping", &record! {nonce: 7_u64}), Ok(()));
    assert!(!wire.0.carries_argument("ping", "nonce") && !wire.0.carries_result("ping", "nonce"));
    // As the fence it is said and heard like any other.
    let mut conversation = Conversation::new(wire.0.clone());
    let mut memory = Memory::of("alice");
    let said = conversation.ask("ping", &record! {nonce: 7_u64}, &memory).expect("it can be said");
    assert_eq!(said.as_deref(), Some(&b"PING\n"[..]));
    conversation.push(b"PONG\n");
    let came = conversation.next(&mut memory).expect("an answer");
    assert!(matches!(came.what, What::Answer(Heard::Ok { .. })), "{came:?}");
}

#[test]
fn a_text_before_the_last_delimiter_holds_others() {
    for frame in ["\"{size: int = length(body)} {body}\\n\"", "\"{line}\\n\"", "\"{body}\\n\""] {
        let wire = wire_of(
            &format!("frame: {frame}"),
            "send_message: {say: \":send {recipient: word} {text} {me}\", hear: {delivered: \"sent\", queued: \"kept\"}}",
        );
        for text in ["a", "a b", " a  b ", "alice", "", "a\tb"] {
            assert_eq!(wire.0.carries("send_message", &send(text)), Ok(()), "{text:?} over {frame}");
        }
        let body = ":send bob a b alice";
        let measured = if frame.contains("size") { format!("{} {body}\n", body.len()) } else { format!("{body}\n") };
        wire.says("send_message", send("a b"), measured);
    }
}
