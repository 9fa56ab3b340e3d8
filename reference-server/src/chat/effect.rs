//! What goes into the core and what comes out of it.
//!
//! Not here: bytes and request ids, which stay with the connection.

use std::sync::Arc;

use spec::message::{Event, Request, Response};

use super::policies::Policies;

/// One client's connection. A number is never used for a second one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// 256 random bits; a log in makes them the account's token.
pub type FreshToken = [u8; 32];

/// Something that happened at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A client connected, over a wire with these choices.
    Opened(ConnectionId, Arc<Policies>),
    /// A client asks for something.
    Request {
        /// Where it came from.
        connection: ConnectionId,
        /// Who asks.
        who: Who,
        /// What is asked.
        request: Request,
        /// What came of the work that [`SecretNeeded`] said.
        proof: Proof,
        /// The token, if a new one will be needed.
        fresh_token: FreshToken,
    },
    /// A client wants messages to be put on this connection: it opened a stream, or comes back after a fail-over.
    /// Nothing answers. Where messages come unasked, a connection that nobody is bound to gets bound to the session
    /// that the user has, unless the account is bound elsewhere and the wire refuses a second log in. Wires that do
    /// this by name alone have no proof of it: whoever says the name of a user with a session is believed.
    Listens {
        /// Where.
        connection: ConnectionId,
        /// Who. A password beside the name is not looked at.
        who: Who,
    },
    /// A connection is gone, or nothing that comes from it counts any more.
    Closed(ConnectionId),
}

/// How a request says who asks. It counts for operations that need a session, and for `delete_account`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// It does not: it is whoever is bound to the connection.
    Connection,
    /// By name. It must be that of the user bound to the connection, and the password, if there is one, theirs.
    Named {
        /// The name.
        username: String,
        /// A password beside it.
        password: Option<String>,
    },
    /// By the account's present token, whatever is bound to the connection.
    Token {
        /// The token.
        token: Vec<u8>,
        /// A name beside it, which must be that of the token's account.
        username: Option<String>,
    },
}

impl Who {
    /// The password that a request shows: the one beside the name where there is one, or else its own.
    pub fn password<'a>(&'a self, request: &'a Request) -> Option<&'a str> {
        match (request, self) {
            (Request::CreateAccount { password, .. } | Request::LogIn { password, .. }, _) => Some(password),
            (_, Who::Named { password: Some(password), .. }) => Some(password),
            (Request::DeleteAccount { password, .. }, _) => Some(password),
            _ => None,
        }
    }
}

/// Something the edge must do, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Answer the request that this connection has made.
    Respond {
        /// Who has asked.
        connection: ConnectionId,
        /// The answer.
        response: Response,
    },
    /// Say something that was not asked for.
    Push {
        /// Who is told.
        connection: ConnectionId,
        /// What.
        event: Event,
    },
    /// End the connection, after everything that was said on it before.
    Close {
        /// Which connection.
        connection: ConnectionId,
    },
}

impl Effect {
    /// Which connection it is about.
    pub fn connection(&self) -> ConnectionId {
        match self {
            Effect::Respond { connection, .. } | Effect::Push { connection, .. } | Effect::Close { connection } => {
                *connection
            }
        }
    }
}

/// The work on passwords that a request needs before it can be applied. It is slow and random, so the edge does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretNeeded {
    /// None: the request has no password, or is refused without a look at it.
    Nothing,
    /// The password must be hashed, to be kept.
    Hash,
    /// The password must be compared with a hash.
    Verify {
        /// The number of the account.
        account: u64,
        /// Its hash, with its parameters.
        hash: String,
    },
    /// No password is right, as there is no such account, or it has none: the time of a comparison must pass all the same, so that it tells nothing.
    Absent,
}

/// What the work on a password has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Nothing: there was no work.
    Nothing,
    /// There is no such account, or it has another password or none.
    Wrong,
    /// The hash to keep, with its parameters.
    Hashed(String),
    /// The password is the right one.
    Right {
        /// The number of the account whose it is.
        account: u64,
    },
}
