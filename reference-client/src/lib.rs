//! The reference client of the chat protocol: a library over any stream, and the command built on it.
//!
//! A map of the code, in the order in which data flows:
//!
//! - [`client`]: requests into bytes, bytes into answers and events, over one connection · [`operation`]: each operation
//!   as a method · [`error`]: what can become of a request · [`trace`]: every frame, for whoever watches
//! - `main` and `command/`: one-shot commands for scripts, and a prompt for people
//!
//! What is deliberately absent from the library: sockets, clocks, randomness, and a second try. Who connects decides.

pub mod client;
pub mod error;
pub mod operation;
pub mod trace;

pub use client::{Client, Ticket};
pub use error::ClientError;
