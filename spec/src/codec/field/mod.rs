//! The type of one field, as it is written in a dialect: `u32 in 6..65536 = length(frame) - 4`.
//!
//! Grammar, with words separated by spaces:
//!
//! ```text
//! type     kind [as FILTER] [padded BYTE] [in LOW..HIGH] [= value | usually value]
//! kind     u1 … u64, i8 … i64 (big-endian; u32le is little; widths that are no bytes are bits, highest first)
//!          int (decimal digits; int(4): four of them, `padded '0'` unless said otherwise) · text · word (no white space) · line (no newline) · bytes · hex(n) · json
//!          list[(size)] of KIND [joined by 'SEPARATOR' | ended by 'SEPARATOR'] · NAME of a shape
//! size     (16) so many bytes or items · (u16) or (SHAPE): that number stands right before · nothing: what follows ends it
//! value    'text' · number · fresh · now · turn · me · NAME · length(a + b) · length(frame) · chars(a) · utf16(a) · count(a) · sum8(a) · xor8(a) · crc32(a)
//!          numbers with + n or - n
//! ```
//!
//! Not here: what the words mean for bytes (`compile`, `hear`, `speak`).

mod parse;

/// A field's type, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldType {
    pub(crate) kind: Kind,
    pub(crate) filter: Option<String>,
    pub(crate) padded: Option<u8>,
    pub(crate) range: Option<(u64, u64)>,
    pub(crate) spoken: Spoken,
}

/// What a field is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Int(Int),
    /// So many bits of a byte that its neighbours share.
    Bits(u8),
    /// Decimal digits: so many, or as many as it takes.
    Decimal(Option<u64>),
    Text {
        class: Class,
        size: Length,
    },
    Json,
    List {
        size: Length,
        item: Box<Kind>,
        joined: Option<Joined>,
    },
    Shape(String),
}

/// What stands between the items of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Joined {
    pub(crate) separator: Box<[u8]>,
    /// Whether it stands behind the last item, too.
    pub(crate) ends: bool,
}

impl Joined {
    /// The separator as a text, which it was written as.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.separator).unwrap_or_default()
    }
}

/// Which bytes may stand in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Any bytes.
    Bytes,
    /// Any UTF-8.
    Text,
    /// UTF-8 without white space, and not empty.
    Word,
    /// UTF-8 without a newline.
    Line,
    /// Digits of hexadecimal numbers, two for each byte of the value.
    Hex,
}

/// An integer on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Int {
    /// Bytes, 1 to 8.
    pub(crate) width: u8,
    pub(crate) little: bool,
    /// Whether the highest bit says that it is negative, which nothing here can be.
    pub(crate) signed: bool,
}

impl Int {
    pub(crate) fn bytes(self) -> usize {
        usize::from(self.width)
    }

    /// The largest value that fits.
    pub(crate) fn most(self) -> u64 {
        u64::MAX >> (64 - 8 * u32::from(self.width) + u32::from(self.signed))
    }
}

/// How long something is, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Length {
    Fixed(u64),
    Prefix(Int),
    /// A number in a shape of its own, right before.
    Shaped(String),
    /// As long as what follows, what it stands in, or a number elsewhere says.
    Rest,
}

/// What a speaker says in this field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// The value of that name.
    Open,
    /// This, and a listener accepts nothing else.
    Is(Expr),
    /// This, and a listener accepts anything.
    Usually(Expr),
}

/// A value that is given, or computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expr {
    pub(crate) term: Term,
    pub(crate) plus: i64,
}

/// What a value is computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Term {
    Number(u64),
    Text(String),
    Fresh,
    Now,
    Me,
    Name(String),
    /// A measure of parts by name; `frame` is the whole frame.
    Measure(Measure, Vec<String>),
}

/// What can be measured of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Bytes.
    Length,
    /// Characters, which are UTF-8 on the wire.
    Chars,
    /// The same, as UTF-16 would count them.
    Utf16,
    /// Items of lists.
    Count,
    Sum8,
    Xor8,
    Crc32,
}

impl Measure {
    /// Whether it ends what it measures.
    pub(crate) fn is_length(self) -> bool {
        matches!(self, Measure::Length | Measure::Chars | Measure::Utf16)
    }
}
