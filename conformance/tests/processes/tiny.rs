//! Tiny servers in Python, and target files around them.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use conformance::target::{Instance, ServerOptions, StartError, Target, read_file};
use spec::Spec;
use spec::error::Diagnostics;
use spec::source::Source;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Says its first argument to whoever connects, on the port that is its second, and appends `up` to the file that is
/// its third.
pub(crate) const SERVER: &str = r#"
import socket, sys
def serve(words, port, log=None):
    if log:
        with open(log, "a") as file: file.write("up\n")
    listener = socket.create_server(("127.0.0.1", int(port)))
    print("listening on port", port, flush=True)
    while True:
        connection, _ = listener.accept()
        try: connection.sendall(words.encode()); connection.close()
        except OSError: pass
if __name__ == "__main__": serve(*sys.argv[1:])
"#;

/// The interpreter itself: a shim before it would be one more process, and slow.
pub(crate) fn python() -> Option<&'static str> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let asked = ["-c", "import sys; print(sys.executable)"];
        let output = Command::new("python3").args(asked).stderr(Stdio::null()).output().ok()?;
        let path = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !path.is_empty()).then_some(path)
    });
    if found.is_none() {
        eprintln!("not tried: there is no python3 on this machine");
    }
    found.as_deref()
}

pub(crate) fn spec() -> &'static Arc<Spec> {
    static READ: OnceLock<Arc<Spec>> = OnceLock::new();
    READ.get_or_init(|| {
        let mut found = Diagnostics::default();
        Arc::new(Spec::read(&Source::embedded(), &mut found).expect("the specification has no mistakes"))
    })
}

/// A folder with `server.py` and target files.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Folder(tempfile::tempdir().expect("there is room for a folder"));
        folder.write("server.py", SERVER);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).expect("the folder is ours");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }

    /// Writes a target file; `PYTHON` in it is the interpreter.
    pub(crate) fn target_file(&self, text: &str) -> PathBuf {
        self.write("target.yaml", &format!("target: tiny\n{}", text.replace("PYTHON", python().unwrap_or("python3"))))
    }

    pub(crate) fn target(&self, text: &str) -> Target {
        let mut found = Diagnostics::default();
        let target = read_file(&self.target_file(text), spec(), &mut found);
        target.unwrap_or_else(|| panic!("{}", found.render(false)))
    }

    /// The mistakes in a target file.
    pub(crate) fn mistakes(&self, text: &str) -> String {
        let mut found = Diagnostics::default();
        let target = read_file(&self.target_file(text), spec(), &mut found);
        assert!(target.is_none(), "{text} is accepted");
        found.render(false)
    }
}

pub(crate) async fn start(target: &Target) -> Box<dyn Instance> {
    match target.starter.start(&ServerOptions::new()).await {
        Ok(instance) => instance,
        Err(error) => panic!("{error}\n{}", error.output.join("\n")),
    }
}

pub(crate) async fn fails(target: &Target) -> StartError {
    target.starter.start(&ServerOptions::new()).await.err().expect("it cannot start")
}

/// What a tiny server says.
pub(crate) async fn says(address: &str) -> String {
    let mut words = String::new();
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.read_to_string(&mut words).await.expect("it says something");
    words
}

/// A port at which nobody listens.
pub(crate) fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Whether the process whose number a file holds has ended. A zombie has; only its parent has not looked yet.
pub(crate) fn is_gone(folder: &Folder, file: &str) -> bool {
    let pid = folder.read(file);
    assert!(!pid.trim().is_empty(), "the process wrote its number");
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    !stat.is_ok_and(|stat| !stat.contains(") Z "))
}
