//! What the server is like: from the command line, or asked on the terminal, each question with a default.

use std::fs::File;
use std::io::{BufRead as _, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;

use clap::ValueEnum as _;

use crate::commands::init::{Framing, InitArguments, Naming};
use crate::commands::words::split;
use crate::commands::{complain, say, say_text};
use crate::exit::Exit;

/// How it is started, if nobody says.
const COMMAND: &str = "python3 server.py --port {port}";

/// What the server is like.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The dialect that is copied; else one is written.
    pub(super) from: Option<String>,
    pub(super) framing: Option<Framing>,
    /// The .proto of its service, where it has one of its own.
    pub(super) proto: Option<PathBuf>,
    pub(super) naming: Naming,
    /// The program and its arguments.
    pub(super) command: Vec<String>,
    /// Where it runs already; then nothing is started.
    pub(super) address: Option<String>,
    pub(super) port: Option<u16>,
}

pub(super) fn ask(arguments: &InitArguments) -> Result<Asked, Exit> {
    let mut asked = Asked {
        from: arguments.from.clone(),
        framing: arguments.framing.or(arguments.proto.is_some().then_some(Framing::Grpc)),
        proto: arguments.proto.clone(),
        naming: arguments.operations.unwrap_or(Naming::Word),
        command: Vec::new(),
        address: arguments.address.clone(),
        port: arguments.port,
    };
    let mut command = arguments.command.clone();
    // Who says something about the wire on the command line is asked nothing.
    match Answers::there() {
        Some(answers) if asked.from.is_none() && asked.framing.is_none() => {
            questions(&answers, arguments, &mut asked, &mut command)?;
        }
        _ if asked.from.is_none() && asked.framing.is_none() => asked.framing = Some(Framing::Lines),
        _ => {}
    }
    if asked.framing == Some(Framing::Grpc) && asked.proto.is_none() {
        asked.from = Some("framed-grpc".into());
    }
    if asked.address.is_some() {
        return Ok(asked);
    }
    let command = command.as_deref().unwrap_or(COMMAND);
    asked.command = split(command).map_err(|why| complain(Exit::Usage, &format!("the command: {why}")))?;
    if asked.command.is_empty() {
        return Err(complain(Exit::Usage, "the command is empty"));
    }
    let has_port = asked.command.iter().any(|word| word.contains("{port}"));
    if !has_port && asked.port.is_none() {
        let why =
            "the command has no {port}: write it where the port stands, or say --port for one that cannot be chosen";
        return Err(complain(Exit::Usage, why));
    }
    Ok(asked)
}

fn questions(
    answers: &Answers,
    arguments: &InitArguments,
    asked: &mut Asked,
    command: &mut Option<String>,
) -> Result<(), Exit> {
    if command.is_none() && asked.address.is_none() {
        say!("How is your server started? {{port}} stands for a free port. If it runs already: HOST:PORT");
        let how = answers.take("command", COMMAND)?;
        match is_address(&how) {
            true => asked.address = Some(how),
            false => *command = Some(how),
        }
    }
    if asked.address.is_none() && asked.port.is_none() && !command.as_deref().unwrap_or(COMMAND).contains("{port}") {
        say!("Which port does it listen on?");
        let port = answers.take("port", "7171")?;
        let number = port.parse().ok().filter(|port| *port > 0);
        asked.port = Some(number.ok_or_else(|| complain(Exit::Usage, &format!("`{port}` is no port")))?);
    }
    say!("What tells where a message ends: lines, length (a number in front), none, json, grpc?");
    say!("Or the name of a dialect that is nearly yours, such as framed or 000.");
    let framing = answers.take("framing", "lines")?;
    match Framing::from_str(&framing, true) {
        Ok(framing) => asked.framing = Some(framing),
        Err(_) => asked.from = Some(framing),
    }
    if asked.framing == Some(Framing::Grpc) {
        say!("Which .proto has its service? `own` is the protocol's, for a server that speaks that.");
        let proto = answers.take("proto", "own")?;
        asked.proto = Some(proto).filter(|proto| proto != "own").map(PathBuf::from);
    }
    if asked.from.is_none() && asked.framing != Some(Framing::Grpc) && arguments.operations.is_none() {
        say!("What tells the operations apart: word or number?");
        let naming = answers.take("operations", "word")?;
        asked.naming = Naming::from_str(&naming, true)
            .map_err(|_| complain(Exit::Usage, &format!("`{naming}` is neither word nor number")))?;
    }
    Ok(())
}

/// Whether words are `host:port` and no command.
pub(super) fn is_address(words: &str) -> bool {
    let port = words.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    !words.contains(char::is_whitespace) && matches!(port, Some(Ok(1..)))
}

/// Where answers come from: somebody at the terminal, or a file or pipe that holds them.
struct Answers {
    are_typed: bool,
}

impl Answers {
    /// None: nobody is there to be asked.
    fn there() -> Option<Answers> {
        let input = std::io::stdin();
        if input.is_terminal() {
            return Some(Answers { are_typed: true });
        }
        let file = File::from(input.as_fd().try_clone_to_owned().ok()?);
        let kind = file.metadata().ok()?.file_type();
        (kind.is_fifo() || kind.is_file()).then_some(Answers { are_typed: false })
    }

    /// One answer. An empty line, and the end of a file, are the default.
    fn take(&self, what: &str, default: &str) -> Result<String, Exit> {
        say_text(format_args!("  {what} [{default}]: "));
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        if self.are_typed && matches!(read, Ok(0) | Err(_)) {
            return Err(complain(Exit::Usage, "nothing was written"));
        }
        let answer = if line.trim().is_empty() { default } else { line.trim() };
        if !self.are_typed {
            say!("{answer}");
        }
        Ok(answer.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_no_command() {
        assert!(is_address("127.0.0.1:7171") && is_address("[::1]:7171") && is_address("chat.example:7171"));
        assert!(!is_address("./server") && !is_address("./server 127.0.0.1:7171") && !is_address(":7171"));
        assert!(!is_address("127.0.0.1:0") && !is_address("127.0.0.1:{port}"));
    }
}
