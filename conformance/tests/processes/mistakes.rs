//! Mistakes in target files: each is shown where it stands, with what to do.

use crate::tiny::Folder;

#[test]
fn every_mistake_is_shown_where_it_stands_with_what_to_do() {
    let folder = Folder::new();
    for (text, place, words, help) in [
        ("command: [s, \"{prot}\"]\n", "2:14", "`{prot}` stands for nothing", "did you mean `port`"),
        ("command: [server]\n", "2:10", "nothing tells the server its port", "port: 7171"),
        ("commnad: [s]\n", "2:1", "unknown key `commnad`", "did you mean `command`"),
        ("command: [s]\nports: {client: 70000}\n", "3:17", "not a port from 1 to 65535, or `free`", ""),
        ("command: [s]\nports: {host: free}\n", "3:9", "cannot be called `host`", "something else"),
        ("command: [s]\nports: {Client: free}\n", "3:9", "cannot be called `Client`", "small letters"),
        ("command: [s]\nports: {client: 7000, beat: 7000}\n", "3:9", "`beat` and `client` are both port 7000", ""),
        ("command: [s, \"{port}\"]\nready: {line: up, port: port}\n", "3:8", "says exactly one thing", "{line: WORDS}"),
        ("command: [s, \"{port}\"]\nready: {matches: \"(\"}\n", "3:18", "no regular expression", ""),
        ("command: [s, \"{port}\"]\nready: {operation: pnig}\n", "3:20", "no operation `pnig`", "did you mean `ping`"),
        ("command: [s, \"{port}\"]\nready: {port: heart}\n", "3:15", "no port called `heart`", ""),
        ("command: [s, \"{port}\"]\nrestart: often\n", "3:10", "unknown word `often`", "never"),
        (
            "command: [s, \"{port}\"]\nfiles: {a: {template: nowhere}}\n",
            "3:23",
            "cannot read the template",
            "folder of this file",
        ),
        ("command: [s, \"{port}\"]\nfiles: {a: [b]}\n", "3:12", "a list, not the text of the file", ""),
        ("command: [s, \"{port}\"]\nstate: [\".\"]\n", "3:9", "would be removed before each start", "one by one"),
        ("command: [s, \"{port}\"]\nstate: [../x]\n", "3:9", "would be removed before each start", "one by one"),
        ("command: [s, \"{port}\"]\naddress: localhost\n", "3:10", "a host and a port", "127.0.0.1:{port}"),
        ("command: [s, \"{port}\"]\nprocesses: [{command: []}]\n", "3:23", "a process has a `command`", "program"),
        ("address: \"h:1\"\nstate: [x]\n", "3:1", "`state` is for a target that is started", "add a `command`"),
    ] {
        let shown = folder.mistakes(text);
        assert!(shown.contains(words) && shown.contains(help), "{text}{shown}");
        assert!(shown.contains(&format!("target.yaml:{place}")), "{text}{shown}");
    }
}
