//! Sessions, and presence: which connection is bound to whom, and by which rules it wants to be served.
//!
//! Presence is no part of the state. It belongs to this process and ends with it; where a command depends on it, the
//! command says what it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::effect::ConnectionId;
use super::policies::{Delivery, Policies};

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
    open: BTreeMap<ConnectionId, Connection>,
    /// Accounts by number, each with its connections: more than one only where a wire lets both stay.
    bound: BTreeSet<(u64, ConnectionId)>,
    expiries: BTreeSet<(u64, ConnectionId)>,
}

#[derive(Debug)]
struct Connection {
    policies: Arc<Policies>,
    /// Whether pushes were asked for; it matters only where they come on a stream.
    listens: bool,
    binding: Option<Binding>,
}

#[derive(Debug)]
struct Binding {
    session: Session,
    expires_at_ms: u64,
}

impl Presence {
    pub(super) fn open(&mut self, connection: ConnectionId, policies: Arc<Policies>) {
        self.open.entry(connection).or_insert(Connection { policies, listens: false, binding: None });
    }

    pub(super) fn close(&mut self, connection: ConnectionId) {
        self.unbind(connection);
        self.open.remove(&connection);
    }

    /// The rules of an open connection.
    pub(super) fn policies(&self, connection: ConnectionId) -> Option<Arc<Policies>> {
        self.open.get(&connection).map(|connection| Arc::clone(&connection.policies))
    }

    /// Binds an open connection to an account, and to nothing else. Other connections of the account stay bound.
    pub(super) fn bind(&mut self, connection: ConnectionId, session: Session, expires_at_ms: u64) {
        self.unbind(connection);
        if let Some(open) = self.open.get_mut(&connection) {
            self.expiries.insert((expires_at_ms, connection));
            self.bound.insert((session.account, connection));
            open.binding = Some(Binding { session, expires_at_ms });
        }
    }

    pub(super) fn unbind(&mut self, connection: ConnectionId) {
        let Some(open) = self.open.get_mut(&connection) else { return };
        if let Some(binding) = open.binding.take() {
            open.listens = false;
            self.expiries.remove(&(binding.expires_at_ms, connection));
            self.bound.remove(&(binding.session.account, connection));
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
        let binding = self.open.get(&connection)?.binding.as_ref()?;
        (now_ms < binding.expires_at_ms).then_some(&binding.session)
    }

    /// The connections that are bound to the account of this number.
    pub(super) fn connections_of(&self, account: u64) -> impl Iterator<Item = ConnectionId> + '_ {
        let all = (account, ConnectionId(0))..=(account, ConnectionId(u64::MAX));
        self.bound.range(all).map(|(_, connection)| *connection)
    }

    /// Whether an account is bound to another connection than this one.
    pub(super) fn is_bound_elsewhere(&self, account: u64, connection: ConnectionId) -> bool {
        self.connections_of(account).any(|other| other != connection)
    }

    /// The numbers of the accounts that are bound.
    pub(super) fn accounts(&self) -> BTreeSet<u64> {
        self.bound.iter().map(|(account, _)| *account).collect()
    }

    /// From now on, pushes are wanted here.
    pub(super) fn listen(&mut self, connection: ConnectionId) {
        if let Some(open) = self.open.get_mut(&connection) {
            open.listens = true;
        }
    }

    /// Whether messages are put on this connection without being asked for.
    pub(super) fn takes_pushes(&self, connection: ConnectionId) -> bool {
        self.open.get(&connection).is_some_and(|open| match open.policies.delivery {
            Delivery::Push => true,
            Delivery::Stream => open.listens,
            Delivery::Poll | Delivery::History => false,
        })
    }

    /// The connections of an account on which a new message is put.
    pub(super) fn takers(&self, account: u64) -> impl Iterator<Item = ConnectionId> + '_ {
        self.connections_of(account).filter(|connection| self.takes_pushes(*connection))
    }

    /// The streams of an account.
    pub(super) fn streams(&self, account: u64) -> impl Iterator<Item = ConnectionId> + '_ {
        self.takers(account).filter(|connection| {
            self.open.get(connection).is_some_and(|open| open.policies.delivery == Delivery::Stream)
        })
    }
}
