//! The reference server.
pub mod chat;
pub mod clock;
pub mod net;
pub mod pattern;
pub mod world;
