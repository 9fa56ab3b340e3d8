//! A target that the suite starts itself: a program in its own process group, on a port that is free.
//!
//! Whatever it prints is read all the time and only its last lines are kept, so it can neither block nor fill anything.
//! When it is stopped, or dropped, its whole group ends with it.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::target::{Eventually, Instance, ServerOptions, StartError, Starter};

/// Lines of output that are kept.
const LINES_KEPT: usize = 40;

/// Characters of one line that are kept.
const LINE_KEPT: usize = 400;

/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(2);

/// How often a port is tried until it accepts.
const TRY_EVERY: Duration = Duration::from_millis(5);

/// When a program counts as up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// Its port accepts a connection.
    Port,
    /// It printed a line with these words.
    Line(String),
}

/// A program to be started.
#[derive(Debug, Clone)]
pub struct Program {
    /// The program and its arguments; `{port}` is a free port.
    pub command: Vec<String>,
    /// Where it is started.
    pub directory: Option<PathBuf>,
    /// Variables added to the environment; `{port}` as above.
    pub environment: BTreeMap<String, String>,
    /// The port, if it is always the same.
    pub port: Option<u16>,
    /// When it counts as up.
    pub ready: Ready,
    /// How long that may take.
    pub ready_within: Duration,
    /// Files and folders that are removed before each start.
    pub state: Vec<PathBuf>,
    /// Arguments that set an option, with `{value}` in them.
    pub options: BTreeMap<String, Vec<String>>,
}

impl Program {
    /// A program with nothing special about it.
    pub fn new(command: Vec<String>) -> Self {
        Program {
            command,
            directory: None,
            environment: BTreeMap::new(),
            port: None,
            ready: Ready::Port,
            ready_within: Duration::from_secs(10),
            state: Vec::new(),
            options: BTreeMap::new(),
        }
    }

    async fn launch(&self, options: &ServerOptions) -> Result<Running, StartError> {
        let port = match self.port {
            Some(port) => port,
            None => free_port().await.map_err(|error| StartError::new(format!("there is no free port: {error}")))?,
        };
        let address = format!("127.0.0.1:{port}");
        if TcpStream::connect(&address).await.is_ok() {
            return Err(StartError::new(format!(
                "port {port} is in use already: something answers there before the target was started; end it, or use {{port}}"
            )));
        }
        for path in &self.state {
            let path = self.directory.as_ref().map_or_else(|| path.clone(), |directory| directory.join(path));
            let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            if let Err(error) = removed
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(StartError::new(format!("cannot remove the state in {}: {error}", path.display())));
            }
        }
        let mut words: Vec<String> =
            self.command.iter().map(|word| word.replace("{port}", &port.to_string())).collect();
        for (name, value) in options {
            let arguments = self.options.get(name).into_iter().flatten();
            words.extend(arguments.map(|word| word.replace("{value}", &value.to_string())));
        }
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        for (name, value) in &self.environment {
            command.env(name, value.replace("{port}", &port.to_string()));
        }
        let mut child = command.spawn().map_err(|error| {
            let hint = match error.kind() {
                io::ErrorKind::NotFound => ": there is no such program (a path is taken from the target's directory)",
                io::ErrorKind::PermissionDenied => ": it may not be executed",
                _ => "",
            };
            StartError::new(format!("cannot start `{}`{hint} ({error})", words.join(" ")))
        })?;
        let output = Output::default();
        output.follow(child.stdout.take());
        output.follow(child.stderr.take());
        let mut running = Running { group: child.id().map(|id| Pid::from_raw(id as i32)), child, address, output };
        running.wait_until_ready(&self.ready, self.ready_within, &words.join(" ")).await?;
        Ok(running)
    }
}

impl Starter for Program {
    fn start<'a>(&'a self, options: &'a ServerOptions) -> Eventually<'a, Result<Box<dyn Instance>, StartError>> {
        Box::pin(async move {
            let running = self.launch(options).await?;
            Ok(Box::new(running) as Box<dyn Instance>)
        })
    }

    fn can_set(&self, option: &str) -> bool {
        self.options.contains_key(option)
    }

    fn is_ours(&self) -> bool {
        true
    }

    /// A port, and files of state, can be had by one instance alone.
    fn bears_several(&self) -> bool {
        self.port.is_none() && self.state.is_empty()
    }
}

/// A program that is up.
struct Running {
    child: Child,
    group: Option<Pid>,
    address: String,
    output: Output,
}

impl Running {
    async fn wait_until_ready(&mut self, ready: &Ready, within: Duration, words: &str) -> Result<(), StartError> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(how) = self.ended() {
                // What it printed last is the reason; give the reader of its output a moment to have it.
                self.output.closed(GRACE).await;
                return Err(self.failed(format!("`{words}` ended before it was ready: {how}")));
            }
            let is_ready = match ready {
                Ready::Port => TcpStream::connect(&self.address).await.is_ok(),
                Ready::Line(words) => self.output.has(words),
            };
            if is_ready {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let what = match ready {
                    Ready::Port => format!("nothing accepts connections at {}", self.address),
                    Ready::Line(line) => format!("it printed no line with {line:?}"),
                };
                return Err(self.failed(format!("`{words}` was not ready within {} ms: {what}", within.as_millis())));
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
    }

    fn failed(&self, why: String) -> StartError {
        StartError { why, output: self.output.lines() }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            let _ = killpg(group, signal);
        }
    }
}

impl Instance for Running {
    fn address(&self) -> String {
        self.address.clone()
    }

    fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(Some(status)) => Some(status.to_string()),
            _ => None,
        }
    }

    fn output(&self) -> Vec<String> {
        self.output.lines()
    }

    fn stop(mut self: Box<Self>) -> Eventually<'static, ()> {
        Box::pin(async move {
            self.signal(Signal::SIGTERM);
            let _ = timeout(GRACE, self.child.wait()).await;
            // What the program itself started and left behind ends here, too (and again in `drop`).
            self.signal(Signal::SIGKILL);
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

/// The last lines of a program's output.
#[derive(Debug, Clone, Default)]
struct Output {
    lines: Arc<Mutex<VecDeque<String>>>,
    open: Arc<Mutex<usize>>,
    changed: Arc<Notify>,
}

impl Output {
    /// Reads a stream to its end in the background.
    fn follow(&self, stream: Option<impl AsyncRead + Unpin + Send + 'static>) {
        let Some(mut stream) = stream else { return };
        *self.open.lock().expect("never poisoned") += 1;
        let output = self.clone();
        tokio::spawn(async move {
            let (mut line, mut buffer) = (Vec::new(), [0_u8; 8192]);
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                for byte in &buffer[..count] {
                    match byte {
                        b'\n' => output.push(std::mem::take(&mut line)),
                        _ if line.len() < LINE_KEPT => line.push(*byte),
                        _ => {}
                    }
                }
            }
            if !line.is_empty() {
                output.push(line);
            }
            *output.open.lock().expect("never poisoned") -= 1;
            output.changed.notify_waiters();
        });
    }

    fn push(&self, line: Vec<u8>) {
        let mut lines = self.lines.lock().expect("never poisoned");
        if lines.len() == LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("never poisoned").iter().cloned().collect()
    }

    fn has(&self, words: &str) -> bool {
        self.lines.lock().expect("never poisoned").iter().any(|line| line.contains(words))
    }

    async fn closed(&self, within: Duration) {
        let all = async {
            loop {
                let changed = self.changed.notified();
                if *self.open.lock().expect("never poisoned") == 0 {
                    return;
                }
                changed.await;
            }
        };
        let _ = timeout(within, all).await;
    }
}

/// A port that was free a moment ago.
async fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port())
}
