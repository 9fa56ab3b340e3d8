//! What is to be done, from words: `log_in username=alice password=x + send_message recipient=bob text="hi"`.

use std::time::Duration;

use spec::codec::Memory;
use spec::dialect::Dialect;
use spec::error::suggestion;
use spec::service::{Field, FieldKind};
use spec::value::{Record, Value};

use crate::commands::complain;
use crate::commands::probe::talk::fresh_name;
use crate::commands::words::split;
use crate::exit::Exit;

/// Words that are no operations.
const OWN: [&str; 6] = ["connect", "disconnect", "listen", "wait", "hex", "text"];

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    /// An operation, with the arguments that are given.
    Operation { name: String, given: Record },
    /// A new connection, in place of the old one.
    Connect,
    /// No connection.
    Disconnect,
    /// Ask to be told of messages, where a dialect has words for it.
    Listen,
    /// See what comes.
    Wait(Duration),
    /// Say these bytes.
    Raw(Vec<u8>),
}

/// Reads what stands between `+`.
pub(super) fn read(words: &[String], dialect: &Dialect) -> Result<Vec<Ask>, Exit> {
    let groups = words.split(|word| word == "+").filter(|group| !group.is_empty());
    groups.map(|group| one(group, dialect).map_err(|why| complain(Exit::Usage, &why))).collect()
}

/// Reads a line of a file, or one that was typed. What stands behind `#` is for people.
pub(super) fn read_line(line: &str, dialect: &Dialect) -> Result<Vec<Ask>, Exit> {
    if line.trim_start().starts_with('#') {
        return Ok(Vec::new());
    }
    read(&split(line).map_err(|why| complain(Exit::Usage, &why))?, dialect)
}

/// What can be said in a dialect, a line each.
pub(super) fn help(dialect: &Dialect) -> Vec<String> {
    let known = dialect.service().operations.iter().filter(|(name, _)| dialect.has_operation(name));
    let mut lines: Vec<String> = known.map(|(name, operation)| format!("{name} {}", usage(operation))).collect();
    lines.push("connect, disconnect, listen, wait MS, hex DIGITS, text TEXT; `+` between them on one line".into());
    lines
}

fn one(words: &[String], dialect: &Dialect) -> Result<Ask, String> {
    let (name, arguments) = words.split_first().ok_or("nothing to do")?;
    match (name.as_str(), arguments) {
        ("connect", []) => return Ok(Ask::Connect),
        ("disconnect", []) => return Ok(Ask::Disconnect),
        ("listen", []) => return Ok(Ask::Listen),
        ("hex", digits @ [_, ..]) => {
            return Ok(Ask::Raw(spec::codec::hex(&digits.concat()).map_err(|why| format!("`hex`: {why}"))?));
        }
        ("text", [text]) => return Ok(Ask::Raw(unescaped(text).map_err(|why| format!("`text {text}`: {why}"))?)),
        ("wait", [ms]) => {
            let ms = ms
                .trim_start_matches("ms=")
                .parse()
                .map_err(|_| format!("`wait {ms}`: wait how many milliseconds?"))?;
            return Ok(Ask::Wait(Duration::from_millis(ms)));
        }
        _ => {}
    }
    let service = dialect.service();
    let Some(operation) = service.operations.get(name) else {
        let help = suggestion(name, service.operations.keys().map(String::as_str).chain(OWN)).unwrap_or_default();
        return Err(format!("there is no operation `{name}`; {help}"));
    };
    if !dialect.has_operation(name) {
        return Err(format!("the dialect {} has no `{name}`; add it under `operations`", dialect.name));
    }
    let mut given = Record::new();
    for word in arguments {
        let Some((field, written)) = word.split_once('=') else {
            return Err(format!(
                "`{word}` is no argument: `{name} {}`; `+` begins the next operation",
                usage(operation)
            ));
        };
        let Some(kind) = operation.arguments.iter().find(|known| *known == field).and_then(|_| service.field(field))
        else {
            let help = suggestion(field, operation.arguments.iter().map(String::as_str)).unwrap_or_default();
            return Err(format!("`{name}` has no argument `{field}`; {help}"));
        };
        given.set(field, value(field, written, kind.kind)?);
    }
    Ok(Ask::Operation { name: name.clone(), given })
}

fn usage(operation: &spec::service::OperationSpec) -> String {
    operation.arguments.iter().map(|name| format!("{name}=…")).collect::<Vec<_>>().join(" ")
}

fn value(field: &str, written: &str, kind: FieldKind) -> Result<Value, String> {
    Ok(match kind {
        FieldKind::Int => {
            Value::Int(written.parse().map_err(|_| format!("`{field}` is a number, and `{written}` is none"))?)
        }
        FieldKind::Flag => match written {
            "true" | "yes" | "1" => Value::Flag(true),
            "false" | "no" | "0" => Value::Flag(false),
            _ => return Err(format!("`{field}` is true or false, and `{written}` is neither")),
        },
        FieldKind::Bytes => {
            Value::Bytes(spec::codec::hex(written).map_err(|why| format!("`{field}` is bytes in hex digits: {why}"))?)
        }
        _ => Value::Text(written.to_owned()),
    })
}

/// Bytes to be said as they are.
pub(super) fn raw(hex: &[String], text: &[String]) -> Result<Vec<Ask>, Exit> {
    let hex = hex.iter().map(|digits| spec::codec::hex(digits).map_err(|why| format!("--hex {digits}: {why}")));
    let text = text.iter().map(|text| unescaped(text).map_err(|why| format!("--text {text}: {why}")));
    hex.chain(text).map(|bytes| bytes.map(Ask::Raw).map_err(|why| complain(Exit::Usage, &why))).collect()
}

fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        bytes.push(match chars.next() {
            Some('n') => b'\n',
            Some('r') => b'\r',
            Some('t') => b'\t',
            Some('0') => 0,
            Some('\\') => b'\\',
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                u8::from_str_radix(&digits, 16).map_err(|_| format!("`\\x{digits}` is no byte"))?
            }
            Some(other) => return Err(format!("`\\{other}` is nothing known; a backslash itself is `\\\\`")),
            None => return Err("it ends in a lone backslash".into()),
        });
    }
    Ok(bytes)
}

/// The given arguments, and for the others what is remembered, the defaults, or something to try with.
pub(super) fn arguments(dialect: &Dialect, memory: &Memory, operation: &str, given: &Record) -> Record {
    let service = dialect.service();
    let names = service.operations.get(operation).map(|spec| spec.arguments.as_slice()).unwrap_or_default();
    let own = || memory.me().map_or_else(fresh_name, str::to_owned);
    let me = given.get("username").and_then(Value::as_text).map_or_else(own, str::to_owned);
    let value = |name: &String| {
        let known = || memory.value(name).cloned();
        match (given.get(name), name.as_str()) {
            (Some(value), _) => value.clone(),
            (None, "username" | "recipient") => Value::Text(me.clone()),
            (None, "password") => known().unwrap_or_else(|| Value::Text(format!("pw{me}"))),
            (None, "text") => Value::Text("hello".into()),
            _ => service.field(name).and_then(Field::default_value).or_else(known).unwrap_or(Value::Int(42)),
        }
    };
    names.iter().map(|name| (name.clone(), value(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_the_bytes_they_stand_for() {
        assert_eq!(unescaped(r"a\n\x00\\"), Ok(b"a\n\0\\".to_vec()));
        assert!(unescaped(r"\q").is_err() && unescaped(r"\xg0").is_err() && unescaped("\\").is_err());
    }
}
