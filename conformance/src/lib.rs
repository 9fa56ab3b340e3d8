//! The suite.
pub mod check;
pub mod mutant;
pub mod sim;
