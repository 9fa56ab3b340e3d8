//! Wrong behaviours, at the pure seam: a core that hands everything to the right one, and bends what goes in or out.
//!
//! A mutant may look at what is asked, ask something else, or something more, change the answer, and remember things.
//! It cannot look into the right core: what it knows, it has seen.

pub(super) mod accounts;
pub(super) mod deletion;
pub(super) mod delivery;
pub(super) mod limits;
pub(super) mod listing;
pub(super) mod mailboxes;
pub(super) mod sessions;
pub(super) mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;

use reference_server::chat::{ConnectionId, Core, Effect, FreshToken, Input, Proof, SecretNeeded, Who};
use reference_server::{Chat, Limits, Policies};
use spec::message::{ErrorName, Event, Message, Reply, Request, Response};

/// Who is logged in on which connection, as far as answers tell.
type Seats = BTreeMap<ConnectionId, String>;

/// The choices of each connection's wire.
type Wires = BTreeMap<ConnectionId, Arc<Policies>>;

/// What is done with a request.
type Handler = dyn FnMut(&mut Ask<'_>) -> Vec<Effect> + Send;

/// The right core with something around it.
struct Bent {
    chat: Chat,
    seats: Seats,
    wires: Wires,
    rewrite: fn(Request) -> Request,
    asked: Box<Handler>,
    closed: fn(&mut Chat, ConnectionId, u64) -> Vec<Effect>,
}

/// A core that takes each request for another one.
pub(super) fn rewritten(limits: Limits, rewrite: fn(Request) -> Request) -> Box<dyn Core> {
    Box::new(Bent { rewrite, ..Bent::straight(limits) })
}

/// A core that changes answers.
pub(super) fn answered(limits: Limits, change: fn(&Request, &mut Response)) -> Box<dyn Core> {
    asked(limits, (), move |ask, ()| {
        let mut effects = ask.go();
        if let Some(response) = response(&mut effects, ask.connection) {
            change(&ask.request, response);
        }
        effects
    })
}

/// A core that changes every message on its way out, pushed or fetched.
pub(super) fn told(limits: Limits, change: fn(&mut Message)) -> Box<dyn Core> {
    asked(limits, (), move |ask, ()| {
        let mut effects = ask.go();
        messages(&mut effects).for_each(change);
        effects
    })
}

/// A core that handles requests in its own way, with a memory of its own.
pub(super) fn asked<M: Send + 'static>(
    limits: Limits,
    mut memory: M,
    mut handle: impl FnMut(&mut Ask<'_>, &mut M) -> Vec<Effect> + Send + 'static,
) -> Box<dyn Core> {
    Box::new(Bent { asked: Box::new(move |ask| handle(ask, &mut memory)), ..Bent::straight(limits) })
}

/// A core that does something else when a connection ends.
pub(super) fn closed(limits: Limits, closed: fn(&mut Chat, ConnectionId, u64) -> Vec<Effect>) -> Box<dyn Core> {
    Box::new(Bent { closed, ..Bent::straight(limits) })
}

impl Bent {
    fn straight(limits: Limits) -> Self {
        Bent {
            chat: Chat::new(limits),
            seats: Seats::new(),
            wires: Wires::new(),
            rewrite: |request| request,
            asked: Box::new(|ask| ask.go()),
            closed: |chat, connection, now_ms| chat.apply(Input::Closed(connection), now_ms),
        }
    }
}

impl Core for Bent {
    fn apply(&mut self, input: Input, now_ms: u64) -> Vec<Effect> {
        match input {
            Input::Opened(connection, ref policies) => {
                self.wires.insert(connection, Arc::clone(policies));
                self.chat.apply(input, now_ms)
            }
            Input::Listens { .. } => self.chat.apply(input, now_ms),
            Input::Closed(connection) => {
                self.seats.remove(&connection);
                self.wires.remove(&connection);
                (self.closed)(&mut self.chat, connection, now_ms)
            }
            Input::Request { connection, who, request, proof, fresh_token } => {
                let request = (self.rewrite)(request);
                let (chat, seats, wires) = (&mut self.chat, &self.seats, &self.wires);
                let mut ask = Ask { chat, seats, wires, connection, who, request, proof, fresh_token, now_ms };
                let effects = (self.asked)(&mut ask);
                let request = ask.request;
                self.seat(connection, &request, &effects);
                effects
            }
        }
    }

    fn question(&self, connection: ConnectionId, who: &Who, request: &Request, now_ms: u64) -> SecretNeeded {
        self.chat.question(connection, who, &(self.rewrite)(request.clone()), now_ms)
    }
}

impl Bent {
    fn seat(&mut self, connection: ConnectionId, request: &Request, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Close { connection } => drop(self.seats.remove(connection)),
                Effect::Respond { connection: to, response: Ok(reply) } if *to == connection => {
                    match (request, reply) {
                        (Request::LogIn { username, .. }, Reply::LogIn { .. })
                        | (_, Reply::ResumeSession { username, .. }) => {
                            self.seats.insert(connection, username.clone());
                        }
                        // Where making an account also logs in, there is a token.
                        (Request::CreateAccount { username, .. }, Reply::CreateAccount { token, .. })
                            if !token.is_empty() =>
                        {
                            self.seats.insert(connection, username.clone());
                        }
                        (_, Reply::LogOut {} | Reply::DeleteAccount { .. }) => drop(self.seats.remove(&connection)),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }
}

/// A request, and the right core that it is meant for.
pub(super) struct Ask<'a> {
    chat: &'a mut Chat,
    /// Before this request.
    seats: &'a Seats,
    wires: &'a Wires,
    pub(super) connection: ConnectionId,
    pub(super) who: Who,
    pub(super) request: Request,
    pub(super) proof: Proof,
    fresh_token: FreshToken,
    now_ms: u64,
}

impl Ask<'_> {
    /// What the right core does.
    pub(super) fn go(&mut self) -> Vec<Effect> {
        let (connection, who, request) = (self.connection, self.who.clone(), self.request.clone());
        let (proof, fresh_token) = (self.proof.clone(), self.fresh_token);
        self.chat.apply(Input::Request { connection, who, request, proof, fresh_token }, self.now_ms)
    }

    /// One more request of a connection, which nobody asked for.
    fn also(&mut self, connection: ConnectionId, request: Request) -> Vec<Effect> {
        let proof = self.right_proof(connection, &request);
        let (who, fresh_token) = (Who::Connection, self.fresh_token);
        let input = Input::Request { connection, who, request, proof, fresh_token };
        self.chat.apply(input, self.now_ms)
    }

    /// An answer, and nothing done.
    pub(super) fn answer(&self, response: Response) -> Vec<Effect> {
        vec![Effect::Respond { connection: self.connection, response }]
    }

    pub(super) fn refuse(&self, error: ErrorName) -> Vec<Effect> {
        self.answer(Err(error.into()))
    }

    /// The proof that the request would have with the right password.
    fn right_proof(&self, connection: ConnectionId, request: &Request) -> Proof {
        self.right_proof_of(connection, &Who::Connection, request)
    }

    /// The same where requests say who asks.
    pub(super) fn right_proof_of(&self, connection: ConnectionId, who: &Who, request: &Request) -> Proof {
        match self.chat.question(connection, who, request, self.now_ms) {
            SecretNeeded::Verify { account, .. } => Proof::Right { account },
            _ => Proof::Nothing,
        }
    }

    /// Whether there is an account of this name.
    pub(super) fn exists(&self, username: &str) -> bool {
        let nobody = ConnectionId(0);
        let log_in = Request::LogIn { username: username.to_owned(), password: "?".to_owned(), take_over: false };
        matches!(self.chat.question(nobody, &Who::Connection, &log_in, self.now_ms), SecretNeeded::Verify { .. })
    }

    /// Who asks.
    pub(super) fn username(&self) -> Option<&str> {
        self.seats.get(&self.connection).map(String::as_str)
    }

    /// Where somebody is logged in.
    pub(super) fn seat_of(&self, username: &str) -> Option<ConnectionId> {
        self.seats.iter().find(|(_, name)| *name == username).map(|(connection, _)| *connection)
    }

    /// Takes the session from a connection, which stays open.
    fn unbind(&mut self, connection: ConnectionId) {
        self.chat.apply(Input::Closed(connection), self.now_ms);
        let policies = self.wires.get(&connection).cloned().unwrap_or_default();
        self.chat.apply(Input::Opened(connection, policies), self.now_ms);
    }
}

/// The answer to a connection.
pub(super) fn response(effects: &mut [Effect], to: ConnectionId) -> Option<&mut Response> {
    effects.iter_mut().find_map(|effect| match effect {
        Effect::Respond { connection, response } if *connection == to => Some(response),
        _ => None,
    })
}

/// The answer to a connection, if it is a success.
pub(super) fn reply(effects: &mut [Effect], to: ConnectionId) -> Option<&mut Reply> {
    response(effects, to)?.as_mut().ok()
}

/// Every message that is pushed or fetched.
pub(super) fn messages(effects: &mut [Effect]) -> impl Iterator<Item = &mut Message> {
    effects.iter_mut().flat_map(|effect| match effect {
        Effect::Push { event: Event::Message(message), .. } => std::slice::from_mut(message).iter_mut(),
        Effect::Respond {
            response:
                Ok(
                    Reply::DeliverMessages { messages, .. }
                    | Reply::LogIn { messages, .. }
                    | Reply::DeleteAccount { messages, .. },
                ),
            ..
        } => messages.iter_mut(),
        _ => Default::default(),
    })
}
