//! The reference server, as a command.
fn main() {}
