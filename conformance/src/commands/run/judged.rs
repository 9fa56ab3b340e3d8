//! Who is judged, from the words of a command line: the reference, an address, a command, or a target file.

use std::path::Path;
use std::sync::Arc;

use spec::Spec;
use spec::dialect::Dialect;
use spec::error::{Diagnostics, suggestion};

use crate::commands::run::RunArguments;
use crate::commands::words::quoted;
use crate::commands::{complain, draw};
use crate::exit::Exit;
use crate::target::{NotBuilt, Program, Remote, Target, embedded, read_dialect, read_file};

/// All that are judged in one run.
pub(super) struct Judged {
    pub(super) targets: Vec<Target>,
    /// Dialects that this program was built without, and the part of it that they need.
    pub(super) not_built: Vec<(Arc<Dialect>, &'static str)>,
    /// Whether several dialects were asked for, however many there are.
    pub(super) several: bool,
}

/// Words that name a target.
pub(in crate::commands) struct Words<'a> {
    /// `reference`, HOST:PORT, or a target file.
    pub(in crate::commands) target: Option<&'a str>,
    /// A name, or a dialect file.
    pub(in crate::commands) dialect: Option<&'a str>,
    /// A server to start, and its arguments.
    pub(in crate::commands) command: &'a [String],
}

pub(super) fn judged(arguments: &RunArguments, spec: &Arc<Spec>) -> Result<Judged, Exit> {
    let words = Words {
        target: arguments.target.as_deref(),
        dialect: arguments.dialect.as_deref(),
        command: &arguments.command,
    };
    let names = words.dialect.filter(|name| *name == "all" || (name.contains(',') && !is_file(name)));
    let Some(names) = names else {
        return Ok(Judged { targets: vec![target(&words, spec)?], not_built: Vec::new(), several: false });
    };
    if !words.command.is_empty() || words.target.is_some_and(|target| target != "reference") {
        let why = "several dialects at once are for the embedded reference; a server of yours speaks one of them";
        return Err(complain(Exit::Usage, why));
    }
    let dialects: Vec<Arc<Dialect>> = match names {
        "all" => spec.dialects.values().cloned().collect(),
        names => {
            let mut dialects: Vec<Arc<Dialect>> = Vec::new();
            for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                let dialect = dialect(Some(name), spec)?;
                if dialects.iter().all(|known| known.name != dialect.name) {
                    dialects.push(dialect);
                }
            }
            dialects
        }
    };
    let mut judged = Judged { targets: Vec::new(), not_built: Vec::new(), several: true };
    for dialect in dialects {
        match reference(spec, &dialect) {
            Ok(target) => judged.targets.push(target),
            Err(NotBuilt::Feature(part)) => judged.not_built.push((dialect, part)),
            Err(why) => return Err(complain(Exit::Usage, &format!("{}: {why}", dialect.name))),
        }
    }
    match (judged.targets.is_empty(), judged.not_built.first()) {
        (true, Some((_, part))) => Err(complain(Exit::Usage, &NotBuilt::Feature(part).to_string())),
        (true, None) => Err(complain(Exit::Usage, "no dialect is named; `--dialect all` takes every one")),
        (false, _) => Ok(judged),
    }
}

/// The one target that words name.
pub(in crate::commands) fn target(words: &Words<'_>, spec: &Arc<Spec>) -> Result<Target, Exit> {
    if !words.command.is_empty() {
        if words.target.is_some() {
            return Err(complain(Exit::Usage, "give either a TARGET or a command after `--`, not both"));
        }
        if !words.command.iter().any(|word| word.contains("{port}")) {
            let why = "the command has no {port}: the server would not know where to listen; for a fixed port write a target file";
            return Err(complain(Exit::Usage, why));
        }
        let program = Program::new(words.command.to_vec());
        let repeat = format!("{}-- {}", said(words.dialect), quoted(words.command));
        return Ok(Target::new(&words.command.join(" "), &repeat, dialect(words.dialect, spec)?, Arc::new(program)));
    }
    match words.target {
        None | Some("reference") => {
            let dialect = dialect(words.dialect, spec)?;
            let mut target =
                reference(spec, &dialect).map_err(|why| complain(Exit::Usage, &format!("{}: {why}", dialect.name)))?;
            // A file of the user's is named as it was.
            target.words = words.dialect.map_or(target.words, |name| format!("reference {}", said(Some(name)).trim()));
            Ok(target)
        }
        Some(path) if is_file(path) => {
            if words.dialect.is_some() {
                return Err(complain(Exit::Usage, "a target file says itself which dialect its server speaks"));
            }
            let mut found = Diagnostics::default();
            read_file(Path::new(path), spec, &mut found).ok_or_else(|| draw(&found))
        }
        Some(address) if address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) => {
            let starter = Remote { address: address.to_owned() };
            let repeat = format!("{address} {}", said(words.dialect));
            Ok(Target::new(address, repeat.trim(), dialect(words.dialect, spec)?, Arc::new(starter)))
        }
        Some(other) => {
            let why = format!("`{other}` is no target: `reference`, HOST:PORT, or a target file ending in .yaml");
            Err(complain(Exit::Usage, &why))
        }
    }
}

/// The embedded reference, speaking a dialect.
fn reference(spec: &Arc<Spec>, dialect: &Arc<Dialect>) -> Result<Target, NotBuilt> {
    let starter = embedded(spec, dialect)?;
    let words = if dialect.name == "framed" { String::new() } else { format!("reference --dialect {}", dialect.name) };
    let mut target = Target::new("the embedded reference", &words, dialect.clone(), starter);
    target.notes.push("the embedded reference hashes passwords at test cost (Argon2id, m = 64 KiB, t = 1); the shipped server's default is interactive".into());
    Ok(target)
}

/// A dialect by its name, or from a file of the user's.
pub(in crate::commands) fn dialect(name: Option<&str>, spec: &Spec) -> Result<Arc<Dialect>, Exit> {
    let name = name.unwrap_or("framed");
    if let Some(dialect) = spec.dialect(name) {
        return Ok(dialect);
    }
    if is_file(name) {
        let text = std::fs::read_to_string(name)
            .map_err(|error| complain(Exit::Usage, &format!("cannot read the dialect {name}: {error}")))?;
        let file = Arc::new(spec::source::File { path: name.to_owned(), text });
        let mut found = Diagnostics::default();
        return read_dialect(&file, spec, &mut found).map(Arc::new).ok_or_else(|| draw(&found));
    }
    let help = suggestion(name, spec.dialects.keys().map(String::as_str)).unwrap_or_default();
    Err(complain(Exit::Usage, &format!("there is no dialect `{name}`; {help}")))
}

fn is_file(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml")
}

/// The option that names a dialect, and a blank.
fn said(dialect: Option<&str>) -> String {
    dialect.map_or_else(String::new, |name| format!("--dialect {} ", quoted(&[name.to_owned()])))
}
