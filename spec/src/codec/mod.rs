//! Bytes and meaning: the one place where they meet.
//!
//! A dialect's YAML is compiled once (`field`, `compile`) into plans over numbered slots (`plan`, `slots`). Two functions
//! run them, `hear` and `speak`; `json`, `filter` and `measured` are what they need for values that are written in another
//! form, and for lengths and checks.
//! `request` and `answer` find the message that is meant, `dialogue` holds what is remembered from one to the next, and
//! `exchange` plays an operation's dialogue as a client, `conversation` all of a connection. `stream` adds the buffering of a connection, `annotate` the
//! bytes with their meaning beside them. `rehearse` speaks every message of a dialect to itself when it is loaded, `calls` tells what
//! one of gRPC looks like; `damage` makes requests that must be refused.
//!
//! Not here: sockets, and what an operation does.

mod annotate;
mod answer;
mod calls;
mod carry;
pub(crate) mod compile;
mod conversation;
mod damage;
pub(crate) mod dialogue;
mod exchange;
pub(crate) mod field;
pub(crate) mod filter;
pub(crate) mod hear;
mod heard;
pub(crate) mod json;
mod measured;
pub(crate) mod plan;
pub(crate) mod rehearse;
mod request;
pub(crate) mod sample;
mod slots;
pub(crate) mod speak;
mod stream;
mod tried;
mod unfit;
mod whole;

pub use annotate::{Annotated, Line};
pub use answer::Voice;
pub use calls::{Call, Form, Looks, Member};
pub use conversation::{Came, Conversation, What};
pub use damage::Damage;
pub use dialogue::{Dialogue, Memory, News};
pub use exchange::{Exchange, Progress};
pub use heard::{Heard, Inbound, Saying};
pub use request::RequestHeard;
pub use slots::{Slot, Slots};
pub use speak::Unspeakable;
pub(crate) use speak::speak;
pub use stream::{RequestDecoder, ResponseDecoder};
pub use tried::{End, Tried};
pub use unfit::{Reason, Unfit};

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
