//! Calls with one answer.

use serde_json::json;

use crate::party::{House, client_and_server, schema};

#[tokio::test]
async fn a_call_is_heard_and_its_answer_comes_back() {
    let (mut client, mut server) = client_and_server().await;
    client
        .say(json!({"method": "SendMessage", "request": {"username": "a", "recip_username": "b", "message": "ü\n\"|"}}))
        .await;
    assert_eq!(
        server.hear().await,
        json!({"method": "SendMessage", "request": {"username": "a", "recip_username": "b", "message": "ü\n\"|"}})
    );
    server.say(json!({"reply": {"status": 1}})).await;
    assert_eq!(
        client.hear().await,
        json!({"method": "SendMessage", "status": "OK", "detail": "", "reply": {"status": 1}})
    );
}

#[tokio::test]
async fn what_is_not_said_is_heard_with_its_default() {
    let house = House::of(&schema("001-grpc")).await;
    let (mut client, mut server) = house.pair().await;
    client.say(json!({"method": "ListAccounts"})).await;
    let request = json!({"version": 0, "token": "", "username": "", "number": 0, "regex": ""});
    assert_eq!(server.hear().await, json!({"method": "ListAccounts", "request": request}));
    server.say(json!({"reply": {"names": "a, b"}})).await;
    let reply = json!({"version": 0, "error_code": "", "names": "a, b"});
    assert_eq!(client.hear().await, json!({"method": "ListAccounts", "status": "OK", "detail": "", "reply": reply}));
}

#[tokio::test]
async fn a_failure_keeps_its_status_and_its_detail() {
    let (mut client, mut server) = client_and_server().await;
    client.say(json!({"method": "Login", "request": {"username": "nobody"}})).await;
    server.hear().await;
    server.say(json!({"status": "NOT_FOUND", "detail": "kein Nutzer „nobody“\n%"})).await;
    assert_eq!(
        client.hear().await,
        json!({"method": "Login", "status": "NOT_FOUND", "detail": "kein Nutzer „nobody“\n%", "reply": {}})
    );
}

#[tokio::test]
async fn answers_keep_the_order_of_the_calls() {
    let (mut client, mut server) = client_and_server().await;
    let names: Vec<String> = (0..50).map(|number| format!("u{number}")).collect();
    for name in &names {
        client.say(json!({"method": "CreateAccount", "request": {"username": name}})).await;
    }
    for name in &names {
        assert_eq!(server.hear().await["request"]["username"], json!(name));
        server.say(json!({"reply": {"username": name}})).await;
    }
    for name in &names {
        assert_eq!(client.hear().await["reply"]["username"], json!(name));
    }
}

/// Two connections, two calls under way, answered in the opposite order: neither hears the other's.
#[tokio::test]
async fn two_clients_have_a_connection_each() {
    let house = House::of(&schema("000-grpc")).await;
    let (mut alice, mut server_of_alice) = house.pair().await;
    let (mut bob, mut server_of_bob) = house.pair().await;
    alice.say(json!({"method": "Login", "request": {"username": "alice"}})).await;
    bob.say(json!({"method": "Login", "request": {"username": "bob"}})).await;
    assert_eq!(server_of_bob.hear().await["request"]["username"], "bob");
    assert_eq!(server_of_alice.hear().await["request"]["username"], "alice");
    server_of_bob.say(json!({"reply": {"username": "bob"}})).await;
    server_of_alice.say(json!({"reply": {"username": "alice"}})).await;
    assert_eq!(bob.hear().await["reply"]["username"], "bob");
    assert_eq!(alice.hear().await["reply"]["username"], "alice");
}

#[tokio::test]
async fn a_message_of_a_megabyte_passes() {
    let (mut client, mut server) = client_and_server().await;
    let text = "\u{1}x".repeat(500_000);
    let serving = async {
        assert_eq!(server.hear().await["request"]["message"], json!(text));
        server.say(json!({"reply": {}})).await;
    };
    let calling = async {
        client.say(json!({"method": "SendMessage", "request": {"message": text}})).await;
        assert_eq!(client.hear().await["reply"], json!({"status": 0}));
    };
    tokio::join!(serving, calling);
}
