//! The way onto the bridge, in both roles: a connection goes in, a stream of lines comes out.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::Schema;
use crate::calls::ask;
use crate::channel::Channel;
use crate::server::{Routes, serve};
use crate::socket::Socket;
use crate::stream::GrpcStream;

/// Makes connections of gRPC streams of lines. Each line is one JSON object and a newline.
///
/// **The client** says, and the server hears, calls:
/// ```json
/// {"method": "Login", "request": {"username": "alice"}}
/// ```
/// `request` is a message of the schema as JSON: names as in the `.proto`, integers as numbers, bytes in base64, enums
/// by name. Said, any of its fields may be left out, and `request` too; heard, all are there with their defaults, but
/// for messages and members of a `oneof` that were not sent.
///
/// **The server** says, in any order of members, all of which may be left out (`status` is OK then):
/// ```json
/// {"status": "NOT_FOUND", "detail": "no such user"}
/// {"reply": {"username": "alice"}}
/// {"method": "ChatStream", "reply": {"message": "hi"}}
/// {"method": "ChatStream", "end": true}
/// ```
/// - Without `method`, it answers the oldest unary call; with the name of a unary method, the oldest call of that.
/// - With the name of a streaming method it is an item of the oldest open stream of that method, `end` is the stream's
///   end (after the item, if there is a `reply`), and a failure ends it. If no such stream is open it is dropped.
/// - A failure without `method` while no unary call waits ends the last stream that has brought nothing.
/// - An answer for which nobody waits is dropped. A line that cannot be understood fails the oldest unary call as
///   `INTERNAL`, and the fault is in its detail; a reply that does not fit its message fails its own call.
///
/// **The client** hears `method`, `status`, `detail`, and `reply`, always all of them, or `end`:
/// ```json
/// {"method": "Login", "status": "OK", "detail": "", "reply": {"username": "alice"}}
/// {"method": "Login", "status": "NOT_FOUND", "detail": "no such user", "reply": {}}
/// {"method": "ChatStream", "status": "OK", "detail": "", "end": true}
/// ```
/// - A unary call is made when the one before it has been answered, so answers keep the order of the calls. Streams
///   begin in that order, too: the next call waits until the server has begun to answer, at most 50 ms. Then they run
///   beside: their items stand between the answers as they come.
/// - A call that cannot be made is answered here, in its turn, with the status `UNSENT`, which is none of gRPC's: nobody
///   must take it for the server's word. The reason is in `detail`, and `method` is empty if even that cannot be read.
///
/// **The end.** A connection that is lost is the end of the stream, and no line claims to know what became of the calls.
/// A server that ends its stream ends the connection after all that it said; calls without an answer and open streams
/// fail as `UNAVAILABLE`. A client that ends its outgoing half hears the answers of unary calls; open streams are
/// cancelled, and the connection ends. What a peer cancels leaves no line.
///
/// On connections of TCP Nagle's algorithm should be off, or each call may wait 40 ms for an acknowledgement.
/// Everything is bounded: a stream that is not read stops the connection, as it would over TCP.
#[derive(Debug, Clone)]
pub struct Bridge {
    schema: Arc<Schema>,
}

impl Bridge {
    /// A bridge for the services of a schema.
    pub fn new(schema: Arc<Schema>) -> Bridge {
        Bridge { schema }
    }

    /// The client role over a connection that has just been made. `authority` is the `host:port` it was made to.
    ///
    /// # Errors
    /// The authority is none; the connection ended; the peer does not begin with HTTP/2, at least not within 5 s.
    pub async fn open<S>(&self, connection: S, authority: &str) -> io::Result<GrpcStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let opened = Channel::open(connection, authority).await?;
        let (stream, far, dropped) = GrpcStream::pair(opened.handle.clone());
        tokio::spawn(ask(Arc::clone(&self.schema), opened, far, dropped));
        Ok(stream)
    }

    /// The server role, for any number of connections, with the health service (SERVING) and reflection.
    pub async fn services(&self) -> Services {
        Services { routes: Arc::new(Routes::new(Arc::clone(&self.schema)).await) }
    }
}

/// The server role of a [`Bridge`].
#[derive(Debug, Clone)]
pub struct Services {
    routes: Arc<Routes>,
}

impl Services {
    /// Serves a connection that has just been accepted. A peer that does not speak HTTP/2 is one that ends it.
    pub fn serve<S>(&self, connection: S) -> GrpcStream<S>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (socket, handle, _) = Socket::of(connection);
        let (stream, far, _) = GrpcStream::pair(handle.clone());
        tokio::spawn(serve(Arc::clone(&self.routes), socket, handle, far));
        stream
    }
}
