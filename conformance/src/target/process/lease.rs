//! What only one instance can have at a time: a fixed port, a file of state.
//!
//! A lease is a locked file, so it holds between all groups, targets and runs of one user on this machine, and the
//! system ends it with whoever held it. Its text remembers a file that the suite wrote, see `files`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;
use std::time::Duration;

use crate::target::StartError;

/// How often a lease that another has is tried again.
const TRY_EVERY: Duration = Duration::from_millis(10);

/// Leases that are held until they are dropped.
#[derive(Debug, Default)]
pub(super) struct Leases {
    held: BTreeMap<String, File>,
}

impl Leases {
    /// Waits until all of them can be had. Everybody takes them in the same order, so nobody waits in a circle.
    pub(super) async fn take(names: &BTreeSet<String>) -> Result<Self, StartError> {
        let mut held = BTreeMap::new();
        for name in names {
            let failed = |error: io::Error| {
                StartError::new(format!(
                    "cannot make sure that nobody else has {name}: {}: {error}",
                    folder().display()
                ))
            };
            let file = open(name).map_err(failed)?;
            loop {
                match file.try_lock() {
                    Ok(()) => break,
                    Err(TryLockError::WouldBlock) => tokio::time::sleep(TRY_EVERY).await,
                    Err(TryLockError::Error(error)) => return Err(failed(error)),
                }
            }
            held.insert(name.clone(), file);
        }
        Ok(Leases { held })
    }

    /// What was written into a lease last; empty if it is not held.
    pub(super) fn remembered(&mut self, name: &str) -> String {
        let mut text = String::new();
        if let Some(file) = self.held.get_mut(name) {
            let _ = file.rewind();
            let _ = file.read_to_string(&mut text);
        }
        text
    }

    /// Writes something into a lease that is held, for whoever has it next. If that fails, nothing is remembered.
    pub(super) fn remember(&mut self, name: &str, text: &str) {
        if let Some(file) = self.held.get_mut(name) {
            let _ = file.set_len(0);
            let _ = file.rewind();
            let _ = file.write_all(text.as_bytes());
        }
    }
}

/// A number by which a text is known again.
pub(super) fn fingerprint(text: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn open(name: &str) -> io::Result<File> {
    let folder = folder();
    std::fs::create_dir_all(&folder)?;
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    // The end of a path tells more than its beginning; the number keeps apart what looks alike.
    let tail = &plain[plain.len().saturating_sub(60)..];
    let path = folder.join(format!("{}-{}", tail.trim_matches('-'), fingerprint(name.as_bytes())));
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}

/// A folder of this user's, the same for all runs.
fn folder() -> PathBuf {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "anybody".into());
    std::env::temp_dir().join(format!("conformance-leases-{}", user.replace(['/', '.'], "-")))
}
