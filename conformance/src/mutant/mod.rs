//! References made wrong on purpose, each with the requirement that must catch it.

pub mod clock;
