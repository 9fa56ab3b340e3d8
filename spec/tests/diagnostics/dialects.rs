//! Mistakes in dialects as they are drawn: in their keys, their shapes and their dialogues.

use spec::source::Source;

#[test]
fn mistakes_in_dialects_are_drawn() {
    let embedded = Source::embedded();
    let framed = &embedded.file("protocol/dialects/framed.yaml").expect("the protocol's own").text;
    // Each case is the protocol's own wire with one place changed.
    let with = |from: &str, to: &str| {
        assert_eq!(framed.matches(from).count(), 1, "{from}");
        framed.replace(from, to)
    };
    let wire = |ping: &str| {
        format!(
            "dialect: framed\nabout: A small wire.\nframe: [size: u16 = length(frame), code: u8, body: bytes]\n\
             hear: {{error: {{code: 9, body: [error: u8, detail: text]}}}}\noperations:\n  ping: {ping}\nfence: ping\n"
        )
    };
    assert_drawn!(
        "dialect",
        "protocol/dialects/framed.yaml",
        &[
            ("an unknown key", with("fence: ping", "fence: ping\nfences: [ping]")),
            ("an unknown operation", with("  log_out:", "  logout:")),
            ("an unknown error", with("unsupported_version", "unknown_version")),
            ("an unknown meaning", with("  not_primary: {body", "  not_primry: {body")),
            ("an unknown policy", with("fence: ping", "fence: ping\npolicies: {deliver: push}")),
            ("an unknown choice", with("fence: ping", "fence: ping\npolicies: {delivery: pigeon}")),
            ("an unknown capability", with("fence: ping", "fence: ping\nlacks: [pushing]")),
            ("an unknown fence", with("fence: ping", "fence: pong")),
            ("a type that is not understood", with("nonce: u64]}\n", "nonce: u64 within 0..9]}\n")),
            ("a type that does not exist", with("[client: string]", "[client: strin]")),
            ("a range upside down", with("operation: u8 in 0..63", "operation: u8 in 63..0")),
            ("a number that does not fit its type", with("{operation: 9, body", "{operation: 900, body")),
            (
                "a constant that does not fit its type",
                with("version: u8 = 1, operation", "version: u8 = 256, operation")
            ),
            ("a field that the frame lacks", with("{operation: 9, body", "{op: 9, body")),
            ("a refusal of a field that the frame lacks", with("  version:   {error", "  versions:  {error")),
            ("an argument that is never said", with("[recipient: string, text", "[receiver: string, text")),
            ("a result that nothing fills", with("usernames: list(u16) of string", "names: list(u16) of string")),
            (
                "no way to succeed",
                with("{ok: {body: [u8 = 0, discarded: u32]}}", "{bad_credentials: {body: [error: u8]}}")
            ),
            ("two operations that say the same", with("{operation: 9, body: [nonce", "{operation: 8, body: [nonce")),
            ("a shape that contains itself", with("  string:  text(u16)", "  string:  string")),
            ("a row that contains itself", with("sent_at: u64]\n\n", "sent_at: u64, more: list(u8) of message]\n\n")),
            ("a row in the place of a field", with("[client: string]", "[client: message]")),
            ("a name twice", with("[acknowledge: u64, max: u16]", "[max: u64, max: u16]")),
            (
                "nothing ends a text",
                with("[username: string, password: string]}\n", "[username: text, password: string]}\n")
            ),
            ("nothing ends a list", wire("{say: {code: 1, body: [nonce: u64]}, hear: {ok: {code: 2, body: [nonce: u64, _: list of bytes(0)]}}}")),
            (
                "nothing ends the frame",
                with("say:  [length: u32 in 6..65536 = length(frame) - 4,", "say:  [length: u32,")
            ),
            ("a value that cannot be carried back", with("key: bytes(u8)]", "key: bytes(3)]")),
            ("a missing key", with("fence: ping\n", "")),
            ("no operations", format!("{}fence: ping\n", framed.split("operations:").next().unwrap_or_default())),
            ("a message that is no map", wire("{say: [nonce: u64], hear: {ok: {code: 2, body: [nonce: u64]}}}")),
            (
                "a number in the place of a row",
                wire("{say: {code: 1, body: 5}, hear: {ok: {code: 2, body: [nonce: u64]}}}")
            ),
            (
                "a row in the place of a number",
                wire("{say: {code: [u8], body: [nonce: u64]}, hear: {ok: {code: 2, body: [nonce: u64]}}}")
            ),
            (
                "an answer that is taken for an error",
                wire("{say: {code: 1, body: [nonce: u64]}, hear: {ok: {code: 9, body: [_: u64]}}}")
            ),
            (
                "an echo in the frame of requests",
                wire("{say: {code: 1}, hear: {ok: {code: 2}}}").replace("code: u8,", "code: u8, again: u8 = code + 1,")
            ),
            ("a file that is no dialect", "hello\n".to_owned()),
            ("an unknown key of an operation", wire("{says: {}, say: {code: 1, body: [nonce: u64]}, hear: {ok: {code: 2, body: [nonce: u64]}}}")),
            ("an empty file", String::new()),
            ("a second document", format!("{framed}---\n{framed}")),
            ("outcomes that cannot be told apart", with("{ok: {body: [u8 = 0, message_id: u64, delivered: u8 in 0..1]}}", "{delivered: {body: [u8 = 0, message_id: u64]}, queued: {body: [u8 = 0, message_id: u64]}}")),
            ("an event that is taken for an answer", with("{reply: 64, request_id: 0, body: message}", "{reply: 137, request_id: 7, body: [u8 = 0, message_id: u64, sender: string, text: string, sent_at: u64]}").replace("nonce: u64]}}", "nonce: u64, _: bytes]}}")),
        ]
    );
}

#[test]
fn mistakes_in_shapes_are_drawn() {
    // A row, a template and a map, of which one place is wrong in each case.
    let row = |frame: &str, body: &str| {
        format!(
            "dialect: framed\nabout: A small wire.\nframe: {frame}\nshapes:\n  size: {{either: [[u8 in 0..127], [u8 = 128, u16]]}}\n\
             operations:\n  hello:\n    say:  {{body: {body}}}\n    hear: {{ok: {{body: [server: text(u8)]}}}}\nfence: hello\n"
        )
    };
    let sized = |body: &str| row("[code: u8 usually 1, size: u16 = length(body), body: bytes]", body);
    let text = |say: &str| {
        format!(
            "dialect: framed\nabout: A small wire.\noperations:\n  log_in:\n    say:  {say}\n    hear: {{ok: \"hi\", bad_credentials: \"no\"}}\nfence: log_in\n"
        )
    };
    let map = |say: &str| {
        format!(
            "dialect: framed\nabout: A small wire.\nframe: json\noperations:\n  hello:\n    say:  {say}\n    hear: {{ok: {{server: \"{{server}}\"}}}}\nfence: hello\n"
        )
    };
    assert_drawn!(
        "shapes",
        "protocol/dialects/framed.yaml",
        &[
            ("a hole that is not closed", text("\"in {username {password}\"")),
            ("a hole that is never closed", text("\"in {username} {password\"")),
            ("a hole without a name", text("\"in {} {password}\"")),
            ("an unknown filter", text("\"in {username as slashd} {password}\"")),
            ("an unknown type in a hole", text("\"in {username: wrd} {password}\"")),
            ("nothing ends a field of a template", text("\"in {username}{password}\"")),
            ("bits in a template", text("\"in {username} {password} {_: u4}\"")),
            ("a template that YAML takes for a map", text("{in} {username} {password}")),
            ("a truth value as a key", map("{on: \"{client}\"}")),
            ("bits that do not fill a byte", sized("[flags: u3, client: text]")),
            (
                "a measured name that does not exist",
                row("[code: u8 usually 1, size: u16 = length(bodi), body: bytes]", "[client: text]")
            ),
            (
                "a number that measures itself",
                row("[code: u8 usually 1, size: u16 = length(size), body: bytes]", "[client: text]")
            ),
            (
                "two lengths of the frame",
                row("[size: u16 = length(frame), again: u16 = length(frame), body: bytes]", "[client: text]")
            ),
            ("something unknown that is computed", row("[size: u16 = lenght(body), body: bytes]", "[client: text]")),
            ("an alternative that is never reached", sized("[client: text(size)]").replace("u8 in 0..127", "u8")),
            ("an alternative that hides another", sized("[{either: [[kind: u8], [u8 = 1, more: u8]]}, client: text]")),
            ("an alternative of nothing", sized("[{either: []}, client: text]")),
            (
                "a size that is no number",
                sized("[client: text(size)]").replace("[u8 = 128, u16]", "[u8 = 128, more: text(u8)]")
            ),
            ("a size of a shape that does not exist", sized("[client: text(sice)]")),
            ("a range of a text", sized("[client: text in 1..5]")),
            ("nothing behind `joined`", sized("[client: text, _: list of text joined]")),
            ("a list of a list", sized("[client: text(u8), _: list(u8) of list(u8) of u8]")),
            ("a digit count that is none", sized("[_: int(u8), client: text]")),
            ("a type that cannot stand in a map", map("{client: \"{client: list of u8 = 5}\"}")),
            (
                "a field of the frame that nothing fills",
                row("[code: u8, size: u16 = length(body), body: bytes]", "[client: text]")
            ),
            ("a number where a text stands", text("5")),
            (
                "a filter that is no map",
                text("\"in {username as a} {password}\"").replace("operations:", "filters: {a: b}\noperations:")
            ),
        ]
    );
}

#[test]
fn mistakes_in_dialogues_are_drawn() {
    let wire = |operations: &str| {
        format!(
            "dialect: framed\nabout: A small wire.\nframe: \"{{line}}\\n\"\nhear: {{message: \"<{{sender: word}}> {{text}}\"}}\noperations:\n{operations}\nfence: ping\n"
        )
    };
    let ping = "  ping: {say: \"ping {nonce}\", hear: {ok: \"pong {nonce}\"}}";
    let with = |operation: &str| wire(&format!("{ping}\n{operation}"));
    let grpc = |more: &str| {
        format!(
            "dialect: framed\nabout: A small wire.\nframe: grpc\n{more}operations:\n  ping: {{say: {{method: Ping, request: {{nonce: \"{{nonce}}\"}}}}, hear: {{ok: {{reply: {{nonce: \"{{nonce}}\"}}}}}}}}\nfence: ping\n"
        )
    };
    assert_drawn!(
        "dialogues",
        "protocol/dialects/framed.yaml",
        &[
            (
                "no `next` before a last step",
                with(
                    "  log_in:\n    - {say: \"user {username}\", hear: {ok: \"pass?\"}}\n    - {say: \"pass {password}\", hear: {ok: \"fine\", bad_credentials: \"bad\"}}"
                )
            ),
            ("steps without an end", with("  log_out: [{say: \"bye\", hear: {next: \"sure?\"}}, {say: \"sure\"}]")),
            ("an unknown key of a step", with("  log_out: {say: \"bye\", silent: ok}")),
            ("silence that is no meaning", with("  log_out: {say: \"bye\", silence: fine}")),
            (
                "rows that are asked for again, and no end",
                with("  list_accounts: {say: \"list {pattern}\", hear: {again: \"user {username: word}\"}}")
            ),
            ("a turn without a name", with("  log_out: {say: \"bye {_: int = turn}\", hear: {ok: \"bye\"}}")),
            (
                "a turn that is less than nothing",
                with("  log_out: {say: \"bye {page: int = turn - 2}\", hear: {ok: \"bye\"}}")
            ),
            ("a turn in an answer", with("  log_out: {say: \"bye\", hear: {ok: \"bye {page: int = turn}\"}}")),
            ("silence that asks again", with("  log_out: {say: \"bye\", hear: {ok: \"bye\"}, silence: again}")),
            (
                "an unknown cause",
                with(
                    "  log_in: {say: \"in {username: word} {password}\", hear: {ok: \"hi\", bad_credentials.no_such_usr: \"no\"}}"
                )
            ),
            ("an `each` that is not understood", with("  log_out: {each: usernames, say: \"bye\", silence: ok}")),
            (
                "an entry that another begins with",
                with(
                    "  log_in: {say: \"in {username: word} {password}\", hear: {ok: \"no{_}\", bad_credentials: \"no way\"}}"
                )
            ),
            (
                "two entries that are alike",
                with(
                    "  log_in: {say: \"in {username: word} {password}\", hear: {ok: \"done\", bad_credentials: \"done\"}}"
                )
            ),
            (
                "an answer that is taken for an event",
                with("  hello: {say: \"hello {client}\", hear: {ok: \"<server> {server}\"}}")
                    .replace("hear: {ok: \"<server> {server}\"}", "hear: {ok: \"welcome\"}")
                    .replace(
                        "hear: {message: \"<{sender: word}> {text}\"}",
                        "hear: {message: \"{sender: word} {text}\", not_logged_in: \"log in first\"}"
                    )
            ),
            ("two operations that say the same", with("  log_out: {say: \"ping 5\", silence: ok}")),
            (
                "a fence that may be answered by nothing",
                wire(
                    "  ping: [{say: \"ping {nonce}\", hear: {next: \"pong {nonce}\"}}, {hear: {ok: \"more\"}, silence: ok}]"
                )
            ),
            (
                "a fence that ends the connection",
                with("  log_out: disconnect").replace("fence: ping", "fence: log_out")
            ),
            ("an operation that is neither a dialogue nor `disconnect`", with("  log_out: close")),
            ("something behind `then`", with("  log_out: {say: \"bye\", hear: {ok: {line: \"bye\", then: leave}}}")),
            ("gRPC without a service", grpc("")),
            (
                "a turn in a reply",
                grpc("service: a.B\n")
                    .replace("reply: {nonce: \"{nonce}\"}", "reply: {nonce: \"{nonce: int = turn}\"}")
            ),
            ("a key that the frame of gRPC lacks", grpc("service: a.B\n").replace("method: Ping", "methods: Ping")),
            ("a regular expression that is none", with("").replace("fence:", "limits: {username: \"[a-\"}\nfence:")),
            ("a limit of something unknown", with("").replace("fence:", "limits: {usrname: \"[a-z]\"}\nfence:")),
        ]
    );
}
