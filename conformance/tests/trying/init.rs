//! `conformance init`: what is written has no mistakes, and nothing is lost.

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use spec::Spec;

use super::{conformance, conformance_hearing, folder, read};

#[test]
fn what_is_written_has_no_mistakes_whatever_is_asked_for() {
    for framing in ["lines", "length", "none", "json", "grpc"] {
        for operations in ["word", "number"] {
            let here = folder();
            conformance(here.path(), &["init", "mine", "--framing", framing, "--operations", operations])
                .code(0)
                .stdout(contains("wrote").and(contains("conformance run mine.yaml")));
            conformance(here.path(), &["check", "mine.yaml", "mine-dialect.yaml"]).code(0);
        }
    }
    for known in Spec::embedded().dialects.keys() {
        let here = folder();
        conformance(here.path(), &["init", "mine", "--from", known]).code(0);
        conformance(here.path(), &["check", "mine.yaml", "mine-dialect.yaml"]).code(0);
        assert!(read(&here, "mine-dialect.yaml").contains("dialect: \"mine\""), "{known}");
    }
}

#[test]
fn a_server_that_speaks_what_was_written_is_understood() {
    let here = folder();
    for framing in ["json", "length"] {
        conformance(here.path(), &["init", framing, "--framing", framing]).code(0);
        conformance(here.path(), &["probe", "reference", "--dialect", &format!("{framing}-dialect.yaml")])
            .code(0)
            .stdout(contains("everything that came was understood"));
    }
}

#[test]
fn nothing_is_overwritten_unless_that_is_said() {
    let here = folder();
    std::fs::write(here.path().join("mine-dialect.yaml"), "mine").unwrap();
    conformance(here.path(), &["init", "mine"]).code(2).stderr(contains("is there already"));
    assert_eq!(read(&here, "mine-dialect.yaml"), "mine");
    assert!(!here.path().join("mine.yaml").exists());
    conformance(here.path(), &["init", "mine", "--force"]).code(0);
    assert!(read(&here, "mine-dialect.yaml").contains("dialect: \"mine\""));
    conformance(here.path(), &["check", "mine.yaml", "mine-dialect.yaml"]).code(0);
}

#[test]
fn answers_may_be_piped_and_what_is_not_answered_is_the_default() {
    let here = folder();
    let answers = "./server --listen 7171\n7171\nlength\nnumber\n";
    conformance_hearing(here.path(), &["init", "mine"], answers)
        .code(0)
        .stdout(contains("Which port does it listen on?"));
    let (target, dialect) = (read(&here, "mine.yaml"), read(&here, "mine-dialect.yaml"));
    assert!(
        target.contains("\ncommand: [./server, \"--listen\", \"7171\"]\n") && target.contains("\nport: 7171\n"),
        "{target}"
    );
    assert!(dialect.contains("code: 1, data:"), "{dialect}");
    conformance_hearing(here.path(), &["init", "there"], "127.0.0.1:7171\n001\n").code(0);
    assert!(read(&here, "there.yaml").contains("\naddress: \"127.0.0.1:7171\"\n"));
    assert!(read(&here, "there-dialect.yaml").contains("Begun as a copy of 001"));
    conformance_hearing(here.path(), &["init", "no"], "").code(0);
    assert!(read(&here, "no.yaml").contains("\ntarget: \"no\"\n"));
    conformance(here.path(), &["check", "mine.yaml", "there.yaml", "there-dialect.yaml", "no.yaml"]).code(0);
    conformance_hearing(here.path(), &["init", "other"], "./server\nnever\n")
        .code(2)
        .stderr(contains("`never` is no port"));
    assert!(!here.path().join("other.yaml").exists());
}

#[test]
fn a_start_that_cannot_be_understood_says_what_to_do() {
    let here = folder();
    conformance(here.path(), &["init", "--from", "00"]).code(2).stderr(contains("there is no dialect `00`"));
    conformance(here.path(), &["init", "--command", "./server"]).code(2).stderr(contains("--port"));
    conformance(here.path(), &["init", "no/such/mine"]).code(2).stderr(contains("there is no folder"));
    conformance(here.path(), &["init", "mine", "--command", "./server", "--port", "7171"]).code(0);
    assert!(read(&here, "mine.yaml").contains("\nport: 7171\n"));
}

#[cfg(feature = "grpc")]
#[test]
fn the_methods_of_a_service_of_ones_own_are_written_down_to_be_filled_in() {
    let proto = "syntax = \"proto3\"; package zoo; enum Kind { USER = 0; ADMIN = 1; }
        message Account { string name = 1; Kind kind = 2; } message Accounts { repeated Account all = 1; }
        service Keeper { rpc List(Account) returns (Accounts); rpc Watch(Account) returns (stream Account);
            rpc Chat(stream Account) returns (Account); }";
    let here = folder();
    std::fs::write(here.path().join("zoo.proto"), proto).unwrap();
    conformance(here.path(), &["init", "mine", "--proto", "zoo.proto"]).code(0).stdout(contains("wrote"));
    let dialect = read(&here, "mine-dialect.yaml");
    for line in [
        "proto: \"zoo.proto\"\n",
        "service: zoo.Keeper\n",
        "  #   say:  {method: List, request: {name: text, kind: USER or ADMIN}}\n",
        "  #   hear: {ok: {method: List, reply: {all: [{name: text, kind: USER or ADMIN}]}}}\n",
        "  #   hear: {more: {method: Watch, reply: {name: text, kind: USER or ADMIN}}, ok: {method: Watch, end: true}}\n",
        "  # Chat takes a stream of requests, which a dialect cannot say.\n",
    ] {
        assert!(dialect.contains(line), "{line} in\n{dialect}");
    }
    // Filled in, it is a dialect.
    let filled = dialect.replace(
        "operations:\n",
        "operations:\n  list_accounts:\n    say:  {method: List, request: {name: \"{pattern}\"}}\n    \
         hear: {ok: {method: List, reply: {all: \"{usernames: list of one}\"}}}\n",
    );
    let filled = filled.replace("frame: grpc\n", "frame: grpc\nshapes: {one: {name: \"{username}\"}}\n");
    std::fs::write(here.path().join("mine-dialect.yaml"), filled).unwrap();
    conformance(here.path(), &["check", "mine.yaml", "mine-dialect.yaml"]).code(0);
    conformance(here.path(), &["init", "other", "--proto", "none.proto"])
        .code(2)
        .stderr(contains("cannot read none.proto"));
}
