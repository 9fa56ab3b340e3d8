//! What all of them have in common: a port, and something that is done with each connection.

use std::io;
use std::sync::Arc;

use reference_server::net::{Listener, Net, Tcp};
use spec::dialect::Dialect;
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};

use crate::baseline::hollow::Mind;
use crate::baseline::{blunt, hollow};
use crate::target::{Eventually, Instance, ServerOptions, StartError, Starter};

/// What is done with a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Nature {
    /// Bytes are not looked at.
    Blunt(blunt::Habit),
    /// Requests are decoded, and answered out of nothing.
    Hollow(fn(&mut Mind, &spec::message::Request) -> spec::message::Response),
}

/// A way to have a server of some nature.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) dialect: Arc<Dialect>,
    pub(super) nature: Nature,
}

impl Starter for Server {
    fn start<'a>(&'a self, _: &'a ServerOptions) -> Eventually<'a, Result<Box<dyn Instance>, StartError>> {
        Box::pin(async move {
            let cannot = |error: io::Error| StartError::new(format!("the server cannot listen: {error}"));
            let listener = Tcp.bind("127.0.0.1:0").await.map_err(cannot)?;
            let address = Listener::local_addr(&listener).map_err(cannot)?.to_string();
            let server = self.clone();
            let accepting = tokio::spawn(async move {
                let mut connections = JoinSet::new();
                while let Ok((stream, _)) = Listener::accept(&listener).await {
                    let server = server.clone();
                    connections.spawn(async move {
                        // That the client has left is no news to a server without a mind.
                        let _ = server.serve(stream).await;
                    });
                    while connections.try_join_next().is_some() {}
                }
            });
            Ok(Box::new(Up { address, accepting }) as Box<dyn Instance>)
        })
    }

    /// It obeys them as it obeys everything else.
    fn can_set(&self, _: &str) -> bool {
        true
    }

    fn is_ours(&self) -> bool {
        true
    }
}

impl Server {
    async fn serve(&self, stream: TcpStream) -> io::Result<()> {
        match self.nature {
            Nature::Blunt(habit) => blunt::serve(habit, &self.dialect, stream).await,
            Nature::Hollow(answer) => hollow::serve(answer, &self.dialect, stream).await,
        }
    }
}

struct Up {
    address: String,
    accepting: JoinHandle<()>,
}

impl Instance for Up {
    fn address(&self) -> String {
        self.address.clone()
    }

    fn ended(&mut self) -> Option<String> {
        None
    }

    fn output(&self) -> Vec<String> {
        Vec::new()
    }

    fn stop(self: Box<Self>) -> Eventually<'static, ()> {
        Box::pin(async move { drop(self) })
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
