//! A connection on the network of a dialect: TCP, or gRPC over it.

use std::io;
use std::sync::Arc;

use spec::dialect::Dialect;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A connection, whatever it is made of.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Connects to `host:port`.
pub(crate) async fn connect(server: &str, dialect: &Arc<Dialect>) -> io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let Some(grpc) = &dialect.grpc else { return Ok(Box::new(stream)) };
    #[cfg(feature = "grpc")]
    {
        let schema = match text(dialect)? {
            Some((name, text)) => grpc::Schema::parse(&name, &text).map_err(io::Error::other)?,
            None => grpc::Schema::by_reflection(server).await?,
        };
        let schema = schema.with_service(&grpc.service).map_err(io::Error::other)?;
        Ok(Box::new(grpc::Bridge::new(Arc::new(schema)).open(stream, server).await?))
    }
    #[cfg(not(feature = "grpc"))]
    {
        let _ = grpc;
        Err(io::Error::new(io::ErrorKind::Unsupported, "this client was built without gRPC: add --features grpc"))
    }
}

/// The name and text of the dialect's .proto. None: the server is asked for it.
#[cfg(feature = "grpc")]
fn text(dialect: &Dialect) -> io::Result<Option<(String, String)>> {
    let Some(path) = dialect.grpc.as_ref().and_then(|grpc| grpc.proto.clone()) else { return Ok(None) };
    let text = match spec::Spec::embedded().proto_of(dialect) {
        Some(text) => text,
        None => std::fs::read_to_string(&path)?,
    };
    Ok(Some((path, text)))
}
