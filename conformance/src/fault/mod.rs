//! What stands between the actors and the target, and what of it can break.
//!
//! `ground` is what a play asks for, over real sockets; `relay` is the suite's own socket in the middle of a link. The same
//! faults in simulated time are `sim::play`'s. Not here: which faults a play wants (its YAML says so).

mod ground;
mod relay;

pub use ground::{Fragile, Ground, Grounds, Open};
pub use relay::{Gate, Relay};
