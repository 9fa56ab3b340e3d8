//! Bytes and meaning: the one place where they meet.
//!
//! A dialect's YAML is compiled once (`field`, `compile`) into flat plans over numbered slots (`plan`, `slots`).
//! Two functions run them, `hear` and `speak`; `stream` adds the buffering of a connection, `annotate` the bytes
//! with their meaning beside them. `rehearse` speaks every message of a dialect to itself when it is loaded.
//!
//! Not here: sockets, and what an operation does.

mod annotate;
pub(crate) mod compile;
pub(crate) mod dialogue;
pub(crate) mod field;
mod hear;
pub(crate) mod plan;
pub(crate) mod rehearse;
mod slots;
mod speak;
mod stream;

pub use annotate::{Annotated, Line};
pub use dialogue::Dialogue;
pub(crate) use hear::{Framed, hear_frame, hear_plan};
pub use hear::{Reason, Unfit};
pub use slots::{Slot, Slots};
pub use speak::Unspeakable;
pub(crate) use speak::speak;
pub use stream::{Heard, Inbound, RequestDecoder, ResponseDecoder, Saying};

/// Bytes from annotated hex: digits in pairs, blanks between them as one likes, `#` begins a comment.
///
/// # Errors
/// What is no hex digit, or a digit without its partner.
pub fn hex(text: &str) -> Result<Vec<u8>, String> {
    let mut digits = Vec::new();
    for line in text.lines() {
        for c in line.split('#').next().unwrap_or_default().chars().filter(|c| !c.is_whitespace()) {
            digits.push(c.to_digit(16).ok_or_else(|| format!("`{c}` is no hex digit"))? as u8);
        }
    }
    if digits.len() % 2 == 1 {
        return Err("a hex digit lacks its partner".into());
    }
    Ok(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
