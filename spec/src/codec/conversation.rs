//! The client's side of a connection: what was asked and has no answer yet, and what came.
//!
//! It plays the dialogues of operations to their ends, gives every answer to the request that it belongs to, and proves
//! silence with a fence. It owns no socket and no clock: whoever does pushes what came, sends what is to be said, and
//! tells when nothing came for a while.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::codec::answer::Found;
use crate::codec::dialogue::Memory;
use crate::codec::exchange::{Exchange, Progress};
use crate::codec::{Dialogue, Heard, ResponseDecoder, Unspeakable};
use crate::dialect::Dialect;
use crate::service::Field;
use crate::value::{Record, Value};

/// One thing that came.
#[derive(Debug, Clone)]
pub struct Came {
    /// What it is.
    pub what: What,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it was held against.
    pub dialogue: Option<Dialogue>,
}

/// What can come.
#[derive(Debug, Clone)]
pub enum What {
    /// The answer to the oldest request that has none, also one that does not fit.
    Answer(Heard),
    /// Part of an answer that goes on.
    Part(Heard),
    /// An event, or noise.
    Event(Heard),
}

/// A request without an answer.
#[derive(Debug)]
struct Pending {
    /// None: raw bytes, which nothing here explains.
    exchange: Option<Exchange>,
    /// Whether nobody waits for its answer: a greeting, a fence.
    hidden: bool,
}

/// What is known of bytes that may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// More may come at once.
    More,
    /// Nothing came for a while: what can have ended has.
    Pause,
    /// Nothing comes any more.
    End,
}

/// One connection, from the client's side.
#[derive(Debug)]
pub struct Conversation {
    dialect: Arc<Dialect>,
    decoder: ResponseDecoder,
    pending: VecDeque<Pending>,
    /// What silence has decided, before anything else is taken.
    decided: VecDeque<Came>,
    /// What must be said to go on.
    unsaid: Vec<u8>,
    /// Of gRPC, answers that came before what was asked first was answered, for a stream may still bring something.
    early: Vec<u8>,
    /// Whether nothing has come since a pause.
    is_quiet: bool,
    /// What numbers that are new each time begin behind.
    first: u64,
    requests: u64,
    is_over: bool,
}

impl Conversation {
    /// A connection that was just opened. On some wires the server speaks first.
    pub fn new(dialect: Arc<Dialect>) -> Self {
        let mut conversation = Conversation {
            decoder: ResponseDecoder::new(dialect.clone()),
            dialect,
            pending: VecDeque::new(),
            decided: VecDeque::new(),
            unsaid: Vec::new(),
            early: Vec::new(),
            is_quiet: false,
            first: 0,
            requests: 0,
            is_over: false,
        };
        if conversation.dialect.greets() {
            let mut bytes = Vec::new();
            // A greeting that cannot be begun has nothing to say.
            let _ = conversation.begin("connect", &Record::new(), &Memory::default(), true, &mut bytes);
            conversation.unsaid.extend(bytes);
            conversation.end_what_is_said();
        }
        conversation
    }

    /// Whether this wire wants something said when a connection opens, and that is not done yet: until then nothing
    /// else can be said.
    pub fn is_opening(&self) -> bool {
        let front = self.pending.front().filter(|pending| pending.hidden);
        let operation = front.and_then(|pending| pending.exchange.as_ref()?.dialogue().operation);
        let opens = self.dialect.occasion("connect").filter(|index| operation == Some(*index));
        opens.is_some_and(|index| self.dialect.plan(index).steps.iter().any(|step| !step.say.is_empty()))
    }

    /// The same as one of many: where a field has room, no number that is new each time is that of another connection.
    #[must_use]
    pub fn numbered(mut self, connection: u32) -> Self {
        self.first = u64::from(connection) << 32;
        self
    }

    /// The bytes of a request, whose answer is then waited for in its turn. None: it is done by ending the connection.
    ///
    /// # Errors
    /// The wire cannot carry it.
    pub fn ask(
        &mut self,
        operation: &str,
        arguments: &Record,
        memory: &Memory,
    ) -> Result<Option<Vec<u8>>, Unspeakable> {
        if self.dialect.is_disconnect(operation) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        self.begin(operation, arguments, memory, false, &mut bytes)?;
        Ok(Some(bytes))
    }

    /// The bytes by which a user asks to be told of messages here; nothing comes of it that anybody waits for.
    ///
    /// # Errors
    /// The wire cannot carry it.
    pub fn listen(&mut self, memory: &Memory) -> Result<Vec<u8>, Unspeakable> {
        let mut bytes = Vec::new();
        if self.dialect.has_listen() {
            self.begin("listen", &Record::new(), memory, true, &mut bytes)?;
            self.end_what_is_said();
        }
        Ok(bytes)
    }

    /// What need not be answered is over when it is said.
    fn end_what_is_said(&mut self) {
        let is_over =
            |exchange: &Exchange| exchange.may_be_silent(&self.dialect) || !exchange.expects_an_answer(&self.dialect);
        if self.pending.back().and_then(|pending| pending.exchange.as_ref()).is_some_and(is_over) {
            self.pending.pop_back();
        }
    }

    fn begin(
        &mut self,
        operation: &str,
        arguments: &Record,
        memory: &Memory,
        hidden: bool,
        bytes: &mut Vec<u8>,
    ) -> Result<(), Unspeakable> {
        self.requests += 1;
        let (exchange, progress) =
            self.dialect.begin(operation, arguments, memory, self.first + self.requests, bytes)?;
        match progress {
            Progress::GoesOn => self.pending.push_back(Pending { exchange: Some(exchange), hidden }),
            Progress::Done(heard) if !hidden => {
                let dialogue = Some(exchange.dialogue().clone());
                self.decided.push_back(Came { what: What::Answer(heard), bytes: Vec::new(), dialogue });
            }
            Progress::Done(_) => {}
        }
        Ok(())
    }

    /// Raw bytes will be answered by something that no request of ours explains.
    pub fn expect_unexplained(&mut self) {
        self.pending.push_back(Pending { exchange: None, hidden: false });
    }

    /// Adds bytes that came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.is_quiet = false;
        self.decoder.push(bytes);
    }

    /// What must be said now, for a dialogue to go on.
    pub fn to_say(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.unsaid)
    }

    /// Bytes that came and make no whole message yet.
    pub fn rest(&self) -> &[u8] {
        self.decoder.rest()
    }

    /// Requests without an answer, those that nobody waits for aside.
    pub fn unanswered(&self) -> usize {
        self.pending.iter().filter(|pending| !pending.hidden).count()
    }

    /// Whether the last request was answered here, for it would have needed a value that nobody has learned.
    pub fn was_not_asked(&self) -> bool {
        !self.decided.is_empty() && self.pending.is_empty()
    }

    /// Whether something came after which, on this wire, the server ends the connection.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// What the oldest request was that has no answer.
    pub fn oldest(&self) -> Option<&Dialogue> {
        self.pending.front()?.exchange.as_ref().map(Exchange::dialogue)
    }

    /// Whether a pause would tell something: that a message has ended, or that nothing comes.
    pub fn waits_for_a_pause(&self) -> bool {
        let waits = self.needs_fence() || !self.early.is_empty();
        self.decoder.waits_for_a_pause() || (self.decoder.rest().is_empty() && waits)
    }

    /// The next thing that came. None: more bytes are needed.
    pub fn next(&mut self, memory: &mut Memory) -> Option<Came> {
        self.take(Until::More, memory)
    }

    /// As `next`, after nothing came for a while: what is open ends here, and silence is put to the proof.
    pub fn after_a_pause(&mut self, memory: &mut Memory) -> Option<Came> {
        self.settle_early();
        let came = self.take(if self.dialect.answers_are_open() { Until::Pause } else { Until::More }, memory);
        if came.is_none() && self.needs_fence() {
            self.fence(memory);
        }
        came
    }

    /// The connection ended. What is open ends here, and for some operations that is the answer.
    pub fn ended(&mut self, memory: &mut Memory) -> Option<Came> {
        self.settle_early();
        if let Some(came) = self.take(if self.dialect.answers_are_open() { Until::End } else { Until::More }, memory) {
            return Some(came);
        }
        let pending = self.pending.front_mut()?;
        let exchange = pending.exchange.as_mut()?;
        let progress = exchange.closed(&self.dialect, memory, &mut self.unsaid)?;
        let dialogue = Some(exchange.dialogue().clone());
        let hidden = self.pending.pop_front()?.hidden;
        match progress {
            Ok(Progress::Done(heard)) if !hidden => {
                Some(Came { what: What::Answer(heard), bytes: Vec::new(), dialogue })
            }
            _ => None,
        }
    }

    /// After a pause, what came early has come in its turn.
    fn settle_early(&mut self) {
        self.is_quiet = true;
        let early = std::mem::take(&mut self.early);
        self.decoder.push(&early);
    }

    /// Whether an answer may have overtaken what a silent request still brings: over gRPC nothing orders a stream and
    /// the calls beside it, so only a pause tells. What fits nothing may answer a call whose turn has not come.
    fn is_early(&self, index: usize, heard: &Heard) -> bool {
        let behind_another = !self.early.is_empty() && matches!(heard, Heard::Other { .. });
        self.dialect.grpc.is_some() && !self.is_quiet && (index > 0 || behind_another)
    }

    fn take(&mut self, until: Until, memory: &mut Memory) -> Option<Came> {
        loop {
            if let Some(came) = self.decided.pop_front() {
                return Some(came);
            }
            // Of a request that nothing may answer, the answer to the next one is the end.
            let may_be_silent = |pending: &Pending| {
                pending.exchange.as_ref().is_some_and(|exchange| exchange.may_be_silent(&self.dialect))
            };
            let silent = self.pending.iter().take_while(|pending| may_be_silent(pending)).count();
            let dialogues: Vec<Option<&Dialogue>> = self
                .pending
                .iter()
                .take(silent + 1)
                .map(|pending| pending.exchange.as_ref().map(Exchange::dialogue))
                .collect();
            let dialogues = if dialogues.is_empty() { vec![None] } else { dialogues };
            if until == Until::Pause && self.decoder.is_a_beginning(&dialogues) {
                return None;
            }
            let (Found { index, heard, closes }, bytes) = self.decoder.take_among(until != Until::More, &dialogues)?;
            if self.is_early(index, &heard) {
                self.early.extend(bytes);
                continue;
            }
            self.is_over |= closes;
            let dialogue = dialogues[index].cloned();
            if let Heard::Event { .. } | Heard::Ignored { .. } = heard {
                return Some(Came { what: What::Event(heard), bytes, dialogue: None });
            }
            for _ in 0..index {
                self.decide_by_silence(memory);
            }
            let Some(pending) = self.pending.front_mut() else {
                return Some(Came { what: What::Answer(heard), bytes, dialogue });
            };
            let (part, said) = (heard.clone(), self.unsaid.len());
            let progress = match &mut pending.exchange {
                Some(exchange) => exchange.hear(&self.dialect, heard, memory, &mut self.unsaid),
                None => Ok(Progress::Done(heard)),
            };
            let what = match progress {
                Ok(Progress::GoesOn) => {
                    if let Some(pending) = self.pending.pop_front_if(|_| self.unsaid.len() > said) {
                        self.wait_behind_fences(pending);
                    }
                    if self.needs_fence() {
                        self.fence(memory);
                    }
                    What::Part(part)
                }
                Ok(Progress::Done(heard)) => {
                    let hidden = self.pending.pop_front().is_some_and(|pending| pending.hidden);
                    if hidden { What::Part(heard) } else { What::Answer(heard) }
                }
                Err(_) => {
                    self.pending.pop_front();
                    What::Answer(part)
                }
            };
            let came = Came { what, bytes, dialogue };
            match self.decided.is_empty() {
                true => return Some(came),
                false => self.decided.push_back(came),
            }
        }
    }

    /// The oldest request was answered by nothing.
    fn decide_by_silence(&mut self, memory: &mut Memory) {
        let Some(mut pending) = self.pending.pop_front() else { return };
        let Some(exchange) = &mut pending.exchange else { return };
        let progress = exchange.silence(&self.dialect, memory, &mut self.unsaid);
        let dialogue = Some(exchange.dialogue().clone());
        match progress {
            Some(Ok(Progress::Done(heard))) if !pending.hidden => {
                self.decided.push_back(Came { what: What::Answer(heard), bytes: Vec::new(), dialogue });
            }
            Some(Ok(Progress::GoesOn)) => self.wait_behind_fences(pending),
            _ => {}
        }
    }

    /// What was just said is answered behind what nobody waits for: a fence that was said before proves nothing of it.
    fn wait_behind_fences(&mut self, pending: Pending) {
        let fences = self.pending.iter().take_while(|pending| pending.hidden).count();
        self.pending.insert(fences, pending);
    }

    /// Whether the oldest request may be answered by nothing, and no later one proves it yet.
    fn needs_fence(&self) -> bool {
        let [pending] = self.pending.as_slices().0 else { return false };
        pending.exchange.as_ref().is_some_and(|exchange| exchange.may_be_silent(&self.dialect))
    }

    /// Says the operation that always answers.
    fn fence(&mut self, memory: &Memory) {
        let (fence, service) = (self.dialect.fence.clone(), self.dialect.service.clone());
        let names = service.operations.get(&fence).map(|spec| spec.arguments.as_slice()).unwrap_or_default();
        let value = |name: &String| {
            let default = service.field(name).and_then(Field::default_value);
            default.or_else(|| memory.value(name).cloned()).unwrap_or(Value::Int(self.requests))
        };
        let arguments = names.iter().map(|name| (name.clone(), value(name))).collect();
        let mut bytes = Vec::new();
        // A fence that cannot be said proves nothing; then only the deadline ends the wait.
        let _ = self.begin(&fence, &arguments, memory, true, &mut bytes);
        self.unsaid.extend(bytes);
    }
}
