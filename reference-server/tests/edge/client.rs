//! The smallest client: says requests, hears answers and events, one after the other.

use std::collections::VecDeque;
use std::sync::Arc;

use spec::Spec;
use spec::codec::{Dialogue, Heard, ResponseDecoder};
use spec::dialect::Dialect;
use spec::value::Record;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::PATIENCE;

pub(crate) struct Client<S> {
    pub(crate) stream: S,
    dialect: Arc<Dialect>,
    decoder: ResponseDecoder,
    asked: VecDeque<Dialogue>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) fn new(stream: S) -> Self {
        let dialect = Spec::embedded().dialect("framed").expect("the protocol's own wire");
        Client { stream, decoder: ResponseDecoder::new(Arc::clone(&dialect)), dialect, asked: VecDeque::new() }
    }

    /// The bytes of a request, whose answer is then expected.
    pub(crate) fn bytes(&mut self, operation: &str, arguments: Record) -> Vec<u8> {
        let mut bytes = Vec::new();
        let spoken = self.dialect.speak_request(operation, &arguments, 7, &mut bytes);
        self.asked.push_back(spoken.expect("the wire has it"));
        bytes
    }

    pub(crate) async fn writes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the server reads");
    }

    /// The next thing the server says. None: it ended the connection, in order.
    pub(crate) async fn hears(&mut self) -> Option<Heard> {
        let mut bytes = [0; 4096];
        loop {
            if let Some((heard, _)) = self.decoder.next(self.asked.front()) {
                if !matches!(heard, Heard::Event { .. }) {
                    self.asked.pop_front();
                }
                return Some(heard);
            }
            let read = timeout(PATIENCE, self.stream.read(&mut bytes)).await.expect("something comes");
            match read.expect("no reset") {
                0 => return None,
                count => self.decoder.push(&bytes[..count]),
            }
        }
    }

    pub(crate) async fn asks(&mut self, operation: &str, arguments: Record) -> Heard {
        let bytes = self.bytes(operation, arguments);
        self.writes(&bytes).await;
        self.hears().await.expect("an answer")
    }

    /// Asks something that must succeed.
    pub(crate) async fn does(&mut self, operation: &str, arguments: Record) -> Record {
        match self.asks(operation, arguments).await {
            Heard::Ok { values, .. } => values,
            other => panic!("{operation} must succeed: {other:?}"),
        }
    }

    /// Makes an account and logs in.
    pub(crate) async fn joins(&mut self, username: &str) {
        self.does("create_account", credentials(username)).await;
        self.does("log_in", credentials(username)).await;
    }
}

pub(crate) fn credentials(username: &str) -> Record {
    Record::new().with("username", username).with("password", "secret").with("take_over", false)
}

pub(crate) fn taking_over(username: &str) -> Record {
    credentials(username).with("take_over", true)
}

pub(crate) fn ping(nonce: u64) -> Record {
    Record::new().with("nonce", nonce)
}

pub(crate) fn message(recipient: &str, text: &str) -> Record {
    Record::new().with("recipient", recipient).with("text", text).with("key", Vec::new())
}

/// The name of the error that was heard.
pub(crate) fn error(heard: &Heard) -> &str {
    match heard {
        Heard::Error { name, .. } => name,
        other => panic!("an error must come: {other:?}"),
    }
}
