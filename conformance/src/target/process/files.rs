//! The place where a target runs: its directory, the state that is wiped, and the files that are written for it.
//!
//! Nothing of the user's is lost: a file is written only where none stands, or one that the suite itself wrote and that
//! nobody changed since. What was written is removed when the instance is gone, and so is a fresh directory.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::target::StartError;
use crate::target::process::lease::{Leases, fingerprint};
use crate::target::process::{Directory, Values, fill, placeholders};

/// The place of one instance.
#[derive(Debug, Default)]
pub(super) struct Place {
    path: PathBuf,
    fresh: Option<TempDir>,
    /// Files that were written, and state that nobody would find again.
    leftovers: Vec<PathBuf>,
}

impl Place {
    pub(super) fn new(directory: &Directory, path: PathBuf) -> Result<Self, StartError> {
        match directory {
            Directory::Folder(_) if !path.is_dir() => {
                Err(StartError::new(format!("there is no directory {} to start the target in", path.display())))
            }
            Directory::Folder(_) => Ok(Place { path, ..Place::default() }),
            Directory::Fresh => {
                let fresh = tempfile::Builder::new().prefix("conformance-").tempdir();
                let fresh =
                    fresh.map_err(|error| StartError::new(format!("cannot make a fresh directory: {error}")))?;
                Ok(Place { path: fresh.path().to_path_buf(), fresh: Some(fresh), leftovers: Vec::new() })
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Wipes the state and writes the files.
    pub(super) fn prepare<'a>(
        &mut self,
        state: &[String],
        files: impl IntoIterator<Item = (&'a String, &'a String)>,
        values: &Values,
        leases: &mut Leases,
    ) -> Result<(), StartError> {
        for text in state {
            let path = self.path.join(fill(text, values));
            if !placeholders(text).is_empty() {
                self.leftovers.push(path.clone());
            }
            remove(&path)
                .map_err(|error| StartError::new(format!("cannot remove the state in {}: {error}", path.display())))?;
        }
        for (name, text) in files {
            self.write(&fill(name, values), fill(text, values).as_bytes(), leases)?;
        }
        Ok(())
    }

    fn write(&mut self, name: &str, text: &[u8], leases: &mut Leases) -> Result<(), StartError> {
        let path = self.path.join(name);
        let failed = |error: io::Error| StartError::new(format!("cannot write {}: {error}", path.display()));
        let lease = lease_of(&path);
        match std::fs::read(&path) {
            // What an earlier run wrote and could not remove, because it was killed.
            Ok(there) if leases.remembered(&lease) == fingerprint(&there) => {}
            Ok(_) => {
                return Err(StartError::new(format!(
                    "{} exists, and the suite did not write it: nothing was changed; move it away, give the file under `files` another name, or say `directory: fresh`",
                    path.display()
                )));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        leases.remember(&lease, &fingerprint(text));
        self.leftovers.push(path.clone());
        std::fs::write(&path, text).map_err(failed)
    }

    /// Removes what was made for the instance, once nobody uses it any more.
    pub(super) fn clear(&mut self) {
        for path in self.leftovers.drain(..) {
            let _ = remove(&path);
        }
        drop(self.fresh.take());
    }
}

fn remove(path: &Path) -> io::Result<()> {
    // A link is removed, never what it leads to.
    let removed = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The name of the lease of a path.
pub(super) fn lease_of(path: &Path) -> String {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(plain.pop()),
            std::path::Component::CurDir => {}
            part => plain.push(part),
        }
    }
    format!("path {}", plain.display())
}

/// A folder as the system knows it; empty is the present one.
pub(super) fn absolute(folder: &Path) -> Result<PathBuf, StartError> {
    let folder = if folder == Path::new("") { Path::new(".") } else { folder };
    std::fs::canonicalize(folder)
        .map_err(|error| StartError::new(format!("there is no directory {}: {error}", folder.display())))
}
