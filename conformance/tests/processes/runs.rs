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
        conformance(&folder, &[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it was just built");
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
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted; the target was ended"));
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
