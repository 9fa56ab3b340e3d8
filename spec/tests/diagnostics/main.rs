//! Mistakes in YAML as they are drawn: one of every kind, each at its line and column, with what to do about it.
//!
//! A specification of one requirement and two scenarios is right; each case adds or replaces one file.
//! After a change that is meant: `INSTA_UPDATE=always cargo test -p spec --test diagnostics`, then read the difference.

/// Snapshots beside each other, without the preamble that repeats this file's text.
macro_rules! assert_drawn {
    ($name:literal, $path:expr, $cases:expr) => {
        insta::with_settings!({
            snapshot_path => ".",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!($name, crate::drawn($path, $cases)) });
    };
}

mod dialects;
mod messages;

use spec::check::check;
use spec::source::Source;

const REQUIREMENTS: &str = "\
chapter: greetings
title: Greetings
about: What is said first.
requirements:
  GREETINGS-1:
    level: MUST
    sentence: A server answers hello.
    source: a test
";

const SCENARIOS: &str = "\
scenario: hello is answered
checks: [GREETINGS-1]
why: A server that waits for a log in says nothing here.
steps:
  - alice: hello
    gets: {is_primary: true}
---
scenario: hello is answered after a refusal
checks: [GREETINGS-1]
why: A server that gives up on a client says nothing here.
actors: {alice: offline}
steps:
  - alice: log_in
    with: {password: \"wrong\"}
    gets: bad_credentials
  - alice: hello
    gets: ok
";

fn source() -> Source {
    let embedded = Source::embedded();
    // Of the wires the protocol's own is enough.
    let is_needed = |path: &str| !path.starts_with("protocol/dialects/") || path == "protocol/dialects/framed.yaml";
    let kept = ["protocol", "examples"].into_iter().flat_map(|folder| embedded.below(folder));
    let kept = kept.filter(|file| is_needed(&file.path));
    kept.fold(Source::default(), |source, file| source.with(&file.path, file.text.as_str()))
        .with("requirements/greetings.yaml", REQUIREMENTS)
        .with("scenarios/greetings/base.yaml", SCENARIOS)
}

/// Every case under its title, as it is drawn.
pub(crate) fn drawn(path: &str, cases: &[(&str, String)]) -> String {
    let draw = |(title, text): &(&str, String)| {
        let (_, _, found) = check(&source().with(path, text.as_str()));
        let lines: Vec<String> = found.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
        format!("── {title} ──\n\n{}\n", lines.join("\n"))
    };
    cases.iter().map(draw).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_right_has_no_mistakes() {
    let (_, scenarios, found) = check(&source());
    assert!(found.is_empty(), "{found}");
    assert_eq!(scenarios.len(), 2);
}

#[test]
fn yaml_that_other_readers_take_otherwise_is_drawn() {
    let scenario = |steps: &str| format!("scenario: a\nchecks: [GREETINGS-1]\nwhy: b\n{steps}\n");
    let step = |with: &str| scenario(&format!("steps:\n  - alice: send_message\n    with: {with}\n    gets: ok"));
    assert_drawn!(
        "yaml",
        "scenarios/greetings/more.yaml",
        &[
            ("a truth value", step("{recipient: alice, text: on}")),
            ("a time of day", step("{recipient: alice, text: 12:30}")),
            ("an octal number", step("{recipient: alice, text: 017}")),
            ("a date", step("{recipient: alice, text: 2024-01-01}")),
            ("a truth value in capitals", step("{recipient: alice, text: True}")),
            ("a key twice", scenario("why: c\nsteps:\n  - alice: hello\n    gets: ok")),
            ("a bracket that is not closed", scenario("steps:\n  - alice: hello\n    gets: {is_primary: true")),
            ("an indentation that fits nothing", scenario("steps:\n  - alice: hello\n   gets: ok")),
            ("a colon too many", scenario("steps: a: b")),
            ("characters of several bytes before the mistake", step("{recipient: \"söl 👋 密码\", txt: \"hi\"}"),),
            ("an empty value", step("{recipient: alice, text:}")),
        ]
    );
}

#[test]
fn mistakes_in_scenarios_are_drawn() {
    let keys = |keys: &str| format!("{keys}steps:\n  - alice: hello\n    gets: ok\n");
    let head = "scenario: a\nchecks: [GREETINGS-1]\nwhy: b\n";
    let steps = |steps: &str| format!("{head}steps:\n{steps}\n");
    assert_drawn!(
        "scenario",
        "scenarios/greetings/more.yaml",
        &[
            ("an unknown key", keys(&format!("{head}neds: [push]\n"))),
            ("a missing key", keys("scenario: a\nchecks: [GREETINGS-1]\n")),
            ("a key that says nothing", keys("scenario: a\nchecks: [GREETINGS-1]\nwhy:\n")),
            ("a wrong type", keys("scenario: a\nchecks: GREETINGS-1\nwhy: b\n")),
            ("an unknown requirement", keys("scenario: a\nchecks: [GREETINGS-2]\nwhy: b\n")),
            ("no requirement", keys("scenario: a\nwhy: b\n")),
            ("an unknown capability", keys(&format!("{head}needs: [pushing]\n"))),
            ("an unknown policy", keys(&format!("{head}when: {{deliver: push}}\n"))),
            ("an unknown choice", keys(&format!("{head}when: {{delivery: pigeon}}\n"))),
            ("an unknown dialect", keys(&format!("{head}dialects: [frame]\n"))),
            ("an unknown option", keys(&format!("{head}server: {{mailbox_message: 3}}\n"))),
            ("an unknown group", keys(&format!("{head}group: network\n"))),
            ("an unknown way to begin", keys(&format!("{head}actors: {{bob: asleep}}\n"))),
            ("no steps", format!("{head}steps: []\n")),
            ("an unknown verb", steps("  - alice: sends_message\n    gets: ok")),
            ("an unknown argument", steps("  - alice: send_message\n    with: {recipients: alice}\n    gets: ok")),
            (
                "an argument of another kind",
                steps("  - alice: send_message\n    with: {recipient: alice, text: 5}\n    gets: ok")
            ),
            (
                "an actor that nobody knows",
                steps("  - alice: send_message\n    with: {recipient: bobby, text: \"hi\"}\n    gets: ok")
            ),
            (
                "a hole that nothing fills",
                steps("  - alice: send_message\n    with: {recipient: alice, text: \"{nobdy}\"}\n    gets: ok")
            ),
            (
                "a brace that is no hole",
                steps("  - alice: send_message\n    with: {recipient: alice, text: \"{\"}\n    gets: ok")
            ),
            ("hex that is none", steps("  - alice: writes\n    hex: \"00 0g\"\n    gets: ok")),
            ("an answer that cannot come", steps("  - alice: hello\n    gets: no_such_user")),
            ("an unknown answer", steps("  - alice: hello\n    gets: grate")),
            ("an unknown result", steps("  - alice: hello\n    gets: {is_primry: true}")),
            ("a result of another kind", steps("  - alice: hello\n    gets: {is_primary: \"true\"}")),
            ("an unknown match", steps("  - alice: list_accounts\n    gets: {usernames: {include: [alice]}}")),
            ("an unknown key of a step", steps("  - alice: hello\n    get: ok")),
            ("a step without an actor", steps("  - gets: ok")),
            ("who listens and gets nothing", steps("  - alice: listens")),
            (
                "a step that shows what is not checked",
                steps("  - alice: hello\n    gets: ok\n    shows: [GREETINGS-1, GREETINGS-7]")
            ),
            ("no claim", steps("  - alice: hello")),
            ("no success", steps("  - alice: log_in\n    gets: already_logged_in")),
            (
                "nothing after a close",
                steps(
                    "  - alice: hello\n    gets: ok\n  - alice: writes\n    hex: \"ffffffff\"\n    gets: [frame_too_large, closed]"
                )
            ),
            ("the name of another", format!("{}---\n{}", keys(head), keys(head))),
            (
                "several mistakes at once",
                steps(
                    "  - alice: helo\n    gets: ok\n  - alice: ping\n    with: {nonc: 1}\n    gets: ok\n  - alice: ping\n    gets: pong"
                )
            ),
        ]
    );
}

#[test]
fn mistakes_in_requirements_are_drawn() {
    let with = |more: &str| format!("{REQUIREMENTS}{more}");
    let second = |level: &str, more: &str| {
        with(&format!(
            "  GREETINGS-2:\n    level: {level}\n    sentence: A server is polite.\n    source: a test\n{more}"
        ))
    };
    assert_drawn!(
        "requirements",
        "requirements/greetings.yaml",
        &[
            ("an orphan", second("SHOULD", "")),
            ("an unknown level", second("MIGHT", "")),
            ("an unknown key", second("MAY", "    because: it is nice\n")),
            ("an unknown policy", second("MAY", "    when: {deliver: push}\n")),
            ("an unknown capability", second("MAY", "    needs: [fast]\n")),
            ("an id of another chapter", with("  DELIVERY-2:\n    level: MAY\n    sentence: a\n    source: b\n")),
            ("an id twice", with("  GREETINGS-1:\n    level: MAY\n    sentence: a\n    source: b\n")),
            ("a missing key", with("  GREETINGS-2:\n    level: MAY\n    sentence: a\n")),
            (
                "an exemption that is not needed",
                REQUIREMENTS.replace("    source", "    positive_only: why\n    source")
            ),
        ]
    );
}

#[test]
fn a_must_without_one_of_its_sides_is_drawn() {
    let (positive, negative) = SCENARIOS.split_once("---\n").expect("two scenarios");
    assert_drawn!(
        "sides",
        "scenarios/greetings/base.yaml",
        &[
            ("no negative scenario", positive.to_owned()),
            ("no positive scenario", negative.to_owned()),
            ("no scenario", String::new()),
        ]
    );
}

#[test]
fn mistakes_in_examples_are_drawn() {
    let embedded = Source::embedded();
    let ping = &embedded.file("examples/ping.yaml").expect("an operation").text;
    let more = |example: &str| format!("{ping}---\n{example}");
    assert_drawn!(
        "example",
        "examples/ping.yaml",
        &[
            (
                "no success",
                ping.replace("gets: {ok: {nonce: 7}}", "gets: {error: unavailable}")
                    .replace("gets: {ok: {nonce: 18446744073709551615}}", "gets: {error: unavailable}")
            ),
            ("no example of an error", ping.replace("not_primary", "unavailable")),
            ("an unknown operation", more("example: a\noperation: pin\ngets: {ok: {}}\n")),
            (
                "an unknown argument",
                more("example: a\noperation: ping\narguments: {nonces: 1}\ngets: {ok: {nonce: 1}}\n")
            ),
            ("a missing result", more("example: a\noperation: ping\narguments: {nonce: 1}\ngets: {ok: {}}\n")),
            (
                "a value of another kind",
                more("example: a\noperation: ping\narguments: {nonce: \"1\"}\ngets: {ok: {nonce: 1}}\n")
            ),
            (
                "an error that cannot come",
                more("example: a\noperation: ping\narguments: {nonce: 1}\ngets: {error: no_such_user}\n")
            ),
            ("an unknown error", more("example: a\noperation: ping\narguments: {nonce: 1}\ngets: {error: no_user}\n")),
            ("an error of an operation where none is", more("example: a\ngets: {error: no_such_user}\n")),
            ("a success of no operation", more("example: a\ngets: {ok: {}}\n")),
            ("an unknown event", more("example: a\nevent: massage\nfields: {}\n")),
            (
                "an event that lacks a field",
                more("example: a\nevent: message\nfields: {message_id: 1, sender: alice, text: \"hi\"}\n")
            ),
            ("an answer to an event", more("example: a\nevent: message\ngets: {ok: {}}\n")),
            ("a hole", more("example: a\noperation: ping\narguments: {nonce: \"{n}\"}\ngets: {ok: {nonce: 1}}\n")),
            (
                "the name of another",
                more("example: a sign of life\noperation: ping\narguments: {nonce: 1}\ngets: {ok: {nonce: 1}}\n")
            ),
            ("no answer", more("example: a\noperation: ping\narguments: {nonce: 1}\n")),
        ]
    );
}

#[test]
fn mistakes_in_the_service_are_drawn() {
    let embedded = Source::embedded();
    let service = &embedded.file("protocol/service.yaml").expect("the service").text;
    let with = |from: &str, to: &str| {
        assert_eq!(service.matches(from).count(), 1, "{from}");
        service.replace(from, to)
    };
    assert_drawn!(
        "service",
        "protocol/service.yaml",
        &[
            ("an unknown kind of field", with("nonce:        {type: int", "nonce:        {type: integer")),
            ("an unknown field", with("arguments: [nonce]", "arguments: [number]")),
            (
                "an unknown error",
                with("errors: [already_logged_in, bad_credentials]", "errors: [already_logged_in, bad_credential]")
            ),
            ("an unknown limit", with("{limit: token_lifetime_s,", "{limit: token_lifetime,")),
            ("an unknown key", with("    about: Ask who is there, before", "    abuot: Ask who is there, before")),
            ("a wrong number", with("keys_kept:            {value: 256", "keys_kept:            {value: many")),
        ]
    );
    let errors = &embedded.file("protocol/errors.yaml").expect("the errors").text;
    assert_drawn!(
        "errors",
        "protocol/errors.yaml",
        &[
            ("a code twice", errors.replace("code: 35,", "code: 34,")),
            ("a code that does not fit", errors.replace("code: 35,", "code: 350,")),
            (
                "a missing key",
                errors
                    .replace("invalid_cursor:       {code: 34,  definite: true,", "invalid_cursor:       {code: 34,")
                    .replace("invalid_cursor:       {code: 34, definite: true,", "invalid_cursor:       {code: 34,")
            ),
        ]
    );
}

#[test]
fn a_play_goes_no_further_than_the_requirements_that_it_checks() {
    let found = |when: &str| {
        let requirements = format!("{REQUIREMENTS}    when: {{delivery: [poll, push]}}\n");
        let scenarios = SCENARIOS.replace("why:", &format!("{when}why:"));
        let source = source().with("requirements/greetings.yaml", requirements.as_str());
        check(&source.with("scenarios/greetings/base.yaml", scenarios.as_str())).2.to_string()
    };
    let beyond = "`GREETINGS-1` is for delivery: poll or push, and this scenario for others, too";
    assert!(found("").contains(beyond), "{}", found(""));
    assert!(found("when: {delivery: [push, stream]}\n").contains(beyond));
    assert_eq!(found("when: {delivery: push}\n"), "no mistakes");
}
