//! The network as the suite needs it: the server's `Net`, and the means to end a connection abruptly.

use reference_server::net::{Net, Tcp};
use tokio::net::TcpStream;

/// A network that actors can play on.
pub trait Wire: Net {
    /// Ends a connection without a farewell (RST, where the network has it).
    fn reset(stream: Self::Stream);
}

impl Wire for Tcp {
    fn reset(stream: TcpStream) {
        // With a linger of zero, closing discards what is unsent and resets the connection.
        let _ = socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO));
        drop(stream);
    }
}
