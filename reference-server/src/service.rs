//! The service: one core and the connections it knows, over any number of listeners and wires.
//!
//! Not here: sockets. A connection is an outbox and the wire its bytes are for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use spec::codec::{Dialogue, Saying, Unspeakable, Voice};
use spec::dialect::Dialect;
use spec::message::{Failure, Reply, Request, Response};
use spec::value::{Record, Value};

use crate::chat::{ConnectionId, Core, Effect, FreshToken, Input, Policies, Proof, Who};
use crate::options::Options;
use crate::outbox::Outbox;
use crate::password::Passwords;
use crate::world::World;

/// Bytes of the reference's own tokens.
const TOKEN_BYTES: usize = size_of::<FreshToken>();

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
    /// Who was logged in here last: some wires say the name in their answers.
    me: Option<String>,
    /// Whether somebody is logged in here, as far as answers tell.
    bound: bool,
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
        let policies = Arc::new(Policies::of(&dialect));
        let client = Client { dialect, outbox, dialogue: Dialogue::default(), me: None, bound: false };
        client.put(|dialect, voice, out| dialect.speak_greeting(voice, out).map(|()| false), now_ms);
        shared.clients.insert(connection, client);
        shared.apply(Input::Opened(connection, policies), now_ms);
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
        let who = who_asks(&dialogue);
        let proof = self.prove(&who, &request).await;
        let service = &self.service;
        let (mut fresh_token, now_ms): (FreshToken, u64) = (service.world.random(), service.world.now_ms());
        let mut shared = service.lock();
        if let Some(client) = shared.clients.get_mut(&self.connection) {
            fresh_token[client.dialect.token_bytes().unwrap_or(TOKEN_BYTES).min(TOKEN_BYTES)..].fill(0);
            client.dialogue = dialogue;
        }
        let request = with_whole_token(request);
        shared.apply(Input::Request { connection: self.connection, who, request, proof, fresh_token }, now_ms);
    }

    /// The user wants to be told of messages here.
    pub(crate) fn listens(&self, dialogue: Dialogue) {
        let (who, now_ms) = (who_asks(&dialogue), self.service.world.now_ms());
        let mut shared = self.service.lock();
        if let Some(client) = shared.clients.get_mut(&self.connection) {
            client.me = dialogue.said("me").and_then(Value::as_text).map(str::to_owned).or(client.me.take());
            let nothing = Record::new();
            client.put(
                |dialect, _, out| dialect.speak_answer(&dialogue, &Saying::Ok(&nothing), out).map(|()| false),
                now_ms,
            );
        }
        shared.apply(Input::Listens { connection: self.connection, who }, now_ms);
    }

    /// Whether somebody is logged in here. Some wires say different things with the same bytes then.
    pub(crate) fn is_bound(&self) -> bool {
        self.service.lock().clients.get(&self.connection).is_some_and(|client| client.bound)
    }

    /// A step of a dialogue that goes on.
    pub(crate) fn go_on(&self, dialogue: Dialogue) {
        let now_ms = self.service.world.now_ms();
        if let Some(client) = self.service.lock().clients.get(&self.connection) {
            let nothing = Record::new();
            client.put(
                |dialect, _, out| dialect.speak_answer(&dialogue, &Saying::Ok(&nothing), out).map(|()| false),
                now_ms,
            );
        }
    }

    /// Answers what is no request.
    pub(crate) fn refuse(&self, failure: Failure, dialogue: &Dialogue) {
        tracing::debug!(connection = self.connection.0, %failure, "refused");
        let now_ms = self.service.world.now_ms();
        if let Some(client) = self.service.lock().clients.get(&self.connection) {
            client.put(|dialect, voice, out| dialect.speak_response_as(dialogue, &Err(failure), voice, out), now_ms);
        }
    }

    async fn prove(&self, who: &Who, request: &Request) -> Proof {
        let Some(password) = who.password(request) else { return Proof::Nothing };
        let now_ms = self.service.world.now_ms();
        let needed = self.service.lock().core.question(self.connection, who, request, now_ms);
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
            let Some(client) = self.clients.get_mut(&effect.connection()) else { continue };
            match effect {
                Effect::Respond { response, .. } => {
                    client.meet(&response);
                    let dialogue = &client.dialogue;
                    client
                        .put(|dialect, voice, out| dialect.speak_response_as(dialogue, &response, voice, out), now_ms);
                }
                Effect::Push { event, .. } => {
                    client
                        .put(|dialect, voice, out| dialect.speak_event_as(&event, voice, out).map(|()| false), now_ms);
                }
                Effect::Close { .. } => client.outbox.finish(),
            }
        }
    }
}

impl Client {
    /// Learns the name of whoever is logged in now.
    fn meet(&mut self, response: &Response) {
        let said = |name: &str| self.dialogue.said(name).and_then(Value::as_text).map(str::to_owned);
        match response {
            Ok(Reply::LogIn { .. } | Reply::CreateAccount { .. }) => {
                self.me = said("username").or_else(|| said("me")).or(self.me.take());
                let logs_in = self.dialect.policies.get("after_create").is_some_and(|choice| choice == "logged_in");
                self.bound |= logs_in || matches!(response, Ok(Reply::LogIn { .. }));
            }
            Ok(Reply::ResumeSession { username, .. }) => (self.me, self.bound) = (Some(username.clone()), true),
            Ok(Reply::LogOut {} | Reply::DeleteAccount { .. }) => self.bound = false,
            _ => {}
        }
    }

    /// Says something; where the wire says so, the connection ends after it.
    fn put(&self, speak: impl FnOnce(&Dialect, Voice<'_>, &mut Vec<u8>) -> Result<bool, Unspeakable>, now_ms: u64) {
        let mut ends = false;
        let voice = Voice { me: self.me.as_deref(), fresh: now_ms, now_ms };
        let said = self.outbox.put(|out| speak(&self.dialect, voice, out).map(|close| ends = close));
        if let Err(unspeakable) = said {
            // Whoever waits for this answer would wait for ever.
            tracing::error!(dialect = self.dialect.name, %unspeakable, "this wire cannot carry an answer");
            ends = true;
        }
        if ends {
            self.outbox.finish();
        }
    }
}

/// How a request says who asks: by a token, by a name, or not at all.
fn who_asks(dialogue: &Dialogue) -> Who {
    let said = |name: &str| dialogue.said(name);
    let text = |name: &str| said(name).and_then(Value::as_text).map(str::to_owned);
    match (said("my token").and_then(Value::as_bytes), text("me")) {
        (Some(token), username) => Who::Token { token: whole_token(token.to_vec()), username },
        (None, Some(username)) => Who::Named { username, password: text("my password") },
        (None, None) => Who::Connection,
    }
}

/// Wires with shorter tokens carry the front of them; the rest is nought.
fn whole_token(mut token: Vec<u8>) -> Vec<u8> {
    if (1..TOKEN_BYTES).contains(&token.len()) {
        token.resize(TOKEN_BYTES, 0);
    }
    token
}

fn with_whole_token(request: Request) -> Request {
    match request {
        Request::ResumeSession { token } => Request::ResumeSession { token: whole_token(token) },
        request => request,
    }
}
