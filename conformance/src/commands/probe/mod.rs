//! `conformance probe`: tries a dialect on a server that runs, one exchange at a time, and shows every byte.
//!
//! `asks` reads what is to be done, `typed` takes it line by line, `tour` does what the dialect has, `talk` is the connection and what is shown of it,
//! `policies` looks which choices the server follows. Nothing that comes is ever guessed: what fits no entry of the
//! dialect is shown with every entry that was tried.

mod asks;
mod policies;
mod shown;
mod talk;
mod tour;
mod typed;

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use spec::Spec;
use spec::source::Source;

use crate::commands::run::judged::{self, Words};
use crate::commands::{complain, interrupted, protocol, runtime, say};
use crate::drive::Network;
use crate::exit::Exit;
use crate::target::{ServerOptions, Target};

use asks::Ask;
use talk::Talk;

/// The arguments of `conformance probe`.
#[derive(Debug, Clone, Args)]
pub struct ProbeArguments {
    /// HOST:PORT, a target file or `reference`; behind it operations with their arguments, `+` between them, or `-` for
    /// lines from standard input.
    #[arg(value_name = "TARGET OPERATION")]
    pub words: Vec<String>,
    /// The dialect it speaks: a name, or a dialect file [default: framed]
    #[arg(long, value_name = "DIALECT")]
    pub dialect: Option<String>,
    /// Find out which choice of each policy the server follows, as far as that can be seen from outside.
    #[arg(long, conflicts_with_all = ["hex", "text"])]
    pub policies: bool,
    /// Say these bytes, too: hex digits in pairs. May be given several times.
    #[arg(long, value_name = "DIGITS")]
    pub hex: Vec<String>,
    /// Say this text, too, as it is; `\n`, `\r`, `\t`, `\0`, `\\` and `\x1b` are understood. May be given several times.
    #[arg(long, value_name = "TEXT")]
    pub text: Vec<String>,
    /// How long an answer may take, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub deadline_ms: u64,
    /// A server to start, and its arguments.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// The table for `--help`.
pub const TABLE: &str = "\
Exit codes:
  0  everything that came was understood; with --policies, all is as declared
  1  something came that fits no entry of the dialect; with --policies, something is not as declared
  2  usage: the command line cannot be understood
  3  undecided: the server cannot be reached, did not answer, or went away
  4  a YAML file has mistakes";

/// Runs the command.
pub fn main(arguments: &ProbeArguments, source: &Source) -> Exit {
    probe(arguments, source).unwrap_or_else(|exit| exit)
}

fn probe(arguments: &ProbeArguments, source: &Source) -> Result<Exit, Exit> {
    let spec = protocol(source)?;
    let (named, words) = split(arguments, &spec)?;
    let named = Words { target: named, dialect: arguments.dialect.as_deref(), command: &arguments.command };
    let target = judged::target(&named, &spec)?;
    let is_typed = words == ["-"];
    let mut asks = if is_typed { Vec::new() } else { asks::read(words, &target.dialect)? };
    asks.extend(asks::raw(&arguments.hex, &arguments.text)?);
    if arguments.policies && (is_typed || !asks.is_empty()) {
        return Err(complain(Exit::Usage, "--policies asks its own questions; leave the operations out"));
    }
    runtime().block_on(async {
        tokio::select! {
            biased;
            () = interrupted() => Err(complain(Exit::Undecided, "interrupted")),
            exit = on_instance(arguments, &target, &spec, is_typed, asks) => exit,
        }
    })
}

/// Takes the target from the front of the words: where a command follows `--`, all of them are operations.
fn split<'a>(arguments: &'a ProbeArguments, spec: &Spec) -> Result<(Option<&'a str>, &'a [String]), Exit> {
    if !arguments.command.is_empty() {
        return Ok((None, &arguments.words));
    }
    match arguments.words.split_first() {
        Some((first, _)) if spec.service.operations.contains_key(first) => {
            Err(complain(Exit::Usage, &format!("whom is `{first}` for? `conformance probe HOST:PORT {first} …`")))
        }
        Some((first, rest)) => Ok((Some(first), rest)),
        None => Err(complain(
            Exit::Usage,
            "whom? `conformance probe HOST:PORT --dialect mine.yaml`, a target file, or a command with {port} after `--`",
        )),
    }
}

async fn on_instance(
    arguments: &ProbeArguments,
    target: &Target,
    spec: &Arc<Spec>,
    is_typed: bool,
    asks: Vec<Ask>,
) -> Result<Exit, Exit> {
    let network = Network::of(&target.dialect, spec)
        .map_err(|why| complain(Exit::Usage, &format!("{}: {why}", target.dialect.name)))?;
    let mut instance = match target.starter.start(&ServerOptions::new()).await {
        Ok(instance) => instance,
        Err(error) => {
            let exit = complain(Exit::Undecided, &error.why);
            error.output.iter().for_each(|line| anstream::eprintln!("    {line}"));
            return Err(exit);
        }
    };
    let address = instance.address();
    say!("probing {} over {} ({address})\n", target.name, target.dialect.name);
    let exit = if arguments.policies {
        policies::show(target, network, spec, &address).await
    } else {
        let deadline = Duration::from_millis(arguments.deadline_ms);
        match Talk::connect(target.dialect.clone(), network, &address, deadline).await {
            Ok(mut talk) if is_typed => typed::play(&mut talk, &asks).await,
            Ok(mut talk) if asks.is_empty() => tour::play(&mut talk).await,
            Ok(mut talk) => talk.all(&asks).await,
            Err(exit) => exit,
        }
    };
    let output = instance.output();
    if !output.is_empty() && exit != Exit::Passed {
        say!("\nthe server printed");
        output.iter().for_each(|line| say!("    {line}"));
    }
    if let Some(how) = instance.ended() {
        say!("\nthe server has ended: {how}");
    }
    instance.stop().await;
    Ok(exit)
}
