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
    Int(Number),
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

/// An integer on the wire.
#[derive(Debug, Clone)]
pub(crate) struct Number {
    pub(crate) int: Int,
    /// What it can be; for a constant both are its value.
    pub(crate) least: u64,
    pub(crate) most: u64,
    pub(crate) rule: Rule,
}

impl Number {
    #[inline]
    pub(crate) fn fits(&self, value: u64) -> bool {
        (self.least..=self.most).contains(&value)
    }
}

impl Part {
    /// The fewest bytes it can take.
    pub(crate) fn least_bytes(&self) -> usize {
        let (size, of) = match self {
            Part::Int(number) => return number.int.bytes(),
            Part::Bytes { size, .. } => (size, 1),
            Part::List { size, item, .. } => (size, item.least_bytes()),
        };
        match size {
            Size::Prefix(int) => int.bytes(),
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
    /// In an answer: what this field of the request's frame said, plus a number.
    Echo { field: usize, plus: i64 },
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
}

/// The shape that all messages of one direction share: numbers, and among them one part that is open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    pub(crate) numbers: Vec<Number>,
    /// What to call each number.
    pub(crate) labels: Vec<Label>,
    /// How many numbers stand before the open part.
    pub(crate) before: usize,
    /// The name of the part that messages fill with a row of their own. None: no part is open.
    pub(crate) open: Option<String>,
    /// The number that says how long the frame is. It stands before the open part.
    pub(crate) measured: Option<usize>,
    /// Bytes of the numbers behind the open part.
    pub(crate) behind_bytes: usize,
    /// What answers a number that does not fit.
    pub(crate) refusals: Vec<Option<Refusal>>,
}

impl Frame {
    /// The number of a name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.labels.iter().position(|label| label.named && label.text == name)
    }

    /// The names of its fields.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let numbers = self.labels.iter().filter(|label| label.named).map(|label| label.text.as_str());
        numbers.chain(self.open.as_deref())
    }

    /// Where a number begins, in bytes from the start; for those behind the open part, without its bytes.
    pub(crate) fn offset(&self, field: usize) -> usize {
        self.numbers[..field].iter().map(|number| number.int.bytes()).sum()
    }

    /// Where a frame with these numbers ends, if one of them says so.
    #[inline]
    pub(crate) fn end(&self, numbers: &Numbers) -> Option<usize> {
        let measured = self.measured?;
        match self.numbers[measured].rule {
            Rule::FrameLength { plus } => Some(numbers.at(measured).wrapping_add_signed(plus.wrapping_neg()) as usize),
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
    /// The numbers of the frame, with those that this message fixes.
    pub(crate) frame: Vec<Number>,
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
    pub(crate) blanks: Vec<Blank>,
}

/// A number that is new each time.
#[derive(Debug, Clone)]
pub(crate) struct Blank {
    pub(crate) field: usize,
    pub(crate) number: Number,
    /// Where it goes: so many bytes from the start of the frame, or of what stands behind the open part.
    pub(crate) offset: usize,
    pub(crate) behind: bool,
}

impl Message {
    /// `before` of the numbers stand before the open part.
    pub(crate) fn new(frame: Vec<Number>, before: usize, body: Plan) -> Self {
        let mut form = Form::default();
        form.numbers.know(frame.len());
        for (field, number) in frame.iter().enumerate() {
            let Number { int, rule, .. } = number;
            let behind = field >= before;
            let bytes = if behind { &mut form.behind } else { &mut form.before };
            let offset = bytes.len();
            bytes.resize(offset + int.bytes(), 0);
            match rule {
                Rule::Is(value) | Rule::Usually(value) => {
                    overwrite_int(bytes, offset, *int, *value);
                    form.numbers.set(field, *value);
                }
                _ => form.blanks.push(Blank { field, number: number.clone(), offset, behind }),
            }
        }
        Message { frame, body, form }
    }

    /// What a number of the frame is fixed to.
    pub(crate) fn fixed(&self, field: usize) -> Option<u64> {
        if let Rule::Is(number) = self.frame.get(field)?.rule { Some(number) } else { None }
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
