//! Targets: what is judged, how it is started and reached, and what it claims.
//!
//! `description` reads the YAML of a target; `reference`, `process` and `remote` are the three ways to have one.
//! Not here: playing against it (`drive`) and deciding what is played (`run`).

mod description;
mod process;
mod reference;
mod remote;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use spec::dialect::Dialect;

pub use description::{TargetFile, read_file};
pub use process::{Program, Ready};
pub use reference::{Reference, reference_options};
pub use remote::Remote;

/// Options a server is started with, by their names in `service.yaml`.
pub type ServerOptions = BTreeMap<String, u64>;

/// Something that is judged.
#[derive(Clone)]
pub struct Target {
    /// What reports call it.
    pub name: String,
    /// The command-line words that name it, for repeating a case.
    pub words: String,
    /// What it speaks.
    pub dialect: Arc<Dialect>,
    /// How it is had.
    pub starter: Arc<dyn Starter>,
    /// Capabilities that it does not claim.
    pub lacks: BTreeSet<String>,
    /// How many accounts one instance bears.
    pub accounts: Option<u64>,
    /// How many cases run side by side, if the target says so.
    pub jobs: Option<usize>,
    /// Its file of known failures.
    pub known_failures: Option<PathBuf>,
    /// Facts about it that a report should tell.
    pub notes: Vec<String>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).field("dialect", &self.dialect.name).finish_non_exhaustive()
    }
}

impl Target {
    /// A target that claims everything its dialect can say.
    pub fn new(name: &str, words: &str, dialect: Arc<Dialect>, starter: Arc<dyn Starter>) -> Self {
        Target {
            name: name.to_owned(),
            words: words.to_owned(),
            lacks: dialect.lacks.iter().cloned().collect(),
            dialect,
            starter,
            accounts: None,
            jobs: None,
            known_failures: None,
            notes: Vec::new(),
        }
    }

    /// The same target with choices of its own, where they differ from its dialect's.
    #[must_use]
    pub fn with_policies(mut self, policies: BTreeMap<String, String>) -> Self {
        if !policies.is_empty() {
            Arc::make_mut(&mut self.dialect).policies.extend(policies);
        }
        self
    }

    /// Its choice in a policy.
    pub fn policy(&self, name: &str) -> Option<&str> {
        self.dialect.policies.get(name).map(String::as_str)
    }
}

/// A future that can be sent between threads.
pub type Eventually<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A way to have a target.
pub trait Starter: Send + Sync {
    /// Starts an instance, or finds the one that is there.
    fn start<'a>(&'a self, options: &'a ServerOptions) -> Eventually<'a, Result<Box<dyn Instance>, StartError>>;

    /// Whether instances can be started with an option.
    fn can_set(&self, option: &str) -> bool;

    /// Whether a dead instance can be started again.
    fn is_ours(&self) -> bool;

    /// Whether several instances can live at the same time.
    fn bears_several(&self) -> bool {
        self.is_ours()
    }
}

/// A target that is up.
pub trait Instance: Send {
    /// `host:port` of it.
    fn address(&self) -> String;

    /// How it ended, if it did and that is known.
    fn ended(&mut self) -> Option<String> {
        None
    }

    /// The last lines that it printed.
    fn output(&self) -> Vec<String> {
        Vec::new()
    }

    /// Ends it, and everything it started. Dropping it does, too, without asking first.
    fn stop(self: Box<Self>) -> Eventually<'static, ()>
    where
        Self: 'static,
    {
        Box::pin(async move { drop(self) })
    }
}

/// Why a target is not up.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{why}")]
pub struct StartError {
    /// What happened, and what to do.
    pub why: String,
    /// The last lines that it printed.
    pub output: Vec<String>,
}

impl StartError {
    /// An error without output.
    pub fn new(why: impl Into<String>) -> Self {
        StartError { why: why.into(), output: Vec::new() }
    }
}
