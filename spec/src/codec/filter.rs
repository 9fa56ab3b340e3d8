//! Filters: what a value looks like on the wire, where it is not itself. Each goes both ways, but for hashes.
//!
//! Not here: where a value ends. A delimiter that is part of an escape does not end it (`hear`).

use std::fmt::Write as _;

/// A way to write a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    Hex,
    Base64,
    Url,
    /// SHA-256, in hexadecimal digits. A server takes the hash for the value.
    Sha256Hex,
    /// Texts of the value, and what stands for each on the wire. This is all that escaping is.
    Table(Vec<(String, String)>),
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Filter {
    /// The filter of that name, unless a dialect gives it a meaning of its own.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "hex" => Filter::Hex,
            "base64" => Filter::Base64,
            "url" => Filter::Url,
            "sha256_hex" => Filter::Sha256Hex,
            _ => return None,
        })
    }

    /// The names of filters that need no table.
    pub(crate) const NAMES: [&str; 4] = ["hex", "base64", "url", "sha256_hex"];

    /// The value as the wire writes it.
    pub(crate) fn write(&self, value: &[u8]) -> Vec<u8> {
        match self {
            Filter::Hex => hex(value).into_bytes(),
            Filter::Sha256Hex => hex(&<sha2::Sha256 as sha2::Digest>::digest(value)).into_bytes(),
            Filter::Base64 => {
                let mut out = Vec::new();
                for three in value.chunks(3) {
                    let bits =
                        three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
                    let digits = [18, 12, 6, 0].map(|shift| BASE64[(bits >> shift) as usize & 63]);
                    out.extend_from_slice(&digits[..=three.len()]);
                    out.resize(out.len() + 3 - three.len(), b'=');
                }
                out
            }
            Filter::Url => {
                let mut out = Vec::new();
                for byte in value {
                    match byte {
                        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(*byte),
                        other => out.extend_from_slice(format!("%{other:02X}").as_bytes()),
                    }
                }
                out
            }
            Filter::Table(rows) => {
                let mut out = Vec::new();
                let mut rest = value;
                while let Some(first) = rest.first() {
                    match rows.iter().find(|(text, _)| !text.is_empty() && rest.starts_with(text.as_bytes())) {
                        Some((text, written)) => {
                            out.extend_from_slice(written.as_bytes());
                            rest = &rest[text.len()..];
                        }
                        None => {
                            out.push(*first);
                            rest = &rest[1..];
                        }
                    }
                }
                out
            }
        }
    }

    /// The value that the wire means. None: nothing is written so.
    pub(crate) fn read(&self, wire: &[u8]) -> Option<Vec<u8>> {
        match self {
            Filter::Sha256Hex => Some(wire.to_vec()),
            Filter::Hex => crate::codec::hex(std::str::from_utf8(wire).ok()?).ok(),
            Filter::Base64 => {
                let digits: Vec<u32> = wire
                    .iter()
                    .filter(|byte| **byte != b'=')
                    .map(|byte| BASE64.iter().position(|digit| digit == byte).map(|at| at as u32))
                    .collect::<Option<_>>()?;
                let mut out = Vec::new();
                for four in digits.chunks(4) {
                    let bits = four.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - four.len()));
                    out.extend_from_slice(&bits.to_be_bytes()[1..four.len().max(1)]);
                }
                Some(out)
            }
            Filter::Url => {
                let mut out = Vec::new();
                let mut rest = wire;
                while let Some((first, behind)) = rest.split_first() {
                    (out, rest) = match first {
                        b'%' => {
                            let digits = std::str::from_utf8(behind.get(..2)?).ok()?;
                            out.push(u8::from_str_radix(digits, 16).ok()?);
                            (out, &behind[2..])
                        }
                        b'+' => (push(out, b' '), behind),
                        other => (push(out, *other), behind),
                    };
                }
                Some(out)
            }
            Filter::Table(_) => {
                let mut out = Vec::new();
                let mut rest = wire;
                while let Some(first) = rest.first() {
                    match self.escape(rest) {
                        Some((text, length)) => {
                            out.extend_from_slice(text.as_bytes());
                            rest = &rest[length..];
                        }
                        None => {
                            out.push(*first);
                            rest = &rest[1..];
                        }
                    }
                }
                Some(out)
            }
        }
    }

    /// What the front of `wire` stands for, and in how many bytes.
    pub(crate) fn escape(&self, wire: &[u8]) -> Option<(&str, usize)> {
        let Filter::Table(rows) = self else { return None };
        let row = rows.iter().find(|(_, written)| !written.is_empty() && wire.starts_with(written.as_bytes()));
        row.map(|(text, written)| (text.as_str(), written.len()))
    }
}

fn push(mut out: Vec<u8>, byte: u8) -> Vec<u8> {
    out.push(byte);
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_filter_writes_it_reads() {
        let slashed = Filter::Table(vec![("/".into(), "//".into()), (";".into(), "/;".into())]);
        for filter in [Filter::Hex, Filter::Base64, Filter::Url, slashed] {
            for value in ["", "a", "ab", "abc", "a/b;c//;", "é 100% +"] {
                let wire = filter.write(value.as_bytes());
                assert_eq!(filter.read(&wire).as_deref(), Some(value.as_bytes()), "{filter:?} {value}");
            }
        }
        assert_eq!(Filter::Base64.write(b"any carnal pleas"), b"YW55IGNhcm5hbCBwbGVhcw==");
    }

    #[test]
    fn a_hash_goes_one_way() {
        let hash = Filter::Sha256Hex.write(b"abc");
        assert_eq!(hash, b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
