//! The side of the bridge on which lines are spoken: an ordinary byte stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::oneshot;

use crate::socket::Handle;

/// What a stream holds in either direction before its writer has to wait. Together with the line that is being read
/// and HTTP/2's own windows that is all the memory of a connection.
const BUFFER_BYTES: usize = 64 * 1024;

/// A connection of gRPC as a stream of lines, over a connection of type `S`.
///
/// Ending the outgoing half ends the connection in order: what has been said is delivered first, and answers still
/// arrive. So does dropping it, but nobody waits for the answers then.
#[derive(Debug)]
pub struct GrpcStream<S> {
    lines: DuplexStream,
    handle: Handle<S>,
    /// Dropped with the stream, and so the bridge learns that nobody is there.
    _held: oneshot::Sender<()>,
}

/// Ends when the stream has been dropped.
pub(crate) type Dropped = oneshot::Receiver<()>;

impl<S> GrpcStream<S> {
    /// A stream, and its other end.
    pub(crate) fn pair(handle: Handle<S>) -> (GrpcStream<S>, DuplexStream, Dropped) {
        let (lines, far) = tokio::io::duplex(BUFFER_BYTES);
        let (held, dropped) = oneshot::channel();
        (GrpcStream { lines, handle, _held: held }, far, dropped)
    }

    /// The connection under it, with HTTP/2 cut off without a farewell. None: it has already ended.
    pub fn into_connection(self) -> Option<S> {
        self.handle.take()
    }
}

impl<S> AsyncRead for GrpcStream<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().lines).poll_read(context, into)
    }
}

impl<S> AsyncWrite for GrpcStream<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().lines).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().lines).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().lines).poll_shutdown(context)
    }
}
