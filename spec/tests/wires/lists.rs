//! Lists: what joins their items, and what tells how many there are.

use crate::stage::{Wire, list, ok, record, wire_of};

fn names(answer: &str) -> Wire {
    wire_of(
        "shapes:\n  quoted: \"'{username}'\"\n  row: [username: text(u8)]\n  entry: \"<{sender: word}: {text: line}>\"\n",
        &format!("list_accounts: {{say: \"LIST {{pattern: line}}\\n\", hear: {{ok: {answer}}}}}"),
    )
}

/// An answer with two names, with one, and with none.
fn lists(answer: &str, two: &str, one: &str, none: &str) {
    let wire = names(answer);
    let asked = wire.says("list_accounts", record! {pattern: "*"}, "LIST *\n");
    wire.answers(&asked, ok(record! {usernames: list!["ann", "bo"]}), two);
    wire.answers(&asked, ok(record! {usernames: list!["ann"]}), one);
    wire.answers(&asked, ok(record! {usernames: list![]}), none);
}

#[test]
fn a_separator_joins_a_list() {
    lists(r#""{usernames: list of word joined by ', '}.\n""#, "ann, bo.\n", "ann.\n", ".\n");
    lists(r#""{usernames: list of line joined by '\n'}\n\n""#, "ann\nbo\n\n", "ann\n\n", "\n\n");
    lists(r#""[{usernames: list of word joined by ', '}]""#, "[ann, bo]", "[ann]", "[]");
    lists(r#""{usernames: list of text joined by '|'}\n""#, "ann|bo\n", "ann\n", "\n");
}

#[test]
fn a_separator_can_stand_behind_the_last_item_too() {
    lists(r#""{usernames: list of word ended by ', '}.\n""#, "ann, bo, .\n", "ann, .\n", ".\n");
    lists(r#""{usernames: list of line ended by '\n'}\n""#, "ann\nbo\n\n", "ann\n\n", "\n");
    lists(r#""[{usernames: list of text ended by '|'}]""#, "[ann|bo|]", "[ann|]", "[]");
}

/// The same in a JSON object.
fn lists_in_json(hole: &str, two: &str, one: &str, none: &str) {
    let wire = wire_of(
        "frame: json\nshapes: {row: \"<{sender: word}: {text: line}>\"}",
        &format!("list_accounts: {{say: {{list: \"{{pattern}}\"}}, hear: {{ok: {{all: \"{hole}\"}}}}}}"),
    );
    let asked = wire.says("list_accounts", record! {pattern: "*"}, r#"{"list":"*"}"#);
    let all = |text: &str| format!(r#"{{"all":"{text}"}}"#);
    wire.answers(&asked, ok(record! {usernames: list!["ann", "bo"]}), all(two));
    wire.answers(&asked, ok(record! {usernames: list!["ann"]}), all(one));
    wire.answers(&asked, ok(record! {usernames: list![]}), all(none));
    wire.is_no_answer(&asked, r#"{"all":["ann"]}"#);
}

#[test]
fn a_list_stands_in_a_text_of_json_with_more_around_it_or_alone() {
    lists_in_json("<{usernames: list of word joined by ', '}>", "<ann, bo>", "<ann>", "<>");
    lists_in_json("{_: int usually 7}: {usernames: list of word joined by ', '}.", "7: ann, bo.", "7: ann.", "7: .");
    lists_in_json("{usernames: list of word joined by ', '}", "ann, bo", "ann", "");
    lists_in_json("{usernames: list of word ended by ', '}", "ann, bo, ", "ann, ", "");
    lists_in_json("all: {usernames: list of word ended by ', '}", "all: ann, bo, ", "all: ann, ", "all: ");
}

#[test]
fn rows_stand_in_a_text_of_json() {
    let wire = wire_of(
        "frame: json\nshapes: {row: \"<{sender: word}: {text: line}>\"}",
        "deliver_messages: {say: {read: \"{max}\"}, hear: {ok: {all: \"= {messages: list of row joined by ' / '}\"}}}\n\
         ping: {say: {ping: \"{nonce}\"}, hear: {ok: {ping: \"{nonce}\"}}}",
    );
    let asked = wire.says("deliver_messages", record! {max: 3_u64}, r#"{"read":3}"#);
    let rows = list![record! {sender: "ann", text: "a: b"}, record! {sender: "bo", text: "c"}];
    wire.answers(&asked, ok(record! {messages: rows}), r#"{"all":"= <ann: a: b> / <bo: c>"}"#);
    wire.answers(&asked, ok(record! {messages: list![]}), r#"{"all":"= "}"#);
}

#[test]
fn a_list_is_written_as_python_prints_it() {
    lists(r#""[{usernames: list of quoted joined by ', '}]""#, "['ann', 'bo']", "['ann']", "[]");
}

#[test]
fn each_item_ends_itself() {
    lists(
        r#""{usernames: list of line_of}end\n""#.replace("line_of", "quoted").as_str(),
        "'ann''bo'end\n",
        "'ann'end\n",
        "end\n",
    );
}

#[test]
fn a_count_stands_before_a_list() {
    let wire = wire_of(
        "frame: [code: u8, body: bytes]",
        "list_accounts: {say: {code: 1, body: [pattern: text(u8)]}, hear: {ok: {code: 2, body: [usernames: list(u16) of text(u8)]}}}",
    );
    let asked = wire.says("list_accounts", record! {pattern: ""}, b"\x01\0");
    wire.answers(&asked, ok(record! {usernames: list!["ann", "bo"]}), b"\x02\0\x02\x03ann\x02bo");
    wire.answers(&asked, ok(record! {usernames: list![]}), b"\x02\0\0");
    // A count apart from its list, in decimal.
    let wire = wire_of(
        "shapes:\n  row: \"{username}\\n\"",
        "list_accounts: {say: \"LIST {pattern: line}\\n\", hear: {ok: \"{many: int = count(usernames)} users:\\n{usernames: list of row}\"}}",
    );
    let asked = wire.says("list_accounts", record! {pattern: ""}, "LIST \n");
    wire.answers(&asked, ok(record! {usernames: list!["ann", "bo"]}), "2 users:\nann\nbo\n");
    wire.answers(&asked, ok(record! {usernames: list![]}), "0 users:\n");
    wire.is_no_answer(&asked, "3 users:\nann\nbo\n");
}

#[test]
fn sizes_stand_before_the_texts() {
    let wire = wire_of(
        "frame: [code: u8, body: bytes]",
        "list_accounts: {say: {code: 1, body: [pattern: text(u8)]}, hear: {ok: {code: 2, body: [sizes: list(u8) of u16 = length(usernames), usernames: list of text]}}}",
    );
    let asked = wire.says("list_accounts", record! {pattern: ""}, b"\x01\0");
    wire.answers(&asked, ok(record! {usernames: list!["ann", "", "bo"]}), b"\x02\x03\0\x03\0\0\0\x02annbo");
    wire.answers(&asked, ok(record! {usernames: list![]}), b"\x02\0");
}

#[test]
fn a_list_reaches_to_the_end() {
    let wire = wire_of(
        "frame: [size: u16 = length(body), body: bytes]",
        "list_accounts: {say: {body: [pattern: text]}, hear: {ok: {body: [usernames: list of text(u8)]}}}",
    );
    let asked = wire.says("list_accounts", record! {pattern: ""}, b"\0\0");
    wire.answers(&asked, ok(record! {usernames: list!["ann", "", "bo"]}), b"\0\x08\x03ann\0\x02bo");
    wire.answers(&asked, ok(record! {usernames: list![]}), b"\0\0");
    wire.is_no_answer(&asked, b"\0\x03\x03an");
}

#[test]
fn a_json_array_is_a_list() {
    let wire = wire_of(
        "frame: json\nshapes: {user: {name: \"{username}\"}}",
        "list_accounts: {say: {list: \"{pattern}\"}, hear: {ok: [{names: \"{usernames: list of text}\"}, {users: \"{usernames: list of user}\"}]}}",
    );
    let asked = wire.says("list_accounts", record! {pattern: ""}, r#"{"list":""}"#);
    let names = ok(record! {usernames: list!["ann", "bo"]});
    wire.answers(&asked, names.clone(), r#"{"names":["ann","bo"]}"#);
    wire.is_answered(&asked, names, r#"{"users":[{"name":"ann"},{"name":"bo"}]}"#);
    wire.answers(&asked, ok(record! {usernames: list![]}), r#"{"names":[]}"#);
}

#[test]
fn many_messages_stand_in_one_text() {
    let wire = wire_of(
        "shapes:\n  entry: \"<{sender: word}> {text: line}\\n\"",
        "deliver_messages: {say: \"READ\\n\", hear: {ok: [\"no messages\\n\", \"{messages: list of entry}.\\n\"]}}",
    );
    let asked = wire.says("deliver_messages", record! {}, "READ\n");
    let note = |sender: &str, text: &str| record! {sender: sender, text: text};
    let two = list![note("ann", "hi > there"), note("bo", "")];
    wire.answers(&asked, ok(record! {messages: two}), "<ann> hi > there\n<bo> \n.\n");
    wire.answers(&asked, ok(record! {messages: list![]}), "no messages\n");
    wire.is_answered(&asked, ok(record! {messages: list![]}), ".\n");
}
