//! 003 in its two stages: words and sentences, one read one message.

use crate::stage::{Talk, alice_on, error, messages, names, ok, record, some_error};

#[test]
fn the_first_stage_numbers_its_operations() {
    let alice = alice_on("003").knowing(record! {password: "wonderland"});
    alice
        .asks("create_account", record! {username: "alice", password: "wonderland"}, "1 0 alice wonderland")
        .gets(ok(record! {}), "Account successfully created")
        .gets(error("username_taken"), "Account with username already exists. Try again");
    alice
        .asks("log_in", record! {username: "alice", password: "wonderland"}, "1 2 alice wonderland")
        .gets(ok(record! {messages: messages(&[])}), "Login successful\n\r\n\r\n")
        .gets(
            ok(record! {messages: messages(&[("bob", "hi, alice"), ("zoë", "hi")])}),
            "Account has undelivered messages: \nFrom bob: Message: hi, alice\n\nFrom zoë: Message: hi\n\r\n\r\n",
        )
        .gets(some_error("bad_credentials.wrong_password"), "Login unsuccessful\r\n\r\n")
        .gets(some_error("already_logged_in.elsewhere"), "Login unsuccessful\r\n\r\n")
        .gets(error("already_logged_in.here"), "You are already logged into an account!\r\n\r\n");
    list_and_send(&alice, "1 1", "1 3");
    alice
        .asks("deliver_messages", record! {}, "1 5 alice wonderland")
        .gets(ok(record! {messages: messages(&[])}), "No undelivered messages\r\n\r\n")
        .gets(
            ok(record! {messages: messages(&[("bob", "hi, alice"), ("zoë", "hi")])}),
            "\nFrom bob: Message: hi, alice\n\nFrom zoë: Message: hi\n\r\n\r\n",
        )
        .gets(error("not_logged_in"), "Please login to deliver messages\r\n\r\n")
        .gets(some_error("bad_credentials"), "Account not found or incorrect password\r\n\r\n");
    alice
        .asks("delete_account", record! {password: "wonderland"}, "1 4 alice wonderland")
        .gets(ok(record! {messages: messages(&[])}), "Successfully deleted account\n\r\n\r\n")
        .gets(
            ok(record! {messages: messages(&[("bob", "hi")])}),
            "Successfully deleted account\n\nFrom bob: Message: hi\n\r\n\r\n",
        )
        .gets(error("already_logged_in.here"), "You are logged into the account to be deleted. Logout first\r\n\r\n")
        .gets(error("already_logged_in.elsewhere"), "Another client is logged into this account!\r\n\r\n")
        .gets(error("bad_credentials.wrong_password"), "Account not found or incorrect password\r\n\r\n");
    assert!(alice.wire.is_disconnect("log_out"));
    alice.refuses("2 0 alice wonderland", "unsupported_version", "Invalid version");
    alice.refuses("1 9", "unknown_operation", "Invalid request");
    alice.refuses("1 6", "unknown_operation", "Invalid request");
    alice.refuses("1 0 alice", "malformed", "Invalid arguments");
    alice.refuses("hello", "unsupported_version", "Invalid version");
}

#[test]
fn the_replicated_stage_names_them() {
    let alice = alice_on("003-replicated");
    alice
        .asks("create_account", record! {username: "alice", password: "wonderland"}, "create alice wonderland")
        .gets(ok(record! {}), "Account successfully created")
        .gets(error("username_taken"), "Account with username already exists. Try again")
        .gets(error("not_primary"), "Tried to connect to a non-primary server. Failed.");
    alice
        .asks("log_in", record! {username: "alice", password: "wonderland"}, "login alice wonderland")
        .gets(ok(record! {messages: messages(&[])}), "Login successful\n")
        .gets(
            ok(record! {messages: messages(&[("bob", "hi, alice"), ("zoë", "hi")])}),
            "Account has undelivered messages: \nFrom bob: Message: hi, alice\n\nFrom zoë: Message: hi\n",
        )
        .gets(some_error("bad_credentials.no_such_user"), "Login unsuccessful")
        .gets(error("already_logged_in.here"), "You are already logged into an account!");
    list_and_send(&alice, "ls", "send");
    alice.asks("log_out", record! {}, "quit").gets(ok(record! {}), "");
    alice
        .asks("delete_account", record! {password: "wonderland"}, "delete alice wonderland")
        .gets(ok(record! {messages: messages(&[])}), "Successfully deleted account\n")
        .gets(
            ok(record! {messages: messages(&[("bob", "hi")])}),
            "Successfully deleted account\n\nFrom bob: Message: hi\n",
        )
        .gets(error("already_logged_in.here"), "You are logged into the account to be deleted. Logout first")
        .gets(error("already_logged_in.elsewhere"), "Another client is logged into this account!")
        .gets(error("bad_credentials.wrong_password"), "Account not found or incorrect password");
    alice.refuses("create alice", "malformed", "Invalid arguments");
    alice.refuses("fly", "unknown_operation", "Invalid request");
}

/// What both stages answer alike.
fn list_and_send(alice: &Talk, list: &str, send: &str) {
    alice.asks("list_accounts", record! {pattern: ""}, list);
    alice
        .asks("list_accounts", record! {pattern: "li"}, format!("{list} li"))
        .gets(ok(record! {usernames: names(&[])}), "No matching accounts")
        .gets(ok(record! {usernames: names(&["alice"])}), "alice")
        .gets(ok(record! {usernames: names(&["alice", "liza"])}), "alice\nliza");
    alice
        .asks("send_message", record! {recipient: "bob", text: "hi, bob"}, format!("{send} bob hi, bob"))
        .gets(ok(record! {delivered: true}), "Message delivered!")
        .gets(ok(record! {delivered: false}), "Recipient not online. Will deliver on demand :)")
        .gets(error("no_such_user"), "Invalid: user not found")
        .gets(error("not_logged_in"), "Please login to send a message")
        .gets(some_error("unavailable"), "Invalid: so it is");
    alice.is_told("bob", "hi, alice", "\nFrom bob: Message: hi, alice");
}
