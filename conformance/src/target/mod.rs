//! Targets: what is judged, how it is started and reached, and what it claims.
//!
//! `description` reads the YAML of a target, `dialect` that of its wire, and `messages` holds one of gRPC against its
//! `.proto`; `reference`, `process` and `remote` are the three ways to have one.
//! Not here: playing against it (`drive`) and deciding what is played (`run`).

mod description;
mod dialect;
#[cfg(feature = "grpc")]
pub(crate) mod messages;
mod process;
mod reference;
mod remote;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use spec::dialect::Dialect;

pub use description::{TargetFile, read_file};
pub(crate) use dialect::hold_against_messages;
pub use dialect::read_dialect;
pub use process::{Companion, Directory, Line, Probe, Program, Ready};
pub use reference::{Reference, reference_options};
pub use remote::Remote;

/// When a target that the suite starts gets a new instance, beside when it is dead or used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Restart {
    /// Never: all cases share one.
    Never,
    /// Each case that may harm a server has one of its own; the others share one.
    Groups,
    /// Each case has one of its own.
    Cases,
}

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

    /// When it gets a new instance.
    fn restart(&self) -> Restart {
        if self.is_ours() { Restart::Groups } else { Restart::Never }
    }
}

/// A target that is up.
pub trait Instance: Send + Sync {
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

/// The embedded reference, speaking a dialect.
///
/// # Errors
/// This program was built without what the dialect needs.
pub fn embedded(spec: &Arc<spec::Spec>, dialect: &Arc<Dialect>) -> Result<Arc<dyn Starter>, NotBuilt> {
    embedded_around(spec, dialect, reference_server::Chat::new)
}

/// The embedded reference around another core than its own.
///
/// # Errors
/// This program was built without what the dialect needs.
pub(crate) fn embedded_around<C: reference_server::chat::Core>(
    spec: &Arc<spec::Spec>,
    dialect: &Arc<Dialect>,
    core: impl Fn(reference_server::Limits) -> C + Send + Sync + 'static,
) -> Result<Arc<dyn Starter>, NotBuilt> {
    let (spec, dialect) = (spec.clone(), dialect.clone());
    let Some(grpc) = &dialect.grpc else {
        return Ok(Arc::new(Reference::bent(spec, dialect, reference_server::net::Tcp, core)));
    };
    #[cfg(not(feature = "grpc"))]
    {
        let _ = grpc;
        Err(NotBuilt::Feature("grpc"))
    }
    #[cfg(feature = "grpc")]
    {
        let missing = || NotBuilt::Proto(format!("the dialect {} names no `proto`", dialect.name));
        let (name, text) = crate::drive::proto(&dialect, &spec)?.ok_or_else(missing)?;
        let net = reference_server::grpc_net::GrpcNet::new(crate::drive::schema(&name, &text, &grpc.service)?);
        Ok(Arc::new(Reference::bent(spec, dialect, net, core)))
    }
}

/// Why a dialect cannot be spoken by this program.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotBuilt {
    /// A part of the suite was left out when it was built.
    #[error("this program was built without `{0}`: cargo run -p conformance --features {0}")]
    Feature(&'static str),
    /// The messages of a gRPC dialect are not known.
    #[error("{0}")]
    Proto(String),
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
