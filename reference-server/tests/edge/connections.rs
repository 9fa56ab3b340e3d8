//! While a connection lives: order, splitting, slow readers.

use spec::codec::Heard;
use spec::value::Record;
use tokio::io::AsyncWriteExt;

use super::client::{Client, credentials, error, message, ping};
use super::pipe::Pipes;
use super::*;

#[tokio::test]
async fn joined_requests_are_answered_in_order() {
    let server = start(options()).await;
    let mut client = connect(&server).await;
    let mut bytes = client.bytes("create_account", credentials("alice"));
    bytes.extend(client.bytes("ping", ping(1)));
    bytes.extend(client.bytes("log_in", credentials("alice")));
    bytes.extend(client.bytes("send_message", message("alice", "me")));
    bytes.extend(client.bytes("ping", ping(2)));
    client.writes(&bytes).await;
    let mut heard = Vec::new();
    for _ in 0..6 {
        heard.push(match client.hears().await.expect("the connection stays") {
            Heard::Ok { operation, .. } => operation.expect("the wire tells"),
            Heard::Event { name, .. } => name,
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(heard, ["create_account", "ping", "log_in", "message", "send_message", "ping"]);
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte() {
    let server = start(options()).await;
    let mut client = connect(&server).await;
    for byte in client.bytes("ping", ping(9)) {
        client.writes(&[byte]).await;
        client.stream.flush().await.expect("the server reads");
    }
    assert!(matches!(client.hears().await, Some(Heard::Ok { values, .. }) if values == ping(9)));
}

#[tokio::test]
async fn what_is_no_request_is_answered_and_the_connection_goes_on() {
    let server = start(options()).await;
    let mut client = connect(&server).await;
    // length 6, version 1, an operation that does not exist, request id 7
    client.writes(&[0, 0, 0, 6, 1, 60, 0, 0, 0, 7]).await;
    let unknown = client.hears().await.expect("an answer");
    assert_eq!(error(&unknown), "unknown_operation");
    assert_eq!(client.does("ping", ping(3)).await, ping(3));
}

#[tokio::test]
async fn two_dialects_of_one_service_share_their_accounts() {
    let framed = Spec::embedded().dialect("framed").expect("the protocol's own wire");
    let service = reference_server::service::Service::new(Chat::new(Limits::new(limit)), World::real(), options());
    let one = service.listen(Tcp, "127.0.0.1:0", framed.clone()).await.expect("a free port");
    let two = service.listen(Tcp, "127.0.0.1:0", framed).await.expect("a free port");
    let (mut alice, mut bob) = (connect(&one).await, connect(&two).await);
    alice.joins("alice").await;
    bob.joins("bob").await;
    alice.does("send_message", message("bob", "hi")).await;
    assert!(matches!(bob.hears().await, Some(Heard::Event { .. })));
}

#[tokio::test]
async fn passwords_are_checked_at_interactive_cost_too() {
    let server = start(Options { cost: Cost::Interactive, ..options() }).await;
    let mut client = connect(&server).await;
    client.does("create_account", credentials("alice")).await;
    for wrong in [credentials("alice").with("password", "wrong"), credentials("nobody")] {
        assert_eq!(error(&client.asks("log_in", wrong).await), "bad_credentials");
    }
    client.does("log_in", credentials("alice")).await;
}

/// Bob's pipe holds a thousand bytes and bob takes none, so everything else piles up in the server.
#[tokio::test]
async fn a_slow_reader_is_closed_at_its_bound_and_delays_nobody() {
    let net = Pipes::new();
    let bounds = Options { unsent_pause_bytes: 16 << 10, unsent_close_bytes: 64 << 10, ..options() };
    let server = start_on(net.clone(), bounds).await;
    let mut alice = Client::new(net.connect("").await.expect("it listens"));
    let mut bob = Client::new(net.connect("").await.expect("it listens"));
    alice.joins("alice").await;
    bob.joins("bob").await;
    let mut outcomes = Vec::new();
    for _ in 0..40 {
        let sent = alice.does("send_message", message("bob", &"x".repeat(2048))).await;
        outcomes.push(sent.get("delivered").and_then(|value| value.as_flag()).expect("a flag"));
    }
    // 40 times 2 KiB are more than 64: at some message bob was given up, and is offline since then.
    assert!(outcomes[0] && !outcomes[39] && outcomes.is_sorted_by(|a, b| a >= b), "{outcomes:?}");
    let mut events = 0;
    while let Some(heard) = bob.hears().await {
        assert!(matches!(heard, Heard::Event { .. }));
        events += 1;
    }
    assert!(events <= 1, "what did not fit into the pipe is not sent any more");
    let mut bob = Client::new(net.connect("").await.expect("it listens"));
    let logged_in = bob.does("log_in", credentials("bob")).await;
    assert_eq!(logged_in.get("waiting").and_then(|value| value.as_int()), Some(40), "every message is still there");
    drop(server);
}

/// The answers are ten times what an outbox may hold, so the server must have stopped reading to survive.
#[tokio::test]
async fn who_does_not_read_answers_may_not_ask_for_more() {
    const PINGS: u64 = 10_000;
    let net = Pipes::new();
    let bounds = Options { unsent_pause_bytes: 8 << 10, unsent_close_bytes: 16 << 10, ..options() };
    let server = start_on(net.clone(), bounds).await;
    let mut other = Client::new(net.connect("").await.expect("it listens"));
    let mut eager = Client::new(net.connect("").await.expect("it listens"));
    let requests: Vec<u8> = (0..PINGS).flat_map(|nonce| eager.bytes("ping", ping(nonce))).collect();
    let (reading, mut writing) = tokio::io::split(eager.stream);
    let writer = tokio::spawn(async move { writing.write_all(&requests).await });
    for nonce in 0..100 {
        assert_eq!(other.does("ping", ping(nonce)).await, ping(nonce), "others go on meanwhile");
    }
    let mut eager = Client::new(tokio::io::join(reading, tokio::io::sink()));
    for nonce in 0..PINGS {
        eager.bytes("ping", Record::new().with("nonce", nonce));
        assert!(matches!(eager.hears().await, Some(Heard::Ok { values, .. }) if values == ping(nonce)));
    }
    writer.await.expect("no panic").expect("all was read in the end");
    drop(server);
}
