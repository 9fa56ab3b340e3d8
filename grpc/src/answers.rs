//! The server role, one connection: calls become lines that ask, and lines that answer find the call they are for.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use prost_reflect::{DynamicMessage, MethodDescriptor};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::Stream;
use tonic::{Code, Status};

use crate::Schema;
use crate::line::{self, Answer, CallHeard, LINE_BYTES_MAX, Lines, TooLong};
use crate::message::{Json, from_json};
use crate::status;

/// Items of a stream that wait for their reader. Beyond, the whole connection waits, as it would over TCP.
pub(crate) const ITEMS_MAX: usize = 64;

/// A call on its way to who answers it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: MethodDescriptor,
    pub(crate) request: DynamicMessage,
    pub(crate) answer: Answering,
}

/// Where the answer of a call goes.
#[derive(Debug)]
pub(crate) enum Answering {
    Unary(oneshot::Sender<Result<DynamicMessage, Status>>),
    Stream(mpsc::Sender<Item>),
}

/// What a stream brings.
#[derive(Debug)]
pub(crate) enum Item {
    Message(DynamicMessage),
    Failure(Status),
    End,
}

/// Passes calls and answers, until who speaks lines has nothing more to say or is gone.
/// Calls that are still unanswered then end as `UNAVAILABLE`.
pub(crate) async fn pass(schema: Arc<Schema>, stream: DuplexStream, asked: mpsc::Receiver<Asked>) {
    let (answers, calls) = tokio::io::split(stream);
    let desk = Desk { schema, open: Mutex::default() };
    tokio::select! {
        biased;
        () = desk.answer(Lines::of(answers)) => {}
        () = desk.ask(calls, asked) => {}
    }
}

#[derive(Debug)]
struct Desk {
    schema: Arc<Schema>,
    open: Mutex<Open>,
}

/// The calls without an answer, each kind in the order in which they were told.
#[derive(Debug, Default)]
struct Open {
    unary: VecDeque<(MethodDescriptor, oneshot::Sender<Result<DynamicMessage, Status>>)>,
    streams: Vec<OpenStream>,
}

#[derive(Debug)]
struct OpenStream {
    method: MethodDescriptor,
    items: mpsc::Sender<Item>,
    has_brought: bool,
}

impl Desk {
    async fn ask(&self, mut calls: impl AsyncWrite + Unpin, mut asked: mpsc::Receiver<Asked>) {
        while let Some(Asked { method, request, answer }) = asked.recv().await {
            let line = line::written(&CallHeard { method: method.name(), request: Json::of(request) });
            self.lock().add(method, answer);
            if calls.write_all(&line).await.is_err() {
                return;
            }
        }
    }

    async fn answer(&self, mut lines: Lines<impl AsyncRead + Unpin>) {
        while let Ok(Some(line)) = lines.next().await {
            match understood(line) {
                Ok(answer) => self.dispatch(answer).await,
                Err(status) => self.lock().answer_unary(None, |_| Err(status)),
            }
        }
    }

    async fn dispatch(&self, said: Said) {
        let named = said.method.as_deref().map(|name| self.schema.method(name));
        let stream = match &named {
            Some(Some(method)) if method.is_server_streaming() => self.lock().stream(method, said.is_last()),
            None if said.failure.is_some() => self.lock().stream_without_items(),
            _ => None,
        };
        match (named, stream) {
            (_, Some((method, items))) => said.pass(&method, &items).await,
            // An event for a stream that nobody opened.
            (Some(Some(method)), None) if method.is_server_streaming() => {
                tracing::debug!(method = method.name(), "an item is dropped: no such stream is open");
            }
            (Some(None), None) => {
                let name = said.method.unwrap_or_default();
                let status = Status::internal(format!("answered as '{name}', which the schema lacks"));
                self.lock().answer_unary(None, |_| Err(status));
            }
            (named, None) => {
                let method = named.flatten();
                self.lock().answer_unary(method.as_ref(), |method| said.unary(method));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn add(&mut self, method: MethodDescriptor, answer: Answering) {
        match answer {
            Answering::Unary(reply) => self.unary.push_back((method, reply)),
            Answering::Stream(items) => self.streams.push(OpenStream { method, items, has_brought: false }),
        }
    }

    /// Answers the oldest unary call, of this method if one is named. A caller who has left keeps its place: its answer
    /// is on the way, and is nobody else's.
    fn answer_unary(
        &mut self,
        named: Option<&MethodDescriptor>,
        answer: impl FnOnce(&MethodDescriptor) -> Result<DynamicMessage, Status>,
    ) {
        let place = self.unary.iter().position(|(method, _)| named.is_none_or(|named| named == method));
        let Some((method, reply)) = place.and_then(|place| self.unary.remove(place)) else {
            tracing::debug!("an answer is dropped: nobody waits for it");
            return;
        };
        // An error means that the caller has left.
        let _ = reply.send(answer(&method));
    }

    /// The oldest open stream of a method; it is no longer open if this is its last item.
    fn stream(&mut self, method: &MethodDescriptor, is_last: bool) -> Option<(MethodDescriptor, mpsc::Sender<Item>)> {
        self.streams.retain(|stream| !stream.items.is_closed());
        let place = self.streams.iter().position(|stream| stream.method == *method)?;
        let stream = &mut self.streams[place];
        stream.has_brought = true;
        let found = (stream.method.clone(), stream.items.clone());
        if is_last {
            self.streams.remove(place);
        }
        Some(found)
    }

    /// The stream that a failure without a method is for, if no unary call waits: the last one that has brought nothing.
    fn stream_without_items(&mut self) -> Option<(MethodDescriptor, mpsc::Sender<Item>)> {
        self.streams.retain(|stream| !stream.items.is_closed());
        let place = self.streams.iter().rposition(|stream| !stream.has_brought)?;
        self.unary.is_empty().then(|| self.streams.remove(place)).map(|stream| (stream.method, stream.items))
    }
}

/// What a line says.
#[derive(Debug)]
struct Said {
    method: Option<String>,
    failure: Option<Status>,
    reply: Option<serde_json::Value>,
    end: bool,
}

fn understood(line: Result<Vec<u8>, TooLong>) -> Result<Said, Status> {
    let too_long = |TooLong| Status::internal(format!("answered with a line of more than {LINE_BYTES_MAX} bytes"));
    let Answer { method, status, detail, reply, end } =
        line::read(&line.map_err(too_long)?).map_err(|words| Status::internal(format!("answered with {words}")))?;
    let code = match status.as_deref().map(|name| (status::code(name), name)) {
        None => Code::Ok,
        Some((Some(code), _)) => code,
        Some((None, name)) => return Err(Status::internal(format!("answered with '{name}', which is no status"))),
    };
    let failure = (code != Code::Ok).then(|| Status::new(code, detail));
    Ok(Said { method, failure, reply, end })
}

impl Said {
    fn is_last(&self) -> bool {
        self.end || self.failure.is_some()
    }

    fn unary(self, method: &MethodDescriptor) -> Result<DynamicMessage, Status> {
        match self.failure {
            Some(status) => Err(status),
            None => reply(method, self.reply.unwrap_or_default()),
        }
    }

    /// Passes an item, an end, or an item and the end. A reader that has left needs neither.
    async fn pass(self, method: &MethodDescriptor, items: &mpsc::Sender<Item>) {
        let is_empty_end = self.end && self.reply.is_none();
        let item = match self.failure {
            Some(status) => Item::Failure(status),
            None if is_empty_end => Item::End,
            None => match reply(method, self.reply.unwrap_or_default()) {
                Ok(message) => Item::Message(message),
                Err(status) => Item::Failure(status),
            },
        };
        let goes_on = matches!(item, Item::Message(_));
        let _ = items.send(item).await;
        if self.end && goes_on {
            let _ = items.send(Item::End).await;
        }
    }
}

fn reply(method: &MethodDescriptor, json: serde_json::Value) -> Result<DynamicMessage, Status> {
    from_json(method.output(), json).map_err(|words| Status::internal(format!("answered with {words}")))
}

/// The items of one call, as tonic sends them.
#[derive(Debug)]
pub(crate) struct Items {
    pub(crate) from: mpsc::Receiver<Item>,
    pub(crate) is_over: bool,
}

impl Stream for Items {
    type Item = Result<DynamicMessage, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let item = match self.from.poll_recv(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(Item::Message(message))) => return Poll::Ready(Some(Ok(message))),
            Poll::Ready(Some(Item::Failure(status))) => Some(Err(status)),
            Poll::Ready(Some(Item::End)) => None,
            Poll::Ready(None) => Some(Err(unavailable())),
        };
        self.is_over = true;
        Poll::Ready(item)
    }
}

/// How a call ends that the server left unanswered.
pub(crate) fn unavailable() -> Status {
    Status::unavailable("the server has ended the connection")
}
