//! Servers that do not outlive what nobody expects: one wrong request, over wires that came of real systems, and nobody
//! is served any more.
//!
//! Not here: the same over the protocol's own wire (`stream::list`).

use crate::mutant::choices::{Over, Wrong};
use crate::mutant::stream::{Fate, Habit};
use crate::mutant::{Kind, Mutant};

/// The longest data of these wires, and more. Bytes.
const BEYOND_ALL_BOUNDS: u32 = 1 << 20;

/// Where a plain header has its code.
const CODE: usize = 4;

const fn dies(
    dialect: &'static str,
    habit: fn() -> Box<dyn Habit>,
    name: &'static str,
    about: &'static str,
    caught_by: &'static [&'static str],
) -> Mutant {
    Mutant { name, about, caught_by, kind: Kind::Over(Over { dialect, says: &[], wrong: Wrong::Habit(habit) }) }
}

pub(super) const MUTANTS: &[Mutant] = &[
    dies(
        "000",
        || Box::new(DiesOf(|bytes| bytes.get(CODE..).is_some_and(|data| std::str::from_utf8(data).is_err()))),
        "a-text-that-is-no-text-kills-the-server",
        "Decoding fails in the loop that serves everybody.",
        &["ROBUSTNESS-5"],
    ),
    dies(
        "000",
        || Box::new(DiesOf(|bytes| number(bytes, 0) > BEYOND_ALL_BOUNDS)),
        "a-length-beyond-all-bounds-kills-the-server",
        "Room is made for what was announced, and there is none.",
        &["ROBUSTNESS-5"],
    ),
    dies(
        "000",
        || Box::new(DiesOf(|bytes| bytes.get(CODE).is_some_and(|code| *code > 6))),
        "an-operation-that-does-not-exist-kills-the-server",
        "The table of operations is shorter than that.",
        &["FRAMING-8", "ROBUSTNESS-5"],
    ),
    dies(
        "000-draft",
        || Box::new(DiesOf(|bytes| number(bytes, 4) != 1)),
        "a-version-that-does-not-exist-kills-the-server",
        "The program ends with a message that it is too old.",
        &["ROBUSTNESS-5"],
    ),
];

/// A number of four bytes.
fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(1, |number| u32::from_be_bytes(*number))
}

/// The whole server is gone when a read begins like this.
struct DiesOf(fn(&[u8]) -> bool);

impl Habit for DiesOf {
    fn read(&mut self, bytes: Vec<u8>) -> Fate {
        if self.0(&bytes) { Fate::Kill } else { Fate::Go(bytes) }
    }
}
