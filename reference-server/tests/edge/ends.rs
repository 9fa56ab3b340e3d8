//! How connections end, and what is told before.

use spec::codec::Heard;
use spec::value::Record;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::client::{credentials, error, message, ping, taking_over};
use super::*;

#[tokio::test]
async fn on_fin_every_complete_request_is_answered_and_the_user_is_offline() {
    let server = start(options()).await;
    let (mut alice, mut bob) = (connect(&server).await, connect(&server).await);
    alice.joins("alice").await;
    let mut bytes = bob.bytes("create_account", credentials("bob"));
    bytes.extend(bob.bytes("log_in", credentials("bob")));
    for nonce in 0..100 {
        bytes.extend(bob.bytes("ping", ping(nonce)));
    }
    let half = bob.bytes("send_message", message("alice", "half"));
    bytes.extend(&half[..half.len() - 1]);
    bob.writes(&bytes).await;
    bob.stream.shutdown().await.expect("it is open");
    for _ in 0..102 {
        assert!(matches!(bob.hears().await, Some(Heard::Ok { .. })));
    }
    assert_eq!(bob.hears().await, None, "the half request has no answer");
    let sent = alice.does("send_message", message("bob", "hi")).await;
    assert_eq!(sent.get("delivered").and_then(|value| value.as_flag()), Some(false));
    assert!(matches!(alice.asks("ping", ping(1)).await, Heard::Ok { .. }), "and no effect");
}

#[tokio::test]
async fn a_bad_frame_is_answered_before_the_end_even_with_more_bytes_behind_it() {
    for (header, expected) in [
        (&[0, 1, 0, 1, 1, 9, 0, 0, 0, 7][..], "frame_too_large"),
        (&[0, 0, 0, 5, 1, 9, 0, 0, 0, 7], "malformed"),
        (&[0, 0, 0, 14, 2, 9, 0, 0, 0, 7], "unsupported_version"),
    ] {
        let server = start(options()).await;
        let mut client = connect(&server).await;
        client.joins("alice").await;
        let mut bytes = header.to_vec();
        bytes.extend(vec![0xAA; 60_000]);
        client.writes(&bytes).await;
        assert_eq!(error(&client.hears().await.expect("an answer")), expected);
        assert_eq!(client.hears().await, None, "{expected}: half-closed, not reset");

        // The user was offline from the answer on, though the connection is not gone yet.
        let mut again = connect(&server).await;
        again.does("log_in", credentials("alice")).await;
    }
}

#[tokio::test]
async fn a_connection_that_was_taken_over_is_closed() {
    let server = start(options()).await;
    let (mut old, mut new) = (connect(&server).await, connect(&server).await);
    old.joins("alice").await;
    assert_eq!(error(&new.asks("log_in", credentials("alice")).await), "already_logged_in");
    new.does("log_in", taking_over("alice")).await;
    assert_eq!(old.hears().await, None);
    let listed = new.does("list_accounts", Record::new().with("pattern", "").with("after", "").with("limit", 0)).await;
    assert!(listed.to_string().contains("alice"), "{listed}");
}

#[tokio::test]
async fn a_connection_from_which_nothing_comes_is_ended() {
    let server = start(Options { idle_timeout: Duration::from_millis(30), ..options() }).await;
    let mut silent = connect(&server).await;
    assert_eq!(silent.hears().await, None);
}

#[tokio::test]
async fn a_reset_leaves_the_user_offline() {
    let server = start(options()).await;
    let (mut alice, mut bob) = (connect(&server).await, connect(&server).await);
    alice.joins("alice").await;
    bob.joins("bob").await;
    #[expect(deprecated, reason = "zero does not block: it is how a reset is made")]
    bob.stream.set_linger(Some(Duration::ZERO)).expect("it is open");
    drop(bob);
    // The reset arrives when it arrives; then bob can log in without taking over.
    let mut phone = connect(&server).await;
    while let Heard::Error { name, .. } = phone.asks("log_in", credentials("bob")).await {
        assert_eq!(name, "already_logged_in");
    }
    assert!(matches!(alice.asks("ping", ping(1)).await, Heard::Ok { .. }));
}

#[tokio::test]
async fn a_shutdown_answers_what_was_asked_and_ends_in_time() {
    let server = start(options()).await;
    let address = server.address();
    let mut client = connect(&server).await;
    client.joins("alice").await;
    let bytes: Vec<u8> = (0..1000).flat_map(|nonce| client.bytes("ping", ping(nonce))).collect();
    client.writes(&bytes).await;
    let first = client.hears().await.expect("an answer");
    assert!(matches!(first, Heard::Ok { .. }));
    let listening = async {
        let mut answers = 1;
        while let Some(heard) = client.hears().await {
            assert!(matches!(heard, Heard::Ok { .. }));
            answers += 1;
        }
        drop(client);
        answers
    };
    let ((), answers) = tokio::join!(server.shutdown(), listening);
    assert!(answers >= 1, "whatever was answered came whole, and the connection ended in order");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_server_that_is_dropped_is_gone_at_once() {
    let server = start(options()).await;
    let address = server.address();
    let mut client = connect(&server).await;
    client.does("hello", Record::new().with("client", "")).await;
    drop(server);
    assert_eq!(client.hears().await, None);
    assert!(TcpStream::connect(address).await.is_err());
}
