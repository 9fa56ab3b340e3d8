//! Operations that are several exchanges, what they remember, and the occasions beside them.

use crate::stage::{error, list, ok, record, service, wire, wire_of};
use spec::codec::{Conversation, Heard, Inbound, Memory, RequestDecoder, What};

const NAMES: &str = "
dialect: steps
about: Name, then password; a token for everything else.
frame: \"{line}\\n\"
connect: {hear: {ok: \"hello, who are you?\", not_primary: {line: \"ask {primary}\", then: close}}}
listen: {say: \"listen {my token}\", silence: ok}
hear: {not_logged_in: \"who?\"}
operations:
  log_in:
    - {say: \"USER {username: word}\", hear: {next: \"PASS?\", bad_credentials.no_such_user: \"unknown\"}}
    - {say: \"PASS {password: line}\", hear: {ok: \"token {token: word}\", bad_credentials.wrong_password: \"wrong\"}}
  send_message: {say: \"tell {my token} {recipient: word} {text: line}\", hear: {delivered: \"told\", queued: \"kept\"}}
  ping: {say: \"ping {nonce}\", hear: {ok: \"pong {nonce}\"}}
  log_out: disconnect
fence: ping
";

#[test]
fn one_operation_is_several_exchanges_with_branches() {
    let steps = wire(NAMES);
    let mut memory = Memory::of("ann");
    let log_in = || record! {username: "ann", password: "a b"};
    steps
        .play(&mut memory, "log_in", log_in())
        .says("USER ann\n")
        .told(record! {}, "PASS?\n")
        .says("PASS a b\n")
        .server_heard(log_in())
        .told(record! {token: b"t1".to_vec()}, "token t1\n")
        .ends(ok(record! {token: b"t1".to_vec()}));
    steps.play(&mut memory, "log_in", log_in()).says("USER ann\n").hears("unknown\n").ends(error("bad_credentials"));
    steps
        .play(&mut memory, "log_in", log_in())
        .says("USER ann\n")
        .hears("PASS?\n")
        .says("PASS a b\n")
        .hears("wrong\n")
        .ends(error("bad_credentials"));
}

#[test]
fn what_a_user_was_told_is_said_again() {
    let steps = wire(NAMES);
    let mut memory = Memory::of("ann");
    memory.learn(&record! {token: b"t1".to_vec()}, service());
    let asked = steps.says_as(&memory, "send_message", record! {recipient: "bo", text: "hi"}, "tell t1 bo hi\n");
    // A server is told by it who is asking.
    assert_eq!(asked.1.said("my token").and_then(|token| token.as_bytes()), Some(&b"t1"[..]));
    // The last one counts.
    memory.learn(&record! {token: b"t2".to_vec()}, service());
    steps.says_as(&memory, "send_message", record! {recipient: "bo", text: "hi"}, "tell t2 bo hi\n");
    // Whoever was told nothing says nothing.
    let said = steps.0.speak_request("send_message", &record! {recipient: "bo", text: "hi"}, 1, &mut Vec::new());
    assert!(said.is_err());
}

#[test]
fn what_is_remembered_stands_in_rows_of_bytes_as_well() {
    let wire = wire_of(
        "frame: [code: u8, body: bytes]",
        "list_accounts: {say: {code: 1, body: [me: text(u8), my password: text(u8), pattern: text(u8)]}, hear: {ok: {code: 1, body: [usernames: list(u8) of text(u8)]}}}\n\
         send_message: {say: {code: 2, body: [id of recipient: u16, text: text(u8)]}, hear: {delivered: {code: 2, body: [u8 = 1]}, queued: {code: 2, body: [u8 = 0]}}}",
    );
    let mut memory = Memory::of("ann");
    memory.learn(&record! {password: "pw"}, service());
    memory.learn(&record! {username: "bo", id: 7_u64}, service());
    wire.says_as(&memory, "list_accounts", record! {pattern: "x"}, b"\x01\x03ann\x02pw\x01x");
    let mut said = Vec::new();
    let arguments = record! {recipient: "bo", text: "hi"};
    wire.0.speak_request_as("send_message", &arguments, &memory, 1, &mut said).expect("bo is known");
    assert_eq!(said, b"\x02\0\x07\x02hi");
}

#[test]
fn a_server_greets_or_sends_one_away() {
    let steps = wire(NAMES);
    assert!(steps.0.greets() && steps.0.has_listen());
    let mut memory = Memory::of("ann");
    steps.play(&mut memory, "connect", record! {}).hears("hello, who are you?\n").ends(ok(record! {}));
    steps.play(&mut memory, "connect", record! {}).hears("ask bob:5\n").ends(error("not_primary"));
}

#[test]
fn who_wants_to_be_told_says_so() {
    let steps = wire(NAMES);
    let mut memory = Memory::of("ann");
    memory.learn(&record! {token: b"t1".to_vec()}, service());
    steps.play(&mut memory, "listen", record! {}).says("listen t1\n").silence().ends(ok(record! {}));
    let mut decoder = RequestDecoder::new(steps.0.clone());
    decoder.push(b"listen t1\n");
    assert!(matches!(decoder.next(), Some(Inbound::Listens { .. })));
}

#[test]
fn ending_the_connection_is_logging_out() {
    let steps = wire(NAMES);
    assert!(steps.0.is_disconnect("log_out") && !steps.0.is_disconnect("ping"));
}

#[test]
fn a_value_that_was_never_learned_means_something() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "resume_session: {say: \"again {token: word}\", hear: {ok: \"you are {username}\"}}\n\
         send_message: {say: \"{my session} {recipient: word} {text: line}\", hear: {ok: \"fine\"}, unknown: not_logged_in}",
    );
    let mut memory = Memory::of("ann");
    wire.play(&mut memory, "send_message", record! {recipient: "bo", text: "x"}).ends(error("not_logged_in"));
    memory.learn(&record! {session: "s"}, service());
    wire.play(&mut memory, "send_message", record! {recipient: "bo", text: "x"})
        .says("s bo x\n")
        .hears("fine\n")
        .ends(ok(record! {}));
}

#[test]
fn who_acts_has_a_name() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "send_message: {say: \"{me} to {recipient: word}: {text: line}\", hear: {ok: \"thanks {me}\"}}",
    );
    let asked = wire.says("send_message", record! {recipient: "bo", text: "x"}, "alice to bo: x\n");
    assert_eq!(asked.1.said("me").and_then(|me| me.as_text()), Some("alice"));
    wire.answers(&asked, ok(record! {}), "thanks alice\n");
}

#[test]
fn what_is_fresh_is_new_and_must_come_back() {
    let wire = wire_of(
        "frame: [ticket: u16 usually fresh, size: u8 = length(body), body: bytes]",
        "ping: {say: {body: [nonce: u16]}, hear: {ok: {body: [nonce: u16]}}}",
    );
    let asked = wire.says("ping", record! {nonce: 5_u64}, b"\0\x07\x02\0\x05");
    wire.answers(&asked, ok(record! {nonce: 5_u64}), b"\0\x07\x02\0\x05");
    wire.is_no_answer(&asked, b"\0\x08\x02\0\x05");
    // Inside a message, too.
    let wire = wire_of(
        "frame: json",
        "ping: {say: {id: \"{id: int usually fresh}\", nonce: \"{nonce}\"}, hear: {ok: {re: \"{id: int}\", nonce: \"{nonce}\"}}}",
    );
    let asked = wire.says("ping", record! {nonce: 5_u64}, r#"{"id":7,"nonce":5}"#);
    wire.answers(&asked, ok(record! {nonce: 5_u64}), r#"{"re":7,"nonce":5}"#);
    wire.is_no_answer(&asked, r#"{"re":8,"nonce":5}"#);
}

#[test]
fn what_is_fresh_is_new_inside_a_text_of_json_too() {
    let wire = wire_of(
        "frame: json",
        "ping: {say: {id: \"no. {id: int(15) usually fresh}A==\", nonce: \"{nonce}\"}, hear: {ok: {re: \"{id: int}\", nonce: \"{nonce}\"}}}",
    );
    let asked = wire.says("ping", record! {nonce: 5_u64}, r#"{"id":"no. 000000000000007A==","nonce":5}"#);
    wire.answers(&asked, ok(record! {nonce: 5_u64}), r#"{"re":7,"nonce":5}"#);
    wire.is_no_answer(&asked, r#"{"re":8,"nonce":5}"#);
    // Of nobody, within bounds.
    let wire = wire_of(
        "frame: json",
        "ping: {say: {id: \"{_: int in 3..8 usually fresh}/{_: int usually fresh}\", nonce: \"{nonce}\"}, hear: {ok: {nonce: \"{nonce}\"}}}",
    );
    wire.says("ping", record! {nonce: 5_u64}, r#"{"id":"4/7","nonce":5}"#);
}

#[test]
fn what_is_fresh_on_one_connection_is_fresh_on_all_where_the_field_has_room() {
    let wire = wire_of(
        "frame: \"{line}\\n\"",
        "ping: {say: \"{_: int usually fresh} {_: int(15) usually fresh} {_: int(2) usually fresh} {nonce}\", hear: {ok: \"{nonce}\"}}",
    );
    let asks = |connection: u32| {
        let mut conversation = Conversation::new(wire.0.clone()).numbered(connection);
        let mut ask = || conversation.ask("ping", &record! {nonce: 5_u64}, &Memory::of("alice"));
        [ask(), ask()].map(|said| String::from_utf8(said.expect("it can be said").expect("a request")).expect("text"))
    };
    assert_eq!(asks(0), ["1 000000000000001 01 5\n", "2 000000000000002 02 5\n"]);
    let mut said: Vec<Vec<String>> = Vec::new();
    for line in (0..2_000).flat_map(asks) {
        let words: Vec<String> = line.split(' ').take(2).map(str::to_owned).collect();
        said.push(words);
    }
    for place in 0..2 {
        let mut numbers: Vec<&String> = said.iter().map(|words| &words[place]).collect();
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), said.len());
    }
}

#[test]
fn over_grpc_silence_is_a_pause_behind_the_fence_for_calls_overtake_streams() {
    let wire = wire_of(
        "service: a.B\nframe: grpc",
        "ping: {say: {method: Ping, request: {nonce: \"{nonce}\"}}, hear: {ok: {method: Ping, reply: {nonce: \"{nonce}\"}}}}\n\
         deliver_messages: {say: {method: Read, request: {}}, hear: {more: {method: Read, reply: {sender: \"{sender}\", text: \"{text}\"}}}, silence: ok}",
    );
    let mut memory = Memory::of("alice");
    let mut alice = Conversation::new(wire.0.clone());
    let arguments = record! {acknowledge: 0_u64, max: 0_u64};
    alice.ask("deliver_messages", &arguments, &memory).expect("it can be said");
    assert!(alice.waits_for_a_pause() && alice.after_a_pause(&mut memory).is_none());
    let fence: serde_json::Value = serde_json::from_slice(&alice.to_say()).expect("the fence");
    let nonce = &fence["request"]["nonce"];
    alice.push(format!("{{\"method\":\"Ping\",\"status\":\"OK\",\"reply\":{{\"nonce\":{nonce}}}}}\n").as_bytes());
    assert!(alice.next(&mut memory).is_none(), "the stream may still bring something");
    assert!(alice.waits_for_a_pause());
    alice.push(b"{\"method\":\"Read\",\"status\":\"OK\",\"reply\":{\"sender\":\"bob\",\"text\":\"late\"}}\n");
    assert!(matches!(alice.next(&mut memory).map(|came| came.what), Some(What::Part(Heard::More { .. }))));
    assert!(alice.next(&mut memory).is_none());
    let Some(What::Answer(Heard::Ok { values, .. })) = alice.after_a_pause(&mut memory).map(|came| came.what) else {
        panic!("a pause is silence");
    };
    assert_eq!(values.get("messages"), Some(&list![record! {sender: "bob", text: "late"}]));
    assert!(matches!(alice.next(&mut memory).map(|came| came.what), Some(What::Part(Heard::Ok { .. }))), "the fence");
    assert!(!alice.waits_for_a_pause());
}
