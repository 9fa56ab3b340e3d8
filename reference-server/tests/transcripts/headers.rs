//! The four headers of the oldest wires, with every byte written down: one short conversation over each.
//!
//! All that these wires can say stands in `sentences`, behind headers that are made there.

use crate::client::{Client, server};

#[tokio::test]
async fn seed_000_byte_by_byte() {
    let [server] = server(["000"]).await;
    let mut alice = Client::connect(&server, ()).await;
    alice.reads(b"\x00\x00\x00\x1c\x01<server> Connected to server").await;
    alice.asks(b"\x00\x00\x00\x00\x00", b"\x00\x00\x00\x1d\x01<server> List of accounts: []").await;
    let created = b"\x00\x00\x00\x2f\x01<server> Account created with username \"alice\".";
    alice.asks(b"\x00\x00\x00\x05\x01alice", created).await;
    alice.asks(b"\x00\x00\x00\x02\x00al", b"\x00\x00\x00\x24\x01<server> List of accounts: ['alice']").await;
    // To oneself: the message comes first.
    let message = b"\x00\x00\x00\x0b\x01<alice> hi!\x00\x00\x00\x21\x01<server> Message sent to \"alice\".";
    alice.asks(b"\x00\x00\x00\x09\x05alice|hi!", message).await;
    alice.asks(b"\x00\x00\x00\x00\x06", b"\x00\x00\x00\x1b\x01<server> No messages queued").await;
    // Two frames in one write are two requests, and one that comes in pieces is one.
    let both = b"\x00\x00\x00\x29\x01<server> 7 is not a valid operation code.\
        \x00\x00\x00\x24\x01<server> Account \"alice\" logged out.";
    alice.asks(b"\x00\x00\x00\x00\x07\x00\x00\x00\x00\x03", both).await;
    alice.writes(b"\x00\x00").await;
    alice.writes(b"\x00\x05\x02ali").await;
    alice.asks(b"ce", b"\x00\x00\x00\x23\x01<server> Account \"alice\" logged in.").await;
    alice.asks(b"\x00\x00\x00\x00\x04", b"\x00\x00\x00\x21\x01<server> Account \"alice\" deleted.").await;
    alice.hangs_up().await;
}

#[tokio::test]
async fn the_first_draft_of_seed_000_byte_by_byte() {
    let [server] = server(["000-draft"]).await;
    let mut alice = Client::connect(&server, ()).await;
    alice.reads(b"\x00\x00\x00\x29\x00\x00\x00\x01\x00\x00\x00\x1c\x01<server> Connected to server").await;
    let created =
        b"\x00\x00\x00\x3c\x00\x00\x00\x01\x00\x00\x00\x2f\x01<server> Account created with username \"alice\".";
    alice.asks(b"\x00\x00\x00\x12\x00\x00\x00\x01\x00\x00\x00\x05\x01alice", created).await;
    let listed = b"\x00\x00\x00\x31\x00\x00\x00\x01\x00\x00\x00\x24\x01<server> List of accounts: ['alice']";
    alice.asks(b"\x00\x00\x00\x0d\x00\x00\x00\x01\x00\x00\x00\x00\x00", listed).await;
    let deleted = b"\x00\x00\x00\x2e\x00\x00\x00\x01\x00\x00\x00\x21\x01<server> Account \"alice\" deleted.";
    alice.asks(b"\x00\x00\x00\x0d\x00\x00\x00\x01\x00\x00\x00\x00\x04", deleted).await;
    alice.hangs_up().await;
}

#[tokio::test]
async fn length_size_byte_by_byte() {
    let [server] = server(["length-size"]).await;
    let mut alice = Client::connect(&server, ()).await;
    alice.reads(b"\x00\x00\x00\x25\x00\x00\x00\x1c\x01<server> Connected to server").await;
    let created = b"\x00\x00\x00\x38\x00\x00\x00\x2f\x01<server> Account created with username \"alice\".";
    alice.asks(b"\x00\x00\x00\x0e\x00\x00\x00\x05\x01alice", created).await;
    let listed = b"\x00\x00\x00\x2d\x00\x00\x00\x24\x01<server> List of accounts: ['alice']";
    alice.asks(b"\x00\x00\x00\x0b\x00\x00\x00\x02\x00a*", listed).await;
    let deleted = b"\x00\x00\x00\x2a\x00\x00\x00\x21\x01<server> Account \"alice\" deleted.";
    alice.asks(b"\x00\x00\x00\x09\x00\x00\x00\x00\x04", deleted).await;
    alice.hangs_up().await;
}

#[tokio::test]
async fn seed_002_byte_by_byte() {
    let [server] = server(["002"]).await;
    let mut bob = Client::connect(&server, ()).await;
    bob.reads(b"\x00\x00\x00\x00\x00\x00\x00\x14\x01Server is the leader").await;
    let created = b"\x00\x00\x00\x03bob\x00\x00\x00\x2d\x01<server> Account created with username \"bob\".";
    bob.asks(b"\x00\x00\x00\x00\x00\x00\x00\x03\x01bob", created).await;
    let listed = b"\x00\x00\x00\x03bob\x00\x00\x00\x22\x01<server> List of accounts: ['bob']";
    bob.asks(b"\x00\x00\x00\x03bob\x00\x00\x00\x00\x00", listed).await;
    // Nothing answers code 7.
    let mut again = Client::connect(&server, ()).await;
    again.reads(b"\x00\x00\x00\x00\x00\x00\x00\x14\x01Server is the leader").await;
    bob.hangs_up().await;
    let deleted = b"\x00\x00\x00\x03bob\x00\x00\x00\x1f\x01<server> Account \"bob\" deleted.";
    again.asks(b"\x00\x00\x00\x03bob\x00\x00\x00\x00\x07\x00\x00\x00\x03bob\x00\x00\x00\x00\x04", deleted).await;
    again.hangs_up().await;
}
