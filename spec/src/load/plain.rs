//! What a scalar without quotes means: to us, by YAML 1.2's core schema, and to readers that know other rules.

use serde_yaml::Value;

/// What some other reader of YAML takes this word for, where it differs from us.
pub(super) fn taken_for(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "on" | "off" | "yes" | "no" | "y" | "n" => Some("a truth value"),
        "true" | "false" if text != lower => Some("a truth value"),
        _ if is_sexagesimal(text) => Some("a number of seconds (YAML 1.1 counts in sixties)"),
        _ if is_octal(text) => Some("an octal number"),
        _ if is_date(text) => Some("a date"),
        _ => None,
    }
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
pub(super) fn value(text: &str) -> Value {
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
