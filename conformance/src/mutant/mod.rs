//! References made wrong on purpose, each with the requirements that must catch it.
//!
//! The reference has no switches for this. A wrong behaviour is a wrapper around its pure core (`core`), a wrong way
//! with bytes is a wrapper around its network (`stream`), a wrong wire is an edited specification (`wire`), and a wrong
//! beginning is a wrapper around its starter (`start`). Most speak the protocol's own wire; those that get choices wrong
//! which it does not make speak others (`choices`), and so do those with the faults of systems that were once at work
//! (`faithful`).
//! Not here: servers that are wrong as a whole (`baseline`), and the judgement (`tests/mutants.rs`, `tests/faithful.rs`).

mod choices;
pub mod clock;
mod core;
mod dies;
mod disk;
mod faithful;
mod start;
mod stream;
mod wire;

use std::sync::Arc;

use reference_server::net::Tcp;
use reference_server::{Chat, Limits};
use spec::Spec;
use spec::dialect::Dialect;

use crate::target::{Reference, Starter};

/// A server that is right but for one mistake.
#[derive(Debug, Clone, Copy)]
pub struct Mutant {
    /// What it does, in words with hyphens.
    pub name: &'static str,
    /// How a programmer comes to make this mistake.
    pub about: &'static str,
    /// The requirements that must catch it.
    pub caught_by: &'static [&'static str],
    kind: Kind,
}

/// Where the mistake is.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// In what operations mean.
    Core(fn(Limits) -> Box<dyn reference_server::chat::Core>),
    /// In what becomes of bytes.
    Stream(stream::Mistake),
    /// In how messages look: texts of the specification, each with what it is replaced by.
    Wire(&'static [wire::Edit]),
    /// In how the server comes up.
    Start(start::Mistake),
    /// In what it does over another wire than the protocol's own.
    Over(choices::Over),
}

impl Mutant {
    /// The wire that its mistake needs: what it says that it speaks, and what the suite speaks with it.
    ///
    /// # Panics
    /// If the specification has no such dialect.
    pub fn dialect(&self, spec: &Spec) -> Arc<Dialect> {
        let (name, choices) = match self.kind {
            Kind::Over(over) => (over.dialect, over.says),
            _ => ("framed", &[][..]),
        };
        choices::with(spec.dialect(name).unwrap_or_else(|| panic!("there is no dialect {name}")), choices)
    }

    /// A way to have it, in its dialect of the right specification.
    ///
    /// # Panics
    /// If the specification no longer has a text that this mutant replaces.
    pub fn starter(&self, spec: &Arc<Spec>) -> Arc<dyn Starter> {
        let (spec, dialect) = (Arc::clone(spec), self.dialect(spec));
        match self.kind {
            Kind::Core(core) => Arc::new(Reference::bent(spec, dialect, Tcp, core)),
            Kind::Stream(mistake) => Arc::new(Reference::bent(spec, dialect, stream::BentTcp(mistake), Chat::new)),
            Kind::Wire(edits) => {
                let (spec, dialect) = wire::edited(&spec, &dialect.name, edits);
                Arc::new(Reference::new(spec, dialect))
            }
            Kind::Start(mistake) => start::starter(mistake, spec, dialect),
            Kind::Over(over) => choices::starter(over, spec, dialect),
        }
    }
}

/// All mutants of the chat server, by the chapter that catches them.
pub fn all() -> Vec<Mutant> {
    let lists = [wire::MUTANTS, stream::MUTANTS, start::MUTANTS, core::accounts::MUTANTS, core::listing::MUTANTS];
    let lists = lists.into_iter().chain([core::sessions::MUTANTS, core::tokens::MUTANTS, core::delivery::MUTANTS]);
    let lists = lists.chain([core::mailboxes::MUTANTS, core::deletion::MUTANTS, core::limits::MUTANTS]);
    lists.chain([choices::MUTANTS, dies::MUTANTS]).flatten().copied().collect()
}

/// The faults of the systems that the dialects come from, each over its own wire.
pub fn faithful() -> Vec<Mutant> {
    faithful::MUTANTS.to_vec()
}

/// Servers with unusual habits that the protocol allows: nobody may accuse them of anything.
pub fn unusual() -> Vec<Mutant> {
    stream::UNUSUAL.to_vec()
}
