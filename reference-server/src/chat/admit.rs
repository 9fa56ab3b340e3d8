//! Admission: the checks that need the request, presence and proof, in the protocol's order of precedence.
//! What passes becomes a command; what needs no state is answered.
//!
//! Not here: checks of existence and state, which belong to the commit.

use spec::message::{ErrorName, Failure, Reply, Request};

use super::Chat;
use super::account::digest;
use super::effect::{ConnectionId, FreshToken, Proof, SecretNeeded};
use super::session::Session;
use super::state::Command;
use crate::pattern::Pattern;

/// What becomes of a request that is not refused at once.
pub(super) enum Admitted {
    /// It is answered as it is.
    Answer(Reply),
    /// It is to be committed.
    Commit(Command),
}

impl Chat {
    pub(super) fn admit(
        &self,
        connection: ConnectionId,
        request: Request,
        proof: Proof,
        fresh_token: &FreshToken,
        now_ms: u64,
    ) -> Result<Admitted, Failure> {
        let limits = self.state.limits();
        let bound = self.presence.session(connection, now_ms).cloned();
        let session = || bound.clone().ok_or(Failure::from(ErrorName::NotLoggedIn));
        let must_be_unbound = || if bound.is_some() { Err(ErrorName::AlreadyLoggedIn) } else { Ok(()) };

        let command = match request {
            Request::Hello { client: _ } => return Ok(Admitted::Answer(hello())),
            Request::Ping { nonce } => return Ok(Admitted::Answer(Reply::Ping { nonce })),
            Request::CreateAccount { username, password } => {
                if !limits.allow_username(&username) {
                    return Err(ErrorName::InvalidUsername.into());
                }
                if !limits.allow_password(&password) {
                    return Err(ErrorName::InvalidPassword.into());
                }
                // Without a hash, the name was taken when the edge asked; that it is free by now does not matter.
                let Proof::Hashed(password_hash) = proof else { return Err(ErrorName::UsernameTaken.into()) };
                Command::CreateAccount { username, password_hash }
            }
            Request::LogIn { username, password, take_over } => {
                must_be_unbound()?;
                // Without work on the password, the connection was bound when the edge asked: it has expired since.
                if proof == Proof::Nothing && limits.allow_username(&username) && limits.allow_password(&password) {
                    return Err(ErrorName::AlreadyLoggedIn.into());
                }
                let account = self.account_proved(&username, &proof)?;
                // SESSIONS-4: without `take_over`, an account that is logged in on another connection is refused.
                if !take_over && self.presence.connection_of(account).is_some() {
                    return Err(ErrorName::AlreadyLoggedIn.into());
                }
                Command::LogIn { username, account, token_digest: digest(fresh_token) }
            }
            Request::ResumeSession { token } => {
                must_be_unbound()?;
                Command::ResumeSession { token_digest: digest(&token) }
            }
            Request::LogOut {} => Command::LogOut { session: session()? },
            Request::ListAccounts { pattern, after, limit } => {
                let session = session()?;
                if !limits.allow_pattern(&pattern) {
                    return Err(ErrorName::InvalidPattern.into());
                }
                let pattern = Pattern::new(&pattern).ok_or(ErrorName::InvalidPattern)?;
                Command::ListAccounts { session, pattern, after, limit }
            }
            Request::SendMessage { recipient, text, key } => {
                // LIMITS-7: a key has either 0 or 16 bytes. What does not fit is malformed, and that comes first.
                if !limits.allow_key(&key) {
                    let wanted = format!("a key has 0 or {} bytes, not {}", limits.key_bytes, key.len());
                    return Err(Failure::new(ErrorName::Malformed, wanted));
                }
                let session = session()?;
                if !limits.allow_text(&text) {
                    return Err(ErrorName::TextTooLong.into());
                }
                Command::SendMessage { session, recipient, text, key }
            }
            Request::DeliverMessages { acknowledge, max } => {
                Command::DeliverMessages { session: session()?, acknowledge, max }
            }
            Request::DeleteAccount { password: _, discard } => {
                let session = session()?;
                if proof != (Proof::Right { account: session.account }) {
                    return Err(ErrorName::BadCredentials.into());
                }
                Command::DeleteAccount { session, discard }
            }
        };
        Ok(Admitted::Commit(command))
    }

    /// The work on passwords that a request needs, if it is not refused before anybody looks at the password.
    pub(super) fn secret_needed(&self, connection: ConnectionId, request: &Request, now_ms: u64) -> SecretNeeded {
        let limits = self.state.limits();
        let bound = self.presence.session(connection, now_ms);
        match request {
            Request::CreateAccount { username, password }
                if limits.allow_username(username)
                    && limits.allow_password(password)
                    && self.state.account(username).is_none() =>
            {
                SecretNeeded::Hash
            }
            Request::LogIn { username, password, take_over: _ }
                if bound.is_none() && limits.allow_username(username) && limits.allow_password(password) =>
            {
                self.verification(username)
            }
            Request::DeleteAccount { password, discard: _ } if limits.allow_password(password) => {
                bound.map_or(SecretNeeded::Nothing, |Session { username, .. }| self.verification(username))
            }
            _ => SecretNeeded::Nothing,
        }
    }

    fn verification(&self, username: &str) -> SecretNeeded {
        match self.state.account(username) {
            Some(account) => SecretNeeded::Verify { account: account.number, hash: account.password_hash.clone() },
            None => SecretNeeded::Absent,
        }
    }

    /// The number of the account whose password was given, if it still is the one of this name.
    fn account_proved(&self, username: &str, proof: &Proof) -> Result<u64, ErrorName> {
        let account = self.state.account(username).map(|account| account.number);
        match proof {
            Proof::Right { account: proved } if account == Some(*proved) => Ok(*proved),
            _ => Err(ErrorName::BadCredentials),
        }
    }
}

/// This server serves alone, so it is the primary and nobody else is.
fn hello() -> Reply {
    Reply::Hello {
        server: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
        capabilities: CAPABILITIES.iter().map(|name| name.to_string()).collect(),
        is_primary: true,
        primary: String::new(),
    }
}

/// Everything that `service.yaml` lists as optional: the reference has it all.
const CAPABILITIES: [&str; 7] =
    ["push", "acknowledgement", "idempotency", "paging", "take_over", "passwords", "many_connections"];
