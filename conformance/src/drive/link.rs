//! One connection of an actor: what it says, and what arrives, in order.
//!
//! Which answer belongs to which request is the codec's affair (`Conversation`). Here are the socket, the deadlines, and
//! the pauses of wires whose messages have no end of their own. Events may stand anywhere between answers and are kept
//! until somebody asks for them.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use spec::codec::{Came, Conversation, Dialogue, Heard, Memory, Unspeakable, What};
use spec::dialect::Dialect;
use spec::value::Record;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use crate::drive::patience::{Patience, Turn};
use crate::drive::wire::Wire;

/// Events that nobody asked for yet, at most: more is a flood.
const EVENTS_KEPT: usize = 4_096;

/// Bytes read while one thing is waited for, at most: more is a flood.
const BYTES_READ: usize = 1 << 20;

/// Bytes read at once.
const READ_BYTES: usize = 16 << 10;

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
    /// In the place of an answer, why the request never left the suite.
    Unsent(String),
    /// Part of an answer that goes on, or of something that nobody waits for.
    Part(Heard),
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
    conversation: Conversation,
    /// Room for what is read.
    buffer: Vec<u8>,
    pub(super) pause: Duration,
    events: VecDeque<Arrived>,
    /// An answer that was looked at and put back.
    back: Option<Arrived>,
    /// What came while the connection was opened.
    early: VecDeque<Arrived>,
    /// What was said for dialogues to go on, and is not recorded yet.
    said: Vec<Vec<u8>>,
    serial: u64,
    end: Option<String>,
    /// Whether a message was taken to have ended because nothing followed it for a while.
    paused: bool,
    /// Whether its end was an answer.
    closed_as_answer: bool,
}

impl<W: Wire> Link<W> {
    /// The same as one of the connections of a run.
    #[must_use]
    pub fn numbered(mut self, connection: u32) -> Self {
        self.conversation = self.conversation.numbered(connection);
        self
    }

    /// A connection that was just opened.
    pub fn new(stream: W::Stream, dialect: Arc<Dialect>) -> Self {
        Link {
            stream,
            pause: dialect.pause(),
            conversation: Conversation::new(dialect.clone()),
            dialect,
            buffer: Vec::new(),
            events: VecDeque::new(),
            back: None,
            early: VecDeque::new(),
            said: Vec::new(),
            serial: 0,
            end: None,
            paused: false,
            closed_as_answer: false,
        }
    }

    /// Says what this wire wants said when a connection opens, and waits for what answers it. What comes meanwhile is
    /// not lost: it is what comes next.
    pub async fn open(&mut self, patience: &Patience, turn: &mut Turn, memory: &mut Memory) {
        self.go_on(patience, turn).await;
        let mut early = VecDeque::new();
        while self.conversation.is_opening() {
            let arrived = self.next(patience, turn, memory).await;
            match arrived.what {
                Arrival::Event(_) => self.keep_event(arrived),
                Arrival::Part(_) => early.push_back(arrived),
                // Whoever waits next meets the same.
                Arrival::Answer(_) | Arrival::End(_) | Arrival::Silence | Arrival::Unsent(_) | Arrival::Flood => break,
            }
        }
        self.early = early;
    }

    /// The bytes of a request, whose answer is then waited for in its turn. None: it is done by disconnecting.
    ///
    /// # Errors
    /// The dialect cannot carry it.
    pub fn compose(
        &mut self,
        operation: &str,
        arguments: &Record,
        memory: &Memory,
    ) -> Result<Option<Vec<u8>>, Unspeakable> {
        self.conversation.ask(operation, arguments, memory)
    }

    /// Whether the last request was never said, for it needs a value that nobody has learned.
    pub fn was_not_asked(&self) -> bool {
        self.conversation.was_not_asked()
    }

    /// The bytes by which the user of this connection asks to be told of messages.
    ///
    /// # Errors
    /// The dialect cannot carry it.
    pub fn listen(&mut self, memory: &Memory) -> Result<Vec<u8>, Unspeakable> {
        self.conversation.listen(memory)
    }

    /// Raw bytes will be answered by something that no request of ours explains.
    pub fn expect_unexplained(&mut self) {
        self.conversation.expect_unexplained();
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

    /// Whether something came after which, on this wire, the server ends the connection.
    pub fn is_over(&self) -> bool {
        self.conversation.is_over()
    }

    /// Requests without an answer.
    pub fn unanswered(&self) -> usize {
        self.conversation.unanswered()
    }

    /// What was said for dialogues to go on since this was asked last.
    pub fn take_said(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.said)
    }

    /// Whether the end of the connection was the answer to a request.
    pub fn was_closed_as_answer(&self) -> bool {
        self.closed_as_answer
    }

    /// Whether a pause has ended a message here.
    pub fn was_paused(&self) -> bool {
        self.paused
    }

    /// The next thing that arrives, kept events aside.
    pub async fn next(&mut self, patience: &Patience, turn: &mut Turn, memory: &mut Memory) -> Arrived {
        if let Some(arrived) = self.back.take() {
            return arrived;
        }
        if let Some(arrived) = self.early.pop_front() {
            return arrived;
        }
        let (mut read, began) = (0, Instant::now());
        let mut looked = false;
        loop {
            if let Some(came) = self.conversation.next(memory) {
                match self.came(came, patience, turn).await {
                    Some(arrived) => return arrived,
                    None => continue,
                }
            }
            self.go_on(patience, turn).await;
            if let Some(end) = self.end.clone() {
                if let Some(came) = self.conversation.ended(memory) {
                    self.closed_as_answer = came.bytes.is_empty();
                    match self.came(came, patience, turn).await {
                        Some(arrived) => return arrived,
                        None => continue,
                    }
                }
                return self.arrived(Arrival::End(end), self.conversation.rest().to_vec(), None);
            }
            // A server that drips bytes for ever never lets a deadline pass.
            if began.elapsed() > patience.deadline() * DRIP {
                return self.silence();
            }
            if read > BYTES_READ {
                return self.arrived(Arrival::Flood, Vec::new(), None);
            }
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.resize(READ_BYTES, 0);
            if self.conversation.waits_for_a_pause() && !looked {
                match timeout(patience.pause(self.pause), self.stream.read(&mut buffer)).await {
                    Ok(result) => read += self.take_in(result, buffer),
                    Err(_) => {
                        self.buffer = buffer;
                        looked = true;
                        if let Some(came) = self.conversation.after_a_pause(memory) {
                            self.paused = true;
                            if let Some(arrived) = self.came(came, patience, turn).await {
                                return arrived;
                            }
                        }
                    }
                }
                continue;
            }
            match patience.wait(turn, self.stream.read(&mut buffer)).await {
                None => return self.silence(),
                Some(result) => {
                    looked = false;
                    read += self.take_in(result, buffer);
                    read += self.take_as_much_again().await;
                }
            }
        }
    }

    /// What came before anything more is said. On a wire whose pushed texts have no end, an answer would run into them.
    pub async fn settle(&mut self, patience: &Patience, turn: &mut Turn, memory: &mut Memory) -> Vec<Arrived> {
        let mut settled = Vec::new();
        if self.conversation.unanswered() > 0 || self.back.is_some() {
            return settled;
        }
        let mut read = 0;
        while self.end.is_none() && read < BYTES_READ {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.resize(READ_BYTES, 0);
            match timeout(patience.pause(self.pause), self.stream.read(&mut buffer)).await {
                Ok(result) => read += self.take_in(result, buffer),
                Err(_) => {
                    self.buffer = buffer;
                    break;
                }
            }
        }
        while let Some(came) = self.conversation.after_a_pause(memory) {
            self.paused = true;
            settled.extend(self.came(came, patience, turn).await);
        }
        settled
    }

    /// Says what dialogues need to go on.
    async fn go_on(&mut self, patience: &Patience, turn: &mut Turn) {
        let bytes = self.conversation.to_say();
        if !bytes.is_empty() {
            // Whatever broke the connection is found when the answer is read.
            let _ = self.write(&bytes, patience, turn).await;
            self.said.push(bytes);
        }
    }

    async fn came(&mut self, came: Came, patience: &Patience, turn: &mut Turn) -> Option<Arrived> {
        self.go_on(patience, turn).await;
        let what = match came.what {
            _ if let Some(why) = self.dialect.unsent(&came.bytes) => Arrival::Unsent(why),
            What::Event(Heard::Ignored { .. }) => return None,
            What::Event(_) if self.events.len() >= EVENTS_KEPT => Arrival::Flood,
            What::Event(heard) => Arrival::Event(heard),
            What::Answer(heard) => Arrival::Answer(heard),
            What::Part(heard) => Arrival::Part(heard),
        };
        Some(self.arrived(what, came.bytes, came.dialogue))
    }

    /// Of a long message, as much again as waits already, if it is there. What waits is looked at from its beginning each
    /// time; so all looks together cost no more than a few.
    async fn take_as_much_again(&mut self) -> usize {
        let (waits, mut taken) = (self.conversation.rest().len(), 0);
        while waits >= READ_BYTES && taken < waits && self.end.is_none() {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.resize(READ_BYTES, 0);
            match timeout(Duration::ZERO, self.stream.read(&mut buffer)).await {
                Ok(result) => taken += self.take_in(result, buffer),
                Err(_) => {
                    self.buffer = buffer;
                    break;
                }
            }
        }
        taken
    }

    fn take_in(&mut self, result: io::Result<usize>, buffer: Vec<u8>) -> usize {
        let taken = self.take_bytes(result, &buffer);
        self.buffer = buffer;
        taken
    }

    fn take_bytes(&mut self, result: io::Result<usize>, buffer: &[u8]) -> usize {
        match result {
            Ok(0) => self.end = Some("the server closed the connection".into()),
            Ok(count) => {
                self.conversation.push(&buffer[..count]);
                return count;
            }
            Err(error) => self.end = Some(format!("the connection broke: {error}")),
        }
        0
    }

    fn silence(&mut self) -> Arrived {
        let dialogue = self.conversation.oldest().cloned();
        self.arrived(Arrival::Silence, self.conversation.rest().to_vec(), dialogue)
    }

    fn arrived(&mut self, what: Arrival, bytes: Vec<u8>, dialogue: Option<Dialogue>) -> Arrived {
        self.serial += 1;
        Arrived { serial: self.serial, what, bytes, dialogue }
    }
}
