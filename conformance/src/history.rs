//! Everything observed in one case, in order: who said what, who heard what, with the bytes.

use std::time::Duration;

use spec::codec::Dialogue;

/// Bytes that one case keeps; a target that floods must not fill the memory of whoever judges it.
const KEPT_BYTES: usize = 1 << 18;

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The step during which it happened; 0 while the actors are made ready.
    pub step: usize,
    /// When, counted from the beginning of the play.
    pub at: Duration,
    /// Whose connection it was.
    pub actor: String,
    /// In which direction.
    pub direction: Direction,
    /// What it was, in a line.
    pub text: String,
    /// The bytes, as far as they are kept.
    pub bytes: Vec<u8>,
    /// What an answer was decoded against.
    pub dialogue: Option<Dialogue>,
}

/// Who spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The suite, to the target.
    Said,
    /// The target, to the suite.
    Heard,
    /// Neither: a connection was opened, or it ended.
    Noted,
}

/// What happened in one case.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// In order.
    pub entries: Vec<Entry>,
    kept: usize,
}

impl History {
    /// Adds an entry; bytes beyond the limit are dropped.
    pub fn push(&mut self, mut entry: Entry) {
        entry.bytes.truncate(KEPT_BYTES.saturating_sub(self.kept));
        self.kept += entry.bytes.len();
        if self.kept < KEPT_BYTES || entry.bytes.is_empty() {
            self.entries.push(entry);
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets what came behind so many entries.
    pub fn truncate(&mut self, entries: usize) {
        self.entries.truncate(entries);
    }

    /// A number that is the same for the same observations: for comparing simulated runs.
    pub fn digest(&self) -> u64 {
        // FNV-1a: small, and the same on every machine.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        };
        for entry in &self.entries {
            add(&(entry.at.as_nanos() as u64).to_be_bytes());
            add(entry.actor.as_bytes());
            add(&[entry.direction as u8]);
            add(entry.text.as_bytes());
            add(&entry.bytes);
        }
        hash
    }
}
