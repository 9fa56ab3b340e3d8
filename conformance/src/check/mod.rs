//! Checkers: pure functions from what was observed to what it proves.

pub mod clock;
