//! Playing a scenario against a target: the only place that awaits one.
//!
//! `wire` is the network, `patience` the one deadline, `link` one connection, `cast` the actors with their names and
//! what they remember, `play` the play itself, `act` what actors do, `claim` what must come of it, `collect` how what
//! waits is taken, `quiet` that nothing comes, and `stray` what must never come. Not here: what is right (`check`), and
//! which plays are run (`run`).

mod act;
mod cast;
mod claim;
mod collect;
mod link;
mod patience;
mod play;
mod quiet;
mod stray;
mod wire;

pub use cast::Names;
pub use link::{Arrival, Arrived, Link};
pub use patience::{Patience, Turn};
pub use play::{Outcome, Play, Stage};
#[cfg(feature = "grpc")]
pub use wire::schema;
pub use wire::{Connection, Network, Wire, proto};
