//! Where actors connect to, over real sockets, and what of it can break.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use reference_server::net::Tcp;
use spec::scenario::{Fault, Scenario};

use crate::drive::{Names, Network, Outcome, Play, Stage};
use crate::fault::relay::Relay;
use crate::finding::Evidence;
use crate::target::{Eventually, Instance, ServerOptions, StartError, Starter};

/// What a play stands on.
pub trait Ground: Send + Sync {
    /// Where an actor connects to now.
    fn address<'a>(&'a self, actor: &'a str) -> Eventually<'a, io::Result<String>>;

    /// Breaks or mends something.
    fn apply<'a>(&'a self, actor: &'a str, fault: Fault) -> Eventually<'a, Result<(), String>>;
}

/// A target at an address, with nothing in between.
#[derive(Debug, Clone)]
pub struct Open(pub String);

impl Ground for Open {
    fn address<'a>(&'a self, _: &'a str) -> Eventually<'a, io::Result<String>> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn apply<'a>(&'a self, _: &'a str, fault: Fault) -> Eventually<'a, Result<(), String>> {
        Box::pin(async move { Err(format!("{fault:?} is not possible here")) })
    }
}

/// Ground for one play, with relays on the links that will break, and with an instance of its own if that will.
pub struct Fragile {
    target: Arc<Mutex<String>>,
    relays: BTreeMap<String, Relay>,
    instance: tokio::sync::Mutex<Option<Box<dyn Instance>>>,
    starter: Arc<dyn Starter>,
    options: ServerOptions,
}

impl Fragile {
    /// Whether a play needs such ground.
    pub fn is_needed(scenario: &Scenario) -> bool {
        scenario.crashes_the_server() || !scenario.broken_links().is_empty()
    }

    /// Makes the ground for a play against the target at `address`, or against one that is started for it.
    ///
    /// # Errors
    /// The target could not be started, or there was no port for a relay.
    pub async fn new(
        scenario: &Scenario,
        address: &str,
        starter: Arc<dyn Starter>,
        options: ServerOptions,
    ) -> Result<Self, StartError> {
        let instance = if scenario.crashes_the_server() { Some(starter.start(&options).await?) } else { None };
        let address = instance.as_ref().map_or_else(|| address.to_owned(), |instance| instance.address());
        let target = Arc::new(Mutex::new(address));
        let mut relays = BTreeMap::new();
        let links: BTreeSet<&str> = scenario.broken_links();
        for actor in links {
            let relay = Relay::start(Tcp, "127.0.0.1:0", target.clone()).await;
            let relay = relay.map_err(|error| StartError::new(format!("there is no port for a relay: {error}")))?;
            relays.insert(actor.to_owned(), relay);
        }
        Ok(Fragile { target, relays, instance: tokio::sync::Mutex::new(instance), starter, options })
    }

    /// What the play's own instance printed last, if it has one.
    async fn output(&self) -> Vec<String> {
        self.instance.lock().await.as_ref().map(|instance| instance.output()).unwrap_or_default()
    }
}

impl Ground for Fragile {
    fn address<'a>(&'a self, actor: &'a str) -> Eventually<'a, io::Result<String>> {
        Box::pin(async move {
            Ok(match self.relays.get(actor) {
                Some(relay) => relay.address().to_string(),
                None => self.target.lock().expect("never poisoned").clone(),
            })
        })
    }

    fn apply<'a>(&'a self, actor: &'a str, fault: Fault) -> Eventually<'a, Result<(), String>> {
        Box::pin(async move {
            let gate = self.relays.get(actor).map(Relay::gate);
            match (fault, gate) {
                (Fault::Held, Some(gate)) => gate.hold(),
                (Fault::Released | Fault::Mended, Some(gate)) => gate.open(),
                (Fault::CutOff, Some(gate)) => gate.cut(),
                // Dropping an instance kills it.
                (Fault::Crashes, _) => drop(self.instance.lock().await.take()),
                (Fault::Restarts, _) => {
                    let instance = self.starter.start(&self.options).await.map_err(|error| error.why)?;
                    *self.target.lock().expect("never poisoned") = instance.address();
                    *self.instance.lock().await = Some(instance);
                }
                (_, None) => return Err(format!("{fault:?} is not possible here")),
            }
            Ok(())
        })
    }
}

/// Makes the ground that a play needs: where nothing breaks, the one that all share.
#[derive(Clone)]
#[allow(missing_debug_implementations, reason = "it holds a way to start things")]
pub struct Grounds {
    /// `host:port` of the instance that cases share.
    pub address: String,
    /// How plays that break a server have one of their own.
    pub starter: Arc<dyn Starter>,
    /// What it is started with.
    pub options: ServerOptions,
}

impl Grounds {
    /// Plays a scenario on the ground that it needs.
    pub async fn play(
        &self,
        stage: &Stage<Network>,
        scenario: &Arc<Scenario>,
        names: &Names,
        number: usize,
    ) -> Outcome {
        if !Fragile::is_needed(scenario) {
            return Play::play(stage, scenario, names, number).await;
        }
        match Fragile::new(scenario, &self.address, self.starter.clone(), self.options.clone()).await {
            Ok(ground) => {
                let ground = Arc::new(ground);
                let stage = Stage { ground: ground.clone(), ..stage.clone() };
                let mut outcome = Play::play(&stage, scenario, names, number).await;
                if let Some(evidence) = outcome.evidence() {
                    evidence.output = ground.output().await;
                }
                outcome
            }
            Err(error) => Outcome::Undecided(Box::new(Evidence::of_start(scenario, error))),
        }
    }
}
