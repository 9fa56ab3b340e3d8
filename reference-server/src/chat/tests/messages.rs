//! Messages: delivery, acknowledgement, keys, bounds.

use super::*;

#[test]
fn a_message_to_a_bound_user_is_pushed_and_waits_until_acknowledged() {
    let mut story = Story::of(&["alice", "bob"]);
    assert_eq!(story.sends("alice", "bob", "hi"), accepted(1, true));
    let message = Message { message_id: 1, sender: "alice".into(), text: "hi".into(), sent_at: story.now_ms };
    assert_eq!(story.saw("bob"), [Seen::Message(message.clone())]);
    assert_eq!(story.delivers("bob", 0, 9), Ok(Reply::DeliverMessages { messages: vec![message], more: false }));
    assert_eq!(story.page("bob", 0, 9), page(&["hi"], false));
    assert_eq!(story.page("bob", 1, 9), page(&[], false));
    assert_eq!(story.page("bob", 0, 9), page(&[], false), "what is acknowledged does not come back");
}

#[test]
fn a_message_to_an_absent_user_waits() {
    let mut story = Story::of(&["alice", "bob"]);
    story.disconnects("bob");
    assert_eq!(story.sends("alice", "bob", "one"), accepted(1, false));
    assert_eq!(story.sends("alice", "bob", "two"), accepted(2, false));
    story.connects("bob");
    let logged_in = story.logs_in("bob", "bob");
    assert!(matches!(logged_in, Ok(Reply::LogIn { waiting: 2, .. })), "{logged_in:?}");
    assert_eq!(story.saw("bob").len(), 1, "a log in brings no messages");
    assert_eq!(story.page("bob", 0, 1), page(&["one"], true));
    assert_eq!(story.page("bob", 1, 1), page(&["two"], false));
}

#[test]
fn a_message_to_oneself_comes_before_its_response() {
    let mut story = Story::of(&["alice"]);
    story.sends("alice", "alice", "me").expect("accepted");
    let seen = story.saw("alice");
    assert!(matches!(&seen[..], [Seen::Message(_), Seen::Answer(Ok(_))]), "{seen:?}");
}

#[test]
fn a_cursor_beyond_the_last_message_changes_nothing() {
    let mut story = Story::of(&["alice"]);
    assert_eq!(story.delivers("alice", 1, 9), refused(InvalidCursor));
    story.sends("alice", "alice", "me").expect("accepted");
    assert_eq!(story.delivers("alice", 2, 9), refused(InvalidCursor));
    assert_eq!(story.delivers("alice", u64::MAX, 9), refused(InvalidCursor));
    assert_eq!(story.page("alice", 0, 9), page(&["me"], false));
}

#[test]
fn max_zero_only_acknowledges() {
    let mut story = Story::of(&["alice"]);
    story.sends("alice", "alice", "one").expect("accepted");
    story.sends("alice", "alice", "two").expect("accepted");
    assert_eq!(story.page("alice", 1, 0), page(&[], true));
    assert_eq!(story.page("alice", 2, 0), page(&[], false));
}

#[test]
fn ids_are_never_used_again() {
    let mut story = Story::of(&["alice"]);
    assert_eq!(story.sends("alice", "alice", "one"), accepted(1, true));
    story.page("alice", 1, 0);
    assert_eq!(story.sends("alice", "alice", "two"), accepted(2, true));
}

#[test]
fn a_page_holds_a_hundred_messages() {
    let mut story = Story::of(&["alice"]);
    for n in 1..=101 {
        story.sends("alice", "alice", &n.to_string()).expect("accepted");
    }
    for max in [100, 101, u64::MAX] {
        let (texts, more) = story.page("alice", 0, max);
        assert_eq!((texts.len(), more), (100, true));
    }
    assert_eq!(story.page("alice", 100, 100), page(&["101"], false));
}

#[test]
fn a_page_ends_before_its_bytes_are_used_up_and_holds_at_least_one_message() {
    // A message from "alice" needs 25 bytes beside its text, a page 14.
    for (page_bytes, expected) in [(1, 1), (14 + 2 * 125, 1), (14 + 2 * 125 + 1, 2), (14 + 3 * 125, 2)] {
        let mut story = Story::of(&["alice"]);
        for _ in 0..3 {
            story.sends("alice", "alice", &"x".repeat(100)).expect("accepted");
        }
        story.chat.state.limits_mut().page_bytes = page_bytes;
        assert_eq!(story.page("alice", 0, 100).0.len(), expected, "{page_bytes} bytes");
    }
}

#[test]
fn a_text_is_kept_up_to_its_longest_and_refused_beyond() {
    let mut story = Story::of(&["alice"]);
    let longest = "é".repeat(2048);
    for text in ["", "a\0b\r\n", &longest] {
        assert!(story.sends("alice", "alice", text).is_ok());
    }
    assert_eq!(story.page("alice", 0, 9), page(&["", "a\0b\r\n", &longest], false));
    assert_eq!(story.sends("alice", "nobody", &format!("{longest}x")), refused(TextTooLong));
    assert_eq!(story.sends("alice", "nobody", "x"), refused(NoSuchUser));
}

#[test]
fn a_full_mailbox_refuses_until_something_is_acknowledged() {
    let mut story = Story::of(&["alice"]);
    story.chat.state.limits_mut().mailbox_messages = 2;
    assert_eq!(story.sends_with_key("alice", "alice", "1", &[1; 16]), accepted(1, true));
    assert_eq!(story.sends("alice", "alice", "2"), accepted(2, true));
    assert_eq!(story.sends_with_key("alice", "alice", "3", &[3; 16]), refused(MailboxFull));
    assert_eq!(story.sends_with_key("alice", "alice", "1", &[1; 16]), accepted(1, false), "a kept key comes first");
    assert_eq!(story.sends_with_key("alice", "alice", "x", &[1; 16]), refused(KeyConflict));
    story.page("alice", 1, 0);
    assert_eq!(story.sends_with_key("alice", "alice", "other", &[3; 16]), accepted(3, true), "a refused key is free");
}

#[test]
fn a_repeated_key_gives_the_same_id_and_pushes_nothing() {
    let mut story = Story::of(&["alice", "bob", "carol"]);
    assert_eq!(story.sends_with_key("alice", "bob", "hi", &[7; 16]), accepted(1, true));
    story.saw("bob");
    assert_eq!(story.sends_with_key("alice", "bob", "hi", &[7; 16]), accepted(1, false));
    assert_eq!(story.sends_with_key("alice", "bob", "ho", &[7; 16]), refused(KeyConflict));
    assert_eq!(story.sends_with_key("alice", "carol", "hi", &[7; 16]), refused(KeyConflict));
    assert_eq!(story.saw("bob"), []);
    assert_eq!(story.sends_with_key("carol", "bob", "hi", &[7; 16]), accepted(2, true), "keys are each sender's own");
    assert_eq!(story.sends("alice", "bob", "hi"), accepted(3, true), "without a key, equal texts stay two");
}

#[test]
fn the_last_keys_are_kept() {
    let mut story = Story::of(&["alice"]);
    let key = |n: u64| [[0; 8], n.to_be_bytes()].concat();
    for n in 0..=256 {
        story.sends_with_key("alice", "alice", "x", &key(n)).expect("accepted");
    }
    assert_eq!(story.sends_with_key("alice", "alice", "x", &key(1)), accepted(2, false));
    assert_eq!(story.sends_with_key("alice", "alice", "x", &key(0)), accepted(258, true));
}

#[test]
fn a_key_of_another_length_is_malformed_before_anything_else() {
    let mut story = Story::of(&["alice"]);
    story.connects("visitor");
    for length in [1, 15, 17, 255] {
        for who in ["alice", "visitor"] {
            let answer = story.sends_with_key(who, "nobody", "", &vec![0; length]);
            assert_eq!(answer.map_err(|failure| failure.error), Err(Malformed), "{length} bytes from {who}");
        }
    }
}
