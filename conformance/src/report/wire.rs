//! What was said and heard, as people read it: a line for each thing, and below it text as text, or bytes with their
//! meaning.
//!
//! On a wire of text, hex says nothing that the text does not say, and takes all the room. Not here: which of it is shown
//! (`terminal`), and single exchanges, of which every byte counts (`commands::probe`).

use std::fmt::Write as _;

use spec::codec::{Annotated, Line};
use spec::dialect::Dialect;

use crate::history::{Direction, Entry};

/// Characters of a text that are shown, and lines of a message.
const CHARACTERS: usize = 300;
const LINES: usize = 12;

/// Bytes of a long text that are shown in hex, too: more of them explain nothing.
const IN_HEX: usize = 16;

/// Bytes of a length in front of a text, at most.
const LENGTH: usize = 8;

/// One thing that happened.
pub(super) fn shown(entry: &Entry, dialect: &Dialect) -> String {
    let (arrow, words, annotated) = match entry.direction {
        Direction::Said => {
            let annotated = dialect.annotate_request(&entry.bytes);
            ("→", named(&entry.text, &annotated), annotated)
        }
        Direction::Heard => ("←", entry.text.clone(), dialect.annotate_answer(&entry.bytes, entry.dialogue.as_ref())),
        Direction::Noted => return format!("{}  · {}\n", entry.actor, entry.text),
    };
    let mut shown = format!("{}  {arrow} {words}\n", entry.actor);
    match text(&entry.bytes) {
        // The text of a call was never on the wire.
        Some(text) if annotated.call.is_empty() => lines_of(text, &mut shown),
        _ => fields_of(annotated, &mut shown),
    }
    shown
}

/// What was said, with the name of what its bytes ask for, where the words do not begin with that.
pub(crate) fn named(words: &str, annotated: &Annotated) -> String {
    match annotated.title.as_str() {
        "" => words.to_owned(),
        title if words.starts_with(title) => words.to_owned(),
        title => format!("{words}: {title}"),
    }
}

/// The bytes as a text, if a person can read them.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.chars().all(|one| !one.is_control() || matches!(one, '\n' | '\r' | '\t')).then_some(text)
}

/// A message that is a text, line by line.
fn lines_of(text: &str, shown: &mut String) {
    for line in text.split_inclusive('\n').take(LINES) {
        let _ = writeln!(shown, "      {}", quoted(line));
    }
    let rest = text.split_inclusive('\n').count().saturating_sub(LINES);
    if rest > 0 {
        let _ = writeln!(shown, "      … {rest} more lines");
    }
}

/// A message of bytes, field by field; of a field that is a long text, all of the text and the first bytes.
fn fields_of(annotated: Annotated, shown: &mut String) {
    if !annotated.call.is_empty() {
        return rows_of(&annotated, shown);
    }
    for mut line in annotated.lines {
        let mut left_out = 0;
        if let Some(whole) = long_text(&line) {
            line.value = quoted(whole);
            left_out = line.bytes.len().saturating_sub(IN_HEX);
            line.bytes.truncate(IN_HEX);
        }
        rows_of(&Annotated { title: String::new(), lines: vec![line], call: Vec::new() }, shown);
        if left_out > 0 {
            let _ = writeln!(shown, "            … {left_out} more bytes");
        }
    }
}

fn rows_of(annotated: &Annotated, shown: &mut String) {
    for row in annotated.to_string().lines() {
        let _ = writeln!(shown, "      {row}");
    }
}

/// The text of a field whose value was cut short. A length may stand in front of it.
fn long_text(line: &Line) -> Option<&str> {
    let (beginning, _) = line.value.split_once("\"… (")?;
    let mut texts = (0..=line.bytes.len().min(LENGTH)).filter_map(|skipped| text(&line.bytes[skipped..]));
    texts.find(|text| format!("{text:?}").starts_with(beginning))
}

fn quoted(text: &str) -> String {
    match text.char_indices().nth(CHARACTERS) {
        None => format!("{text:?}"),
        Some((at, _)) => format!("{:?}… ({} bytes)", &text[..at], text.len()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use spec::Spec;
    use spec::codec::Memory;
    use spec::value::Record;

    use super::*;

    fn said(dialect: &str, bytes: Vec<u8>) -> String {
        let dialect = Spec::embedded().dialect(dialect).expect("a known wire");
        let (actor, text) = ("alice".to_owned(), "send_message".to_owned());
        let at = Duration::ZERO;
        let entry = Entry { step: 1, at, actor, direction: Direction::Said, text, bytes, dialogue: None };
        shown(&entry, &dialect)
    }

    #[test]
    fn a_message_that_is_text_is_shown_as_its_text() {
        let shown = said("003-replicated", "send \"bob\" hällo\n\tthe second line".into());
        assert_eq!(shown, "alice  → send_message\n      \"send \\\"bob\\\" hällo\\n\"\n      \"\\tthe second line\"\n");
        let long = said("003-replicated", format!("{}\n", "x".repeat(301)).repeat(14).into());
        assert!(long.contains(&format!("\"{}\"… (302 bytes)\n", "x".repeat(300))), "{long}");
        assert!(long.ends_with("      … 2 more lines\n"), "{long}");
    }

    #[test]
    fn a_long_text_between_other_bytes_is_whole_and_the_bytes_keep_their_meaning() {
        let dialect = Spec::embedded().dialect("framed").expect("a known wire");
        let message = "a text that is longer than forty characters, and interesting at its end";
        let arguments =
            Record::new().with("recipient", "bob").with("text", message).with("key", spec::value::Value::Bytes(vec![]));
        let mut bytes = Vec::new();
        let spoken = dialect.speak_request_as("send_message", &arguments, &Memory::of("alice"), 1, &mut bytes);
        assert!(spoken.is_ok());
        let shown = said("framed", bytes);
        assert!(shown.contains(&format!("text: \"{message}\"\n")), "{shown}");
        assert!(
            shown.contains("more bytes\n") && shown.contains("00 03 62 6f 62           recipient: \"bob\"\n"),
            "{shown}"
        );
    }
}
