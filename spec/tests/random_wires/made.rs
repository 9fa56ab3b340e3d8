//! Small dialects, made of the parts that can be combined: literals, classes, sizes, alternatives, joined lists, bits, checks.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::UNIX_EPOCH;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use spec::Spec;
use spec::dialect::Dialect;
use spec::error::Diagnostics;
use spec::service::Service;
use spec::source::Source;

/// A dialect that is right, as it is written.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) yaml: String,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.yaml)
    }
}

static SERVICE: LazyLock<Service> = LazyLock::new(|| {
    let embedded = Source::embedded();
    let files = ["protocol/service.yaml", "protocol/errors.yaml"].map(|path| embedded.file(path).expect("it is there"));
    let source = files.iter().fold(Source::default(), |source, file| source.with(&file.path, file.text.as_str()));
    Spec::read_protocol(&source, &mut Diagnostics::default()).expect("the protocol has no mistakes").service
});

impl Made {
    fn compile(&self) -> Result<Arc<Dialect>, String> {
        let source = Source::default().with("made.yaml", self.yaml.as_str());
        let mut found = Diagnostics::default();
        let dialect = spec::read_dialect(source.file("made.yaml").expect("just added"), &SERVICE, &mut found);
        dialect.map(Arc::new).ok_or_else(|| found.to_string())
    }

    pub(crate) fn compiled(&self) -> Arc<Dialect> {
        self.compile().unwrap_or_else(|why| panic!("{}\n{why}", self.yaml))
    }
}

/// Milliseconds, to see that nothing takes for ever.
#[expect(clippy::disallowed_methods, reason = "a budget of time is what is tested here; no verdict of the suite is")]
pub(crate) fn now_ms() -> u128 {
    std::time::SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_millis()
}

/// Texts in which everything occurs that ends something on one of the wires.
pub(crate) fn value() -> impl Strategy<Value = String> {
    let piece =
        select(vec!["a", "b", "bob", " ", "|", ";", ", ", "\n", "/", "!", "'", "\"", "<", "0", "é", "\\", "{", "hi"]);
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// What stands between two values in a template.
fn literal() -> impl Strategy<Value = &'static str> {
    select(vec!["|", ";", ", ", " ", "<", "> ", "' '", ": ", " says "])
}

/// The type of a value in a template.
fn class() -> impl Strategy<Value = &'static str> {
    select(vec![
        "text",
        "word",
        "line",
        "text as slashed",
        "text as base64",
        "text as hex",
        "text as url",
        "text(u8)",
        "text(10) padded ' '",
    ])
}

/// The type of a value in a row.
fn field() -> impl Strategy<Value = &'static str> {
    select(vec![
        "text(u8)",
        "text(u16le)",
        "text(size)",
        "text(12) padded 0",
        "text(u8) as slashed",
        "text(i32)",
        "line",
        "word",
    ])
}

/// A template with two values.
fn template(one: &'static str, two: &'static str) -> impl Strategy<Value = String> {
    (literal(), class(), literal(), class(), select(vec!["", "\\n", "!", "|", "\\r\\n"])).prop_map(
        move |(before, first, between, second, end)| {
            format!("\"{before}{{{one}: {first}}}{between}{{{two}: {second}}}{end}\"")
        },
    )
}

/// A row with two values, and what ends each of them.
fn row(one: &'static str, two: &'static str) -> impl Strategy<Value = String> {
    let bits = select(vec!["", "u4 = 5, flags: u4 usually 3, ", "u1 = 1, wide: u15 usually 77, "]);
    let either = select(vec!["", "{either: [[u8 = 1, u8 = 2], [u8 = 9]]}, "]);
    (bits, either, field(), field()).prop_map(move |(bits, either, first, second)| {
        let closed = |kind: &'static str| {
            if matches!(kind, "line" | "word") { format!("{kind}, u8 = 10") } else { kind.to_owned() }
        };
        format!("[{bits}{either}{one}: {}, {two}: {}]", closed(first), closed(second))
    })
}

fn frame() -> impl Strategy<Value = &'static str> {
    select(vec![
        "[code: u8, size: u16 = length(body), body: bytes]",
        "[size: u24le = length(frame), code: u8, body: bytes]",
        "[code: u8, check: u8 = sum8(body), body: bytes]",
        "[code: u8, body: bytes, check: u8 = xor8(body)]",
        "[code: u8, size: u8 = length(body + check), body: bytes, check: u32 = crc32(body)]",
        "[\"{code: int} {size: int = length(body)}\\n\", body: bytes]",
        "[code: u4, _: u4, size: u16 = length(code_of + body), code_of: u8 usually 1, body: bytes]",
        "[code: u8, size: int(5) = length(body), body: bytes]",
    ])
}

/// How messages are listed in rows, and in templates.
fn listed() -> impl Strategy<Value = (&'static str, &'static str)> {
    select(vec![
        ("[messages: list(u8) of note]", "[sender: text(u8), text: text(u16)]"),
        ("[many: size = count(messages), messages: list of note]", "[sender: text(size), text: text(u8)]"),
        ("[messages: list(u16le) of note]", "\"{sender: word} {text: line}\\n\""),
        ("\"{messages: list of note joined by ', '}.\\n\"", "\"<{sender: word}> {text: line}\""),
        ("\"[{messages: list of note}]\"", "\"'{sender as slashed}' '{text as slashed}';\""),
    ])
}

fn texts() -> impl Strategy<Value = Made> {
    let parts = (
        template("recipient", "text"),
        template("sender", "text"),
        listed().prop_filter("a text", |(list, _)| list.starts_with('"')),
    );
    parts.prop_map(|(say, event, (list, note))| Made {
        yaml: yaml(
            "",
            &format!("hear: {{message: {event}}}"),
            note,
            &say,
            "\"sent\\n\"",
            "\"kept\\n\"",
            "\"read\\n\"",
            list,
        ),
    })
}

fn rows() -> impl Strategy<Value = Made> {
    (frame(), row("recipient", "text"), row("sender", "text"), listed()).prop_map(
        |(frame, say, event, (list, note))| Made {
            yaml: yaml(
                &format!("frame: {frame}"),
                &format!("hear: {{message: {{code: 7, body: {event}}}}}"),
                note,
                &format!("{{code: 1, body: {say}}}"),
                "{code: 2, body: []}",
                "{code: 3, body: []}",
                "{code: 4, body: []}",
                &format!("{{code: 5, body: {list}}}"),
            ),
        },
    )
}

#[expect(clippy::too_many_arguments, reason = "the places of a file")]
fn yaml(frame: &str, hear: &str, note: &str, say: &str, sent: &str, kept: &str, read: &str, list: &str) -> String {
    format!(
        "dialect: made\nabout: Made up.\n{frame}\nfilters: {{slashed: {{\"/\": \"//\", \"|\": \"/b\", \";\": \"/s\", \"'\": \"/q\", \"\\n\": \"/n\"}}}}\n\
         shapes:\n  size: {{either: [[u8 in 0..127], [u8 = 128, u16]]}}\n  note: {note}\n{hear}\noperations:\n\
         \x20 send_message: {{say: {say}, hear: {{delivered: {sent}, queued: {kept}}}}}\n\
         \x20 deliver_messages: {{say: {read}, hear: {{ok: {list}}}}}\nfence: deliver_messages\n"
    )
}

/// A dialect that is right. Some that are made up are not: then they say why, which is looked at elsewhere.
pub(crate) fn made() -> impl Strategy<Value = Made> {
    prop_oneof![texts(), rows()].prop_filter("a dialect without mistakes", |made| made.compile().is_ok())
}

/// Wires that invite much work, each with bytes that would cause it.
pub(crate) const HOSTILE: [(&str, &[u8]); 5] = [
    // Every blank could be the end of each of the four.
    (
        "dialect: a\nabout: b\noperations: {log_in: {say: \"{_} {_} {username} {password} end\\n\", hear: {ok: \"{_} {_} {_} {token} end\\n\", bad_credentials: \"bad\"}}}\nfence: log_in\n",
        b" ",
    ),
    (
        "dialect: a\nabout: b\nframe: \"{body: line}\\n\"\noperations: {log_in: {say: \"{username},{password},{_},{_},{_}!\", hear: {ok: \"{token},{_},{_},{_},{_}!\", bad_credentials: \"bad\"}}}\nfence: log_in\n",
        b",a",
    ),
    // A list of lists' worth of items, each of which may end in two ways.
    (
        "dialect: a\nabout: b\nshapes: {row: \"<{sender}> {text}\"}\noperations: {deliver_messages: {say: \"read\\n\", hear: {ok: \"{messages: list of row joined by ' '}!\"}}}\nfence: deliver_messages\n",
        b"<> ",
    ),
    (
        "dialect: a\nabout: b\nframe: json\noperations: {list_accounts: {say: {a: \"{pattern}\"}, hear: {ok: {b: \"{usernames: list of text}\"}}}}\nfence: list_accounts\n",
        b"[",
    ),
    (
        "dialect: a\nabout: b\nframe: [size: u32 = length(body), body: bytes]\noperations: {list_accounts: {say: {body: [pattern: text]}, hear: {ok: {body: [usernames: list of text(u8)]}}}}\nfence: list_accounts\n",
        b"\0\0\x40\0\0\0\0\0",
    ),
];
