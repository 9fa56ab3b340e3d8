//! What one exchange remembers: the numbers its frame said, so that the answer can echo them or be checked for it.

use smallvec::SmallVec;

/// The numbers in the parts of a frame, in order, as far as they are known. The open part counts as 0.
pub(crate) type Numbers = SmallVec<[u64; 8]>;

/// The memory of one operation's exchange. Opaque to all but the codec.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialogue {
    /// Index of the operation in the dialect, if it is known.
    pub(crate) operation: Option<usize>,
    /// What the frame of the request said.
    pub(crate) frame: Numbers,
}
