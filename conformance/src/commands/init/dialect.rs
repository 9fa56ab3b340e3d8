//! The dialect file that is written: a copy of a known one, or a small chat over the framing that was asked for.

use std::path::Path;

use spec::Spec;

use crate::commands::init::asked::Asked;
use crate::commands::init::{Framing, Naming, no_dialect};
use crate::exit::Exit;

/// A dialect of the specification under another name, and the files that it needs beside it.
pub(super) fn copied(from: &str, name: &str, file: &str, spec: &Spec) -> Result<Vec<(String, String)>, Exit> {
    let dialect = spec.dialect(from).ok_or_else(|| no_dialect(from, spec))?;
    let is_it = |text: &str| {
        let named = text.lines().find_map(|line| line.strip_prefix("dialect:"));
        named.is_some_and(|named| named.trim().trim_matches('"') == from)
    };
    let source = spec.source.below("protocol/dialects").find(|file| is_it(&file.text));
    let mut text = source.map(|file| file.text.clone()).ok_or_else(|| no_dialect(from, spec))?;
    let mut files = Vec::new();
    if let (Some(proto), Some(schema)) =
        (dialect.grpc.as_ref().and_then(|grpc| grpc.proto.as_deref()), spec.proto_of(&dialect))
    {
        let beside = format!("{name}.proto");
        let known = Path::new(proto).file_name().and_then(|name| name.to_str()).unwrap_or(proto);
        text = lines(&text, |line| match line.strip_prefix("proto:") {
            Some(path) if path.trim().ends_with(known) => format!("proto: {beside}"),
            _ => line.to_owned(),
        });
        files.push((beside, schema));
    }
    text = lines(&text, |line| match line.starts_with("dialect:") {
        true => format!("dialect: {}", serde_json::to_string(name).unwrap_or_default()),
        false => line.to_owned(),
    });
    let head = format!(
        "# Begun as a copy of {from}. Change what your server does otherwise; all of the language: docs/reference/dialect-language.md\n\n"
    );
    files.insert(0, (file.to_owned(), head + &text));
    Ok(files)
}

fn lines(text: &str, change: impl Fn(&str) -> String) -> String {
    text.lines().map(|line| change(line) + "\n").collect()
}

/// A small chat, with comments that say what to change.
pub(super) fn written(name: &str, asked: &Asked) -> String {
    let framing = asked.framing.unwrap_or(Framing::Lines);
    let head = format!(
        "\
# What {name} says and hears, from the client's side: `say` goes to the server, `hear` comes from it.
# All of the language: docs/reference/dialect-language.md. After each change: conformance check {name}-dialect.yaml

dialect: {}
about: A chat of our own.

",
        serde_json::to_string(name).unwrap_or_default()
    );
    let rest = if framing == Framing::Json { objects(asked.naming) } else { texts(framing, asked.naming) };
    head + &rest + TAIL
}

/// What stands in every file behind the operations.
const TAIL: &str = "
# An operation that is always answered, if only by an error: with it the suite proves that nothing else comes.
fence: list_accounts

# Where right servers differ; what is not said is as in the protocol. `conformance probe … --policies` finds yours.
policies: {list_order: none, second_log_in: refused, deliver_drains: at_once, delete_waiting: discarded}

# What values may be here, where that is less than the protocol allows: a regular expression over the whole value.
limits: {username: \"[a-zA-Z0-9]{1,30}\", password: \"[a-zA-Z0-9]{1,50}\", text: \"[^|\\\\r\\\\n]{1,200}\"}

# Operations that your server does not have need no mention: leave them out above.
";

/// Messages that are text, behind a length, in lines, or with nothing around them.
fn texts(framing: Framing, naming: Naming) -> String {
    let numbered = naming == Naming::Number;
    let frame = match framing {
        Framing::Length if numbered => {
            "\
# Every message: a number that counts the bytes of the text, and the text. Requests have a code before it.
# u32 is four bytes, the highest first; u32le the lowest first. `length(data) + 1` would count the code, too.
frame:
  say:  [size: u32 = length(data), code: u8, data: text]
  hear: [size: u32 = length(data), data: text]
"
        }
        Framing::Length => {
            "\
# Every message: a number that counts the bytes of the text, and the text.
# u32 is four bytes, the highest first; u32le the lowest first. `length(data) + 4` would count the number, too.
frame: [size: u32 = length(data), data: text]
"
        }
        Framing::None => {
            "\
# Nothing tells where a message ends: what is read at once is one, and a pause ends it.
frame: [data: text]
pause_ms: 10
"
        }
        _ => {
            "\
# Every message is a line. For lines that end in both characters: [data: text, \"\\r\\n\"]
frame: [data: text, \"\\n\"]
"
        }
    };
    let requests: [(&str, &str); 7] = [
        ("create", "{username: word} {password: word}"),
        ("login", "{username: word} {password: word}"),
        ("logout", ""),
        ("list", "{pattern}"),
        ("send", "{recipient: word} {text}"),
        ("read", ""),
        ("delete", "{password: word}"),
    ];
    let say = |number: usize| {
        let (word, rest) = requests[number - 1];
        let data =
            |first: &str| format!("\"{first}{}{rest}\"", if rest.is_empty() || first.is_empty() { "" } else { " " });
        match (framing, naming) {
            (Framing::Length, Naming::Number) => format!("{{code: {number}, data: {}}}", data("")),
            (_, Naming::Number) => data(&number.to_string()),
            (_, Naming::Word) => data(word),
        }
    };
    format!(
        "{frame}
# What several messages have in common. A word has no blank in it.
shapes:
  note: \"{{sender: word}}: {{text}}\"

# What may come at any time: the errors of every operation, and messages that nobody asked for.
# The first entry that fits is taken, an operation's own before these; `error` is whatever else the server complains of.
hear:
  not_logged_in: \"error not logged in\"
  malformed:     \"error malformed\"
  message:       \"message {{sender: word}}: {{text}}\"
  error:         \"error {{detail}}\"

# One of each that your server has. {{name}} is a value of the protocol: `conformance explain send_message` lists them.
operations:
  create_account:
    say:  {}
    hear: {{ok: \"created\", username_taken: \"error username taken\", invalid_username: \"error invalid username\"}}
  log_in:
    say:  {}
    hear: {{ok: \"welcome\", bad_credentials: \"error wrong username or password\", already_logged_in: \"error already logged in\"}}
  log_out:
    say:  {}
    hear: {{ok: \"bye\"}}
  list_accounts:
    say:  {}
    hear: {{ok: \"accounts [{{usernames: list of word joined by ' '}}]\"}}
  send_message:
    say:  {}
    hear: {{delivered: \"delivered\", queued: \"queued\", no_such_user: \"error no such user\"}}
  deliver_messages:
    say:  {}
    hear: {{ok: \"messages [{{messages: list of note joined by '|'}}]\"}}
  delete_account:
    say:  {}
    hear: {{ok: \"deleted\", bad_credentials: \"error wrong username or password\"}}
",
        say(1),
        say(2),
        say(3),
        say(4),
        say(5),
        say(6),
        say(7)
    )
}

/// Messages that are JSON objects.
fn objects(naming: Naming) -> String {
    let op = |number: usize, word: &str| match naming {
        Naming::Number => number.to_string(),
        Naming::Word => word.to_owned(),
    };
    format!(
        "\
# Every message is one JSON object; the brace that closes it ends it.
# If your server reads lines, say `frame: [body: json, \"\\n\"]`, and each message below as `{{body: {{…}}}}`.
frame: json

# What several messages have in common.
shapes:
  note: {{from: \"{{sender}}\", text: \"{{text}}\"}}

# What may come at any time: the errors of every operation, and messages that nobody asked for.
# The first entry that fits is taken, an operation's own before these; `error` is whatever else the server complains of.
hear:
  not_logged_in: {{ok: false, error: not logged in}}
  malformed:     {{ok: false, error: malformed}}
  message:       {{event: message, from: \"{{sender}}\", text: \"{{text}}\"}}
  error:         {{ok: false, error: \"{{detail}}\"}}

# One of each that your server has. \"{{name}}\" is a value of the protocol: `conformance explain send_message` lists them.
operations:
  create_account:
    say:  {{op: {}, username: \"{{username}}\", password: \"{{password}}\"}}
    hear: {{ok: {{ok: true}}, username_taken: {{ok: false, error: username taken}}, invalid_username: {{ok: false, error: invalid username}}}}
  log_in:
    say:  {{op: {}, username: \"{{username}}\", password: \"{{password}}\"}}
    hear: {{ok: {{ok: true}}, bad_credentials: {{ok: false, error: wrong username or password}}, already_logged_in: {{ok: false, error: already logged in}}}}
  log_out:
    say:  {{op: {}}}
    hear: {{ok: {{ok: true}}}}
  list_accounts:
    say:  {{op: {}, pattern: \"{{pattern}}\"}}
    hear: {{ok: {{ok: true, usernames: \"{{usernames: list of text}}\"}}}}
  send_message:
    say:  {{op: {}, to: \"{{recipient}}\", text: \"{{text}}\"}}
    hear: {{delivered: {{ok: true, delivered: true}}, queued: {{ok: true, delivered: false}}, no_such_user: {{ok: false, error: no such user}}}}
  deliver_messages:
    say:  {{op: {}}}
    hear: {{ok: {{ok: true, messages: \"{{messages: list of note}}\"}}}}
  delete_account:
    say:  {{op: {}, password: \"{{password}}\"}}
    hear: {{ok: {{ok: true}}, bad_credentials: {{ok: false, error: wrong username or password}}}}
",
        op(1, "create"),
        op(2, "login"),
        op(3, "logout"),
        op(4, "list"),
        op(5, "send"),
        op(6, "read"),
        op(7, "delete")
    )
}
