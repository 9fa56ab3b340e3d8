//! Answers and events: what a server says (`say`), and how a client hears it (`hear`).

mod hear;
mod say;

pub(crate) use hear::Found;
pub use say::Voice;
