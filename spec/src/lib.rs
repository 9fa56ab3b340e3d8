//! The chat protocol as data: one tree of YAML, read once and checked once, of which everything else is a view.
//!
//! A map of the code, in the order in which data flows:
//!
//! - [`source`]: where the YAML comes from · `load`: text into trees that know their lines · [`error`]: mistakes, drawn
//! - [`service`]: operations, errors, limits, policies · [`dialect`] and [`codec`]: wires, and bytes in both directions
//! - [`value`], [`message`]: what operations are made of, by name and as Rust types
//! - [`example`], [`vectors`]: every message once, in fields and in bytes · [`schema`]: the YAML's layout · [`proto`]
//!
//! What is deliberately absent: sockets, clocks, and any opinion on who is right.

pub mod check;
pub mod codec;
pub mod dialect;
pub mod error;
pub mod example;
pub mod load;
pub mod message;
pub mod proto;
pub mod requirement;
pub mod scenario;
pub mod schema;
pub mod service;
pub mod source;
mod spec;
pub mod value;
pub mod vectors;

pub use spec::{Spec, read_dialect};
