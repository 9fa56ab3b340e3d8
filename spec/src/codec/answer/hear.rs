//! How a client hears what a server says: the first entry of the tables that fits.

use crate::codec::hear::{Miss, Trace, hear_message, hear_shape};
use crate::codec::plan::{Entry, Meaning, Name, Part, Rule};
use crate::codec::unfit::{Reason, Unfit, unfit};
use crate::codec::{Dialogue, Heard, Slots};
use crate::dialect::Dialect;
use crate::value::{Record, Value};

/// An answer or event, and what goes with it.
pub(crate) struct Found {
    /// Which of the dialogues it answers.
    pub(crate) index: usize,
    pub(crate) heard: Heard,
    /// Whether the server ends the connection after it.
    pub(crate) closes: bool,
}

impl Dialect {
    /// Reads one answer or event from the front of `bytes`. None: more bytes are needed.
    ///
    /// With the dialogue of the oldest request that has no answer, only what can be its answer, or come at any time,
    /// is accepted. Without one, any operation's answer is.
    pub fn hear_answer(&self, bytes: &[u8], dialogue: Option<&Dialogue>) -> Option<Heard> {
        let tables: &[Option<&Dialogue>] = &[dialogue];
        self.hear_answer_of(bytes, false, tables)
    }

    /// As `hear_answer`, where several dialogues may be answered: the tables of the first come first. `complete`:
    /// nothing more comes for now, so what is open ends here.
    pub fn hear_answer_of(&self, bytes: &[u8], complete: bool, dialogues: &[Option<&Dialogue>]) -> Option<Heard> {
        self.hear_answer_among(bytes, complete, dialogues).map(|found| found.heard)
    }

    /// As `hear_answer_of`, and what goes with it.
    pub(crate) fn hear_answer_among(
        &self,
        bytes: &[u8],
        complete: bool,
        dialogues: &[Option<&Dialogue>],
    ) -> Option<Found> {
        let mut slots = Slots::new();
        let mut furthest: Option<Box<Unfit>> = None;
        let mut whole: Option<Option<usize>> = None;
        for (at, (dialogue, operation, entry)) in self.answers(dialogues).enumerate() {
            let mut heard = self.try_entry(entry, operation, bytes, complete, &mut slots, dialogue, &mut ());
            if matches!(heard, Err(Miss::More(_))) && !complete {
                // No message is longer than its frame.
                match whole.get_or_insert_with(|| self.end_of_heard_frame(bytes)) {
                    Some(end) if !entry.message.outruns => {
                        let frame = &bytes[..*end];
                        heard = self.try_entry(entry, operation, frame, true, &mut slots, dialogue, &mut ());
                    }
                    _ => return None,
                }
            }
            match heard {
                Ok(taken) => {
                    let is_this = |one: &Option<&Dialogue>| one.zip(dialogue).is_some_and(|(a, b)| std::ptr::eq(a, b));
                    let index = dialogues.iter().position(is_this).unwrap_or(0);
                    let heard = self.heard(entry, dialogue, operation, &slots, taken);
                    return Some(Found { index, heard, closes: entry.close });
                }
                Err(Miss::More(_)) => {}
                Err(Miss::No(unfit)) => {
                    if at == 0 || furthest.as_ref().is_none_or(|known| known.offset < unfit.offset) {
                        furthest = Some(unfit);
                    }
                }
            }
        }
        let frame = hear_shape(&self.whole_hear, &[], bytes, complete, &[], &mut slots, &mut ());
        let values = self.frame_values(&slots);
        match frame {
            Err(Miss::More(_)) => None,
            Err(Miss::No(unfit)) => Some(Found { index: 0, heard: Heard::other(None, *unfit, values), closes: false }),
            Ok(taken) => {
                let unfit = furthest.unwrap_or_else(|| unfit("frame", 0, Reason::Unheard));
                Some(Found { index: 0, heard: Heard::other(Some(taken), *unfit, values), closes: false })
            }
        }
    }

    /// Whether bytes are nothing that may come and cannot become it, and nothing but a pause tells where they end.
    pub(crate) fn is_no_answer(&self, bytes: &[u8], dialogues: &[Option<&Dialogue>]) -> bool {
        let fits = |(dialogue, operation, entry): (Option<&Dialogue>, Option<usize>, &Entry)| {
            let heard = self.try_entry(entry, operation, bytes, false, &mut Slots::new(), dialogue, &mut ());
            !matches!(heard, Err(Miss::No(_)))
        };
        self.whole_is_open.1 && !self.answers(dialogues).any(fits)
    }

    /// Whether bytes are no message that may come, and can become one.
    pub(crate) fn is_a_beginning(&self, bytes: &[u8], dialogues: &[Option<&Dialogue>]) -> bool {
        let tried = |complete: bool| {
            self.answers(dialogues).map(move |(dialogue, operation, entry)| {
                self.try_entry(entry, operation, bytes, complete, &mut Slots::new(), dialogue, &mut ())
            })
        };
        !tried(true).any(|heard| heard.is_ok()) && tried(false).any(|heard| matches!(heard, Err(Miss::More(_))))
    }

    /// The lines that an answer is tried against, in order, with the dialogue and operation that each belongs to.
    pub(crate) fn answers<'d>(
        &'d self,
        dialogues: &'d [Option<&'d Dialogue>],
    ) -> impl Iterator<Item = (Option<&'d Dialogue>, Option<usize>, &'d Entry)> {
        let own = dialogues.iter().flat_map(move |dialogue| {
            let known = dialogue.and_then(|dialogue| dialogue.operation);
            let anonymous = dialogue.is_none();
            let plans = self.all_plans().filter(move |(index, _)| anonymous || known == Some(*index));
            plans.flat_map(move |(index, plan)| {
                let step = dialogue.map(|dialogue| dialogue.step);
                let steps = plan.steps.iter().enumerate().filter(move |(at, _)| step.is_none_or(|step| step == *at));
                steps.flat_map(move |(_, step)| step.hear.iter().map(move |entry| (*dialogue, Some(index), entry)))
            })
        });
        let first = dialogues.first().copied().flatten();
        let known = first.and_then(|dialogue| dialogue.operation);
        // One more row of an answer may look like anything, an end does not.
        let is_row = |(_, _, entry): &(Option<&Dialogue>, Option<usize>, &Entry)| entry.meaning == Meaning::More;
        let (rows, ends): (Vec<_>, Vec<_>) = own.partition(is_row);
        let nobody = first.is_none();
        let anytime = self.anytime.iter().map(|entry| (first, known, entry));
        // Where nobody waits for an answer, what may come at any time is looked for first, and rows of answers not at all.
        let rows = if nobody { Vec::new() } else { rows };
        let (first, rest): (Vec<_>, Vec<_>) = anytime.partition(|_| nobody);
        let (errors, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(_, _, entry)| {
            !rows.is_empty() && matches!(entry.meaning, Meaning::Error(..) | Meaning::AnyError | Meaning::Ignore)
        });
        let ends = ends.into_iter().filter(move |(_, _, entry)| !nobody || entry.meaning != Meaning::Next);
        first.into_iter().chain(ends).chain(errors).chain(rows).chain(others)
    }

    /// Holds bytes against an entry.
    #[expect(clippy::too_many_arguments, reason = "what was heard, and what it is held against")]
    pub(crate) fn try_entry<'a, T: Trace>(
        &self,
        entry: &Entry,
        operation: Option<usize>,
        bytes: &'a [u8],
        complete: bool,
        slots: &mut Slots<'a>,
        dialogue: Option<&Dialogue>,
        trace: &mut T,
    ) -> Result<usize, Miss> {
        let expected = self.expected(entry, operation, dialogue);
        let taken = hear_message(&entry.message, bytes, complete, &expected, slots, trace)?;
        // An empty list, and nothing around it: what came is something else.
        if taken == 0 && !bytes.is_empty() {
            return Err(Miss::No(unfit("frame", 0, Reason::Unheard)));
        }
        self.check_error(entry, slots).map_err(Miss::No)?;
        Ok(taken)
    }

    /// What the request said, and the answer must say again.
    fn expected(&self, entry: &Entry, operation: Option<usize>, dialogue: Option<&Dialogue>) -> Vec<Option<Value>> {
        let message = &entry.message;
        let mut expected = Vec::new();
        for slot in &message.echoes {
            let label = &message.shape.labels[*slot];
            let (name, plus) = known_rule(&message.shape.parts, *slot).unwrap_or((label.text.as_str(), 0));
            let number = self.say.number(name).and_then(|slot| {
                let said = dialogue.and_then(|dialogue| dialogue.frame.get(slot).copied());
                // Of a request that is not known, at least its operation's own numbers are.
                let fixed = || self.plan(operation?).steps.first()?.say.first()?.fixed(slot);
                said.or_else(fixed).map(|number| Value::Int(number.wrapping_add_signed(plus)))
            });
            let value = match dialogue.and_then(|dialogue| dialogue.said(name)) {
                Some(Value::List(_) | Value::Row(_)) => None,
                Some(value) if plus == 0 => Some(as_number(value)),
                _ => number,
            };
            if value.is_some() {
                expected.resize(message.shape.labels.len(), None);
                expected[*slot] = value;
            }
        }
        expected
    }

    /// A field named `error` holds the code of the error that the message means.
    fn check_error(&self, entry: &Entry, slots: &Slots<'_>) -> Result<(), Box<Unfit>> {
        let Some(seen) = self.error_code(entry, slots) else { return Ok(()) };
        let fits = match &entry.meaning {
            Meaning::Error(name, _) => self.errors.get(name).is_some_and(|error| u64::from(error.code) == seen),
            Meaning::AnyError => self.errors.values().any(|error| u64::from(error.code) == seen),
            _ => true,
        };
        if fits { Ok(()) } else { Err(unfit("error", self.body_offset(), Reason::Unknown { seen })) }
    }

    /// Where what the frame holds begins, as far as the frame is numbers.
    fn body_offset(&self) -> usize {
        self.hear.shape.parts.iter().map_while(|part| matches!(part, Part::Number(_)).then(|| part.least_bytes())).sum()
    }

    /// The code in the field named `error`.
    pub(crate) fn error_code(&self, entry: &Entry, slots: &Slots<'_>) -> Option<u64> {
        slots.int(entry.message.shape.position("error")?)
    }

    fn heard(
        &self,
        entry: &Entry,
        dialogue: Option<&Dialogue>,
        operation: Option<usize>,
        slots: &Slots<'_>,
        taken: usize,
    ) -> Heard {
        let frame = self.frame_values(slots);
        let mut values = slots.to_record(&entry.message.shape);
        let of_frame = self.hear.names().filter(|name| self.service.field(name).is_none());
        of_frame.for_each(|name| drop(values.remove(name)));
        let _ = dialogue;
        match self.meant(&entry.meaning, operation, values, frame, taken) {
            Heard::More { taken, values, frame, .. } => Heard::More { taken, values, again: entry.again, frame },
            heard => heard,
        }
    }

    /// What a meaning says, with values.
    pub(crate) fn meant(
        &self,
        meaning: &Meaning,
        operation: Option<usize>,
        mut values: Record,
        frame: Record,
        taken: usize,
    ) -> Heard {
        let operation = operation.map(|index| self.plan(index).name.clone());
        match meaning {
            Meaning::Ok => Heard::Ok { taken, operation, values, frame },
            Meaning::Outcome(name) => {
                let outcomes = operation.as_ref().and_then(|operation| self.service.operations.get(operation));
                let fields = outcomes.and_then(|operation| operation.outcomes.get(name));
                for (field, value) in fields.into_iter().flatten() {
                    if let Some(flag) = value.as_bool() {
                        values.set(field, flag);
                    }
                }
                Heard::Ok { taken, operation, values, frame }
            }
            Meaning::Error(name, _) => Heard::Error { taken, name: name.clone(), values, frame },
            Meaning::AnyError => {
                let code = values.get("error").and_then(Value::as_int);
                let known = self.errors.iter().find(|(_, error)| Some(u64::from(error.code)) == code);
                let name = known.map_or("error", |(name, _)| name.as_str()).to_owned();
                Heard::Error { taken, name, values, frame }
            }
            Meaning::Event(name) => Heard::Event { taken, name: name.clone(), values, frame },
            Meaning::Ignore => Heard::Ignored { taken, frame },
            Meaning::Next => Heard::Next { taken, values, frame },
            Meaning::More => Heard::More { taken, values, again: false, frame },
        }
    }

    /// The values of an answer's frame, by name.
    fn frame_values(&self, slots: &Slots<'_>) -> Record {
        let labels = self.hear.shape.labels.iter().enumerate().filter(|(_, label)| label.name != Name::Nothing);
        labels.filter_map(|(at, label)| Some((label.text.clone(), Value::Int(slots.int(at)?)))).collect()
    }
}

/// A number that was said as text is the same number.
fn as_number(value: &Value) -> Value {
    match value {
        Value::Flag(flag) => Value::Int(u64::from(*flag)),
        value => value.clone(),
    }
}

/// The name that a number is computed from.
fn known_rule(parts: &[Part], slot: usize) -> Option<(&str, i64)> {
    parts.iter().find_map(|part| match part {
        Part::Number(number) if number.slot == slot => match &number.rule {
            Rule::Known { name, plus } => Some((name.as_str(), *plus)),
            _ => None,
        },
        _ => None,
    })
}
