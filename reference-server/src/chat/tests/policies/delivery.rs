//! How messages reach their reader, and when they are gone.

use super::*;

/// A story in which bob is logged in by the protocol's own wire, and alice over another one.
fn with(choices: &[(&'static str, &'static str)]) -> Story {
    let mut story = Story::of(&["bob"]);
    story.joins_by("alice", &wire(choices));
    story
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn delivery_poll_and_history_push_nothing_and_say_so() {
    for delivery in ["poll", "history"] {
        let mut story = with(&[("delivery", delivery)]);
        assert_eq!(story.sends("bob", "alice", "hi"), accepted(1, false));
        assert_eq!(story.pushed("alice"), nothing());
        assert_eq!(story.page("alice", 0, 9), page(&["hi"], false));
        story.listens("alice", Who::Connection);
        assert_eq!(story.sends("bob", "alice", "hi"), accepted(2, false), "{delivery}: nobody listens to that");
    }
}

#[test]
fn delivery_stream_pushes_to_a_connection_that_listens_also_what_it_fetches() {
    let mut story = with(&[("delivery", "stream")]);
    assert_eq!(story.sends("bob", "alice", "one"), accepted(1, false));
    assert_eq!(story.page("alice", 0, 9), page(&[], true), "without a stream there is nowhere to put it");
    story.listens("alice", named("bob"));
    assert_eq!(story.sends("bob", "alice", "two"), accepted(2, false), "somebody else's stream is none");
    story.listens("alice", named("alice"));
    assert_eq!(story.pushed("alice"), nothing(), "a stream begins empty");
    assert_eq!(story.sends("bob", "alice", "three"), accepted(3, true));
    assert_eq!(story.pushed("alice"), ["three"]);
    assert_eq!(story.page("alice", 1, 9), page(&[], false));
    assert_eq!(story.pushed("alice"), ["two", "three"]);
    story.logs_out("alice").expect("logged in");
    story.logs_in("alice", "alice").expect("the password is right");
    assert_eq!(story.sends("bob", "alice", "four"), accepted(4, false), "a stream ends with its session");
}

#[test]
fn a_stream_without_a_listener_drains_nothing() {
    let mut story = with(&[("delivery", "stream"), ("deliver_drains", "at_once")]);
    story.sends("bob", "alice", "hi").expect("accepted");
    assert_eq!(story.page("alice", 0, 9), page(&[], true));
    story.listens("alice", Who::Connection);
    assert_eq!(story.page("alice", 0, 9), page(&[], false));
    assert_eq!(story.pushed("alice"), ["hi"]);
    story.page("alice", 0, 9);
    assert_eq!(story.pushed("alice"), nothing(), "what went out is gone");
}

#[test]
fn who_comes_back_by_name_is_bound_to_the_session_they_have() {
    let mut story = with(&[("second_log_in", "refused")]);
    story.listens("bob", named("alice"));
    assert!(story.lists("bob", "", "", 0).is_ok(), "a bound connection stays what it is");
    story.disconnects("alice");
    for who in ["nobody", "alice", "tablet"] {
        story.connects_by(who, &wire(&[("second_log_in", "refused")]));
    }
    story.listens("nobody", named("nobody"));
    assert_eq!(story.delivers("nobody", 0, 9), refused(NotLoggedIn));
    story.listens("alice", named("alice"));
    assert_eq!(story.sends("bob", "alice", "welcome back"), accepted(1, true));
    story.listens("tablet", named("alice"));
    assert_eq!(story.delivers("tablet", 0, 9), refused(NotLoggedIn), "not where a second log in is refused");
    story.logs_out("alice").expect("logged in");
    story.listens("alice", named("alice"));
    assert_eq!(story.delivers("alice", 0, 9), refused(NotLoggedIn), "who has logged out has nothing to come back to");
}

#[test]
fn a_token_opens_a_stream_beside_the_connection_that_has_it() {
    let mut story = Story::of(&["bob"]);
    story.connects("alice");
    story.creates("alice", "alice").expect("the name is free");
    let token = story.token("alice", "alice");
    story.connects_by("stream", &wire(&[("delivery", "stream")]));
    story.listens("stream", by_token(b"another", None));
    story.listens("stream", by_token(&token, Some("alice")));
    assert_eq!(story.sends("bob", "alice", "hi"), accepted(1, true));
    assert_eq!((story.pushed("alice"), story.pushed("stream")), (vec!["hi".to_owned()], vec!["hi".to_owned()]));
}

#[test]
fn deliver_drains_at_once_keeps_nothing_that_was_pushed_or_fetched() {
    let mut story = with(&[("deliver_drains", "at_once")]);
    assert_eq!(story.sends("bob", "alice", "pushed"), accepted(1, true));
    assert_eq!(story.page("alice", 0, 9), page(&[], false));
    story.disconnects("alice");
    story.sends("bob", "alice", "one").expect("accepted");
    story.sends("bob", "alice", "two").expect("accepted");
    story.connects_by("alice", &wire(&[("deliver_drains", "at_once")]));
    story.logs_in("alice", "alice").expect("the password is right");
    assert_eq!(story.page("alice", 0, 1), page(&["one"], true));
    assert_eq!(story.page("alice", 0, 9), page(&["two"], false));
    assert_eq!(story.page("alice", 0, 9), page(&[], false));
    assert_eq!(story.sends("bob", "alice", "pushed"), accepted(4, true), "ids go on");
}

#[test]
fn what_one_of_two_connections_has_to_acknowledge_is_kept() {
    let mut story = with(&[("deliver_drains", "at_once")]);
    story.connects_by("phone", &wire(&[("second_log_in", "both")]));
    story.logs_in("phone", "alice").expect("both may stay");
    story.sends("bob", "alice", "hi").expect("accepted");
    assert_eq!(story.page("phone", 0, 9), page(&["hi"], false));
}

#[test]
fn a_mailbox_is_never_full_for_what_it_does_not_keep() {
    let mut story = with(&[("deliver_drains", "at_once")]);
    story.chat.state.limits_mut().mailbox_messages = 1;
    for id in 1..=3 {
        assert_eq!(story.sends("bob", "alice", "hi"), accepted(id, true));
    }
}

#[test]
fn deliver_drains_never_gives_everything_from_the_start_each_time() {
    let mut story = with(&[("deliver_drains", "never")]);
    story.sends("bob", "alice", "one").expect("accepted");
    story.sends("bob", "alice", "two").expect("accepted");
    for acknowledge in [0, 1, 2, 3] {
        assert_eq!(story.page("alice", acknowledge, 9), page(&["one", "two"], false));
    }
}

#[test]
fn without_a_way_to_acknowledge_what_is_handed_out_is_gone() {
    let policies = bare(&[], &["acknowledgement"]);
    assert_eq!(policies, wire(&[("deliver_drains", "at_once")]));
    let mut story = Story::of(&["bob"]);
    story.joins_by("alice", &policies);
    story.sends("bob", "alice", "hi").expect("accepted");
    assert_eq!(story.page("alice", 0, 9), page(&[], false));
    let never = bare(&[("deliver_drains", "never")], &["acknowledgement"]);
    assert_eq!(never, wire(&[("deliver_drains", "never")]), "unless it never goes");
}

#[test]
fn echo_echoed_comes_to_the_sender_before_the_answer_and_once() {
    let mut story = with(&[("echo", "echoed")]);
    assert_eq!(story.sends("alice", "bob", "hi"), accepted(1, true));
    let seen = story.saw("alice");
    let [Seen::Message(message), Seen::Answer(Ok(_))] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((message.sender.as_str(), message.text.as_str()), ("alice", "hi"));
    assert_eq!(story.pushed("bob"), ["hi"]);
    assert_eq!(story.sends("alice", "alice", "me"), accepted(1, true));
    assert_eq!(story.pushed("alice"), ["me"]);
    story.disconnects("bob");
    assert_eq!(story.sends("alice", "bob", "later"), accepted(2, false), "an echo is no delivery");
    assert_eq!(story.pushed("alice"), ["later"]);
}
