//! The reference server: what the protocol means, in code that is meant to be read.
//!
//! A map, in the order in which a request travels:
//!
//! ```text
//! bytes ─▶ decode ─▶ Request ─▶ chat.apply ─▶ Effects ─▶ encode ─▶ bytes
//! ```
//!
//! - [`net`], [`world`]: sockets, time and randomness, as arguments
//! - [`listener`]: an address and who connects · `connection`: one of them, from first byte to end · [`service`]: the
//!   core and all connections · `outbox`: what one of them is still to be told · [`password`]: hashing, off the lock
//! - [`chat`]: accounts, sessions, messages, as one pure function; start here · [`pattern`]: names that fit
//! - [`clock`]: logical-clock peers, another pure core
//!
//! Bytes are the spec crate's matter. What is deliberately absent: switches for tests. A wrong server is made from
//! outside, around [`chat::Core`] or [`net::Net`], or from an edited spec.

pub mod chat;
pub mod clock;
mod connection;
#[cfg(feature = "grpc")]
pub mod grpc_net;
pub mod listener;
pub mod net;
pub mod options;
mod outbox;
pub mod password;
pub mod pattern;
pub mod service;
mod stop;
pub mod world;

pub use chat::{Chat, Limits, Policies};
pub use listener::{Running, Server};
pub use options::Options;
pub use password::Cost;
