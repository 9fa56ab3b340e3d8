//! What one exchange remembers: the numbers its frame said, so that the answer can echo them or be checked for it.

use smallvec::SmallVec;

use crate::codec::plan::SlotNumber;

/// The memory of one operation's exchange. Opaque to all but the codec.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialogue {
    /// Index of the operation in the dialect, if it is known.
    pub(crate) operation: Option<usize>,
    pub(crate) ints: SmallVec<[(SlotNumber, u64); 4]>,
}

impl Dialogue {
    pub(crate) fn int(&self, slot: SlotNumber) -> Option<u64> {
        self.ints.iter().find(|(s, _)| *s == slot).map(|(_, value)| *value)
    }

    pub(crate) fn remember(&mut self, slot: SlotNumber, value: u64) {
        match self.ints.iter_mut().find(|(s, _)| *s == slot) {
            Some((_, known)) => *known = value,
            None => self.ints.push((slot, value)),
        }
    }
}
