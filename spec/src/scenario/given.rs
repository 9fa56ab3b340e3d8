//! What a step says: literal values, texts with holes, and values that are made.

use serde_yaml::Value as Yaml;

use crate::codec;
use crate::error::Diagnostic;
use crate::load::{Document, Node};
use crate::service::{FieldKind, Service};
use crate::value::Value;

/// A value to be made when the step is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// The value itself.
    Literal(Value),
    /// A text with holes. One that is nothing but a hole is that value, whatever its kind.
    Text(Vec<Piece>),
    /// A text so many times.
    Repeat {
        /// The text.
        text: String,
        /// How often.
        times: u64,
    },
    /// A username of this case, new each time.
    Fresh {
        /// Its length in characters.
        characters: u64,
        /// What fills it up.
        filler: String,
    },
}

/// A piece of a text with holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text as it is.
    Literal(String),
    /// A hole, by the name of what fills it.
    Hole(String),
}

impl Given {
    /// Reads a value.
    pub(crate) fn read(document: &Document, node: &Node) -> Result<Given, Diagnostic> {
        if let Some(entries) = node.entries() {
            return made(document, node, entries);
        }
        if node.items().is_some() {
            return Err(document.error(node, "a list cannot be given here"));
        }
        match node.value() {
            Yaml::Number(number) => match number.as_u64() {
                Some(number) => Ok(Given::Literal(Value::Int(number))),
                None => Err(document.error(node, "numbers are whole, and not below 0")),
            },
            Yaml::Bool(flag) => Ok(Given::Literal(Value::Flag(flag))),
            Yaml::String(text) => template(&text).map_err(|why| document.error(node, why)),
            _ => Err(document.error(node, "a value is missing").help("an empty text is written \"\"")),
        }
    }

    /// Refuses what cannot be the value of a field. A text that is only a hole can be anything.
    pub(crate) fn refuse_other_kind(
        &self,
        document: &Document,
        node: &Node,
        field: &str,
        service: &Service,
    ) -> Result<(), Diagnostic> {
        let Some(kind) = service.field(field).map(|field| field.kind) else { return Ok(()) };
        let fits = match self {
            Given::Literal(value) => kind.holds(value),
            Given::Text(pieces) if matches!(pieces[..], [Piece::Hole(_)]) => true,
            Given::Text(_) | Given::Repeat { .. } | Given::Fresh { .. } => kind.holds(&Value::Text(String::new())),
        };
        if fits {
            return Ok(());
        }
        let refused = document.error(node, format!("`{field}` takes {}", kind.words()));
        let quotes = matches!((self, kind), (Given::Literal(_), FieldKind::Text)) && node.is_plain();
        Err(if quotes {
            refused.help(format!("put it in quotes: \"{}\"", node.text().unwrap_or_default()))
        } else {
            refused
        })
    }

    /// The names of all holes.
    pub fn holes(&self) -> Vec<&str> {
        match self {
            Given::Text(pieces) => pieces
                .iter()
                .filter_map(|piece| if let Piece::Hole(name) = piece { Some(name.as_str()) } else { None })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The text, if it is one without holes.
    pub fn as_plain_text(&self) -> Option<&str> {
        if let Given::Literal(Value::Text(text)) = self { Some(text) } else { None }
    }
}

/// Whether a map makes a value (and does not name fields).
pub(super) fn makes_value(entries: &[(Node, Node)]) -> bool {
    entries.iter().any(|(key, _)| matches!(key.text(), Some("repeat" | "hex" | "fresh")))
}

fn made(document: &Document, node: &Node, entries: &[(Node, Node)]) -> Result<Given, Diagnostic> {
    let need = |key: &str| node.get(key).ok_or_else(|| document.error(node, format!("the key `{key}` is missing")));
    let text = |key: &str| need(key).map(|node| node.text().unwrap_or_default().to_owned());
    let only = |known: &[&str]| match entries.iter().find(|(key, _)| !known.contains(&key.text().unwrap_or_default())) {
        Some((key, _)) => {
            let word = key.text().unwrap_or_default();
            Err(document.error(key, format!("unknown key `{word}`")).suggest(word, known.iter().copied()))
        }
        None => Ok(()),
    };
    if node.get("repeat").is_some() {
        only(&["repeat", "times"])?;
        let times = document.typed(need("times")?)?;
        return Ok(Given::Repeat { text: text("repeat")?, times });
    }
    if let Some(bytes) = node.get("hex") {
        only(&["hex"])?;
        return hex(document, bytes).map(|bytes| Given::Literal(Value::Bytes(bytes)));
    }
    if let Some(characters) = node.get("fresh") {
        only(&["fresh", "filler"])?;
        let filler = if node.get("filler").is_some() { text("filler")? } else { "x".to_owned() };
        return Ok(Given::Fresh { characters: document.typed(characters)?, filler });
    }
    Err(document.error(node, "this map makes no value").help("known here: {repeat: …, times: …}, {hex: …}, {fresh: …}"))
}

/// Reads annotated hex: digits in pairs, `#` begins a comment.
pub(super) fn hex(document: &Document, node: &Node) -> Result<Vec<u8>, Diagnostic> {
    let text = node.text().unwrap_or_default();
    codec::hex(text).map_err(|why| document.error(node, why))
}

/// `{name}` is a hole, `{{` and `}}` are braces.
fn template(text: &str) -> Result<Given, String> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' | '}' if chars.peek() == Some(&c) => {
                chars.next();
                literal.push(c);
            }
            '{' => {
                let name: String = chars.by_ref().take_while(|c| *c != '}').collect();
                let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
                if !plain {
                    return Err(format!(
                        "`{{{name}` is no hole: a name in braces; a brace that is meant is written twice"
                    ));
                }
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Hole(name));
            }
            '}' => return Err("a brace that is meant is written twice".into()),
            _ => literal.push(c),
        }
    }
    if pieces.is_empty() {
        return Ok(Given::Literal(Value::Text(literal)));
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(Given::Text(pieces))
}
