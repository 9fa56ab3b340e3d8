//! Frames, messages, tables and dialogues: what shapes are put together to.

use std::ops::Range;

use crate::codec::field::Class;
use crate::codec::plan::{Name, Number, Part, Shape};
use crate::value::Value;

/// The shape that all messages of one direction share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    pub(crate) shape: Shape,
    /// What answers a field that does not fit, by slot.
    pub(crate) refusals: Vec<Option<Refusal>>,
    pub(crate) made: Vec<(usize, Made)>,
}

impl Frame {
    /// The slot of a name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.shape.labels.iter().position(|label| label.name != Name::Nothing && label.text == name)
    }

    /// The slot of a name, where it may hold a number.
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        fn is_other(parts: &[Part], slot: usize) -> bool {
            parts.iter().any(|part| match part {
                Part::Text(text) => text.slot == slot,
                Part::Json(json) => json.slot == slot,
                Part::Either(rows) => rows.iter().any(|row| is_other(row, slot)),
                _ => false,
            })
        }
        self.position(name).filter(|slot| !is_other(&self.shape.parts, *slot))
    }

    /// The names of its fields.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.shape.labels.iter().filter(|label| label.name != Name::Nothing).map(|label| label.text.as_str())
    }
}

/// The errors that answer a frame's field that does not fit.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) below: String,
    pub(crate) above: String,
    /// What it is instead on a connection without a session.
    pub(crate) logged_out: Option<String>,
    pub(crate) close: bool,
}

/// A value that a speaker makes up where none is given, and remembers as said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// A new number, up to this one.
    Number(u64),
    /// So many new digits.
    Digits { many: usize, class: Class },
    /// Milliseconds since 1970.
    Now,
    /// How often the step was said, counted from this number.
    Turn { first: u64 },
}

impl Made {
    pub(crate) fn value(self, fresh: u64, now: u64) -> Value {
        match self {
            Made::Number(most) if most == u64::MAX => Value::Int(fresh),
            Made::Number(most) => Value::Int(fresh % (most + 1)),
            Made::Now => Value::Int(now),
            Made::Turn { first } => Value::Int(first),
            Made::Digits { many, class } => {
                // The lowest digits come first: they differ most.
                let digits: String = format!("{fresh:016x}").chars().rev().cycle().take(many).collect();
                match class {
                    Class::Hex => Value::Bytes(crate::codec::hex(&digits).unwrap_or_default()),
                    Class::Bytes => Value::Bytes(digits.into_bytes()),
                    _ => Value::Text(digits),
                }
            }
        }
    }
}

/// The frame, narrowed: what one message looks like.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    /// Where it is written: bytes of its file.
    pub(crate) at: Range<usize>,
    pub(crate) shape: Shape,
    /// Whether it can end where only a pause tells.
    pub(crate) is_open: bool,
    /// Numbers that measure parts, in the order in which they are computed.
    pub(crate) measures: Vec<Number>,
    /// Those of them that are to be held against what they measure: the length of the whole is its end already.
    pub(crate) checks: Vec<Number>,
    /// Whether the bytes of all measures are there before what they measure, in a width of their own.
    pub(crate) patches: bool,
    /// Slots whose value the request knows: its argument, or what its frame said.
    pub(crate) echoes: Vec<usize>,
    pub(crate) made: Vec<(usize, Made)>,
    /// Whether it can go on behind the end that the frame has by itself.
    pub(crate) outruns: bool,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    Ok,
    Outcome(String),
    /// An error, and its cause where the wire tells causes apart.
    Error(String, Option<String>),
    /// Some error; its field `error` says which, if it has one.
    AnyError,
    Event(String),
    Ignore,
    /// The dialogue goes on with its next step.
    Next,
    /// The answer goes on; this is one more row of it.
    More,
}

/// A line of a table.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) meaning: Meaning,
    pub(crate) message: Message,
    /// Whether the connection ends after it.
    pub(crate) close: bool,
    /// Whether the answer goes on only when its step is said once more.
    pub(crate) again: bool,
    /// Where it is written, for error messages: `operations.log_in.hear.ok`.
    pub(crate) path: String,
}

/// One exchange of an operation's dialogue.
#[derive(Debug, Clone, Default)]
pub(crate) struct Step {
    /// The first that carries the arguments is said. None: this step only listens.
    pub(crate) say: Vec<Message>,
    pub(crate) hear: Vec<Entry>,
    /// What it means that nothing comes.
    pub(crate) silence: Option<Meaning>,
    /// What it means that the connection ends.
    pub(crate) close: Option<Meaning>,
    /// What it means that a value of the step was never learned.
    pub(crate) unknown: Option<Meaning>,
    /// Repeated for each value of a list: the name of one, and the name of the list.
    pub(crate) each: Option<(String, String)>,
}

impl Step {
    /// The numbers of its messages that count how often it was said: their names, and what they begin with.
    pub(crate) fn turns(&self) -> impl Iterator<Item = (&str, u64)> {
        let made = self.say.iter().flat_map(|message| message.made.iter().map(move |made| (message, made)));
        made.filter_map(|(message, (slot, made))| match made {
            Made::Turn { first } => Some((message.shape.labels[*slot].text.as_str(), *first)),
            _ => None,
        })
    }
}

/// One operation of the dialect.
#[derive(Debug, Clone)]
pub(crate) struct OperationPlan {
    pub(crate) name: String,
    /// Without steps, it is done by ending the connection.
    pub(crate) steps: Vec<Step>,
    /// Whether `service.yaml` knows it. Others are the wire's own, and never asked for.
    pub(crate) known: bool,
}

impl OperationPlan {
    /// The answers of its last step.
    pub(crate) fn answers(&self) -> &[Entry] {
        self.steps.last().map(|step| step.hear.as_slice()).unwrap_or_default()
    }
}
