//! Mistakes in what messages say, and in what is said of them, as they are drawn. Not here: those of whole files, of
//! shapes and of dialogues (`dialects`).

#[test]
fn mistakes_in_messages_are_drawn() {
    let wire = |frame: &str, operations: &str| {
        format!("dialect: framed\nabout: A small wire.\nframe: {frame}\noperations:\n{operations}\n")
    };
    let ping = |frame: &str, say: &str| {
        wire(frame, &format!("  ping:\n    say:  {say}\n    hear: {{ok: \"{{nonce}}\"}}\nfence: ping"))
    };
    let sides = |say: &str| format!("{{say: {say}, hear: \"{{line}}\\n\"}}");
    let listed = |list: &str| wire("\"{line}\\n\"", &format!("  list_accounts: {list}\nfence: list_accounts"));
    assert_drawn!(
        "messages",
        "protocol/dialects/framed.yaml",
        &[
            (
                "a field that stands deeper than a message reaches",
                ping(&sides("{head: {id: \"{id: int}\"}, body: json}"), "{id: 5, body: {nonce: \"{nonce}\"}}")
            ),
            (
                "fields that stand in no row together",
                ping(&sides("[{either: [[a: u8], [b: u16]]}, body: bytes]"), "{a: 1, b: 2, body: [nonce: u64]}")
            ),
            (
                "a word of the frame of answers that nothing says",
                ping("{say: \"{line}\\n\", hear: \"{cookie: word} {body: line}\\n\"}", "\"{nonce}\"")
                    .replace("{ok: \"{nonce}\"}", "{ok: {body: \"{nonce}\"}}")
            ),
            (
                "a number of the frame of requests that nothing says",
                ping(&sides("[size: u16 = length(frame), code: u8, body: bytes]"), "{body: [nonce: u64]}")
            ),
            (
                "a length out of its range",
                ping("{say: \"{line}\\n\", hear: [size: u16 in 3..4 = length(body), body: text]}", "\"{nonce}\"")
            ),
            (
                "a word that is nobody's and spoken as nothing",
                ping("\"{line}\\n\"", "\"{nonce}\"").replace(
                    "operations:",
                    "hear: {message: \"DM {_: word} {_: word} {sender: word} {text}\"}\noperations:"
                )
            ),
            ("a request with a word that is nobody's", ping("\"{line}\\n\"", "\"ping {_: word} {nonce}\"")),
            (
                "a list in the place of a row of it",
                listed("{say: \"who {pattern}\", hear: {more: \"{usernames: word}\", ok: \"end.\"}}")
            ),
            (
                "a list of rows in the place of one value",
                listed(
                    "{say: \"who {pattern}\", hear: {ok: \"{usernames: list of word}\"}}\n  deliver_messages: {say: read, hear: {more: \"{messages}\", ok: \"end.\"}}"
                )
            ),
        ]
    );
}
