//! What can become of a request besides success.
//!
//! The difference that matters to a checker is whether the operation may have happened nevertheless.

use std::{fmt, io};

use spec::Spec;
use spec::message::Failure;
use thiserror::Error;

/// Why there is no reply.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The server answered with an error of the protocol.
    #[error("refused: {0}")]
    Refused(Failure),
    /// No byte of the request left this client: the operation certainly did not happen.
    #[error("not sent: {0}")]
    NotSent(io::Error),
    /// The request was sent, in part at least, and no answer came: the operation may or may not have happened.
    #[error("no answer: {0}")]
    Unknown(String),
    /// The server said something that is not in the dialect, or not in its place. The connection cannot be used any
    /// more; whether the operation happened is unknown.
    #[error("not understood: {why}")]
    Garbled {
        /// What does not fit.
        why: String,
        /// The bytes that it stands in.
        bytes: Vec<u8>,
    },
}

impl ClientError {
    /// Whether the operation certainly did not happen. For the protocol's errors, `errors.yaml` decides.
    pub fn is_definite(&self) -> bool {
        match self {
            ClientError::Refused(failure) => {
                Spec::embedded().service.errors.get(failure.error.name()).is_some_and(|error| error.definite)
            }
            ClientError::NotSent(_) => true,
            ClientError::Unknown(_) | ClientError::Garbled { .. } => false,
        }
    }
}

/// Why nothing more comes on a connection.
#[derive(Debug, Clone)]
pub(crate) enum Over {
    Ended(String),
    Garbled { why: String, bytes: Vec<u8> },
}

impl Over {
    /// What it means for a request that was sent.
    pub(crate) fn error(&self) -> ClientError {
        match self {
            Over::Ended(why) => ClientError::Unknown(why.clone()),
            Over::Garbled { why, bytes } => ClientError::Garbled { why: why.clone(), bytes: bytes.clone() },
        }
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Over::Ended(why) => f.write_str(why),
            Over::Garbled { why, .. } => write!(f, "the server said something that is not understood: {why}"),
        }
    }
}

pub(crate) fn not_sent(kind: io::ErrorKind, why: &dyn fmt::Display) -> ClientError {
    ClientError::NotSent(io::Error::new(kind, why.to_string()))
}
