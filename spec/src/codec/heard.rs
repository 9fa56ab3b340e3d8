//! What can be said and heard: answers and events of a server, requests of a client.

use crate::codec::{Dialogue, Unfit};
use crate::message::{Failure, Request};
use crate::value::Record;

/// Something that a server says.
#[derive(Debug, Clone)]
pub enum Saying<'a> {
    /// Success with these results.
    Ok(&'a Record),
    /// An error of the protocol, by name.
    Error {
        /// Its name in `errors.yaml`.
        name: &'a str,
        /// Its cause, for wires that tell causes apart; empty if it has none.
        cause: &'a str,
        /// What goes with it.
        detail: &'a str,
    },
    /// An event, by name, with its fields.
    Event(&'a str, &'a Record),
}

/// Something that a server said. `taken` is its length in bytes; `frame` holds the numbers of its frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Success.
    Ok {
        /// Bytes of the message.
        taken: usize,
        /// The operation that succeeded, if the wire tells.
        operation: Option<String>,
        /// Its results.
        values: Record,
        /// The frame's numbers.
        frame: Record,
    },
    /// An error.
    Error {
        /// Bytes of the message.
        taken: usize,
        /// Its name in `errors.yaml`.
        name: String,
        /// What it carries.
        values: Record,
        /// The frame's numbers.
        frame: Record,
    },
    /// An event.
    Event {
        /// Bytes of the message.
        taken: usize,
        /// Its name in `service.yaml`.
        name: String,
        /// Its fields.
        values: Record,
        /// The frame's numbers.
        frame: Record,
    },
    /// An exchange that leads on to the next step of its dialogue.
    Next {
        /// Bytes of the message.
        taken: usize,
        /// What it tells.
        values: Record,
        /// The frame's numbers.
        frame: Record,
    },
    /// One more row of an answer that goes on, or several.
    More {
        /// Bytes of the message.
        taken: usize,
        /// The row, or a list of rows.
        values: Record,
        /// Whether it goes on only when the same is said once more.
        again: bool,
        /// The frame's numbers.
        frame: Record,
    },
    /// Noise that the dialect says to ignore.
    Ignored {
        /// Bytes of the message.
        taken: usize,
        /// The frame's numbers.
        frame: Record,
    },
    /// Something that cannot stand here. Without `taken` the stream cannot be followed any further.
    Other {
        /// Bytes of the message.
        taken: Option<usize>,
        /// What exactly does not fit.
        unfit: Unfit,
        /// The frame's numbers.
        frame: Record,
    },
}

impl Heard {
    pub(crate) fn other(taken: Option<usize>, unfit: Unfit, frame: Record) -> Self {
        Heard::Other { taken, unfit, frame }
    }

    /// Bytes of the message, if its end is known.
    pub fn taken(&self) -> Option<usize> {
        match self {
            Heard::Ok { taken, .. }
            | Heard::Error { taken, .. }
            | Heard::Event { taken, .. }
            | Heard::Next { taken, .. }
            | Heard::More { taken, .. }
            | Heard::Ignored { taken, .. } => Some(*taken),
            Heard::Other { taken, .. } => *taken,
        }
    }

    /// The numbers of its frame.
    pub fn frame(&self) -> &Record {
        match self {
            Heard::Ok { frame, .. }
            | Heard::Error { frame, .. }
            | Heard::Event { frame, .. }
            | Heard::Next { frame, .. }
            | Heard::More { frame, .. }
            | Heard::Ignored { frame, .. }
            | Heard::Other { frame, .. } => frame,
        }
    }
}

/// Something that a client said, for a server to handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inbound {
    /// A request.
    Request {
        /// What is asked.
        request: Request,
        /// What the answer must echo, and how the request says who asks.
        dialogue: Dialogue,
    },
    /// A step of a dialogue that goes on: it is answered with `next`.
    Step {
        /// What the answer must echo.
        dialogue: Dialogue,
    },
    /// The user wants to be told of messages on this connection.
    Listens {
        /// What the answer must echo, and how the request says who asks.
        dialogue: Dialogue,
    },
    /// Bytes that are no request.
    Refused {
        /// The answer.
        failure: Failure,
        /// What the answer can echo.
        dialogue: Dialogue,
        /// Whether the connection ends after the answer; nothing more is decoded then.
        close: bool,
    },
}
