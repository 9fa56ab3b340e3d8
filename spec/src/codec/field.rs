//! The type of one field, as it is written in a dialect: `u32 in 6..65536 = length(frame) - 4`.
//!
//! Grammar, with words separated by spaces:
//!
//! ```text
//! type     kind [in LOW..HIGH] [= value | usually value]
//! kind     u8 … u64 (big-endian), u16le … u64le · text[(size)] · bytes[(size)] · list(size) of KIND · NAME of a shape
//! size     a number, or an integer type that stands right before
//! value    number | fresh | length(frame) | NAME,  each with + n or - n
//! ```
//!
//! Not here: what the words mean for bytes (`compile`, `hear`, `speak`).

/// A field's type, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldType {
    pub(crate) kind: Kind,
    pub(crate) range: Option<(u64, u64)>,
    pub(crate) spoken: Spoken,
}

/// What a field is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Int(Int),
    Bytes { size: Size, utf8: bool },
    List { size: Size, item: Box<Kind> },
    Shape(String),
}

/// An integer on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Int {
    /// Bytes, 1 to 8.
    pub(crate) width: u8,
    pub(crate) little: bool,
}

impl Int {
    pub(crate) fn bytes(self) -> usize {
        usize::from(self.width)
    }

    /// The largest value that fits.
    pub(crate) fn most(self) -> u64 {
        u64::MAX >> (64 - 8 * u32::from(self.width))
    }
}

/// How long something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Fixed(u64),
    Prefix(Int),
    /// As long as what it stands in, or as a computed length elsewhere says.
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

/// A computed number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expr {
    pub(crate) term: Term,
    pub(crate) plus: i64,
}

/// What a number is computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Term {
    Number(u64),
    Fresh,
    FrameLength,
    Name(String),
}

impl FieldType {
    /// Takes a type apart.
    ///
    /// # Errors
    /// What was not understood, in a few words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace().peekable();
        let kind = parse_kind(&mut words)?;
        let (mut range, mut spoken) = (None, Spoken::Open);
        while let Some(word) = words.next() {
            match word {
                "in" => range = Some(parse_range(words.next())?),
                "=" => spoken = Spoken::Is(parse_expr(&mut words)?),
                "usually" => spoken = Spoken::Usually(parse_expr(&mut words)?),
                other => {
                    return Err(format!(
                        "`{other}` is not understood here: a type goes on with `in`, `=` or `usually`"
                    ));
                }
            }
        }
        Ok(FieldType { kind, range, spoken })
    }
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn parse_kind(words: &mut Words<'_>) -> Result<Kind, String> {
    let word = words.next().ok_or("a type is missing")?;
    if let Some(int) = parse_int(word) {
        return Ok(Kind::Int(int));
    }
    let (name, size) = match word.split_once('(') {
        Some((name, rest)) => {
            let inside = rest.strip_suffix(')').ok_or_else(|| format!("`{word}` lacks a closing parenthesis"))?;
            (name, parse_size(inside)?)
        }
        None => (word, Size::Rest),
    };
    match name {
        "text" => Ok(Kind::Bytes { size, utf8: true }),
        "bytes" => Ok(Kind::Bytes { size, utf8: false }),
        "list" => {
            if words.next() != Some("of") {
                return Err("`list` goes on with `of` and the kind of its items".into());
            }
            Ok(Kind::List { size, item: Box::new(parse_kind(words)?) })
        }
        _ if size != Size::Rest => Err(format!("`{name}` takes no size: only text, bytes and list do")),
        _ => Ok(Kind::Shape(name.to_owned())),
    }
}

/// `u8`, `u16le`, … in whole bytes.
fn parse_int(word: &str) -> Option<Int> {
    let (bits, little) = match word.strip_suffix("le") {
        Some(bits) => (bits, true),
        None => (word, false),
    };
    let bits: u8 = bits.strip_prefix('u')?.parse().ok()?;
    (bits.is_multiple_of(8) && (8..=64).contains(&bits)).then_some(Int { width: bits / 8, little })
}

fn parse_size(text: &str) -> Result<Size, String> {
    if let Some(int) = parse_int(text) {
        return Ok(Size::Prefix(int));
    }
    number(text).map(Size::Fixed).ok_or_else(|| format!("`{text}` is no size: a number, or an integer type"))
}

fn parse_range(word: Option<&str>) -> Result<(u64, u64), String> {
    let word = word.ok_or("after `in` comes a range, such as 1..9")?;
    let (low, high) = word.split_once("..").ok_or_else(|| format!("`{word}` is no range, such as 1..9"))?;
    match (number(low), number(high)) {
        (Some(low), Some(high)) if low <= high => Ok((low, high)),
        _ => Err(format!("`{word}` is no range: two numbers, the lower first")),
    }
}

fn parse_expr(words: &mut Words<'_>) -> Result<Expr, String> {
    let word = words.next().ok_or("a value is missing at the end")?;
    let term = if let Some(number) = number(word) {
        Term::Number(number)
    } else if word == "fresh" {
        Term::Fresh
    } else if word == "length(frame)" {
        Term::FrameLength
    } else if word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        Term::Name(word.to_owned())
    } else {
        return Err(format!("`{word}` is no value: a number, fresh, length(frame), or the name of a field"));
    };
    let plus = match words.peek() {
        Some(&sign @ ("+" | "-")) => {
            words.next();
            let number = words.next().and_then(number).and_then(|n| i64::try_from(n).ok());
            let number = number.ok_or_else(|| format!("after `{sign}` comes a number"))?;
            if sign == "-" { -number } else { number }
        }
        _ => 0,
    };
    Ok(Expr { term, plus })
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_a_kind_a_range_and_what_is_spoken() {
        let length = FieldType::parse("u32 in 6..65536 = length(frame) - 4").unwrap();
        assert_eq!(length.kind, Kind::Int(Int { width: 4, little: false }));
        assert_eq!(length.range, Some((6, 65536)));
        assert_eq!(length.spoken, Spoken::Is(Expr { term: Term::FrameLength, plus: -4 }));
        let list = FieldType::parse("list(u16le) of text(u8)").unwrap();
        assert!(matches!(list.kind, Kind::List { size: Size::Prefix(Int { width: 2, little: true }), .. }));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, word) in
            [("u32 within 1..2", "within"), ("u8 in 9..1", "9..1"), ("list(u8) string", "of"), ("u8 =", "value")]
        {
            assert!(FieldType::parse(text).unwrap_err().contains(word), "{text}");
        }
    }
}
