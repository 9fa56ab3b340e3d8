//! The client role: lines that ask become calls, and what calls bring becomes lines.
//!
//! ```text
//! line ─▶ unary call ──▶ answered ─▶ line ─▶ (only now the next line is read)
//!   └──▶ stream of a call ─▶ opened (only now the next line is read), and beside them: item ─▶ line, …, end ─▶ line
//! ```

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::uri::PathAndQuery;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use tokio::io::{AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tonic::Request;
use tonic::client::Grpc;

use crate::Schema;
use crate::channel::{Channel, Opened};
use crate::line::{self, AnswerHeard, Call, LINE_BYTES_MAX, Lines, TooLong};
use crate::message::{DynamicCodec, Json, from_json};
use crate::socket::Gone;
use crate::status::Failure;
use crate::stream::Dropped;

/// How long the next call waits for a server that does not say whether it has heard of a stream. One that answers it at
/// once, if only with headers, has; some say nothing before the first item.
const OPENING_TIME: Duration = Duration::from_millis(50);

/// How long calls may go on for a stream that has been dropped, and a connection may take to end after its last call.
pub(crate) const LINGER_TIME: Duration = Duration::from_secs(5);

/// Asks what the lines of `stream` ask, until it or the connection ends, and then ends the other.
pub(crate) async fn ask<S>(schema: Arc<Schema>, opened: Opened<S>, stream: DuplexStream, dropped: Dropped) {
    let Opened { client, handle, mut gone } = opened;
    let (lines, answers) = tokio::io::split(stream);
    let caller = Caller { schema, client, answers: Arc::new(Mutex::new(answers)) };
    let given_up = async {
        let _ = dropped.await;
        sleep(LINGER_TIME).await;
    };
    tokio::select! {
        biased;
        () = caller.run(Lines::of(lines), &mut gone) => {}
        () = given_up => {}
    }
    // Nobody holds the connection now: HTTP/2 says goodbye and ends.
    if timeout(LINGER_TIME, gone.wait()).await.is_err() {
        drop(handle.take());
    }
}

#[derive(Clone)]
struct Caller {
    schema: Arc<Schema>,
    client: Grpc<Channel>,
    answers: Arc<Mutex<WriteHalf<DuplexStream>>>,
}

impl Caller {
    async fn run(self, mut lines: Lines<ReadHalf<DuplexStream>>, gone: &mut Gone) {
        let mut streams = JoinSet::new();
        loop {
            let line = tokio::select! {
                biased;
                () = gone.wait() => break,
                Some(_) = streams.join_next() => continue,
                line = lines.next() => line,
            };
            let Ok(Some(line)) = line else {
                // The speaker is done. Unary calls have been answered; a stream may never end by itself.
                streams.abort_all();
                break;
            };
            match self.understood(line) {
                Ok((method, request)) if method.is_server_streaming() => {
                    let (open, opened) = oneshot::channel();
                    let mut stream = Box::pin(self.clone().follow(method, request, open));
                    // Begun here, so that no later call overtakes it on the connection.
                    let begun = poll_fn(|context| Poll::Ready(stream.as_mut().poll(context))).await;
                    if begun.is_pending() {
                        streams.spawn(stream);
                        // A server may well handle two calls in another order than they were made in.
                        let _ = timeout(OPENING_TIME, opened).await;
                    }
                }
                Ok((method, request)) => match self.clone().unary(&method, request).await {
                    Ok(reply) => self.tell(&AnswerHeard::reply(method.name(), Json::of(reply))).await,
                    Err(Failure::Status(status)) => self.tell(&AnswerHeard::failure(method.name(), &status)).await,
                    Err(Failure::Lost) => break,
                },
                Err((method, why)) => self.tell(&AnswerHeard::unsent(&method, &why)).await,
            }
        }
        // The items of a lost connection that have arrived are still told.
        while streams.join_next().await.is_some() {}
    }

    /// The method that a line calls and the message that it sends; else the method's name and what is wrong.
    fn understood(
        &self,
        line: Result<Vec<u8>, TooLong>,
    ) -> Result<(MethodDescriptor, DynamicMessage), (String, String)> {
        let unnamed = |why| (String::new(), why);
        let bytes = line.map_err(|TooLong| unnamed(format!("a line of more than {LINE_BYTES_MAX} bytes")))?;
        let Call { method: name, request } = line::read(&bytes).map_err(unnamed)?;
        let Some(method) = self.schema.method(&name) else {
            let why = format!("the schema has no method '{name}'");
            return Err((name, why));
        };
        if method.is_client_streaming() {
            return Err((name, "a method that takes a stream has no form as lines".to_owned()));
        }
        from_json(method.input(), request).map(|request| (method, request)).map_err(|why| (name, why))
    }

    async fn unary(mut self, method: &MethodDescriptor, request: DynamicMessage) -> Result<DynamicMessage, Failure> {
        self.client.ready().await.map_err(|_| Failure::Lost)?;
        let codec = DynamicCodec { incoming: method.output() };
        Ok(self.client.unary(Request::new(request), path(method), codec).await?.into_inner())
    }

    /// Tells everything that a stream brings, and its end.
    async fn follow(mut self, method: MethodDescriptor, request: DynamicMessage, open: oneshot::Sender<()>) {
        match self.items(&method, request, open).await {
            Ok(()) => self.tell(&AnswerHeard::end(method.name())).await,
            Err(Failure::Status(status)) => self.tell(&AnswerHeard::failure(method.name(), &status)).await,
            Err(Failure::Lost) => {}
        }
    }

    async fn items(
        &mut self,
        method: &MethodDescriptor,
        request: DynamicMessage,
        open: oneshot::Sender<()>,
    ) -> Result<(), Failure> {
        self.client.ready().await.map_err(|_| Failure::Lost)?;
        let codec = DynamicCodec { incoming: method.output() };
        let mut items = self.client.server_streaming(Request::new(request), path(method), codec).await?.into_inner();
        let _ = open.send(());
        while let Some(item) = items.message().await? {
            self.tell(&AnswerHeard::reply(method.name(), Json::of(item))).await;
        }
        Ok(())
    }

    async fn tell(&self, answer: &AnswerHeard<'_>) {
        // Whoever no longer listens has not failed to hear.
        let _ = self.answers.lock().await.write_all(&line::written(answer)).await;
    }
}

fn path(method: &MethodDescriptor) -> PathAndQuery {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    path.parse().expect("names of a schema are letters, digits, dots and underscores")
}
