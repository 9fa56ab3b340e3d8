//! Accounts: names, passwords, listing, deletion.

use super::*;

#[test]
fn a_username_is_one_to_fifty_characters_without_white_space_controls_and_wildcards() {
    let mut story = Story::new();
    story.connects("alice");
    let (longest, too_long) = ("é".repeat(50), "é".repeat(51));
    for name in ["a", "🦀", "é", "Alice", "\u{200d}", &longest] {
        assert_eq!(story.creates("alice", name), created(), "{name:?}");
    }
    for name in ["", " ", "a b", "a\tb", "a\u{a0}b", "a\u{3000}", "a\0", "a\u{7f}", "a|b", "*", "a?", &too_long] {
        assert_eq!(story.creates("alice", name), refused(InvalidUsername), "{name:?}");
    }
}

#[test]
fn a_password_is_one_to_fifty_characters() {
    let mut story = Story::new();
    story.connects("alice");
    for (name, password, expected) in [
        ("a", "é".repeat(50), created()),
        ("b", "é".repeat(51), refused(InvalidPassword)),
        ("c", String::new(), refused(InvalidPassword)),
        ("d", " ".to_owned(), created()),
    ] {
        assert_eq!(story.asks("alice", create(name, &password)), expected, "{name}");
    }
}

#[test]
fn names_are_unique_and_compared_exactly() {
    let mut story = Story::of(&["alice"]);
    assert_eq!(story.creates("alice", "alice"), refused(UsernameTaken));
    assert_eq!(story.creates("alice", "Alice"), created());
    assert_eq!(story.creates("alice", "e\u{301}"), created());
    assert_eq!(story.creates("alice", "é"), created());
}

#[test]
fn limits_come_before_existence() {
    let mut story = Story::of(&["alice"]);
    assert_eq!(story.asks("alice", create("alice", "")), refused(InvalidPassword));
    assert_eq!(story.asks("alice", create("", "")), refused(InvalidUsername));
}

#[test]
fn nothing_is_hashed_for_a_request_that_is_refused_anyway() {
    let mut story = Story::of(&["alice"]);
    story.connects("visitor");
    let long = "x".repeat(51);
    let delete = |password: &str| Request::DeleteAccount { password: password.to_owned(), discard: false };
    for (who, request) in [
        ("visitor", create("", PASSWORD)),
        ("visitor", create("bob", &long)),
        ("visitor", create("alice", PASSWORD)),
        ("visitor", log_in("alice", &long, false)),
        ("visitor", log_in("no such name", PASSWORD, false)),
        ("visitor", delete(PASSWORD)),
        ("alice", log_in("alice", PASSWORD, false)),
        ("alice", delete(&long)),
    ] {
        let needed = story.chat.question(story.connections[who], &Who::Connection, &request, story.now_ms);
        assert_eq!(needed, SecretNeeded::Nothing, "{who} asks {request:?}");
    }
    let unknown = story.chat.question(
        story.connections["visitor"],
        &Who::Connection,
        &log_in("bob", PASSWORD, false),
        story.now_ms,
    );
    assert_eq!(unknown, SecretNeeded::Absent);
}

#[test]
fn a_name_taken_when_the_edge_asked_is_taken() {
    let mut story = Story::of(&["alice"]);
    story.connects("bob");
    let proof = story.proves("bob", &create("alice", PASSWORD));
    story.deletes("alice", false).expect("nothing waits");
    assert_eq!(story.asks_with("bob", create("alice", PASSWORD), proof), refused(UsernameTaken));
}

#[test]
fn names_are_listed_by_code_point_and_page_by_page() {
    let mut story = Story::of(&["b", "a", "é", "B", "z"]);
    assert_eq!(story.lists("a", "", "", 0), listed(&["B", "a", "b", "z", "é"], false));
    assert_eq!(story.lists("a", "*", "", 2), listed(&["B", "a"], true));
    assert_eq!(story.lists("a", "*", "a", 2), listed(&["b", "z"], true));
    assert_eq!(story.lists("a", "*", "z", 2), listed(&["é"], false));
    assert_eq!(story.lists("a", "*", "é", 2), listed(&[], false));
    assert_eq!(story.lists("a", "?", "aa", 1), listed(&["b"], true));
}

#[test]
fn a_pattern_with_a_prefix_starts_where_the_page_does() {
    let mut story = Story::of(&["ba", "bb", "bc", "c"]);
    assert_eq!(story.lists("c", "b*", "", 2), listed(&["ba", "bb"], true));
    assert_eq!(story.lists("c", "b*", "bb", 2), listed(&["bc"], false));
    assert_eq!(story.lists("c", "b*", "a", 1), listed(&["ba"], true));
    assert_eq!(story.lists("c", "b*", "c", 2), listed(&[], false));
    assert_eq!(story.lists("c", "bb", "", 2), listed(&["bb"], false));
}

#[test]
fn a_page_of_names_holds_a_hundred() {
    let mut story = Story::of(&["alice"]);
    for n in 0..101 {
        story.creates("alice", &format!("n{n:03}")).expect("the name is free");
    }
    for limit in [0, 100, 101, u64::MAX] {
        let Ok(Reply::ListAccounts { usernames, more }) = story.lists("alice", "n*", "", limit) else { panic!() };
        assert_eq!((usernames.len(), more), (100, true), "limit {limit}");
    }
    assert_eq!(story.lists("alice", "n*", "n099", 0), listed(&["n100"], false));
}

#[test]
fn a_pattern_has_at_most_fifty_characters_and_needs_a_session_first() {
    let mut story = Story::of(&["alice"]);
    story.connects("visitor");
    assert_eq!(story.lists("alice", &"é".repeat(50), "", 0), listed(&[], false));
    assert_eq!(story.lists("alice", &"*".repeat(51), "", 0), refused(InvalidPattern));
    assert_eq!(story.lists("visitor", &"*".repeat(51), "", 0), refused(NotLoggedIn));
}

#[test]
fn deletion_needs_session_then_password_then_an_empty_mailbox() {
    let mut story = Story::of(&["alice"]);
    story.connects("visitor");
    story.sends("alice", "alice", "note").expect("accepted");
    let wrong = Request::DeleteAccount { password: "wrong".to_owned(), discard: true };
    assert_eq!(story.asks("visitor", wrong.clone()), refused(NotLoggedIn));
    assert_eq!(story.asks("alice", wrong), refused(BadCredentials));
    assert_eq!(story.deletes("alice", false), refused(MailboxNotEmpty));
    assert_eq!(story.page("alice", 0, 9), page(&["note"], false));
    assert_eq!(story.deletes("alice", true), Ok(Reply::DeleteAccount { discarded: 1, messages: Vec::new() }));
    assert_eq!(story.logs_out("alice"), refused(NotLoggedIn));
    assert_eq!(story.logs_in("alice", "alice"), refused(BadCredentials));
}

#[test]
fn a_new_owner_of_a_name_sees_nothing_of_the_old_one() {
    let mut story = Story::of(&["alice", "bob"]);
    story.sends("alice", "bob", "for the old bob").expect("accepted");
    story.logs_out("bob").expect("logged in");
    let token = story.token("bob", "bob");
    story.deletes("bob", true).expect("the password is right");
    story.creates("bob", "bob").expect("the name is free again");
    assert_eq!(story.resumes("bob", &token), refused(InvalidToken));
    story.logs_in("bob", "bob").expect("the password is right");
    assert_eq!(story.page("bob", 0, 9), page(&[], false));
    assert_eq!(story.sends("alice", "bob", "for the new bob"), accepted(1, true));
}

#[test]
fn a_password_proved_for_a_deleted_account_opens_no_other() {
    let mut story = Story::of(&["bob"]);
    story.connects("phone");
    let request = log_in("bob", PASSWORD, true);
    let proof = story.proves("phone", &request);
    assert!(matches!(proof, Proof::Right { .. }));
    story.deletes("bob", false).expect("nothing waits");
    story.asks("bob", create("bob", "another")).expect("the name is free again");
    assert_eq!(story.asks_with("phone", request, proof), refused(BadCredentials));
}

#[test]
fn messages_of_a_deleted_sender_stay() {
    let mut story = Story::of(&["alice", "bob"]);
    story.sends("alice", "bob", "hi").expect("accepted");
    story.deletes("alice", false).expect("nothing waits");
    let Ok(Reply::DeliverMessages { messages, .. }) = story.delivers("bob", 0, 9) else { panic!() };
    assert_eq!((messages[0].sender.as_str(), messages[0].text.as_str()), ("alice", "hi"));
}
