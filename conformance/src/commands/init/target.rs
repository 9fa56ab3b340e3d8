//! The target file that is written: how the server is started, and beside it what one may need to say.

use std::fmt::Write as _;

use crate::commands::init::asked::Asked;

pub(super) fn written(name: &str, dialect: &str, asked: &Asked) -> String {
    let mut text = format!(
        "\
# How the suite starts and reaches {name}. Every key: docs/reference/target-file.md
# conformance run {name}.yaml

target: {}

# The wire that it speaks: a file beside this one.
dialect: {}
",
        quoted(name),
        quoted(dialect)
    );
    match &asked.address {
        Some(address) => there(address, &mut text),
        None => started(asked, &mut text),
    }
    text.push_str(
        "
# What it does not have; cases that need it do not apply. `conformance explain push` tells about one.
# lacks: [push]

# Where right servers differ. `conformance probe THIS_FILE --policies` writes this for you.
# policies: {second_log_in: refused}
",
    );
    text
}

fn there(address: &str, text: &mut String) {
    let _ = writeln!(
        text,
        "
# Where it runs. The suite can do more with a server that it starts itself, such as let it crash:
# command: [python3, server.py, \"{{port}}\"]
address: {}",
        quoted(address)
    );
}

fn started(asked: &Asked, text: &mut String) {
    let words: Vec<String> = asked.command.iter().map(|word| quoted(word)).collect();
    let _ = writeln!(
        text,
        "
# The program and its arguments. {{port}} becomes a free port at each start; paths begin at this folder.
command: [{}]",
        words.join(", ")
    );
    match asked.port {
        Some(port) => {
            let _ = writeln!(
                text,
                "\n# It cannot be told where to listen, so only one instance lives at a time.\nport: {port}"
            );
        }
        None => text.push_str(
            "
# For a port that cannot be chosen. For a server that runs already: `address: host:port` and no command.
# port: 7171
",
        ),
    }
    text.push_str(
        "
# It is up when its port accepts. If that is too early:
# ready: {line: listening}

# Files that it keeps, removed before each start.
# state: [accounts.db]
",
    );
}

/// Words that some readers of YAML take for something else.
const TRAPS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// A word in YAML.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    let begins = word.starts_with(|c: char| c.is_alphabetic() || "./".contains(c));
    let is_number = word.parse::<f64>().is_ok();
    if word.chars().all(plain) && begins && !is_number && !TRAPS.contains(&word.to_ascii_lowercase().as_str()) {
        word.to_owned()
    } else {
        serde_json::to_string(word).unwrap_or_default()
    }
}
