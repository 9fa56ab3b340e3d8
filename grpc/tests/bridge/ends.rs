//! How a connection ends, from either side.

use serde_json::json;

use crate::party::client_and_server;

#[tokio::test]
async fn a_client_that_leaves_is_the_end_of_the_servers_stream() {
    let (client, mut server) = client_and_server().await;
    drop(client);
    server.hears_the_end().await;
}

#[tokio::test]
async fn what_a_client_said_before_it_left_is_heard() {
    let (mut client, mut server) = client_and_server().await;
    client.say(json!({"method": "Logout", "request": {"username": "alice"}})).await;
    drop(client);
    assert_eq!(server.hear().await["method"], "Logout");
    server.say(json!({})).await;
    server.hears_the_end().await;
}

#[tokio::test]
async fn a_client_that_has_no_more_calls_hears_the_answers_and_then_the_end() {
    let (mut client, mut server) = client_and_server().await;
    client.say(json!({"method": "ChatStream"})).await;
    client.say(json!({"method": "Login"})).await;
    client.say(json!({"method": "Logout"})).await;
    client.finish().await;
    for method in ["ChatStream", "Login", "Logout"] {
        assert_eq!(server.hear().await["method"], method);
        if method != "ChatStream" {
            server.say(json!({"reply": {"username": method}})).await;
        }
    }
    assert_eq!(client.hear().await["reply"]["username"], "Login");
    assert_eq!(client.hear().await["reply"]["username"], "Logout");
    client.hears_the_end().await;
    server.hears_the_end().await;
}

#[tokio::test]
async fn a_server_that_ends_delivers_what_it_said_and_fails_the_rest() {
    let (mut client, mut server) = client_and_server().await;
    client.say(json!({"method": "ChatStream"})).await;
    client.say(json!({"method": "Login"})).await;
    server.hear().await;
    server.hear().await;
    server.say(json!({"method": "ChatStream", "reply": {"message": "the last"}})).await;
    server.finish().await;
    assert_eq!(client.hear().await["reply"]["message"], "the last");
    let mut failed = [client.hear().await, client.hear().await];
    failed.sort_by_key(|line| line["method"].to_string());
    for (line, method) in failed.iter().zip(["ChatStream", "Login"]) {
        let detail = "the server has ended the connection";
        assert_eq!(*line, json!({"method": method, "status": "UNAVAILABLE", "detail": detail, "reply": {}}));
    }
    client.hears_the_end().await;
    server.hears_the_end().await;
}

#[tokio::test]
async fn an_idle_connection_ends_with_its_server() {
    let (mut client, server) = client_and_server().await;
    drop(server);
    client.hears_the_end().await;
}

/// Whether the call was answered is unknown, and nothing pretends to know.
#[tokio::test]
async fn a_lost_connection_is_an_end_and_no_answer() {
    let (mut client, mut server) = client_and_server().await;
    client.say(json!({"method": "ChatStream"})).await;
    client.say(json!({"method": "Login"})).await;
    server.hear().await;
    server.hear().await;
    drop(server.into_stream().into_connection().expect("it is open"));
    client.hears_the_end().await;
}

#[tokio::test]
async fn a_client_that_is_cut_off_is_the_end_of_the_servers_stream() {
    let (mut client, mut server) = client_and_server().await;
    client.say(json!({"method": "ChatStream"})).await;
    server.hear().await;
    drop(client.into_stream().into_connection().expect("it is open"));
    server.hears_the_end().await;
}
