//! Every wire of this repository but the protocol's own, in literal bytes: what its clients say and hear, line by line.
//!
//! `stage` has the words of these tests. Each line is held against the dialect in both roles, so a person can check a
//! dialect by reading these. Not here: the protocol's own wire (`golden`), and what a server does.

mod calls;
mod sentences;
mod stage;
mod tokens;
mod words;
