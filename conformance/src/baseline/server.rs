//! How they are had: hollow ones from the reference, blunt ones from a port and something that is done with each
//! connection.

use std::io;
use std::sync::Arc;

use reference_server::net::{Listener, Net, Tcp};
use spec::Spec;
use spec::dialect::Dialect;
use tokio::task::{JoinHandle, JoinSet};

use crate::baseline::blunt;
use crate::baseline::hollow::{self, Answer};
use crate::target::{Eventually, Instance, NotBuilt, ServerOptions, StartError, Starter, embedded_around};

/// What is done with a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Nature {
    /// Bytes are not looked at.
    Blunt(blunt::Habit),
    /// Requests are decoded, and answered out of nothing.
    Hollow(Answer),
}

/// A way to have a server of some nature.
///
/// # Errors
/// This program was built without what the dialect needs.
pub(super) fn starter(nature: Nature, spec: &Arc<Spec>, dialect: &Arc<Dialect>) -> Result<Arc<dyn Starter>, NotBuilt> {
    match nature {
        Nature::Blunt(habit) => Ok(Arc::new(Server { dialect: Arc::clone(dialect), habit })),
        Nature::Hollow(answer) => embedded_around(spec, dialect, hollow::core(answer)),
    }
}

/// A server that does not speak.
#[derive(Debug, Clone)]
struct Server {
    dialect: Arc<Dialect>,
    habit: blunt::Habit,
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
                        let _ = blunt::serve(server.habit, &server.dialect, stream).await;
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
