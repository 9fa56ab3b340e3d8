//! The commands for whoever writes a dialect, `init` and `probe`, and what a run says of policies and several dialects.
//!
//! Not here: a run over one dialect (`command`), and servers that are started (`processes`).

#[path = "trying/init.rs"]
mod init;
#[cfg(feature = "grpc")]
#[path = "trying/messages.rs"]
mod messages;
#[path = "trying/narrow.rs"]
mod narrow;
#[path = "trying/policies.rs"]
mod policies;
#[path = "trying/probe.rs"]
mod probe;
#[path = "trying/several.rs"]
mod several;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use assert_cmd::assert::{Assert, OutputAssertExt};
use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

fn conformance(folder: &Path, arguments: &[&str]) -> Assert {
    command(folder, arguments).stdin(Stdio::null()).assert()
}

/// The same, with something written on its standard input.
fn conformance_hearing(folder: &Path, arguments: &[&str], input: &str) -> Assert {
    let mut command = command(folder, arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("built");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it listens");
    Assert::new(child.wait_with_output().expect("it ends"))
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin!("conformance"));
    command.current_dir(folder).args(["--color", "never"]).args(arguments);
    command
}

fn told(asserted: &Assert) -> String {
    String::from_utf8_lossy(&asserted.get_output().stdout).into_owned()
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("there is room for a folder")
}

fn read(folder: &TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).expect("it was written")
}

/// The real reference server, which another package builds.
fn reference_server() -> &'static str {
    static BUILT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    BUILT.get_or_init(|| {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let built = Command::new(cargo).args(["build", "--quiet", "--package", "reference-server"]).status();
        assert!(built.expect("cargo runs").success());
        let folder = cargo_bin!("conformance").parent().expect("it is in a folder");
        folder.join("reference-server").display().to_string()
    })
}

/// It at an address of its own; it ends with the test.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new(reference_server())
            .args(["--port", "0", "--cost", "test"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was just built");
        let mut line = String::new();
        let out = child.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("it says where it listens");
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
