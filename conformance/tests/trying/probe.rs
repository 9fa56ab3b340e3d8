//! `conformance probe`: every exchange is shown, and what is wrong with it is told apart.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

use super::{Server, conformance, conformance_hearing, folder, told};

#[test]
fn a_probe_without_operations_tries_one_of_everything() {
    let asserted = conformance(folder().path(), &["probe", "reference"]).code(0);
    let told = String::from_utf8_lossy(&asserted.get_output().stdout).into_owned();
    for operation in ["create_account", "log_in", "list_accounts", "send_message", "deliver_messages", "log_out"] {
        assert!(told.contains(&format!("→ {operation}")), "{operation}: {told}");
    }
    assert!(told.contains("← the event message") && told.contains("learned {my token}"), "{told}");
    assert!(told.contains("→ delete_account") && told.contains("everything that came was understood"), "{told}");
}

#[test]
fn a_probe_does_what_it_is_told_and_shows_every_field() {
    let words = ["create_account", "username=alice", "password=x", "+", "log_in", "password=y", "+", "ping", "nonce=7"];
    conformance(folder().path(), &[&["probe", "reference"][..], &words].concat())
        .code(0)
        .stdout(contains("username: \"alice\"").and(contains("← bad_credentials")).and(contains("← ok {nonce: 7}")));
}

#[test]
fn raw_bytes_are_said_as_they_are_and_what_comes_is_shown() {
    conformance(folder().path(), &["probe", "reference", "--hex", "00000006 09 09 00000001"])
        .stdout(contains("10 raw bytes").and(contains("unsupported_version")));
    conformance(folder().path(), &["probe", "reference", "--text", r"\q"]).code(2).stderr(contains("backslash"));
}

#[test]
fn what_fits_nothing_is_shown_with_every_entry_that_was_tried() {
    let here = folder();
    let text = std::str::from_utf8(include_bytes!("../../../spec/protocol/dialects/framed.yaml")).expect("text");
    let wrong =
        text.replacen("hear: {ok: {body: [u8 = 0, nonce: u64]}}", "hear: {ok: {body: [u8 = 1, nonce: u64]}}", 1);
    assert_ne!(wrong, text);
    std::fs::write(here.path().join("mine.yaml"), wrong.replacen("dialect: framed", "dialect: mine", 1)).unwrap();
    // The server speaks framed, and the file is wrong about the answer to a ping.
    let server = Server::start();
    conformance(here.path(), &["probe", &server.address, "--dialect", "mine.yaml", "ping", "nonce=7"])
        .code(1)
        .stdout(contains("nothing in the dialect looks like this").and(contains("operations.ping.hear.ok: field")))
        .stdout(contains("0 instead of 1").and(contains("hear.message: field")));
}

#[test]
fn a_probe_that_cannot_be_understood_says_what_to_do() {
    let here = folder();
    for (arguments, words) in [
        (vec![], "127.0.0.1"),
        (vec!["ping"], "whom is `ping` for"),
        (vec!["reference", "pingg"], "did you mean `ping`"),
        (vec!["reference", "log_in", "name=x"], "has no argument `name`"),
        (vec!["reference", "log_in", "alice"], "username=… password=…"),
        (vec!["reference", "ping", "nonce=x"], "is a number"),
        (vec!["reference", "--hex", "0"], "lacks its partner"),
    ] {
        let arguments = [vec!["probe"], arguments].concat();
        let help = if words == "127.0.0.1" { "HOST:PORT" } else { words };
        conformance(here.path(), &arguments).code(2).stderr(contains(help));
    }
    conformance(here.path(), &["probe", "127.0.0.1:1", "ping"]).code(3).stderr(contains("is the server up?"));
    std::fs::write(here.path().join("bad.yaml"), "dialect: bad\nabout: It is bad.\nframe: [x: u9x]\n").unwrap();
    conformance(here.path(), &["probe", "127.0.0.1:1", "--dialect", "bad.yaml"]).code(4).stderr(contains("bad.yaml:3"));
}

#[test]
fn lines_are_done_one_by_one_on_one_connection() {
    let lines = "create_account username=alice password=x\n\n# of no interest\nlog_in password=x\nlist_accounts + ping nonce=9\n";
    let asserted = conformance_hearing(folder().path(), &["probe", "reference", "-"], lines).code(0);
    let told = told(&asserted);
    assert_eq!(told.matches("→ ").count(), 4, "{told}");
    assert!(told.contains("← ok {nonce: 9}") && told.matches("· connected").count() == 1, "{told}");
    let lines = "pingg\nping nonce=9\nhelp\n";
    conformance_hearing(folder().path(), &["probe", "reference", "-"], lines)
        .code(2)
        .stderr(contains("did you mean `ping`"))
        .stdout(contains("← ok {nonce: 9}").and(contains("  send_message recipient=… text=…")));
}

/// A server that does something with every connection, after it heard something on it.
fn tiny(behave: impl Fn(&mut TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            if matches!(stream.read(&mut [0; 1024]), Ok(1..)) {
                behave(&mut stream);
            }
        }
    });
    address
}

#[test]
fn whoever_does_not_answer_is_told_apart_from_whoever_answers_wrongly() {
    let here = folder();
    let probe =
        |address: &str| conformance(here.path(), &["probe", address, "--deadline-ms", "200", "ping", "nonce=7"]);
    let silent = tiny(|stream| drop(stream.read(&mut [0; 16])));
    let expected = "ping may be answered by operations.ping.hear.ok";
    probe(&silent).code(3).stdout(contains("nothing came for 200 ms").and(contains(expected)));
    let closing = tiny(|_| {});
    probe(&closing).code(3).stdout(contains("the server closed the connection").and(contains(expected)));
    let half = tiny(|stream| drop((stream.write_all(&[0, 0, 0, 15, 1]), stream.read(&mut [0; 16]))));
    probe(&half).code(1).stdout(contains("5 bytes, and no whole message").and(contains("needs 19 bytes in all")));
    let garbage =
        tiny(|stream| drop((stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"), stream.read(&mut [0; 16]))));
    let told = contains("nothing in the dialect looks like this").and(contains("tried, in this order:"));
    probe(&garbage).code(1).stdout(told.and(contains("operations.ping.hear.ok: field `length`")));
}

#[test]
fn a_look_at_the_policies_that_ends_early_names_what_it_ended_at() {
    let silent = tiny(|stream| drop(stream.read(&mut [0; 16])));
    conformance(folder().path(), &["probe", &silent, "--policies"])
        .code(3)
        .stdout(contains("not everything was asked: no answer to create_account came."));
}

/// A greeting, and the fence that proves silence, are what they are, and not some bytes that nobody waits for.
#[test]
fn what_nobody_asked_for_by_hand_has_its_name() {
    let here = folder();
    let wire = include_str!("../../examples/node/wire.yaml");
    let greeting = "connect: [{hear: {ok: {status: \"200\", rest: \"welcome\"}}}]\n\noperations:\n";
    let wire = wire.replace("\noperations:\n", &format!("\n{greeting}"));
    let asked = "log_out: {say: {verb: LOGOUT, body: {}}, hear: {ok: {status: \"200\", rest: {}}}}";
    assert!(wire.contains(asked));
    let wire = wire.replace(asked, "log_out: {say: {verb: LOGOUT, body: {}}, silence: ok}");
    std::fs::write(here.path().join("wire.yaml"), wire).expect("there is room");
    let probe = |words: &[&str]| {
        let asserted = conformance(here.path(), &[&["probe", "reference", "--dialect", "wire.yaml"], words].concat());
        told(&asserted.code(0))
    };
    let told = probe(&[]);
    assert!(told.contains("← the greeting (") && !told.contains("goes on"), "{told}");
    assert!(told.contains("→ what the dialogue needs to go on: ping\n"), "{told}");
    assert!(told.contains("← ping is answered with ok "), "{told}");
}

/// Whether the dialect says that the connection ends, or the server simply ends it: the next operation has another one.
#[test]
fn nothing_is_said_into_a_connection_that_has_ended() {
    let here = folder();
    let wire = include_str!("../../examples/node/wire.yaml");
    let out = "LOGOUT, body: {}}, hear: {ok: {status: \"200\", rest: {}}}}";
    assert!(wire.contains(out));
    let closing = wire.replace(out, "LOGOUT, body: {}}, hear: {ok: {status: \"200\", rest: {}, then: close}}}");
    std::fs::write(here.path().join("closing.yaml"), &closing).expect("there is room");
    let told_of = told(&conformance(here.path(), &["probe", "reference", "--dialect", "closing.yaml"]).code(0));
    assert_eq!(told_of.matches("· connected").count(), 2, "{told_of}");
    // This server ends the connection, and its dialect knows nothing of that.
    let ending = tiny(|stream| drop(stream.write_all(b"200 {\"number\":7}\n")));
    std::fs::write(here.path().join("wire.yaml"), wire).expect("there is room");
    let pings = ["ping", "nonce=7", "+", "ping", "nonce=7"];
    let asserted = conformance(here.path(), &[&["probe", &ending, "--dialect", "wire.yaml"][..], &pings].concat());
    let told_of = told(&asserted.code(0));
    assert_eq!(told_of.matches("← ok").count(), 2, "{told_of}");
}
