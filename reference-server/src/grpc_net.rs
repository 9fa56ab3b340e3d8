//! The network that speaks gRPC: each connection of another network, with a bridge over it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use grpc::{Bridge, GrpcStream, Schema, Services};

use crate::net::{Listener, Net, Tcp};

/// A network whose connections are those of `N` with gRPC on them; their streams are lines, see [`Bridge`].
#[derive(Debug, Clone)]
pub struct GrpcNet<N = Tcp> {
    net: N,
    bridge: Bridge,
}

impl GrpcNet {
    /// gRPC over TCP, for the services of a schema.
    pub fn new(schema: Arc<Schema>) -> Self {
        GrpcNet::over(Tcp, schema)
    }
}

impl<N> GrpcNet<N> {
    /// gRPC over another network.
    pub fn over(net: N, schema: Arc<Schema>) -> Self {
        GrpcNet { net, bridge: Bridge::new(schema) }
    }
}

impl<N: Net> Net for GrpcNet<N> {
    type Stream = GrpcStream<N::Stream>;
    type Listener = GrpcListener<N::Listener>;

    async fn bind(&self, address: &str) -> io::Result<Self::Listener> {
        Ok(GrpcListener { listener: self.net.bind(address).await?, services: self.bridge.services().await })
    }

    async fn connect(&self, address: &str) -> io::Result<Self::Stream> {
        self.bridge.open(self.net.connect(address).await?, address).await
    }
}

/// A bound address where gRPC is spoken.
#[derive(Debug)]
pub struct GrpcListener<L> {
    listener: L,
    services: Services,
}

impl<L, S> Listener for GrpcListener<L>
where
    L: Listener<Stream = S>,
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    type Stream = GrpcStream<S>;

    async fn accept(&self) -> io::Result<(Self::Stream, SocketAddr)> {
        let (connection, from) = self.listener.accept().await?;
        Ok((self.services.serve(connection), from))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
