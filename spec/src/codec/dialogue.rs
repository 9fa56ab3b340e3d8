//! What one exchange remembers: the numbers its frame said, so that the answer can echo them or be checked for it.

use std::fmt;
use std::ops::Deref;

/// The most numbers that a frame can have.
pub(crate) const FRAME_FIELDS: usize = 8;

/// The memory of one operation's exchange. Opaque to all but the codec.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dialogue {
    /// Index of the operation in the dialect, if it is known.
    pub(crate) operation: Option<usize>,
    /// What the frame of the request said.
    pub(crate) frame: Numbers,
}

/// The numbers of a frame, in order, as far as they are known.
#[derive(Clone, Copy, Default)]
pub(crate) struct Numbers {
    fields: [u64; FRAME_FIELDS],
    known: usize,
}

impl Numbers {
    /// The places of all numbers, known or not.
    #[inline]
    pub(crate) fn places(&mut self) -> &mut [u64; FRAME_FIELDS] {
        &mut self.fields
    }

    /// Sets the number of a field, known or not.
    #[inline]
    pub(crate) fn set(&mut self, field: usize, number: u64) {
        self.fields[field] = number;
    }

    /// The number of a field that was set.
    #[inline]
    pub(crate) fn at(&self, field: usize) -> u64 {
        self.fields[field]
    }

    /// So many fields are known from now on.
    #[inline]
    pub(crate) fn know(&mut self, fields: usize) {
        self.known = fields.min(FRAME_FIELDS);
    }
}

impl Deref for Numbers {
    type Target = [u64];

    #[inline]
    fn deref(&self) -> &[u64] {
        &self.fields[..self.known]
    }
}

impl PartialEq for Numbers {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Numbers {}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
