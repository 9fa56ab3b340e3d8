//! The embedded reference server, as it is shipped or bent on purpose.
//!
//! Not here: what is bent (`mutant`, `baseline`).

use std::sync::Arc;
use std::time::Duration;

use reference_server::net::{Net, Tcp};
use reference_server::world::World;
use reference_server::{Chat, Cost, Limits, Options, Running, Server};
use spec::Spec;
use spec::dialect::Dialect;

use crate::target::{Eventually, Instance, ServerOptions, StartError, Starter};

/// Makes a core from limits: the pure one, or one that is wrong on purpose.
type MakeCore<C> = dyn Fn(Limits) -> C + Send + Sync;

/// The reference server inside this process, on a free port.
#[derive(Clone)]
pub struct Reference<N: Net, C> {
    spec: Arc<Spec>,
    dialect: Arc<Dialect>,
    net: N,
    core: Arc<MakeCore<C>>,
}

impl Reference<Tcp, Chat> {
    /// The reference as it is.
    pub fn new(spec: Arc<Spec>, dialect: Arc<Dialect>) -> Self {
        Reference { spec, dialect, net: Tcp, core: Arc::new(Chat::new) }
    }
}

impl<N: Net, C> Reference<N, C> {
    /// The reference with another network and another core around the pure one.
    pub fn bent(
        spec: Arc<Spec>,
        dialect: Arc<Dialect>,
        net: N,
        core: impl Fn(Limits) -> C + Send + Sync + 'static,
    ) -> Self {
        Reference { spec, dialect, net, core: Arc::new(core) }
    }
}

/// What the embedded reference is started with: the protocol's limits, a scenario's options, and cheap hashing.
pub fn reference_options(spec: &Spec, given: &ServerOptions) -> (Limits, Options) {
    let limit = |name: &str| spec.service.limit(name);
    let mut limits = Limits::new(limit);
    let mut options = Options::new(limit, Cost::Test);
    for (name, value) in given {
        match name.as_str() {
            "token_lifetime_ms" => limits.token_lifetime_ms = *value,
            "mailbox_messages" => limits.mailbox_messages = *value,
            "idle_timeout_ms" => options.idle_timeout = Duration::from_millis(*value),
            other => unreachable!("service.yaml has an option `{other}` that the reference does not know"),
        }
    }
    (limits, options)
}

impl<N: Net, C: reference_server::chat::Core> Starter for Reference<N, C> {
    fn start<'a>(&'a self, options: &'a ServerOptions) -> Eventually<'a, Result<Box<dyn Instance>, StartError>> {
        Box::pin(async move {
            let (limits, options) = reference_options(&self.spec, options);
            let core = (self.core)(limits);
            let (net, dialect) = (self.net.clone(), self.dialect.clone());
            let running = Server::start(net, "127.0.0.1:0", core, World::real(), dialect, options)
                .await
                .map_err(|error| StartError::new(format!("the embedded reference cannot listen: {error}")))?;
            Ok(Box::new(Embedded { running }) as Box<dyn Instance>)
        })
    }

    fn can_set(&self, _: &str) -> bool {
        true
    }

    fn is_ours(&self) -> bool {
        true
    }
}

struct Embedded {
    running: Running,
}

impl Instance for Embedded {
    fn address(&self) -> String {
        self.running.address().to_string()
    }
}
