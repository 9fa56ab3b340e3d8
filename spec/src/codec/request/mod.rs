//! Requests: what a client says (`say`), and how a server hears it (`hear`).

mod hear;
mod say;

pub use hear::RequestHeard;
