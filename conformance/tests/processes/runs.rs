//! Whole runs: instances that take turns, deaths, and interruption.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use assert_cmd::assert::OutputAssertExt;
use assert_cmd::cargo::cargo_bin;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

use crate::tiny::{Folder, is_gone, port, python};

fn conformance(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin!("conformance"));
    command.current_dir(folder.path()).args(["--color", "never", "run", "target.yaml"]).args(arguments);
    command
}

#[test]
fn an_interrupted_run_leaves_neither_process_nor_file_nor_folder() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    // Interrupted before it is up: nothing ever listens.
    folder.target_file(
        "command: [sh, \"-c\", \"trap '' TERM; sleep 600 & echo $! > {folder}/child; pwd > {folder}/where; echo $$ > {folder}/leader; mkfifo gate; echo up > {folder}/begun; read x < gate # {port}\"]\n\
         directory: fresh\nfiles: {\"{folder}/written.ini\": \"{port}\"}\nprocesses:\n  - command: [sh, \"-c\", \"echo $$ > {folder}/beside; sleep 600\"]\nready_within_ms: 60000\n",
    );
    let made = Command::new("mkfifo").arg(folder.path().join("begun")).status();
    assert!(made.is_ok_and(|status| status.success()));
    let run =
        conformance(&folder, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it was just built");
    // Opening the pipe waits until the target is at work.
    let mut begun = String::new();
    std::fs::File::open(folder.path().join("begun"))
        .and_then(|mut file| file.read_to_string(&mut begun))
        .expect("it is told");
    assert!(folder.path().join("written.ini").exists());
    let interrupt = Command::new("kill").args(["-INT", &run.id().to_string()]).status().expect("kill exists");
    assert!(interrupt.success());
    let output = run.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stdout).contains("stopped: interrupted"));
    for file in ["child", "leader", "beside"] {
        assert!(is_gone(&folder, file), "{file} is left");
    }
    assert!(!Path::new(folder.read("where").trim()).exists() && !folder.path().join("written.ini").exists());
}

/// The example server, which here falls over a frame that promises two gigabytes, and says something before. Whoever
/// finds another one alive at its port writes `met`.
const FRAGILE: &str = r#"
import asyncio, fcntl, os, sys
sys.path.insert(0, "EXAMPLE")
import server
right = server.Connection.data_received
def wrong(self, data):
    if data[:4] == b"\x7f\xff\xff\xff":
        print("no memory for 2147483647 bytes", file=sys.stderr, flush=True)
        os._exit(9)
    right(self, data)
server.Connection.data_received = wrong
alone = open("alone-" + sys.argv[2], "w")
try: fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError: open("met", "w").close()
with open("starts", "a") as starts: starts.write("up\n")
asyncio.run(server.main())
"#;

fn fragile(folder: &Folder) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/python");
    folder.write("fragile.py", &FRAGILE.replace("EXAMPLE", &example.display().to_string()));
}

#[test]
fn a_death_convicts_the_play_alone_that_it_died_of_and_its_last_words_stand_there() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    fragile(&folder);
    folder.target_file("command: [PYTHON, fragile.py, --port, \"{port}\"]\n");
    conformance(&folder, &["--case", "framed/limits/*frame*", "--case", "framed/robustness/the-answer*"])
        .assert()
        .code(1)
        .stdout(
            contains("FAILED framed/limits/enormous-frames")
                .and(contains("exit status: 9), with no other case in play"))
                .and(contains("no memory for 2147483647 bytes"))
                .and(contains(" 1 failed, 0 not applicable, 0 inconclusive, 0 never reached")),
        );
}

#[test]
fn a_target_starts_anew_as_often_as_its_file_says() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    fragile(&folder);
    let mut runs = Vec::new();
    // Two of these four cases may harm a server.
    for (restart, starts) in [("never", 1), ("groups", 3), ("cases", 5)] {
        let _ = std::fs::remove_file(folder.path().join("starts"));
        folder.target_file(&format!("command: [PYTHON, fragile.py, --port, \"{{port}}\"]\nrestart: {restart}\n"));
        conformance(
            &folder,
            &["--case", "framed/robustness/the-answer*", "--case", "framed/accounts/an-account*", "--jobs", "2"],
        )
        .assert()
        .code(0);
        runs.push((restart, starts, folder.read("starts").lines().count()));
    }
    assert!(runs.iter().all(|(_, wanted, seen)| wanted == seen), "{runs:?}");
}

/// Two runs of one target file at once: neither finds the port taken, nor the other's state.
#[test]
fn two_runs_of_one_target_with_a_fixed_port_take_turns() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    fragile(&folder);
    folder.target_file(&format!("command: [PYTHON, fragile.py, --port, \"{{port}}\"]\nport: {}\n", port()));
    let runs = [(); 2].map(|()| {
        conformance(&folder, &["--case", "framed/accounts/"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it was just built")
    });
    for mut run in runs {
        let mut report = String::new();
        run.stdout.take().expect("piped").read_to_string(&mut report).expect("text");
        assert_eq!(run.wait().expect("it ends").code(), Some(0), "{report}");
    }
    assert!(!folder.path().join("met").exists(), "two servers lived at one port");
}

/// The example server, which here goes through a list that others change meanwhile: with many connections at once it
/// closes one in the middle of a request, and says why.
const RACING: &str = r#"
import asyncio, sys
sys.path.insert(0, "EXAMPLE")
import server
here, received, lost = set(), server.Connection.data_received, server.Connection.connection_lost
def wrong(self, data):
    here.add(self)
    if len(here) < 8: return received(self, data)
    print("the list was changed while it was gone through", file=sys.stderr, flush=True)
    self.transport.abort()
def leaves(self, error):
    here.discard(self)
    lost(self, error)
server.Connection.data_received, server.Connection.connection_lost = wrong, leaves
asyncio.run(server.main())
"#;

/// To close is not to be slow: whoever does so among others only is told of a race, with what it printed then.
#[test]
fn a_connection_that_is_lost_among_others_only_is_called_a_race_and_not_slowness() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/python");
    folder.write("racing.py", &RACING.replace("EXAMPLE", &example.display().to_string()));
    folder.target_file("command: [PYTHON, racing.py, --port, \"{port}\"]\n");
    let asserted = conformance(&folder, &["--case", "framed/accounts/", "--json", "it.json"]).assert().code(3);
    asserted.stdout(
        contains(" 0 failed")
            .and(contains("inconclusive: ").and(contains("with others in play, the ")))
            .and(contains("; by itself it passed\n"))
            .and(contains("the list was changed while it was gone through"))
            .and(contains("In company: conformance run target.yaml --case framed/accounts/\n"))
            .and(contains("--deadline-ms").not()),
    );
    let json: serde_json::Value = serde_json::from_str(&folder.read("it.json")).expect("JSON");
    let cases = json["cases"].as_array().expect("a list");
    let raced = cases.iter().find(|case| case["verdict"] == "inconclusive").expect("one at least");
    assert!(raced["evidence"]["output"].to_string().contains("the list was changed"), "{raced}");
}

/// As `| head -1` does. The target is ended, and the exit code is that of a command to which somebody listens.
#[test]
fn output_that_nobody_reads_to_the_end_leaves_no_process_behind() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/python/server.py");
    folder.target_file(&format!(
        "command: [sh, \"-c\", \"echo $$ > {{folder}}/pid; exec PYTHON {} --port {{port}}\"]\n",
        example.display()
    ));
    for arguments in [
        &["probe", "target.yaml", "--policies"][..],
        &["probe", "target.yaml", "ping"],
        &["run", "target.yaml", "--case", "framed/accounts/an-account*"],
        &["run", "target.yaml", "--case", "framed/accounts/an-account*", "--json", "-"],
    ] {
        let mut command = Command::new(cargo_bin!("conformance"));
        command.current_dir(folder.path()).args(["--color", "never"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it was just built");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {complaints}");
        assert!(is_gone(&folder, "pid"), "{arguments:?} leaves the target");
    }
}

#[test]
fn an_ended_probe_ends_its_target() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    folder.target_file(
        "command: [sh, \"-c\", \"echo $$ > {folder}/pid; echo up > {folder}/begun; read x < gate # {port}\"]\nready_within_ms: 60000\n",
    );
    for fifo in ["begun", "gate"] {
        let made = Command::new("mkfifo").arg(folder.path().join(fifo)).status();
        assert!(made.is_ok_and(|status| status.success()));
    }
    let mut command = Command::new(cargo_bin!("conformance"));
    command.current_dir(folder.path()).args(["probe", "target.yaml"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut probe = command.spawn().expect("it was just built");
    let mut begun = String::new();
    std::fs::File::open(folder.path().join("begun"))
        .and_then(|mut file| file.read_to_string(&mut begun))
        .expect("it is told");
    let ended = Command::new("kill").args(["-TERM", &probe.id().to_string()]).status().expect("kill exists");
    assert!(ended.success());
    assert_eq!(probe.wait().expect("it ends").code(), Some(3));
    assert!(is_gone(&folder, "pid"), "the target is left");
}

/// The example server, which here takes one read for the whole beginning of a request, and looks every six
/// milliseconds only: what came meanwhile is read in one piece.
const HASTY: &str = r#"
import asyncio, sys, time
sys.path.insert(0, "EXAMPLE")
import server
received = server.Connection.data_received
def wrong(self, data):
    received(self, data) if len(data) >= 4 else self.transport.abort()
async def busy():
    while True:
        time.sleep(0.006)
        await asyncio.sleep(0)
async def main(): await asyncio.gather(server.main(), busy())
server.Connection.data_received = wrong
asyncio.run(main())
"#;

#[test]
fn pieces_that_are_few_are_read_one_by_one() {
    let (Some(_), folder) = (python(), Folder::new()) else { return };
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/python");
    folder.write("hasty.py", &HASTY.replace("EXAMPLE", &example.display().to_string()));
    folder.target_file("command: [PYTHON, hasty.py, --port, \"{port}\"]\n");
    let cut = ["--case", "framed/framing/*cut*early*", "--case", "framed/framing/*cut-after-*", "--jobs", "1"];
    conformance(&folder, &cut).assert().code(1).stdout(contains("FRAMING-1"));
}
