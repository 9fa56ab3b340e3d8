//! What goes into the core and what comes out of it.
//!
//! Not here: bytes and request ids, which stay with the connection.

use spec::message::{Event, Request, Response};

/// One client's connection. A number is never used for a second one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// 256 random bits; a log in makes them the account's token.
pub type FreshToken = [u8; 32];

/// Something that happened at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A client connected.
    Opened(ConnectionId),
    /// A client asks for something.
    Request {
        /// Who asks.
        connection: ConnectionId,
        /// What is asked.
        request: Request,
        /// What came of the work that [`SecretNeeded`] said.
        proof: Proof,
        /// The token, if a new one will be needed.
        fresh_token: FreshToken,
    },
    /// A connection is gone, or nothing that comes from it counts any more.
    Closed(ConnectionId),
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
    /// There is no such account: the time of a comparison must pass all the same, so that it tells nothing.
    Absent,
}

/// What the work on a password has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Nothing: there was no work.
    Nothing,
    /// There is no such account, or it has another password.
    Wrong,
    /// The hash to keep, with its parameters.
    Hashed(String),
    /// The password is the right one.
    Right {
        /// The number of the account whose it is.
        account: u64,
    },
}
