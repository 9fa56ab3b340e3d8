//! Servers in other languages, written from the specification alone, are judged by starting them for real.

use std::path::Path;
use std::process::{Command, Stdio};

use assert_cmd::assert::OutputAssertExt;
use assert_cmd::cargo::cargo_bin;
use predicates::str::contains;

/// The suite needs no Python; where there is none, this one server is not judged, and says so.
#[test]
fn a_python_server_written_from_the_specification_passes() {
    let python = Command::new("python3").arg("--version").stdout(Stdio::null()).status();
    if !python.is_ok_and(|status| status.success()) {
        eprintln!("not judged: there is no python3 on this machine");
        return;
    }
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/python/target.yaml");
    let folder = tempfile::tempdir().expect("there is room for a folder");
    Command::new(cargo_bin!("conformance"))
        .current_dir(folder.path())
        .args(["--color", "never", "run"])
        .arg(target)
        .assert()
        .code(0)
        .stdout(contains(" 0 failed, 0 not applicable, 0 inconclusive, 0 never reached"));
}
