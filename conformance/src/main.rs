//! The suite, as a command.
fn main() {}
