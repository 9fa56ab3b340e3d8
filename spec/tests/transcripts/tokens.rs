//! 001: fields between bars, who asks told by a token, one read one message.

use crate::stage::{Talk, alice_on, error, messages, names, ok, record, some_error};

const TOKEN: [u8; 15] = [0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78, 0x87, 0x96, 0xa5, 0xb4, 0xc3, 0xd2, 0xe1];

fn alice() -> Talk {
    alice_on("001").knowing(record! {token: TOKEN.to_vec()})
}

#[test]
fn an_account_is_made_and_logged_in_to_with_a_token() {
    let alice = alice_on("001");
    alice
        .asks("create_account", record! {username: "alice", password: "wonderland"}, "0||1||alice||wonderland||alice")
        .gets(ok(record! {token: TOKEN.to_vec()}), "0||1||||0f1e2d3c4b5a69788796a5b4c3d2e1||alice")
        .gets(error("username_taken"), "0||1||ERROR Username Already Exists")
        .hears(error("username_taken"), "0||1||ERROR Username Already Exists||||")
        .gets(some_error("unavailable"), "0||1||ERROR Argument provided is not valid for opcode.");
    alice
        .asks("log_in", record! {username: "alice", password: "wonderland"}, "1||1||alice||wonderland")
        .gets(ok(record! {token: TOKEN.to_vec()}), "1||1||||0f1e2d3c4b5a69788796a5b4c3d2e1||alice")
        .hears(ok(record! {token: TOKEN.to_vec()}), "1||1||||0f1e2d3c4b5a69788796a5b4c3d2e1||Alice Liddell")
        .gets(error("bad_credentials.no_such_user"), "1||1||ERROR Username Invalid")
        .gets(error("bad_credentials.wrong_password"), "1||1||ERROR Password Invalid");
}

#[test]
fn everything_else_is_asked_with_the_token() {
    let alice = alice();
    alice
        .asks("list_accounts", record! {pattern: "a.*"}, "3||1||0f1e2d3c4b5a69788796a5b4c3d2e1||alice||25||a.*")
        .gets(ok(record! {usernames: names(&[])}), "3||1||||")
        .gets(ok(record! {usernames: names(&["alice"])}), "3||1||||alice")
        .gets(ok(record! {usernames: names(&["alice", "anna"])}), "3||1||||alice, anna")
        .gets(error("not_logged_in"), "3||1||Invalid token")
        .hears(error("not_logged_in"), "3||1||Invalid token||");
    alice
        .asks(
            "send_message",
            record! {recipient: "bob", text: "hi, bob"},
            "2||1||0f1e2d3c4b5a69788796a5b4c3d2e1||alice||bob||hi, bob",
        )
        .gets(ok(record! {}), "2||1||")
        .gets(error("not_logged_in"), "2||1||Invalid Token")
        .gets(error("no_such_user"), "2||1||Invalid Recipient")
        .gets(error("malformed"), "2||1||ERROR Incorrect number of arguments provided.")
        .hears(some_error("malformed"), "2||1||Something else");
    alice
        .asks("deliver_messages", record! {}, "5||1||0f1e2d3c4b5a69788796a5b4c3d2e1||alice")
        .gets(ok(record! {messages: messages(&[])}), "5||1||||No new message")
        .gets(ok(record! {messages: messages(&[("bob", "hi")])}), "5||1||[bob]: hi||")
        .gets(ok(record! {messages: messages(&[("bob", "hi"), ("zoë", "[x]: y")])}), "5||1||[bob]: hi\n[zoë]: [x]: y||")
        .gets(error("not_logged_in"), "5||1||||Invalid Token");
    alice
        .asks("delete_account", record! {}, "4||1||0f1e2d3c4b5a69788796a5b4c3d2e1||alice")
        .gets(ok(record! {}), "4||1||")
        .gets(error("not_logged_in"), "4||1||Invalid token");
}

#[test]
fn without_a_token_its_field_is_empty() {
    let alice = alice_on("001");
    alice
        .asks("list_accounts", record! {pattern: ""}, "3||1||||alice||25||")
        .gets(error("not_logged_in"), "3||1||Invalid token");
    alice.asks("deliver_messages", record! {}, "5||1||||alice").gets(error("not_logged_in"), "5||1||||Invalid Token");
}

#[test]
fn what_is_no_request_is_answered() {
    let alice = alice_on("001");
    alice.refuses("1||1||alice", "malformed", "1||1||ERROR Incorrect number of arguments provided.");
    alice.refuses("9||1||alice", "unknown_operation", "9||1||ERROR Argument provided is not valid for opcode.");
    alice.refuses("1||2||alice||x", "unsupported_version", "1||1||ERROR Argument provided is not valid for opcode.");
    alice.refuses("one||1||alice||x", "unknown_operation", "0||1||ERROR Argument provided is not valid for opcode.");
    alice.refuses("hello", "unknown_operation", "0||1||ERROR Argument provided is not valid for opcode.");
}
