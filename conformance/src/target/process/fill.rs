//! Placeholders: `{port}` and its like, replaced in every text of a target that is started.
//!
//! `{word}` is a placeholder, `{{word}}` stands for `{word}`, and `${word}` belongs to a shell and stays as it is.
//! Anything else in braces is no affair of ours.

use std::collections::BTreeMap;

/// What placeholders stand for, by their names.
pub(in crate::target) type Values = BTreeMap<String, String>;

/// Replaces the placeholders that have a value.
pub(in crate::target) fn fill(text: &str, values: &Values) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut done = 0;
    for Found { start, end, name, escaped } in find(text) {
        filled.push_str(&text[done..start]);
        match values.get(name) {
            _ if escaped => filled.push_str(&text[start + 1..end - 1]),
            Some(value) => filled.push_str(value),
            None => filled.push_str(&text[start..end]),
        }
        done = end;
    }
    filled.push_str(&text[done..]);
    filled
}

/// The names of the placeholders in a text.
pub(in crate::target) fn placeholders(text: &str) -> Vec<String> {
    find(text).filter(|found| !found.escaped).map(|found| found.name.to_owned()).collect()
}

/// A placeholder, or one that is escaped: where it stands, braces included.
struct Found<'a> {
    start: usize,
    end: usize,
    name: &'a str,
    escaped: bool,
}

fn find(text: &str) -> impl Iterator<Item = Found<'_>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(open) = text[at..].find('{').map(|found| at + found) {
            let length =
                bytes[open + 1..].iter().take_while(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')).count();
            let close = open + 1 + length;
            let begins = bytes.get(open + 1).is_some_and(u8::is_ascii_lowercase);
            let before = open.checked_sub(1).map(|before| bytes[before]);
            at = open + 1;
            if !begins || bytes.get(close) != Some(&b'}') || before == Some(b'$') {
                continue;
            }
            at = close + 1;
            let name = &text[open + 1..close];
            if before == Some(b'{') && bytes.get(close + 1) == Some(&b'}') {
                at = close + 2;
                return Some(Found { start: open - 1, end: close + 2, name, escaped: true });
            }
            return Some(Found { start: open, end: close + 1, name, escaped: false });
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_braces_are_replaced_and_nothing_else() {
        let values = Values::from([("port".to_owned(), "7".to_owned())]);
        for (text, filled) in [
            ("--port={port}", "--port=7"),
            ("{port}{port}", "77"),
            ("{{port}}", "{port}"),
            ("${port} $ {port}", "${port} $ 7"),
            ("{ port } {Port} {} {prot} {port", "{ port } {Port} {} {prot} {port"),
            ("{\"port\": {port}}", "{\"port\": 7}"),
            ("ü{port}ü", "ü7ü"),
        ] {
            assert_eq!(fill(text, &values), filled);
        }
        assert_eq!(placeholders("{a} {{b}} ${c} {d2}"), ["a", "d2"]);
    }
}
