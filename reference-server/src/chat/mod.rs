//! The chat: what every operation means, as one pure function. `(state, input, now) → (state, effects)`.
//!
//! There is no socket, no clock and no randomness in here, and every order is fixed. A request goes three steps:
//!
//! ```text
//! request ─▶ admit ─▶ command ─▶ commit ─▶ outcome ─▶ conclude ─▶ effects
//!            presence            state               presence
//!            policies                                policies
//! ```
//!
//! The *state* (accounts, mailboxes, tokens) changes by commands alone and could be stored or replicated as a log of
//! them; *presence* (who is bound to which connection) belongs to this process. One core serves wires that differ: each
//! connection brings its [`Policies`], and the state knows none of them. Not here: bytes, passwords in clear
//! (the edge proves them), and how long anything takes.

mod account;
mod admit;
mod command;
mod conclude;
mod effect;
mod limits;
mod listen;
mod listing;
mod mailbox;
pub mod policies;
mod refusal;
mod session;
mod state;
#[cfg(test)]
mod tests;

use spec::message::{Failure, Request, Response};

use admit::Admitted;
pub use effect::{ConnectionId, Effect, FreshToken, Input, Proof, SecretNeeded, Who};
pub use limits::Limits;
pub use policies::Policies;
use session::Presence;
use state::State;

/// The seam between the edge and what the service means. [`Chat`] is right; a test may put something wrong around it.
pub trait Core: Send + 'static {
    /// What must be done because this happened. Effects for one connection are in the order in which it must see them.
    fn apply(&mut self, input: Input, now_ms: u64) -> Vec<Effect>;

    /// The work on a password that must be done before this request is applied. Asking changes nothing.
    /// The password is the one of [`Who::password`].
    fn question(&self, connection: ConnectionId, who: &Who, request: &Request, now_ms: u64) -> SecretNeeded;
}

impl<C: Core + ?Sized> Core for Box<C> {
    fn apply(&mut self, input: Input, now_ms: u64) -> Vec<Effect> {
        (**self).apply(input, now_ms)
    }

    fn question(&self, connection: ConnectionId, who: &Who, request: &Request, now_ms: u64) -> SecretNeeded {
        (**self).question(connection, who, request, now_ms)
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
            Input::Opened(connection, policies) => self.presence.open(connection, policies),
            Input::Closed(connection) => self.presence.close(connection),
            Input::Listens { connection, who } => return self.listens(connection, &who, now_ms),
            Input::Request { connection, who, request, proof, fresh_token } => {
                return self.request(connection, &who, request, proof, fresh_token, now_ms);
            }
        }
        Vec::new()
    }

    fn question(&self, connection: ConnectionId, who: &Who, request: &Request, now_ms: u64) -> SecretNeeded {
        self.secret_needed(connection, who, request, self.state.time_at(now_ms))
    }
}

impl Chat {
    fn request(
        &mut self,
        connection: ConnectionId,
        who: &Who,
        request: Request,
        proof: Proof,
        fresh_token: FreshToken,
        now_ms: u64,
    ) -> Vec<Effect> {
        // SECURITY-10: a session that was taken over acts no more. Its connection may have requests under way.
        let Some(policies) = self.presence.policies(connection) else { return Vec::new() };
        let committed = match self.admit(connection, who, request, proof, &fresh_token, now_ms) {
            Ok(Admitted::Answer(reply)) => return vec![respond(connection, Ok(reply))],
            Ok(Admitted::Commit(command)) => self.state.commit(command, now_ms).map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        match committed {
            Ok(outcome) => self.conclude(connection, &policies, outcome, fresh_token, now_ms),
            Err(failure) => vec![respond(connection, Err(failure))],
        }
    }
}

fn respond(connection: ConnectionId, response: Response) -> Effect {
    Effect::Respond { connection, response }
}
