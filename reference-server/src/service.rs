//! The service: one core and the connections it knows, over any number of listeners and wires.
//!
//! Not here: sockets. A connection is an outbox and the wire its bytes are for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use spec::codec::{Dialogue, Unspeakable};
use spec::dialect::Dialect;
use spec::message::{Failure, Request};

use crate::chat::{ConnectionId, Core, Effect, Input, Proof};
use crate::options::Options;
use crate::outbox::Outbox;
use crate::password::Passwords;
use crate::world::World;

/// A core with its connections. Listeners are added with [`Service::listen`].
pub struct Service<C> {
    shared: Mutex<Shared<C>>,
    passwords: Passwords,
    world: World,
    pub(crate) options: Options,
}

/// Behind one lock, so that effects reach the outboxes in the order in which the core gave them.
struct Shared<C> {
    core: C,
    now_ms: u64,
    clients: BTreeMap<ConnectionId, Client>,
    opened: u64,
}

/// A connection, as the service sees it.
struct Client {
    dialect: Arc<Dialect>,
    outbox: Arc<Outbox>,
    /// What the answer to its latest request must echo. It asks one thing at a time.
    dialogue: Dialogue,
}

impl<C: Core> Service<C> {
    /// A service that nobody can reach yet.
    pub fn new(core: C, world: World, options: Options) -> Arc<Self> {
        let shared = Mutex::new(Shared { core, now_ms: 0, clients: BTreeMap::new(), opened: 0 });
        Arc::new(Service { shared, passwords: Passwords::new(options.cost, world.clone()), world, options })
    }

    /// Makes a connection known, for as long as what comes back is kept.
    pub(crate) fn open(self: &Arc<Self>, dialect: Arc<Dialect>, outbox: Arc<Outbox>) -> Membership<C> {
        let now_ms = self.world.now_ms();
        let mut shared = self.lock();
        shared.opened += 1;
        let connection = ConnectionId(shared.opened);
        shared.clients.insert(connection, Client { dialect, outbox, dialogue: Dialogue::default() });
        shared.apply(Input::Opened(connection), now_ms);
        Membership { service: Arc::clone(self), connection }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared<C>> {
        self.shared.lock().expect("the core does not panic")
    }
}

/// That a connection is known to the service. Dropping it unbinds the connection, however it ended.
pub(crate) struct Membership<C: Core> {
    service: Arc<Service<C>>,
    connection: ConnectionId,
}

impl<C: Core> Membership<C> {
    /// Handles a request to the end: afterwards its answer and everything that it caused are in the outboxes.
    pub(crate) async fn request(&self, request: Request, dialogue: Dialogue) {
        tracing::trace!(connection = self.connection.0, operation = %request.operation());
        let proof = self.prove(&request).await;
        let service = &self.service;
        let (fresh_token, now_ms) = (service.world.random(), service.world.now_ms());
        let mut shared = service.lock();
        if let Some(client) = shared.clients.get_mut(&self.connection) {
            client.dialogue = dialogue;
        }
        shared.apply(Input::Request { connection: self.connection, request, proof, fresh_token }, now_ms);
    }

    /// Answers what is no request.
    pub(crate) fn refuse(&self, failure: Failure, dialogue: &Dialogue) {
        tracing::debug!(connection = self.connection.0, %failure, "refused");
        if let Some(client) = self.service.lock().clients.get(&self.connection) {
            client.put(|dialect, out| dialect.speak_response(dialogue, &Err(failure), out));
        }
    }

    async fn prove(&self, request: &Request) -> Proof {
        let (Request::CreateAccount { password, .. }
        | Request::LogIn { password, .. }
        | Request::DeleteAccount { password, .. }) = request
        else {
            return Proof::Nothing;
        };
        let now_ms = self.service.world.now_ms();
        let needed = self.service.lock().core.question(self.connection, request, now_ms);
        self.service.passwords.prove(needed, password).await
    }
}

impl<C: Core> Drop for Membership<C> {
    fn drop(&mut self) {
        // The clock is not asked: a simulated host that crashes drops this when its time has ended.
        if let Ok(mut shared) = self.service.shared.lock() {
            let now_ms = shared.now_ms;
            shared.apply(Input::Closed(self.connection), now_ms);
            shared.clients.remove(&self.connection);
        }
    }
}

impl<C: Core> Shared<C> {
    fn apply(&mut self, input: Input, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms);
        for effect in self.core.apply(input, self.now_ms) {
            // A connection may be gone before an effect reaches it.
            let Some(client) = self.clients.get(&effect.connection()) else { continue };
            match effect {
                Effect::Respond { response, .. } => {
                    client.put(|dialect, out| dialect.speak_response(&client.dialogue, &response, out));
                }
                Effect::Push { event, .. } => client.put(|dialect, out| dialect.speak_event(&event, out)),
                Effect::Close { .. } => client.outbox.finish(),
            }
        }
    }
}

impl Client {
    fn put(&self, speak: impl FnOnce(&Dialect, &mut Vec<u8>) -> Result<(), Unspeakable>) {
        if let Err(unspeakable) = self.outbox.put(|out| speak(&self.dialect, out)) {
            // Whoever waits for this answer would wait for ever.
            tracing::error!(dialect = self.dialect.name, %unspeakable, "this wire cannot carry an answer");
            self.outbox.finish();
        }
    }
}
