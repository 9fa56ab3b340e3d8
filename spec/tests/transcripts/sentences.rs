//! 000 and its kin: the same codes and sentences behind four headers.

use crate::stage::{DETAIL, Talk, alice_on, error, messages, names, ok, record, some_error};

/// How a request and an answer are packed.
struct Header {
    say: fn(u8, &str) -> Vec<u8>,
    hear: fn(&str) -> Vec<u8>,
}

const PLAIN: Header = Header { say: plain, hear: |text| plain(1, text) };
const DRAFT: Header = Header { say: draft, hear: |text| draft(1, text) };
const SIZES: Header = Header { say: sizes, hear: |text| sizes(1, text) };
const NAMED: Header = Header { say: |code, text| named("alice", code, text), hear: |text| named("alice", 1, text) };

fn number(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("short").to_be_bytes()
}

/// Size of the data, code, data.
fn plain(code: u8, text: &str) -> Vec<u8> {
    [&number(text.len())[..], &[code], text.as_bytes()].concat()
}

/// Length of the packet, version, size of the data, code, data.
fn draft(code: u8, text: &str) -> Vec<u8> {
    [&number(13 + text.len())[..], &number(1), &plain(code, text)].concat()
}

/// Length of the message, size of the data, code, data.
fn sizes(code: u8, text: &str) -> Vec<u8> {
    [&number(9 + text.len())[..], &plain(code, text)].concat()
}

/// Size of the name, name, size of the data, code, data.
fn named(name: &str, code: u8, text: &str) -> Vec<u8> {
    [&number(name.len())[..], name.as_bytes(), &plain(code, text)].concat()
}

#[test]
fn the_headers_are_these_bytes() {
    let alice = alice_on("000");
    alice
        .asks("log_in", record! {username: "alice"}, b"\0\0\0\x05\x02alice")
        .gets(ok(record! {}), b"\0\0\0\x23\x01<server> Account \"alice\" logged in.");
    let alice = alice_on("000-draft");
    alice
        .asks("log_in", record! {username: "alice"}, b"\0\0\0\x12\0\0\0\x01\0\0\0\x05\x02alice")
        .gets(ok(record! {}), b"\0\0\0\x30\0\0\0\x01\0\0\0\x23\x01<server> Account \"alice\" logged in.");
    let alice = alice_on("length-size");
    alice
        .asks("log_in", record! {username: "alice"}, b"\0\0\0\x0e\0\0\0\x05\x02alice")
        .gets(ok(record! {}), b"\0\0\0\x2c\0\0\0\x23\x01<server> Account \"alice\" logged in.");
    let alice = alice_on("002");
    alice
        .asks("log_in", record! {username: "alice"}, b"\0\0\0\x05alice\0\0\0\x05\x02alice")
        .gets(ok(record! {}), b"\0\0\0\x05alice\0\0\0\x23\x01<server> Account \"alice\" logged in.");
}

#[test]
fn the_sentences_of_000() {
    let alice = alice_on("000");
    alice.greets(ok(record! {}), plain(1, "<server> Connected to server"));
    sentences(&alice, &PLAIN);
    patterns(&alice, &PLAIN);
    log_out(&alice, &PLAIN);
    alice.refuses(b"\0\x01\0\x01", "frame_too_large", plain(1, "<server> so it is"));
}

#[test]
fn the_sentences_of_the_draft_of_000() {
    let alice = alice_on("000-draft");
    alice.greets(ok(record! {}), draft(1, "<server> Connected to server"));
    sentences(&alice, &DRAFT);
    patterns(&alice, &DRAFT);
    log_out(&alice, &DRAFT);
    alice.refuses(b"\0\0\0\x0d\0\0\0\x02", "unsupported_version", draft(1, "<server> so it is"));
}

#[test]
fn the_sentences_of_the_chat_with_two_lengths() {
    let alice = alice_on("length-size");
    alice.greets(ok(record! {}), sizes(1, "<server> Connected to server"));
    sentences(&alice, &SIZES);
    assert!(alice.wire.is_disconnect("log_out"));
}

#[test]
fn the_sentences_of_002() {
    let alice = alice_on("002");
    alice.greets(ok(record! {}), named("alice", 1, "Server is the leader"));
    alice.greets(error("not_primary"), named("", 0, "Server is not leader"));
    alice.listens(named("alice", 7, ""));
    alice.refuses(b"\0\0\x10\0", "frame_too_large", named("alice", 1, "<server> so it is"));
    sentences(&alice, &NAMED);
    patterns(&alice, &NAMED);
    log_out(&alice, &NAMED);
}

/// What all four say.
fn sentences(alice: &Talk, Header { say, hear }: &Header) {
    alice
        .asks("create_account", record! {username: "alice"}, say(1, "alice"))
        .gets(ok(record! {}), hear("<server> Account created with username \"alice\"."))
        .gets(error("username_taken"), hear("<server> Failed to create account. Username \"alice\" is already in use."))
        .gets(error("invalid_username.empty"), hear("<server> Failed to create account. Username cannot be empty."))
        .gets(
            error("invalid_username.characters"),
            hear("<server> Failed to create account. Username cannot have \" \" or \"|\"."),
        )
        .gets(some_error("unavailable"), hear("<server> so it is"));
    alice
        .asks("log_in", record! {username: "alice"}, say(2, "alice"))
        .gets(ok(record! {}), hear("<server> Account \"alice\" logged in."))
        .gets(error("bad_credentials.no_such_user"), hear("<server> Failed to login. Account \"alice\" not found."))
        .gets(
            error("already_logged_in.elsewhere"),
            hear(
                "<server> Failed to login. Account \"alice\" is already logged in. \
                 You cannot log in to the same account from multiple clients.",
            ),
        );
    alice
        .asks("list_accounts", record! {pattern: ""}, say(0, ""))
        .gets(ok(record! {usernames: names(&[])}), hear("<server> List of accounts: []"))
        .gets(ok(record! {usernames: names(&["bob"])}), hear("<server> List of accounts: ['bob']"))
        .gets(ok(record! {usernames: names(&["bob", "alice"])}), hear("<server> List of accounts: ['bob', 'alice']"));
    alice
        .asks("send_message", record! {recipient: "bob", text: "hi, bob"}, say(5, "bob|hi, bob"))
        .gets(ok(record! {delivered: true}), hear("<server> Message sent to \"bob\"."))
        .gets(ok(record! {delivered: false}), hear("<server> Account \"bob\" not online. Message queued to send"))
        .gets(error("no_such_user"), hear("<server> Failed to send. Account \"bob\" does not exist."))
        .gets(error("not_logged_in"), hear("<server> Operation not permitted. You are not logged in."))
        .gets(error("malformed"), hear("<server> Invalid input: so it is"));
    let two = [hear("<bob> hi"), hear("<zoë> a\nb")].concat();
    alice
        .asks("deliver_messages", record! {}, say(6, ""))
        .gets(ok(record! {messages: messages(&[])}), hear("<server> No messages queued"))
        .gets(ok(record! {messages: messages(&[("bob", "hi")])}), hear("<bob> hi"))
        .gets(ok(record! {messages: messages(&[("bob", "hi"), ("zoë", "a\nb")])}), two)
        .gets(error("not_logged_in"), hear("<server> Operation not permitted. You are not logged in."));
    alice
        .asks("delete_account", record! {}, say(4, ""))
        .gets(ok(record! {}), hear("<server> Account \"alice\" deleted."))
        .gets(error("not_logged_in"), hear("<server> Operation not permitted. You are not logged in."));
    alice.is_told("bob", "hi", hear("<bob> hi"));
    alice.is_told("bob", "<server> hi|hi\n", hear("<bob> <server> hi|hi\n"));
    alice.refuses(say(9, ""), "unknown_operation", hear("<server> 9 is not a valid operation code."));
    alice.refuses(say(5, "bob"), "malformed", hear(&format!("<server> Invalid input: {DETAIL}")));
}

fn patterns(alice: &Talk, Header { say, hear }: &Header) {
    alice
        .asks("list_accounts", record! {pattern: "a("}, say(0, "a("))
        .gets(error("invalid_pattern"), hear("<server> a( is not a valid regex pattern."));
}

fn log_out(alice: &Talk, Header { say, hear }: &Header) {
    alice
        .asks("log_out", record! {}, say(3, ""))
        .gets(ok(record! {}), hear("<server> Account \"alice\" logged out."))
        .gets(error("not_logged_in"), hear("<server> Operation not permitted. You are not logged in."));
}
