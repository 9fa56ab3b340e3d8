//! 000, its first draft, 002 and length-size: the same sentences behind four headers.

use crate::client::{Client, server};

/// A header: how a request of a user is framed, and an answer to them.
#[derive(Clone, Copy)]
pub(crate) struct Frames {
    pub(crate) say: fn(me: &str, code: u8, data: &str) -> Vec<u8>,
    pub(crate) hear: fn(me: &str, data: &str) -> Vec<u8>,
}

fn number(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("transcripts are short").to_be_bytes()
}

fn plain(code: u8, data: &str) -> Vec<u8> {
    [&number(data.len())[..], &[code], data.as_bytes()].concat()
}

fn drafted(code: u8, data: &str) -> Vec<u8> {
    [&number(13 + data.len())[..], &[0, 0, 0, 1], &number(data.len()), &[code], data.as_bytes()].concat()
}

fn sized(code: u8, data: &str) -> Vec<u8> {
    [&number(9 + data.len())[..], &number(data.len()), &[code], data.as_bytes()].concat()
}

fn named(me: &str, code: u8, data: &str) -> Vec<u8> {
    [&number(me.len())[..], me.as_bytes(), &plain(code, data)].concat()
}

pub(crate) const PLAIN: Frames = Frames { say: |_, code, data| plain(code, data), hear: |_, data| plain(1, data) };
const DRAFTED: Frames = Frames { say: |_, code, data| drafted(code, data), hear: |_, data| drafted(1, data) };
const SIZED: Frames = Frames { say: |_, code, data| sized(code, data), hear: |_, data| sized(1, data) };
const NAMED: Frames = Frames { say: named, hear: |me, data| named(me, 1, data) };

impl Client<Frames> {
    pub(crate) async fn says(&mut self, me: &str, code: u8, data: &str) {
        self.writes((self.frames.say)(me, code, data)).await;
    }

    pub(crate) async fn hears(&mut self, me: &str, data: &str) {
        self.reads((self.frames.hear)(me, data)).await;
    }

    pub(crate) async fn is_told(&mut self, me: &str, code: u8, data: &str, answer: &str) {
        self.says(me, code, data).await;
        self.hears(me, answer).await;
    }
}

#[test]
fn the_headers_are_these_bytes() {
    assert_eq!(plain(1, "alice"), b"\x00\x00\x00\x05\x01alice");
    assert_eq!(drafted(1, "alice"), b"\x00\x00\x00\x12\x00\x00\x00\x01\x00\x00\x00\x05\x01alice");
    assert_eq!(sized(1, "alice"), b"\x00\x00\x00\x0e\x00\x00\x00\x05\x01alice");
    assert_eq!(named("bob", 0, "al"), b"\x00\x00\x00\x03bob\x00\x00\x00\x02\x00al");
}

const NOT_PERMITTED: &str = "<server> Operation not permitted. You are not logged in.";
const SECOND_CLIENT: &str = "<server> Failed to login. Account \"alice\" is already logged in. You cannot log in to the \
                             same account from multiple clients.";

/// What all four have in common: accounts, lists, messages to those who are there.
async fn two_users_meet(alice: &mut Client<Frames>, bob: &mut Client<Frames>) {
    let taken = r#"<server> Failed to create account. Username "alice" is already in use."#;
    alice.is_told("", 5, "bob|hi", NOT_PERMITTED).await;
    alice.is_told("", 0, "", "<server> List of accounts: []").await;
    alice.says("", 1, "alice").await;
    alice.hears("alice", r#"<server> Account created with username "alice"."#).await;
    bob.is_told("", 1, "alice", taken).await;
    bob.is_told("", 1, "a b", r#"<server> Failed to create account. Username cannot have " " or "|"."#).await;
    bob.is_told("", 1, "", "<server> Failed to create account. Username cannot be empty.").await;
    bob.is_told("", 2, "zed", r#"<server> Failed to login. Account "zed" not found."#).await;
    bob.is_told("", 2, "alice", SECOND_CLIENT).await;
    bob.says("", 1, "bob").await;
    bob.hears("bob", r#"<server> Account created with username "bob"."#).await;
    bob.is_told("bob", 0, "", "<server> List of accounts: ['alice', 'bob']").await;
    bob.is_told("bob", 0, "z", "<server> List of accounts: []").await;
    alice.is_told("alice", 5, "zed|hi", r#"<server> Failed to send. Account "zed" does not exist."#).await;
    alice.is_told("alice", 5, "bob|hi,\nbob", r#"<server> Message sent to "bob"."#).await;
    bob.hears("bob", "<alice> hi,\nbob").await;
    bob.is_told("bob", 6, "", "<server> No messages queued").await;
}

/// Bob is away, and comes back on this connection.
async fn a_message_waits(alice: &mut Client<Frames>, bob: &mut Client<Frames>) {
    let queued = r#"<server> Account "bob" not online. Message queued to send"#;
    alice.is_told("alice", 5, "bob|one|1", queued).await;
    alice.is_told("alice", 5, "bob|two", queued).await;
    bob.says("", 2, "bob").await;
    bob.hears("bob", r#"<server> Account "bob" logged in."#).await;
    bob.says("bob", 6, "").await;
    bob.hears("bob", "<alice> one|1").await;
    bob.hears("bob", "<alice> two").await;
    bob.is_told("bob", 6, "", "<server> No messages queued").await;
    bob.is_told("bob", 9, "", "<server> 9 is not a valid operation code.").await;
}

async fn ends_with_a_deletion(mut alice: Client<Frames>, mut bob: Client<Frames>) {
    alice.says("alice", 4, "").await;
    alice.hears("alice", r#"<server> Account "alice" deleted."#).await;
    // A code that does not exist is not permitted to those who are not logged in, either.
    alice.is_told("alice", 9, "", "<server> Operation not permitted. You are not logged in.").await;
    bob.is_told("bob", 5, "alice|still there?", r#"<server> Failed to send. Account "alice" does not exist."#).await;
    bob.is_told("bob", 0, "", "<server> List of accounts: ['bob']").await;
    alice.hangs_up().await;
    bob.hangs_up().await;
}

async fn by_log_out(dialect: &str, frames: Frames, greeting: &str) {
    let [server] = server([dialect]).await;
    let (mut alice, mut bob) = (Client::connect(&server, frames).await, Client::connect(&server, frames).await);
    alice.hears("", greeting).await;
    bob.hears("", greeting).await;
    two_users_meet(&mut alice, &mut bob).await;
    bob.is_told("bob", 0, "[", "<server> [ is not a valid regex pattern.").await;
    bob.is_told("bob", 0, "al", "<server> List of accounts: ['alice']").await;
    bob.is_told("bob", 3, "", r#"<server> Account "bob" logged out."#).await;
    a_message_waits(&mut alice, &mut bob).await;
    ends_with_a_deletion(alice, bob).await;
}

#[tokio::test]
async fn seed_000() {
    by_log_out("000", PLAIN, "<server> Connected to server").await;
}

#[tokio::test]
async fn the_first_draft_of_seed_000() {
    by_log_out("000-draft", DRAFTED, "<server> Connected to server").await;
}

#[tokio::test]
async fn seed_002() {
    by_log_out("002", NAMED, "Server is the leader").await;
}

/// Nothing answers code 7, and messages come to whoever has said their name with it.
#[tokio::test]
async fn seed_002_after_a_connection_was_lost() {
    let [server] = server(["002"]).await;
    let mut alice = Client::connect(&server, NAMED).await;
    alice.hears("", "Server is the leader").await;
    alice.says("", 1, "alice").await;
    alice.hears("alice", r#"<server> Account created with username "alice"."#).await;
    alice.hangs_up().await;
    let mut again = Client::connect(&server, NAMED).await;
    again.hears("", "Server is the leader").await;
    again.says("alice", 7, "").await;
    again.says("alice", 5, "alice|me again").await;
    again.hears("alice", "<alice> me again").await;
    again.hears("alice", r#"<server> Message sent to "alice"."#).await;
}

#[tokio::test]
async fn length_size() {
    let [server] = server(["length-size"]).await;
    let (mut alice, mut bob) = (Client::connect(&server, SIZED).await, Client::connect(&server, SIZED).await);
    alice.hears("", "<server> Connected to server").await;
    bob.hears("", "<server> Connected to server").await;
    two_users_meet(&mut alice, &mut bob).await;
    bob.is_told("bob", 0, "*ic*", "<server> List of accounts: ['alice']").await;
    bob.hangs_up().await;
    let mut bob = Client::connect(&server, SIZED).await;
    bob.hears("", "<server> Connected to server").await;
    a_message_waits(&mut alice, &mut bob).await;
    ends_with_a_deletion(alice, bob).await;
}
