//! One connection of an actor: what it says, and what arrives, in order.
//!
//! Answers come in the order of requests, so each is decoded against the oldest request without one. Events may stand
//! anywhere between and are kept until somebody asks for them.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use spec::codec::{Dialogue, Heard, ResponseDecoder};
use spec::dialect::Dialect;
use spec::value::Record;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::drive::patience::{Patience, Turn};
use crate::drive::wire::Wire;

/// Events that nobody asked for yet, at most: more is a flood.
const EVENTS_KEPT: usize = 4_096;

/// Bytes read while one thing is waited for, at most: more is a flood.
const BYTES_READ: usize = 8 << 20;

/// How many deadlines one message may take, if every piece of it comes in time.
const DRIP: u32 = 4;

/// Something that came, in the order of coming.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// Its number among all that arrived on this connection.
    pub serial: u64,
    /// What it is.
    pub what: Arrival,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it was decoded against.
    pub dialogue: Option<Dialogue>,
}

/// What can come.
#[derive(Debug, Clone)]
pub enum Arrival {
    /// An answer, also one that does not fit.
    Answer(Heard),
    /// An event.
    Event(Heard),
    /// The connection ended, in these words.
    End(String),
    /// Nothing came before the deadline. The bytes are those of a message that began.
    Silence,
    /// More came than anybody could want.
    Flood,
}

/// One connection.
#[allow(missing_debug_implementations, reason = "it holds a connection")]
pub struct Link<W: Wire> {
    stream: W::Stream,
    dialect: Arc<Dialect>,
    decoder: ResponseDecoder,
    pending: VecDeque<Option<Dialogue>>,
    events: VecDeque<Arrived>,
    /// An answer that was looked at and put back.
    back: Option<Arrived>,
    serial: u64,
    requests: u64,
    end: Option<String>,
}

impl<W: Wire> Link<W> {
    /// A connection that was just opened.
    pub fn new(stream: W::Stream, dialect: Arc<Dialect>) -> Self {
        Link {
            stream,
            decoder: ResponseDecoder::new(dialect.clone()),
            dialect,
            pending: VecDeque::new(),
            events: VecDeque::new(),
            back: None,
            serial: 0,
            requests: 0,
            end: None,
        }
    }

    /// The bytes of a request, whose answer is then waited for in its turn.
    ///
    /// # Errors
    /// The dialect cannot carry it.
    pub fn compose(&mut self, operation: &str, arguments: &Record) -> Result<Vec<u8>, spec::codec::Unspeakable> {
        self.requests += 1;
        let mut bytes = Vec::new();
        let dialogue = self.dialect.speak_request(operation, arguments, self.requests, &mut bytes)?;
        self.pending.push_back(Some(dialogue));
        Ok(bytes)
    }

    /// Raw bytes will be answered by something that no request of ours explains.
    pub fn expect_unexplained(&mut self) {
        self.pending.push_back(None);
    }

    /// Writes bytes in one write, and waits for a server that does not read no longer than for one that does not answer.
    ///
    /// # Errors
    /// The connection broke, or the server takes nothing in.
    pub async fn write(&mut self, bytes: &[u8], patience: &Patience, turn: &mut Turn) -> io::Result<()> {
        let writing = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        patience.wait(turn, writing).await.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Says that nothing more will be sent.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn half_close(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// Ends the connection abruptly.
    pub fn reset(self) {
        W::reset(self.stream);
    }

    /// The oldest event that nobody asked for yet.
    pub fn take_event(&mut self) -> Option<Arrived> {
        self.events.pop_front()
    }

    /// Keeps an event for later.
    pub fn keep_event(&mut self, event: Arrived) {
        self.events.push_back(event);
    }

    /// Puts back an arrival, which then comes next.
    pub fn put_back(&mut self, arrived: Arrived) {
        self.back = Some(arrived);
    }

    /// Whether the server ended the connection, in its words.
    pub fn ended(&self) -> Option<&str> {
        self.end.as_deref()
    }

    /// Requests without an answer.
    pub fn unanswered(&self) -> usize {
        self.pending.len()
    }

    /// The next thing that arrives, kept events aside.
    pub async fn next(&mut self, patience: &Patience, turn: &mut Turn) -> Arrived {
        if let Some(arrived) = self.back.take() {
            return arrived;
        }
        let (mut read, began) = (0, Instant::now());
        loop {
            let dialogue = self.pending.front().copied().flatten();
            if let Some((heard, bytes)) = self.decoder.next(dialogue.as_ref()) {
                match heard {
                    Heard::Ignored { .. } => continue,
                    Heard::Event { .. } => {
                        if self.events.len() >= EVENTS_KEPT {
                            return self.arrived(Arrival::Flood, Vec::new(), None);
                        }
                        return self.arrived(Arrival::Event(heard), bytes, None);
                    }
                    _ => {
                        self.pending.pop_front();
                        return self.arrived(Arrival::Answer(heard), bytes, dialogue);
                    }
                }
            }
            if let Some(end) = self.end.clone() {
                return self.arrived(Arrival::End(end), self.decoder.rest().to_vec(), None);
            }
            // A server that drips bytes for ever never lets a deadline pass.
            if began.elapsed() > patience.deadline() * DRIP {
                return self.arrived(Arrival::Silence, self.decoder.rest().to_vec(), dialogue);
            }
            if read > BYTES_READ {
                return self.arrived(Arrival::Flood, Vec::new(), None);
            }
            let mut buffer = [0_u8; 16 << 10];
            match patience.wait(turn, self.stream.read(&mut buffer)).await {
                None => return self.arrived(Arrival::Silence, self.decoder.rest().to_vec(), dialogue),
                Some(Ok(0)) => self.end = Some("the server closed the connection".into()),
                Some(Ok(count)) => {
                    read += count;
                    self.decoder.push(&buffer[..count]);
                }
                Some(Err(error)) => self.end = Some(format!("the connection broke: {error}")),
            }
        }
    }

    fn arrived(&mut self, what: Arrival, bytes: Vec<u8>, dialogue: Option<Dialogue>) -> Arrived {
        self.serial += 1;
        Arrived { serial: self.serial, what, bytes, dialogue }
    }
}
