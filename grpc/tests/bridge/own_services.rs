//! What a server answers by itself: health and reflection; and what a client learns from them.

use std::sync::Arc;

use grpc::{Bridge, Schema};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost_reflect::prost_types::FileDescriptorSet;
use serde_json::json;
use tokio::net::TcpListener;

use crate::party::{House, schema};

const HEALTH: &str = "syntax = \"proto3\"; package grpc.health.v1;
    message HealthCheckRequest { string service = 1; }
    message HealthCheckResponse { enum ServingStatus { UNKNOWN = 0; SERVING = 1; NOT_SERVING = 2; } ServingStatus status = 1; }
    service Health { rpc Check(HealthCheckRequest) returns (HealthCheckResponse); }";

#[tokio::test]
async fn health_is_serving() {
    let house = House::of(&schema("000-grpc")).await;
    let health = Arc::new(Schema::parse("health.proto", HEALTH).expect("it is right"));
    let (mut client, _server) = house.pair_through(&Bridge::new(health)).await;
    for service in ["", "chatservice.ChatServer"] {
        client.say(json!({"method": "Check", "request": {"service": service}})).await;
        assert_eq!(client.hear().await["reply"], json!({"status": "SERVING"}), "{service}");
    }
    client.say(json!({"method": "Check", "request": {"service": "nothing"}})).await;
    assert_eq!(client.hear().await["status"], "NOT_FOUND");
}

#[tokio::test]
async fn reflection_finds_the_schema() {
    for dialect in ["000-grpc", "001-grpc"] {
        let written = schema(dialect);
        let house = House::of(&written).await;
        let address = house.address();
        let (asked, _server) = tokio::join!(Schema::by_reflection(&address), house.accept());
        let asked = asked.expect("it tells its schema");
        assert_eq!(asked.methods(), written.methods());
        assert_eq!(asked.services().collect::<Vec<_>>(), written.services().collect::<Vec<_>>());

        let (mut client, mut server) = house.pair_through(&Bridge::new(Arc::new(asked))).await;
        client.say(json!({"method": "Login", "request": {"username": "alice"}})).await;
        assert_eq!(server.hear().await["request"]["username"], "alice");
    }
}

#[tokio::test]
async fn reflection_brings_imported_files() {
    let text = "syntax = \"proto3\"; package p; import \"google/protobuf/timestamp.proto\";
        service Clock { rpc Now(google.protobuf.Timestamp) returns (google.protobuf.Timestamp); }";
    let house = House::of(&Arc::new(Schema::parse("clock.proto", text).expect("it is right"))).await;
    let address = house.address();
    let (asked, _server) = tokio::join!(Schema::by_reflection(&address), house.accept());
    assert_eq!(asked.expect("it tells its schema").methods(), [("Now".to_owned(), false)].into());
}

/// The server knows the older version of the protocol alone.
#[tokio::test]
async fn reflection_is_asked_in_its_older_version_too() {
    let text = "syntax = \"proto3\"; package old; message M {} service Service { rpc Ask(M) returns (stream M); }";
    let file = protox::file::File::from_source("old.proto", text).expect("it is right");
    let files = FileDescriptorSet { file: vec![file.file_descriptor_proto().clone()] };
    let old = tonic_reflection::server::Builder::configure().register_file_descriptor_set(files);
    let old = old.build_v1alpha().expect("it is right");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address is free");
    let address = listener.local_addr().expect("it is bound").to_string();
    tokio::spawn(async move {
        let (connection, _) = listener.accept().await.expect("somebody comes");
        let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let mut old = old.clone();
            async move {
                if request.uri().path().starts_with("/grpc.reflection.v1alpha.") {
                    tower_service::Service::call(&mut old, request).await
                } else {
                    Ok(tonic::Status::unimplemented("it is old").into_http())
                }
            }
        });
        let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder.serve_connection(TokioIo::new(connection), service).await
    });
    let asked = Schema::by_reflection(&address).await.expect("it tells its schema");
    assert_eq!(asked.methods(), [("Ask".to_owned(), true)].into());
}

#[tokio::test]
async fn a_server_that_is_not_there_has_no_schema() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address is free");
    let address = listener.local_addr().expect("it is bound").to_string();
    drop(listener);
    assert!(Schema::by_reflection(&address).await.is_err());
}
