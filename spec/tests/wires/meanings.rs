//! What an answer means: results by status, codes, texts, causes; pushes told from replies.

use crate::stage::{error, list, message, ok, record, wire_of};
use spec::codec::{Heard, Memory, Progress, hex};

/// Bytes from hex.
fn h(text: &str) -> Vec<u8> {
    hex(text).expect("hex")
}

#[test]
fn a_status_or_first_byte_tells_success() {
    let wire = wire_of(
        "frame: [size: u8 = length(body), body: bytes]",
        "log_in: {say: {body: [username: text(u8), password: text]}, hear: {ok: {body: [u16 = 0]}, bad_credentials: {body: [u16 = 401]}, \
         already_logged_in: {body: [u16 = 409]}, error: {body: [_: u16 in 400..599]}}}",
    );
    let asked = wire.says("log_in", record! {username: "a", password: "b"}, h("03 01 61 62"));
    wire.answers(&asked, ok(record! {}), h("02 0000"));
    wire.answers(&asked, error("bad_credentials"), h("02 0191"));
    wire.answers(&asked, error("already_logged_in"), h("02 0199"));
    wire.is_answered(&asked, error("error"), h("02 01f4"));
    wire.is_no_answer(&asked, h("02 0001"));
}

#[test]
fn an_empty_error_field_or_a_boolean_tells_success() {
    let wire = wire_of(
        "frame: json",
        "log_in: {say: {user: \"{username}\", pass: \"{password}\"}, hear: {ok: {error: \"\", token: \"{token}\"}, bad_credentials: {error: \"wrong {_}\"}, error: {error: \"{_}\"}}}\n\
         create_account: {say: {new: \"{username}\", pass: \"{password}\"}, hear: {ok: {success: true}, username_taken: {success: false}}}",
    );
    let asked = wire.says("log_in", record! {username: "a", password: "b"}, r#"{"user":"a","pass":"b"}"#);
    wire.answers(&asked, ok(record! {token: b"t".to_vec()}), r#"{"error":"","token":"t"}"#);
    wire.is_answered(&asked, error("bad_credentials"), r#"{"error":"wrong password"}"#);
    wire.is_answered(&asked, error("error"), r#"{"error":"out of cheese"}"#);
    let asked = wire.says("create_account", record! {username: "a", password: "b"}, r#"{"new":"a","pass":"b"}"#);
    wire.answers(&asked, ok(record! {}), r#"{"success":true}"#);
    wire.answers(&asked, error("username_taken"), r#"{"success":false}"#);
}

#[test]
fn patterns_of_text_tell_errors_and_their_causes() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "log_in: {say: \"in {username: word} {password: line}\", hear: {ok: \"hi {username}, you have {waiting} letters\", \
         bad_credentials.no_such_user: \"{username} is nobody\", bad_credentials.wrong_password: \"{username}: wrong\", bad_credentials: \"go away{_}\", error: \"{_}\"}}",
    );
    let asked = wire.says("log_in", record! {username: "ann", password: "x y"}, "in ann x y\n");
    wire.answers(&asked, ok(record! {waiting: 3_u64}), "hi ann, you have 3 letters\n");
    wire.answers(&asked, error("bad_credentials.no_such_user"), "ann is nobody\n");
    wire.answers(&asked, error("bad_credentials.wrong_password"), "ann: wrong\n");
    wire.answers(&asked, error("bad_credentials"), "go away\n");
    wire.is_answered(&asked, error("bad_credentials"), "go away, ann\n");
    // Whoever else is meant, it is none of these.
    wire.is_answered(&asked, error("error"), "bob is nobody\n");
}

#[test]
fn outcomes_have_names() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "send_message: {say: \"tell {recipient: word} {text: line}\", hear: {delivered: \"{recipient} has it\", queued: \"{recipient} sleeps\", no_such_user: \"who?\"}}",
    );
    let asked = wire.says("send_message", record! {recipient: "bob", text: "a b"}, "tell bob a b\n");
    wire.answers(&asked, ok(record! {delivered: true}), "bob has it\n");
    wire.answers(&asked, ok(record! {delivered: false}), "bob sleeps\n");
    wire.answers(&asked, error("no_such_user"), "who?\n");
}

#[test]
fn silence_and_a_closed_connection_mean_something() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "ping: {say: \"ping {nonce}\", hear: {ok: \"pong {nonce}\"}}\n\
         send_message: {say: \"tell {recipient: word} {text: line}\", hear: {no_such_user: \"who?\"}, silence: ok}\n\
         log_out: {say: \"bye\", close: ok}\n\
         delete_account: {say: \"delete me\", close: ok, silence: bad_credentials}",
    );
    let mut memory = Memory::of("ann");
    let tell = || record! {recipient: "bob", text: "x"};
    wire.play(&mut memory, "send_message", tell()).says("tell bob x\n").silence().ends(ok(record! {}));
    wire.play(&mut memory, "send_message", tell()).says("tell bob x\n").hears("who?\n").ends(error("no_such_user"));
    // What a server answers nothing to, it says nothing to.
    let asked = wire.says("send_message", tell(), "tell bob x\n");
    let mut bytes = Vec::new();
    wire.0.speak_answer(&asked.1, &spec::codec::Saying::Ok(&record! {delivered: true}), &mut bytes).unwrap();
    assert_eq!(bytes, b"");
    wire.play(&mut memory, "log_out", record! {}).says("bye\n").closes().ends(ok(record! {}));
    wire.play(&mut memory, "delete_account", record! {}).says("delete me\n").silence().ends(error("bad_credentials"));
}

#[test]
fn a_closing_answer_closes() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "ping: {say: \"ping {nonce}\", hear: {ok: \"pong {nonce}\", unavailable: {line: \"too busy\", then: close}}}",
    );
    let asked = wire.says("ping", record! {nonce: 5_u64}, "ping 5\n");
    wire.answers(&asked, error("unavailable"), "too busy\n");
    let saying = spec::codec::Saying::Error { name: "unavailable", cause: "", detail: "" };
    assert_eq!(wire.0.speak_answer_as(&asked.1, &saying, spec::codec::Voice::default(), &mut Vec::new()), Ok(true));
}

// ── messages ──────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_push_is_told_from_a_reply_by_code_prefix_or_pattern() {
    let wire = wire_of(
        "frame: [code: u8, size: u8 = length(body), body: bytes]\nhear: {message: {code: 7, body: [sender: text(u8), text: text]}, ignore: {code: 8}}",
        "ping: {say: {code: 1, body: [nonce: u16]}, hear: {ok: {code: 1, body: [nonce: u16]}}}",
    );
    let asked = wire.says("ping", record! {nonce: 5_u64}, h("01 02 0005"));
    wire.answers(&asked, message("bo", "hi"), b"\x07\x05\x02bohi");
    wire.pushes(record! {sender: "bo", text: ""}, b"\x07\x03\x02bo");
    let heard = wire.0.hear_answer(b"\x08\x03abc", Some(&asked.0));
    assert!(matches!(heard, Some(Heard::Ignored { taken: 5, .. })), "{heard:?}");
    let wire = wire_of(
        "frame: \"{line}\\n\"\nhear: {message: [\"MSG {sender: word}: {text}\", \"{sender: word} whispers: {text}\"], ignore: [\"* {_}\", \"\"]}",
        "ping: {say: \"ping {nonce}\", hear: {ok: \"pong {nonce}\"}}",
    );
    let asked = wire.says("ping", record! {nonce: 5_u64}, "ping 5\n");
    wire.answers(&asked, message("bo", "MSG ann: hi"), "MSG bo: MSG ann: hi\n");
    wire.is_answered(&asked, message("bo", "psst"), "bo whispers: psst\n");
    assert!(matches!(wire.0.hear_answer(b"* bo came\n", None), Some(Heard::Ignored { .. })));
    assert!(matches!(wire.0.hear_answer(b"\n", None), Some(Heard::Ignored { .. })));
}

#[test]
fn a_push_comes_before_the_reply_to_its_own_sender() {
    let wire = wire_of(
        "frame: \"{line}\\n\"\nhear: {message: \"{sender: word}> {text}\"}",
        "send_message: {say: \"{recipient: word}< {text: line}\", hear: {delivered: \"sent\", queued: \"kept\"}}",
    );
    let mut memory = Memory::of("ann");
    let mut bytes = Vec::new();
    let (mut exchange, _) =
        wire.0.begin("send_message", &record! {recipient: "ann", text: "me"}, &memory, 1, &mut bytes).unwrap();
    let mut decoder = spec::codec::ResponseDecoder::new(wire.0.clone());
    decoder.push(b"ann> me\nsent\n");
    let (event, _) = decoder.next(Some(exchange.dialogue())).unwrap();
    assert!(matches!(event, Heard::Event { .. }), "{event:?}");
    let (answer, _) = decoder.next(Some(exchange.dialogue())).unwrap();
    let end = exchange.hear(&wire.0, answer, &mut memory, &mut bytes).unwrap();
    assert!(matches!(end, Progress::Done(Heard::Ok { .. })));
}

#[test]
fn an_end_marker_ends_the_messages_that_come_one_by_one() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "deliver_messages: {say: \"read\", hear: {ok: \"end of messages\", more: \"{sender: word}: {text}\"}}",
    );
    let mut memory = Memory::of("ann");
    let note = |sender: &str, text: &str| record! {sender: sender, text: text};
    let rows = list![note("bo", "one"), note("cy", "end of messages")];
    wire.play(&mut memory, "deliver_messages", record! {})
        .says("read\n")
        .told(record! {messages: rows.clone()}, "bo: one\ncy: end of messages\nend of messages\n")
        .ends(ok(record! {messages: rows}));
    wire.play(&mut memory, "deliver_messages", record! {})
        .says("read\n")
        .told(record! {}, "end of messages\n")
        .ends(ok(record! {}));
}

#[test]
fn names_come_one_by_one_as_well() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "list_accounts: {say: \"who {pattern}\", hear: {ok: \".\", more: \"- {username}\"}}",
    );
    let mut memory = Memory::of("ann");
    wire.play(&mut memory, "list_accounts", record! {pattern: "*"})
        .says("who *\n")
        .told(record! {usernames: list!["ann", "bo"]}, "- ann\n- bo\n.\n")
        .ends(ok(record! {usernames: list!["ann", "bo"]}));
}

#[test]
fn the_end_of_the_stream_ends_the_messages() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "deliver_messages: {say: \"read\", hear: {more: \"{sender: word}: {text}\"}, close: ok}",
    );
    let mut memory = Memory::of("ann");
    let rows = list![record! {sender: "bo", text: "one"}];
    wire.play(&mut memory, "deliver_messages", record! {})
        .says("read\n")
        .told(record! {messages: rows.clone()}, "bo: one\n")
        .closes()
        .ends(ok(record! {messages: rows}));
}

#[test]
fn a_session_ends_with_its_connection_where_nothing_else_ends_it() {
    let ping = "ping: {say: PING, hear: {ok: PONG}}";
    for (log_out, choice) in [
        ("", "disconnect"),
        ("\nlog_out: disconnect", "disconnect"),
        ("\nlog_out: {say: BYE, hear: {ok: {line: BYE, then: close}}}", "disconnect"),
        ("\nlog_out: {say: OUT, hear: {ok: OUT}}", "operation"),
    ] {
        let wire = wire_of("frame: \"{line}\\n\"", &format!("{ping}{log_out}"));
        assert_eq!(wire.0.policies.get("log_out_by").map(String::as_str), Some(choice), "{log_out}");
    }
}
