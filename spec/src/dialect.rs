//! A dialect: how operations, answers and events look on one wire, ready to be spoken and heard in both directions.
//!
//! One value of this type serves the suite as client, the reference server and client, golden bytes and annotations.
//! Not here: reading it from YAML (`codec::compile`), speaking and hearing (`codec::request`, `codec::answer`), and
//! the buffering of a connection (`codec::stream`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::codec::plan::{Constant, Entry, Frame, Index, Meaning, Message, Name, OperationPlan, Part, Shape};
use crate::codec::sample::hashes;
use crate::codec::{Call, Dialogue};
use crate::error::Place;
use crate::service::{ErrorSpec, FieldKind, Service};
use crate::value::Value;

/// How long nothing must come until what has no end of its own has ended, if its dialect does not say. Milliseconds.
const PAUSE_MS: u64 = 10;

/// The same for a stream of gRPC to bring nothing more: a server says its items beside its answers, perhaps later.
const STREAM_PAUSE_MS: u64 = 50;

/// A wire, compiled.
#[derive(Debug, Clone)]
pub struct Dialect {
    /// Its name, such as `framed`.
    pub name: String,
    /// What it is, in a sentence.
    pub about: String,
    /// The operation that always answers, and so proves that all before it was handled.
    pub fence: String,
    /// How long nothing must come until what has no end of its own has ended. Milliseconds.
    pub pause_ms: Option<u64>,
    /// The choices of its implementations, for every policy of `service.yaml`.
    pub policies: BTreeMap<String, String>,
    /// What values may be, by field, where it is less than the protocol allows.
    pub limits: BTreeMap<String, Limit>,
    /// The capabilities that its implementations cannot have.
    pub lacks: Vec<String>,
    /// Where its messages are calls.
    pub grpc: Option<Grpc>,
    pub(crate) say: Frame,
    pub(crate) hear: Frame,
    /// The frames as they are heard when no message fits.
    pub(crate) whole_say: Shape,
    pub(crate) whole_hear: Shape,
    /// Whether only a pause ends what fits no message: of what is said, and of what is heard.
    pub(crate) whole_is_open: (bool, bool),
    pub(crate) connect: Option<OperationPlan>,
    pub(crate) listen: Option<OperationPlan>,
    pub(crate) anytime: Vec<Entry>,
    pub(crate) operations: Vec<OperationPlan>,
    pub(crate) errors: BTreeMap<String, ErrorSpec>,
    pub(crate) service: Arc<Service>,
    /// The slot of the number that tells operations apart.
    pub(crate) code: Option<usize>,
    pub(crate) index: Option<Index>,
    pub(crate) open_answers: bool,
    pub(crate) open_requests: bool,
}

/// A gRPC service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grpc {
    /// The path of the file with its messages, found from the dialect's own. None: the server tells.
    pub proto: Option<String>,
    /// Its full name: package, dot, service.
    pub service: String,
    /// What is said and heard.
    pub calls: Vec<Call>,
    /// Where the file and the service are named.
    pub places: (Option<Place>, Option<Place>),
}

/// What a value may be: a regular expression over the whole of it.
#[derive(Debug, Clone)]
pub struct Limit {
    /// As it is written.
    pub written: String,
    expression: regex::Regex,
}

impl Limit {
    pub(crate) fn new(written: &str) -> Result<Self, regex::Error> {
        match regex::Regex::new(&format!("^(?s:{written})$")) {
            Ok(expression) => Ok(Limit { written: written.to_owned(), expression }),
            // By itself, so that the mistake is told of what is written here.
            Err(error) => Err(regex::Regex::new(written).err().unwrap_or(error)),
        }
    }

    /// Whether a value is within the limit.
    pub fn allows(&self, value: &str) -> bool {
        self.expression.is_match(value)
    }
}

impl Dialect {
    /// The protocol whose operations it carries.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Whether the dialect has an operation.
    pub fn has_operation(&self, name: &str) -> bool {
        self.operation(name).is_some()
    }

    /// The operation that an exchange belongs to, if it is known.
    pub fn operation_of(&self, dialogue: &Dialogue) -> Option<&str> {
        dialogue.operation.map(|index| self.plan(index).name.as_str())
    }

    /// Whether an operation is done by ending the connection.
    pub fn is_disconnect(&self, operation: &str) -> bool {
        self.operation(operation).is_some_and(|index| self.operations[index].steps.is_empty())
    }

    /// Whether the connection ends with an operation that succeeds.
    pub(crate) fn ends_by(&self, operation: &str) -> bool {
        let Some(plan) = self.operation(operation).map(|index| &self.operations[index]) else { return false };
        let is_ok = |entry: &&Entry| matches!(entry.meaning, Meaning::Ok | Meaning::Outcome(_));
        plan.answers().iter().filter(is_ok).all(|entry| entry.close)
            && plan.steps.last().is_none_or(|step| step.silence.is_none())
    }

    /// Whether a request can have an end that only a pause tells.
    pub fn requests_are_open(&self) -> bool {
        self.open_requests
    }

    /// Whether an answer or event can have an end that only a pause tells.
    pub fn answers_are_open(&self) -> bool {
        self.open_answers
    }

    /// Whether an event can have an end that only a pause tells: what is pushed beside an answer runs into it.
    pub fn events_are_open(&self) -> bool {
        self.anytime.iter().any(|entry| matches!(entry.meaning, Meaning::Event(_)) && entry.message.is_open)
    }

    /// Whether the server says something when somebody connects, before it is asked.
    pub fn greets(&self) -> bool {
        self.connect.is_some()
    }

    /// Whether a user must say that it wants to be told of messages.
    pub fn has_listen(&self) -> bool {
        self.listen.as_ref().is_some_and(|plan| plan.steps.iter().any(|step| !step.say.is_empty()))
    }

    /// A dialogue by number: an operation, or behind them `listen` and `connect`.
    pub(crate) fn plan(&self, index: usize) -> &OperationPlan {
        match self.operations.get(index) {
            Some(plan) => plan,
            None => self.all_plans().nth(index).map(|(_, plan)| plan).expect("dialogues come from this dialect"),
        }
    }

    pub(crate) fn all_plans(&self) -> impl Iterator<Item = (usize, &OperationPlan)> {
        self.operations.iter().chain(&self.listen).chain(&self.connect).enumerate()
    }

    /// The number of `connect` or `listen`.
    pub(crate) fn occasion(&self, name: &str) -> Option<usize> {
        self.all_plans().find(|(_, plan)| !plan.known && plan.name == name).map(|(index, _)| index)
    }

    /// What stands for an argument that this wire never says.
    pub(crate) fn stand_in(&self, name: &str) -> Option<Value> {
        Some(match self.service.field(name)?.kind {
            FieldKind::Int => Value::Int(0),
            FieldKind::Flag => Value::Flag(false),
            FieldKind::Text => Value::Text(String::new()),
            FieldKind::Bytes => Value::Bytes(Vec::new()),
            _ => return None,
        })
    }

    /// How many bytes of a token this wire carries, where it is always as many.
    pub fn token_bytes(&self) -> Option<usize> {
        let answers = self.operations.iter().flat_map(|plan| &plan.steps).flat_map(|step| &step.hear);
        answers.filter_map(|entry| entry.message.fixed_bytes("token")).min()
    }

    /// How what waits for a user reaches them, by its policy: the operation that asks for it, the log in that brings it,
    /// or None: events behind that.
    pub fn brings_what_waits(&self) -> Option<&'static str> {
        match self.policies.get("at_log_in").map(String::as_str) {
            Some("messages") => Some("log_in"),
            Some("pushed") => None,
            _ => Some("deliver_messages"),
        }
    }

    /// How long nothing must come until what has no end of its own has ended.
    pub fn pause(&self) -> Duration {
        let usual = if self.grpc.is_some() { STREAM_PAUSE_MS } else { PAUSE_MS };
        Duration::from_millis(self.pause_ms.unwrap_or(usual))
    }

    // ── what a wire carries ───────────────────────────────────────────────────────────────────────────────────────

    /// Whether an operation's request says an argument.
    pub fn carries_argument(&self, operation: &str, argument: &str) -> bool {
        let Some(index) = self.operation(operation) else { return false };
        self.operations[index].steps.iter().flat_map(|step| &step.say).any(|message| names(&message.shape, argument))
    }

    /// Whether an operation's request says an argument in a way that hides it from the server, such as by its hash.
    pub fn hides_argument(&self, operation: &str, argument: &str) -> bool {
        let Some(index) = self.operation(operation) else { return false };
        self.operations[index].steps.iter().flat_map(|step| &step.say).any(|said| hashes(said).contains(&argument))
    }

    /// Whether an operation's answer tells a result, or a field of its rows.
    pub fn carries_result(&self, operation: &str, field: &str) -> bool {
        let Some(index) = self.operation(operation) else { return false };
        let told = |meaning: &Meaning| match meaning {
            Meaning::Outcome(outcome) => {
                self.service.outcome(operation, outcome).is_some_and(|fields| fields.contains_key(field))
            }
            _ => false,
        };
        let (answers, mut ends) = self.successes(index);
        answers.into_iter().any(|entry| told(&entry.meaning) || tells(&entry.message, field))
            || ends.any(told)
            || self.is_row_of_more(index, field)
    }

    /// Whether an operation's answer can say this outcome: in words of its own, or by the results that tell it apart.
    pub fn tells_outcome(&self, operation: &str, outcome: &str) -> bool {
        let Some(index) = self.operation(operation) else { return false };
        let is = |meaning: &Meaning| matches!(meaning, Meaning::Outcome(name) if name == outcome);
        let fields = self.service.outcome(operation, outcome);
        let by_results = |entry: &Entry| {
            matches!(entry.meaning, Meaning::Ok | Meaning::Next)
                && fields.is_some_and(|fields| fields.keys().all(|field| tells(&entry.message, field)))
        };
        let (answers, mut ends) = self.successes(index);
        answers.into_iter().any(|entry| is(&entry.meaning) || by_results(entry)) || ends.any(is)
    }

    /// What an operation succeeds with: answers, and ends that mean something.
    fn successes(&self, index: usize) -> (Vec<&Entry>, impl Iterator<Item = &Meaning>) {
        let steps = &self.operations[index].steps;
        let is =
            |entry: &&Entry| matches!(entry.meaning, Meaning::Ok | Meaning::More | Meaning::Next | Meaning::Outcome(_));
        let answers = steps.iter().flat_map(|step| &step.hear).filter(is).collect();
        (answers, steps.iter().flat_map(|step| [&step.silence, &step.close]).flatten())
    }

    /// Rows that come one by one make up the list that the result is.
    fn is_row_of_more(&self, index: usize, field: &str) -> bool {
        let plan = &self.operations[index];
        let is_list = self.service.field(field).is_some_and(|field| field.of.is_some());
        is_list && plan.steps.iter().flat_map(|step| &step.hear).any(|entry| entry.meaning == Meaning::More)
    }

    /// Whether an event tells a field.
    pub fn carries_event(&self, event: &str, field: &str) -> bool {
        self.anytime.iter().any(|entry| {
            matches!(&entry.meaning, Meaning::Event(name) if name == event) && tells(&entry.message, field)
        })
    }

    /// Whether the answer to an operation can say this error and no other.
    pub fn tells_error(&self, operation: &str, error: &str) -> bool {
        let own = self.operation(operation).map(|index| self.operations[index].steps.as_slice()).unwrap_or_default();
        let entries = own.iter().flat_map(|step| &step.hear).chain(&self.anytime);
        let ends = own.iter().flat_map(|step| [&step.silence, &step.close, &step.unknown]).flatten();
        let by_code = |entry: &Entry| entry.meaning == Meaning::AnyError && tells(&entry.message, "error");
        // Where only one of its causes has words of its own, others may be said in the words for any error.
        let some = self.tells_some_error(operation);
        let always = |meaning: &Meaning| !some || matches!(meaning, Meaning::Error(_, None));
        entries.clone().any(|entry| (is_error(&entry.meaning, error) && always(&entry.meaning)) || by_code(entry))
            || ends.into_iter().any(|meaning| is_error(meaning, error))
    }

    /// Whether an operation can be refused in a way that does not say why.
    pub fn tells_some_error(&self, operation: &str) -> bool {
        let own = self.operation(operation).map(|index| self.operations[index].steps.as_slice()).unwrap_or_default();
        let mut entries = own.iter().flat_map(|step| &step.hear).chain(&self.anytime);
        entries.any(|entry| entry.meaning == Meaning::AnyError)
    }

    /// Capabilities that a wire of this shape cannot have.
    pub(crate) fn lacks_by_shape(&self) -> BTreeSet<String> {
        let mut lacks = BTreeSet::new();
        let mut without = |capability: &str, has: bool| {
            if !has && self.service.capabilities.contains_key(capability) {
                lacks.insert(capability.to_owned());
            }
        };
        without("framing", !self.requests_are_open() && self.grpc.is_none());
        without("push", self.anytime.iter().any(|entry| matches!(entry.meaning, Meaning::Event(_))));
        without("acknowledgement", self.carries_argument("deliver_messages", "acknowledge"));
        without("idempotency", self.carries_argument("send_message", "key"));
        without("paging", self.carries_argument("list_accounts", "after"));
        without("take_over", self.carries_argument("log_in", "take_over"));
        without("passwords", self.carries_argument("log_in", "password"));
        lacks
    }

    // ── after compiling ───────────────────────────────────────────────────────────────────────────────────────────

    /// Finds which answers their frame ends, the one number that tells the operations apart, and whether only a pause
    /// ends an answer.
    pub(crate) fn settle(&mut self) {
        self.find_what_outruns();
        self.code = self.find_code();
        self.index = self.find_index();
        let says: Vec<&Message> =
            self.all_plans().flat_map(|(_, plan)| &plan.steps).flat_map(|step| &step.say).collect();
        self.open_requests = says.iter().any(|message| message.is_open) || begins_another(&says);
        let tables: Vec<&[Entry]> =
            self.all_plans().flat_map(|(_, plan)| &plan.steps).map(|step| step.hear.as_slice()).collect();
        let is_open = |entry: &Entry| entry.message.is_open;
        self.open_answers = tables.iter().copied().flatten().chain(&self.anytime).any(is_open)
            || tables.into_iter().any(|table| {
                begins_another(&table.iter().chain(&self.anytime).map(|entry| &entry.message).collect::<Vec<_>>())
            });
    }

    /// Another operation that begins with the same constants, numbers among them: then luck would tell the two apart.
    pub(crate) fn same_constants(&self, index: usize, step: usize) -> Option<String> {
        let own = self.operations.get(index).filter(|_| step == 0)?.steps[0].say.first()?.shape.constants()?;
        let has_number = own.iter().any(|constant| matches!(constant, Constant::Number(_)));
        let mut earlier = self.openings().filter(|(at, _)| has_number && *at < index);
        let same = earlier.find(|(_, message)| message.shape.constants().as_ref() == Some(&own))?;
        // What dialogues begin with alike, their later steps tell apart.
        let leads_on = |index: usize| self.plan(index).steps.len() > 1;
        (!(leads_on(index) && leads_on(same.0))).then(|| self.plan(same.0).name.clone())
    }
}

fn is_error(meaning: &Meaning, error: &str) -> bool {
    matches!(meaning, Meaning::Error(name, _) if name == error)
}

/// Whether a shape has a name, as a value of its own or of who acts.
fn names(shape: &Shape, field: &str) -> bool {
    shape.labels.iter().any(|label| match &label.name {
        Name::Own => label.text == field,
        Name::My(name) => name == field,
        Name::Of(_, whom) => whom == field,
        Name::Me => field == "username",
        Name::Nothing => false,
    })
}

/// Whether a message has a name, in itself or in the items of its lists.
fn tells(message: &Message, field: &str) -> bool {
    names(&message.shape, field) || message.shape.lists().iter().any(|list| names(&list.item, field))
}

/// Whether one message is the beginning of another.
fn begins_another(messages: &[&Message]) -> bool {
    let constant = |message: &&&Message| message.shape.parts.iter().all(|part| matches!(part, Part::Literal(_)));
    let whole = |message: &&Message| message.constants().collect::<Vec<_>>().concat();
    messages.iter().filter(constant).any(|short| {
        let short = whole(short);
        messages.iter().any(|long| {
            let first = long.constants().next().unwrap_or_default();
            first.len() > short.len() && first.starts_with(&short)
        })
    })
}
