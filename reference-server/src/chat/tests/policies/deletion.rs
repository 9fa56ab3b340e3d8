//! What deleting an account takes, and what it leaves.

use super::*;

#[test]
fn delete_needs_session_and_no_password() {
    let mut story = Story::of(&["bob"]);
    story.joins_by("alice", &wire(&[("delete_needs", "session")]));
    story.connects_by("visitor", &wire(&[("delete_needs", "session")]));
    assert_eq!(story.asks_as("visitor", named("alice"), delete(PASSWORD)), refused(NotLoggedIn));
    assert_eq!(story.asks("alice", delete("")), deleted(0));
    assert_eq!(story.sends("bob", "alice", "hi"), refused(NoSuchUser));
}

#[test]
fn delete_needs_password_of_the_account_that_is_named_wherever_it_is_logged_in() {
    let mut story = Story::of(&["alice", "bob"]);
    story.connects_by("visitor", &wire(&[("delete_needs", "password")]));
    assert_eq!(story.asks_as("visitor", named("nobody"), delete(PASSWORD)), refused(BadCredentials));
    assert_eq!(story.asks_as("visitor", named("alice"), delete("wrong")), refused(BadCredentials));
    assert_eq!(story.asks_as("visitor", named("alice"), delete(PASSWORD)), deleted(0), "in the request");
    assert_eq!(story.delivers("alice", 0, 9), refused(NotLoggedIn), "whoever was logged in is no more");
    assert_eq!(story.asks_as("visitor", named_with("bob", PASSWORD), delete("")), deleted(0), "or beside the name");
    assert_eq!(story.asks("visitor", delete(PASSWORD)), refused(NotLoggedIn), "nobody is named");
}

#[test]
fn delete_needs_password_logged_out_refuses_who_is_logged_in_here_or_elsewhere() {
    let logged_out = wire(&[("delete_needs", "password_logged_out")]);
    let mut story = Story::of(&["bob"]);
    story.joins_by("alice", &logged_out);
    story.connects_by("visitor", &logged_out);
    for (who, name, password, error, cause) in [
        ("visitor", "nobody", PASSWORD, BadCredentials, "no_such_user"),
        ("visitor", "alice", "wrong", BadCredentials, "wrong_password"),
        ("visitor", "alice", PASSWORD, AlreadyLoggedIn, "elsewhere"),
        ("alice", "alice", PASSWORD, AlreadyLoggedIn, "here"),
        ("alice", "bob", PASSWORD, AlreadyLoggedIn, "elsewhere"),
    ] {
        assert_eq!(story.asks_as(who, named(name), delete(password)), refused(error), "{who} deletes {name}");
        assert_eq!(story.cause, cause, "{who} deletes {name}");
    }
    story.disconnects("bob");
    assert_eq!(story.asks_as("visitor", named_with("bob", PASSWORD), delete("")), deleted(0));
    assert_eq!(story.sends("alice", "bob", "hi"), refused(NoSuchUser));
}

#[test]
fn delete_waiting_is_discarded_without_being_asked_to() {
    let mut story = Story::new();
    story.joins_by("alice", &wire(&[("delete_waiting", "discarded")]));
    story.sends("alice", "alice", "note").expect("accepted");
    assert_eq!(story.deletes("alice", false), deleted(1));
}

#[test]
fn delete_waiting_is_shown_in_the_answer() {
    let mut story = Story::new();
    story.joins_by("alice", &wire(&[("delete_waiting", "shown")]));
    for text in ["one", "two"] {
        story.sends("alice", "alice", text).expect("accepted");
    }
    let answer = story.deletes("alice", false);
    let Ok(Reply::DeleteAccount { discarded: 0, messages }) = answer else { panic!("{answer:?}") };
    assert_eq!(texts(&messages), ["one", "two"]);
}

#[test]
fn delete_waiting_is_kept_for_the_next_owner_over_a_wire_that_keeps_it() {
    let kept = wire(&[("delete_waiting", "kept")]);
    for (next, expected) in [(&kept, &["note"][..]), (&Policies::default(), &[])] {
        let mut story = Story::new();
        story.joins_by("alice", &kept);
        story.sends("alice", "alice", "note").expect("accepted");
        assert_eq!(story.deletes("alice", false), deleted(0));
        story.joins_by("alice", next);
        assert_eq!(story.page("alice", 0, 9), page(expected, false));
        story.deletes("alice", true).expect("the password is right");
        story.joins_by("alice", &Policies::default());
        assert_eq!(story.page("alice", 0, 9), page(&[], false), "the owner after that sees nothing");
    }
}

#[test]
fn deleted_name_kept_is_never_free_again() {
    let mut story = Story::of(&["bob"]);
    story.joins_by("alice", &wire(&[("deleted_name", "kept")]));
    assert_eq!(story.deletes("alice", false), deleted(0));
    assert_eq!(story.creates("alice", "alice"), refused(UsernameTaken));
    assert_eq!(story.creates("bob", "alice"), refused(UsernameTaken));
    assert_eq!(story.lists("bob", "", "", 0), listed(&["bob"], false));
}
