//! `conformance init`: a target file and a dialect file to start from, with comments that say what to change.
//!
//! `asked` finds out what the server is like, from options or on the terminal; `dialect`, `service` and `target` write it
//! down. Nothing is overwritten unless `--force` says so, and nothing is written that `conformance check` would not take,
//! but where only the author of a .proto knows what its methods mean.

mod asked;
mod dialect;
#[cfg(feature = "grpc")]
mod service;
mod target;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use spec::Spec;
use spec::error::{Diagnostics, suggestion};
use spec::source::{File, Source};

use crate::commands::{complain, draw, protocol, say};
use crate::exit::Exit;

/// The arguments of `conformance init`.
#[derive(Debug, Clone, Args)]
pub struct InitArguments {
    /// What the server is called; NAME.yaml and NAME-dialect.yaml are written. May begin with a folder.
    #[arg(default_value = "my-server")]
    name: String,
    /// Begin with a copy of a dialect that is known: `conformance check` counts them, 000 is one.
    #[arg(long, value_name = "DIALECT", conflicts_with_all = ["framing", "operations"])]
    from: Option<String>,
    /// What tells where a message ends.
    #[arg(long, value_enum)]
    framing: Option<Framing>,
    /// The .proto of a gRPC service: its methods are written down, to be filled in.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "framing", "operations"])]
    proto: Option<PathBuf>,
    /// What tells the operations apart.
    #[arg(long, value_enum)]
    operations: Option<Naming>,
    /// How the server is started, as one text; `{port}` in it is replaced by a free port.
    #[arg(long, value_name = "WORDS")]
    command: Option<String>,
    /// Where it runs already, instead of a command.
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["command", "port"])]
    address: Option<String>,
    /// Where it listens, if it cannot be told.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Write also where such files are already: what is in them is lost.
    #[arg(long)]
    force: bool,
}

/// What tells where a message ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Framing {
    /// A line end.
    Lines,
    /// A number in front, which counts what follows.
    Length,
    /// Nothing: what is read at once is a message.
    None,
    /// The brace that closes a JSON object.
    Json,
    /// gRPC, with a .proto file.
    Grpc,
}

/// What tells the operations apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Naming {
    /// A word, such as `login`.
    Word,
    /// A number.
    Number,
}

/// Runs the command.
pub fn main(arguments: &InitArguments, source: &Source) -> Exit {
    init(arguments, source).unwrap_or_else(|exit| exit)
}

fn init(arguments: &InitArguments, source: &Source) -> Result<Exit, Exit> {
    let spec = protocol(source)?;
    let path = PathBuf::from(arguments.name.strip_suffix(".yaml").unwrap_or(&arguments.name));
    let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| is_plain(name)) else {
        let why = format!("`{}` is no name for files: letters, digits, `-`, `_` and `.`", arguments.name);
        return Err(complain(Exit::Usage, &why));
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(complain(Exit::Usage, &format!("there is no folder {}", folder.display())));
    }
    let dialect_file = format!("{name}-dialect.yaml");
    if let Some(address) = arguments.address.as_deref().filter(|address| !asked::is_address(address)) {
        return Err(complain(Exit::Usage, &format!("`{address}` is no address: HOST:PORT")));
    }
    // Looked at before anybody is asked anything.
    refuse_if_there(arguments, &[folder.join(format!("{name}.yaml")), folder.join(&dialect_file)])?;
    let asked = asked::ask(arguments)?;
    let mut files = match (&asked.proto, &asked.from) {
        (Some(proto), _) => vec![(dialect_file.clone(), of_service(name, proto, folder)?)],
        (None, Some(from)) => dialect::copied(from, name, &dialect_file, &spec)?,
        (None, None) => vec![(dialect_file.clone(), dialect::written(name, &asked))],
    };
    files.push((format!("{name}.yaml"), target::written(name, &dialect_file, &asked)));
    if asked.proto.is_none() {
        check(&files, &dialect_file, &spec)?;
    }
    let paths: Vec<PathBuf> = files.iter().map(|(file, _)| folder.join(file)).collect();
    refuse_if_there(arguments, &paths)?;
    for (path, (_, text)) in paths.iter().zip(&files) {
        let mut options = std::fs::File::options();
        // Whoever made such a file meanwhile keeps it.
        let options = if arguments.force { options.create(true).truncate(true) } else { options.create_new(true) };
        let made = options.write(true).open(path);
        made.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| complain(Exit::Usage, &format!("cannot write {}: {error}", path.display())))?;
        say!("wrote {}", path.display());
    }
    next(folder, name, &dialect_file);
    Ok(Exit::Passed)
}

/// The dialect of a service of the user's own.
#[cfg(feature = "grpc")]
fn of_service(name: &str, proto: &Path, folder: &Path) -> Result<String, Exit> {
    let complained = |why: String| complain(Exit::Usage, &why);
    let cannot = |error| complained(format!("cannot read {}: {error}", proto.display()));
    let text = std::fs::read_to_string(proto).map_err(cannot)?;
    // A dialect finds it from where itself is.
    let beside = proto.strip_prefix(folder).ok().or(Some(proto).filter(|_| folder == Path::new(".")));
    let path = beside.map(Path::to_path_buf).map_or_else(|| proto.canonicalize().map_err(cannot), Ok)?;
    service::written(name, &path.display().to_string(), &text).map_err(complained)
}

#[cfg(not(feature = "grpc"))]
fn of_service(_: &str, _: &Path, _: &Path) -> Result<String, Exit> {
    Err(complain(Exit::Usage, &crate::target::NotBuilt::Feature("grpc").to_string()))
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)) && !name.starts_with('-')
}

fn refuse_if_there(arguments: &InitArguments, paths: &[PathBuf]) -> Result<(), Exit> {
    match paths.iter().find(|path| !arguments.force && path.exists()) {
        Some(path) => {
            let why = format!("{} is there already: take another name, or --force to lose it", path.display());
            Err(complain(Exit::Usage, &why))
        }
        None => Ok(()),
    }
}

/// Only what is right is written.
fn check(files: &[(String, String)], dialect: &str, spec: &Spec) -> Result<(), Exit> {
    let mut found = Diagnostics::default();
    if let Some((path, text)) = files.iter().find(|(path, _)| path == dialect) {
        let file = Arc::new(File { path: path.clone(), text: text.clone() });
        spec::read_dialect(&file, &spec.service, &mut found);
    }
    if found.is_empty() { Ok(()) } else { Err(draw(&found)) }
}

/// What to do next.
fn next(folder: &Path, name: &str, dialect: &str) {
    let at =
        |file: &str| if folder == Path::new(".") { file.to_owned() } else { folder.join(file).display().to_string() };
    let target = at(&format!("{name}.yaml"));
    say!("\nWrite down what your server says and hears, and look:\n");
    say!("  conformance check {}", at(dialect));
    say!("  conformance probe {target}               # one of everything, byte by byte");
    say!("  conformance probe {target} --policies    # what it does where right servers differ");
    say!("  conformance run {target}");
}

/// The nearest dialect to a name that is none.
fn no_dialect(name: &str, spec: &Spec) -> Exit {
    let known = spec.dialects.keys().map(String::as_str);
    let help = suggestion(name, known)
        .unwrap_or_else(|| format!("known are {}", spec.dialects.keys().cloned().collect::<Vec<_>>().join(", ")));
    complain(Exit::Usage, &format!("there is no dialect `{name}`; {help}"))
}
