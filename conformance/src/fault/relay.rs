//! The suite's own socket in the middle of a link: what comes in on one side goes out on the other, if the gate lets it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use reference_server::net::{Listener, Net};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Whether bytes pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Passing,
    Held,
    Cut,
}

/// Opens and closes a relay. Clones are the same gate.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The mode, and how often the link was cut: what was open before a cut stays dead.
    state: Arc<watch::Sender<(Mode, u64)>>,
}

impl Default for Gate {
    fn default() -> Self {
        Gate { state: Arc::new(watch::channel((Mode::Passing, 0)).0) }
    }
}

impl Gate {
    /// Everything waits.
    pub fn hold(&self) {
        self.state.send_modify(|state| state.0 = Mode::Held);
    }

    /// Everything passes, what waited first.
    pub fn open(&self) {
        self.state.send_modify(|state| state.0 = Mode::Passing);
    }

    /// Everything is lost, and what is open now stays dead.
    pub fn cut(&self) {
        self.state.send_modify(|state| *state = (Mode::Cut, state.1 + 1));
    }

    fn cuts(&self) -> u64 {
        self.state.borrow().1
    }

    /// Waits until bytes of a link may pass. False: the link was cut, and never again.
    async fn passes(&self, born: u64) -> bool {
        let mut state = self.state.subscribe();
        let reached = state.wait_for(|(mode, cuts)| *cuts > born || *mode == Mode::Passing).await;
        reached.is_ok_and(|state| state.1 == born)
    }
}

/// A relay to one address. Dropping it ends every link through it.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    gate: Gate,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// Listens at `address` and connects everyone who comes to where `target` points at that moment.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn start<N: Net>(net: N, address: &str, target: Arc<Mutex<String>>) -> io::Result<Self> {
        let listener = net.bind(address).await?;
        let address = listener.local_addr()?;
        let gate = Gate::default();
        let accepting = tokio::spawn(accept(net, listener, target, gate.clone()));
        Ok(Relay { address, gate, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What opens and closes it.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept<N: Net>(net: N, listener: N::Listener, target: Arc<Mutex<String>>, gate: Gate) {
    let mut links = tokio::task::JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        let address = target.lock().expect("never poisoned").clone();
        let (net, gate) = (net.clone(), gate.clone());
        links.spawn(async move {
            let born = gate.cuts();
            let Ok(far) = net.connect(&address).await else { return };
            let (near_read, near_write) = tokio::io::split(near);
            let (far_read, far_write) = tokio::io::split(far);
            tokio::join!(
                pump(near_read, far_write, gate.clone(), born),
                pump(far_read, near_write, gate.clone(), born)
            );
        });
    }
}

/// One direction of a link. After a cut it reads and forgets, and both ends stay open: nobody is told.
async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, gate: Gate, born: u64) {
    let mut buffer = [0_u8; 8192];
    loop {
        let count = from.read(&mut buffer).await.unwrap_or(0);
        if !gate.passes(born).await {
            return std::future::pending().await;
        }
        if count == 0 {
            let _ = to.shutdown().await;
            return;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
