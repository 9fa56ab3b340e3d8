//! Sessions: binding, tokens, taking over, expiry.

use super::*;

#[test]
fn hello_and_ping_need_no_session() {
    let mut story = Story::new();
    story.connects("visitor");
    assert_eq!(story.asks("visitor", Request::Ping { nonce: 7 }), Ok(Reply::Ping { nonce: 7 }));
    let hello = story.asks("visitor", Request::Hello { client: String::new() });
    assert!(matches!(hello, Ok(Reply::Hello { is_primary: true, .. })), "{hello:?}");
}

#[test]
fn the_reference_has_every_capability() {
    let mut story = Story::new();
    story.connects("visitor");
    let hello = story.asks("visitor", Request::Hello { client: String::new() });
    let Ok(Reply::Hello { mut capabilities, .. }) = hello else { panic!("{hello:?}") };
    capabilities.sort();
    assert_eq!(capabilities, Spec::embedded().service.capabilities.keys().cloned().collect::<Vec<_>>());
}

#[test]
fn making_an_account_does_not_log_in() {
    let mut story = Story::new();
    story.connects("alice");
    story.creates("alice", "alice").expect("the name is free");
    assert_eq!(story.lists("alice", "", "", 0), refused(NotLoggedIn));
}

#[test]
fn without_a_session_everything_that_needs_one_is_refused() {
    let mut story = Story::of(&["bob"]);
    story.connects("visitor");
    assert_eq!(story.logs_out("visitor"), refused(NotLoggedIn));
    assert_eq!(story.sends("visitor", "nobody", &"x".repeat(4097)), refused(NotLoggedIn));
    assert_eq!(story.delivers("visitor", 99, 9), refused(NotLoggedIn));
    assert_eq!(story.deletes("visitor", false), refused(NotLoggedIn));
}

#[test]
fn a_bound_connection_is_told_so_before_its_credentials_are_looked_at() {
    let mut story = Story::of(&["alice"]);
    assert_eq!(story.asks("alice", log_in("nobody", "wrong", true)), refused(AlreadyLoggedIn));
    assert_eq!(story.resumes("alice", b"garbage"), refused(AlreadyLoggedIn));
}

#[test]
fn credentials_come_before_a_session_elsewhere() {
    let mut story = Story::of(&["alice"]);
    story.connects("phone");
    for (name, password) in [("alice", "wrong"), ("nobody", PASSWORD), ("", PASSWORD), ("a*", PASSWORD), ("alice", "")]
    {
        assert_eq!(story.asks("phone", log_in(name, password, true)), refused(BadCredentials), "{name:?}");
    }
    assert_eq!(story.logs_in("phone", "alice"), refused(AlreadyLoggedIn));
    assert_eq!(story.lists("alice", "", "", 0), listed(&["alice"], false));
}

#[test]
fn taking_over_closes_the_other_connection_and_nothing_from_it_counts() {
    let mut story = Story::of(&["alice", "bob"]);
    story.connects("phone");
    assert!(story.takes_over("phone", "alice").is_ok());
    assert_eq!(story.saw("alice"), [Seen::Closed]);
    let connection = story.connections["alice"];
    let request = Request::SendMessage { recipient: "bob".to_owned(), text: "late".to_owned(), key: Vec::new() };
    let (who, proof, fresh_token) = (Who::Connection, Proof::Nothing, [0; 32]);
    story.applies(Input::Request { connection, who, request, proof, fresh_token });
    assert_eq!((story.saw("alice"), story.saw("bob")), (Vec::new(), Vec::new()));

    // The end of the old connection, when it comes, does not touch the new one.
    story.disconnects("alice");
    assert_eq!(story.sends("bob", "alice", "hi"), accepted(1, true));
}

#[test]
fn a_session_number_that_is_no_longer_present_does_nothing() {
    let mut story = Story::of(&["alice"]);
    let old = story.chat.presence.session(story.connections["alice"], story.now_ms).cloned().expect("logged in");
    story.logs_out("alice").expect("logged in");
    story.logs_in("alice", "alice").expect("the password is right");
    let late = crate::chat::command::Command::LogOut { session: old, ends: true };
    assert!(matches!(story.chat.state.commit(late, story.now_ms), Err(NotLoggedIn)));
    assert_eq!(story.lists("alice", "", "", 0), listed(&["alice"], false));
}

#[test]
fn disconnecting_leaves_the_user_offline_and_the_token_valid() {
    let mut story = Story::of(&["bob"]);
    story.connects("alice");
    story.creates("alice", "alice").expect("the name is free");
    let token = story.token("alice", "alice");
    story.disconnects("alice");
    assert_eq!(story.sends("bob", "alice", "hi"), accepted(1, false));
    story.connects("alice");
    story.waits(1);
    let resumed = Ok(Reply::ResumeSession { username: "alice".to_owned(), expires_in_s: LIFETIME_MS / 1000 });
    assert_eq!(story.resumes("alice", &token), resumed);
    assert_eq!(story.sends("bob", "alice", "hi"), accepted(2, true));
}

#[test]
fn resuming_takes_over_and_keeps_the_token_and_its_end() {
    let mut story = Story::new();
    story.connects("alice");
    story.creates("alice", "alice").expect("the name is free");
    let token = story.token("alice", "alice");
    story.waits(LIFETIME_MS / 2);
    for who in ["phone", "tablet"] {
        story.connects(who);
        let resumed = story.resumes(who, &token);
        assert!(matches!(resumed, Ok(Reply::ResumeSession { expires_in_s: 30, .. })), "{resumed:?}");
    }
    assert_eq!(story.saw("alice").last(), Some(&Seen::Closed));
    assert_eq!(story.saw("phone").last(), Some(&Seen::Closed));
    story.waits(LIFETIME_MS / 2);
    assert_eq!(story.logs_out("tablet"), refused(NotLoggedIn));
}

#[test]
fn only_the_present_token_counts() {
    let mut story = Story::new();
    story.connects("alice");
    story.creates("alice", "alice").expect("the name is free");
    let first = story.token("alice", "alice");
    story.logs_out("alice").expect("logged in");
    assert_eq!(story.resumes("alice", &first), refused(InvalidToken));
    let second = story.token("alice", "alice");
    story.disconnects("alice");
    story.connects("alice");
    let third = story.token("alice", "alice");
    story.disconnects("alice");
    story.connects("alice");
    for token in [&first, &second, &Vec::new(), &vec![0; 64]] {
        assert_eq!(story.resumes("alice", token), refused(InvalidToken));
    }
    assert!(story.resumes("alice", &third).is_ok());
}

#[test]
fn at_expiry_the_connection_is_unbound_and_stays_open() {
    let mut story = Story::of(&["bob"]);
    story.waits(LIFETIME_MS / 2);
    story.connects("alice");
    story.creates("alice", "alice").expect("the name is free");
    let token = story.token("alice", "alice");
    story.waits(LIFETIME_MS / 2);
    assert_eq!(story.logs_out("bob"), refused(NotLoggedIn), "the older token is over");
    assert_eq!(story.lists("alice", "a*", "", 0), listed(&["alice"], false));
    story.waits(LIFETIME_MS / 2);
    story.logs_in("bob", "bob").expect("expiry leaves bob free to log in");
    assert_eq!(story.sends("bob", "alice", "hi"), accepted(1, false), "alice is offline from that instant");
    assert_eq!(story.resumes("alice", &token), refused(TokenExpired));
    story.logs_in("alice", "alice").expect("the connection is open and free");
    assert_eq!(story.page("alice", 0, 9), page(&["hi"], false));
}

#[test]
fn a_replaced_token_is_invalid_even_when_it_would_be_over() {
    let mut story = Story::new();
    story.connects("alice");
    story.creates("alice", "alice").expect("the name is free");
    let first = story.token("alice", "alice");
    story.waits(LIFETIME_MS);
    story.logs_in("alice", "alice").expect("the session was over");
    story.connects("phone");
    assert_eq!(story.resumes("phone", &first), refused(InvalidToken));
}

#[test]
fn time_never_goes_back() {
    let mut story = Story::of(&["alice"]);
    story.waits(LIFETIME_MS);
    assert_eq!(story.logs_out("alice"), refused(NotLoggedIn));
    story.now_ms -= LIFETIME_MS;
    assert_eq!(story.logs_out("alice"), refused(NotLoggedIn));
    story.logs_in("alice", "alice").expect("the session was over");
    assert_eq!(story.lists("alice", "", "", 0), listed(&["alice"], false));
}

#[test]
fn a_connection_bound_when_the_edge_asked_is_bound() {
    let mut story = Story::of(&["alice"]);
    let request = log_in("alice", PASSWORD, false);
    let proof = story.proves("alice", &request);
    story.waits(LIFETIME_MS);
    assert_eq!(story.asks_with("alice", request, proof), refused(AlreadyLoggedIn));
    story.logs_in("alice", "alice").expect("the session is over");
}
