//! Values and records: what an operation's arguments and results are made of, before and after the wire.
//!
//! Not here: how a value looks in bytes (`codec`), and which fields an operation has (`service`).

use std::collections::BTreeMap;
use std::fmt;

/// One value of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A number from 0 to 2⁶⁴ − 1.
    Int(u64),
    /// True or false.
    Flag(bool),
    /// Characters, in UTF-8 wherever they become bytes.
    Text(String),
    /// Bytes without a meaning of their own: a token, a key.
    Bytes(Vec<u8>),
    /// Several values of one kind, in order.
    List(Vec<Value>),
    /// Named values that belong together, such as one message in a list.
    Row(Record),
}

impl Value {
    /// The number, if it is one.
    pub fn as_int(&self) -> Option<u64> {
        if let Value::Int(n) = self { Some(*n) } else { None }
    }

    /// The truth value, if it is one.
    pub fn as_flag(&self) -> Option<bool> {
        if let Value::Flag(b) = self { Some(*b) } else { None }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Value::Text(s) = self { Some(s) } else { None }
    }

    /// The bytes of bytes or of a text.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Bytes(b) => Some(b),
            Value::Text(s) => Some(s.as_bytes()),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Value::List(items) = self { Some(items) } else { None }
    }

    /// The named values, if it is a row.
    pub fn as_row(&self) -> Option<&Record> {
        if let Value::Row(row) = self { Some(row) } else { None }
    }
}

/// Longest text or byte string that `Display` writes out; beyond it only the length is told.
const SHOWN_BYTES: usize = 80;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Int(n) => write!(f, "{n}"),
            Value::Flag(b) => write!(f, "{b}"),
            Value::Text(s) if s.len() > SHOWN_BYTES => {
                let head: String = s.chars().take(24).collect();
                write!(f, "{head:?}… ({} bytes)", s.len())
            }
            Value::Text(s) => write!(f, "{s:?}"),
            Value::Bytes(b) if b.len() > SHOWN_BYTES => write!(f, "<{} bytes>", b.len()),
            Value::Bytes(b) => {
                write!(f, "<")?;
                for (i, byte) in b.iter().enumerate() {
                    write!(f, "{}{byte:02x}", if i > 0 { " " } else { "" })?;
                }
                write!(f, ">")
            }
            Value::List(items) => {
                write!(f, "[")?;
                for (i, item) in items.iter().take(12).enumerate() {
                    write!(f, "{}{item}", if i > 0 { ", " } else { "" })?;
                }
                if items.len() > 12 {
                    write!(f, ", … {} items", items.len())?;
                }
                write!(f, "]")
            }
            Value::Row(row) => write!(f, "{row}"),
        }
    }
}

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Value::Int(n)
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::Flag(b)
    }
}
impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Value::Text(s.to_owned())
    }
}
impl From<String> for Value {
    fn from(s: String) -> Self {
        Value::Text(s)
    }
}
impl From<Vec<u8>> for Value {
    fn from(b: Vec<u8>) -> Self {
        Value::Bytes(b)
    }
}

/// Named values, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record(BTreeMap<String, Value>);

impl Record {
    /// A record without values.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same record with one more value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets a value, replacing an earlier one of that name.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Takes a value out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, Value)> for Record {
    fn from_iter<T: IntoIterator<Item = (String, Value)>>(iter: T) -> Self {
        Record(iter.into_iter().collect())
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{")?;
        for (i, (name, value)) in self.iter().enumerate() {
            write!(f, "{}{name}: {value}", if i > 0 { ", " } else { "" })?;
        }
        write!(f, "}}")
    }
}
