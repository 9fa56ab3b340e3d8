//! Repository chores, with the standard library alone: `cargo xtask test`, `cargo xtask gate`, `cargo xtask generate`.
//!
//! Not here: anything that a user of the suite needs (`conformance`).

use std::env;
use std::process::{Command, ExitCode};

const HELP: &str = "\
Chores of this repository:

  cargo xtask test [ARGUMENTS]   run all tests: with cargo-nextest where it is installed, with cargo test otherwise;
                                 documentation tests either way. ARGUMENTS go to the runner
  cargo xtask gate               what CI runs: format, clippy, tests, docs and generated files fresh, the main job
  cargo xtask generate           write generated files anew (schemas)
  cargo xtask soak [N]           N whole runs of the release build in a row (200), which must all end the same
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    let done = match arguments.first().map(String::as_str) {
        Some("test") => test(rest),
        Some("gate") => gate(),
        Some("generate") => generate(),
        Some("soak") => soak(rest),
        Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            true
        }
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn test(arguments: &[String]) -> bool {
    let nextest = cargo(&["nextest", "--version"]).output().is_ok_and(|output| output.status.success());
    if nextest {
        println!("xtask: the tests run under cargo-nextest");
        let given: Vec<&str> = arguments.iter().map(String::as_str).collect();
        return run(&[&["nextest", "run", "--workspace"], given.as_slice()].concat())
            && run(&["test", "--workspace", "--doc"]);
    }
    println!("xtask: cargo-nextest is not installed; the tests run under cargo test");
    let given: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run(&[&["test", "--workspace"], given.as_slice()].concat())
}

/// The whole gate. Each step says what it is, and the first that fails ends it.
fn gate() -> bool {
    step("format", || run(&["fmt", "--all", "--check"]))
        && step("clippy", || run(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
        && step("tests", || test(&[]))
        && step("documentation", || {
            let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
            doc.env("RUSTDOCFLAGS", "--deny warnings");
            succeeds(doc)
        })
        && step("the specification has no mistakes", || run(&["run", "--quiet", "-p", "conformance", "--", "check"]))
        && step("the main job", || run(&["run", "--quiet", "-p", "conformance"]))
}

fn generate() -> bool {
    let mut generate = cargo(&["test", "--quiet", "-p", "spec", "--test", "generated"]);
    generate.env("UPDATE_GENERATED", "1");
    succeeds(generate)
}

/// Runs the release build again and again; every run must print the same verdicts.
fn soak(arguments: &[String]) -> bool {
    let runs: usize = arguments.first().and_then(|runs| runs.parse().ok()).unwrap_or(200);
    if !run(&["build", "--release", "-p", "conformance"]) {
        return false;
    }
    let target = env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    let mut first: Option<String> = None;
    for number in 1..=runs {
        let output = Command::new(format!("{target}/release/conformance")).args(["run", "--color", "never"]).output();
        let Ok(output) = output else { return false };
        let text = String::from_utf8_lossy(&output.stdout);
        // The time differs; nothing else may.
        let verdicts =
            text.lines().map(|line| line.split("  in ").next().unwrap_or(line)).collect::<Vec<_>>().join("\n");
        let verdicts = format!("{}\n{verdicts}", output.status);
        let expected = first.get_or_insert_with(|| verdicts.clone());
        if *expected != verdicts {
            println!("run {number} of {runs} differs from the first:\n{verdicts}");
            return false;
        }
    }
    println!("{runs} runs, all the same:\n{}", first.unwrap_or_default());
    true
}

fn step(name: &str, work: impl FnOnce() -> bool) -> bool {
    println!("\n── {name}");
    let done = work();
    if !done {
        println!("── {name}: failed");
    }
    done
}

fn run(arguments: &[&str]) -> bool {
    succeeds(cargo(arguments))
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    command.args(arguments);
    command
}

fn succeeds(mut command: Command) -> bool {
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("xtask: cannot run {command:?}: {error}");
            false
        }
    }
}
