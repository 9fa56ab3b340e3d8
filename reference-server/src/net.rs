//! The network as an argument: what the server needs of it, and the real one.
//!
//! The simulated network is the suite's (`conformance::sim`), so no `cfg` chooses between them and the server
//! that is tested is the server that is shipped. Bent networks (a server that loses the second of two joined frames)
//! wrap a stream here, too.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// A network that servers can listen on and peers connect over.
pub trait Net: Clone + Send + Sync + 'static {
    /// A connection. Dropping it closes it.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// A bound address that accepts connections.
    type Listener: Listener<Stream = Self::Stream>;

    /// Binds `host:port`; port 0 takes a free one.
    fn bind(&self, address: &str) -> impl Future<Output = io::Result<Self::Listener>> + Send;

    /// Connects to `host:port`.
    fn connect(&self, address: &str) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// A bound address.
pub trait Listener: Send + Sync + 'static {
    /// What it accepts.
    type Stream;

    /// The next connection and where it comes from.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;

    /// The real address, with the real port.
    fn local_addr(&self) -> io::Result<SocketAddr>;
}

/// TCP of the operating system, with Nagle's algorithm off: answers are small and written whole.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tcp;

impl Net for Tcp {
    type Stream = TcpStream;
    type Listener = TcpListener;

    async fn bind(&self, address: &str) -> io::Result<TcpListener> {
        TcpListener::bind(address).await
    }

    async fn connect(&self, address: &str) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, from) = TcpListener::accept(self).await?;
        stream.set_nodelay(true)?;
        Ok((stream, from))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        TcpListener::local_addr(self)
    }
}
