//! Lines that are wrong, and peers that are.

use std::io::ErrorKind;
use std::sync::Arc;

use grpc::{Bridge, GrpcStream, Schema};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};

use crate::party::{House, Party, client_and_server, schema};

/// What a client hears of a call that is answered with this line, and that the connection goes on.
async fn check_answer(line: &str, status: &str, words: &str) {
    let (mut client, mut server) = client_and_server().await;
    client.say(json!({"method": "Login", "request": {}})).await;
    server.hear().await;
    server.say_text(line).await;
    let heard = client.hear().await;
    assert_eq!((&heard["method"], &heard["status"]), (&json!("Login"), &json!(status)), "{heard}");
    assert!(heard["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{heard}");
    client.say(json!({"method": "Logout"})).await;
    assert_eq!(server.hear().await["method"], "Logout");
}

/// What a client hears of a line, and that its next call is made.
async fn check_call(line: &str, method: &str, words: &str) {
    let (mut client, mut server) = client_and_server().await;
    client.say_text(line).await;
    let heard = client.hear().await;
    assert_eq!((&heard["method"], &heard["status"]), (&json!(method), &json!("UNSENT")), "{heard}");
    assert_eq!(heard["reply"], json!({}));
    assert!(heard["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{heard}");
    client.say(json!({"method": "Logout"})).await;
    assert_eq!(server.hear().await["method"], "Logout");
}

#[tokio::test]
async fn a_call_that_cannot_be_made_is_answered_by_nobody_and_the_line_says_so() {
    check_call("hello", "", "not a line of this bridge").await;
    check_call("", "", "not a line of this bridge").await;
    check_call(r#"{"request": {}}"#, "", "method").await;
    check_call(r#"{"method": "Log_in"}"#, "Log_in", "no method 'Log_in'").await;
    check_call(r#"{"method": "Login", "request": {"user": "a"}}"#, "Login", "user").await;
    check_call(r#"{"method": "Login", "request": {"username": 7}}"#, "Login", "User").await;
    check_call(&"x".repeat(16 * 1024 * 1024 + 1), "", "bytes").await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_sent_is_an_internal_failure_with_the_reason() {
    check_answer("hello", "INTERNAL", "not a line of this bridge").await;
    check_answer(r#"{"status": "Ok"}"#, "INTERNAL", "'Ok', which is no status").await;
    check_answer(r#"{"reply": {"status": 1}}"#, "INTERNAL", "status").await;
    check_answer(r#"{"method": "Log", "reply": {}}"#, "INTERNAL", "'Log', which the schema lacks").await;
}

#[tokio::test]
async fn an_answer_for_which_nobody_waits_is_dropped() {
    let (mut client, mut server) = client_and_server().await;
    server.say(json!({"reply": {"username": "early"}})).await;
    server.say(json!({"method": "Login", "end": true})).await;
    server.say(json!({"method": "ChatStream", "end": true})).await;
    client.say(json!({"method": "Login"})).await;
    server.hear().await;
    server.say(json!({"method": "Logout", "reply": {"username": "another's"}})).await;
    server.say(json!({"method": "Login", "reply": {"username": "in time"}})).await;
    assert_eq!(client.hear().await["reply"]["username"], "in time");
}

#[tokio::test]
async fn a_method_that_the_server_lacks_is_unimplemented() {
    let house = House::of(&schema("000-grpc")).await;
    let (mut client, _server) = house.pair_through(&Bridge::new(schema("001-grpc"))).await;
    client.say(json!({"method": "Login"})).await;
    let heard = client.hear().await;
    assert_eq!(heard["status"], "UNIMPLEMENTED");
    assert_eq!(heard["detail"], "no method at /helloworld.ChatServer/Login");
}

/// Both know the method by name, and mean other messages by it: a text where a number should be.
#[tokio::test]
async fn bytes_that_are_no_message_of_the_schema_are_an_internal_failure() {
    let text = "syntax = \"proto3\"; package chatservice; message User { repeated fixed64 username = 1; }
        service ChatServer { rpc Login(User) returns (User); }";
    let other = Arc::new(Schema::parse("other.proto", text).expect("it is right"));
    let house = House::of(&schema("000-grpc")).await;
    let (mut client, mut server) = house.pair_through(&Bridge::new(other)).await;
    client.say(json!({"method": "Login", "request": {"username": ["18446744073709551615"]}})).await;
    let heard = client.hear().await;
    assert_eq!((&heard["status"], &heard["reply"]), (&json!("INTERNAL"), &json!({})), "the server cannot read it");
    client.say(json!({"method": "Login"})).await;
    server.hear().await;
    server.say(json!({"reply": {"username": "five5"}})).await;
    let heard = client.hear().await;
    assert_eq!(heard["status"], "INTERNAL", "the client cannot read it");
    assert!(heard["detail"].as_str().is_some_and(|detail| detail.contains("chatservice.User")), "{heard}");
}

async fn opened_with(first: Option<&[u8]>) -> ErrorKind {
    let (near, mut far) = duplex(1024);
    let peer = async {
        if let Some(bytes) = first {
            far.write_all(bytes).await.expect("it is open");
        }
        let mut read = [0; 64];
        while far.read(&mut read).await.is_ok_and(|count| count > 0) {}
    };
    let bridge = Bridge::new(schema("000-grpc"));
    let (opened, ()) = tokio::join!(bridge.open(near, "nobody:1"), peer);
    opened.expect_err("it is no server of gRPC").kind()
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_speak_http2_is_an_error_of_connecting() {
    assert_eq!(opened_with(Some(b"HTTP/1.1 400 Bad Request\r\n\r\n")).await, ErrorKind::InvalidData);
    assert_eq!(opened_with(Some(b"\0\0\0\x04")).await, ErrorKind::TimedOut);
    assert_eq!(opened_with(None).await, ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_peer_that_ends_the_connection_at_once_is_an_error_of_connecting() {
    let (near, far) = duplex(1024);
    drop(far);
    let opened = Bridge::new(schema("000-grpc")).open(near, "nobody:1").await;
    assert!(opened.is_err());
}

#[tokio::test]
async fn a_peer_that_echoes_is_an_error_of_connecting() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address is free");
    let address = listener.local_addr().expect("it is bound").to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("somebody comes");
        let (mut reader, mut writer) = stream.split();
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
    });
    let connection = TcpStream::connect(&address).await.expect("somebody listens");
    let opened = Bridge::new(schema("000-grpc")).open(connection, &address).await;
    assert_eq!(opened.expect_err("an echo is no server").to_string(), "the peer does not speak HTTP/2");
}

#[tokio::test]
async fn a_client_that_does_not_speak_http2_is_one_that_leaves() {
    let house = House::of(&schema("000-grpc")).await;
    let (client, server) = tokio::join!(TcpStream::connect(house.address()), house.accept());
    let (mut client, mut server) = (Party::of(client.expect("somebody listens")), server);
    client.say_text("GET / HTTP/1.1\r\nHost: here\r\n\r").await;
    server.hears_the_end().await;
}

/// HTTP/2, and another answer to every request than gRPC's.
async fn client_of_a_web_server(page: Result<http::Response<String>, &'static str>) -> Party<GrpcStream<DuplexStream>> {
    let (near, far) = duplex(1024);
    tokio::spawn(async move {
        let service = service_fn(move |_: http::Request<hyper::body::Incoming>| std::future::ready(page.clone()));
        let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder.serve_connection(TokioIo::new(far), service).await
    });
    let opened = Bridge::new(schema("000-grpc")).open(near, "nobody:1").await;
    Party::of(opened.expect("it speaks HTTP/2"))
}

async fn check_web_server(page: Result<http::Response<String>, &'static str>, words: &str) {
    let mut client = client_of_a_web_server(page).await;
    for method in ["Login", "ChatStream"] {
        client.say(json!({"method": method})).await;
        let heard = client.hear().await;
        assert_eq!((&heard["method"], &heard["status"]), (&json!(method), &json!("INTERNAL")), "{heard}");
        assert!(heard["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{heard}");
    }
}

#[tokio::test]
async fn a_web_server_is_no_service() {
    let page = http::Response::builder().status(404).body("no such page".to_owned());
    check_web_server(Ok(page.expect("it is one")), "404 Not Found").await;
}

#[tokio::test]
async fn a_call_that_is_reset_fails_and_the_connection_goes_on() {
    check_web_server(Err("reset, please"), "the call was reset").await;
}
