//! The wires over gRPC, as the lines that stand for their calls: said as the reference server and client say them, and
//! heard as calls come in, with members that nobody named.

use crate::stage::{Talk, alice_on, error, messages, names, ok, record, some_error};

/// A line, as JSON has it.
fn line(text: &str) -> String {
    format!("{text}\n")
}

#[test]
fn the_twin_of_000_tells_errors_by_status() {
    let alice = alice_on("000-grpc");
    alice.listens(line(r#"{"method":"ChatStream","request":{"username":"alice"}}"#));
    alice
        .asks(
            "create_account",
            record! {username: "alice"},
            line(r#"{"method":"CreateAccount","request":{"username":"alice"}}"#),
        )
        .gets(ok(record! {}), line(r#"{"method":"CreateAccount","status":"OK","reply":{"username":"alice"}}"#))
        .hears(
            ok(record! {}),
            line(r#"{"method":"CreateAccount","status":"OK","detail":"","reply":{"username":"alice"}}"#),
        )
        .gets(error("username_taken"), line(r#"{"status":"ALREADY_EXISTS","detail":"so it is"}"#))
        .gets(error("invalid_username"), line(r#"{"status":"INVALID_ARGUMENT","detail":"so it is"}"#))
        .gets(some_error("text_too_long"), line(r#"{"status":"UNKNOWN","detail":"so it is"}"#))
        .gets(error("unavailable"), line(r#"{"status":"UNAVAILABLE","detail":"so it is"}"#));
    alice
        .asks("log_in", record! {username: "alice"}, line(r#"{"method":"Login","request":{"username":"alice"}}"#))
        .gets(ok(record! {}), line(r#"{"method":"Login","status":"OK","reply":{"username":"alice"}}"#))
        .gets(error("bad_credentials.no_such_user"), line(r#"{"status":"NOT_FOUND","detail":"so it is"}"#))
        .gets(error("already_logged_in"), line(r#"{"status":"PERMISSION_DENIED","detail":"so it is"}"#))
        .hears(
            error("already_logged_in"),
            line(r#"{"method":"Login","status":"ALREADY_EXISTS","detail":"","reply":{}}"#),
        );
    alice
        .asks("log_out", record! {}, line(r#"{"method":"Logout","request":{"username":"alice"}}"#))
        .gets(ok(record! {}), line(r#"{"method":"Logout","status":"OK","reply":{"username":"alice"}}"#))
        .gets(error("not_logged_in"), line(r#"{"status":"PERMISSION_DENIED","detail":"so it is"}"#));
    alice
        .asks(
            "list_accounts",
            record! {pattern: "a.*"},
            line(r#"{"method":"ListAccounts","request":{"wildcard":"a.*"}}"#),
        )
        .gets(
            ok(record! {usernames: names(&[])}),
            line(r#"{"method":"ListAccounts","status":"OK","reply":{"usernames":[]}}"#),
        )
        .gets(
            ok(record! {usernames: names(&["bob", "alice"])}),
            line(r#"{"method":"ListAccounts","status":"OK","reply":{"usernames":["bob","alice"]}}"#),
        )
        .gets(error("invalid_pattern"), line(r#"{"status":"INVALID_ARGUMENT","detail":"so it is"}"#));
    alice
        .asks(
            "send_message",
            record! {recipient: "bob", text: "hi, \"bob\""},
            line(r#"{"method":"SendMessage","request":{"username":"alice","recip_username":"bob","message":"hi, \"bob\""}}"#),
        )
        .gets(ok(record! {delivered: true}), line(r#"{"method":"SendMessage","status":"OK","reply":{"status":1}}"#))
        .gets(ok(record! {delivered: false}), line(r#"{"method":"SendMessage","status":"OK","reply":{"status":0}}"#))
        .gets(error("no_such_user"), line(r#"{"status":"NOT_FOUND","detail":"so it is"}"#))
        .gets(error("not_logged_in"), line(r#"{"status":"PERMISSION_DENIED","detail":"so it is"}"#));
    let item = |sender: &str, text: &str| {
        line(&format!(
            r#"{{"method":"ChatStream","status":"OK","reply":{{"username":"{sender}","message":"{text}"}}}}"#
        ))
    };
    alice
        .asks("deliver_messages", record! {}, line(r#"{"method":"DeliverMessages","request":{"username":"alice"}}"#))
        .gets(ok(record! {}), line(r#"{"method":"DeliverMessages","status":"OK"}"#))
        .gets(error("not_logged_in"), line(r#"{"status":"PERMISSION_DENIED","detail":"so it is"}"#));
    alice
        .asks("delete_account", record! {}, line(r#"{"method":"DeleteAccount","request":{"username":"alice"}}"#))
        .gets(ok(record! {}), line(r#"{"method":"DeleteAccount","status":"OK","reply":{"username":"alice"}}"#))
        .gets(error("not_logged_in"), line(r#"{"status":"PERMISSION_DENIED","detail":"so it is"}"#));
    alice.is_told("bob", "hi", item("bob", "hi"));
    alice.refuses(
        line(r#"{"method":"Dance","request":{}}"#),
        "unknown_operation",
        line(r#"{"status":"UNIMPLEMENTED","detail":"so it is"}"#),
    );
}

const TOKEN: [u8; 15] = [0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78, 0x87, 0x96, 0xa5, 0xb4, 0xc3, 0xd2, 0xe1];

#[test]
fn the_twin_of_001_tells_errors_in_the_reply() {
    let alice = alice_on("001-grpc");
    alice
        .asks(
            "create_account",
            record! {username: "alice", password: "wonderland"},
            line(r#"{"method":"CreateAccount","request":{"version":1,"fullname":"alice","username":"alice","password":"wonderland"}}"#),
        )
        .gets(
            ok(record! {token: TOKEN.to_vec()}),
            line(r#"{"method":"CreateAccount","status":"OK","reply":{"version":1,"error_code":"","token":"0f1e2d3c4b5a69788796a5b4c3d2e1","fullname":null}}"#),
        )
        .gets(
            error("username_taken"),
            line(r#"{"method":"CreateAccount","status":"OK","reply":{"version":1,"error_code":"ERROR Username Already Exists"}}"#),
        );
    alice
        .asks(
            "log_in",
            record! {username: "alice", password: "wonderland"},
            line(r#"{"method":"Login","request":{"version":1,"username":"alice","password":"wonderland"}}"#),
        )
        .gets(
            ok(record! {token: TOKEN.to_vec()}),
            line(r#"{"method":"Login","status":"OK","reply":{"version":1,"error_code":"","token":"0f1e2d3c4b5a69788796a5b4c3d2e1","fullname":null}}"#),
        )
        .gets(
            error("bad_credentials.no_such_user"),
            line(r#"{"method":"Login","status":"OK","reply":{"version":1,"error_code":"ERROR Username Invalid"}}"#),
        )
        .gets(
            error("bad_credentials.wrong_password"),
            line(r#"{"method":"Login","status":"OK","reply":{"version":1,"error_code":"ERROR Password Invalid"}}"#),
        );
    with_a_token(&alice_on("001-grpc").knowing(record! {token: TOKEN.to_vec()}));
    alice
        .asks(
            "list_accounts",
            record! {pattern: ""},
            line(r#"{"method":"ListAccounts","request":{"version":1,"username":"alice","number":25,"regex":""}}"#),
        )
        .gets(
            error("not_logged_in"),
            line(r#"{"method":"ListAccounts","status":"OK","reply":{"version":1,"error_code":"Invalid token"}}"#),
        );
}

fn with_a_token(alice: &Talk) {
    let reply = |method: &str, reply: &str| {
        line(&format!(r#"{{"method":"{method}","status":"OK","reply":{{"version":1,{reply}}}}}"#))
    };
    alice
        .asks(
            "list_accounts",
            record! {pattern: "a.*"},
            line(r#"{"method":"ListAccounts","request":{"version":1,"token":"0f1e2d3c4b5a69788796a5b4c3d2e1","username":"alice","number":25,"regex":"a.*"}}"#),
        )
        .gets(ok(record! {usernames: names(&[])}), reply("ListAccounts", r#""error_code":"","names":"""#))
        .gets(
            ok(record! {usernames: names(&["alice", "anna"])}),
            reply("ListAccounts", r#""error_code":"","names":"alice, anna""#),
        )
        .gets(error("not_logged_in"), reply("ListAccounts", r#""error_code":"Invalid token""#));
    alice
        .asks(
            "send_message",
            record! {recipient: "bob", text: "hi"},
            line(r#"{"method":"SendMessage","request":{"version":1,"token":"0f1e2d3c4b5a69788796a5b4c3d2e1","username":"alice","recipient":"bob","message":"hi"}}"#),
        )
        .gets(ok(record! {}), reply("SendMessage", r#""error_code":"""#))
        .gets(error("not_logged_in"), reply("SendMessage", r#""error_code":"Invalid Token""#))
        .gets(error("no_such_user"), reply("SendMessage", r#""error_code":"Invalid Recipient""#));
    let end = line(r#"{"method":"DeliverMessages","status":"OK","end":true}"#);
    let item = |text: &str| reply("DeliverMessages", &format!(r#""message":"{text}","error_code":"""#));
    alice
        .asks(
            "deliver_messages",
            record! {},
            line(r#"{"method":"DeliverMessages","request":{"version":1,"token":"0f1e2d3c4b5a69788796a5b4c3d2e1","username":"alice"}}"#),
        )
        .gets(ok(record! {messages: messages(&[])}), &end)
        .hears(
            ok(record! {messages: messages(&[])}),
            [reply("DeliverMessages", r#""message":"","error_code":"No new message""#), end.clone()].concat(),
        )
        .gets(
            ok(record! {messages: messages(&[("bob", "hi"), ("zoë", "ho")])}),
            [item("[bob]: hi"), item("[zoë]: ho"), end.clone()].concat(),
        )
        .gets(
            error("not_logged_in"),
            line(r#"{"method":"DeliverMessages","status":"OK","reply":{"version":1,"error_code":"Invalid Token"},"end":true}"#),
        )
        .hears(error("not_logged_in"), reply("DeliverMessages", r#""message":"","error_code":"Invalid Token""#));
    alice
        .asks(
            "delete_account",
            record! {},
            line(r#"{"method":"DeleteAccount","request":{"version":1,"token":"0f1e2d3c4b5a69788796a5b4c3d2e1","username":"alice"}}"#),
        )
        .gets(ok(record! {}), reply("DeleteAccount", r#""error_code":"""#))
        .gets(error("not_logged_in"), reply("DeleteAccount", r#""error_code":"Invalid token""#));
}

#[test]
fn the_protocol_over_grpc_names_its_errors() {
    let alice = alice_on("framed-grpc");
    alice
        .asks("hello", record! {client: "x"}, line(r#"{"method":"Hello","request":{"client":"x"}}"#))
        .gets(
            ok(record! {server: "s", capabilities: names(&["push"]), is_primary: true, primary: ""}),
            line(r#"{"method":"Hello","status":"OK","reply":{"server":"s","capabilities":["push"],"is_primary":true,"primary":""}}"#),
        );
    alice
        .asks("ping", record! {nonce: u64::MAX}, line(r#"{"method":"Ping","request":{"nonce":18446744073709551615}}"#))
        .gets(
            ok(record! {nonce: u64::MAX}),
            line(r#"{"method":"Ping","status":"OK","reply":{"nonce":18446744073709551615}}"#),
        );
    alice
        .asks(
            "log_in",
            record! {username: "alice", password: "w", take_over: true},
            line(r#"{"method":"LogIn","request":{"username":"alice","password":"w","take_over":true}}"#),
        )
        .gets(
            ok(record! {token: vec![0xff, 0x00, 0x10], expires_in_s: 3600, waiting: 2}),
            line(r#"{"method":"LogIn","status":"OK","reply":{"token":"/wAQ","expires_in_s":3600,"waiting":2}}"#),
        )
        .gets(error("bad_credentials"), line(r#"{"status":"UNAUTHENTICATED","detail":"bad_credentials: so it is"}"#));
    alice
        .asks(
            "send_message",
            record! {recipient: "bob", text: "hi", key: vec![7; 3]},
            line(r#"{"method":"SendMessage","request":{"recipient":"bob","text":"hi","key":"BwcH"}}"#),
        )
        .gets(
            ok(record! {message_id: 3, delivered: false}),
            line(r#"{"method":"SendMessage","status":"OK","reply":{"message_id":3,"delivered":false}}"#),
        )
        .gets(error("not_primary"), line(r#"{"status":"FAILED_PRECONDITION","detail":"not_primary: so it is"}"#))
        .gets(error("not_logged_in"), line(r#"{"status":"UNAUTHENTICATED","detail":"not_logged_in: so it is"}"#))
        .hears(
            error("unknown_operation"),
            line(r#"{"method":"SendMessage","status":"UNIMPLEMENTED","detail":"","reply":{}}"#),
        )
        .hears(
            error("frame_too_large"),
            line(r#"{"method":"SendMessage","status":"RESOURCE_EXHAUSTED","detail":"too big","reply":{}}"#),
        );
    alice.listens(line(r#"{"method":"Listen","request":{}}"#));
    alice.is_told(
        "bob",
        "hi",
        line(r#"{"method":"Listen","status":"OK","reply":{"message_id":1,"sender":"bob","text":"hi","sent_at":2}}"#),
    );
}

#[test]
fn every_error_of_the_protocol_is_told_apart() {
    let alice = alice_on("framed-grpc");
    for name in spec::message::ErrorName::ALL {
        assert!(alice.wire.tells_error("ping", name.name()), "{name}");
    }
}

#[test]
fn a_call_is_told_by_its_members_and_never_in_bytes_that_nobody_said() {
    let dialect = spec::Spec::embedded().dialect("framed-grpc").expect("it is embedded");
    let said = r#"{"method":"SendMessage","request":{"recipient":"bob","text":"h\u00e9"}}"#;
    assert_eq!(
        dialect.annotate_request(line(said).as_bytes()).to_string(),
        "method: SendMessage\nrequest.recipient: \"bob\"\nrequest.text: \"hé\"\n"
    );
    let heard = |said: &str| dialect.annotate_answer(line(said).as_bytes(), None).to_string();
    assert_eq!(
        heard(r#"{"method":"LogIn","status":"NOT_FOUND","detail":"no \"bob\"","reply":{}}"#),
        "method: LogIn\nstatus: NOT_FOUND\ndetail: \"no \\\"bob\\\"\"\nreply: {}\n"
    );
    let text = "x".repeat(1_000);
    let long = heard(&format!(r#"{{"method":"Listen","status":"OK","detail":"","reply":{{"text":"{text}"}}}}"#));
    assert!(long.starts_with("method: Listen\nstatus: OK\nreply.text: \"xxx") && long.ends_with("xxx… (1002 bytes)\n"));
    assert!(heard("no call").contains("6e 6f 20"), "bytes, where there is nothing else");
}
