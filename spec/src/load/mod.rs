//! YAML text into typed values, with every mistake at its line and column.
//!
//! One pass of `saphyr-parser` gives a tree of nodes that know where they stand; from it `serde_yaml` makes typed
//! values, and the path of whatever fails leads back to the node. The tree also shows what `serde_yaml` hides:
//! duplicate keys, and plain words that other YAML readers take for truth values, times or octal numbers.
//! No other folder knows either library.

mod plain;
mod reader;

use std::ops::Range;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use serde_yaml::Value;

use crate::error::{Diagnostic, Diagnostics, Place};
use crate::source::File;
use reader::Reader;

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
            Kind::Scalar { text, plain: true } => plain::value(text),
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
