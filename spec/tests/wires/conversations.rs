//! A connection from the client's side: what must be said first, what a pause ends, whom the wire calls what.

use spec::codec::{Conversation, Heard, Memory, What};

use crate::stage::{list, ok, record, service, wire, wire_of};

#[test]
fn what_several_steps_tell_is_one_list_the_last_step_s_too() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "list_accounts: [{say: \"first\", hear: {next: \"{usernames: list of word joined by ' '}\"}}, \
                         {say: \"rest\", hear: {ok: \"{usernames: list of word joined by ' '}\"}}]",
    );
    let mut memory = Memory::of("ann");
    let all = record! {usernames: list!["ann", "bo", "cy"]};
    wire.play(&mut memory, "list_accounts", record! {pattern: "", after: "", limit: 0})
        .says("first\n")
        .hears("ann bo\n")
        .says("rest\n")
        .hears("cy\n")
        .ends(ok(all));
}

#[test]
fn nothing_is_asked_before_a_connection_is_opened() {
    let wire = wire(
        "dialect: a\nabout: b\nframe: \"{line}\\n\"\nconnect: {say: \"hi\", hear: {ok: \"who are you?\"}}\nfence: log_in\n\
         operations: {log_in: {say: \"in {username: word} {password: word}\", hear: {ok: \"in\", bad_credentials: \"no\"}}}",
    );
    let (mut conversation, mut memory) = (Conversation::new(wire.0.clone()), Memory::of("ann"));
    assert!(conversation.is_opening());
    assert_eq!(conversation.to_say(), b"hi\n");
    conversation.push(b"who are you?\n");
    assert!(matches!(conversation.next(&mut memory).map(|came| came.what), Some(What::Part(_))));
    assert!(!conversation.is_opening());
    // Where only the server speaks, a request may come at once.
    let greeting =
        wire_of("frame: \"{line}\\n\"\nconnect: {hear: {ok: \"hello\"}}", "hello: {say: \"hi\", hear: {ok: \"ho\"}}");
    assert!(!Conversation::new(greeting.0.clone()).is_opening());
}

#[test]
fn a_pause_ends_only_what_can_have_ended() {
    let wire = wire_of("", "hello: {say: \"hi\", hear: {ok: [\"one {server: word} two\", \"hello {server}\"]}}");
    let (mut conversation, mut memory) = (Conversation::new(wire.0.clone()), Memory::of("ann"));
    conversation.ask("hello", &record! {client: ""}, &memory).expect("it can be said");
    conversation.push(b"one a");
    assert!(conversation.next(&mut memory).is_none() && conversation.after_a_pause(&mut memory).is_none());
    conversation.push(b" two");
    let came = conversation.after_a_pause(&mut memory).map(|came| came.what);
    assert!(matches!(came, Some(What::Answer(Heard::Ok { .. }))), "{came:?}");
    // At the end of the connection nothing more can come.
    conversation.ask("hello", &record! {client: ""}, &memory).expect("it can be said");
    conversation.push(b"one a");
    assert!(conversation.ended(&mut memory).is_some());
}

#[test]
fn what_ends_the_connection_is_known_when_it_was_heard() {
    let wire =
        wire_of("frame: \"{line}\\n\"", "hello: {say: \"hi\", hear: {ok: \"ho\", error: {line: \"no\", then: close}}}");
    for (answer, is_over) in [("ho\n", false), ("no\n", true)] {
        let (mut conversation, mut memory) = (Conversation::new(wire.0.clone()), Memory::of("ann"));
        conversation.ask("hello", &record! {client: ""}, &memory).expect("it can be said");
        conversation.push(answer.as_bytes());
        assert!(conversation.next(&mut memory).is_some());
        assert_eq!(conversation.is_over(), is_over, "{answer}");
    }
}

#[test]
fn what_the_wire_calls_a_user_is_news_and_passwords_are_not() {
    let mut alice = Memory::of("alice");
    alice.learn(&record! {username: "alice", password: "secret", id: 21}, service());
    let news = alice.take_news();
    assert_eq!(news.len(), 1, "{news:?}");
    assert!(alice.take_news().is_empty());
    // The same once more is none, another number is.
    alice.learn(&record! {username: "alice", id: 21}, service());
    assert!(alice.take_news().is_empty());
    let mut bob = Memory::of("bob");
    bob.is_told(&news);
    assert_eq!(bob.value_of("id", "alice").and_then(|id| id.as_int()), Some(21));
    assert_eq!(bob.value_of("password", "alice"), None);
    assert!(bob.take_news().is_empty());
}

#[test]
fn a_request_that_needs_what_nobody_learned_is_not_said() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "send_message: {say: \"{id of recipient: int} {text: line}\", hear: {ok: \"fine\"}, unknown: no_such_user}",
    );
    let (mut conversation, mut memory) = (Conversation::new(wire.0.clone()), Memory::of("ann"));
    let asked = conversation.ask("send_message", &record! {recipient: "bo", text: "x", key: ""}, &memory);
    assert_eq!(asked, Ok(Some(Vec::new())));
    assert!(conversation.was_not_asked());
    assert!(conversation.next(&mut memory).is_some() && !conversation.was_not_asked());
}

#[test]
fn a_hash_hides_an_argument() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "log_in: {say: \"in {username: word} {password as sha256_hex}\", hear: {ok: \"in\", bad_credentials: \"no\"}}",
    );
    assert!(wire.0.hides_argument("log_in", "password") && !wire.0.hides_argument("log_in", "username"));
}

#[test]
fn what_silence_leads_on_to_is_not_answered_by_the_fence() {
    let wire = wire_of(
        "frame: \"{line}\\n\"\nshapes: {note: \"{sender: word} {text: word}\"}",
        "ping: {say: \"ping {nonce}\", hear: {ok: \"pong {nonce}\"}}\n\
         deliver_messages: [{say: \"wake\", hear: {not_logged_in: \"no\"}, silence: next}, \
                            {say: \"get\", hear: {ok: \"{messages: list of note joined by ', '}\"}}]",
    );
    let mut memory = Memory::of("ann");
    let mut ann = Conversation::new(wire.0.clone());
    ann.ask("deliver_messages", &record! {acknowledge: 0_u64, max: 100_u64}, &memory).expect("it can be said");
    assert!(ann.after_a_pause(&mut memory).is_none());
    let fence = String::from_utf8(ann.to_say()).expect("a line");
    ann.push(fence.replace("ping", "pong").as_bytes());
    assert!(matches!(ann.next(&mut memory).map(|came| came.what), Some(What::Part(Heard::Ok { .. }))), "the fence");
    assert_eq!(ann.to_say(), b"get\n");
    ann.push(b"bo one\n");
    let Some(What::Answer(Heard::Ok { values, .. })) = ann.next(&mut memory).map(|came| came.what) else {
        panic!("the answer of the second step");
    };
    assert_eq!(values.get("messages"), Some(&list![record! {sender: "bo", text: "one"}]));
}
