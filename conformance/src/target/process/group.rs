//! One process with its whole group: started, watched, ended without leftovers.
//!
//! A process is started as the leader of a new group, and whatever it starts belongs to that group. The group lives as
//! long as anybody in it does, so a launcher may end while the server that it started goes on.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::target::process::output::{Awaited, Output};

/// How often it is looked whether a group has ended.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A killed process is gone as soon as the system comes to it.
const LAST_LOOK: Duration = Duration::from_millis(500);

/// A process and all that it started.
#[derive(Debug)]
pub(super) struct Group {
    leader: Child,
    /// None once nobody is left: the number may then be somebody else's.
    id: Option<Pid>,
}

impl Group {
    pub(super) fn start(mut command: Command, output: &Output, who: &str, awaited: &Awaited) -> std::io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        let mut leader = command.spawn()?;
        output.follow(leader.stdout.take(), who, awaited);
        output.follow(leader.stderr.take(), who, awaited);
        Ok(Group { id: leader.id().map(|id| Pid::from_raw(id as i32)), leader })
    }

    /// How its leader ended, if it did.
    pub(super) fn leader_ended(&mut self) -> Option<ExitStatus> {
        self.leader.try_wait().ok().flatten()
    }

    /// How it ended. A leader that ended well may have left somebody behind who does the work.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.leader_ended()?;
        (!status.success() || !self.is_alive()).then_some(status)
    }

    /// Waits until the leader has ended.
    pub(super) async fn finished(&mut self) -> std::io::Result<ExitStatus> {
        self.leader.wait().await
    }

    /// Asks everybody to end, and kills who has not after a while. Says whether that was necessary.
    pub(super) async fn stop(&mut self, grace: Duration) -> bool {
        self.signal(Signal::SIGTERM);
        let until = Instant::now() + grace;
        while self.is_alive() && Instant::now() < until {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let killed = self.is_alive();
        self.kill();
        killed
    }

    /// Kills everybody, and waits the moment that this takes, so that nobody writes or listens any more.
    pub(super) fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        let until = Instant::now() + LAST_LOOK;
        while self.is_alive() && Instant::now() < until {
            std::thread::yield_now();
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(id) = self.id {
            let _ = killpg(id, signal);
        }
    }

    fn is_alive(&mut self) -> bool {
        let Some(id) = self.id else { return false };
        let leader_lives = self.leader_ended().is_none();
        if leader_lives || killpg(id, None).is_ok() && somebody_works(id) {
            return true;
        }
        // As long as its leader was not waited for, the number could not be given to anybody else.
        self.id = killpg(id, None).is_ok().then_some(id);
        false
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether anybody in a group is more than a zombie, which has ended and only waits to be looked at by its parent.
/// Where that cannot be seen, everybody counts.
fn somebody_works(group: Pid) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else { return true };
    let mut seen_any = false;
    for process in processes.flatten() {
        if !process.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        let Ok(stat) = std::fs::read_to_string(process.path().join("stat")) else { continue };
        // `pid (name) state parent group …`; the name may hold anything.
        let mut words = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let (state, of) = (words.next(), words.nth(1));
        seen_any = true;
        if of == Some(&group.to_string()) && !matches!(state, Some("Z" | "X")) {
            return true;
        }
    }
    !seen_any
}
