//! The command and the prompt against the real reference server.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::{contains, is_match};
use reference_server::net::Tcp;
use reference_server::world::World;
use reference_server::{Chat, Cost, Limits, Options, Running, Server};
use spec::Spec;
use tokio::runtime::Runtime;

/// A server on a free port, as long as this lives.
struct Served {
    address: SocketAddr,
    _running: Running,
    _runtime: Runtime,
}

fn served() -> Served {
    let runtime = Runtime::new().expect("threads");
    let spec = Spec::embedded();
    let limit = |name: &str| spec.service.limits[name].value;
    let options = Options::new(limit, Cost::Test);
    let core = Chat::new(Limits::new(limit));
    let dialect = spec.dialect("framed").expect("the protocol's own wire");
    let running = runtime
        .block_on(Server::start(Tcp, "127.0.0.1:0", core, World::real(), dialect, options))
        .expect("a free port");
    Served { address: running.address(), _running: running, _runtime: runtime }
}

impl Served {
    /// The command as `user`, whose password is `pw`.
    fn command(&self, user: &str, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_reference-client"));
        command.env("CHAT_SERVER", self.address.to_string());
        command.env("CHAT_USER", user).env("CHAT_PASSWORD", "pw").args(arguments);
        command
    }

    fn run(&self, user: &str, arguments: &[&str]) -> assert_cmd::assert::Assert {
        Command::from_std(self.command(user, arguments)).assert()
    }

    /// A command that goes on, once it listens.
    fn listening(&self, user: &str, arguments: &[&str]) -> Child {
        let mut command = self.command(user, arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
        let mut line = String::new();
        BufReader::new(child.stderr.as_mut().expect("piped")).read_line(&mut line).expect("a line");
        assert_eq!(line, "listening\n");
        child
    }

    fn prompt(&self, lines: &str) -> assert_cmd::assert::Assert {
        let mut command = self.command("nobody", &[]);
        command.env_remove("CHAT_USER").env_remove("CHAT_PASSWORD");
        Command::from_std(command).write_stdin(lines).assert()
    }
}

#[test]
fn a_script_can_do_all_ten_operations() {
    let server = served();
    server.run("alice", &["hello"]).code(0).stdout(contains("serves clients"));
    server.run("alice", &["ping", "42"]).code(0).stdout("42\n");
    server.run("alice", &["create"]).code(0).stdout("created\n");
    server.run("alice", &["create", "bob", "pw"]).code(0);
    server.run("alice", &["list", "b*"]).code(0).stdout("bob\n");
    server.run("alice", &["send", "bob", "-hi\u{1b}[2J"]).code(0).stdout("message 1 waits\n");
    let two = ["send", "bob", "again", "--key", "000102030405060708090a0b0c0d0e0f"];
    server.run("alice", &two).code(0).stdout("message 2 waits\n");
    server.run("alice", &two).code(0).stdout("message 2 waits\n");
    server.run("bob", &["deliver", "--max", "1"]).code(0).stdout("1 alice: -hi\\u{1b}[2J\n").stderr("there are more\n");
    server.run("bob", &["delete"]).code(1).stderr(contains("mailbox_not_empty: Messages wait"));
    server.run("bob", &["deliver", "--acknowledge", "1"]).code(0).stdout("2 alice: again\n");
    server.run("bob", &["delete", "--discard"]).code(0).stdout("deleted; messages discarded: 1\n");
    server
        .run("alice", &["send", "bob", "hi"])
        .code(1)
        .stdout("")
        .stderr(contains("no_such_user: There is no account"));
    server.run("bob", &["list"]).code(1).stderr(contains("bad_credentials"));
}

#[test]
fn a_printed_token_resumes_the_session_until_log_out() {
    let server = served();
    server.run("alice", &["create"]).code(0);
    let shown = server.run("alice", &["log-in"]).code(0).stderr(contains("messages waiting: 0"));
    let token = String::from_utf8(shown.get_output().stdout.clone()).expect("hex");
    server.run("nobody", &["resume", token.trim()]).code(0).stdout("alice\n");
    server.run("alice", &["log-out"]).code(0).stdout("logged out\n");
    server.run("nobody", &["resume", token.trim()]).code(1).stderr(contains("invalid_token"));
}

#[test]
fn a_listener_gets_messages_as_they_are_sent() {
    let server = served();
    server.run("alice", &["create"]).code(0);
    server.run("bob", &["create"]).code(0);
    let bob = server.listening("bob", &["--json", "listen", "--count", "2"]);
    server.run("alice", &["send", "bob", "one"]).code(0).stdout("message 1 delivered\n");
    server.run("alice", &["send", "bob", "two"]).code(0);
    let output = bob.wait_with_output().expect("it ends");
    assert!(output.status.success());
    let seen = String::from_utf8(output.stdout).expect("text");
    let texts: Vec<serde_json::Value> = seen
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("json")["text"].clone())
        .collect();
    assert_eq!(texts, ["one", "two"]);
}

#[test]
fn a_listener_whose_server_goes_is_3() {
    let server = served();
    server.run("bob", &["create"]).code(0);
    let bob = server.listening("bob", &["listen"]);
    drop(server);
    assert_eq!(bob.wait_with_output().expect("it ends").status.code(), Some(3));
}

#[test]
fn the_password_can_come_from_standard_input() {
    let server = served();
    server.run("alice", &["create"]).code(0);
    let list = || Command::from_std(server.command("alice", &["--password-stdin", "list"]));
    list().write_stdin("pw\n").assert().code(0).stdout("alice\n");
    list().write_stdin("wrong\n").assert().code(1);
}

#[test]
fn json_is_one_object_a_line() {
    let server = served();
    server.run("alice", &["--json", "create"]).code(0).stdout("{\"ok\":\"create_account\"}\n");
    server
        .run("alice", &["list", "--json"])
        .stdout("{\"more\":false,\"ok\":\"list_accounts\",\"usernames\":[\"alice\"]}\n");
    let refused = server.run("alice", &["--json", "create"]).code(1).stdout("");
    let error: serde_json::Value = serde_json::from_slice(&refused.get_output().stderr).expect("json");
    assert_eq!(error["error"], "username_taken");
}

#[test]
fn a_trace_shows_both_directions_with_meaning() {
    let server = served();
    let trace = server.run("alice", &["--trace", "ping", "7"]).code(0).stdout("7\n");
    trace.stderr(is_match(r"(?s)^→ ping\n.*nonce: 7\n.*← ok of ping\n.*nonce: 7").expect("a pattern"));
}

#[test]
fn a_prompt_from_a_pipe_obeys_line_by_line() {
    let server = served();
    let lines = "create alice \"p w\"\nlog-in alice \"p w\"\n\nsend alice  it's  \"me\"\ndeliver --acknowledge 1\nquit\nping 9\n";
    let talk = server.prompt(lines).code(0);
    talk.stdout(
        is_match("^created\n[0-9a-f]{32,128}\n1 alice:  it's  \"me\"\nmessage 1 delivered\n$").expect("a pattern"),
    );
}

#[test]
fn a_prompt_goes_on_after_a_mistake_and_ends_with_its_code() {
    let server = served();
    let talk = server.prompt("list\nshout\nhelp\nping 5\n").code(1);
    talk.stdout(contains("log-in").and(contains("\n5\n"))).stderr(contains("not_logged_in").and(contains("shout")));
}
