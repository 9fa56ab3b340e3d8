//! The bytes of a connection into messages, however they were split and joined.
//!
//! Not here: the connection. Whoever reads the socket pushes what came and asks for the next message.

use std::sync::Arc;

use crate::codec::{Dialogue, Slots, Unfit};
use crate::dialect::{Dialect, RequestHeard};
use crate::message::{ErrorName, Failure, Operation, Request};
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
        /// What the answer must echo.
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

/// Bytes that came and are not used up yet.
#[derive(Debug, Default)]
struct Buffer {
    bytes: Vec<u8>,
    start: usize,
}

impl Buffer {
    fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 && (self.start == self.bytes.len() || self.start > 1 << 16) {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    fn left(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// Requests out of a client's bytes.
#[derive(Debug)]
pub struct RequestDecoder {
    dialect: Arc<Dialect>,
    buffer: Buffer,
    ended: bool,
}

impl RequestDecoder {
    /// A decoder at the start of a connection.
    pub fn new(dialect: Arc<Dialect>) -> Self {
        RequestDecoder { dialect, buffer: Buffer::default(), ended: false }
    }

    /// Adds bytes that came.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.ended {
            self.buffer.push(bytes);
        }
    }

    /// How many bytes wait for the rest of their frame. Never more than was pushed since the last message.
    pub fn waiting(&self) -> usize {
        self.buffer.left().len()
    }

    /// The next request, or the refusal of what cannot be one. None: more bytes are needed.
    #[allow(clippy::should_implement_trait, reason = "it is no iterator: after None more bytes may follow")]
    pub fn next(&mut self) -> Option<Inbound> {
        if self.ended || self.buffer.left().is_empty() {
            return None;
        }
        let (inbound, taken) = {
            let (mut slots, mut dialogue) = (Slots::new(), Dialogue::default());
            match self.dialect.hear_request(self.buffer.left(), &mut slots, &mut dialogue) {
                RequestHeard::More(_) => return None,
                RequestHeard::Taken(taken) => (self.request(&slots, dialogue), taken),
                RequestHeard::Refused { taken, error, unfit, close } => {
                    self.ended = close || taken.is_none();
                    let error = ErrorName::from_name(&error).unwrap_or(ErrorName::Malformed);
                    let failure = Failure::new(error, unfit.to_string());
                    (Inbound::Refused { failure, dialogue, close: self.ended }, taken.unwrap_or_default())
                }
            }
        };
        self.buffer.start += taken;
        Some(inbound)
    }

    fn request(&self, slots: &Slots<'_>, dialogue: Dialogue) -> Inbound {
        let operation = self.dialect.operation_of(&dialogue).and_then(Operation::from_name);
        let argument = |name: &str| self.dialect.argument(&dialogue, slots, name);
        match operation.and_then(|operation| Request::from_values(operation, argument)) {
            Some(request) => Inbound::Request { request, dialogue },
            None => {
                let failure = Failure::new(ErrorName::Malformed, "an argument is missing");
                Inbound::Refused { failure, dialogue, close: false }
            }
        }
    }
}

/// Answers and events out of a server's bytes.
#[derive(Debug)]
pub struct ResponseDecoder {
    dialect: Arc<Dialect>,
    buffer: Buffer,
}

impl ResponseDecoder {
    /// A decoder at the start of a connection.
    pub fn new(dialect: Arc<Dialect>) -> Self {
        ResponseDecoder { dialect, buffer: Buffer::default() }
    }

    /// Adds bytes that came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.push(bytes);
    }

    /// Bytes that came and make no whole message yet.
    pub fn rest(&self) -> &[u8] {
        self.buffer.left()
    }

    /// The next answer or event, with its bytes. `oldest` is the oldest request that has no answer yet; answers come
    /// in the order of requests. None: more bytes are needed, or the stream cannot be followed any further.
    pub fn next(&mut self, oldest: Option<&Dialogue>) -> Option<(Heard, Vec<u8>)> {
        if self.buffer.left().is_empty() {
            return None;
        }
        let heard = self.dialect.hear_answer(self.buffer.left(), oldest)?;
        // What cannot be followed is shown whole, and ends the stream.
        let taken = heard.taken().unwrap_or(self.buffer.left().len());
        let bytes = self.buffer.left()[..taken].to_vec();
        self.buffer.start += taken;
        Some((heard, bytes))
    }
}
