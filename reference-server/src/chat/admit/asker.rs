//! Who asks: the session in whose name a request acts, and whether a password that was shown is the right one.

use std::sync::Arc;

use spec::message::{ErrorName, Failure};

use crate::chat::Chat;
use crate::chat::account::digest;
use crate::chat::effect::{ConnectionId, Proof, Who};
use crate::chat::policies::{LogOutBy, Policies};
use crate::chat::refusal;
use crate::chat::session::Session;

/// The one who asks, by the rules of their connection.
pub(in crate::chat) struct Asker<'a> {
    pub(super) chat: &'a Chat,
    pub(in crate::chat) policies: Arc<Policies>,
    pub(in crate::chat) connection: ConnectionId,
    pub(in crate::chat) who: &'a Who,
    /// What the connection is bound to.
    pub(in crate::chat) bound: Option<Session>,
    /// What the request acts in, after what it says about who asks.
    pub(in crate::chat) session: Option<Session>,
}

impl Chat {
    pub(in crate::chat) fn asker<'a>(&'a self, connection: ConnectionId, who: &'a Who, now_ms: u64) -> Asker<'a> {
        let policies = self.presence.policies(connection).unwrap_or_default();
        let bound = self.presence.session(connection, now_ms).cloned();
        let session = match who {
            Who::Connection => bound.clone(),
            Who::Named { username, .. } => bound.clone().filter(|session| session.username == *username),
            Who::Token { token, username } => {
                let session = self.state.session_of_token(&digest(token), now_ms);
                session.filter(|session| username.as_ref().is_none_or(|username| session.username == *username))
            }
        };
        Asker { chat: self, policies, connection, who, bound, session }
    }
}

impl Asker<'_> {
    pub(super) fn session(&self) -> Result<Session, Failure> {
        self.session.clone().ok_or(Failure::from(ErrorName::NotLoggedIn))
    }

    /// The account that a request is about: the one that it names, or else the one that it acts for.
    pub(super) fn name(&self) -> Option<&str> {
        match self.who {
            Who::Named { username, .. } => Some(username),
            _ => self.session.as_ref().map(|session| session.username.as_str()),
        }
    }

    /// Nobody logs in twice on one connection; but where nothing else ends a session, this is how to become another.
    pub(super) fn may_log_in(&self) -> Result<(), Failure> {
        let free = self.bound.is_none() || self.policies.log_out_by == LogOutBy::None;
        if free { Ok(()) } else { Err(refusal::logged_in_here()) }
    }

    /// A password beside the name must be the account's.
    pub(super) fn credentials(&self, proof: &Proof) -> Result<(), Failure> {
        match (self.who, &self.session) {
            (Who::Named { password: Some(_), .. }, Some(session)) => self.opens(&session.username, proof).map(drop),
            _ => Ok(()),
        }
    }

    /// The number of the account of this name, if its password was shown. On a wire without passwords the name is
    /// enough, even for an account that was made with a password over another wire.
    pub(super) fn opens(&self, username: &str, proof: &Proof) -> Result<u64, Failure> {
        let account = self.chat.state.account(username).ok_or_else(refusal::no_such_user)?.number;
        // The proof may be of an account that had the name before.
        let right = !self.policies.passwords || *proof == Proof::Right { account };
        if right { Ok(account) } else { Err(refusal::wrong_password()) }
    }
}
