//! A logical-clock peer: one of three machines of unequal speed that stamp what they send (`spec/protocol/clocks.yaml`).
//!
//! `step` is the pure core, `message` its bytes, `log` its lines, and `peer` the shell that brings sockets and time.
//! Nothing here judges a log: that is `conformance::check::clock`.

pub mod log;
pub mod message;
pub mod peer;
mod step;

pub use step::{Clock, Input, Output, step};
