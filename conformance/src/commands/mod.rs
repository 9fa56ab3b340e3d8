//! The command line: one file per command, each from its arguments to its exit code.

pub mod baseline;
pub mod check;
pub mod clocks;
pub mod explain;
pub mod init;
pub mod list;
pub mod probe;
pub mod run;
pub mod schema;
pub mod vectors;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Parser, Subcommand, ValueEnum};
use spec::Spec;
use spec::error::Diagnostics;
use spec::source::Source;

use crate::exit::{self, Exit};

/// Judges chat servers, in any language, against the specification: what is right, what is wrong, which sentence says
/// so, and the bytes to prove it. Without a command it judges the embedded reference server.
#[derive(Debug, Parser)]
#[command(name = "conformance", version, after_help = exit::TABLE, propagate_version = true)]
pub struct Arguments {
    /// Colours in what is printed.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,
    /// Take the specification from this folder (laid out like spec/) instead of the one built in.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub spec: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge a target: the reference (default), an address, a command, or a target file.
    ///
    /// TARGET is `reference`, HOST:PORT of a server that runs, or a target file (YAML, see docs/03-your-server.md).
    /// A server to be started can also follow `--`; {port} in its arguments is replaced by a free port:
    ///
    ///   conformance run 127.0.0.1:6262
    ///   conformance run -- python3 server.py --port {port}
    ///   conformance run my-server.yaml --case delivery/
    ///   conformance run reference --dialect all
    #[command(verbatim_doc_comment, after_help = exit::TABLE)]
    Run(Box<run::RunArguments>),
    /// Write a target file and a dialect file to start from.
    ///
    /// From a dialect that is nearly yours, from options, or from answers to a few questions, typed or piped:
    ///
    ///   conformance init my-server
    ///   conformance init my-server --from 000 --command "python3 server.py {port}"
    ///   conformance init my-server --from 001 --address 127.0.0.1:7171
    ///   conformance init my-server --framing lines --operations word --command "./server" --port 7171
    ///
    /// Nothing is overwritten without --force.
    #[command(verbatim_doc_comment)]
    Init(init::InitArguments),
    /// Try a dialect on a server that runs, one exchange at a time, and see every byte.
    ///
    /// Each operation is said and answered field by field; what fits no entry of the dialect is shown with every entry
    /// that was tried. Without operations, one of everything is tried with a new account. Edit the dialect, probe again:
    ///
    ///   conformance probe 127.0.0.1:7171 --dialect mine.yaml
    ///   conformance probe 127.0.0.1:7171 --dialect mine.yaml log_in username=alice password=x + list_accounts
    ///   conformance probe my-server.yaml --text "HELO\n"
    ///   conformance probe my-server.yaml --policies
    ///   conformance probe my-server.yaml -
    ///   conformance probe --dialect mine.yaml create_account -- python3 server.py {port}
    ///
    /// Beside operations there are `connect`, `disconnect`, `listen`, `wait MS`, `hex DIGITS` and `text TEXT`. With `-` in
    /// their place, lines from standard input are done one by one; on a terminal `help` lists what can be said.
    #[command(verbatim_doc_comment, after_help = probe::TABLE)]
    Probe(Box<probe::ProbeArguments>),
    /// List cases, or requirements.
    List(list::ListArguments),
    /// Tell everything about a requirement, operation, error, policy or case.
    Explain(explain::ExplainArguments),
    /// Show every mistake in spec, dialect, scenario and target files.
    Check(check::CheckArguments),
    /// Print golden bytes for every example as JSON, for tests in other languages.
    Vectors(vectors::VectorsArguments),
    /// Judge logical-clock peers by the logs of a run.
    Clocks(clocks::ClocksArguments),
    /// Measure the suite: what servers score that are wrong as a whole.
    Baseline(baseline::BaselineArguments),
    /// Print the JSON schema of a kind of file, for editors.
    Schema(schema::SchemaArguments),
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Runs the command that the arguments ask for.
pub fn main(arguments: Arguments) -> Exit {
    match arguments.color {
        Colour::Always => anstream::ColorChoice::Always.write_global(),
        Colour::Never => anstream::ColorChoice::Never.write_global(),
        Colour::Auto => {}
    }
    let source = match &arguments.spec {
        None => Source::embedded(),
        Some(folder) => match Source::folder(folder) {
            Ok(source) => source,
            Err(error) => {
                return complain(
                    Exit::Usage,
                    &format!("cannot read the specification in {}: {error}", folder.display()),
                );
            }
        },
    };
    match arguments.command {
        None => run::main(&run::RunArguments::default(), &source),
        Some(Command::Run(run)) => run::main(&run, &source),
        Some(Command::Init(init)) => init::main(&init, &source),
        Some(Command::Probe(probe)) => probe::main(&probe, &source),
        Some(Command::List(list)) => list::main(&list, &source),
        Some(Command::Explain(explain)) => explain::main(&explain, &source),
        Some(Command::Check(check)) => check::main(&check, &source),
        Some(Command::Vectors(vectors)) => vectors::main(&vectors, &source),
        Some(Command::Baseline(baseline)) => baseline::main(&baseline, &source),
        Some(Command::Clocks(clocks)) => clocks::main(&clocks, &source),
        Some(Command::Schema(schema)) => schema::main(&schema),
        Some(Command::Completions { shell }) => {
            let mut command = <Arguments as clap::CommandFactory>::command();
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut command, "conformance", &mut text);
            say_text(format_args!("{}", String::from_utf8_lossy(&text)));
            Exit::Passed
        }
    }
}

/// As `println!`, for output that may be piped into something that stops reading. Nothing ends because of that: targets
/// must still be stopped, and the exit code told.
macro_rules! say {
    ($($words:tt)*) => { $crate::commands::say_text(format_args!("{}\n", format_args!($($words)*))) };
}
pub(crate) use say;

/// The same without a line end.
pub(crate) fn say_text(words: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    match out.write_fmt(words).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => panic!("nothing can be printed: {error}"),
        _ => {}
    }
}

/// Says on stderr why nothing was done.
pub(crate) fn complain(exit: Exit, why: &str) -> Exit {
    anstream::eprintln!("conformance: {why}");
    exit
}

/// Draws mistakes in YAML on stderr.
pub(crate) fn draw(found: &Diagnostics) -> Exit {
    anstream::eprintln!("{}", found.render(true));
    Exit::BadYaml
}

/// The protocol of a source, or its mistakes, drawn.
pub(crate) fn protocol(source: &Source) -> Result<Arc<Spec>, Exit> {
    let mut found = Diagnostics::default();
    match Spec::read(source, &mut found) {
        Some(spec) if found.is_empty() => Ok(Arc::new(spec)),
        _ => Err(draw(&found)),
    }
}

/// Writes a file for the user.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Exit> {
    std::fs::write(path, text)
        .map_err(|error| complain(Exit::Undecided, &format!("cannot write {}: {error}", path.display())))
}

/// Waits until the user wants no more. Whoever awaits a target awaits this, too, and ends the target: it lives in a
/// process group of its own, which hears of nothing.
pub(crate) async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) = kinds.map(signal).into() else {
        return std::future::pending().await;
    };
    tokio::select! {
        biased;
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
}

/// A runtime for whatever awaits a target.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("the system has threads to give")
}
