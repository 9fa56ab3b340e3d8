//! A wire may tell less than the protocol, or end connections of its own. A server that is right over it is not accused.

use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_match};

use super::{conformance, folder};

/// The wire of the Node example, with some words replaced by others.
fn jay(from: &str, to: &str) -> String {
    let wire = include_str!("../../examples/node/wire.yaml");
    assert!(wire.contains(from), "{from}");
    wire.replace(from, to)
}

/// The reference server speaks the wire and is judged; the report has these words.
fn nothing_fails_over(wire: &str, words: &str) {
    let here = folder();
    std::fs::write(here.path().join("wire.yaml"), wire).expect("there is room");
    conformance(here.path(), &["run", "reference", "--dialect", "wire.yaml", "--verbose"])
        .code(0)
        .stdout(is_match(r"planned: [23]\d\d passed, 0 failed, \d+ not applicable, 0 inconclusive").unwrap())
        .stdout(contains("policies are not").not().and(contains(words)));
}

#[test]
fn an_error_after_which_the_server_ends_the_connection() {
    let wire = jay("not_logged_in:     {status: \"401\"}", "not_logged_in:     {status: \"401\", then: close}");
    nothing_fails_over(&wire, "");
    let wire = jay("no_such_user: {status: \"404\"}", "no_such_user: {status: \"404\", then: close}");
    nothing_fails_over(
        &wire,
        "on this wire the server ends the connection after an answer that this case goes on behind",
    );
}

#[test]
fn a_log_out_after_which_the_server_ends_the_connection() {
    let wire = jay(
        "LOGOUT, body: {}}, hear: {ok: {status: \"200\", rest: {}}}",
        "LOGOUT, body: {}}, hear: {ok: {status: \"200\", rest: {}, then: close}}",
    );
    nothing_fails_over(&wire, "it is for log_out_by: operation");
}

#[test]
fn an_answer_that_does_not_tell_whether_the_recipient_was_there() {
    let wire = jay("rest: {delivered: \"{delivered}\"}", "rest: {}");
    nothing_fails_over(&wire, "never tells `delivered`");
}

#[test]
fn what_waits_is_pushed_behind_a_log_in_and_cannot_be_asked_for() {
    let wire = without_deliver_messages("deliver_drains: at_once, at_log_in: pushed");
    nothing_fails_over(&wire, "the target has no `deliver_messages`");
}

#[test]
fn what_waits_comes_with_a_log_in_and_cannot_be_asked_for() {
    let wire = without_deliver_messages("deliver_drains: at_once, at_log_in: messages");
    let (from, to) = ("waiting: \"{waiting: int}\"", "waiting: \"{waiting: int}\", came: \"{messages: list of note}\"");
    assert!(wire.contains(from));
    nothing_fails_over(&wire.replace(from, to), "the target has no `deliver_messages`");
}

#[test]
fn a_list_that_knows_no_patterns_is_looked_through() {
    let wire = jay("body: {like: \"{pattern}\"}", "body: {}").replace("pattern: substring", "pattern: none");
    nothing_fails_over(&wire, "this wire cannot say `pattern` in list_accounts");
}

fn without_deliver_messages(policies: &str) -> String {
    let wire = jay("deliver_drains: at_once", policies);
    let operation = wire.find("  deliver_messages:").zip(wire.find("  delete_account:")).expect("both are there");
    format!("{}{}", &wire[..operation.0], &wire[operation.1..])
}
