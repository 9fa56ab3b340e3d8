//! What a dialect is compiled into: flat rows of parts over numbered slots, and tables of messages.
//!
//! Nothing here knows YAML. `hear` and `speak` are the only two functions that run a plan.

use smallvec::SmallVec;

use crate::codec::field::{Int, Size};
use crate::service::FieldKind;

/// The number of a name: an index into `Names` and into `Slots`.
pub(crate) type SlotNumber = u16;

/// A part without a name: constants, padding.
pub(crate) const NO_SLOT: SlotNumber = SlotNumber::MAX;

/// A name that occurs in a dialect, and the kind that `service.yaml` gives it. None: a name of the wire's own.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) kind: Option<FieldKind>,
    /// The only lengths in bytes that its value can have. None: any.
    pub(crate) sizes: Vec<u64>,
}

/// One field on the wire.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Int { slot: SlotNumber, int: Int, least: u64, most: u64, rule: Rule },
    Bytes { slot: SlotNumber, size: Size, utf8: bool },
    List { slot: SlotNumber, size: Size, item: Box<Item> },
}

impl Part {
    pub(crate) fn slot(&self) -> SlotNumber {
        match self {
            Part::Int { slot, .. } | Part::Bytes { slot, .. } | Part::List { slot, .. } => *slot,
        }
    }

    /// The fewest bytes it can take.
    pub(crate) fn least_bytes(&self) -> usize {
        match self {
            Part::Int { int, .. } => usize::from(int.width),
            Part::Bytes { size, .. } => size_bytes(*size) + if let Size::Fixed(n) = size { *n as usize } else { 0 },
            Part::List { size, item, .. } => {
                size_bytes(*size) + if let Size::Fixed(n) = size { *n as usize * item.plan.least_bytes() } else { 0 }
            }
        }
    }
}

fn size_bytes(size: Size) -> usize {
    if let Size::Prefix(int) = size { usize::from(int.width) } else { 0 }
}

/// What decides an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The value of its name.
    Open,
    /// This number; anything else is no match.
    Is(u64),
    /// This number when spoken, anything when heard.
    Usually(u64),
    /// A new number when spoken, anything when heard.
    Fresh,
    /// The value of another name plus a number.
    Sum { slot: SlotNumber, plus: i64 },
    /// The bytes of the whole frame plus a number. When heard, it says where the frame ends.
    FrameLength { plus: i64 },
}

/// The items of a list: a row of their own slots, or a single value.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) plan: Plan,
    /// The names of the item's slots, which are numbered from 0.
    pub(crate) names: Vec<Name>,
    /// Whether the item is its one value, not a row.
    pub(crate) single: bool,
}

/// Parts one after another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) parts: Vec<Part>,
    /// What to call each part when it does not fit.
    pub(crate) labels: Vec<String>,
}

impl Plan {
    pub(crate) fn least_bytes(&self) -> usize {
        self.parts.iter().map(Part::least_bytes).sum()
    }
}

/// The shape that all messages of one direction share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    pub(crate) plan: Plan,
    /// The part that messages fill with a row of their own.
    pub(crate) open: Option<usize>,
    /// What answers a part that does not fit, by part.
    pub(crate) refusals: Vec<Option<Refusal>>,
}

/// The errors that answer a frame's field that does not fit.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) below: String,
    pub(crate) above: String,
    pub(crate) close: bool,
}

/// The frame, narrowed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    /// Numbers for parts of the frame.
    pub(crate) narrowed: SmallVec<[(u16, u64); 3]>,
    /// The row in the frame's open part. None: that part is empty.
    pub(crate) body: Plan,
}

impl Message {
    pub(crate) fn narrowed_to(&self, part: usize) -> Option<u64> {
        self.narrowed.iter().find(|(p, _)| usize::from(*p) == part).map(|(_, value)| *value)
    }
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    Ok,
    Outcome(String),
    Error(String),
    /// Some error; its field `error` says which.
    AnyError,
    Event(String),
    Ignore,
}

/// A line of a table.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) meaning: Meaning,
    pub(crate) message: Message,
    /// Where it is written, for error messages: `operations.log_in.hear.ok`.
    pub(crate) path: String,
}

/// One operation of the dialect.
#[derive(Debug, Clone)]
pub(crate) struct OperationPlan {
    pub(crate) name: String,
    pub(crate) say: Message,
    pub(crate) hear: Vec<Entry>,
}
