//! What is right: pure functions over what was observed.
//!
//! Nothing here awaits a target, and nothing asks the reference.

pub mod answer;
pub mod clock;
