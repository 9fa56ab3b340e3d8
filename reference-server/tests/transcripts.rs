//! What stood on the wires of the systems that the dialects come from, byte by byte, over real sockets.
//!
//! The bytes are written here by hand and not made by the codec: a mistake in a dialect must not be able to agree with
//! itself. Not here: what operations mean (`chat`), and whether a client copes (the suite).

#[path = "transcripts/client.rs"]
mod client;
#[path = "transcripts/headers.rs"]
mod headers;
#[path = "transcripts/sentences.rs"]
mod sentences;
#[path = "transcripts/together.rs"]
mod together;
#[path = "transcripts/tokens.rs"]
mod tokens;
#[path = "transcripts/words.rs"]
mod words;
