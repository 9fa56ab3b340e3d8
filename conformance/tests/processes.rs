//! Targets as processes: what a target file says about a start holds, and nothing is left behind or lost.

#[path = "processes/mistakes.rs"]
mod mistakes;
#[path = "processes/runs.rs"]
mod runs;
#[path = "processes/tiny.rs"]
mod tiny;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use conformance::target::{Restart, ServerOptions};
use tiny::{Folder, fails, is_gone, port, python, says, start};

const PLAIN: &str = "command: [PYTHON, server.py, hello, \"{port}\"]\n";

// ── ports and addresses ───────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn the_ports_of_one_process_are_free_together_and_go_wherever_they_are_named() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    let target = folder.target(
        "command: [PYTHON, -c, \"import os, sys; from server import serve; serve(os.environ['REST'], sys.argv[1])\", \"{client}\"]\n\
         environment: {REST: \"{client} {heartbeat} {port2} {host}\"}\n\
         ports: {client: free, heartbeat: free}\n",
    );
    let (one, two) = (start(&target).await, start(&target).await);
    for instance in [one, two] {
        let words = says(&instance.address()).await;
        let words: Vec<&str> = words.split(' ').collect();
        assert_eq!(instance.address(), format!("127.0.0.1:{}", words[0]));
        let different: std::collections::BTreeSet<&str> = words.iter().copied().collect();
        assert_eq!((different.len(), words[3]), (4, "127.0.0.1"));
        instance.stop().await;
    }
}

#[tokio::test]
async fn an_address_beside_a_command_says_where_it_listens() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    let port = port();
    let target =
        folder.target(&format!("address: \"localhost:{port}\"\ncommand: [PYTHON, server.py, hello, \"{port}\"]\n"));
    assert!(!target.starter.bears_several(), "a number in the address is a fixed port");
    let instance = start(&target).await;
    assert_eq!(says(&instance.address()).await, "hello");
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_before_anything_is_started() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    let target = folder.target(&format!(
        "command: [touch, started]\nports: {{client: free, heartbeat: {port}}}\nenvironment: {{P: \"{{client}}\"}}\n"
    ));
    assert!(fails(&target).await.why.contains(&format!("port {port} is in use already")));
    assert!(!folder.path().join("started").exists());
}

/// Each counts itself in while it is up. Without leases the second would find the port taken, and say so.
#[tokio::test(flavor = "multi_thread")]
async fn two_targets_with_one_fixed_port_take_turns() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    let port = port();
    let alive = Arc::new(AtomicUsize::new(0));
    let mut players = tokio::task::JoinSet::new();
    for name in ["first", "second"] {
        // Two files, as two runs would read them: they share nothing but the machine.
        let target = folder.target(&format!("command: [PYTHON, server.py, {name}, \"{{port}}\"]\nport: {port}\n"));
        let alive = alive.clone();
        players.spawn(async move {
            for _ in 0..2 {
                let instance = start(&target).await;
                assert_eq!(alive.fetch_add(1, Ordering::SeqCst), 0, "two live at one port");
                assert_eq!(says(&instance.address()).await, name);
                alive.fetch_sub(1, Ordering::SeqCst);
                instance.stop().await;
            }
        });
    }
    while let Some(played) = players.join_next().await {
        played.expect("no turn fails");
    }
}

#[test]
fn what_instances_share_decides_whether_they_live_side_by_side() {
    let folder = Folder::new();
    for (text, several) in [
        ("", true),
        ("state: [chat.db]\n", false),
        ("state: [\"chat-{port}.db\"]\n", true),
        ("state: [chat.db]\ndirectory: fresh\n", true),
        ("state: [/var/lib/nowhere/chat.db]\ndirectory: fresh\n", false),
        ("files: {chat.ini: \"port = {port}\"}\n", false),
        ("files: {\"chat-{port}.ini\": \"port = {port}\"}\n", true),
        ("files: {chat.ini: \"port = {port}\"}\ndirectory: fresh\n", true),
        ("ports: {heartbeat: free}\n", true),
        ("ports: {heartbeat: 7171}\n", false),
    ] {
        let target = folder.target(&format!("{PLAIN}{text}"));
        assert_eq!(target.starter.bears_several(), several, "{text}");
        let restart = if several { Restart::Groups } else { Restart::Never };
        assert_eq!(target.starter.restart(), restart, "{text}");
    }
}

// ── directories, files and state ──────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_fresh_directory_holds_the_written_files_and_is_removed_afterwards() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    folder.write("chat.ini.in", "[chat]\nport = {port}\nmailbox = {mailbox_messages}\n");
    let target = folder.target(
        "command: [PYTHON, -c, \"import os, sys; sys.path.insert(0, sys.argv[1]); from server import serve; serve(os.getcwd() + '|' + open('conf/chat.ini').read(), open('port').read())\", \"{folder}\"]\n\
         directory: fresh\n\
         files:\n  conf/chat.ini: {template: chat.ini.in}\n  port: \"{port}\"\n",
    );
    assert!(target.starter.can_set("mailbox_messages"), "a file that names an option sets it");
    let instance =
        target.starter.start(&ServerOptions::from([("mailbox_messages".into(), 7)])).await.expect("it starts");
    let words = says(&instance.address()).await;
    let (directory, text) = words.split_once('|').expect("both");
    let port = instance.address().rsplit(':').next().expect("a port").to_owned();
    assert_eq!(text, format!("[chat]\nport = {port}\nmailbox = 7\n"));
    let directory = Path::new(directory).to_path_buf();
    assert!(directory.exists() && !directory.starts_with(folder.path()));
    instance.stop().await;
    assert!(!directory.exists(), "{} is left", directory.display());
}

#[tokio::test]
async fn a_file_of_the_users_is_never_written_over() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    let target = folder.target(&format!("{PLAIN}files: {{chat.ini: \"port = {{port}}\"}}\n"));
    folder.write("chat.ini", "the user's own");
    assert!(fails(&target).await.why.contains("the suite did not write it: nothing was changed"));
    assert_eq!(folder.read("chat.ini"), "the user's own");
    std::fs::remove_file(folder.path().join("chat.ini")).expect("it is there");

    let instance = start(&target).await;
    let written = folder.read("chat.ini");
    assert!(written.starts_with("port = "));
    instance.stop().await;
    assert!(!folder.path().join("chat.ini").exists());

    // As after a run that was killed: what the suite wrote itself, it knows again.
    folder.write("chat.ini", &written);
    start(&target).await.stop().await;
    folder.write("chat.ini", &format!("{written} # and the user's own"));
    assert!(fails(&target).await.why.contains("the suite did not write it"));
}

#[tokio::test]
async fn state_is_wiped_before_each_start() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    let target = folder.target("command: [PYTHON, server.py, hello, \"{port}\", data/log]\nstate: [data/log, older]\n");
    std::fs::create_dir_all(folder.path().join("data")).expect("the folder is ours");
    std::fs::create_dir_all(folder.path().join("older/inside")).expect("the folder is ours");
    for _ in 0..2 {
        let instance = start(&target).await;
        assert_eq!(folder.read("data/log"), "up\n");
        assert!(!folder.path().join("older").exists());
        instance.stop().await;
    }
}

// ── when it is up ─────────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_port_that_opens_late_and_a_line_that_comes_late_are_waited_for() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    let late = "command: [PYTHON, -c, \"import sys, time; from server import serve; print('preparing', flush=True); time.sleep(0.1); serve('late', sys.argv[1])\", \"{port}\"]\n";
    let mut plays = tokio::task::JoinSet::new();
    for ready in [
        "",
        "ready: {line: listening on}\n",
        "ready: {matches: \"^listening on port [0-9]+$\"}\n",
        "ready: {port: port}\n",
    ] {
        let target = folder.target(&format!("{late}{ready}"));
        plays.spawn(async move { assert_eq!(says(&start(&target).await.address()).await, "late", "{ready}") });
    }
    for (ready, words) in [
        ("ready: {line: listning}\n", "it printed no line with \"listning\""),
        ("ready: {matches: \"port [a-z]+$\"}\n", "it printed no line that fits `port [a-z]+$`"),
    ] {
        let target = folder.target(&format!("{late}{ready}ready_within_ms: 200\n"));
        plays.spawn(async move {
            let error = fails(&target).await;
            assert!(error.why.contains("was not ready within 200 ms") && error.why.contains(words), "{error}");
        });
    }
    while let Some(played) = plays.join_next().await {
        played.expect("each is waited for");
    }
}

#[tokio::test]
async fn an_operation_that_succeeds_shows_that_it_is_up() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/python/server.py");
    let right = format!("command: [PYTHON, \"{}\", --port, \"{{port}}\"]\n", example.display());
    start(&folder.target(&format!("{right}ready: {{operation: fence}}\n"))).await.stop().await;
    // Whoever accepts and says something else is not up.
    let error = fails(&folder.target(&format!("{PLAIN}ready: {{operation: ping}}\nready_within_ms: 200\n"))).await;
    assert!(error.why.contains("`ping` did not succeed at 127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn what_it_printed_last_stands_with_the_reason_why_it_is_not_up() {
    let folder = Folder::new();
    let target = folder.target("command: [sh, \"-c\", \"echo 'no database at {port}' >&2; exit 7\"]\n");
    let error = fails(&target).await;
    assert!(error.why.contains("ended before it was ready: exit status: 7"), "{error}");
    assert!(error.output[0].starts_with("no database at "), "{:?}", error.output);
}

// ── before and beside it ──────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn it_is_built_once_and_a_build_that_fails_is_shown() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    let target = folder.target(&format!("build: [sh, \"-c\", \"echo built >> builds\"]\n{PLAIN}"));
    for _ in 0..2 {
        start(&target).await.stop().await;
    }
    assert_eq!(folder.read("builds"), "built\n");
    let error =
        fails(&folder.target(&format!("build: [sh, \"-c\", \"echo 'line 3: no such word' >&2; exit 1\"]\n{PLAIN}")))
            .await;
    assert!(error.why.contains("`build` failed"), "{error}");
    assert_eq!(error.output, ["line 3: no such word"]);
}

#[tokio::test]
async fn what_it_needs_is_started_first_and_ended_with_it() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    let server = "[PYTHON, -c, \"import socket, sys; from server import serve; serve(socket.create_connection(('127.0.0.1', sys.argv[2])).makefile().read() + '!', sys.argv[1])\", \"{port}\", \"{database}\"]";
    let database = "[sh, \"-c\", \"echo $$ > pid; exec PYTHON server.py rows {database}\"]";
    let target = folder.target(&format!(
        "command: {server}\nports: {{database: free}}\nprocesses:\n  - command: {database}\n    ready: {{port: database}}\n"
    ));
    let instance = start(&target).await;
    assert_eq!(says(&instance.address()).await, "rows!");
    instance.stop().await;
    assert!(is_gone(&folder, "pid"));

    let target = folder.target(
        "command: [sh, \"-c\", \"touch started; echo {port}\"]\nprocesses:\n  - command: [sh, \"-c\", \"echo 'disk full' >&2; exit 3\"]\n    ready: {line: up}\n",
    );
    let error = fails(&target).await;
    assert!(error.why.contains("`sh` ended before it was ready: exit status: 3"), "{error}");
    assert_eq!(error.output, ["sh: disk full"]);
    assert!(!folder.path().join("started").exists());
}

// ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn who_ignores_the_request_to_end_is_killed_and_so_is_what_it_started() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    let target = folder.target(
        "command: [sh, \"-c\", \"trap '' TERM; sleep 600 & echo $! > child; echo $$ > leader; PYTHON server.py stubborn {port}; true\"]\n",
    );
    start(&target).await.stop().await;
    assert!(is_gone(&folder, "leader") && is_gone(&folder, "child"));
}

#[tokio::test]
async fn a_launcher_may_end_and_what_it_started_is_judged_and_ended() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    let launcher = "command: [sh, \"-c\", \"PYTHON server.py launched {port} & echo $! > pid\"]\n";
    let target = folder.target(launcher);
    for asked in [true, false] {
        let mut instance = start(&target).await;
        assert_eq!(says(&instance.address()).await, "launched");
        assert_eq!(instance.ended(), None, "the server lives on without its launcher");
        if asked {
            instance.stop().await
        } else {
            drop(instance)
        }
        assert!(is_gone(&folder, "pid"));
    }
    let target = folder.target("command: [sh, \"-c\", \"true {port}\"]\n");
    assert!(fails(&target).await.why.contains("let it stay in the foreground"));
}
