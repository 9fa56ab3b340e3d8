//! The bytes of a connection into messages, however they were split and joined.
//!
//! Not here: the connection. Whoever reads the socket pushes what came and asks for the next message.

use std::sync::Arc;

use crate::codec::answer::Found;
use crate::codec::{Dialogue, Heard, Inbound, RequestHeard, Slots};
use crate::dialect::Dialect;
use crate::message::{ErrorName, Failure, Operation, Request};
use crate::value::Record;

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
    /// Whether there is a session. None: nobody told.
    bound: Option<bool>,
    /// A dialogue that waits for its next step, with all that was said in it.
    going: Option<(usize, usize, Record)>,
}

impl RequestDecoder {
    /// A decoder at the start of a connection.
    pub fn new(dialect: Arc<Dialect>) -> Self {
        RequestDecoder { dialect, buffer: Buffer::default(), ended: false, bound: None, going: None }
    }

    /// Tells whether there is a session on the connection: on some wires the same bytes mean one operation with it, and
    /// another without it.
    pub fn set_bound(&mut self, bound: bool) {
        self.bound = Some(bound);
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

    /// Whether what waits can be a whole request, if only nothing follows it: then a pause decides.
    pub fn waits_for_a_pause(&self) -> bool {
        let going = self.going.as_ref().map(|(operation, step, _)| (*operation, *step));
        let is_open = || self.dialect.requests_are_open() || self.dialect.is_no_request(self.buffer.left(), going);
        !self.ended && self.waiting() > 0 && is_open()
    }

    /// The next request, or the refusal of what cannot be one. None: more bytes are needed.
    #[allow(clippy::should_implement_trait, reason = "it is no iterator: after None more bytes may follow")]
    pub fn next(&mut self) -> Option<Inbound> {
        self.take(false)
    }

    /// As `next`, after a pause: what is open ends here.
    pub fn after_a_pause(&mut self) -> Option<Inbound> {
        self.take(true)
    }

    fn take(&mut self, complete: bool) -> Option<Inbound> {
        if self.ended || self.buffer.left().is_empty() {
            return None;
        }
        let (inbound, taken) = {
            let dialect = Arc::clone(&self.dialect);
            let (mut slots, mut dialogue) = (Slots::new(), Dialogue::default());
            let going = self.going.as_ref().map(|(operation, step, _)| (*operation, *step));
            let heard =
                dialect.hear_request_bound(self.buffer.left(), complete, going, self.bound, &mut slots, &mut dialogue);
            let said = dialect.values(&dialogue, &slots);
            drop(slots);
            match heard {
                RequestHeard::More(_) => return None,
                RequestHeard::Taken(taken) => (self.inbound(said, dialogue), taken),
                RequestHeard::Refused { taken, error, unfit, close } => {
                    self.ended = close || taken.is_none();
                    let instead = match self.bound {
                        Some(false) => dialect.refused_when_logged_out(&unfit.field),
                        _ => None,
                    };
                    let error = instead.unwrap_or(&error);
                    let error = ErrorName::from_name(error).unwrap_or(ErrorName::Malformed);
                    let failure = Failure::new(error, unfit.to_string());
                    (Inbound::Refused { failure, dialogue, close: self.ended }, taken.unwrap_or_default())
                }
            }
        };
        self.buffer.start += taken;
        Some(inbound)
    }

    fn inbound(&mut self, said: Record, dialogue: Dialogue) -> Inbound {
        let all = match self.going.take().filter(|_| dialogue.step > 0) {
            Some((.., mut all)) => {
                said.iter().for_each(|(name, value)| all.set(name, value.clone()));
                all
            }
            None => said,
        };
        let operation = dialogue.operation.unwrap_or_default();
        let plan = self.dialect.plan(operation);
        if dialogue.step + 1 < plan.steps.len() {
            self.going = Some((operation, dialogue.step + 1, all.clone()));
            return Inbound::Step { dialogue: dialogue.with_said(all) };
        }
        if !plan.known {
            return Inbound::Listens { dialogue: dialogue.with_said(all) };
        }
        let service = &self.dialect.service;
        let argument = |name: &str| {
            let default = || service.field(name).and_then(crate::service::Field::default_value);
            let me = || all.get("me").filter(|_| name == "username").cloned();
            all.get(name).cloned().or_else(me).or_else(default).or_else(|| self.dialect.stand_in(name))
        };
        let request = Operation::from_name(&plan.name).and_then(|operation| Request::from_values(operation, argument));
        match request {
            Some(request) => Inbound::Request { request, dialogue: dialogue.with_said(all) },
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
    /// Whether what waits is nothing that may come here, and only a pause tells where it ends.
    is_stuck: bool,
}

impl ResponseDecoder {
    /// A decoder at the start of a connection.
    pub fn new(dialect: Arc<Dialect>) -> Self {
        ResponseDecoder { dialect, buffer: Buffer::default(), is_stuck: false }
    }

    /// Adds bytes that came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.push(bytes);
    }

    /// Bytes that came and make no whole message yet.
    pub fn rest(&self) -> &[u8] {
        self.buffer.left()
    }

    /// Whether what waits can be a whole message, if only nothing follows it: then a pause decides.
    pub fn waits_for_a_pause(&self) -> bool {
        (self.dialect.answers_are_open() || self.is_stuck) && !self.rest().is_empty()
    }

    /// The next answer or event, with its bytes. `oldest` is the oldest request that has no answer yet; answers come
    /// in the order of requests. None: more bytes are needed, or the stream cannot be followed any further.
    pub fn next(&mut self, oldest: Option<&Dialogue>) -> Option<(Heard, Vec<u8>)> {
        self.take(false, &[oldest])
    }

    /// As `next`, where any of several dialogues may be answered. `complete`: after a pause, what is open ends here.
    pub fn take(&mut self, complete: bool, dialogues: &[Option<&Dialogue>]) -> Option<(Heard, Vec<u8>)> {
        self.take_among(complete, dialogues).map(|(found, bytes)| (found.heard, bytes))
    }

    /// Whether what waits is no whole message yet, and can become one.
    pub(crate) fn is_a_beginning(&self, dialogues: &[Option<&Dialogue>]) -> bool {
        !self.rest().is_empty() && self.dialect.is_a_beginning(self.rest(), dialogues)
    }

    /// As `take`, and what goes with it.
    pub(crate) fn take_among(&mut self, complete: bool, dialogues: &[Option<&Dialogue>]) -> Option<(Found, Vec<u8>)> {
        if self.buffer.left().is_empty() {
            return None;
        }
        let found = self.dialect.hear_answer_among(self.buffer.left(), complete, dialogues);
        self.is_stuck = found.is_none() && self.dialect.is_no_answer(self.buffer.left(), dialogues);
        let found = found?;
        // What cannot be followed is shown whole, and ends the stream.
        let taken = found.heard.taken().unwrap_or(self.buffer.left().len());
        let bytes = self.buffer.left()[..taken].to_vec();
        self.buffer.start += taken;
        Some((found, bytes))
    }
}
