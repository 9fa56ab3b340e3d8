//! The command as its users meet it: exit codes, clear messages, reports, and nothing left behind whatever happens.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use assert_cmd::assert::OutputAssertExt;
use assert_cmd::cargo::cargo_bin;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_match};
use tempfile::TempDir;

/// A few cases that any right server passes quickly.
const FEW: [&str; 2] = ["--case", "framed/accounts/"];

fn conformance(folder: &Path) -> Command {
    let mut command = Command::new(cargo_bin!("conformance"));
    command.current_dir(folder).args(["--color", "never", "run"]);
    command
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("there is room for a folder")
}

/// The real reference server, which another package builds.
fn reference_server() -> &'static str {
    static BUILT: OnceLock<String> = OnceLock::new();
    BUILT.get_or_init(|| {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let built = Command::new(cargo).args(["build", "--quiet", "--package", "reference-server"]).status();
        assert!(built.expect("cargo runs").success());
        let folder = cargo_bin!("conformance").parent().expect("it is in a folder");
        folder.join("reference-server").display().to_string()
    })
}

/// A reference server at an address of its own; it ends with the test.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(reference_server())
            .args(["--port", "0", "--cost", "test"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was just built");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it says where it listens");
        let address = line.split_whitespace().last().expect("the address").to_owned();
        Server { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("the folder is ours");
    path
}

// ── exit codes ────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_reference_passes_and_exits_with_0() {
    conformance(folder().path()).assert().code(0).stdout(
        is_match(r"(\d+) cases planned: \d+ passed, 0 failed, \d+ not applicable, 0 inconclusive, 0 never reached")
            .unwrap(),
    );
}

/// Whoever declares to lack everything has shown nothing, and the report says what is in the way.
#[test]
fn a_run_that_judges_nothing_exits_with_3_and_says_what_is_in_the_way() {
    let here = folder();
    let text = format!(
        "target: modest\ncommand: [{}, --port, \"{{port}}\", --cost, test]\nlacks: [create_account]\n",
        reference_server()
    );
    let path = write(&here, "modest.yaml", &text);
    conformance(here.path())
        .arg(&path)
        .args(["--case", "framed/accounts/an-account*"])
        .assert()
        .code(3)
        .stdout(is_match(r"nothing was judged, most often because the target has no `\w+`: \d+ cases").unwrap());
    // Over several dialects it is enough that one of them carries what was asked for.
    let both = ["reference", "--dialect", "framed,000", "--case", "limits/sixteen-zeros"];
    conformance(here.path()).args(both).assert().code(0).stdout(contains(" 0 failed"));
    let neither = ["reference", "--dialect", "000,002", "--case", "limits/sixteen-zeros"];
    conformance(here.path()).args(neither).assert().code(3).stdout(contains("nothing was judged, most often because"));
}

/// The numbers in front of the colons of the lines about cases that do not apply.
fn not_applicable(report: &str) -> Vec<u64> {
    let lines = report.lines().filter_map(|line| line.strip_prefix("not applicable: "));
    lines.filter_map(|line| line.split_once(" case")?.0.parse().ok()).collect()
}

#[test]
fn why_cases_do_not_apply_is_told_by_kind_and_all_of_it_where_that_is_wanted() {
    let here = folder();
    let run = |arguments: &[&str]| {
        let output = conformance(here.path()).args(["reference", "--dialect", "000"]).args(arguments).output();
        String::from_utf8(output.expect("it runs").stdout).expect("text")
    };
    let (short, long) = (run(&[]), run(&["--verbose"]));
    let (kinds, reasons) = (not_applicable(&short), not_applicable(&long));
    assert!(kinds.is_sorted_by(|one, next| one >= next) && kinds.len() < 8, "{short}");
    assert!(reasons.is_sorted_by(|one, next| one >= next) && reasons.len() > 30, "{long}");
    let [by_kind, all] = [&kinds, &reasons].map(|counts| counts.iter().sum::<u64>());
    assert_eq!(by_kind, all);
    assert!(short.contains(&format!(" {all} not applicable,")), "{short}{long}");
    for words in
        ["the target has no `acknowledgement` (", "for another choice of pattern (", "outside this wire's limits: "]
    {
        assert!(short.contains(words), "{words}: {short}");
    }
    assert!(short.contains(&format!("--verbose tells all {} reasons", reasons.len())), "{short}");
    assert!(long.contains(" cases: the target has no `acknowledgement`\n"), "{long}");
}

#[test]
fn a_server_started_by_a_command_passes() {
    conformance(folder().path())
        .args(FEW)
        .args(["--", reference_server(), "--port", "{port}", "--cost", "test"])
        .assert()
        .code(0)
        .stdout(contains(" 0 failed"));
}

#[test]
fn a_running_server_is_judged_twice_and_accused_of_nothing() {
    let server = Server::start(&[]);
    for _ in 0..2 {
        conformance(folder().path()).arg(&server.address).assert().code(0).stdout(contains(" 0 failed"));
    }
}

#[test]
fn what_cannot_be_understood_exits_with_2_and_says_what_to_do() {
    let here = folder();
    for (arguments, words) in [
        (vec!["nonsense"], "no target"),
        (vec!["--case", "no/such/case"], "conformance list"),
        (vec!["--requirement", "DELIVRY-1"], "did you mean `DELIVERY-1`"),
        (vec!["--dialect", "frames"], "did you mean `framed`"),
        (vec!["--", "server", "--port", "6262"], "{port}"),
        (vec!["--last-failed"], "nothing is remembered here"),
    ] {
        conformance(here.path()).args(&arguments).assert().code(2).stderr(contains(words));
    }
}

#[test]
fn a_target_file_with_mistakes_exits_with_4_and_shows_all_of_them() {
    let here = folder();
    let path = write(&here, "mine.yaml", "target: mine\ndialect: framde\ncommand: [./server]\nlacks: [pusch]\n");
    conformance(here.path())
        .arg(&path)
        .assert()
        .code(4)
        .stderr(contains("there is no dialect `framde`").and(contains("mine.yaml:2:10")));
    let path = write(
        &here,
        "mine.yaml",
        "target: mine\ncommand: [./server]\nlacks: [pusch]\noptions: {mailbox: [\"-m\", \"{value}\"]}\n",
    );
    conformance(here.path())
        .arg(&path)
        .assert()
        .code(4)
        .stderr(contains("no capability `pusch`").and(contains("no option `mailbox`")).and(contains("2 mistakes")));
}

// ── targets that are not well ─────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_command_that_does_not_exist_exits_with_3() {
    conformance(folder().path()).args(["--", "./no-such-server", "{port}"]).assert().code(3).stdout(
        contains("cannot start `./no-such-server")
            .and(contains("there is no such program"))
            .and(contains("never reached")),
    );
}

#[test]
fn a_port_in_use_exits_with_3_and_judges_nobody_else() {
    let here = folder();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    let path = write(&here, "mine.yaml", &format!("target: mine\ncommand: [sleep, \"60\"]\nport: {port}\n"));
    conformance(here.path()).arg(&path).assert().code(3).stdout(contains(format!("port {port} is in use already")));
}

#[test]
fn a_target_that_ends_at_once_is_shown_with_its_last_words() {
    conformance(folder().path())
        .args(["--", "sh", "-c", "echo 'no database at {port}' >&2; exit 7"])
        .assert()
        .code(3)
        .stdout(contains("ended before it was ready").and(contains("exit status: 7")).and(contains("no database at")));
}

#[test]
fn a_target_that_never_listens_is_given_up_and_ended() {
    let here = folder();
    let pid = here.path().join("pid");
    let command = format!("[sh, \"-c\", \"echo $$ > {}; exec sleep 600 # {{port}}\"]", pid.display());
    let path = write(&here, "mine.yaml", &format!("target: mine\ncommand: {command}\nready_within_ms: 300\n"));
    conformance(here.path()).arg(&path).assert().code(3).stdout(contains("was not ready within 300 ms"));
    assert_gone(&pid);
}

#[test]
fn a_megabyte_on_stderr_neither_blocks_nor_fills() {
    let server = reference_server();
    let script = format!("head -c 1000000 /dev/zero | tr '\\0' 'x' >&2; exec {server} --port {{port}} --cost test");
    conformance(folder().path()).args(FEW).args(["--", "sh", "-c", &script]).assert().code(0);
}

#[test]
fn a_silent_server_is_given_up_and_nobody_is_accused() {
    // A listener whose backlog accepts connections that nobody ever reads.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = silent.local_addr().expect("bound").to_string();
    conformance(folder().path())
        .arg(&address)
        .assert()
        .code(3)
        .stdout(contains("does not answer `ping`").and(contains(" 0 failed")));
}

#[test]
fn nobody_at_an_address_exits_with_3() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
    conformance(folder().path())
        .arg(format!("127.0.0.1:{port}"))
        .assert()
        .code(3)
        .stdout(contains("nobody can be reached"));
}

#[test]
fn a_server_killed_in_mid_run_is_said_to_have_gone() {
    let mut server = Server::start(&[]);
    let mut run = conformance(folder().path())
        .args(["--verbose", "--jobs", "1", &server.address])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it was just built");
    let mut lines = BufReader::new(run.stderr.take().expect("piped")).lines();
    let first = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("passed"));
    assert!(first.is_some(), "a case passed before the server died");
    server.child.kill().expect("it runs");
    lines.for_each(drop);
    let mut report = String::new();
    run.stdout.take().expect("piped").read_to_string(&mut report).expect("text");
    assert_eq!(run.wait().expect("it ends").code(), Some(3), "{report}");
    assert!(report.contains(" 0 failed") && report.contains("stopped"), "{report}");
}

/// Instances that cannot live side by side come one after the other, each with its own options.
#[test]
fn a_target_with_one_port_is_judged_like_any_other() {
    let here = folder();
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
    let text = format!(
        "target: fixed\ncommand: [{}, --port, \"{port}\", --cost, test]\nport: {port}\noptions: {{mailbox_messages: [--mailbox-messages, \"{{value}}\"]}}\n",
        reference_server()
    );
    let path = write(&here, "fixed.yaml", &text);
    conformance(here.path())
        .arg(&path)
        .args(["--case", "mail", "--case", "crash"])
        .assert()
        .code(0)
        .stdout(contains("a second instance cannot live beside the first").and(contains(" 0 inconclusive")));
}

/// Each instance plays as many cases as it bears accounts for; the next begins empty.
#[test]
fn a_target_that_bears_few_accounts_is_started_anew() {
    let here = folder();
    let (server, starts) = (reference_server(), here.path().join("starts"));
    let script = format!("echo up >> {}; exec {server} --port {{port}} --cost test", starts.display());
    let text = format!("target: small\ncommand: [sh, \"-c\", \"{script}\"]\naccounts: 10\n");
    let path = write(&here, "small.yaml", &text);
    conformance(here.path()).arg(&path).args(FEW).assert().code(0).stdout(contains(" 0 never reached"));
    assert!(std::fs::read_to_string(&starts).expect("it was started").lines().count() > 1);

    let running = Server::start(&[]);
    let path = write(&here, "remote.yaml", &format!("target: small\naddress: {}\naccounts: 10\n", running.address));
    conformance(here.path())
        .arg(&path)
        .args(FEW)
        .assert()
        .code(3)
        .stdout(contains("bears 10 accounts").and(contains(" 0 failed")));
}

/// Its own process group is ended, with whatever it started.
#[test]
fn an_interrupted_run_reports_what_is_decided_and_leaves_no_process_behind() {
    let here = folder();
    let pid = here.path().join("pid");
    let script =
        format!("sleep 600 & echo $! > {}; exec {} --port {{port}} --cost test", pid.display(), reference_server());
    let mut run = conformance(here.path())
        .args(["--verbose", "--jobs", "1", "--json", "report.json", "--", "sh", "-c", &script])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it was just built");
    let mut lines = BufReader::new(run.stderr.take().expect("piped")).lines();
    assert!(lines.by_ref().map_while(Result::ok).any(|line| line.starts_with("passed")));
    let interrupt = Command::new("kill").args(["-INT", &run.id().to_string()]).status().expect("kill exists");
    assert!(interrupt.success());
    lines.for_each(drop);
    assert_eq!(run.wait().expect("it ends").code(), Some(3));
    assert_gone(&pid);
    let report = std::fs::read_to_string(here.path().join("report.json")).expect("it was written");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["stopped"]["why"], "interrupted");
    assert!(
        report["counts"]["passed"].as_u64() > Some(0) && report["counts"]["not_reached"].as_u64() > Some(0),
        "{report:.900}"
    );
}

/// Waits until the process whose number a file holds is gone. A process that stays fails by the runner's time limit.
fn assert_gone(file: &Path) {
    let pid = std::fs::read_to_string(file).expect("the target wrote it");
    let stat = format!("/proc/{}/stat", pid.trim());
    // A zombie has ended; only its parent has not looked yet.
    while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        std::thread::yield_now();
    }
}

// ── reports and known failures ────────────────────────────────────────────────────────────────────────────────────────

/// A server whose mailboxes are too small is wrong wherever more messages wait.
fn wrong_server() -> Server {
    Server::start(&["--mailbox-messages", "1"])
}

#[test]
fn a_failure_tells_its_sentence_its_step_its_bytes_and_how_to_repeat_it() {
    let server = wrong_server();
    conformance(folder().path()).args([&server.address, "--case", "framed/delivery/"]).assert().code(1).stdout(
        contains("FAILED framed/delivery/")
            .and(contains("MUST"))
            .and(contains("expected "))
            .and(contains("seen "))
            .and(contains("mailbox_full"))
            .and(contains("error: 32"))
            .and(contains(format!("again      conformance run {} --case framed/delivery/", server.address))),
    );
}

#[test]
fn known_failures_are_written_used_and_must_stay_true() {
    let (here, server) = (folder(), wrong_server());
    let known = here.path().join("known.yaml");
    let known = known.to_str().expect("a plain path");
    let run = |address: &str, arguments: &[&str]| {
        let mut command = conformance(here.path());
        command.args([address, "--case", "framed/delivery/"]).args(arguments);
        command.assert()
    };
    run(&server.address, &["--write-known-failures", known]).code(1);
    assert!(std::fs::read_to_string(known).expect("written").contains("why: \"not looked into yet\""));
    run(&server.address, &["--known-failures", known]).code(0).stdout(contains("as known"));
    let right = Server::start(&[]);
    run(&right.address, &["--known-failures", known]).code(1).stdout(contains("passes now"));
    let text = std::fs::read_to_string(known).expect("written").replacen("framed/delivery/", "framed/delivry/", 1);
    std::fs::write(known, text).expect("the folder is ours");
    run(&server.address, &["--known-failures", known])
        .code(4)
        .stderr(contains("there is no case `framed/delivry/").and(contains("did you mean")));
}

#[test]
fn the_last_failures_alone_can_be_played_again() {
    let (here, server) = (folder(), wrong_server());
    conformance(here.path()).args([&server.address, "--case", "framed/delivery/"]).assert().code(1);
    conformance(here.path()).args([&server.address, "--last-failed"]).assert().code(1).stdout(contains(" 0 passed"));
}

#[test]
fn json_and_junit_tell_what_the_terminal_tells() {
    let (here, server) = (folder(), wrong_server());
    conformance(here.path())
        .args([&server.address, "--case", "framed/delivery/", "--json", "report.json", "--junit", "report.xml"])
        .assert()
        .code(1);
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(here.path().join("report.json")).expect("written"))
            .expect("JSON");
    let failed = json["counts"]["failed"].as_u64().expect("a count");
    assert!(failed > 0);
    let cases = json["cases"].as_array().expect("cases");
    let bad: Vec<_> = cases.iter().filter(|case| case["verdict"] == "failed").collect();
    assert_eq!(bad.len() as u64, failed);
    assert!(bad.iter().all(|case| case["evidence"]["history"].as_array().is_some_and(|history| !history.is_empty())));
    let xml = std::fs::read_to_string(here.path().join("report.xml")).expect("written");
    assert_eq!(xml.matches("<failure").count() as u64, failed);
    assert_eq!(xml.matches("<testcase").count(), cases.len());
}

#[test]
fn json_on_stdout_is_nothing_but_json() {
    let output = conformance(folder().path()).args(FEW).args(["--json", "-"]).output().expect("it runs");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
    assert_eq!(json["exit"], 0);
}

#[test]
fn a_report_that_cannot_be_written_is_said() {
    conformance(folder().path())
        .args(FEW)
        .args(["--json", "/no/such/folder/report.json"])
        .assert()
        .code(3)
        .stderr(contains("cannot write /no/such/folder/report.json"));
}

// ── the other commands ────────────────────────────────────────────────────────────────────────────────────────────────

fn command(arguments: &[&str]) -> assert_cmd::assert::Assert {
    Command::new(cargo_bin!("conformance")).args(["--color", "never"]).args(arguments).assert()
}

#[test]
fn every_word_of_the_protocol_can_be_explained() {
    command(&["explain", "DELIVERY-1"]).code(0).stdout(contains("MUST").and(contains("shown by")));
    command(&["explain", "send_message"]).code(0).stdout(contains("recipient").and(contains("operation: 5")));
    command(&["explain", "mailbox_full"]).code(0).stdout(contains("code 32"));
    command(&["explain", "delivery"]).code(0).stdout(contains("the protocol's own"));
    command(&["explain", "DELIVERI-1"]).code(2).stderr(contains("did you mean `DELIVERY-1`"));
}

#[test]
fn lists_name_every_case_and_requirement() {
    let cases = spec::scenario::list(&spec::source::Source::embedded()).len();
    let listed = command(&["list"]).code(0).get_output().stdout.clone();
    assert_eq!(String::from_utf8_lossy(&listed).lines().count(), cases);
    command(&["list", "--requirements", "FRAMING"]).code(0).stdout(contains("FRAMING-1 "));
}

#[test]
fn check_shows_every_mistake_of_ones_own_files() {
    let here = folder();
    let path = write(
        &here,
        "own.yaml",
        "scenario: mine\nchecks: [DELIVERY-1]\nwhy: because\nsteps:\n  - alice: pingg\n    gets: okay\n  - bob: ping\n    gets: okay\n",
    );
    let path = path.to_str().expect("a plain path");
    command(&["check", path]).code(4).stderr(
        contains("nobody can `pingg`").and(contains("`okay` is nothing that can come")).and(contains("2 mistakes")),
    );
    command(&["check"]).code(0).stdout(contains("no mistakes"));
}

#[test]
fn vectors_and_schemas_are_json() {
    for arguments in
        [["vectors", "--dialect=framed"], ["schema", "scenario"], ["schema", "target"], ["schema", "known-failures"]]
    {
        let output = command(&arguments).code(0).get_output().stdout.clone();
        serde_json::from_slice::<serde_json::Value>(&output).expect("JSON and nothing else");
    }
    command(&["completions", "bash"]).code(0).stdout(contains("conformance"));
}

#[test]
fn logs_of_clock_peers_are_judged_by_their_sentences() {
    let here = folder();
    let line =
        |clock: u64| format!("{{\"time\":{},\"peer\":1,\"clock\":{clock},\"event\":\"internal\"}}\n", clock * 1000);
    let right = write(&here, "right.log", &(line(1) + &line(2)));
    let wrong = write(&here, "wrong.log", &(line(2) + &line(2)));
    command(&["clocks", wrong.to_str().expect("a plain path")])
        .code(1)
        .stdout(contains("FAILED        CLOCKS-2").and(contains("wrong.log line 2")));
    // One peer alone shows nothing about messages, and breaks nothing.
    command(&["clocks", right.to_str().expect("a plain path")]).code(3).stdout(contains("passed        CLOCKS-2"));
    command(&["clocks", "/no/such.log"]).code(2).stderr(contains("cannot read /no/such.log"));
}
