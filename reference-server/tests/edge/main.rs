//! The edge over real sockets, and over pipes in memory where a test needs to know how much fits on the way.
//! Meanings are the unit tests of `chat`; here it is about connections: their order, their bounds and their ends.

mod client;
mod connections;
mod ends;
mod pipe;

use std::time::Duration;

use reference_server::net::{Net, Tcp};
use reference_server::world::World;
use reference_server::{Chat, Cost, Limits, Options, Running, Server};
use spec::Spec;

use client::Client;

/// Longer than anything here takes: a test that hangs should fail.
const PATIENCE: Duration = Duration::from_secs(30);

fn limit(name: &str) -> u64 {
    Spec::embedded().service.limit(name)
}

fn options() -> Options {
    Options::new(limit, Cost::Test)
}

async fn start_on<N: Net>(net: N, options: Options) -> Running {
    let chat = Chat::new(Limits { mailbox_messages: 100_000, ..Limits::new(limit) });
    let framed = Spec::embedded().dialect("framed").expect("the protocol's own wire");
    Server::start(net, "127.0.0.1:0", chat, World::real(), framed, options).await.expect("a free port")
}

async fn start(options: Options) -> Running {
    start_on(Tcp, options).await
}

async fn connect(server: &Running) -> Client<tokio::net::TcpStream> {
    Client::new(Tcp.connect(&server.address().to_string()).await.expect("the server listens"))
}
