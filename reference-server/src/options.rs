//! What the edge may be told: times, bounds in bytes, the cost of a password hash. Rules of the chat are `chat::Limits`.

use std::time::Duration;

use crate::password::Cost;

/// Options of the edge. The numbers come from `service.yaml`, but for the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What a password hash costs.
    pub cost: Cost,
    /// A connection from which nothing came for so long is ended.
    pub idle_timeout: Duration,
    /// With so many bytes of unsent answers, no more requests are read from a connection.
    pub unsent_pause_bytes: usize,
    /// With so many unsent bytes, a connection is closed.
    pub unsent_close_bytes: usize,
    /// How many bytes are read and forgotten after the last answer on a connection that the server ends.
    pub discard_bytes: usize,
    /// For how long.
    pub discard_time: Duration,
    /// On a wire whose requests have no end of their own: how long nothing must come until one has ended.
    pub request_pause: Duration,
    /// How long a graceful shutdown may take; what is not done by then is cut off.
    pub shutdown_time: Duration,
}

impl Options {
    /// The options as `limit` knows them, by their names under `limits:` in `service.yaml`.
    pub fn new(limit: impl Fn(&str) -> u64, cost: Cost) -> Self {
        Options {
            cost,
            idle_timeout: Duration::from_secs(limit("idle_timeout_s")),
            unsent_pause_bytes: limit("unsent_pause_bytes") as usize,
            unsent_close_bytes: limit("unsent_close_bytes") as usize,
            discard_bytes: limit("discard_bytes") as usize,
            discard_time: Duration::from_millis(limit("discard_ms")),
            request_pause: Duration::from_millis(4),
            // Longer than `discard_time`, which every connection may need, and shorter than a supervisor's patience.
            shutdown_time: Duration::from_secs(5),
        }
    }
}
