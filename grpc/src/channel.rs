//! A client's HTTP/2 connection, just one: it is never opened again behind one's back, as tonic's own would be.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tonic::body::Body;
use tonic::client::Grpc;

use crate::socket::{Gone, Handle, Socket};

/// How long a peer may take to begin with HTTP/2. One that has not by then waits for something else, and always will.
const GREETING_TIME: Duration = Duration::from_secs(5);

/// A service in tonic's sense: requests go over this connection.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    requests: SendRequest<Body>,
}

/// A connection whose other side speaks HTTP/2, as far as its first frame tells.
#[derive(Debug)]
pub(crate) struct Opened<S> {
    pub(crate) client: Grpc<Channel>,
    pub(crate) handle: Handle<S>,
    pub(crate) gone: Gone,
}

impl Channel {
    /// Begins HTTP/2 over `stream`. `authority` is the `host:port` that requests name.
    ///
    /// # Errors
    /// The authority is none; the stream broke; the other side speaks something else, or nothing.
    pub(crate) async fn open<S>(stream: S, authority: &str) -> io::Result<Opened<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let origin = Uri::builder().scheme("http").authority(authority).path_and_query("/").build();
        let origin = origin.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let (socket, handle, gone, greeted) = Socket::greeted(stream);
        let (requests, connection) =
            Builder::new(TokioExecutor::new()).handshake(TokioIo::new(socket)).await.map_err(io::Error::other)?;
        tokio::spawn(connection);
        let unheard = |kind, words: &str| Err(io::Error::new(kind, words));
        match timeout(GREETING_TIME, greeted).await {
            Ok(Ok(Ok(()))) => Ok(Opened { client: Grpc::with_origin(Channel { requests }, origin), handle, gone }),
            Ok(Ok(Err(error))) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            Ok(Err(_)) => unheard(io::ErrorKind::UnexpectedEof, "the peer ended the connection before HTTP/2 began"),
            Err(_) => {
                drop(handle.take());
                unheard(io::ErrorKind::TimedOut, "the peer does not begin with HTTP/2")
            }
        }
    }
}

impl tower_service::Service<http::Request<Body>> for Channel {
    type Response = http::Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = hyper::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        self.requests.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(self.requests.send_request(request))
    }
}
