//! A target that is up, or on its way: its processes, the place where it runs, and what it has to itself.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::Instant;

use crate::target::process::files::Place;
use crate::target::process::group::Group;
use crate::target::process::lease::Leases;
use crate::target::process::output::{Awaited, Output};
use crate::target::process::ports::Ports;
use crate::target::process::ready::Ready;
use crate::target::process::{Memory, Values};
use crate::target::{Eventually, Instance, StartError};

/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(2);

/// How often it is looked whether a program is up.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How a process is started, beside its words.
pub(super) struct Doing {
    pub(super) environment: BTreeMap<String, String>,
    /// Whether its directory is fresh, which people forget.
    pub(super) fresh: bool,
}

/// A target that is up. Its parts are dropped in this order: processes, then their place, then what they had.
pub(super) struct Running {
    address: String,
    leader: Option<Group>,
    /// What was started before it, and how each is called.
    companions: Vec<(String, Group)>,
    output: Output,
    pub(super) place: Place,
    ports: Ports,
    pub(super) leases: Leases,
    memory: Arc<Memory>,
}

impl Running {
    pub(super) fn new(address: String, leases: Leases, place: Place, ports: Ports, memory: Arc<Memory>) -> Self {
        Running {
            address,
            leader: None,
            companions: Vec::new(),
            output: Output::default(),
            place,
            ports,
            leases,
            memory,
        }
    }

    /// Starts the target itself and waits until it is up.
    pub(super) async fn lead(
        &mut self,
        words: Vec<String>,
        doing: &Doing,
        ready: &Ready,
        within: Duration,
        values: &Values,
    ) -> Result<(), StartError> {
        let awaited = Awaited::new(ready.line());
        self.leader = Some(start(&words, self.place.path(), doing, &self.output, "", &awaited)?);
        self.wait_until_ready(&words.join(" "), ready, &awaited, within, values).await
    }

    /// Starts a program that the target needs, and waits until it is up.
    pub(super) async fn accompany(
        &mut self,
        words: Vec<String>,
        doing: &Doing,
        ready: &Ready,
        within: Duration,
        values: &Values,
    ) -> Result<(), StartError> {
        let awaited = Awaited::new(ready.line());
        let name = words[0].rsplit('/').next().unwrap_or_default().to_owned();
        let group = start(&words, self.place.path(), doing, &self.output, &format!("{name}: "), &awaited)?;
        self.companions.push((name, group));
        self.wait_until_ready(&words.join(" "), ready, &awaited, within, values).await
    }

    async fn wait_until_ready(
        &mut self,
        words: &str,
        ready: &Ready,
        awaited: &Awaited,
        within: Duration,
        values: &Values,
    ) -> Result<(), StartError> {
        let deadline = Instant::now() + within;
        loop {
            // Looked at first, so that what a program printed before it ended is known.
            let ended = self.failed_process().or_else(|| Some((words.to_owned(), self.newest()?.ended()?.to_string())));
            if let (Some((who, how)), false) = (ended, matches!(ready, Ready::Started)) {
                // What it printed last is the reason; give the reader of its output a moment to have it.
                self.kill();
                self.output.closed(GRACE).await;
                let hint = self.hint(&how).await;
                return Err(self.failed(format!("`{who}` ended before it was ready: {how}{hint}")));
            }
            if ready.is_met(&self.address, awaited, values, deadline).await {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let what = ready.unmet(&self.address, values);
                return Err(self.failed(format!("`{words}` was not ready within {} ms: {what}", within.as_millis())));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What a program that ends at once may not know.
    async fn hint(&self, how: &str) -> String {
        if let Some(trouble) = self.ports.trouble().await {
            return format!("; {trouble}");
        }
        if how == "exit status: 0" {
            return "; if it goes into the background by itself, let it stay in the foreground".into();
        }
        String::new()
    }

    /// The process that is being waited for.
    fn newest(&mut self) -> Option<&mut Group> {
        self.leader.as_mut().or(self.companions.last_mut().map(|(_, group)| group))
    }

    /// A companion that ended badly, and how. One that ended well has done its work.
    fn failed_process(&mut self) -> Option<(String, String)> {
        self.companions.iter_mut().find_map(|(name, group)| {
            let status = group.leader_ended().filter(|status| !status.success())?;
            Some((name.clone(), status.to_string()))
        })
    }

    fn failed(&self, why: String) -> StartError {
        StartError { why, output: self.output.lines() }
    }

    fn kill(&mut self) {
        self.leader.iter_mut().for_each(Group::kill);
        self.companions.iter_mut().rev().for_each(|(_, group)| group.kill());
    }
}

impl Instance for Running {
    fn address(&self) -> String {
        self.address.clone()
    }

    fn ended(&mut self) -> Option<String> {
        if let Some(status) = self.leader.as_mut().and_then(Group::ended) {
            return Some(status.to_string());
        }
        self.failed_process().map(|(name, how)| format!("`{name}` beside it: {how}"))
    }

    fn output(&self) -> Vec<String> {
        self.output.lines()
    }

    fn stop(mut self: Box<Self>) -> Eventually<'static, ()> {
        Box::pin(async move {
            // Who did not hear once will not hear the next time.
            let grace = if self.memory.stubborn.load(Ordering::Relaxed) { Duration::ZERO } else { GRACE };
            let companions = self.companions.iter_mut().rev().map(|(_, group)| group);
            for group in self.leader.iter_mut().chain(companions) {
                if group.stop(grace).await {
                    self.memory.stubborn.store(true, Ordering::Relaxed);
                }
            }
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        self.place.clear();
    }
}

fn start(
    words: &[String],
    directory: &Path,
    doing: &Doing,
    output: &Output,
    who: &str,
    awaited: &Awaited,
) -> Result<Group, StartError> {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(directory).envs(&doing.environment);
    Group::start(command, output, who, awaited).map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::NotFound if doing.fresh && words[0].contains('/') => {
                ": there is no such program (its directory is fresh and empty; {folder}/ leads to the target file's)"
            }
            io::ErrorKind::NotFound => ": there is no such program (a path is taken from the target's directory)",
            io::ErrorKind::PermissionDenied => ": it may not be executed",
            _ => "",
        };
        StartError::new(format!("cannot start `{}`{hint} ({error})", words.join(" ")))
    })
}

/// Runs a command until it ends.
pub(super) async fn to_the_end(words: Vec<String>, directory: &Path) -> Result<(), StartError> {
    let output = Output::default();
    let doing = Doing { environment: BTreeMap::new(), fresh: false };
    let mut group = start(&words, directory, &doing, &output, "", &Awaited::default())?;
    let finished = group.finished().await;
    group.kill();
    output.closed(GRACE).await;
    match finished {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let why = format!("`build` failed, so nothing was started: `{}` ended with {status}", words.join(" "));
            Err(StartError { why, output: output.lines() })
        }
        Err(error) => Err(StartError::new(format!("`build`: cannot wait for `{}`: {error}", words.join(" ")))),
    }
}
