//! Simulated time and a simulated network, so that a seed repeats a run.

pub mod clock;
pub mod net;
pub mod play;
