//! Four whole wires, each of which mixes points that real ones mix.

use crate::stage::{error, list, message, ok, record, service, wire};
use spec::codec::{Inbound, Memory, RequestDecoder, hex};
use spec::value::Value;

// ── bits, a length of everything, a check, sizes before texts, several frames in one answer ───────────────────────

const BEETLE: &str = r#"
dialect: beetle
about: Bits, a length of everything, a check, sizes before texts, several frames in one answer.
frame: [kind: u6, _: u2, total: u24le = length(frame), check: u8 = xor8(body), body: bytes]
shapes:
  size:  {either: [[u8 in 0..127], [u8 = 128, u16le]]}
  names: [count: size = count(usernames), sizes: list of u8 = length(usernames), usernames: list of text]
  note:  [sender: text(20) padded 0, sent_at: u64le usually now, text: text(size)]
hear:
  message:   {kind: 48, body: [note]}
  ignore:    {kind: 49}
  malformed: {kind: 35, body: [u8 = 9], then: close}
operations:
  create_account:
    say:  {kind: 1, body: [username: text(size), password: text(size)]}
    hear: {ok: {kind: 33, body: []}, username_taken: {kind: 34, body: [u8 = 2]}, error: {kind: 34, body: [_: u8]}}
  list_accounts:    {say: {kind: 2, body: [pattern: text(size)]}, hear: {ok: {kind: 33, body: [names]}}}
  deliver_messages: {say: {kind: 4}, hear: {more: {kind: 40, body: [note]}, ok: {kind: 41}}}
fence: list_accounts
policies: {pattern: glob, after_create: logged_in}
limits: {username: "[a-z]{3,20}"}
"#;

#[test]
fn beetle_measures_itself_and_counts_in_bits() {
    let beetle = wire(BEETLE);
    let arguments = record! {username: "ann", password: "pw"};
    // kind 1 in six bits, two bits of nothing; 12 bytes in all; the xor of the body.
    let body = b"\x03ann\x02pw";
    let check = body.iter().fold(0, |xor, byte| xor ^ byte);
    let asked = beetle.says("create_account", arguments, [b"\x04\x0c\0\0", &[check][..], body].concat());
    beetle.answers(&asked, ok(record! {}), hex("84 05 00 00 00").unwrap());
    beetle.answers(&asked, error("username_taken"), hex("88 06 00 00 02 02").unwrap());
    beetle.is_answered(&asked, error("error"), hex("88 06 00 00 04 04").unwrap());
    beetle.answers(&asked, error("malformed"), hex("8c 06 00 00 09 09").unwrap());
    // A check that is wrong is another message.
    beetle.is_no_answer(&asked, hex("88 06 00 00 03 02").unwrap());
    // Beyond 127 bytes a size has three of its own.
    let long = "p".repeat(300);
    let body = [b"\x03ann\x80\x2c\x01", long.as_bytes()].concat();
    let check = body.iter().fold(0, |xor, byte| xor ^ byte);
    let total = (body.len() as u32 + 5).to_le_bytes();
    let bytes = [&[4][..], &total[..3], &[check], &body].concat();
    beetle.says("create_account", record! {username: "ann", password: long.as_str()}, bytes);
}

#[test]
fn beetle_says_sizes_before_texts() {
    let beetle = wire(BEETLE);
    let asked = beetle.says("list_accounts", record! {pattern: "*"}, hex("08 07 00 00 2b 01 2a").unwrap());
    let names = ok(record! {usernames: list!["ann", "bo"]});
    let check = [2, 3, 2].iter().chain(b"annbo").fold(0, |xor, byte| xor ^ byte);
    beetle.answers(&asked, names, [&[0x84, 13, 0, 0, check, 2, 3, 2][..], b"annbo"].concat());
    beetle.answers(&asked, ok(record! {usernames: list![]}), hex("84 06 00 00 00 00").unwrap());
    // A size that says more than is there.
    beetle.is_no_answer(&asked, hex("84 08 00 00 05 01 05 61").unwrap());
}

#[test]
fn beetle_answers_row_by_row() {
    let beetle = wire(BEETLE);
    let note = |sent_at: u64, text: &str, kind: u8| {
        let mut body = b"bob".to_vec();
        body.resize(20, 0);
        body.extend(sent_at.to_le_bytes());
        body.push(text.len() as u8);
        body.extend(text.bytes());
        let check = body.iter().fold(0, |xor, byte| xor ^ byte);
        [&[kind << 2, body.len() as u8 + 5, 0, 0, check][..], &body].concat()
    };
    let row = |sent_at: u64, text: &str| record! {sender: "bob", sent_at: sent_at, text: text};
    let mut memory = Memory::of("ann");
    let end = hex("a4 05 00 00 00").unwrap();
    let rows = list![row(5, "one"), row(6, "two")];
    beetle
        .play(&mut memory, "deliver_messages", record! {})
        .says(hex("10 05 00 00 00").unwrap())
        .told(record! {messages: rows.clone()}, [note(5, "one", 40), note(6, "two", 40), end.clone()].concat())
        .ends(ok(record! {messages: rows}));
    beetle
        .play(&mut memory, "deliver_messages", record! {})
        .says(hex("10 05 00 00 00").unwrap())
        .told(record! {}, end)
        .ends(ok(record! {}));
    beetle.pushes(row(9, "hi"), note(9, "hi", 48));
}

// ── no frame: text, escapes, a token, pushes ──────────────────────────────────────────────────────────────────────

const HERON: &str = r#"
dialect: heron
about: Text without a frame, with escapes and a token.
filters:
  slashed: {"/": "//", ";": "/;"}
shapes:
  row: "<{sender: word}> {text: line}\n"
connect: {hear: {ok: "heron {_: word usually '1.0'} ready\n"}}
hear:
  message: "{sender: word} whispers {text: line}\n"
  not_logged_in: ["who are you?", "your key is too old"]
operations:
  log_in:
    say:  "in;{username as slashed};{password as sha256_hex}"
    hear:
      ok: "key {token: hex(32) usually fresh}, {waiting: int} waiting\n"
      bad_credentials.no_such_user: "no {username} here"
      bad_credentials: "no"
  send_message:
    say:  "tell;{my token};{recipient as slashed};{text as slashed}"
    hear: {delivered: "told", queued: "will tell", no_such_user: "no such bird"}
  list_accounts:
    say:  ["birds;{my token}", "birds;{my token};{pattern}"]
    hear: {ok: ["none", "[{usernames: list of word joined by ', '}]"]}
  deliver_messages: {say: "post;{my token}", hear: {ok: ["nothing", "{messages: list of row}.\n"]}}
  log_out: {say: "out;{my token}", silence: ok}
fence: list_accounts
policies: {pattern: substring, second_log_in: takes_over}
limits: {username: "[a-z]{1,12}", text: "[a-z]+( [a-z]+)*!"}
"#;

#[test]
fn heron_escapes_and_hashes() {
    let heron = wire(HERON);
    let hash = "2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90";
    // A server takes the hash for the password.
    let (said, asked) = (record! {username: "a;b/c", password: "alice"}, record! {username: "a;b/c", password: hash});
    let mut bytes = Vec::new();
    heron.0.speak_request("log_in", &said, 1, &mut bytes).unwrap();
    assert_eq!(bytes, format!("in;a/;b//c;{hash}").as_bytes());
    heron.hears("log_in", asked, &bytes);
}

#[test]
fn heron_keeps_its_token() {
    let heron = wire(HERON);
    let mut memory = Memory::of("ann");
    let token = b"0123456789abcdef".to_vec();
    let key = "30313233343536373839616263646566";
    heron
        .play(&mut memory, "log_in", record! {username: "ann", password: "pw"})
        .says(b"in;ann;30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4")
        .told(record! {token: token.clone(), waiting: 3}, format!("key {key}, 3 waiting\n"))
        .ends(ok(record! {token: token.clone(), waiting: 3}));
    let arguments = record! {recipient: "bob", text: "a; b/ c!"};
    let asked =
        heron.says_as(&memory, "send_message", arguments, format!("tell;{};bob;a/; b// c!", "0123456789abcdef"));
    heron.answers(&asked, ok(record! {delivered: true}), "told");
    heron.answers(&asked, ok(record! {delivered: false}), "will tell");
    heron.answers(&asked, error("no_such_user"), "no such bird");
    heron.answers(&asked, error("not_logged_in"), "who are you?");
    heron.is_answered(&asked, error("not_logged_in"), "your key is too old");
}

#[test]
fn heron_says_the_line_that_carries_most() {
    let heron = wire(HERON);
    let mut memory = Memory::of("ann");
    memory.learn(&record! {token: b"t".to_vec()}, service());
    let asked = heron.says_as(&memory, "list_accounts", record! {pattern: ""}, "birds;t");
    heron.says_as(&memory, "list_accounts", record! {pattern: "x"}, "birds;t;x");
    heron.answers(&asked, ok(record! {usernames: list!["ann", "bo"]}), "[ann, bo]");
    heron.answers(&asked, ok(record! {}), "none");
    let asked = heron.says_as(&memory, "deliver_messages", record! {}, "post;t");
    heron.answers(&asked, ok(record! {}), "nothing");
    let rows = list![record! {sender: "bo", text: "hi all!"}, record! {sender: "cy", text: "> x"}];
    heron.answers(&asked, ok(record! {messages: rows}), "<bo> hi all!\n<cy> > x\n.\n");
    heron.pushes(record! {sender: "bo", text: "psst!"}, "bo whispers psst!\n");
    heron.play(&mut memory, "log_out", record! {}).says("out;t").silence().ends(ok(record! {}));
}

#[test]
fn heron_greets_and_tells_causes_apart() {
    let heron = wire(HERON);
    let mut memory = Memory::of("ann");
    heron.play(&mut memory, "connect", record! {}).hears("heron 2.17 ready\n").ends(ok(record! {}));
    let said = record! {username: "ann", password: "pw"};
    let mut bytes = Vec::new();
    let client = heron.0.speak_request("log_in", &said, 1, &mut bytes).unwrap();
    let mut decoder = RequestDecoder::new(heron.0.clone());
    decoder.push(&bytes);
    let Some(Inbound::Request { dialogue: server, .. }) = decoder.after_a_pause() else { panic!() };
    let asked = (client, server);
    heron.answers(&asked, error("bad_credentials.no_such_user"), "no ann here");
    heron.answers(&asked, error("bad_credentials.wrong_password"), "no");
    // Nobody asked about bob: this is a no, and then something that nobody understands.
    let heard = heron.0.hear_answer_of(b"no bob here", true, &[Some(&asked.0)]);
    assert_eq!(heard.and_then(|heard| heard.taken()), Some(2));
}

// ── a text header that measures a JSON body; steps; ids to look up; history by friend ──────────────────────────────

const OTTER: &str = r#"
dialect: otter
about: A text header that measures a JSON body; two-step create, ids to look up, history by friend.
frame: ["{verb: word} {size: int = length(body)}\n", body: bytes]
shapes:
  friend: {nick: "{username}", number: "{id: int}"}
  note:   {either: [{by: "{id of sender}", say: "{text}"}, {note: "{_}"}]}
operations:
  create_account:
    - say:  {verb: NEW, body: {nick: "{username}"}}
      hear: {next: {verb: ASK, body: {for: secret}}, username_taken: {verb: BAD, body: {why: taken}}}
    - say:  {verb: SECRET, body: {is: "{password}", ref: "{ref: int usually fresh}"}}
      hear: {ok: {verb: FINE, body: {ref: "{ref: int}", number: "{id: int}"}}}
  send_message:
    - {say: {verb: FRIENDS, body: {like: "{recipient}"}}, hear: {next: {verb: FRIENDS, body: {all: "{usernames: list of friend}"}}}}
    - say:  {verb: SAY, body: {to: "{id of recipient}", as: "{my id}", text: "{text}"}}
      unknown: no_such_user
      silence: ok
  deliver_messages:
    - {say: {verb: FRIENDS, body: {like: "*"}}, hear: {next: {verb: FRIENDS, body: {all: "{usernames: list of friend}"}}}}
    - each: friend_name in usernames
      say:  {verb: READ, body: {with: "{id of friend_name}"}}
      hear: {next: {verb: NOTES, body: {all: "{messages: list of note}"}}}
  log_out: {say: {verb: BYE, body: {}}, close: ok}
fence: deliver_messages
policies: {pattern: glob, delivery: history, deliver_drains: never, after_create: logged_in}
"#;

/// An otter's message: its verb, the length of its body, its body.
fn otter(verb: &str, body: &str) -> String {
    format!("{verb} {}\n{body}", body.len())
}

#[test]
fn otter_asks_for_the_password_in_a_second_step() {
    let wire = wire(OTTER);
    let mut memory = Memory::of("ann");
    wire.play(&mut memory, "create_account", record! {username: "ann", password: "pw"})
        .says(otter("NEW", r#"{"nick":"ann"}"#))
        .told(record! {}, otter("ASK", r#"{"for":"secret"}"#))
        .says(otter("SECRET", r#"{"is":"pw","ref":7}"#))
        .server_heard(record! {username: "ann", password: "pw"})
        .told(record! {id: 41_u64}, otter("FINE", r#"{"ref":7,"number":41}"#))
        .ends(ok(record! {}));
    // What stood beside the name belongs to it.
    assert_eq!(memory.value("id"), Some(&Value::Int(41)));
    assert_eq!(memory.value_of("id", "ann"), Some(&Value::Int(41)));
    let mut memory = Memory::of("ann");
    wire.play(&mut memory, "create_account", record! {username: "ann", password: "pw"})
        .says(otter("NEW", r#"{"nick":"ann"}"#))
        .hears(otter("BAD", r#"{"why":"taken","since":1}"#))
        .ends(error("username_taken"));
}

#[test]
fn otter_looks_ids_up_and_reads_friend_by_friend() {
    let wire = wire(OTTER);
    let mut memory = Memory::of("ann");
    memory.learn(&record! {username: "ann", id: 41_u64}, service());
    let friend = |name: &str, id: u64| record! {username: name, id: id};
    wire.play(&mut memory, "send_message", record! {recipient: "bo", text: "hi {you}"})
        .says(otter("FRIENDS", r#"{"like":"bo"}"#))
        .told(record! {usernames: list![friend("bo", 42)]}, otter("FRIENDS", r#"{"all":[{"nick":"bo","number":42}]}"#))
        .says(otter("SAY", r#"{"to":42,"as":41,"text":"hi {you}"}"#))
        .server_heard(record! {recipient: "bo", text: "hi {you}"})
        .silence()
        .ends(ok(record! {}));
    // Whom nobody listed has no id.
    wire.play(&mut memory, "send_message", record! {recipient: "cy", text: "hi"})
        .says(otter("FRIENDS", r#"{"like":"cy"}"#))
        .hears(otter("FRIENDS", r#"{"all":[]}"#))
        .ends(error("no_such_user"));
    let friends = list![friend("bo", 42), friend("cy", 43)];
    wire.play(&mut memory, "deliver_messages", record! {})
        .says(otter("FRIENDS", r#"{"like":"*"}"#))
        .told(
            record! {usernames: friends},
            otter("FRIENDS", r#"{"all":[{"nick":"bo","number":42},{"nick":"cy","number":43}]}"#),
        )
        .says(otter("READ", r#"{"with":42}"#))
        .hears(otter("NOTES", r#"{"all":[{"by":42,"say":"one"},{"note":"bo left"}]}"#))
        .says(otter("READ", r#"{"with":43}"#))
        .hears(otter("NOTES", r#"{"all":[{"by":43,"say":"two"}]}"#))
        .ends(ok(record! {messages: list![record! {sender: "bo", text: "one"}, record! {sender: "cy", text: "two"}]}));
    wire.play(&mut memory, "log_out", record! {}).says("BYE 2\n{}").closes().ends(ok(record! {}));
}

// ── gRPC: status codes and in-band errors, a stream for pushes, a stream that ends ────────────────────────────────

const STORK: &str = r#"
dialect: stork
about: gRPC with status codes and errors in answers, a stream for pushes, a stream that ends.
frame: grpc
proto: stork.proto
service: stork.Nest
listen: {say: {method: Watch, request: {key: "{my token}"}}}
hear:
  message: {method: Watch, reply: {from: "{sender}", body: "{text}"}}
  not_logged_in: {status: UNAUTHENTICATED}
operations:
  log_in:
    say:  {method: Enter, request: {user: "{username}", pass: "{password}"}}
    hear: {ok: {reply: {fault: "", key: "{token}"}}, bad_credentials: [{reply: {fault: "bad {_}"}}, {status: NOT_FOUND}]}
  deliver_messages: {say: {method: Fetch, request: {key: "{my token}"}}, hear: {more: {method: Fetch, reply: {from: "{sender}", body: "{text}"}}}, close: ok}
fence: log_in
"#;

#[test]
fn stork_calls_methods() {
    let stork = wire(STORK);
    assert_eq!(stork.0.grpc.as_ref().map(|grpc| grpc.service.as_str()), Some("stork.Nest"));
    let asked = stork.says(
        "log_in",
        record! {username: "ann", password: "pw"},
        "{\"method\":\"Enter\",\"request\":{\"user\":\"ann\",\"pass\":\"pw\"}}\n",
    );
    stork.answers(
        &asked,
        ok(record! {token: b"t".to_vec()}),
        "{\"status\":\"OK\",\"reply\":{\"fault\":\"\",\"key\":\"t\"}}\n",
    );
    stork.is_answered(&asked, error("bad_credentials"), "{\"status\":\"OK\",\"reply\":{\"fault\":\"bad luck\"}}\n");
    stork.is_answered(&asked, error("bad_credentials"), "{\"status\":\"NOT_FOUND\",\"detail\":\"who?\"}\n");
    stork.answers(&asked, error("not_logged_in"), "{\"status\":\"UNAUTHENTICATED\"}\n");
    stork.answers(
        &asked,
        message("bo", "hi"),
        "{\"method\":\"Watch\",\"status\":\"OK\",\"reply\":{\"from\":\"bo\",\"body\":\"hi\"}}\n",
    );
}

#[test]
fn stork_fetches_until_the_stream_ends() {
    let stork = wire(STORK);
    let mut memory = Memory::of("ann");
    memory.learn(&record! {token: b"t".to_vec()}, service());
    stork
        .play(&mut memory, "deliver_messages", record! {})
        .says("{\"method\":\"Fetch\",\"request\":{\"key\":\"t\"}}\n")
        .told(
            record! {messages: list![record! {sender: "bo", text: "hi"}]},
            "{\"method\":\"Fetch\",\"status\":\"OK\",\"reply\":{\"from\":\"bo\",\"body\":\"hi\"}}\n",
        )
        .closes()
        .ends(ok(record! {messages: list![record! {sender: "bo", text: "hi"}]}));
    stork.play(&mut memory, "listen", record! {}).says("{\"method\":\"Watch\",\"request\":{\"key\":\"t\"}}\n");
}
