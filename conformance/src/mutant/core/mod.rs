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

use reference_server::chat::{ConnectionId, Core, Effect, FreshToken, Input, Proof, SecretNeeded};
use reference_server::{Chat, Limits};
use spec::message::{ErrorName, Event, Message, Reply, Request, Response};

/// Who is logged in on which connection, as far as answers tell.
type Seats = BTreeMap<ConnectionId, String>;

/// What is done with a request.
type Handler = dyn FnMut(&mut Ask<'_>) -> Vec<Effect> + Send;

/// The right core with something around it.
struct Bent {
    chat: Chat,
    seats: Seats,
    rewrite: fn(Request) -> Request,
    asked: Box<Handler>,
    closed: fn(&mut Chat, ConnectionId, u64) -> Vec<Effect>,
}

/// A core that takes each request for another one.
fn rewritten(limits: Limits, rewrite: fn(Request) -> Request) -> Box<dyn Core> {
    Box::new(Bent { rewrite, ..Bent::straight(limits) })
}

/// A core that changes answers.
fn answered(limits: Limits, change: fn(&Request, &mut Response)) -> Box<dyn Core> {
    asked(limits, (), move |ask, ()| {
        let mut effects = ask.go();
        if let Some(response) = response(&mut effects, ask.connection) {
            change(&ask.request, response);
        }
        effects
    })
}

/// A core that changes every message on its way out, pushed or fetched.
fn told(limits: Limits, change: fn(&mut Message)) -> Box<dyn Core> {
    asked(limits, (), move |ask, ()| {
        let mut effects = ask.go();
        messages(&mut effects).for_each(change);
        effects
    })
}

/// A core that handles requests in its own way, with a memory of its own.
fn asked<M: Send + 'static>(
    limits: Limits,
    mut memory: M,
    mut handle: impl FnMut(&mut Ask<'_>, &mut M) -> Vec<Effect> + Send + 'static,
) -> Box<dyn Core> {
    Box::new(Bent { asked: Box::new(move |ask| handle(ask, &mut memory)), ..Bent::straight(limits) })
}

/// A core that does something else when a connection ends.
fn closed(limits: Limits, closed: fn(&mut Chat, ConnectionId, u64) -> Vec<Effect>) -> Box<dyn Core> {
    Box::new(Bent { closed, ..Bent::straight(limits) })
}

impl Bent {
    fn straight(limits: Limits) -> Self {
        Bent {
            chat: Chat::new(limits),
            seats: Seats::new(),
            rewrite: |request| request,
            asked: Box::new(|ask| ask.go()),
            closed: |chat, connection, now_ms| chat.apply(Input::Closed(connection), now_ms),
        }
    }
}

impl Core for Bent {
    fn apply(&mut self, input: Input, now_ms: u64) -> Vec<Effect> {
        match input {
            Input::Opened(_) => self.chat.apply(input, now_ms),
            Input::Closed(connection) => {
                self.seats.remove(&connection);
                (self.closed)(&mut self.chat, connection, now_ms)
            }
            Input::Request { connection, request, proof, fresh_token } => {
                let request = (self.rewrite)(request);
                let (chat, seats) = (&mut self.chat, &self.seats);
                let mut ask = Ask { chat, seats, connection, request, proof, fresh_token, now_ms };
                let effects = (self.asked)(&mut ask);
                let request = ask.request;
                self.seat(connection, &request, &effects);
                effects
            }
        }
    }

    fn question(&self, connection: ConnectionId, request: &Request, now_ms: u64) -> SecretNeeded {
        self.chat.question(connection, &(self.rewrite)(request.clone()), now_ms)
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
struct Ask<'a> {
    chat: &'a mut Chat,
    /// Before this request.
    seats: &'a Seats,
    connection: ConnectionId,
    request: Request,
    proof: Proof,
    fresh_token: FreshToken,
    now_ms: u64,
}

impl Ask<'_> {
    /// What the right core does.
    fn go(&mut self) -> Vec<Effect> {
        let (connection, request) = (self.connection, self.request.clone());
        let (proof, fresh_token) = (self.proof.clone(), self.fresh_token);
        self.chat.apply(Input::Request { connection, request, proof, fresh_token }, self.now_ms)
    }

    /// One more request of a connection, which nobody asked for.
    fn also(&mut self, connection: ConnectionId, request: Request) -> Vec<Effect> {
        let proof = self.right_proof(connection, &request);
        let input = Input::Request { connection, request, proof, fresh_token: self.fresh_token };
        self.chat.apply(input, self.now_ms)
    }

    /// An answer, and nothing done.
    fn answer(&self, response: Response) -> Vec<Effect> {
        vec![Effect::Respond { connection: self.connection, response }]
    }

    fn refuse(&self, error: ErrorName) -> Vec<Effect> {
        self.answer(Err(error.into()))
    }

    /// The proof that the request would have with the right password.
    fn right_proof(&self, connection: ConnectionId, request: &Request) -> Proof {
        match self.chat.question(connection, request, self.now_ms) {
            SecretNeeded::Verify { account, .. } => Proof::Right { account },
            _ => Proof::Nothing,
        }
    }

    /// Whether there is an account of this name.
    fn exists(&self, username: &str) -> bool {
        let nobody = ConnectionId(0);
        let log_in = Request::LogIn { username: username.to_owned(), password: "?".to_owned(), take_over: false };
        matches!(self.chat.question(nobody, &log_in, self.now_ms), SecretNeeded::Verify { .. })
    }

    /// Who asks.
    fn username(&self) -> Option<&str> {
        self.seats.get(&self.connection).map(String::as_str)
    }

    /// Where somebody is logged in.
    fn seat_of(&self, username: &str) -> Option<ConnectionId> {
        self.seats.iter().find(|(_, name)| *name == username).map(|(connection, _)| *connection)
    }

    /// Takes the session from a connection, which stays open.
    fn unbind(&mut self, connection: ConnectionId) {
        self.chat.apply(Input::Closed(connection), self.now_ms);
        self.chat.apply(Input::Opened(connection), self.now_ms);
    }
}

/// The answer to a connection.
fn response(effects: &mut [Effect], to: ConnectionId) -> Option<&mut Response> {
    effects.iter_mut().find_map(|effect| match effect {
        Effect::Respond { connection, response } if *connection == to => Some(response),
        _ => None,
    })
}

/// The answer to a connection, if it is a success.
fn reply(effects: &mut [Effect], to: ConnectionId) -> Option<&mut Reply> {
    response(effects, to)?.as_mut().ok()
}

/// Every message that is pushed or fetched.
fn messages(effects: &mut [Effect]) -> impl Iterator<Item = &mut Message> {
    effects.iter_mut().flat_map(|effect| match effect {
        Effect::Push { event: Event::Message(message), .. } => std::slice::from_mut(message).iter_mut(),
        Effect::Respond { response: Ok(Reply::DeliverMessages { messages, .. }), .. } => messages.iter_mut(),
        _ => Default::default(),
    })
}
