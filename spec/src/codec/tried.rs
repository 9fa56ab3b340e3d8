//! Which entries of the tables some bytes were held against, and where each stopped fitting: for whoever writes a dialect.

use std::fmt;

use crate::codec::hear::Miss;
use crate::codec::{Dialogue, Slots, Unfit};
use crate::dialect::Dialect;

/// One entry that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Where the dialect has it: `operations.log_in.hear.ok`.
    pub path: String,
    /// What came of it.
    pub end: End,
}

/// What came of trying an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It fits, and takes so many bytes.
    Fits(usize),
    /// It fits as far as it goes, and would need so many bytes in all.
    Short(usize),
    /// It stops fitting here.
    Stops(Box<Unfit>),
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path)?;
        match &self.end {
            End::Fits(taken) => write!(f, "fits {taken} bytes"),
            End::Short(least) => write!(f, "fits so far, and needs {least} bytes in all"),
            End::Stops(unfit) => unfit.fmt(f),
        }
    }
}

impl Dialect {
    /// Every entry that an answer in `bytes` is held against, in order. `complete`: nothing more comes.
    pub fn tried(&self, bytes: &[u8], dialogue: Option<&Dialogue>, complete: bool) -> Vec<Tried> {
        let mut slots = Slots::new();
        let dialogues = [dialogue];
        let mut tried = Vec::new();
        for (dialogue, operation, entry) in self.answers(&dialogues) {
            let end = match self.try_entry(entry, operation, bytes, complete, &mut slots, dialogue, &mut ()) {
                Ok(taken) => End::Fits(taken),
                Err(Miss::More(least)) => End::Short(least),
                Err(Miss::No(unfit)) => End::Stops(unfit),
            };
            tried.push(Tried { path: entry.path.clone(), end });
        }
        tried
    }
}
