//! A server that speaks some dialects, and a client that knows none of them.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use reference_server::net::{Net, Tcp};
use reference_server::service::Service;
use reference_server::world::World;
use reference_server::{Chat, Cost, Limits, Options, Running};
use spec::Spec;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(10);

/// One core, with a listener for each of these dialects.
pub(crate) async fn server<const N: usize>(dialects: [&str; N]) -> [Running; N] {
    let spec = Spec::embedded();
    let limit = |name: &str| spec.service.limit(name);
    let service = Service::new(Chat::new(Limits::new(limit)), World::real(), Options::new(limit, Cost::Test));
    let mut running = Vec::new();
    for dialect in dialects {
        let dialect = spec.dialect(dialect).expect("it is embedded");
        running.push(Arc::clone(&service).listen(Tcp, "127.0.0.1:0", dialect).await.expect("a free port"));
    }
    running.try_into().unwrap_or_else(|_| unreachable!("one for each"))
}

/// A socket, and how its frames are made.
pub(crate) struct Client<F> {
    stream: TcpStream,
    pub(crate) frames: F,
}

impl<F> Client<F> {
    pub(crate) async fn connect(server: &Running, frames: F) -> Self {
        let stream = Tcp.connect(&server.address().to_string()).await.expect("it listens");
        Client { stream, frames }
    }

    /// Writes these bytes at once.
    pub(crate) async fn writes(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.expect("it reads");
    }

    /// Reads as many bytes, which must be these.
    pub(crate) async fn reads(&mut self, wanted: impl AsRef<[u8]>) {
        let wanted = wanted.as_ref();
        let came = self.takes(wanted.len()).await;
        assert!(came == wanted, "came:   {}\nwanted: {}", shown(&came), shown(wanted));
    }

    /// Reads so many bytes, or fewer if no more come.
    pub(crate) async fn takes(&mut self, count: usize) -> Vec<u8> {
        let mut came = Vec::new();
        while came.len() < count {
            let mut bytes = vec![0; count - came.len()];
            match timeout(PATIENCE, self.stream.read(&mut bytes)).await {
                Ok(Ok(read)) if read > 0 => came.extend(&bytes[..read]),
                _ => break,
            }
        }
        came
    }

    /// Writes these bytes, and reads those.
    pub(crate) async fn asks(&mut self, bytes: impl AsRef<[u8]>, wanted: impl AsRef<[u8]>) {
        self.writes(bytes).await;
        self.reads(wanted).await;
    }

    /// The server has nothing more to say, and ends the connection.
    pub(crate) async fn sees_the_end(mut self) {
        self.reads_the_end().await;
    }

    /// The client ends the connection, and the server has nothing more to say.
    pub(crate) async fn hangs_up(mut self) {
        self.stream.shutdown().await.expect("it is open");
        self.reads_the_end().await;
    }

    async fn reads_the_end(&mut self) {
        let mut rest = Vec::new();
        timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await.expect("it ends").expect("in order");
        assert_eq!(shown(&rest), "");
    }
}

/// Bytes as text: what cannot be printed as numbers, so that a difference can be read.
fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|c| text.extend(c.escape_debug()));
        chunk.invalid().iter().for_each(|byte| write!(text, "\\x{byte:02x}").expect("a String takes all"));
    }
    text
}
