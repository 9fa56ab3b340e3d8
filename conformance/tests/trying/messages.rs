//! A gRPC dialect and the messages of its service: what does not fit is a mistake of the dialect, and accuses nobody.

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use tempfile::TempDir;

use super::{conformance, folder};

/// The protocol's own wire over gRPC, with words of it, and of its messages, replaced by others.
fn wire(in_dialect: &[(&str, &str)], in_proto: &[(&str, &str)]) -> TempDir {
    let here = folder();
    let replaced = |text: &str, pairs: &[(&str, &str)]| {
        pairs.iter().fold(text.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        })
    };
    let dialect = include_str!("../../../spec/protocol/dialects/framed-grpc.yaml").replace("../../proto/", "");
    let proto = include_str!("../../../spec/proto/chat.proto");
    std::fs::write(here.path().join("wire.yaml"), replaced(&dialect, in_dialect)).expect("there is room");
    std::fs::write(here.path().join("chat.proto"), replaced(proto, in_proto)).expect("there is room");
    here
}

/// The one mistake that is drawn, and where.
#[track_caller]
fn draws(in_dialect: (&str, &str), in_proto: &[(&str, &str)], words: &[&str]) {
    let here = wire(&[in_dialect], in_proto);
    let asserted = conformance(here.path(), &["run", "127.0.0.1:1", "--dialect", "wire.yaml"]).code(4);
    let told = String::from_utf8_lossy(&asserted.get_output().stderr).into_owned();
    assert!(told.ends_with("1 mistake\n"), "{told}");
    assert!(words.iter().all(|words| told.contains(words)), "{words:?} in\n{told}");
}

#[test]
fn what_does_not_fit_is_drawn_once_by_check_in_a_dialect_and_in_its_target() {
    let here = wire(&[("reply: {usernames:", "reply: {accounts:")], &[]);
    std::fs::write(here.path().join("mine.yaml"), "target: mine\ndialect: wire.yaml\naddress: 127.0.0.1:1\n").unwrap();
    for files in [&["wire.yaml"][..], &["mine.yaml", "wire.yaml"]] {
        let told = conformance(here.path(), &[&["check"], files].concat()).code(4);
        told.stderr(contains("has no field `accounts`").count(1).and(contains("1 mistake\n")));
    }
}

#[test]
fn a_method_that_the_service_lacks_is_a_mistake() {
    draws(
        ("say:  {method: SendMessage", "say:  {method: SendMessages"),
        &[],
        &[
            "the service chat.v1.Chat has no method `SendMessages`",
            "did you mean `SendMessage`?",
            "SendMessages, request",
        ],
    );
}

#[test]
fn a_method_that_takes_a_stream_is_a_mistake_wherever_it_is_named() {
    let here = wire(&[], &[("rpc LogOut(LogOutRequest)", "rpc LogOut(stream LogOutRequest)")]);
    let words = "`LogOut` takes a stream of requests, which a dialect cannot say";
    conformance(here.path(), &["run", "127.0.0.1:1", "--dialect", "wire.yaml"])
        .code(4)
        .stderr(contains(words).count(2).and(contains("2 mistakes")));
}

#[test]
fn a_field_that_the_message_lacks_is_a_mistake_in_either_direction_and_in_rows() {
    draws(
        (
            "request: {username: \"{username}\", password: \"{password}\"}}",
            "request: {usrname: \"{username}\", password: \"{password}\"}}",
        ),
        &[],
        &["the message chat.v1.CreateAccountRequest has no field `usrname`", "did you mean `username`?"],
    );
    draws(
        ("reply: {usernames:", "reply: {accounts:"),
        &[],
        &["the message chat.v1.ListAccountsResponse has no field `accounts`", "wire.yaml:"],
    );
    draws(
        (
            "  message: {message_id: \"{message_id}\", sender: \"{sender}\"",
            "  message: {message_id: \"{message_id}\", from: \"{sender}\"",
        ),
        &[],
        &["the message chat.v1.Message has no field `from`", "wire.yaml:12:41"],
    );
    draws(
        ("ok: {method: Ping, reply: {nonce:", "ok: {reply: {number:"),
        &[],
        &["the message chat.v1.PingResponse has no field `number`"],
    );
}

#[test]
fn a_value_of_another_type_is_a_mistake() {
    draws(
        ("request: {nonce: \"{nonce}\"}", "request: {nonce: \"no. {nonce}\"}"),
        &[],
        &["`nonce` is a number in the .proto, and here stands a text"],
    );
    draws(
        ("request: {nonce: \"{nonce}\"}", "request: {nonce: \"{nonce: int}\"}"),
        &[("message PingRequest {\n", "message PingRequest {\n  string name = 9;\n"), ("uint64 nonce", "string nonce")],
        &["`nonce` is a text in the .proto, and here stands a number", "with text around it"],
    );
    draws(
        ("{token: \"{token: bytes as base64}\", expires", "{token: \"{token: hex}\", expires"),
        &[],
        &["`token` is bytes in the .proto, and here stands a text", "as base64"],
    );
    draws(
        ("{usernames: \"{usernames: list of text}\"", "{usernames: \"{usernames: list of text joined by ', '}\""),
        &[],
        &["`usernames` is a list in the .proto, and here stands a text"],
    );
    draws(
        (
            "reply: {message_id: \"{message_id}\", delivered: \"{delivered}\"}",
            "reply: {message_id: \"{message_id}\", delivered: 1}",
        ),
        &[],
        &["`delivered` is true or false in the .proto, and here stands `1`"],
    );
}

#[test]
fn an_enum_is_heard_by_its_name() {
    let with_enum = [(
        "message LogOutResponse {}",
        "enum Done { NOT_YET = 0; ENDED = 1; }\nmessage LogOutResponse { Done done = 1; }",
    )];
    let right = wire(&[("ok: {method: LogOut, reply: {}}", "ok: {method: LogOut, reply: {done: ENDED}}")], &with_enum);
    conformance(right.path(), &["check", "wire.yaml"]).code(0);
    for wrong in ["1", "END"] {
        let to = format!("ok: {{method: LogOut, reply: {{done: {wrong}}}}}");
        let words = format!("the enum of `done` has no name `{wrong}`");
        draws(("ok: {method: LogOut, reply: {}}", &to), &with_enum, &[&words]);
    }
}

#[test]
fn a_status_that_grpc_lacks_is_a_mistake() {
    draws(
        ("{status: OUT_OF_RANGE,", "{status: OUT_OF_RANG,"),
        &[],
        &["gRPC has no status `OUT_OF_RANG`", "did you mean `OUT_OF_RANGE`?"],
    );
}

#[test]
fn a_proto_that_is_not_there_or_wrong_is_a_mistake_where_it_is() {
    draws(("proto: chat.proto", "proto: chat.prot"), &[], &["cannot read chat.prot", "proto: chat.prot\n"]);
    draws(("fence: ping", "fence: ping"), &[("message Message {", "mesage Message {")], &["--> chat.proto:"]);
    draws(("service: chat.v1.Chat", "service: chat.v1.Chap"), &[], &["did you mean `chat.v1.Chat`?", "wire.yaml:7:10"]);
}

#[test]
fn where_the_server_tells_its_messages_the_run_ends_with_the_mistake() {
    let here = wire(&[("proto: chat.proto\n", ""), ("reply: {usernames:", "reply: {accounts:")], &[]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("there is a thread");
    let spec = std::sync::Arc::new(spec::Spec::embedded().clone());
    let dialect = spec.dialect("framed-grpc").expect("it is embedded");
    let starter = conformance::target::embedded(&spec, &dialect).expect("it is built");
    let options = conformance::target::ServerOptions::new();
    let server = runtime.block_on(starter.start(&options)).unwrap_or_else(|error| panic!("{error}"));
    let run = ["run", &server.address(), "--dialect", "wire.yaml", "--case", "accounts"];
    conformance(here.path(), &run)
        .code(3)
        .stdout(contains("has no field `accounts`").and(contains("0 passed, 0 failed")));
}

#[test]
fn a_call_that_never_left_the_suite_accuses_nobody() {
    // Larger numbers than this field holds are asked for.
    let here = wire(&[], &[("uint64 nonce", "int32 nonce")]);
    let case = ["run", "reference", "--dialect", "wire.yaml", "--case", "ping"];
    conformance(here.path(), &case).code(3).stdout(
        contains("the request never left the suite").and(contains(" 0 failed")).and(contains("at fault   suite")),
    );
}
