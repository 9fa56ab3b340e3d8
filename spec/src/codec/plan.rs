//! What a dialect is compiled into: flat rows of parts, and tables of messages.
//!
//! The slot of a part is its place in its row. The frame has no slots: it consists of numbers, and one open part.
//! Nothing here knows YAML. `hear` and `speak` are the only two functions that run a plan.

use crate::codec::dialogue::Numbers;
use crate::codec::field::{Int, Size};
use crate::codec::speak::overwrite_int;
use crate::service::FieldKind;

/// One field on the wire.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Int {
        int: Int,
        /// What it can be; for a constant both are its number.
        least: u64,
        most: u64,
        rule: Rule,
    },
    Bytes {
        size: Size,
        utf8: bool,
        /// The only lengths that the protocol gives its value. None: any.
        sizes: Box<[u64]>,
    },
    List {
        size: Size,
        item: Box<Plan>,
        /// Whether an item is its one value, not a row.
        single: bool,
    },
}

impl Part {
    /// The fewest bytes it can take.
    pub(crate) fn least_bytes(&self) -> usize {
        let (size, of) = match self {
            Part::Int { int, .. } => return usize::from(int.width),
            Part::Bytes { size, .. } => (size, 1),
            Part::List { size, item, .. } => (size, item.least_bytes()),
        };
        match size {
            Size::Prefix(int) => usize::from(int.width),
            Size::Fixed(n) => usize::try_from(*n).unwrap_or(usize::MAX).saturating_mul(of),
            Size::Rest => 0,
        }
    }
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
    /// In an answer: what stood in this part of the request's frame, plus a number.
    Echo { part: usize, plus: i64 },
    /// The bytes of the whole frame plus a number. When heard, it says where the frame ends.
    FrameLength { plus: i64 },
}

/// What a part is called.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    /// Its name; without one, its type as it is written.
    pub(crate) text: String,
    /// Whether it has a name. What has none is a constant, or padding: spoken empty, heard and forgotten.
    pub(crate) named: bool,
    /// The kind that `service.yaml` gives the name. None: a name of the wire's own.
    pub(crate) kind: Option<FieldKind>,
}

/// Parts one after another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) parts: Vec<Part>,
    /// What to call each part.
    pub(crate) labels: Vec<Label>,
}

impl Plan {
    pub(crate) fn least_bytes(&self) -> usize {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.least_bytes()))
    }

    /// The part of a name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.labels.iter().position(|label| label.named && label.text == name)
    }

    /// The names, in the order of the bytes.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().filter(|label| label.named).map(|label| label.text.as_str())
    }
}

/// The shape that all messages of one direction share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    pub(crate) plan: Plan,
    /// The part that messages fill with a row of their own.
    pub(crate) open: Option<usize>,
    /// The part that says how long the frame is. It stands before the open one.
    pub(crate) measured: Option<usize>,
    /// Bytes of the parts behind the open one.
    pub(crate) behind: usize,
    /// What answers a part that does not fit, by part.
    pub(crate) refusals: Vec<Option<Refusal>>,
}

impl Frame {
    /// Where a frame with these numbers ends, if one of them says so.
    #[inline]
    pub(crate) fn end(&self, numbers: &Numbers) -> Option<usize> {
        let measured = self.measured?;
        match self.plan.parts[measured] {
            Part::Int { rule: Rule::FrameLength { plus }, .. } => {
                Some(numbers.at(measured).wrapping_add_signed(plus.wrapping_neg()) as usize)
            }
            _ => None,
        }
    }
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
    /// The parts of the frame, with the numbers that this message fixes.
    pub(crate) frame: Vec<Part>,
    /// The row in the frame's open part. Without parts, that part is empty.
    pub(crate) body: Plan,
    /// The frame as it is always said, with blanks.
    pub(crate) form: Form,
}

/// The bytes and numbers of a frame that are the same each time, and where the others go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form {
    /// Bytes before the open part.
    pub(crate) before: Vec<u8>,
    /// Bytes behind it.
    pub(crate) behind: Vec<u8>,
    pub(crate) numbers: Numbers,
    /// Parts that are new each time, by offset: from the start of the frame, or of what stands behind the open part.
    pub(crate) blanks: Vec<Blank>,
}

/// A number to be filled in.
#[derive(Debug, Clone)]
pub(crate) struct Blank {
    pub(crate) part: usize,
    pub(crate) offset: usize,
    pub(crate) behind: bool,
}

impl Message {
    pub(crate) fn new(frame: Vec<Part>, body: Plan) -> Self {
        let mut form = Form::default();
        form.numbers.know(frame.len());
        let mut behind = false;
        for (index, part) in frame.iter().enumerate() {
            let Part::Int { int, rule, .. } = part else {
                behind = true;
                continue;
            };
            let bytes = if behind { &mut form.behind } else { &mut form.before };
            let offset = bytes.len();
            bytes.resize(offset + usize::from(int.width), 0);
            match rule {
                Rule::Is(number) | Rule::Usually(number) => {
                    overwrite_int(bytes, offset, *int, *number);
                    form.numbers.set(index, *number);
                }
                _ => form.blanks.push(Blank { part: index, offset, behind }),
            }
        }
        Message { frame, body, form }
    }

    /// The number that a part of the frame is fixed to.
    pub(crate) fn fixed(&self, part: usize) -> Option<u64> {
        match self.frame.get(part) {
            Some(Part::Int { rule: Rule::Is(number), .. }) => Some(*number),
            _ => None,
        }
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
