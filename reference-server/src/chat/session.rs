//! Sessions, and presence: which connection is bound to whom.
//!
//! Presence is no part of the state. It belongs to this process, ends with it, and no command depends on it.

use std::collections::{BTreeMap, BTreeSet};

use super::effect::ConnectionId;

/// In whose name a request acts: an account by number, and its session by number. When either is no longer the
/// present one, a command in its name does nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) username: String,
    pub(super) account: u64,
    pub(super) number: u64,
}

/// The open connections and their bindings.
///
/// ```text
///            bind                     unbind, expire
///   open ───────────▶ open and bound ────────────────▶ open
///     └──────────────────┬───────────────────────────────┘
///                        ▼ close
///                      gone
/// ```
#[derive(Debug, Default)]
pub(super) struct Presence {
    open: BTreeMap<ConnectionId, Option<Binding>>,
    bound: BTreeMap<u64, ConnectionId>,
    expiries: BTreeSet<(u64, ConnectionId)>,
}

#[derive(Debug)]
struct Binding {
    session: Session,
    expires_at_ms: u64,
}

impl Presence {
    pub(super) fn open(&mut self, connection: ConnectionId) {
        self.open.entry(connection).or_default();
    }

    pub(super) fn close(&mut self, connection: ConnectionId) {
        self.unbind(connection);
        self.open.remove(&connection);
    }

    pub(super) fn is_open(&self, connection: ConnectionId) -> bool {
        self.open.contains_key(&connection)
    }

    /// Binds an open connection to an account. At most one connection is bound to an account, so whoever calls this
    /// has closed the other one.
    pub(super) fn bind(&mut self, connection: ConnectionId, session: Session, expires_at_ms: u64) {
        self.expiries.insert((expires_at_ms, connection));
        self.bound.insert(session.account, connection);
        self.open.insert(connection, Some(Binding { session, expires_at_ms }));
    }

    pub(super) fn unbind(&mut self, connection: ConnectionId) {
        if let Some(binding) = self.open.get_mut(&connection).and_then(Option::take) {
            self.expiries.remove(&(binding.expires_at_ms, connection));
            self.bound.remove(&binding.session.account);
        }
    }

    /// Unbinds every connection whose token has come to its end.
    pub(super) fn expire(&mut self, now_ms: u64) {
        while let Some(&(expires_at_ms, connection)) = self.expiries.first()
            && expires_at_ms <= now_ms
        {
            self.unbind(connection);
        }
    }

    /// The session of a connection at this time.
    pub(super) fn session(&self, connection: ConnectionId, now_ms: u64) -> Option<&Session> {
        let binding = self.open.get(&connection)?.as_ref()?;
        (now_ms < binding.expires_at_ms).then_some(&binding.session)
    }

    /// The connection that is bound to the account of this number.
    pub(super) fn connection_of(&self, account: u64) -> Option<ConnectionId> {
        self.bound.get(&account).copied()
    }
}
