//! Listening: an address, one wire on it, and everyone who connects.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use spec::dialect::Dialect;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::chat::Core;
use crate::connection::serve;
use crate::net::{Listener, Net};
use crate::options::Options;
use crate::service::Service;
use crate::stop::Stop;
use crate::world::World;

/// The pause after an accept that failed, as it does when there are no more file descriptors: until some connection
/// ends it would fail again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The whole server in one call, for one wire.
pub struct Server;

impl Server {
    /// Binds `address` (`host:port`; port 0 takes a free one) and serves there until the result is dropped.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn start<N: Net, C: Core>(
        net: N,
        address: &str,
        core: C,
        world: World,
        dialect: Arc<Dialect>,
        options: Options,
    ) -> io::Result<Running> {
        Service::new(core, world, options).listen(net, address, dialect).await
    }
}

impl<C: Core> Service<C> {
    /// Serves one more address, in one wire.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn listen<N: Net>(self: &Arc<Self>, net: N, address: &str, dialect: Arc<Dialect>) -> io::Result<Running> {
        let listener = net.bind(address).await?;
        let address = listener.local_addr()?;
        let stop = Stop::default();
        let shutdown_time = self.options.shutdown_time;
        let accepting = tokio::spawn(accept(Arc::clone(self), dialect, listener, stop.clone()));
        Ok(Running { address, stop, shutdown_time, accepting })
    }
}

/// An address that is being served. Dropping it ends everything on it at once, like a crash.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: Stop,
    shutdown_time: Duration,
    accepting: JoinHandle<()>,
}

impl Running {
    /// Where it listens, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it in order: accepts nobody, answers what has been asked, closes. Cut off after `Options::shutdown_time`.
    pub async fn shutdown(mut self) {
        self.stop.ask();
        match timeout(self.shutdown_time, &mut self.accepting).await {
            Ok(ended) => report(ended),
            Err(_) => tracing::warn!("some connections did not end in time and are cut off"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept<C: Core, L>(service: Arc<Service<C>>, dialect: Arc<Dialect>, listener: L, stop: Stop)
where
    L: Listener<Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static>,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.asked() => break,
            Some(ended) = connections.join_next() => report(ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => {
                    tracing::debug!(%from, dialect = dialect.name, "a connection begins");
                    connections.spawn(serve(Arc::clone(&service), Arc::clone(&dialect), stream, stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    while let Some(ended) = connections.join_next().await {
        report(ended);
    }
}

/// A task that panicked is a mistake of ours, and nobody else would hear of it.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a task has failed");
    }
}
