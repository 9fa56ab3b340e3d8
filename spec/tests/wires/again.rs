//! Operations whose step is said again until it has brought everything: one row at a time, or page by page.

use spec::codec::{Conversation, Heard, Memory, Saying, What};

use crate::stage::{error, list, ok, record, wire_of};

const MESSAGES: &str = "deliver_messages: {say: \"get\", \
     hear: {ok: \"NONE\", again: \"{sender: word}: {text}\", not_logged_in: \"log in\"}}";

#[test]
fn the_same_is_asked_again_until_nothing_is_left() {
    let wire = wire_of("frame: \"{line}\\n\"", MESSAGES);
    let mut memory = Memory::of("ann");
    let all = list![record! {sender: "bo", text: "one"}, record! {sender: "cy", text: "two"}];
    let nothing = || record! {acknowledge: 0_u64, max: 100_u64};
    wire.play(&mut memory, "deliver_messages", nothing())
        .says("get\n")
        .hears("bo: one\n")
        .says("get\n")
        .hears("cy: two\n")
        .says("get\n")
        .hears("NONE\n")
        .ends(ok(record! {messages: all}));
    wire.play(&mut memory, "deliver_messages", nothing())
        .says("get\n")
        .hears("NONE\n")
        .ends(ok(record! {messages: list![]}));
    // An error ends it, whatever came before.
    wire.play(&mut memory, "deliver_messages", nothing())
        .says("get\n")
        .hears("bo: one\n")
        .says("get\n")
        .hears("log in\n")
        .ends(error("not_logged_in"));
}

#[test]
fn an_empty_list_is_the_end_where_a_list_is_asked_for_again() {
    let wire = wire_of(
        "frame: json",
        "list_accounts: {say: {list: \"{pattern}\"}, hear: {again: {users: \"{usernames: list of word}\"}}}",
    );
    let mut memory = Memory::of("ann");
    let arguments = || record! {pattern: "", after: "", limit: 0_u64};
    wire.play(&mut memory, "list_accounts", arguments())
        .says(r#"{"list":""}"#)
        .hears(r#"{"users":["ann","bo"]}"#)
        .says(r#"{"list":""}"#)
        .hears(r#"{"users":["cy"]}"#)
        .says(r#"{"list":""}"#)
        .hears(r#"{"users":[]}"#)
        .ends(ok(record! {usernames: list!["ann", "bo", "cy"]}));
}

#[test]
fn the_last_page_may_say_itself_that_it_is_the_last() {
    let wire = wire_of(
        "frame: json",
        "list_accounts: {say: {list: \"{pattern}\"}, hear: {ok: {users: \"{usernames: list of word}\", rest: false}, \
         again: {users: \"{usernames: list of word}\", rest: true}}}",
    );
    let mut memory = Memory::of("ann");
    wire.play(&mut memory, "list_accounts", record! {pattern: "", after: "", limit: 0_u64})
        .says(r#"{"list":""}"#)
        .hears(r#"{"users":["ann"],"rest":true}"#)
        .says(r#"{"list":""}"#)
        .hears(r#"{"users":["bo"],"rest":false}"#)
        .ends(ok(record! {usernames: list!["ann", "bo"]}));
    // A server has all of it on its last page.
    let asked = wire.says("list_accounts", record! {pattern: ""}, r#"{"list":""}"#);
    wire.answers(&asked, ok(record! {usernames: list!["ann", "bo"]}), r#"{"users":["ann","bo"],"rest":false}"#);
}

#[test]
fn what_rows_tell_of_users_is_learned_when_they_are_asked_for_again() {
    let wire = wire_of(
        "frame: json\nshapes: {friend: {nick: \"{username}\", id: \"{id: int}\"}}",
        "list_accounts: {say: {list: \"{pattern}\"}, hear: {again: {users: \"{usernames: list of friend}\"}}}",
    );
    let mut memory = Memory::of("ann");
    wire.play(&mut memory, "list_accounts", record! {pattern: "", after: "", limit: 0_u64})
        .says(r#"{"list":""}"#)
        .hears(r#"{"users":[{"nick":"bo","id":21}]}"#)
        .says(r#"{"list":""}"#)
        .hears(r#"{"users":[]}"#)
        .ends(ok(record! {usernames: list!["bo"]}));
    assert_eq!(memory.value_of("id", "bo").and_then(|id| id.as_int()), Some(21));
}

#[test]
fn over_grpc_calls_are_made_again() {
    let wire = wire_of(
        "service: a.B\nframe: grpc",
        "deliver_messages: {say: {method: Get, request: {}}, hear: {ok: {method: Get, reply: {text: \"NONE\"}}, \
         again: {method: Get, reply: {from: \"{sender}\", text: \"{text}\"}}}}",
    );
    let mut memory = Memory::of("ann");
    let mut ann = Conversation::new(wire.0.clone());
    let first =
        ann.ask("deliver_messages", &record! {acknowledge: 0_u64, max: 0_u64}, &memory).expect("it can be said");
    ann.push(b"{\"method\":\"Get\",\"status\":\"OK\",\"reply\":{\"from\":\"bo\",\"text\":\"one\"}}\n");
    assert!(matches!(ann.next(&mut memory).map(|came| came.what), Some(What::Part(Heard::More { again: true, .. }))));
    assert_eq!(Some(ann.to_say()), first);
    ann.push(b"{\"method\":\"Get\",\"status\":\"OK\",\"reply\":{\"from\":\"\",\"text\":\"NONE\"}}\n");
    let Some(What::Answer(Heard::Ok { values, .. })) = ann.next(&mut memory).map(|came| came.what) else {
        panic!("NONE is the end");
    };
    assert_eq!(values.get("messages"), Some(&list![record! {sender: "bo", text: "one"}]));
}

#[test]
fn a_server_that_always_brings_more_is_not_asked_for_ever() {
    let wire = wire_of("frame: \"{line}\\n\"", MESSAGES);
    let mut memory = Memory::of("ann");
    let mut ann = Conversation::new(wire.0.clone());
    ann.ask("deliver_messages", &record! {acknowledge: 0_u64, max: 100_u64}, &memory).expect("it can be said");
    let end = (0..10_000).find_map(|_| {
        ann.push(b"bo: one\n");
        match ann.next(&mut memory).expect("something came").what {
            What::Part(_) => {
                assert_eq!(ann.to_say(), b"get\n");
                None
            }
            end => Some(end),
        }
    });
    assert!(matches!(end, Some(What::Answer(Heard::Other { taken: Some(8), .. }))), "{end:?}");
    assert!(ann.to_say().is_empty() && ann.unanswered() == 0);
}

#[test]
fn a_fence_that_was_said_before_proves_nothing_of_what_is_said_again() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "ping: {say: \"ping {nonce}\", hear: {ok: \"pong {nonce}\"}}\n\
         deliver_messages: {say: \"get\", hear: {again: \"{sender: word}: {text}\"}, silence: ok}",
    );
    let mut memory = Memory::of("ann");
    let mut ann = Conversation::new(wire.0.clone());
    ann.ask("deliver_messages", &record! {acknowledge: 0_u64, max: 100_u64}, &memory).expect("it can be said");
    // A slow server: the fence is said before the first answer comes.
    assert!(ann.after_a_pause(&mut memory).is_none());
    let fence = String::from_utf8(ann.to_say()).expect("a line");
    ann.push(b"bo: one\n");
    assert!(matches!(ann.next(&mut memory).map(|came| came.what), Some(What::Part(_))));
    assert_eq!(ann.to_say(), b"get\n");
    ann.push(fence.replace("ping", "pong").as_bytes());
    assert!(matches!(ann.next(&mut memory).map(|came| came.what), Some(What::Part(Heard::Ok { .. }))), "the fence");
    ann.push(b"cy: two\n");
    assert!(matches!(ann.next(&mut memory).map(|came| came.what), Some(What::Part(Heard::More { .. }))));
    let said = String::from_utf8(ann.to_say()).expect("lines");
    let fence = said.strip_prefix("get\n").expect("once more, and then the fence");
    ann.push(fence.replace("ping", "pong").as_bytes());
    let Some(What::Answer(Heard::Ok { values, .. })) = ann.next(&mut memory).map(|came| came.what) else {
        panic!("silence is the end");
    };
    let all = list![record! {sender: "bo", text: "one"}, record! {sender: "cy", text: "two"}];
    assert_eq!(values.get("messages"), Some(&all));
}

#[test]
fn a_server_that_is_asked_row_by_row_has_words_for_one_row_and_for_none() {
    let wire = wire_of("frame: \"{line}\\n\"", MESSAGES);
    let (_, dialogue) = wire.says("deliver_messages", record! {acknowledge: 0_u64}, "get\n");
    let says = |messages| {
        let mut said = Vec::new();
        let values = record! {messages: messages};
        wire.0.speak_answer(&dialogue, &Saying::Ok(&values), &mut said).map(|()| said)
    };
    assert_eq!(says(list![record! {sender: "bo", text: "one"}]).as_deref(), Ok(&b"bo: one\n"[..]));
    assert_eq!(says(list![]).as_deref(), Ok(&b"NONE\n"[..]));
    let two = list![record! {sender: "bo", text: "one"}, record! {sender: "cy", text: "two"}];
    assert!(says(two).is_err(), "one row is not two");
}

#[test]
fn a_server_that_is_asked_for_lists_says_all_at_once_and_then_an_empty_one() {
    let wire = wire_of(
        "frame: \"{line}\\n\"\nshapes: {note: \"{sender: word} {text: word}\"}",
        "deliver_messages: {say: \"get\", hear: {again: \"got {messages: list of note joined by ', '}\"}}",
    );
    let asked = wire.says("deliver_messages", record! {acknowledge: 0_u64}, "get\n");
    let mut said = Vec::new();
    for messages in [list![record! {sender: "bo", text: "one"}, record! {sender: "cy", text: "two"}], list![]] {
        let values = record! {messages: messages};
        wire.0.speak_answer(&asked.1, &Saying::Ok(&values), &mut said).expect("it can be said");
    }
    assert_eq!(String::from_utf8(said).as_deref(), Ok("got bo one, cy two\ngot \n"));
}

#[test]
fn a_text_that_breaks_its_row_is_not_carried_where_rows_are_asked_for_again() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "list_accounts: {say: \"list {pattern}\", hear: {again: \"{usernames: list of word joined by ' '}\"}}\n\
         create_account: {say: \"new {password: word} {username: line}\", hear: {ok: \"hello\"}}",
    );
    let carries = |name: &str| wire.0.carries("create_account", &record! {username: name, password: "p"});
    assert_eq!(carries("bo"), Ok(()));
    assert!(carries("bo bo").is_err());
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "list_accounts: {say: \"list {pattern}\", hear: {ok: \"\", again: \"{username: word}\"}}\n\
         create_account: {say: \"new {password: word} {username: line}\", hear: {ok: \"hello\"}}",
    );
    let carries = |name: &str| wire.0.carries("create_account", &record! {username: name, password: "p"});
    assert_eq!(carries("bo"), Ok(()));
    assert!(carries("bo bo").is_err());
}

#[test]
fn pages_are_counted_from_one_or_from_nought() {
    for (written, pages) in [("= turn", [1, 2, 3]), ("= turn - 1", [0, 1, 2]), ("= turn + 9", [10, 11, 12])] {
        let wire = wire_of(
            "frame: json",
            &format!(
                "list_accounts: {{say: {{list: \"{{pattern}}\", page: \"{{page: int {written}}}\"}}, \
                 hear: {{again: {{users: \"{{usernames: list of word}}\"}}}}}}"
            ),
        );
        let says = |page: usize| format!(r#"{{"list":"","page":{}}}"#, pages[page]);
        let mut memory = Memory::of("ann");
        let arguments = || record! {pattern: "", after: "", limit: 0_u64};
        for _ in 0..2 {
            wire.play(&mut memory, "list_accounts", arguments())
                .says(says(0))
                .hears(r#"{"users":["ann","bo"]}"#)
                .says(says(1))
                .hears(r#"{"users":["cy"]}"#)
                .says(says(2))
                .hears(r#"{"users":[]}"#)
                .ends(ok(record! {usernames: list!["ann", "bo", "cy"]}));
        }
        // A server tells all at the first turn, and nothing at a later one.
        wire.play(&mut memory, "list_accounts", arguments())
            .says(says(0))
            .told(record! {usernames: list!["ann", "bo"]}, r#"{"users":["ann","bo"]}"#)
            .says(says(1))
            .told(record! {usernames: list!["ann", "bo"]}, r#"{"users":[]}"#)
            .ends(ok(record! {usernames: list!["ann", "bo"]}));
    }
}

#[test]
fn the_turn_stands_in_texts_in_bytes_and_in_the_frame_and_may_be_repeated_by_the_answer() {
    for (frame, operation, says, hears) in [
        (
            "frame: \"{line}\\n\"",
            "list_accounts: {say: \"list {page: int = turn} {pattern}\", \
             hear: {again: \"page {page: int}:{usernames: list of word joined by ' '}\"}}",
            ["list 1 \n", "list 2 \n"],
            ["page 1:ann\n", "page 2:\n"],
        ),
        (
            "frame: [code: u8, size: u8 = length(body), body: bytes]",
            "list_accounts: {say: {code: 1, body: [page: u8 = turn, pattern: text]}, \
             hear: {again: {code: 2, body: [page: u8, usernames: list of text(u8)]}}}",
            ["\x01\x01\x01", "\x01\x01\x02"],
            ["\x02\x05\x01\x03ann", "\x02\x01\x02"],
        ),
        (
            "frame: {say: [turn: u8 = turn, size: u8 = length(body), body: bytes], hear: [size: u8 = length(body), body: bytes]}",
            "list_accounts: {say: [pattern: text], hear: {again: [usernames: list of text(u8)]}}",
            ["\x01\0", "\x02\0"],
            ["\x04\x03ann", "\0"],
        ),
    ] {
        let wire = wire_of(frame, operation);
        let mut memory = Memory::of("ann");
        wire.play(&mut memory, "list_accounts", record! {pattern: "", after: "", limit: 0_u64})
            .says(says[0])
            .hears(hears[0])
            .says(says[1])
            .hears(hears[1])
            .ends(ok(record! {usernames: list!["ann"]}));
    }
}

#[test]
fn an_empty_list_leads_on_to_the_next_step_whose_turns_are_counted_anew() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "list_accounts: [{say: \"here {page: int = turn}\", hear: {again: \"{usernames: list of word joined by ' '}\"}}, \
                         {say: \"away {page: int = turn}\", hear: {again: \"{usernames: list of word joined by ' '}\"}}]",
    );
    let mut memory = Memory::of("ann");
    wire.play(&mut memory, "list_accounts", record! {pattern: "", after: "", limit: 0_u64})
        .says("here 1\n")
        .hears("ann\n")
        .says("here 2\n")
        .hears("\n")
        .says("away 1\n")
        .hears("bo cy\n")
        .says("away 2\n")
        .hears("\n")
        .ends(ok(record! {usernames: list!["ann", "bo", "cy"]}));
}
