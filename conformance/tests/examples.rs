//! Servers in other languages, written from the specification alone, are judged by starting them for real.
//!
//! What applies to each is told by its target and its wire; the tests only know how much that is at least.

use std::path::Path;
use std::process::{Command, Stdio};

use assert_cmd::assert::OutputAssertExt;
use assert_cmd::cargo::cargo_bin;

#[test]
fn a_python_server_written_from_the_specification_passes() {
    passes("python", "python3", 400);
}

#[test]
fn a_node_server_with_a_wire_of_its_own_passes() {
    passes("node", "node", 250);
}

/// The suite needs none of these languages: where one is missing, its server is not judged, and the test says so.
fn passes(example: &str, language: &str, least: usize) {
    let version = Command::new(language).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        eprintln!("not judged: there is no {language} on this machine");
        return;
    }
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example).join("target.yaml");
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let run = Command::new(cargo_bin!("conformance"))
        .current_dir(folder.path())
        .args(["--color", "never", "run"])
        .arg(target)
        .assert()
        .code(0);
    let printed = String::from_utf8_lossy(&run.get_output().stdout);
    let count =
        |word: &str| counted(&printed, word).unwrap_or_else(|| panic!("no `{word}` in the last line of\n{printed}"));
    assert!(count("passed") > least, "{printed}");
    assert_eq!((count("failed"), count("inconclusive"), count("never reached")), (0, 0, 0), "{printed}");
}

/// The number before a word in the last line of a report: `493 cases planned: 434 passed, 0 failed, …`.
fn counted(printed: &str, word: &str) -> Option<usize> {
    let (_, counts) = printed.trim_end().lines().last()?.split_once(": ")?;
    counts.split(", ").find_map(|part| part.split("  in ").next()?.strip_suffix(word)?.trim_end().parse().ok())
}
