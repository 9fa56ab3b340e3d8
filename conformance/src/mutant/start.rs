//! Wrong beginnings: a server that does not obey what it is started with, or does not get up after a fall.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reference_server::chat::{ConnectionId, Core, Effect, Input, SecretNeeded, Who};
use reference_server::net::Tcp;
use reference_server::{Chat, Limits};
use spec::Spec;
use spec::dialect::Dialect;
use spec::message::{ErrorName, Request};

use crate::mutant::{Kind, Mutant};
use crate::target::{Eventually, Instance, Reference, ServerOptions, StartError, Starter};

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mistake {
    /// An option is not obeyed.
    Ignores(&'static str),
    /// After an instance that was not stopped in order, the next one refuses to work.
    FearsTheDead,
}

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "idle-connections-stay",
        about: "Nobody set a time-out on the socket, so a client that vanished is logged in for ever.",
        caught_by: &["ROBUSTNESS-8"],
        kind: Kind::Start(Mistake::Ignores("idle_timeout_ms")),
    },
    Mutant {
        name: "a-crash-leaves-a-lock",
        about: "The lock file of the dead server says that it is still at work, so the next one only watches.",
        caught_by: &["ROBUSTNESS-12"],
        kind: Kind::Start(Mistake::FearsTheDead),
    },
];

pub(super) fn starter(mistake: Mistake, spec: Arc<Spec>, dialect: Arc<Dialect>) -> Arc<dyn Starter> {
    let right = Reference::new(Arc::clone(&spec), Arc::clone(&dialect));
    match mistake {
        Mistake::Ignores(option) => Arc::new(Deaf { right, option }),
        Mistake::FearsTheDead => {
            let watching = Reference::bent(spec, dialect, Tcp, |_: Limits| Watching);
            Arc::new(Fearful { right, watching, lock: Arc::default() })
        }
    }
}

/// A reference that does not obey one of its options.
struct Deaf {
    right: Reference<Tcp, Chat>,
    option: &'static str,
}

impl Starter for Deaf {
    fn start<'a>(&'a self, options: &'a ServerOptions) -> Eventually<'a, Result<Box<dyn Instance>, StartError>> {
        let mut heard = options.clone();
        heard.remove(self.option);
        Box::pin(async move { self.right.start(&heard).await })
    }

    fn can_set(&self, _: &str) -> bool {
        true
    }

    fn is_ours(&self) -> bool {
        true
    }
}

/// A reference that looks whether another instance has left its lock.
struct Fearful {
    right: Reference<Tcp, Chat>,
    watching: Reference<Tcp, Watching>,
    lock: Arc<AtomicBool>,
}

impl Starter for Fearful {
    fn start<'a>(&'a self, options: &'a ServerOptions) -> Eventually<'a, Result<Box<dyn Instance>, StartError>> {
        Box::pin(async move {
            let inner = match self.lock.load(Ordering::Relaxed) {
                true => self.watching.start(options).await?,
                false => self.right.start(options).await?,
            };
            Ok(Box::new(Locking { inner: Some(inner), lock: Arc::clone(&self.lock) }) as Box<dyn Instance>)
        })
    }

    fn can_set(&self, _: &str) -> bool {
        true
    }

    fn is_ours(&self) -> bool {
        true
    }
}

/// An instance that leaves its lock if it is dropped and not stopped.
struct Locking {
    inner: Option<Box<dyn Instance>>,
    lock: Arc<AtomicBool>,
}

impl Instance for Locking {
    fn address(&self) -> String {
        self.inner.as_ref().map(|inner| inner.address()).unwrap_or_default()
    }

    fn ended(&mut self) -> Option<String> {
        self.inner.as_mut().and_then(|inner| inner.ended())
    }

    fn output(&self) -> Vec<String> {
        self.inner.as_ref().map(|inner| inner.output()).unwrap_or_default()
    }

    fn stop(mut self: Box<Self>) -> Eventually<'static, ()> {
        match self.inner.take() {
            Some(inner) => inner.stop(),
            None => Box::pin(async {}),
        }
    }
}

impl Drop for Locking {
    fn drop(&mut self) {
        if self.inner.is_some() {
            self.lock.store(true, Ordering::Relaxed);
        }
    }
}

/// A core that does nothing as long as another server may be at work.
struct Watching;

impl Core for Watching {
    fn apply(&mut self, input: Input, _: u64) -> Vec<Effect> {
        match input {
            Input::Request { connection, .. } => {
                vec![Effect::Respond { connection, response: Err(ErrorName::Unavailable.into()) }]
            }
            Input::Opened(..) | Input::Listens { .. } | Input::Closed(_) => Vec::new(),
        }
    }

    fn question(&self, _: ConnectionId, _: &Who, _: &Request, _: u64) -> SecretNeeded {
        SecretNeeded::Nothing
    }
}
