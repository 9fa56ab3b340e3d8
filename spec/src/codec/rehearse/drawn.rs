//! Mistakes that a rehearsal finds, drawn at their places, with what helps.

use crate::codec::field::Class;
use crate::codec::plan::{Frame, Part, Text, TextRule};
use crate::codec::rehearse::Stage;
use crate::error::Diagnostic;

impl Stage<'_> {
    /// A field of the frame that messages leave open.
    pub(super) fn of_frame(&self, side: &str, frame: &Frame, field: &str) -> Diagnostic {
        let node = self.document.root.get("frame").unwrap_or(&self.document.root);
        let node = node.get(side).unwrap_or(node);
        let own = node.items().unwrap_or_default().iter().find(|item| item.get(field).is_some());
        let place = self.document.place(own.unwrap_or(node));
        let help = match frame.number(field) {
            Some(_) => format!(
                "a number in each message, or in the frame `{field}: u8 usually 0`, or `{field}: u32 = length(frame)`"
            ),
            None => format!(
                "a text in each message, such as {{{field}: \"x\"}}, or in the frame `{field}: word usually 'x'`"
            ),
        };
        Diagnostic::new(&place, format!("neither the frame nor every message says what its field `{field}` is"))
            .help(help)
    }

    pub(super) fn place(&self, path: &str) -> Option<crate::error::Place> {
        let (mut node, mut rest) = (&self.document.root, path);
        while !rest.is_empty() {
            // A key may have a dot in it: an error with its cause.
            if let Some(found) = node.get(rest) {
                (node, rest) = (found, "");
                continue;
            }
            let (key, behind) = rest.split_once('.').unwrap_or((rest, ""));
            // A list of one step is written as a list, or as the step itself.
            if let (Some([only]), true) = (node.items(), key.parse::<usize>().is_err()) {
                node = only;
                continue;
            }
            let item = || node.items()?.get(key.parse::<usize>().ok()?);
            (node, rest) = (node.get(key).or_else(item)?, behind);
        }
        Some(self.document.place(node))
    }

    pub(super) fn error(&self, path: &str, message: String) -> Diagnostic {
        let place = self.place(path).unwrap_or_else(|| self.document.place(&self.document.root));
        Diagnostic::new(&place, message)
    }
}

/// What helps where a word is nobody's: it is spoken as nothing, and heard as no word.
pub(super) fn silent_word(parts: &[Part]) -> Option<String> {
    let is_silent = |text: &Text| text.class == Class::Word && text.rule == TextRule::Usually(Box::default());
    parts.iter().find_map(|part| match part {
        Part::Text(text) if is_silent(text) => Some(
            "`{_: word}` is spoken as nothing, which is no word: say what it usually is, `{_: word usually 'x'}`"
                .into(),
        ),
        Part::Region(region) => silent_word(&region.parts),
        Part::Either(rows) => rows.iter().find_map(|row| silent_word(row)),
        Part::List(list) => silent_word(&list.item.parts),
        _ => None,
    })
}

/// Bytes for people: as text where they are text.
pub(super) fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.chars().all(|c| !c.is_control() || "\r\n\t".contains(c)) => format!("{text:?}"),
        _ => bytes.iter().take(48).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "),
    }
}
