//! Policies: one core, and connections that each have it their own way.

mod deletion;
mod delivery;

use std::collections::BTreeSet;

use super::*;
use crate::chat::refusal::{self, NameFault};

/// A wire with these choices, the protocol's own otherwise.
fn wire(choices: &[(&'static str, &'static str)]) -> Policies {
    Policies::new(choices.iter().copied(), |_| false)
}

/// A wire with these choices that lacks these capabilities.
fn bare(choices: &[(&'static str, &'static str)], lacks: &[&str]) -> Policies {
    Policies::new(choices.iter().copied(), |capability| lacks.contains(&capability))
}

fn named(username: &str) -> Who {
    Who::Named { username: username.to_owned(), password: None }
}

fn named_with(username: &str, password: &str) -> Who {
    Who::Named { username: username.to_owned(), password: Some(password.to_owned()) }
}

fn by_token(token: &[u8], username: Option<&str>) -> Who {
    Who::Token { token: token.to_vec(), username: username.map(str::to_owned) }
}

fn deliver() -> Request {
    Request::DeliverMessages { acknowledge: 0, max: 100 }
}

fn delete(password: &str) -> Request {
    Request::DeleteAccount { password: password.to_owned(), discard: false }
}

fn deleted(discarded: u64) -> Response {
    Ok(Reply::DeleteAccount { discarded, messages: Vec::new() })
}

impl Story {
    /// Connects over a wire, makes an account of the same name, and logs in.
    fn joins_by(&mut self, who: &'static str, policies: &Policies) {
        self.connects_by(who, policies);
        self.creates(who, who).expect("the name is free");
        self.logs_in(who, who).expect("the password is right");
        self.seen.clear();
    }

    fn listens(&mut self, who: &'static str, says: Who) {
        let connection = self.connections[who];
        self.applies(Input::Listens { connection, who: says });
    }

    /// The texts of the messages that were pushed since this connection was last asked.
    fn pushed(&mut self, who: &'static str) -> Vec<String> {
        let message = |seen| if let Seen::Message(message) = seen { Some(message.text) } else { None };
        self.saw(who).into_iter().filter_map(message).collect()
    }
}

fn texts(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.text.as_str()).collect()
}

// ── names ─────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_policies_and_their_choices_are_those_of_the_service() {
    let service = &Spec::embedded().service;
    let ours: BTreeMap<_, Vec<_>> = Policies::NAMES.iter().map(|(name, choices)| (*name, choices.to_vec())).collect();
    let theirs = service.policies.iter().map(|(name, policy)| {
        (name.as_str(), policy.choices.iter().map(|(choice, _)| choice.as_str()).collect::<Vec<_>>())
    });
    assert_eq!(ours, theirs.collect());
    let defaults = service.policies.iter().map(|(name, policy)| (name.as_str(), policy.default_choice()));
    assert_eq!(Policies::new(defaults, |_| false), Policies::default());
}

#[test]
fn the_causes_are_those_of_the_errors() {
    let causes = [
        refusal::logged_in_here(),
        refusal::logged_in_elsewhere(),
        refusal::no_such_user(),
        refusal::wrong_password(),
        refusal::invalid_username(NameFault::Empty),
        refusal::invalid_username(NameFault::Characters),
        refusal::invalid_username(NameFault::TooLong),
    ];
    let ours: BTreeSet<_> = causes.iter().map(|failure| (failure.error.name(), failure.cause)).collect();
    let errors = Spec::embedded().service.errors.iter();
    let theirs = errors.flat_map(|(name, error)| error.causes.keys().map(move |cause| (name.as_str(), cause.as_str())));
    assert_eq!(ours, theirs.collect());
}

#[test]
fn a_refusal_says_its_cause() {
    let mut story = Story::of(&["alice"]);
    story.connects("phone");
    let (long, mut causes) = ("x".repeat(51), Vec::new());
    for (who, request) in [
        ("phone", create("", PASSWORD)),
        ("phone", create("a b", PASSWORD)),
        ("phone", create(&long, PASSWORD)),
        ("phone", log_in("nobody", PASSWORD, false)),
        ("phone", log_in("alice", "wrong", false)),
        ("phone", log_in("alice", PASSWORD, false)),
        ("alice", log_in("alice", PASSWORD, false)),
        ("alice", delete("wrong")),
        ("alice", Request::Ping { nonce: 1 }),
    ] {
        _ = story.asks(who, request);
        causes.push(story.cause);
    }
    let name = ["empty", "characters", "too_long"];
    let others = ["no_such_user", "wrong_password", "elsewhere", "here", "wrong_password", ""];
    assert_eq!(causes, [&name[..], &others].concat());
}

// ── accounts and sessions ─────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn after_create_logged_in_binds_and_moves_a_binding() {
    let mut story = Story::of(&["bob"]);
    story.connects_by("alice", &wire(&[("after_create", "logged_in")]));
    let answer = story.creates("alice", "alice");
    let Ok(Reply::CreateAccount { token, expires_in_s: 60 }) = answer else { panic!("{answer:?}") };
    assert_eq!(story.sends("bob", "alice", "hi"), accepted(1, true));
    assert!(story.creates("alice", "carol").is_ok());
    assert_eq!(story.sends("bob", "alice", "hi"), accepted(2, false), "the binding has moved");
    assert_eq!(story.sends("bob", "carol", "hi"), accepted(1, true));
    story.connects("phone");
    assert!(story.resumes("phone", &token).is_ok(), "the first token counts as if its connection had ended");
}

#[test]
fn at_log_in_messages_come_with_the_answer_and_drain_as_any_fetch_does() {
    for (drains, left) in [("acknowledged", 2), ("at_once", 0), ("never", 2)] {
        let mut story = Story::of(&["alice", "bob"]);
        story.disconnects("bob");
        story.sends("alice", "bob", "one").expect("accepted");
        story.sends("alice", "bob", "two").expect("accepted");
        story.connects_by("bob", &wire(&[("at_log_in", "messages"), ("deliver_drains", drains)]));
        let answer = story.logs_in("bob", "bob");
        let Ok(Reply::LogIn { messages, waiting, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!((texts(&messages), waiting), (vec!["one", "two"], left), "{drains}");
        assert_eq!(story.page("bob", 0, 9).0.len() as u64, left, "{drains}");
    }
}

#[test]
fn at_log_in_pushed_comes_behind_the_answer_and_drains_as_any_fetch_does() {
    for (drains, left) in [("acknowledged", 2), ("at_once", 0), ("never", 2)] {
        let mut story = Story::of(&["alice", "bob"]);
        story.disconnects("bob");
        story.sends("alice", "bob", "one").expect("accepted");
        story.sends("alice", "bob", "two").expect("accepted");
        story.connects_by("bob", &wire(&[("at_log_in", "pushed"), ("deliver_drains", drains)]));
        let answer = story.logs_in("bob", "bob");
        let Ok(Reply::LogIn { messages, waiting, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!((texts(&messages).len(), waiting), (0, 2), "{drains}");
        assert_eq!(story.pushed("bob"), ["one", "two"], "{drains}");
        assert_eq!(story.page("bob", 0, 9).0.len() as u64, left, "{drains}");
    }
}

#[test]
fn at_log_in_pushed_waits_for_the_stream_where_there_is_one() {
    let mut story = Story::of(&["alice", "bob"]);
    story.disconnects("bob");
    story.sends("alice", "bob", "one").expect("accepted");
    story.connects_by("bob", &wire(&[("at_log_in", "pushed"), ("delivery", "stream"), ("deliver_drains", "at_once")]));
    story.logs_in("bob", "bob").expect("the password is right");
    assert!(story.pushed("bob").is_empty());
    story.listens("bob", Who::Connection);
    assert_eq!(story.pushed("bob"), ["one"]);
}

#[test]
fn second_log_in_refused_is_refused_even_to_take_over() {
    let mut story = Story::of(&["alice"]);
    story.connects_by("phone", &wire(&[("second_log_in", "refused")]));
    assert_eq!(story.takes_over("phone", "alice"), refused(AlreadyLoggedIn));
    story.disconnects("alice");
    assert!(story.logs_in("phone", "alice").is_ok());
}

#[test]
fn second_log_in_takes_over_without_being_asked_to() {
    let mut story = Story::of(&["alice"]);
    story.connects_by("phone", &wire(&[("second_log_in", "takes_over")]));
    assert!(story.logs_in("phone", "alice").is_ok());
    assert_eq!(story.saw("alice"), [Seen::Closed]);
}

#[test]
fn second_log_in_both_stay_and_each_is_told_everything() {
    let both = wire(&[("second_log_in", "both")]);
    let mut story = Story::of(&["bob"]);
    story.joins_by("alice", &both);
    story.connects_by("phone", &both);
    story.logs_in("phone", "alice").expect("both may stay");
    assert_eq!(story.sends("bob", "alice", "hi"), accepted(1, true));
    assert_eq!((story.pushed("alice"), story.pushed("phone")), (vec!["hi".to_owned()], vec!["hi".to_owned()]));
    story.logs_out("alice").expect("logged in");
    assert_eq!(story.logs_out("alice"), refused(NotLoggedIn));
    assert_eq!(story.sends("phone", "bob", "still here"), accepted(1, true));
    story.logs_out("phone").expect("logged in");
    assert_eq!(story.sends("bob", "alice", "hi"), accepted(2, false));
}

#[test]
fn log_out_by_none_lets_a_connection_log_in_again_and_stay_when_its_session_goes() {
    let endless = wire(&[("log_out_by", "none"), ("second_log_in", "takes_over"), ("delivery", "poll")]);
    let mut story = Story::of(&["bob"]);
    story.connects_by("alice", &endless);
    story.creates("alice", "alice").expect("the name is free");
    let first = story.token("alice", "alice");
    story.connects_by("phone", &endless);
    let second = story.token("phone", "alice");
    assert_eq!(story.logs_out("alice"), refused(NotLoggedIn), "unbound, and not closed");
    assert_eq!(story.asks_as("alice", by_token(&first, Some("alice")), deliver()), refused(NotLoggedIn));
    assert!(story.asks_as("alice", by_token(&second, Some("alice")), deliver()).is_ok());
    assert!(story.logs_in("phone", "alice").is_ok(), "the same account, on the same connection");
    story.disconnects("bob");
    assert!(story.logs_in("phone", "bob").is_ok(), "another account, on the same connection");
}

#[test]
fn a_wire_without_passwords_looks_at_none_and_its_accounts_have_none() {
    let mut story = Story::of(&["bob"]);
    story.connects_by("alice", &bare(&[], &["passwords"]));
    let request = create("alice", "");
    assert_eq!(story.proves("alice", &request), Proof::Nothing);
    assert_eq!(story.asks("alice", request), created());
    assert_eq!(story.asks("alice", log_in("nobody", "", false)), refused(BadCredentials));
    assert!(story.asks("alice", log_in("alice", "whatever it is", false)).is_ok());
    assert_eq!(story.asks("alice", delete("")), deleted(0));
    story.creates("alice", "alice").expect("the name is free");
    story.connects("phone");
    assert_eq!(story.logs_in("phone", "alice"), refused(BadCredentials), "no password opens it");
    assert_eq!(story.cause, "wrong_password");
    story.disconnects("bob");
    assert!(story.asks("alice", log_in("bob", "", false)).is_ok(), "a name is enough here, for any account");
}

// ── who asks ──────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_name_must_be_that_of_the_connections_user_and_a_password_beside_it_theirs() {
    let mut story = Story::of(&["alice", "bob"]);
    story.connects("visitor");
    assert!(story.asks_as("alice", named("alice"), deliver()).is_ok());
    assert!(story.asks_as("alice", named_with("alice", PASSWORD), deliver()).is_ok());
    assert_eq!(story.asks_as("alice", named("bob"), deliver()), refused(NotLoggedIn));
    assert_eq!(story.asks_as("visitor", named_with("bob", PASSWORD), deliver()), refused(NotLoggedIn));
    assert_eq!(story.asks_as("alice", named_with("alice", "wrong"), deliver()), refused(BadCredentials));
    let long = Request::SendMessage { recipient: "nobody".into(), text: "x".repeat(4097), key: Vec::new() };
    assert_eq!(story.asks_as("alice", named_with("alice", "wrong"), long), refused(TextTooLong), "limits come first");
}

#[test]
fn a_token_is_its_session_wherever_it_is_said() {
    let mut story = Story::new();
    story.connects("alice");
    story.creates("alice", "alice").expect("the name is free");
    let token = story.token("alice", "alice");
    story.connects("phone");
    let send = Request::SendMessage { recipient: "alice".into(), text: "hi".into(), key: Vec::new() };
    assert_eq!(story.asks_as("phone", by_token(&token, Some("alice")), send), accepted(1, true));
    assert!(story.asks_as("phone", by_token(&token, None), deliver()).is_ok());
    assert_eq!(story.asks_as("phone", by_token(&token, Some("bob")), deliver()), refused(NotLoggedIn));
    assert_eq!(story.asks_as("phone", by_token(b"other", None), deliver()), refused(NotLoggedIn));
    assert_eq!(story.delivers("phone", 0, 9), refused(NotLoggedIn), "nothing is bound by it");
    assert_eq!(story.asks_as("phone", by_token(&token, None), Request::LogOut {}), Ok(Reply::LogOut {}));
    assert_eq!(story.delivers("alice", 0, 9), refused(NotLoggedIn), "the session is over everywhere");
    let token = story.token("alice", "alice");
    story.waits(LIFETIME_MS);
    assert_eq!(story.asks_as("phone", by_token(&token, None), deliver()), refused(NotLoggedIn));
}

// ── listing ───────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn list_needs_session_open_lists_for_anyone() {
    let mut story = Story::of(&["alice"]);
    story.connects_by("visitor", &wire(&[("list_needs_session", "open")]));
    assert_eq!(story.lists("visitor", "", "", 0), listed(&["alice"], false));
}

#[test]
fn list_order_creation_is_oldest_first_page_by_page() {
    let mut story = Story::of(&["b", "c"]);
    story.joins_by("a", &wire(&[("list_order", "creation")]));
    assert_eq!(story.lists("a", "", "", 0), listed(&["b", "c", "a"], false));
    assert_eq!(story.lists("a", "", "", 1), listed(&["b"], true));
    assert_eq!(story.lists("a", "", "b", 1), listed(&["c"], true));
    assert_eq!(story.lists("a", "", "c", 1), listed(&["a"], false));
    story.joins_by("d", &wire(&[("list_order", "none")]));
    assert!(matches!(story.lists("d", "", "", 0), Ok(Reply::ListAccounts { usernames, .. }) if usernames.len() == 4));
}

#[test]
fn listed_is_everyone_or_others_or_those_online() {
    let mut story = Story::of(&["alice", "bob"]);
    story.disconnects("bob");
    story.joins_by("carol", &wire(&[("listed", "others")]));
    story.joins_by("dave", &wire(&[("listed", "online")]));
    assert_eq!(story.lists("alice", "", "", 0), listed(&["alice", "bob", "carol", "dave"], false));
    assert_eq!(story.lists("carol", "", "", 0), listed(&["alice", "bob", "dave"], false));
    assert_eq!(story.lists("dave", "", "", 0), listed(&["alice", "carol", "dave"], false));
}

#[test]
fn a_pattern_is_read_in_the_language_of_the_wire() {
    for (language, pattern, expected) in [
        ("glob", "b?b*", &["bob", "bobby"][..]),
        ("star", "b?b*", &[]),
        ("substring", "ob", &["bob", "bobby", "rob"]),
        ("regex_prefix", "b.b", &["bob", "bobby"]),
        ("regex_full", "b.b", &["bob"]),
        ("like", "_ob%", &["bob", "bobby", "rob"]),
        ("none", "x", &["al", "bob", "bobby", "rob"]),
    ] {
        let mut story = Story::of(&["bob", "bobby", "rob"]);
        story.joins_by("al", &wire(&[("pattern", language)]));
        assert_eq!(story.lists("al", pattern, "", 0), listed(expected, false), "{language}");
        assert_eq!(story.lists("al", &"a".repeat(51), "", 0), refused(InvalidPattern), "{language}");
        if language.starts_with("regex") {
            assert_eq!(story.lists("al", "(", "", 0), refused(InvalidPattern), "{language}");
        }
    }
}

#[test]
fn a_wire_without_paging_gets_everything_at_once() {
    let mut story = Story::new();
    story.joins_by("a", &bare(&[], &["paging"]));
    for n in 0..150 {
        story.creates("a", &format!("n{n:03}")).expect("the name is free");
        story.sends("a", "a", &"x".repeat(1000)).expect("accepted");
    }
    let Ok(Reply::ListAccounts { usernames, more }) = story.lists("a", "", "", 0) else { panic!() };
    assert_eq!((usernames.len(), more), (151, false));
    let (texts, more) = story.page("a", 0, 100);
    assert_eq!((texts.len(), more), (150, false));
}
