//! Words into a type.

use crate::codec::field::{Class, Expr, FieldType, Int, Joined, Kind, Length, Measure, Spoken, Term};

impl FieldType {
    /// Takes a type apart.
    ///
    /// # Errors
    /// What was not understood, in a few words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let words = words(text)?;
        let mut words = Words { words: &words };
        let kind = words.kind()?;
        let mut field = FieldType { kind, filter: None, padded: None, range: None, spoken: Spoken::Open };
        while let Some(word) = words.next() {
            match word {
                "as" => field.filter = Some(words.next().ok_or("after `as` comes a filter")?.to_owned()),
                "padded" => field.padded = Some(padding(words.next())?),
                "in" => field.range = Some(parse_range(words.next())?),
                "=" => field.spoken = Spoken::Is(words.expr()?),
                "usually" => field.spoken = Spoken::Usually(words.expr()?),
                other => {
                    return Err(format!(
                        "`{other}` is not understood here: a type goes on with `as`, `padded`, `in`, `=` or `usually`"
                    ));
                }
            }
        }
        Ok(field)
    }
}

/// Words, where quotes and parentheses hold together what stands in them.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let (mut quote, mut deep) = (None, 0_usize);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => deep += 1,
            (None, ')') => {
                deep = deep.checked_sub(1).ok_or_else(|| format!("`{text}` closes a parenthesis too many"))?
            }
            (None, _) if c.is_whitespace() && deep == 0 => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            _ => {}
        }
        word.push(c);
    }
    match (quote, deep) {
        (Some(quote), _) => return Err(format!("a quotation is not closed: {quote}")),
        (None, 0) => {}
        (None, _) => return Err(format!("`{text}` lacks a closing parenthesis")),
    }
    words.extend((!word.is_empty()).then_some(word));
    Ok(words)
}

struct Words<'a> {
    words: &'a [String],
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn peek(&self) -> Option<&'a str> {
        self.words.first().map(String::as_str)
    }

    fn kind(&mut self) -> Result<Kind, String> {
        let word = self.next().ok_or("a type is missing")?;
        if let Some(kind) = parse_int(word).map(Kind::Int).or_else(|| parse_bits(word).map(Kind::Bits)) {
            return Ok(kind);
        }
        let (name, size) = match word.split_once('(') {
            Some((name, rest)) => (name, parse_size(rest.strip_suffix(')').unwrap_or(rest))),
            None => (word, Length::Rest),
        };
        let class = match name {
            "text" => Class::Text,
            "bytes" => Class::Bytes,
            "word" => Class::Word,
            "line" => Class::Line,
            "hex" => Class::Hex,
            "list" => return self.list(size),
            "int" => match size {
                Length::Rest => return Ok(Kind::Decimal(None)),
                Length::Fixed(digits @ 1..=20) => return Ok(Kind::Decimal(Some(digits))),
                _ => return Err("`int` takes a number of digits: int(4)".into()),
            },
            _ if size != Length::Rest => {
                return Err(format!("`{name}` takes no size: only text, word, line, bytes, hex, int and list do"));
            }
            "json" => return Ok(Kind::Json),
            _ => return Ok(Kind::Shape(name.to_owned())),
        };
        Ok(Kind::Text { class, size })
    }

    fn list(&mut self, size: Length) -> Result<Kind, String> {
        if self.next() != Some("of") {
            return Err("`list` goes on with `of` and the kind of its items".into());
        }
        let item = Box::new(self.kind()?);
        let mut joined = None;
        if let Some(word @ ("joined" | "ended")) = self.peek() {
            self.next();
            let separator = (self.next() == Some("by")).then(|| self.next()).flatten().and_then(quoted);
            let missing = || format!("`{word}` goes on with `by` and a separator in quotes");
            let separator = separator.filter(|separator| !separator.is_empty()).ok_or_else(missing)?;
            joined = Some(Joined { separator: separator.into_bytes().into(), ends: word == "ended" });
        }
        Ok(Kind::List { size, item, joined })
    }

    fn expr(&mut self) -> Result<Expr, String> {
        let word = self.next().ok_or("a value is missing at the end")?;
        let term = if let Some(number) = number(word) {
            Term::Number(number)
        } else if let Some(text) = quoted(word) {
            Term::Text(text)
        } else if let Some((name, rest)) = word.split_once('(') {
            let measure = match name {
                "length" => Measure::Length,
                "chars" => Measure::Chars,
                "utf16" => Measure::Utf16,
                "count" => Measure::Count,
                "sum8" => Measure::Sum8,
                "xor8" => Measure::Xor8,
                "crc32" => Measure::Crc32,
                _ => {
                    return Err(format!(
                        "`{name}` computes nothing: known are length, chars, utf16, count, sum8, xor8 and crc32"
                    ));
                }
            };
            let names = rest.strip_suffix(')').unwrap_or(rest).split('+').map(|name| name.trim().to_owned());
            Term::Measure(measure, names.collect())
        } else {
            match word {
                "fresh" => Term::Fresh,
                "now" => Term::Now,
                "me" => Term::Me,
                _ if word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => Term::Name(word.to_owned()),
                _ => {
                    return Err(format!(
                        "`{word}` is no value: a number, a text in quotes, fresh, now, turn, me, length(…), or the name of a field"
                    ));
                }
            }
        };
        let plus = match self.peek() {
            Some(sign @ ("+" | "-")) => {
                self.next();
                let number = self.next().and_then(number).and_then(|n| i64::try_from(n).ok());
                let number = number.ok_or_else(|| format!("after `{sign}` comes a number"))?;
                if sign == "-" { -number } else { number }
            }
            _ => 0,
        };
        Ok(Expr { term, plus })
    }
}

/// `u8`, `u16le`, `i32`, … in whole bytes. Nothing here is negative, so of signed ones half are no match.
fn parse_int(word: &str) -> Option<Int> {
    let (bits, little) = match word.strip_suffix("le") {
        Some(bits) => (bits, true),
        None => (word, false),
    };
    let signed = bits.starts_with('i');
    let bits: u8 = bits.strip_prefix(['u', 'i'])?.parse().ok()?;
    (bits.is_multiple_of(8) && (8..=64).contains(&bits)).then_some(Int { width: bits / 8, little, signed })
}

/// `u1`, `u6`, `u12`: bits that share bytes with their neighbours.
fn parse_bits(word: &str) -> Option<u8> {
    let bits: u8 = word.strip_prefix('u')?.parse().ok()?;
    (1..64).contains(&bits).then_some(bits)
}

fn parse_size(text: &str) -> Length {
    match (parse_int(text), number(text)) {
        (Some(int), _) => Length::Prefix(int),
        (None, Some(fixed)) => Length::Fixed(fixed),
        (None, None) => Length::Shaped(text.trim().to_owned()),
    }
}

fn parse_range(word: Option<&str>) -> Result<(u64, u64), String> {
    let word = word.ok_or("after `in` comes a range, such as 1..9")?;
    let (low, high) = word.split_once("..").ok_or_else(|| format!("`{word}` is no range, such as 1..9"))?;
    match (number(low), number(high)) {
        (Some(low), Some(high)) if low <= high => Ok((low, high)),
        _ => Err(format!("`{word}` is no range: two numbers, the lower first")),
    }
}

fn padding(word: Option<&str>) -> Result<u8, String> {
    let word = word.ok_or("after `padded` comes a byte, such as ' ' or 0")?;
    let byte = match quoted(word) {
        Some(text) => <[u8; 1]>::try_from(text.as_bytes()).ok().map(|[byte]| byte),
        None => number(word).and_then(|number| u8::try_from(number).ok()),
    };
    byte.ok_or_else(|| format!("`{word}` is no byte, such as ' ' or 0"))
}

/// The text between quotes; `\n`, `\r` and `\t` inside mean what they mean in YAML.
fn quoted(word: &str) -> Option<String> {
    let quote = word.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inside = word.strip_prefix(quote)?.strip_suffix(quote)?;
    Some(inside.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t"))
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
        assert_eq!(length.kind, Kind::Int(Int { width: 4, little: false, signed: false }));
        assert_eq!(length.range, Some((6, 65536)));
        let frame = Term::Measure(Measure::Length, vec!["frame".into()]);
        assert_eq!(length.spoken, Spoken::Is(Expr { term: frame, plus: -4 }));
        let list = FieldType::parse("list(u16le) of text(u8)").unwrap();
        assert!(matches!(list.kind, Kind::List { size: Length::Prefix(Int { width: 2, little: true, .. }), .. }));
    }

    #[test]
    fn quotes_and_parentheses_hold_together_what_stands_in_them() {
        let list = FieldType::parse("list of word joined by ', '").unwrap();
        assert!(matches!(list.kind, Kind::List { joined: Some(joined), .. } if joined.text() == ", " && !joined.ends));
        let sum = FieldType::parse("u8 = length(a + b) + 4").unwrap();
        let both = Term::Measure(Measure::Length, vec!["a".into(), "b".into()]);
        assert_eq!(sum.spoken, Spoken::Is(Expr { term: both, plus: 4 }));
        let chars = FieldType::parse("int = chars(a)").unwrap();
        let measured = Term::Measure(Measure::Chars, vec!["a".into()]);
        assert_eq!(chars.spoken, Spoken::Is(Expr { term: measured, plus: 0 }));
        assert_eq!(FieldType::parse("text(20) padded ' '").unwrap().padded, Some(b' '));
        assert_eq!(FieldType::parse("u4").unwrap().kind, Kind::Bits(4));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, word) in [
            ("u32 within 1..2", "within"),
            ("u8 in 9..1", "9..1"),
            ("list(u8) string", "of"),
            ("u8 =", "value"),
            ("text(u8", "parenthesis"),
            ("list of word joined ', '", "separator"),
            ("u8 = size(a)", "size"),
        ] {
            assert!(FieldType::parse(text).unwrap_err().contains(word), "{text}");
        }
    }
}
