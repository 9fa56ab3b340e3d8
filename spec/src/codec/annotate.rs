//! Bytes with their meaning beside them, field by field: golden bytes, traces, and the evidence of a finding.
//!
//! A call of gRPC has no bytes that anybody said: the line that stands for it is told by its members.

use std::fmt;

use serde_json::Value as JsonValue;

use crate::codec::hear::{Seen, Trace, hear_message, hear_shape};
use crate::codec::plan::{Entry, Meaning};
use crate::codec::{Dialogue, Slots};
use crate::dialect::Dialect;

/// One message, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotated {
    /// What it is: `send_message`, `ok of send_message`, `no_such_user`, `message`; empty if nothing fits.
    pub title: String,
    /// Its fields in the order of the bytes.
    pub lines: Vec<Line>,
    /// Of gRPC, what the call says, by name. Its bytes were never on the wire, and are not drawn.
    pub call: Vec<(String, String)>,
}

/// One field: its bytes and what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Offset of the first byte.
    pub offset: usize,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The field's name.
    pub field: String,
    /// Its value, as a person reads it.
    pub value: String,
}

/// Bytes on one line of the drawing.
const COLUMNS: usize = 8;

/// What a line of a call can say, in the order in which it is read.
const CALL: [&str; 6] = ["method", "status", "detail", "request", "reply", "end"];

/// Characters of one value of a call, at most.
const VALUE: usize = 400;

/// Lines of one field beyond which the rest is left out.
const ROWS: usize = 8;

impl fmt::Display for Annotated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.call.is_empty() {
            return self.call.iter().try_for_each(|(name, value)| writeln!(f, "{name}: {value}"));
        }
        for line in &self.lines {
            let rows: Vec<&[u8]> = line.bytes.chunks(COLUMNS).collect();
            for (index, row) in rows.iter().enumerate() {
                if rows.len() > ROWS && index == ROWS - 1 && index + 1 < rows.len() {
                    writeln!(f, "      … {} more bytes", line.bytes.len() - index * COLUMNS)?;
                    break;
                }
                let hex: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
                let hex = hex.join(" ");
                let offset = line.offset + index * COLUMNS;
                if index == 0 && !line.field.is_empty() {
                    // A constant without a name says its value already: `u8 = 0`.
                    let constant = line.field.ends_with(&format!("= {}", line.value));
                    let value = if constant { "" } else { &line.value };
                    let colon = if value.is_empty() { "" } else { ": " };
                    writeln!(f, "{offset:04x}  {hex:<23}  {}{colon}{value}", line.field)?;
                } else {
                    writeln!(f, "{offset:04x}  {hex}")?;
                }
            }
        }
        Ok(())
    }
}

impl Dialect {
    /// Takes a request apart, as far as it can be understood.
    pub fn annotate_request(&self, bytes: &[u8]) -> Annotated {
        self.as_call(self.annotate_said(bytes), bytes)
    }

    /// Takes an answer or event apart, as far as it can be understood.
    pub fn annotate_answer(&self, bytes: &[u8], dialogue: Option<&Dialogue>) -> Annotated {
        self.as_call(self.annotate_heard(bytes, dialogue), bytes)
    }

    fn as_call(&self, annotated: Annotated, bytes: &[u8]) -> Annotated {
        let call = if self.grpc.is_some() { members(bytes) } else { Vec::new() };
        Annotated { call, ..annotated }
    }

    fn annotate_said(&self, bytes: &[u8]) -> Annotated {
        let mut title = String::new();
        let (mut slots, mut dialogue) = (Slots::new(), Dialogue::default());
        self.hear_request_of(bytes, true, None, &mut slots, &mut dialogue);
        let says = self.all_plans().flat_map(|(index, plan)| {
            plan.steps.iter().flat_map(move |step| step.say.iter().map(move |message| (index, message)))
        });
        let known = dialogue.operation;
        for (index, message) in says.filter(|(index, _)| known.is_none_or(|known| known == *index)) {
            let mut lines = Lines::new(bytes);
            let heard = hear_message(message, bytes, true, &[], &mut slots, &mut lines);
            let is_only = self.plan(index).steps.iter().map(|step| step.say.len()).sum::<usize>() == 1;
            if heard.is_ok() || known == Some(index) && is_only {
                title.clone_from(&self.plan(index).name);
                return lines.finish(title);
            }
        }
        let mut lines = Lines::new(bytes);
        let _ = hear_shape(&self.whole_say, &[], bytes, true, &[], &mut slots, &mut lines);
        lines.finish(title)
    }

    fn annotate_heard(&self, bytes: &[u8], dialogue: Option<&Dialogue>) -> Annotated {
        let mut slots = Slots::new();
        for (dialogue, operation, entry) in self.answers(&[dialogue]) {
            let mut lines = Lines::new(bytes);
            if self.try_entry(entry, operation, bytes, true, &mut slots, dialogue, &mut lines).is_ok() {
                let own = operation.filter(|_| !entry.path.starts_with("hear"));
                let title = match own.map(|operation| self.plan(operation).name.as_str()) {
                    Some(name) => format!("{} of {name}", self.word(entry, &slots)),
                    None => self.word(entry, &slots).to_owned(),
                };
                return lines.finish(title);
            }
        }
        let mut lines = Lines::new(bytes);
        let _ = hear_shape(&self.whole_hear, &[], bytes, true, &[], &mut slots, &mut lines);
        lines.finish(String::new())
    }

    /// The meaning in a word; for some error, which one.
    fn word<'m>(&'m self, entry: &'m Entry, slots: &Slots<'_>) -> &'m str {
        match &entry.meaning {
            Meaning::Ok => "ok",
            Meaning::Ignore => "ignore",
            Meaning::Next => "next",
            Meaning::More if entry.again => "again",
            Meaning::More => "more",
            Meaning::Outcome(name) | Meaning::Error(name, _) | Meaning::Event(name) => name,
            Meaning::AnyError => {
                let code = self.error_code(entry, slots);
                self.errors.iter().find(|(_, e)| Some(u64::from(e.code)) == code).map_or("error", |(name, _)| name)
            }
        }
    }
}

/// Collects lines while bytes are heard.
struct Lines<'a> {
    bytes: &'a [u8],
    lines: Vec<Line>,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Lines { bytes, lines: Vec::new() }
    }

    /// Every byte in one line: what stands behind the body was heard before it, and some of it perhaps not at all.
    fn finish(mut self, title: String) -> Annotated {
        self.lines.sort_by_key(|line| (line.offset, line.bytes.len()));
        let mut told = 0;
        let mut lines = Vec::new();
        for line in self.lines {
            let begins = line.offset;
            lines.extend(untold(self.bytes, told, begins));
            told = begins + line.bytes.len();
            lines.push(line);
        }
        lines.extend(untold(self.bytes, told, self.bytes.len()));
        Annotated { title, lines, call: Vec::new() }
    }
}

/// The members of a call, and of its message each field. Nothing, if it is no line of a call.
fn members(line: &[u8]) -> Vec<(String, String)> {
    let Ok(JsonValue::Object(members)) = serde_json::from_slice(line) else { return Vec::new() };
    let told = CALL.iter().filter_map(|name| Some((*name, members.get(*name)?)));
    let told = told.flat_map(|(name, value)| match value {
        JsonValue::String(detail) if name == "detail" && detail.is_empty() => Vec::new(),
        JsonValue::String(word) if name != "detail" => vec![(name.to_owned(), word.clone())],
        JsonValue::Object(fields) if !fields.is_empty() => {
            fields.iter().map(|(field, value)| (format!("{name}.{field}"), cut(value))).collect()
        }
        value => vec![(name.to_owned(), cut(value))],
    });
    told.collect()
}

fn cut(value: &JsonValue) -> String {
    let text = value.to_string();
    match text.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

/// Bytes that no field explains.
fn untold(bytes: &[u8], from: usize, to: usize) -> Option<Line> {
    let field = if from == 0 { "" } else { "not understood" }.to_owned();
    (from < to).then(|| Line { offset: from, bytes: bytes[from..to].to_vec(), field, value: String::new() })
}

impl Trace for Lines<'_> {
    const LOOKS: bool = true;

    fn part(&mut self, label: &str, from: usize, to: usize, seen: Seen<'_>) {
        let value = match seen {
            Seen::Int(number) => number.to_string(),
            Seen::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if text.chars().count() > 40 => {
                    format!("{:?}… ({} bytes)", text.chars().take(40).collect::<String>(), bytes.len())
                }
                Ok(text) if text.chars().all(|c| !c.is_control() || "\t\r\n".contains(c)) => format!("{text:?}"),
                _ => format!("{} bytes", bytes.len()),
            },
            Seen::Nothing => String::new(),
        };
        let to = to.min(self.bytes.len());
        let from = from.min(to);
        self.lines.push(Line { offset: from, bytes: self.bytes[from..to].to_vec(), field: label.to_owned(), value });
    }

    fn seen(&self) -> usize {
        self.lines.len()
    }

    fn forget(&mut self, seen: usize) {
        self.lines.truncate(seen);
    }
}
