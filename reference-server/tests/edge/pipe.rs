//! A network of pipes in memory that hold so many bytes and no more. It proves, too, that any `Net` will do.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use reference_server::net::{Listener, Net};
use tokio::io::DuplexStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Bytes that a pipe holds in each direction.
const PIPE_BYTES: usize = 1024;

/// One address; whatever one asks for, it is bound.
#[derive(Clone)]
pub(crate) struct Pipes {
    connecting: UnboundedSender<DuplexStream>,
    accepting: Arc<Mutex<Option<UnboundedReceiver<DuplexStream>>>>,
}

impl Pipes {
    pub(crate) fn new() -> Self {
        let (connecting, accepting) = unbounded_channel();
        Pipes { connecting, accepting: Arc::new(Mutex::new(Some(accepting))) }
    }
}

impl Net for Pipes {
    type Stream = DuplexStream;
    type Listener = Ends;

    async fn bind(&self, _address: &str) -> io::Result<Ends> {
        let accepting = self.accepting.lock().expect("nothing panics here").take();
        Ok(Ends(tokio::sync::Mutex::new(accepting.ok_or(io::ErrorKind::AddrInUse)?)))
    }

    async fn connect(&self, _address: &str) -> io::Result<DuplexStream> {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        self.connecting.send(far).map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(near)
    }
}

pub(crate) struct Ends(tokio::sync::Mutex<UnboundedReceiver<DuplexStream>>);

impl Listener for Ends {
    type Stream = DuplexStream;

    async fn accept(&self) -> io::Result<(DuplexStream, SocketAddr)> {
        let stream = self.0.lock().await.recv().await.ok_or(io::ErrorKind::NotConnected)?;
        Ok((stream, self.local_addr()?))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(SocketAddr::from(([127, 0, 0, 1], 1)))
    }
}
