//! One core behind two wires: a user of the oldest one and a user of the protocol's own write to each other.

use crate::client::{Client, server};
use crate::sentences::PLAIN;

/// A frame of the protocol's own wire: length, version, code, request id, body.
fn framed(code: u8, request_id: u8, body: &[u8]) -> Vec<u8> {
    let length = 1 + 1 + 4 + body.len();
    [&[0, 0, 0, u8::try_from(length).expect("short"), 1, code, 0, 0, 0, request_id], body].concat()
}

#[tokio::test]
async fn users_of_two_wires_write_to_each_other() {
    let [old, new] = server(["000", "framed"]).await;
    let (mut alice, mut bob) = (Client::connect(&old, PLAIN).await, Client::connect(&new, ()).await);
    alice.hears("", "<server> Connected to server").await;
    alice.is_told("", 1, "alice", r#"<server> Account created with username "alice"."#).await;
    bob.asks(framed(1, 1, b"\0\x03bob\0\x06hidden"), framed(129, 1, b"\0")).await;
    alice.is_told("", 0, "", "<server> List of accounts: ['alice', 'bob']").await;

    // What alice writes waits for bob, with its number and its time.
    alice.is_told("", 5, "bob|hello", r#"<server> Account "bob" not online. Message queued to send"#).await;
    bob.writes(framed(2, 2, b"\0\x03bob\0\x06hidden\0")).await;
    // A status, a token of 32 bytes with its length, and two numbers, the last of which is what waits.
    let logged_in = bob.takes(4 + 6 + 1 + 33 + 8).await;
    assert_eq!(logged_in[4..11], [1, 130, 0, 0, 0, 2, 0]);
    assert_eq!(logged_in[logged_in.len() - 4..], [0, 0, 0, 1]);
    bob.writes(framed(6, 3, b"\0\0\0\0\0\0\0\0\0\x64")).await;
    let page = bob.takes(4 + 6 + 1 + 2 + 8 + 2 + 5 + 2 + 5 + 8 + 1).await;
    assert_eq!(page[4..11], [1, 134, 0, 0, 0, 3, 0]);
    assert_eq!(&page[11..35], b"\0\x01\0\0\0\0\0\0\0\x01\0\x05alice\0\x05hello");

    // What bob writes is put on alice's connection, in her own words.
    bob.asks(framed(5, 4, b"\0\x05alice\0\x02hi\0"), framed(133, 4, b"\0\0\0\0\0\0\0\0\x01\x01")).await;
    alice.hears("", "<bob> hi").await;
    // And the other way.
    alice.is_told("", 5, "bob|live", r#"<server> Message sent to "bob"."#).await;
    let event = bob.takes(4 + 6 + 8 + 2 + 5 + 2 + 4 + 8).await;
    assert_eq!(event[4..10], [1, 64, 0, 0, 0, 0]);
    assert_eq!(&event[10..31], b"\0\0\0\0\0\0\0\x02\0\x05alice\0\x04live");

    alice.is_told("", 4, "", r#"<server> Account "alice" deleted."#).await;
    // Status 30: there is no account of this name.
    bob.writes(framed(5, 5, b"\0\x05alice\0\x02hi\0")).await;
    assert_eq!(bob.takes(11).await[4..], [1, 133, 0, 0, 0, 5, 30]);
}
