//! The command: what it says, and how it ends.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use predicates::prelude::*;

fn server() -> assert_cmd::Command {
    assert_cmd::Command::from_std(plain())
}

fn plain() -> Command {
    Command::cargo_bin("reference-server").expect("cargo builds it")
}

#[test]
fn help_says_for_each_option_its_unit_and_default() {
    let mut help = server().arg("--help").assert().success();
    for part in ["--listen", "--port", "--cost", "milliseconds", "[default: 3600000]", "[default: 1000]", "--log"] {
        help = help.stdout(predicate::str::contains(part));
    }
}

#[test]
fn a_bad_option_is_named_with_what_it_can_be() {
    for (arguments, names) in [
        (&["--port", "70000"][..], "--port"),
        (&["--listen", "framed=6262"], "HOST:PORT"),
        (&["--listen", "morse=127.0.0.1:0"], "framed"),
        (&["--cost", "none"], "interactive"),
        (&["--token-lifetime-ms", "0"], "--token-lifetime-ms"),
        (&["--port", "0", "--listen", "127.0.0.1:0"], "cannot be used with"),
    ] {
        server().args(arguments).assert().code(2).stdout("").stderr(predicate::str::contains(names));
    }
}

#[test]
fn a_taken_port_is_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let says =
        predicate::str::contains(format!("127.0.0.1:{port} is in use")).and(predicate::str::contains("--port 0"));
    server().args(["--port", &port]).assert().code(2).stdout("").stderr(says.and(predicate::function(one_line)));
}

fn one_line(text: &str) -> bool {
    text.lines().count() == 1
}

/// Two listeners, so two lines; SIGTERM, so an ending in order.
#[cfg(unix)]
#[test]
fn it_says_where_it_listens_and_ends_in_order_when_told_to() {
    let arguments = ["--listen", "127.0.0.1:0", "--listen", "framed=127.0.0.1:0", "--cost", "test"];
    let mut child = plain().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("it is a pipe"));
    for _ in 0..2 {
        let mut line = String::new();
        out.read_line(&mut line).expect("it is text");
        let address = line.strip_prefix("listening framed ").expect(&line).trim_end();
        TcpStream::connect(address).expect("clients can connect as soon as the line is there");
    }
    let told = Command::new("kill").arg(child.id().to_string()).status().expect("there is a kill");
    assert!(told.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("it is text");
    child.stderr.take().expect("it is a pipe").read_to_string(&mut rest).expect("it is text");
    assert_eq!(rest, "");
}
