//! What was said and what came, field by field; and where nothing fits, every entry that was tried.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use spec::codec::{Annotated, Came, Dialogue, End, Heard, What};
use spec::dialect::Dialect;
use spec::value::{Record, Value};

use crate::report::wire::named;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

pub(super) fn note(text: &str) {
    anstream::println!("{DIM}· {text}{DIM:#}");
}

/// What was said: an operation with its arguments, or raw bytes.
pub(super) fn said(dialect: &Dialect, title: &str, bytes: &[u8], is_raw: bool) {
    if is_raw {
        anstream::println!("→ {title}");
        plain(bytes);
    } else {
        let asked = dialect.annotate_request(bytes);
        anstream::println!("→ {}", named(title, &asked));
        annotated(&asked);
    }
}

/// What came, and how it was understood. Whether it was.
pub(super) fn came(dialect: &Dialect, came: &Came, after: Duration) -> bool {
    let heard = match &came.what {
        What::Answer(heard) | What::Part(heard) | What::Event(heard) => heard,
    };
    let is_part = matches!(came.what, What::Part(Heard::Next { .. } | Heard::More { .. }));
    let words = match heard {
        Heard::Ok { operation: Some(name), values, .. } if name == "connect" => format!("the greeting {values}"),
        Heard::Ok { operation: Some(name), values, .. } if matches!(came.what, What::Part(_)) => {
            format!("{name} is answered with ok {values}")
        }
        Heard::Ok { values, .. } => format!("ok {values}"),
        Heard::Error { name, values, .. } if name == "error" => {
            format!("some error: the dialect does not say which {values}")
        }
        Heard::Error { name, values, .. } => format!("{name} {values}"),
        Heard::Event { name, values, .. } => format!("the event {name}, which nobody asked for {values}"),
        Heard::Next { values, .. } => format!("go on {values}"),
        Heard::More { values, .. } => format!("one more {values}"),
        Heard::Ignored { .. } => "to be ignored, says the dialect".into(),
        Heard::Other { .. } => "nothing in the dialect looks like this".into(),
    };
    let words = words.replace(" {}", "");
    let words = if is_part { format!("{words}, and the answer goes on") } else { words };
    let understood = !matches!(heard, Heard::Other { .. });
    let style = match heard {
        Heard::Ok { .. } | Heard::Event { .. } | Heard::Next { .. } | Heard::More { .. } => GOOD,
        Heard::Error { .. } | Heard::Other { .. } => BAD,
        Heard::Ignored { .. } => DIM,
    };
    if came.bytes.is_empty() {
        anstream::println!("← {style}{words}{style:#} {DIM}({}: told by silence, or by the end){DIM:#}", took(after));
    } else {
        anstream::println!("← {style}{words}{style:#} {DIM}({}){DIM:#}", took(after));
        annotated(&dialect.annotate_answer(&came.bytes, came.dialogue.as_ref()));
    }
    if !understood {
        tried(dialect, &came.bytes, came.dialogue.as_ref(), true);
    }
    understood
}

/// Bytes that make no whole message.
pub(super) fn unfinished(dialect: &Dialect, bytes: &[u8], dialogue: Option<&Dialogue>) {
    anstream::println!("← {BAD}{} bytes, and no whole message{BAD:#}", bytes.len());
    annotated(&dialect.annotate_answer(bytes, dialogue));
    tried(dialect, bytes, dialogue, false);
}

/// Every entry, in the order in which they are tried; those that went furthest are marked.
fn tried(dialect: &Dialect, bytes: &[u8], dialogue: Option<&Dialogue>, complete: bool) {
    let tried = dialect.tried(bytes, dialogue, complete);
    let far = |end: &End| match end {
        End::Fits(taken) => *taken,
        End::Short(_) => bytes.len(),
        End::Stops(unfit) => unfit.offset,
    };
    let furthest = tried.iter().map(|one| far(&one.end)).max().unwrap_or(0);
    anstream::println!("      tried, in this order:");
    for one in &tried {
        let mark = if far(&one.end) == furthest { "▸" } else { " " };
        anstream::println!("      {mark} {one}");
    }
    if tried.is_empty() {
        anstream::println!("        nothing: the dialect says nothing of what may come here");
    }
}

/// What might have come, where nothing did.
pub(super) fn expected(dialect: &Dialect, dialogue: Option<&Dialogue>) {
    let paths: Vec<String> = dialect.tried(&[], dialogue, false).into_iter().map(|one| one.path).collect();
    if let Some(dialogue) = dialogue.filter(|_| !paths.is_empty()) {
        let operation = dialect.operation_of(dialogue).unwrap_or("what was said");
        anstream::println!("      {operation} may be answered by {}", paths.join(", "));
    }
}

/// What is remembered from now on, of what was told.
pub(super) fn learned(values: &Record) {
    for (name, value) in values.iter() {
        let whole = match value {
            Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            other => other.to_string(),
        };
        anstream::println!("      {DIM}learned {{my {name}}} = {whole}{DIM:#}");
    }
}

fn annotated(annotated: &Annotated) {
    for line in annotated.to_string().lines() {
        anstream::println!("      {line}");
    }
}

fn plain(bytes: &[u8]) {
    for (row, bytes) in bytes.chunks(16).enumerate() {
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String = bytes
            .iter()
            .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '·' })
            .collect();
        anstream::println!("      {:04x}  {:<47}  {text}", row * 16, hex.join(" "));
    }
}

/// A duration as a person reads it.
pub(super) fn took(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}
