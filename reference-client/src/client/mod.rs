//! One connection: requests into bytes, bytes into answers and events.
//!
//! Not here: what it means that something came (`hear`), connecting, trying again, and what the operations are called in Rust (`operation`).
//!
//! ```text
//! start ─▶ unsent ─▶ stream ─▶ server ─▶ stream ─▶ decoder ─┬─▶ the oldest ticket
//!                                                           └─▶ events, kept until asked for
//! ```

mod hear;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use spec::codec::{Conversation, Memory};
use spec::dialect::Dialect;
use spec::message::{Event, Operation, Reply, Request};
use spec::value::Record;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::time::{Sleep, sleep};

use crate::error::{ClientError, Over, not_sent};
use crate::trace::{Direction, Frame, Watch};

/// Events kept for whoever asks later: a whole mailbox (1,000 messages) and a little more. Further ones are counted
/// and forgotten; their messages are still in the mailbox, where `deliver_messages` finds them.
pub const EVENTS_KEPT: usize = 1_024;

/// Requests without an answer. One more is `NotSent`.
pub const REQUESTS_WAITING: usize = 1_024;

/// Bytes taken from the stream at a time: a quarter of the longest frame, many frames of usual length.
const READ_BYTES: usize = 16 * 1024;

/// A client at one end of a stream.
///
/// Every method can be dropped half-way: no byte and no event is lost by it, and a request that was begun is sent.
pub struct Client<S> {
    stream: S,
    dialect: Arc<Dialect>,
    answer_within: Option<Duration>,
    watch: Option<Watch>,
    /// Who acts, and what was learned for later requests.
    memory: Memory,
    unsent: Vec<u8>,
    /// Bytes that the stream has accepted, in all.
    sent: u64,
    /// Whether the stream accepts no more. What came before may still be read.
    mute: bool,
    waiting: VecDeque<Waiting>,
    conversation: Conversation,
    /// Runs while only a pause can tell what came.
    pause: Option<Pin<Box<Sleep>>>,
    events: VecDeque<Event>,
    events_missed: u64,
    over: Option<Over>,
}

/// The right to one answer. Dropping it gives the answer up, not the request.
#[derive(Debug)]
pub struct Ticket(oneshot::Receiver<Result<Reply, ClientError>>);

/// A request without an answer.
struct Waiting {
    operation: Operation,
    /// Where its first byte stands among all bytes sent.
    first_byte: u64,
    promise: oneshot::Sender<Result<Reply, ClientError>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Client<S> {
    /// A client at the start of a connection.
    pub fn over(stream: S, dialect: Arc<Dialect>) -> Self {
        Client {
            stream,
            conversation: Conversation::new(dialect.clone()),
            pause: None,
            dialect,
            answer_within: None,
            watch: None,
            memory: Memory::default(),
            unsent: Vec::new(),
            sent: 0,
            mute: false,
            waiting: VecDeque::new(),
            events: VecDeque::new(),
            events_missed: 0,
            over: None,
        }
    }

    /// Waits no longer than this for an answer; without it, as long as the connection lasts. What is later is
    /// `Unknown`, and its answer is passed over when it comes.
    #[must_use]
    pub fn answer_within(mut self, limit: Duration) -> Self {
        self.answer_within = Some(limit);
        self
    }

    /// Shows every frame to `watch`.
    #[must_use]
    pub fn watched(mut self, watch: impl FnMut(&Frame<'_>) + Send + 'static) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    /// Asks, and waits for the answer. Events that come before it are kept.
    ///
    /// # Errors
    /// Refused, not sent, without an answer, or not understood.
    pub async fn call(&mut self, request: Request) -> Result<Reply, ClientError> {
        within(self.answer_within, async {
            let ticket = self.start(request).await?;
            self.answer_to(ticket).await
        })
        .await
    }

    /// Asks without waiting for the answer. Answers come in the order of requests; tickets may be finished in any.
    ///
    /// # Errors
    /// Only `NotSent`: the wire cannot carry it, the connection has ended, or too many requests wait.
    pub async fn start(&mut self, request: Request) -> Result<Ticket, ClientError> {
        if let Some(over) = &self.over {
            return Err(not_sent(io::ErrorKind::NotConnected, over));
        }
        if self.mute {
            return Err(not_sent(io::ErrorKind::BrokenPipe, &"the connection takes no more requests"));
        }
        if self.waiting.len() >= REQUESTS_WAITING {
            return Err(not_sent(io::ErrorKind::QuotaExceeded, &"too many requests wait for their answers"));
        }
        self.open().await;
        let operation = request.operation();
        let (begin, first_byte) = (self.unsent.len(), self.sent + self.unsent.len() as u64);
        let arguments = request.to_record();
        if let Request::LogIn { username, .. } | Request::CreateAccount { username, .. } = &request {
            self.memory.become_user(username.clone());
        }
        let asked = self
            .conversation
            .ask(operation.name(), &arguments, &self.memory)
            .map_err(|unspeakable| not_sent(io::ErrorKind::InvalidInput, &unspeakable))?;
        let Some(bytes) = asked else {
            // On this wire it is done by ending the connection.
            let (promise, ticket) = oneshot::channel();
            let _ = self.close().await;
            let reply = Reply::from_record(operation, &Record::new());
            let _ = promise.send(reply.ok_or_else(|| ClientError::Unknown("it has no answer".into())));
            return Ok(Ticket(ticket));
        };
        self.unsent.extend(bytes);
        if let Some(watch) = &mut self.watch {
            let bytes = &self.unsent[begin..];
            watch(&Frame { direction: Direction::Said, bytes, annotated: self.dialect.annotate_request(bytes) });
        }
        let (promise, ticket) = oneshot::channel();
        self.waiting.push_back(Waiting { operation, first_byte, promise });
        poll_fn(|context| self.poll_sent(context)).await;
        Ok(Ticket(ticket))
    }

    /// Says what the wire wants said when a connection opens, and waits for what answers it.
    async fn open(&mut self) {
        poll_fn(|context| {
            self.go_on(context);
            Poll::Ready(())
        })
        .await;
        while self.conversation.is_opening() && self.over.is_none() {
            poll_fn(|context| self.poll_hear(context)).await;
        }
    }

    /// Waits for the answer to a request that was started here.
    ///
    /// # Errors
    /// As `call`.
    pub async fn finish(&mut self, ticket: Ticket) -> Result<Reply, ClientError> {
        within(self.answer_within, self.answer_to(ticket)).await
    }

    /// The next event, those that are kept first. None: the connection has ended.
    ///
    /// # Errors
    /// `Garbled`.
    pub async fn next_event(&mut self) -> Result<Option<Event>, ClientError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            match &self.over {
                Some(Over::Ended(_)) => return Ok(None),
                Some(over @ Over::Garbled { .. }) => return Err(over.error()),
                None => poll_fn(|context| self.poll_hear(context)).await,
            }
        }
    }

    /// The events that came while answers were awaited, in order.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.events.drain(..).collect()
    }

    /// How many events came when `EVENTS_KEPT` were kept already, and were forgotten.
    pub fn events_missed(&self) -> u64 {
        self.events_missed
    }

    /// Whether nothing more can come.
    pub fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// Says that no more requests follow. Answers still come.
    ///
    /// # Errors
    /// The stream's.
    pub async fn close(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll_sent(context)).await;
        self.mute = true;
        self.stream.shutdown().await
    }

    async fn answer_to(&mut self, Ticket(mut answer): Ticket) -> Result<Reply, ClientError> {
        loop {
            match answer.try_recv() {
                Ok(answer) => return answer,
                Err(TryRecvError::Empty) if self.over.is_none() => poll_fn(|context| self.poll_hear(context)).await,
                Err(_) => return Err(ClientError::Unknown("the request was started by another client".into())),
            }
        }
    }

    /// Ready when everything is sent, or nothing can be sent any more.
    ///
    /// It listens meanwhile: a server whose answers nobody reads stops reading, and both sides would wait for ever.
    fn poll_sent(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.over.is_none() && self.poll_write(context).is_pending() {
            ready!(self.poll_hear(context));
        }
        Poll::Ready(())
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while !self.unsent.is_empty() && !self.mute && self.over.is_none() {
            match ready!(Pin::new(&mut self.stream).poll_write(context, &self.unsent)) {
                Ok(0) | Err(_) => self.mute = true,
                Ok(count) => {
                    self.unsent.drain(..count);
                    self.sent += count as u64;
                }
            }
        }
        // What cannot be flushed was accepted nevertheless: reading will tell what became of it.
        Pin::new(&mut self.stream).poll_flush(context).map(|_| ())
    }

    /// Ready when one more message was taken in, or the connection is over.
    fn poll_hear(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let _ = self.poll_write(context);
        while self.over.is_none() {
            if let Some(came) = self.conversation.next(&mut self.memory) {
                self.take_in(came);
                return Poll::Ready(());
            }
            self.go_on(context);
            let mut room = [0; READ_BYTES];
            let mut read = ReadBuf::new(&mut room);
            match Pin::new(&mut self.stream).poll_read(context, &mut read) {
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                    self.pause = None;
                    self.conversation.push(read.filled());
                }
                Poll::Ready(ended) => {
                    if let Some(came) = self.conversation.ended(&mut self.memory) {
                        self.take_in(came);
                        return Poll::Ready(());
                    }
                    let over = match (ended, self.conversation.rest().len()) {
                        (Err(error), _) => format!("the connection broke: {error}"),
                        (Ok(()), 0) => "the server has ended the connection".into(),
                        (Ok(()), n) => format!("the connection ended inside a message, after {n} bytes of it"),
                    };
                    self.end(Over::Ended(over));
                }
                Poll::Pending => {
                    ready!(self.poll_pause(context));
                    if let Some(came) = self.conversation.after_a_pause(&mut self.memory) {
                        self.take_in(came);
                        return Poll::Ready(());
                    }
                }
            }
        }
        Poll::Ready(())
    }

    /// Ready once when nothing came for as long as a pause, where a pause tells something.
    fn poll_pause(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.pause.is_none() && self.conversation.waits_for_a_pause() {
            self.pause = Some(Box::pin(sleep(self.dialect.pause())));
        }
        match &mut self.pause {
            // A pause that has ended is kept: until something comes, another one would tell nothing new.
            Some(pause) if !pause.is_elapsed() => pause.as_mut().poll(context),
            _ => Poll::Pending,
        }
    }

    /// Says what dialogues need to go on.
    fn go_on(&mut self, context: &mut Context<'_>) {
        let bytes = self.conversation.to_say();
        if bytes.is_empty() {
            return;
        }
        if let Some(watch) = &mut self.watch {
            let annotated = self.dialect.annotate_request(&bytes);
            watch(&Frame { direction: Direction::Said, bytes: &bytes, annotated });
        }
        self.unsent.extend(bytes);
        let _ = self.poll_write(context);
    }
}

async fn within<T>(
    limit: Option<Duration>,
    answer: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    match limit {
        None => answer.await,
        Some(limit) => tokio::time::timeout(limit, answer)
            .await
            .unwrap_or_else(|_| Err(ClientError::Unknown(format!("nothing came within {limit:?}")))),
    }
}
