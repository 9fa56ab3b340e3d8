//! A connection's own stream under HTTP/2: it can be taken away from there, and a client sees whether the other side
//! speaks HTTP/2 at all. Frames are the library's business.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{oneshot, watch};

/// A frame's header: u24 length, u8 type, u8 flags, u32 number of the stream.
const HEADER_BYTES: usize = 9;

/// Both sides begin with a frame of this type.
const SETTINGS: u8 = 4;

/// What HTTP/2 reads and writes.
#[derive(Debug)]
pub(crate) struct Socket<S> {
    shared: Arc<Mutex<Shared<S>>>,
    greeting: Option<Greeting>,
    /// Dropped with the socket, and so the receiver learns that the connection is over.
    _alive: watch::Sender<()>,
}

/// The way to take the stream away from HTTP/2.
#[derive(Debug)]
pub(crate) struct Handle<S>(Arc<Mutex<Shared<S>>>);

/// Tells when HTTP/2 is done with the stream.
#[derive(Debug)]
pub(crate) struct Gone(watch::Receiver<()>);

/// Whether a server has begun to speak HTTP/2.
pub(crate) type Greeted = Result<(), NotHttp2>;

/// A server's first bytes are something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the peer does not speak HTTP/2")]
pub(crate) struct NotHttp2;

#[derive(Debug)]
struct Shared<S> {
    stream: Option<S>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The first bytes that a server said, until they are enough.
#[derive(Debug)]
struct Greeting {
    seen: Vec<u8>,
    complete: oneshot::Sender<Greeted>,
}

impl<S> Socket<S> {
    pub(crate) fn of(stream: S) -> (Socket<S>, Handle<S>, Gone) {
        let shared = Arc::new(Mutex::new(Shared { stream: Some(stream), reader: None, writer: None }));
        let (alive, gone) = watch::channel(());
        (Socket { shared: Arc::clone(&shared), greeting: None, _alive: alive }, Handle(shared), Gone(gone))
    }

    /// The same, and the receiver hears when the other side has begun to speak HTTP/2.
    pub(crate) fn greeted(stream: S) -> (Socket<S>, Handle<S>, Gone, oneshot::Receiver<Greeted>) {
        let (mut socket, handle, gone) = Socket::of(stream);
        let (complete, greeted) = oneshot::channel();
        socket.greeting = Some(Greeting { seen: Vec::new(), complete });
        (socket, handle, gone, greeted)
    }

    fn greet(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(mut greeting) = self.greeting.take() else { return Ok(()) };
        let missing = HEADER_BYTES - greeting.seen.len();
        greeting.seen.extend(bytes.iter().take(missing));
        let settings = match greeting.seen.as_slice() {
            [_, _, _, kind, ..] if *kind != SETTINGS => false,
            [_, _, _, _, _, number @ ..] if number.len() == 4 => number == [0; 4],
            _ => {
                self.greeting = Some(greeting);
                return Ok(());
            }
        };
        let greeted = if settings { Ok(()) } else { Err(NotHttp2) };
        // Nobody who has stopped waiting needs to know.
        let _ = greeting.complete.send(greeted);
        greeted.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn lock(&self) -> MutexGuard<'_, Shared<S>> {
        lock(&self.shared)
    }
}

impl<S> Handle<S> {
    /// The stream itself, from which HTTP/2 then reads and writes no more. None: HTTP/2 has already let go of it.
    pub(crate) fn take(&self) -> Option<S> {
        let mut shared = lock(&self.0);
        for waker in [shared.reader.take(), shared.writer.take()].into_iter().flatten() {
            waker.wake();
        }
        shared.stream.take()
    }
}

impl Gone {
    pub(crate) async fn wait(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

impl<S> Clone for Handle<S> {
    fn clone(&self) -> Self {
        Handle(Arc::clone(&self.0))
    }
}

impl<S> Drop for Socket<S> {
    fn drop(&mut self) {
        drop(self.lock().stream.take());
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        let before = into.filled().len();
        let poll = {
            let mut shared = socket.lock();
            shared.reader = Some(context.waker().clone());
            match &mut shared.stream {
                Some(stream) => Pin::new(stream).poll_read(context, into),
                None => return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            }
        };
        match poll {
            Poll::Ready(Ok(())) => Poll::Ready(socket.greet(&into.filled()[before..])),
            other => other,
        }
    }
}

impl<S: AsyncWrite + Unpin> Socket<S> {
    fn poll_stream<T>(
        &self,
        context: &mut Context<'_>,
        act: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let mut shared = self.lock();
        shared.writer = Some(context.waker().clone());
        match &mut shared.stream {
            Some(stream) => act(Pin::new(stream), context),
            None => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_stream(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_stream(context, |stream, context| stream.poll_write_vectored(context, parts))
    }

    fn is_write_vectored(&self) -> bool {
        self.lock().stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_stream(context, |stream, context| stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_stream(context, |stream, context| stream.poll_shutdown(context))
    }
}

fn lock<S>(shared: &Mutex<Shared<S>>) -> MutexGuard<'_, Shared<S>> {
    // A stream that panicked while it was polled is not worse than one that failed.
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
