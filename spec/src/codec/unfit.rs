//! Why bytes are not the message they were tried against: field, offset, reason.

use std::fmt;

/// Why bytes are not the message they were tried against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The field that does not fit.
    pub field: String,
    /// Where it begins, in bytes from the start of the frame.
    pub offset: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The number is smaller than allowed.
    Below {
        /// What came.
        seen: u64,
        /// The smallest allowed.
        least: u64,
    },
    /// The number is larger than allowed.
    Above {
        /// What came.
        seen: u64,
        /// The largest allowed.
        most: u64,
    },
    /// Another number stands where one is fixed.
    Not {
        /// What came.
        seen: u64,
        /// What is fixed.
        expected: u64,
    },
    /// Another text stands where one is fixed.
    Unlike {
        /// What came, as far as it is of interest.
        seen: String,
        /// What is fixed.
        expected: String,
    },
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The bytes are nothing that this type or filter writes.
    NotWritten(&'static str),
    /// The frame ends inside the field.
    Truncated {
        /// Bytes or items that the field still needs.
        needed: u64,
        /// Bytes that are left.
        left: u64,
    },
    /// Bytes are left over behind the last field.
    Trailing {
        /// How many.
        left: u64,
    },
    /// The number names nothing that this dialect knows.
    Unknown {
        /// What came.
        seen: u64,
    },
    /// Nothing that may come here looks like this.
    Unheard,
    /// The value is right for the wire and wrong for the protocol.
    Limit(String),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field `{}` at offset {}: ", self.field, self.offset)?;
        match &self.reason {
            Reason::Below { seen, least } => write!(f, "{seen} is less than {least}"),
            Reason::Above { seen, most } => write!(f, "{seen} is more than {most}"),
            Reason::Not { seen, expected } => write!(f, "{seen} instead of {expected}"),
            Reason::Unlike { seen, expected } => write!(f, "{seen:?} instead of {expected:?}"),
            Reason::NotUtf8 => write!(f, "not UTF-8"),
            Reason::NotWritten(what) => write!(f, "not {what}"),
            Reason::Truncated { needed, left } => write!(f, "needs {needed} more bytes, the frame has {left}"),
            Reason::Trailing { left } => write!(f, "{left} bytes too many"),
            Reason::Unknown { seen } => write!(f, "{seen} is unknown"),
            Reason::Unheard => write!(f, "nothing that may come here looks like this"),
            Reason::Limit(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Unfit {}

/// What does not fit; made out of the way of what fits, and so in a box.
#[cold]
#[inline(never)]
pub(crate) fn unfit(field: impl Into<String>, offset: usize, reason: Reason) -> Box<Unfit> {
    Box::new(Unfit { field: field.into(), offset, reason })
}

/// The first characters of some bytes, for people.
pub(crate) fn glimpse(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned()
}
