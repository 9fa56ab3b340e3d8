//! The command as scripts see it: help, usage, exit codes, and servers that are no servers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;
use tokio::net::TcpSocket;

fn reference_client(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reference-client"));
    command.env_remove("CHAT_SERVER").env_remove("CHAT_USER").env_remove("CHAT_PASSWORD").args(arguments);
    command
}

/// Whoever connects to this is told so many bytes once something was asked, and nothing more.
fn impostor(says: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(says);
            // Until the client goes.
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    address
}

#[test]
fn help_names_every_command_and_exit_code() {
    let mut help = reference_client(&["--help"]).assert().code(0);
    for word in [
        "hello",
        "ping",
        "create",
        "list",
        "send",
        "deliver",
        "listen",
        "delete",
        "log-in",
        "resume",
        "log-out",
        "Exit codes:",
        "CHAT_SERVER",
        "127.0.0.1:6262",
    ] {
        help = help.stdout(contains(word));
    }
}

#[test]
fn what_is_not_understood_is_2() {
    for arguments in [
        &["shout"][..],
        &["send", "bob"],
        &["--server", "nowhere", "hello"],
        &["--dialect", "morse", "hello"],
        &["--dialect", "missing.yaml", "hello"],
        &["--user", "alice", "hello"],
        &["create", "alice"],
        &["send", "--key", "12", "bob", "hi"],
        &["resume", "token"],
        &["ping", "--timeout-s", "soon"],
    ] {
        reference_client(arguments).assert().code(2).stdout("");
    }
}

#[test]
fn a_server_that_cannot_be_reached_is_3() {
    // Bound, so that nobody else gets the port, and not listening.
    let bound = TcpSocket::new_v4().expect("a socket");
    bound.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let deaf = bound.local_addr().expect("an address").to_string();
    for arguments in [&["hello"][..], &["--user", "alice", "--password", "pw", "list"], &[]] {
        let mut command = reference_client(arguments);
        let assert = command.env("CHAT_SERVER", deaf.clone()).assert().code(3).stdout("");
        assert.stderr(contains("not_sent").and(contains(deaf.clone())));
    }
    reference_client(&["--json", "--server", &deaf, "ping"]).assert().stderr(contains(r#""error":"not_sent""#));
}

#[test]
fn a_server_that_does_not_speak_the_protocol_is_3() {
    let web = impostor(b"HTTP/1.1 400 Bad Request\r\n\r\n").to_string();
    reference_client(&["--server", &web, "hello"]).assert().code(3).stderr(contains("not_understood: field `length`"));
    let silent = impostor(b"").to_string();
    let mut command = reference_client(&["--server", &silent, "--timeout-s", "1", "hello"]);
    command.assert().code(3).stderr(contains("no_answer: nothing came within 1s"));
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        reference_client(&["--completions", shell]).assert().code(0).stdout(contains("log-in"));
    }
}
