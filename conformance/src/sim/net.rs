//! The simulated network as the `Net` of the reference: TCP between the hosts of a turmoil simulation.
//!
//! Not here: what is simulated and with which faults. Names of hosts are addresses: `one:11111`.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use reference_server::net::{Listener, Net};
use turmoil::net::{TcpListener, TcpStream};

/// TCP inside a simulation. Each use belongs to the host that is running.
#[derive(Debug, Clone, Copy, Default)]
pub struct Turmoil;

/// An address of a simulated host.
pub struct TurmoilListener(TcpListener);

impl Net for Turmoil {
    type Stream = TcpStream;
    type Listener = TurmoilListener;

    /// Binds the port on all addresses of the host, whatever host is named: a host cannot listen for another.
    async fn bind(&self, address: &str) -> io::Result<TurmoilListener> {
        TcpListener::bind(("0.0.0.0", port(address)?)).await.map(TurmoilListener)
    }

    async fn connect(&self, address: &str) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }
}

impl fmt::Debug for TurmoilListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TurmoilListener").field(&self.0.local_addr().ok()).finish()
    }
}

impl Listener for TurmoilListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.0.accept().await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

fn port(address: &str) -> io::Result<u16> {
    let port = address.rsplit_once(':').map_or(address, |(_, port)| port);
    port.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("{address} has no port")))
}
