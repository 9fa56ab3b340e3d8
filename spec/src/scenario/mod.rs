//! Scenarios: short plays in the words of operations, as data ready to be run.
//!
//! The language is told in `docs/reference/scenario-language.md`. `read` and `writes` turn YAML into these types, `given` and
//! `expect` hold the two halves of a step: what is said and what must come.
//! Not here: whether all of it fits together (`check`), and running it (the suite).

mod expect;
mod given;
mod holes;
mod read;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

pub use expect::{Expect, Match};
pub use given::{Given, Piece};
pub(crate) use read::VERBS;
#[cfg(test)]
pub(crate) use read::{KEYS, STEP_KEYS};

use crate::codec::Damage;
use crate::error::{Diagnostics, Place};
use crate::load::Document;
use crate::requirement::Choices;
use crate::service::Service;
use crate::source::{File, Source};

/// One play.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name: a lower-case sentence, unique in the chapter.
    pub name: String,
    /// The chapter, from its folder.
    pub chapter: String,
    /// The requirements that it exercises.
    pub checks: Vec<String>,
    /// What kind of server gets this wrong.
    pub why: String,
    /// Capabilities without which it does not apply, operations included.
    pub needs: BTreeSet<String>,
    /// Policies under which it applies.
    pub when: BTreeMap<String, Choices>,
    /// The only dialects that it is for. Empty: all.
    pub dialects: Vec<String>,
    /// Options that the server must have been started with.
    pub server: BTreeMap<String, u64>,
    /// Whether it may harm a weak server, and so runs last.
    pub transport: bool,
    /// Who plays, and how each begins.
    pub actors: BTreeMap<String, Presence>,
    /// The play.
    pub steps: Vec<Step>,
    /// Where it is written.
    pub place: Place,
    /// Where requirements and dialects are named in it, by their names.
    pub(crate) named: BTreeMap<String, Place>,
}

/// How an actor begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Has an account, is connected and logged in.
    Online,
    /// Has an account and no connection.
    Offline,
    /// Is connected and has no account.
    Stranger,
}

/// One step of a play.
#[derive(Debug, Clone)]
pub struct Step {
    /// Who acts. Empty in a `together`.
    pub actor: String,
    /// What it does.
    pub verb: Verb,
    /// The claim: what must come. None: preparation, which must succeed.
    pub gets: Option<Expect>,
    /// The claim as it is written.
    pub gets_text: String,
    /// The requirements that the claim stands for. Empty: all that the scenario checks.
    pub shows: Vec<String>,
    /// Values to remember: a name, and where in the answer the value stands.
    pub keep: Vec<(String, String)>,
    /// How often it is done.
    pub times: u64,
    /// Numbers that the frame of the answer must have.
    pub frame: BTreeMap<String, u64>,
    /// Where it is written.
    pub place: Place,
}

/// What an actor does.
#[derive(Debug, Clone)]
pub enum Verb {
    /// An operation, with what was given of its arguments.
    Operation {
        /// Its name.
        name: String,
        /// Its arguments.
        with: Vec<(String, Given)>,
    },
    /// Opens a connection.
    Connects,
    /// Opens a connection and logs in.
    Returns,
    /// Takes what waits for it, having just logged in, however the target brings it.
    Collects,
    /// Closes the connection.
    Disconnects,
    /// Sends no more, and still listens.
    HalfCloses,
    /// Ends the connection abruptly.
    Resets,
    /// Sends nothing.
    Listens,
    /// Puts frames on the wire in its own way.
    Writes {
        /// The frames.
        frames: Vec<Frame>,
        /// In which pieces.
        how: How,
        /// Whether nothing more is sent afterwards, said at once.
        then_half_closes: bool,
    },
    /// Lets time pass.
    Waits {
        /// Milliseconds.
        ms: u64,
    },
    /// Several actors act before any answer is read.
    Together(Vec<Step>),
    /// Something breaks, or is mended: a link between the actor and the server, or the server itself.
    Fault(Fault),
}

/// What breaks, or is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing passes on the actor's link; everything waits.
    Held,
    /// What waited on the link arrives, in order.
    Released,
    /// What is on the actor's link is lost, and nothing passes any more; nobody is told.
    CutOff,
    /// The actor can connect again. What was cut off stays dead.
    Mended,
    /// The server dies at once.
    Crashes,
    /// The server is started again.
    Restarts,
}

impl Fault {
    /// All of them, with the verbs that the language has for them.
    pub const VERBS: &[(&str, Fault)] = &[
        ("is_held", Fault::Held),
        ("is_released", Fault::Released),
        ("is_cut_off", Fault::CutOff),
        ("is_mended", Fault::Mended),
        ("crashes", Fault::Crashes),
        ("restarts", Fault::Restarts),
    ];

    /// Whether it is about the server, not about a link.
    pub fn is_of_the_server(self) -> bool {
        matches!(self, Fault::Crashes | Fault::Restarts)
    }
}

/// Who acts in a step that is about the server itself.
pub const SERVER: &str = "server";

/// One frame of a raw write.
#[derive(Debug, Clone)]
pub enum Frame {
    /// An operation, encoded by the dialect.
    Operation {
        /// Its name.
        name: String,
        /// Its arguments.
        with: Vec<(String, Given)>,
    },
    /// An operation, encoded by the dialect and then made wrong.
    Damaged {
        /// In what way.
        damage: Damage,
        /// Its name.
        name: String,
        /// Its arguments.
        with: Vec<(String, Given)>,
    },
    /// Bytes as they are.
    Hex(Vec<u8>),
}

/// In which pieces bytes are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// In one write.
    Joined,
    /// A byte at a time.
    Dripped,
    /// Cut at these offsets.
    Split(Vec<usize>),
}

impl Scenario {
    /// What stands in commands and reports: `delivery/an-offline-message-arrives-once`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.chapter, slug(&self.name))
    }

    /// Whether something in it must be refused, closed, or not happen.
    pub fn is_negative(&self) -> bool {
        self.all_steps().any(|step| step.gets.as_ref().is_some_and(Expect::is_negative))
    }

    /// The actors whose links break in it.
    pub fn broken_links(&self) -> BTreeSet<&str> {
        let faults =
            self.all_steps().filter(|step| matches!(step.verb, Verb::Fault(fault) if !fault.is_of_the_server()));
        faults.map(|step| step.actor.as_str()).collect()
    }

    /// Whether several of its actors are connected at the same time.
    pub fn needs_many_connections(&self) -> bool {
        let act =
            self.all_steps().map(|step| step.actor.as_str()).filter(|actor| !actor.is_empty() && *actor != SERVER);
        let begin = self.actors.iter().filter(|(_, presence)| **presence != Presence::Offline);
        begin.map(|(actor, _)| actor.as_str()).chain(act).collect::<BTreeSet<_>>().len() > 1
    }

    /// Whether the server dies in it.
    pub fn crashes_the_server(&self) -> bool {
        self.all_steps().any(|step| matches!(step.verb, Verb::Fault(fault) if fault.is_of_the_server()))
    }

    /// Where a requirement or a dialect is named in it.
    pub(crate) fn place_of(&self, name: &str) -> &Place {
        self.named.get(name).unwrap_or(&self.place)
    }

    /// Every step, those inside a `together` included.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().flat_map(|step| {
            let inner: &[Step] = if let Verb::Together(inner) = &step.verb { inner } else { &[] };
            std::iter::once(step).chain(inner)
        })
    }
}

/// A name as it stands in ids: lower-case letters and digits, everything else a hyphen.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.ends_with('-') && c != '\'' {
            slug.push('-');
        }
    }
    slug.trim_matches('-').to_owned()
}

/// Where one scenario stands, known without reading YAML.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its chapter.
    pub chapter: String,
    /// Its name.
    pub name: String,
    file: Arc<File>,
    part: Range<usize>,
}

impl Entry {
    /// As `Scenario::id`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.chapter, slug(&self.name))
    }

    /// Reads this scenario alone. Mistakes are added to `found`.
    pub fn read(&self, service: &Service, found: &mut Diagnostics) -> Option<Scenario> {
        let documents = Document::read_part(&self.file, self.part.clone(), found);
        read::scenario(documents.first()?, &self.chapter, service, found)
    }
}

/// All scenarios of a source by chapter and file, from a scan of lines: a document begins after `---`, and its name
/// stands behind `scenario:` at the start of a line.
pub fn list(source: &Source) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (path, file) in source.paths_below("scenarios") {
        let chapter = path.split('/').next().unwrap_or_default().to_owned();
        let (mut start, mut at) = (0, 0);
        let mut parts = Vec::new();
        for line in file.text.split_inclusive('\n') {
            if line.trim_end() == "---" {
                parts.push(start..at);
                start = at + line.len();
            }
            at += line.len();
        }
        parts.push(start..at);
        for part in parts {
            let text = &file.text[part.clone()];
            if let Some(name) = text.lines().find_map(|line| line.strip_prefix("scenario:")) {
                let name = name.trim().trim_matches('"').to_owned();
                entries.push(Entry { chapter: chapter.clone(), name, file: file.clone(), part });
            }
        }
    }
    entries
}
