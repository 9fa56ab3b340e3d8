//! YAML text into typed values, with every mistake at its line and column.
//!
//! One pass of `saphyr-parser` gives a tree of nodes that know where they stand; from it `serde_yaml` makes typed
//! values, and the path of whatever fails leads back to the node. The tree also shows what `serde_yaml` hides:
//! duplicate keys, and plain words that other YAML readers take for truth values, times or octal numbers.
//! This is the only file that knows either library.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use serde_yaml::Value;

use crate::error::{Diagnostic, Diagnostics, Place};
use crate::source::File;

/// One YAML document: a tree of nodes with their places.
#[derive(Debug, Clone)]
pub struct Document {
    /// Where it stands.
    pub file: Arc<File>,
    /// What it says.
    pub root: Node,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    span: Range<usize>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Scalar { text: String, plain: bool },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The scalar's text, quoted or not.
    pub fn text(&self) -> Option<&str> {
        if let Kind::Scalar { text, .. } = &self.kind { Some(text) } else { None }
    }

    /// Whether it is a scalar without quotes.
    pub fn is_plain(&self) -> bool {
        matches!(self.kind, Kind::Scalar { plain: true, .. })
    }

    /// The items of a list.
    pub fn items(&self) -> Option<&[Node]> {
        if let Kind::List(items) = &self.kind { Some(items) } else { None }
    }

    /// The entries of a map, in order.
    pub fn entries(&self) -> Option<&[(Node, Node)]> {
        if let Kind::Map(entries) = &self.kind { Some(entries) } else { None }
    }

    /// The entry of that key: key and value.
    pub fn entry(&self, key: &str) -> Option<&(Node, Node)> {
        self.entries()?.iter().find(|(k, _)| k.text() == Some(key))
    }

    /// The value of that key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The same data as a plain value: what typed reading and free-form interpretation start from.
    pub fn value(&self) -> Value {
        match &self.kind {
            Kind::Scalar { text, plain: false } => Value::String(text.clone()),
            Kind::Scalar { text, plain: true } => plain_value(text),
            Kind::List(items) => Value::Sequence(items.iter().map(Node::value).collect()),
            Kind::Map(entries) => Value::Mapping(entries.iter().map(|(k, v)| (k.value(), v.value())).collect()),
        }
    }
}

impl Document {
    /// Reads all documents of a file. Mistakes of writing are added to `found`; what could be read is returned.
    pub fn read(file: &Arc<File>, found: &mut Diagnostics) -> Vec<Document> {
        Self::read_part(file, 0..file.text.len(), found)
    }

    /// Reads a file that holds one document.
    pub fn read_one(file: &Arc<File>, found: &mut Diagnostics) -> Option<Document> {
        let before = found.0.len();
        let mut documents = Self::read(file, found);
        if let Some(second) = documents.get(1) {
            found.push(second.error(&second.root, "only one document can stand in this file"));
        }
        if documents.is_empty() && found.0.len() == before {
            found.push(Diagnostic::new(&Place { file: file.clone(), span: 0..0 }, "this file says nothing"));
        }
        (!documents.is_empty()).then(|| documents.swap_remove(0))
    }

    /// Reads the documents in a part of a file. Places are those of the whole file.
    pub fn read_part(file: &Arc<File>, part: Range<usize>, found: &mut Diagnostics) -> Vec<Document> {
        let mut reader = Reader::new(file, part);
        let documents = reader.documents();
        found.0.append(&mut reader.found.0);
        documents
    }

    /// The place of a node.
    pub fn place(&self, node: &Node) -> Place {
        Place { file: self.file.clone(), span: node.span.clone() }
    }

    /// A mistake at a node.
    pub fn error(&self, node: &Node, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(&self.place(node), message)
    }

    /// The text under a key that must be there. What is wrong with it is added to `found`.
    pub fn word(&self, node: &Node, key: &str, found: &mut Diagnostics) -> Option<String> {
        let Some((at, value)) = node.entry(key) else {
            found.push(self.error(node, format!("the key `{key}` is missing")).label("in this map"));
            return None;
        };
        match value.text() {
            Some("") if value.is_plain() => found.push(self.error(at, format!("the key `{key}` says nothing"))),
            Some(text) => return Some(text.to_owned()),
            None => found.push(self.error(value, format!("`{key}` takes a text"))),
        }
        None
    }

    /// Shows every key of a map that is none of the known ones.
    pub fn only(&self, node: &Node, known: &[&str], found: &mut Diagnostics) {
        for (key, _) in node.entries().unwrap_or_default() {
            let text = key.text().unwrap_or_default();
            if !known.contains(&text) {
                found.push(self.error(key, format!("unknown key `{text}`")).suggest(text, known.iter().copied()));
            }
        }
    }

    /// Reads a node as a type.
    ///
    /// # Errors
    /// What is missing, unknown or of another kind, at the place where it stands.
    pub fn typed<T: DeserializeOwned>(&self, node: &Node) -> Result<T, Diagnostic> {
        serde_path_to_error::deserialize(node.value()).map_err(|error| {
            let (mut at, mut parent) = (node, node);
            for segment in error.path() {
                parent = at;
                at = match (segment, &at.kind) {
                    (Segment::Seq { index }, Kind::List(items)) => items.get(*index).unwrap_or(at),
                    (Segment::Map { key }, Kind::Map(_)) => at.get(key).unwrap_or(at),
                    _ => at,
                };
            }
            self.explain(at, parent, &error.inner().to_string())
        })
    }

    /// Turns serde's words into ours, and points at the key where one is named.
    fn explain(&self, at: &Node, parent: &Node, message: &str) -> Diagnostic {
        let quoted = |text: &str| text.split('`').nth(1).map(str::to_owned);
        if let Some(key) = message.strip_prefix("unknown field ").and_then(quoted) {
            let node = at.entry(&key).or(parent.entry(&key)).map_or(at, |(k, _)| k);
            let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
            return self.error(node, format!("unknown key `{key}`")).suggest(&key, known);
        }
        if let Some(word) = message.strip_prefix("unknown variant ").and_then(quoted) {
            let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
            return self.error(at, format!("unknown word `{word}`")).suggest(&word, known);
        }
        if let Some(key) = message.strip_prefix("missing field ").and_then(quoted) {
            return self.error(at, format!("the key `{key}` is missing")).label("in this map");
        }
        if let Some((seen, expected)) = message.strip_prefix("invalid type: ").and_then(|m| m.split_once(", expected "))
        {
            return self.error(at, format!("here stands {}, not {}", in_words(seen), in_words(expected)));
        }
        if let Some((_, expected)) = message.strip_prefix("invalid value: ").and_then(|m| m.split_once(", expected ")) {
            return self.error(at, format!("this is not {}", in_words(expected)));
        }
        self.error(at, message.to_owned())
    }
}

/// What serde calls a kind of value, in our words.
fn in_words(kind: &str) -> &str {
    match kind.split(' ').next().unwrap_or_default() {
        "string" => "a text",
        "integer" => "a number",
        "floating" => "a broken number",
        "boolean" => "true or false",
        "unit" => "nothing",
        "sequence" => "a list",
        "map" | "struct" => "a map",
        "u8" => "a number from 0 to 255",
        "u64" | "usize" => "a number from 0 on",
        _ => match kind {
            "a sequence" => "a list",
            "a boolean" => "true or false",
            "a string" => "a text",
            other => other,
        },
    }
}

struct Reader<'a> {
    file: &'a Arc<File>,
    /// Byte offset of every character, when they differ from character counts.
    offsets: Option<Vec<usize>>,
    part: Range<usize>,
    anchors: BTreeMap<usize, Node>,
    found: Diagnostics,
}

impl<'a> Reader<'a> {
    fn new(file: &'a Arc<File>, part: Range<usize>) -> Self {
        let text = &file.text[part.clone()];
        let offsets = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Reader { file, offsets, part, anchors: BTreeMap::new(), found: Diagnostics::default() }
    }

    fn byte(&self, character: usize) -> usize {
        let inside = match &self.offsets {
            Some(offsets) => offsets.get(character).copied().unwrap_or(self.part.len()),
            None => character.min(self.part.len()),
        };
        self.part.start + inside
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.byte(span.start.index())..self.byte(span.end.index())
    }

    fn error(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.found.push(Diagnostic::new(&Place { file: self.file.clone(), span }, message));
        self.found.0.last_mut().expect("just pushed")
    }

    fn documents(&mut self) -> Vec<Document> {
        let file = self.file.clone();
        let text = &file.text[self.part.clone()];
        let mut parser = Parser::new_from_str(text);
        let mut documents = Vec::new();
        while let Some(next) = parser.next_event() {
            match next {
                Ok((Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Nothing, _)) => {}
                Ok((Event::DocumentStart(_), _)) => self.anchors.clear(),
                Ok((event, span)) => match self.node(&mut parser, event, span) {
                    Some(root) => documents.push(Document { file: self.file.clone(), root }),
                    None => break,
                },
                Err(scan) => {
                    let at = self.byte(scan.marker().index());
                    self.error(at..at, format!("this is not YAML: {}", scan.info()));
                    break;
                }
            }
        }
        documents
    }

    /// Builds the node that an event begins. None after an error that ends reading.
    fn node<'p>(
        &mut self,
        parser: &mut Parser<'p, saphyr_parser::StrInput<'p>>,
        event: Event<'p>,
        span: Span,
    ) -> Option<Node> {
        let range = self.range(span);
        let (node, anchor) = match event {
            Event::Alias(id) => return Some(self.anchors.get(&id).cloned().unwrap_or(empty(range))),
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                if plain {
                    self.refuse_traps(&range, &text);
                }
                (Node { span: range, kind: Kind::Scalar { text: text.into_owned(), plain } }, anchor)
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                let end = loop {
                    match self.next(parser)? {
                        (Event::SequenceEnd, end) => break self.range(end),
                        (event, span) => items.push(self.node(parser, event, span)?),
                    }
                };
                (Node { span: range.start..self.trim(range.start, end.end), kind: Kind::List(items) }, anchor)
            }
            Event::MappingStart(anchor, _) => {
                let mut entries: Vec<(Node, Node)> = Vec::new();
                let end = loop {
                    match self.next(parser)? {
                        (Event::MappingEnd, end) => break self.range(end),
                        (event, span) => {
                            let key = self.node(parser, event, span)?;
                            let (event, span) = self.next(parser)?;
                            let value = self.node(parser, event, span)?;
                            self.refuse_duplicate(&entries, &key);
                            entries.push((key, value));
                        }
                    }
                };
                (Node { span: range.start..self.trim(range.start, end.end), kind: Kind::Map(entries) }, anchor)
            }
            _ => return Some(empty(range)),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Some(node)
    }

    fn next<'p>(&mut self, parser: &mut Parser<'p, saphyr_parser::StrInput<'p>>) -> Option<(Event<'p>, Span)> {
        match parser.next_event()? {
            Ok(next) => Some(next),
            Err(scan) => {
                let at = self.byte(scan.marker().index());
                self.error(at..at, format!("this is not YAML: {}", scan.info()));
                None
            }
        }
    }

    /// Collections end where their last line ends, not where the next thing begins.
    fn trim(&self, start: usize, end: usize) -> usize {
        start + self.file.text[start..end.max(start)].trim_end().len()
    }

    fn refuse_duplicate(&mut self, entries: &[(Node, Node)], key: &Node) {
        let Some(text) = key.text() else { return };
        if let Some((first, _)) = entries.iter().find(|(k, _)| k.text() == Some(text)) {
            let first = Place { file: self.file.clone(), span: first.span.clone() };
            let text = text.to_owned();
            let diagnostic = self.error(key.span.clone(), format!("the key `{text}` stands here twice"));
            diagnostic.others.push((first, "first here".to_owned()));
            diagnostic.help = Some("readers of YAML keep one of them and drop the other without a word".to_owned());
        }
    }

    /// Words that mean something else to another reader of the same file.
    fn refuse_traps(&mut self, range: &Range<usize>, text: &str) {
        let lower = text.to_ascii_lowercase();
        let taken_for = match lower.as_str() {
            "on" | "off" | "yes" | "no" | "y" | "n" => "a truth value",
            "true" | "false" if text != lower => "a truth value",
            _ if is_sexagesimal(text) => "a number of seconds (YAML 1.1 counts in sixties)",
            _ if is_octal(text) => "an octal number",
            _ if is_date(text) => "a date",
            _ => return,
        };
        let diagnostic =
            self.error(range.clone(), format!("`{text}` is taken for {taken_for} by some readers of YAML"));
        diagnostic.help = Some(format!("put it in quotes: \"{text}\""));
    }
}

fn empty(span: Range<usize>) -> Node {
    Node { span, kind: Kind::Scalar { text: String::new(), plain: true } }
}

fn is_sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    parts.next().is_some_and(digits) && parts.clone().next().is_some() && parts.all(|p| digits(p) && p.len() <= 2)
}

fn is_octal(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 8
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && bytes[4] == b'-'
        && bytes.iter().all(|b| b.is_ascii_digit() || *b == b'-')
}

/// A scalar without quotes, by the rules of YAML 1.2's core schema.
fn plain_value(text: &str) -> Value {
    match text {
        "" | "~" | "null" => return Value::Null,
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        _ => {}
    }
    if let Some(hex) = text.strip_prefix("0x")
        && let Ok(number) = u64::from_str_radix(hex, 16)
    {
        return Value::from(number);
    }
    if is_octal(text) {
        return Value::String(text.to_owned());
    }
    if let Ok(number) = text.parse::<u64>() {
        return Value::from(number);
    }
    if let Ok(number) = text.parse::<i64>() {
        return Value::from(number);
    }
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
    match text.parse::<f64>() {
        Ok(number) if numeric => Value::from(number),
        _ => Value::String(text.to_owned()),
    }
}
