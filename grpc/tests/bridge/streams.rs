//! Calls that are answered with a stream.

use serde_json::{Value, json};

use crate::party::{House, Party, client_and_server, schema};

async fn with_open_stream() -> (Party, Party) {
    let (mut client, mut server) = client_and_server().await;
    client.say(json!({"method": "ChatStream", "request": {"username": "bob"}})).await;
    assert_eq!(server.hear().await, json!({"method": "ChatStream", "request": {"username": "bob"}}));
    (client, server)
}

fn event(text: &str) -> Value {
    json!({"method": "ChatStream", "reply": {"username": "alice", "recip_username": "bob", "message": text}})
}

fn heard(text: &str) -> Value {
    let reply = json!({"username": "alice", "recip_username": "bob", "message": text});
    json!({"method": "ChatStream", "status": "OK", "detail": "", "reply": reply})
}

#[tokio::test]
async fn a_stream_brings_its_items_and_its_end() {
    let (mut client, mut server) = with_open_stream().await;
    for text in ["one", "two"] {
        server.say(event(text)).await;
        assert_eq!(client.hear().await, heard(text));
    }
    server.say(json!({"method": "ChatStream", "end": true})).await;
    assert_eq!(client.hear().await, json!({"method": "ChatStream", "status": "OK", "detail": "", "end": true}));
}

#[tokio::test]
async fn the_last_item_may_be_the_end() {
    let house = House::of(&schema("001-grpc")).await;
    let (mut client, mut server) = house.pair().await;
    client.say(json!({"method": "DeliverMessages", "request": {"username": "bob"}})).await;
    server.hear().await;
    server.say(json!({"method": "DeliverMessages", "reply": {"message": "[a]: hi"}, "end": true})).await;
    let reply = json!({"version": 0, "message": "[a]: hi", "error_code": ""});
    assert_eq!(client.hear().await, json!({"method": "DeliverMessages", "status": "OK", "detail": "", "reply": reply}));
    assert_eq!(client.hear().await["end"], true);
}

#[tokio::test]
async fn a_failure_ends_a_stream() {
    let (mut client, mut server) = with_open_stream().await;
    server.say(json!({"method": "ChatStream", "status": "PERMISSION_DENIED", "detail": "log in first"})).await;
    let failure = json!({"method": "ChatStream", "status": "PERMISSION_DENIED", "detail": "log in first", "reply": {}});
    assert_eq!(client.hear().await, failure);
}

#[tokio::test]
async fn a_failure_without_a_method_ends_the_stream_if_no_unary_call_waits() {
    let (mut client, mut server) = with_open_stream().await;
    server.say(json!({"status": "UNAUTHENTICATED"})).await;
    assert_eq!(client.hear().await["status"], "UNAUTHENTICATED");
}

/// The stream's items stand between the answers of unary calls, in the order in which the server said both.
#[tokio::test]
async fn a_stream_runs_beside_unary_calls() {
    let (mut client, mut server) = with_open_stream().await;
    for round in 0..10 {
        let text = format!("{round}");
        client.say(json!({"method": "Login", "request": {"username": text}})).await;
        assert_eq!(server.hear().await["request"]["username"], json!(text));
        server.say(event(&text)).await;
        assert_eq!(client.hear().await, heard(&text));
        server.say(json!({"reply": {"username": text}})).await;
        assert_eq!(client.hear().await["reply"], json!({"username": text}));
    }
}

#[tokio::test]
async fn a_failure_without_a_method_is_a_waiting_unary_calls() {
    let (mut client, mut server) = with_open_stream().await;
    client.say(json!({"method": "Logout"})).await;
    server.hear().await;
    server.say(json!({"status": "ABORTED"})).await;
    assert_eq!(client.hear().await["method"], "Logout");
}

#[tokio::test]
async fn an_item_of_a_stream_that_nobody_opened_is_dropped() {
    let (mut client, mut server) = client_and_server().await;
    server.say(event("early")).await;
    client.say(json!({"method": "ChatStream"})).await;
    server.hear().await;
    server.say(event("in time")).await;
    assert_eq!(client.hear().await, heard("in time"));
}

/// The client reads nothing until the server has said all that goes in, and then as fast as it can.
#[tokio::test]
async fn a_reader_that_is_slow_stops_the_stream_and_loses_nothing() {
    const ITEMS: usize = 3000;
    let (mut client, mut server) = with_open_stream().await;
    let long = "x".repeat(1000);
    let (said, mut heard_so_far) = tokio::sync::watch::channel(0);
    let saying = async {
        for number in 0..ITEMS {
            server.say(event(&format!("{number} {long}"))).await;
            said.send_replace(number);
        }
    };
    let hearing = async {
        heard_so_far.wait_for(|number| *number > 10).await.expect("the server speaks");
        for number in 0..ITEMS {
            assert_eq!(client.hear().await, heard(&format!("{number} {long}")));
        }
    };
    tokio::join!(saying, hearing);
}
