//! Two that speak lines, with the bridge and a real connection between them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use grpc::{Bridge, GrpcStream, Schema, Services};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// When to give up on a test that would never end; no verdict depends on it.
const PATIENCE: Duration = Duration::from_secs(30);

/// One who speaks lines.
#[derive(Debug)]
pub(crate) struct Party<S: AsyncRead + AsyncWrite = GrpcStream<TcpStream>> {
    /// Until it is taken out.
    stream: Option<BufStream<S>>,
}

/// A task that panics ends silently. So panics are counted, and whoever leaves looks whether there was one.
static PANICS: AtomicUsize = AtomicUsize::new(0);
static COUNTING: Once = Once::new();

fn count_panics() {
    COUNTING.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            usual(panic);
        }));
    });
}

impl<S: AsyncRead + AsyncWrite> Drop for Party<S> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(PANICS.load(Ordering::Relaxed), 0, "a task has panicked");
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Party<S> {
    pub(crate) fn of(stream: S) -> Self {
        count_panics();
        Party { stream: Some(BufStream::new(stream)) }
    }

    pub(crate) async fn say(&mut self, line: Value) {
        self.say_text(&line.to_string()).await;
    }

    pub(crate) async fn say_text(&mut self, line: &str) {
        self.stream().write_all(format!("{line}\n").as_bytes()).await.expect("it is open");
        self.stream().flush().await.expect("it is open");
    }

    pub(crate) async fn hear_text(&mut self) -> String {
        let mut line = String::new();
        let read =
            timeout(PATIENCE, self.stream().read_line(&mut line)).await.expect("a line comes or the stream ends");
        read.expect("it is readable");
        line
    }

    pub(crate) async fn hear(&mut self) -> Value {
        let line = self.hear_text().await;
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    pub(crate) async fn hears_the_end(&mut self) {
        assert_eq!(self.hear_text().await, "");
    }

    pub(crate) async fn finish(&mut self) {
        self.stream().shutdown().await.expect("it is open");
    }

    pub(crate) fn into_stream(mut self) -> S {
        self.stream.take().expect("it is there until now").into_inner()
    }

    fn stream(&mut self) -> &mut BufStream<S> {
        self.stream.as_mut().expect("it is there until it is taken")
    }
}

/// A server's side: an address, and the services there.
pub(crate) struct House {
    listener: TcpListener,
    services: Services,
    bridge: Bridge,
}

impl House {
    pub(crate) async fn of(schema: &Arc<Schema>) -> House {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address is free");
        let bridge = Bridge::new(Arc::clone(schema));
        House { listener, services: bridge.services().await, bridge }
    }

    pub(crate) fn address(&self) -> String {
        self.listener.local_addr().expect("it is bound").to_string()
    }

    /// A client and the server's end of its connection.
    pub(crate) async fn pair(&self) -> (Party, Party) {
        self.pair_through(&self.bridge).await
    }

    /// The same with a client that has a bridge of its own.
    pub(crate) async fn pair_through(&self, bridge: &Bridge) -> (Party, Party) {
        let address = self.address();
        let client = async {
            let connection = TcpStream::connect(&address).await.expect("somebody listens");
            connection.set_nodelay(true).expect("it is open");
            Party::of(bridge.open(connection, &address).await.expect("it speaks gRPC"))
        };
        tokio::join!(client, self.accept())
    }

    pub(crate) async fn accept(&self) -> Party {
        let (connection, _) = self.listener.accept().await.expect("somebody comes");
        connection.set_nodelay(true).expect("it is open");
        Party::of(self.services.serve(connection))
    }
}

/// The services of the dialects, by the names of their files.
pub(crate) fn schema(dialect: &str) -> Arc<Schema> {
    let text = match dialect {
        "000-grpc" => include_str!("../../../spec/protocol/dialects/000-grpc.proto"),
        "001-grpc" => include_str!("../../../spec/protocol/dialects/001-grpc.proto"),
        other => panic!("no dialect {other}"),
    };
    Arc::new(Schema::parse(&format!("{dialect}.proto"), text).expect("it is right"))
}

pub(crate) async fn client_and_server() -> (Party, Party) {
    House::of(&schema("000-grpc")).await.pair().await
}
