//! The chat: what every operation means, as one pure function. `(state, input, now) → (state, effects)`.
//!
//! There is no socket, no clock and no randomness in here, and every order is fixed. A request goes three steps:
//!
//! ```text
//! request ─▶ admit ─▶ command ─▶ commit ─▶ outcome ─▶ conclude ─▶ effects
//!            presence            state               presence
//! ```
//!
//! The *state* (accounts, mailboxes, tokens) changes by commands alone and could be stored or replicated as a log of
//! them; *presence* (who is bound to which connection) belongs to this process. Not here: bytes, passwords in clear
//! (the edge proves them), and how long anything takes.

mod account;
mod admit;
mod effect;
mod limits;
mod mailbox;
mod session;
mod state;
#[cfg(test)]
mod tests;

use spec::message::{Event, Failure, Reply, Request, Response};

use admit::Admitted;
pub use effect::{ConnectionId, Effect, FreshToken, Input, Proof, SecretNeeded};
pub use limits::Limits;
use session::{Presence, Session};
use state::{Outcome, State};

/// The seam between the edge and what the service means. [`Chat`] is right; a test may put something wrong around it.
pub trait Core: Send + 'static {
    /// What must be done because this happened. Effects for one connection are in the order in which it must see them.
    fn apply(&mut self, input: Input, now_ms: u64) -> Vec<Effect>;

    /// The work on a password that must be done before this request is applied. Asking changes nothing.
    fn question(&self, connection: ConnectionId, request: &Request, now_ms: u64) -> SecretNeeded;
}

impl<C: Core + ?Sized> Core for Box<C> {
    fn apply(&mut self, input: Input, now_ms: u64) -> Vec<Effect> {
        (**self).apply(input, now_ms)
    }

    fn question(&self, connection: ConnectionId, request: &Request, now_ms: u64) -> SecretNeeded {
        (**self).question(connection, request, now_ms)
    }
}

/// The reference's own core.
#[derive(Debug)]
pub struct Chat {
    state: State,
    presence: Presence,
}

impl Chat {
    /// A service without accounts.
    pub fn new(limits: Limits) -> Self {
        Chat { state: State::new(limits), presence: Presence::default() }
    }
}

impl Core for Chat {
    fn apply(&mut self, input: Input, now_ms: u64) -> Vec<Effect> {
        let now_ms = self.state.advance(now_ms);
        self.presence.expire(now_ms);
        match input {
            Input::Opened(connection) => self.presence.open(connection),
            Input::Closed(connection) => self.presence.close(connection),
            Input::Request { connection, request, proof, fresh_token } => {
                return self.request(connection, request, proof, fresh_token, now_ms);
            }
        }
        Vec::new()
    }

    fn question(&self, connection: ConnectionId, request: &Request, now_ms: u64) -> SecretNeeded {
        self.secret_needed(connection, request, self.state.time_at(now_ms))
    }
}

impl Chat {
    fn request(
        &mut self,
        connection: ConnectionId,
        request: Request,
        proof: Proof,
        fresh_token: FreshToken,
        now_ms: u64,
    ) -> Vec<Effect> {
        // SECURITY-10: a session that was taken over acts no more. Its connection may have requests under way.
        if !self.presence.is_open(connection) {
            return Vec::new();
        }
        let committed = match self.admit(connection, request, proof, &fresh_token, now_ms) {
            Ok(Admitted::Answer(reply)) => return vec![respond(connection, Ok(reply))],
            Ok(Admitted::Commit(command)) => self.state.commit(command, now_ms).map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        match committed {
            Ok(outcome) => self.conclude(connection, outcome, fresh_token, now_ms),
            Err(failure) => vec![respond(connection, Err(failure))],
        }
    }

    /// What follows from an outcome for those who are connected.
    fn conclude(
        &mut self,
        connection: ConnectionId,
        outcome: Outcome,
        fresh_token: FreshToken,
        now_ms: u64,
    ) -> Vec<Effect> {
        let expires_in_s = |expires_at_ms: u64| expires_at_ms.saturating_sub(now_ms).div_ceil(1000);
        let mut effects = Vec::new();
        let reply = match outcome {
            Outcome::AccountCreated => Reply::CreateAccount {},
            Outcome::LoggedIn { session, expires_at_ms, waiting } => {
                effects.extend(self.bind(connection, session, expires_at_ms));
                Reply::LogIn { token: fresh_token.to_vec(), expires_in_s: expires_in_s(expires_at_ms), waiting }
            }
            Outcome::SessionResumed { session, expires_at_ms } => {
                let username = session.username.clone();
                effects.extend(self.bind(connection, session, expires_at_ms));
                Reply::ResumeSession { username, expires_in_s: expires_in_s(expires_at_ms) }
            }
            Outcome::LoggedOut => {
                self.presence.unbind(connection);
                Reply::LogOut {}
            }
            Outcome::Listed { usernames, more } => Reply::ListAccounts { usernames, more },
            Outcome::Accepted { recipient, message } => {
                let message_id = message.message_id;
                let bound = self.presence.connection_of(recipient);
                // DELIVERY-18: of a message to oneself, the event comes before the answer.
                effects.extend(bound.map(|connection| Effect::Push { connection, event: Event::Message(message) }));
                Reply::SendMessage { message_id, delivered: bound.is_some() }
            }
            Outcome::Repeated { message_id } => Reply::SendMessage { message_id, delivered: false },
            Outcome::Delivered { messages, more } => Reply::DeliverMessages { messages, more },
            Outcome::AccountDeleted { discarded } => {
                self.presence.unbind(connection);
                Reply::DeleteAccount { discarded }
            }
        };
        effects.push(respond(connection, Ok(reply)));
        effects
    }

    /// Binds a connection to a session. SESSIONS-6: a connection whose session was taken over is closed.
    fn bind(&mut self, connection: ConnectionId, session: Session, expires_at_ms: u64) -> Option<Effect> {
        let other = self.presence.connection_of(session.account);
        if let Some(other) = other {
            self.presence.close(other);
        }
        self.presence.bind(connection, session, expires_at_ms);
        other.map(|connection| Effect::Close { connection })
    }
}

fn respond(connection: ConnectionId, response: Response) -> Effect {
    Effect::Respond { connection, response }
}
