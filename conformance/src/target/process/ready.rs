//! When a program counts as up: its port accepts, it printed a line, or an operation succeeds.

use std::sync::Arc;

use spec::codec::{Heard, Memory};
use spec::dialect::Dialect;
use spec::value::Record;
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant, timeout_at};

use crate::drive::{Arrival, Link, Patience};
use crate::target::process::output::Awaited;
use crate::target::process::{Values, host_and_port};

/// How long one attempt of an operation may take: a server on its way up may forget a connection.
const ATTEMPT: Duration = Duration::from_secs(1);

pub use crate::target::process::output::Line;

/// When a program counts as up.
#[derive(Debug, Clone)]
pub enum Ready {
    /// As soon as it was started.
    Started,
    /// A port accepts a connection: the one of that name, or that of the address.
    Port(Option<String>),
    /// It printed a line.
    Line(Line),
    /// An operation succeeds.
    Operation(Probe),
}

/// An operation that a server is asked for until it succeeds.
#[derive(Debug, Clone)]
pub struct Probe {
    /// What the server speaks.
    pub dialect: Arc<Dialect>,
    /// The operation.
    pub operation: String,
    /// Its arguments.
    pub arguments: Record,
}

impl Ready {
    pub(super) fn line(&self) -> Option<Line> {
        if let Ready::Line(line) = self { Some(line.clone()) } else { None }
    }

    /// Whether it is up now. A connection that is made for it is closed again.
    pub(super) async fn is_met(&self, address: &str, awaited: &Awaited, values: &Values, deadline: Instant) -> bool {
        match self {
            Ready::Started => true,
            Ready::Line(_) => awaited.has_come(),
            Ready::Port(name) => {
                let connecting = TcpStream::connect(port_of(name.as_deref(), address, values));
                timeout_at(deadline, connecting)
                    .await
                    .is_ok_and(|stream| stream.is_ok_and(|stream| is_answered(&stream)))
            }
            Ready::Operation(probe) => {
                timeout_at(deadline.min(Instant::now() + ATTEMPT), probe.succeeds(address)).await.unwrap_or(false)
            }
        }
    }

    /// What is missing, in words.
    pub(super) fn unmet(&self, address: &str, values: &Values) -> String {
        match self {
            Ready::Started => "it was not started".into(),
            Ready::Port(name) => {
                format!("nothing accepts connections at {}", port_of(name.as_deref(), address, values))
            }
            Ready::Line(Line::With(words)) => format!("it printed no line with {words:?}"),
            Ready::Line(Line::Fitting(expression)) => format!("it printed no line that fits `{expression}`"),
            Ready::Operation(probe) => format!("`{}` did not succeed at {address}", probe.operation),
        }
    }
}

/// Whether somebody else is at the other end. Where nobody listens, a system may connect a port to itself.
fn is_answered(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(here), Ok(there)) if here != there)
}

fn port_of(name: Option<&str>, address: &str, values: &Values) -> String {
    let Some(port) = name.and_then(|name| values.get(name)) else { return address.to_owned() };
    match host_and_port(address) {
        Some((host, _)) if host.contains(':') => format!("[{host}]:{port}"),
        Some((host, _)) => format!("{host}:{port}"),
        None => format!("127.0.0.1:{port}"),
    }
}

impl Probe {
    /// Asks once, on a connection of its own.
    async fn succeeds(&self, address: &str) -> bool {
        let Ok(stream) = TcpStream::connect(address).await else { return false };
        if !is_answered(&stream) {
            return false;
        }
        let patience = Patience::new(Some(ATTEMPT));
        let mut turn = patience.turn().await;
        let mut link: Link<reference_server::net::Tcp> = Link::new(stream, self.dialect.clone());
        let mut memory = Memory::of("nobody");
        link.open(&patience, &mut turn, &mut memory).await;
        let Ok(Some(bytes)) = link.compose(&self.operation, &self.arguments, &memory) else { return false };
        if link.write(&bytes, &patience, &mut turn).await.is_err() {
            return false;
        }
        loop {
            match link.next(&patience, &mut turn, &mut memory).await.what {
                Arrival::Event(_) | Arrival::Part(_) => {}
                Arrival::Answer(heard) => return matches!(heard, Heard::Ok { .. }),
                Arrival::End(_) | Arrival::Silence | Arrival::Flood | Arrival::Unsent(_) => return false,
            }
        }
    }
}
