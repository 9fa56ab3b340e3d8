//! Texts: how they are written, where they end, and how operations are named in them.

use crate::stage::{error, ok, record, wire, wire_of};
use spec::codec::{Inbound, RequestDecoder};

const LOGIN: &str = "hear: {ok: \"ok\\n\", bad_credentials: \"bad\\n\"}";

fn log_in(say: &str) -> crate::stage::Wire {
    wire_of(
        "filters: {slashed: {\"\\\\\": \"\\\\\\\\\", \"|\": \"\\\\p\", \"\\n\": \"\\\\n\"}}",
        &format!("log_in: {{say: {say}, {LOGIN}}}"),
    )
}

#[test]
fn a_delimiter_ends_a_text() {
    let wire = log_in(r#""IN|{username}|{password}\n""#);
    wire.says("log_in", record! {username: "a b", password: "p;w"}, "IN|a b|p;w\n");
    assert!(!wire.0.requests_are_open());
    // The last may hold the delimiter: the first place that fits ends the first text.
    wire.says("log_in", record! {username: "a", password: "p|w"}, "IN|a|p|w\n");
}

#[test]
fn a_delimiter_inside_an_escape_ends_nothing() {
    let wire = log_in(r#""IN|{username as slashed}|{password as slashed}\n""#);
    wire.says("log_in", record! {username: r"a|b\", password: "p\nw"}, "IN|a\\pb\\\\|p\\nw\n");
    // Doubled quotes, as CSV has them.
    let csv = wire_of(
        "filters: {doubled: {'\"': '\"\"'}}",
        &format!("log_in: {{say: '\"{{username as doubled}}\",\"{{password as doubled}}\"!', {LOGIN}}}"),
    );
    csv.says("log_in", record! {username: "a\"b", password: "\",\""}, "\"a\"\"b\",\"\"\",\"\"\"!");
}

#[test]
fn values_are_written_in_hex_base64_or_url() {
    let wire = log_in(r#""IN {username as base64} {password as url}\n""#);
    wire.says("log_in", record! {username: "ann|b", password: "p w%/é"}, "IN YW5ufGI= p%20w%25%2F%C3%A9\n");
    let wire = log_in(r#""IN {username as hex} {password: text as hex}\n""#);
    wire.says("log_in", record! {username: "a", password: "é"}, "IN 61 c3a9\n");
}

#[test]
fn positions_or_names_say_which_field_it_is() {
    let wire = log_in(r#""{username: word} {password: word} LOGIN\n""#);
    wire.says("log_in", record! {username: "a", password: "b"}, "a b LOGIN\n");
    let wire = log_in(r#""POST /login?user={username as url}&pass={password as url} HTTP/1.0\r\n\r\n""#);
    wire.says("log_in", record! {username: "a b", password: "&"}, "POST /login?user=a%20b&pass=%26 HTTP/1.0\r\n\r\n");
}

#[test]
fn a_text_ends_by_count_length_terminator_or_class() {
    let wire = wire_of(
        "frame: [code: u8, body: bytes]",
        "log_in: {say: {code: 1, body: [username: text, u8 = 0, password: text(u16le)]}, hear: {ok: {code: 2, body: []}, bad_credentials: {code: 3, body: []}}}",
    );
    wire.says("log_in", record! {username: "ann", password: "pw"}, b"\x01ann\0\x02\0pw");
    let wire = wire_of(
        "frame: \"{code: int} {body: line}\\n\"",
        "log_in: {say: {code: 1, body: \"{username: word} {password: text(4)}\"}, hear: {ok: {code: 2, body: \"\"}, bad_credentials: {code: 3}}}",
    );
    let asked = wire.says("log_in", record! {username: "ann", password: "p  w"}, "1 ann p  w\n");
    wire.answers(&asked, ok(record! {}), "2 \n");
    wire.is_answered(&asked, error("bad_credentials"), "3 anything\n");
}

#[test]
fn decimal_numbers_stand_in_text() {
    let wire = wire_of("", "ping: {say: \"PING {nonce}\\n\", hear: {ok: \"PONG {nonce}\\n\"}}");
    for nonce in [0, 7, u64::MAX] {
        let asked = wire.says("ping", record! {nonce: nonce}, format!("PING {nonce}\n"));
        wire.answers(&asked, ok(record! {nonce: nonce}), format!("PONG {nonce}\n"));
    }
}

#[test]
fn braces_are_written_twice() {
    let wire = wire_of("", "ping: {say: \"{{{nonce}}}\", hear: {ok: \"}}{nonce}{{\"}}");
    let asked = wire.says("ping", record! {nonce: 5_u64}, "{5}");
    wire.answers(&asked, ok(record! {nonce: 5_u64}), "}5{");
}

#[test]
fn a_length_may_count_characters_as_utf_8_or_utf_16_has_them() {
    let hello = "hello: {say: {body: \"{client}\"}, hear: {ok: {body: \"{server}\"}}}";
    for (measure, a, crab) in [("length", 7, 4), ("chars", 3, 1), ("utf16", 4, 2)] {
        // In digits in front of the text, and as a byte with something between and something behind.
        let wire = wire_of(&format!("frame: \"{{size: int = {measure}(body)}} {{body}}!\\n\""), hello);
        let asked = wire.says("hello", record! {client: "aé🦀"}, format!("{a} aé🦀!\n"));
        wire.answers(&asked, ok(record! {server: "🦀"}), format!("{crab} 🦀!\n"));
        let wire = wire_of(&format!("frame: [size: u8 = {measure}(body) + 1, u8 = 9, body: text, u8 = 33]"), hello);
        let framed = |size: u8, text: &str| [&[size + 1, 9], text.as_bytes(), b"!"].concat();
        let asked = wire.says("hello", record! {client: "aé🦀"}, framed(a, "aé🦀"));
        wire.answers(&asked, ok(record! {server: ""}), framed(0, ""));
        wire.answers(&asked, ok(record! {server: "!!"}), framed(2, "!!"));
        // What ends inside a character is no text, nor is what says too little.
        wire.is_no_answer(&asked, framed(crab + 1, "🦀"));
        if measure == "utf16" {
            wire.is_no_answer(&asked, framed(1, "🦀"));
        }
    }
    // Several fields, JSON among them.
    let wire = wire_of(
        "frame: [size: u16 = utf16(name + body), name: text(u8), body: json, \"\\n\"]",
        "hello: {say: {name: hi, body: {c: \"{client}\"}}, hear: {ok: {name: ho, body: {s: \"{server}\"}}}}",
    );
    let asked =
        wire.says("hello", record! {client: "🦀"}, [&b"\0\x0d\x02hi"[..], "{\"c\":\"🦀\"}\n".as_bytes()].concat());
    wire.answers(&asked, ok(record! {server: "é"}), [&b"\0\x0c\x02ho"[..], "{\"s\":\"é\"}\n".as_bytes()].concat());
}

// ── naming an operation ───────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_operation_is_an_integer_a_decimal_a_letter_a_word_or_a_member() {
    let two = |frame: &str, hello: &str, ping: &str| {
        wire_of(
            &format!("frame: {frame}"),
            &format!(
                "hello: {{say: {hello}, hear: {{ok: {{body: \"\"}}}}}}\nping: {{say: {ping}, hear: {{ok: {{body: \"{{nonce}}\"}}}}}}"
            ),
        )
    };
    for (frame, name, other, hello, ping) in [
        (r#""{code: int} {rest: line}\n""#, "code: 8", "code: 9", "8 x\n", "9 5\n"),
        (r#""{code: word} {rest: line}\n""#, "code: HI", "code: PING", "HI x\n", "PING 5\n"),
        (r#"[code: text(1), rest: line, "\n"]"#, "code: h", "code: p", "hx\n", "p5\n"),
    ] {
        let wire = two(
            &format!("{{say: {frame}, hear: \"{{body: line}}\\n\"}}"),
            &format!("{{{name}, rest: \"{{client}}\"}}"),
            &format!("{{{other}, rest: \"{{nonce}}\"}}"),
        );
        wire.says("hello", record! {client: "x"}, hello);
        let asked = wire.says("ping", record! {nonce: 5_u64}, ping);
        wire.answers(&asked, ok(record! {nonce: 5_u64}), "5\n");
    }
}

#[test]
fn a_reply_has_the_same_code_or_code_plus_n_or_one_for_all_or_none() {
    let operations = "ping: {say: {code: 3, body: [nonce: u16]}, hear: {ok: {body: [nonce: u16]}}}\n\
                      hello: {say: {code: 4, body: [client: text]}, hear: {ok: {body: [server: text]}}}";
    let say = "[code: u8, size: u8 = length(body), body: bytes]";
    for (hear, ping, hello) in [
        ("[u8 = code, size: u8 = length(body), body: bytes]", &b"\x03\x02\0\x05"[..], &b"\x04\x01s"[..]),
        ("[u8 = code + 100, size: u8 = length(body), body: bytes]", b"\x67\x02\0\x05", b"\x68\x01s"),
        ("[u8 = code - 1, size: u8 = length(body), body: bytes]", b"\x02\x02\0\x05", b"\x03\x01s"),
        ("[u8 = 200, size: u8 = length(body), body: bytes]", b"\xc8\x02\0\x05", b"\xc8\x01s"),
        ("[size: u8 = length(body), body: bytes]", b"\x02\0\x05", b"\x01s"),
    ] {
        let wire = wire_of(&format!("frame: {{say: {say}, hear: {hear}}}"), operations);
        let asked = wire.says("ping", record! {nonce: 5_u64}, b"\x03\x02\0\x05");
        wire.answers(&asked, ok(record! {nonce: 5_u64}), ping);
        let asked = wire.says("hello", record! {client: "ab"}, b"\x04\x02ab");
        wire.answers(&asked, ok(record! {server: "s"}), hello);
    }
}

#[test]
fn a_reply_has_the_word_with_a_suffix() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "ping: {say: \"ping {nonce}\", hear: {ok: \"ping_ok {nonce}\"}}\nhello: {say: \"hello {client}\", hear: {ok: \"hello_ok {server}\"}}",
    );
    let asked = wire.says("ping", record! {nonce: 5_u64}, "ping 5\n");
    wire.answers(&asked, ok(record! {nonce: 5_u64}), "ping_ok 5\n");
    wire.is_no_answer(&asked, "hello_ok x\n");
}

#[test]
fn the_same_code_means_another_thing_after_log_in() {
    // Code 2 lists for those who are logged in, and logs in the others.
    let wire = wire(
        "dialect: small\nabout: Codes that mean other things after log in.\nframe: [code: u8, size: u8 = length(body), body: bytes]\n\
         operations:\n  log_in: {say: {code: 2, body: [username: text(u8), password: text]}, hear: {ok: {code: 2, body: [u8 = 0]}, bad_credentials: {code: 2, body: [u8 = 1]}}}\n\
         \x20 list_accounts: {say: {code: 2, body: [pattern: text(u8), _: text]}, hear: {ok: {code: 2, body: [u8 = 0, usernames: list of text(u8)]}}}\n\
         fence: list_accounts\n",
    );
    let mut decoder = RequestDecoder::new(wire.0.clone());
    for (bound, name) in [(false, "log_in"), (true, "list_accounts"), (false, "log_in")] {
        decoder.set_bound(bound);
        decoder.push(b"\x02\x05\x03anne");
        let Some(Inbound::Request { request, .. }) = decoder.next() else { panic!("not heard") };
        assert_eq!(request.operation().name(), name);
    }
    let mut bytes = Vec::new();
    wire.0.speak_request("list_accounts", &record! {pattern: "x"}, 1, &mut bytes).unwrap();
    assert_eq!(bytes, b"\x02\x02\x01x");
}
