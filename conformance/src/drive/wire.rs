//! The network as the suite needs it: connections, and the means to end one abruptly.
//!
//! A target's dialect tells which network it lives on: most on TCP, some on gRPC over TCP.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use reference_server::net::{Net, Tcp};
use spec::Spec;
use spec::dialect::Dialect;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::target::NotBuilt;

/// A network that actors can play on.
pub trait Wire: Clone + Send + Sync + 'static {
    /// A connection. Dropping it closes it.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Connects to `host:port`.
    fn connect(&self, address: &str) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Ends a connection without a farewell (RST, where the network has it).
    fn reset(stream: Self::Stream);
}

impl Wire for Tcp {
    type Stream = TcpStream;

    async fn connect(&self, address: &str) -> io::Result<TcpStream> {
        Net::connect(self, address).await
    }

    fn reset(stream: TcpStream) {
        // With a linger of zero, closing discards what is unsent and resets the connection.
        let _ = socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO));
        drop(stream);
    }
}

/// The network of a dialect.
#[derive(Debug, Clone)]
pub enum Network {
    /// Plain TCP.
    Tcp,
    /// gRPC over TCP.
    #[cfg(feature = "grpc")]
    Grpc(GrpcWire),
}

/// A connection over either.
#[derive(Debug)]
pub enum Connection {
    /// Plain TCP.
    Tcp(TcpStream),
    /// gRPC over TCP: lines of JSON.
    #[cfg(feature = "grpc")]
    Grpc(Box<grpc::GrpcStream<TcpStream>>),
}

/// gRPC whose messages are known from a file, or asked for when the first connection is made.
#[cfg(feature = "grpc")]
#[derive(Debug, Clone)]
pub struct GrpcWire {
    grpc: std::sync::Arc<spec::dialect::Grpc>,
    schema: std::sync::Arc<tokio::sync::OnceCell<std::sync::Arc<grpc::Schema>>>,
}

impl Network {
    /// The network of a dialect.
    ///
    /// # Errors
    /// The suite was built without it, or the dialect's .proto cannot be read.
    pub fn of(dialect: &Dialect, spec: &Spec) -> Result<Network, NotBuilt> {
        let Some(grpc) = &dialect.grpc else { return Ok(Network::Tcp) };
        #[cfg(not(feature = "grpc"))]
        {
            let _ = (grpc, spec);
            Err(NotBuilt::Feature("grpc"))
        }
        #[cfg(feature = "grpc")]
        {
            let schema = proto(dialect, spec)?.map(|(name, text)| schema(&name, &text, &grpc.service)).transpose()?;
            let schema = std::sync::Arc::new(tokio::sync::OnceCell::new_with(schema));
            Ok(Network::Grpc(GrpcWire { grpc: std::sync::Arc::new(grpc.clone()), schema }))
        }
    }
}

/// The name and text of a dialect's .proto. None: the server is asked for it.
pub fn proto(dialect: &Dialect, spec: &Spec) -> Result<Option<(String, String)>, NotBuilt> {
    let Some(path) = dialect.grpc.as_ref().and_then(|grpc| grpc.proto.as_deref()) else { return Ok(None) };
    if let Some(text) = spec.proto_of(dialect) {
        return Ok(Some((path.to_owned(), text)));
    }
    match std::fs::read_to_string(Path::new(path)) {
        Ok(text) => Ok(Some((path.to_owned(), text))),
        Err(error) => Err(NotBuilt::Proto(format!("cannot read {path}: {error}"))),
    }
}

/// The messages of a service.
///
/// # Errors
/// The mistakes in the .proto.
#[cfg(feature = "grpc")]
pub fn schema(name: &str, text: &str, service: &str) -> Result<std::sync::Arc<grpc::Schema>, NotBuilt> {
    let parsed = grpc::Schema::parse(name, text).and_then(|schema| schema.with_service(service));
    parsed.map(std::sync::Arc::new).map_err(|error| NotBuilt::Proto(format!("{name}: {error}")))
}

#[cfg(feature = "grpc")]
impl GrpcWire {
    /// The messages that the server tells, if what is said and heard fits them: otherwise it could not be judged.
    async fn ask(&self, address: &str) -> io::Result<std::sync::Arc<grpc::Schema>> {
        let schema = grpc::Schema::by_reflection(address).await?;
        let schema = schema.with_service(&self.grpc.service).map_err(io::Error::other)?;
        let mut found = spec::error::Diagnostics::default();
        crate::target::messages::hold(&self.grpc, &schema, &mut found);
        let misfit = || format!("the dialect does not fit the messages that the server tells\n{found}");
        if found.is_empty() { Ok(std::sync::Arc::new(schema)) } else { Err(io::Error::other(misfit())) }
    }
}

impl Wire for Network {
    type Stream = Connection;

    async fn connect(&self, address: &str) -> io::Result<Connection> {
        let stream = Net::connect(&Tcp, address).await?;
        match self {
            Network::Tcp => Ok(Connection::Tcp(stream)),
            #[cfg(feature = "grpc")]
            Network::Grpc(wire) => {
                let schema = wire.schema.get_or_try_init(|| wire.ask(address)).await?.clone();
                let opened = grpc::Bridge::new(schema).open(stream, address).await?;
                Ok(Connection::Grpc(Box::new(opened)))
            }
        }
    }

    fn reset(stream: Connection) {
        match stream {
            Connection::Tcp(stream) => Tcp::reset(stream),
            #[cfg(feature = "grpc")]
            Connection::Grpc(stream) => {
                if let Some(connection) = stream.into_connection() {
                    Tcp::reset(connection);
                }
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Tcp(stream) => Pin::new(stream).poll_read(context, into),
            #[cfg(feature = "grpc")]
            Connection::Grpc(stream) => Pin::new(stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Connection::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            #[cfg(feature = "grpc")]
            Connection::Grpc(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Tcp(stream) => Pin::new(stream).poll_flush(context),
            #[cfg(feature = "grpc")]
            Connection::Grpc(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            #[cfg(feature = "grpc")]
            Connection::Grpc(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
