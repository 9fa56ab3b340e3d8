//! How a server hears what a client says, and what it refuses.

use crate::codec::dialogue::FRAME_FIELDS;
use crate::codec::hear::{Miss, hear_message, hear_shape};
use crate::codec::plan::{Message, Name};
use crate::codec::unfit::{Reason, Unfit, unfit};
use crate::codec::{Dialogue, Slot, Slots};
use crate::dialect::Dialect;
use crate::service::SessionNeed;
use crate::value::{Record, Value};

/// What came out of the bytes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestHeard {
    /// At least so many bytes are needed in all.
    More(usize),
    /// A request, and how many bytes it took.
    Taken(usize),
    /// It must be refused. `taken` is none where its end cannot be known; then the connection must close.
    Refused {
        /// Bytes to pass over.
        taken: Option<usize>,
        /// The protocol's error.
        error: String,
        /// What exactly does not fit.
        unfit: Box<Unfit>,
        /// Whether the connection ends after the answer.
        close: bool,
    },
}

impl Dialect {
    /// Reads one request from the front of `bytes` into `slots`, and what its answer can echo into a new `dialogue`.
    #[inline]
    pub fn hear_request<'a>(&self, bytes: &'a [u8], slots: &mut Slots<'a>, dialogue: &mut Dialogue) -> RequestHeard {
        // The usual way: a number tells the operation, and its message fits.
        if let Some(index) = &self.index
            && let Some(Some(operation)) = index.operation(bytes)
            && let Some(message) = self.operations.get(operation).and_then(|plan| plan.steps.first()?.say.first())
            && let Ok(taken) = hear_message(message, bytes, false, &[], slots, &mut ())
        {
            dialogue.operation = Some(operation);
            dialogue.step = 0;
            self.remember_frame(slots, dialogue);
            return RequestHeard::Taken(taken);
        }
        self.hear_request_of(bytes, false, None, slots, dialogue)
    }

    /// As `hear_request`. `complete`: nothing more comes for now, so what is open ends here. `going`: a dialogue that
    /// waits for its next step.
    pub fn hear_request_of<'a>(
        &self,
        bytes: &'a [u8],
        complete: bool,
        going: Option<(usize, usize)>,
        slots: &mut Slots<'a>,
        dialogue: &mut Dialogue,
    ) -> RequestHeard {
        self.hear_request_bound(bytes, complete, going, None, slots, dialogue)
    }

    /// As `hear_request_of`. `bound`: whether there is a session, so that of two operations that say the same, of which
    /// one needs a session and the other cannot have one, the right one is heard.
    pub(crate) fn hear_request_bound<'a>(
        &self,
        bytes: &'a [u8],
        complete: bool,
        going: Option<(usize, usize)>,
        bound: Option<bool>,
        slots: &mut Slots<'a>,
        dialogue: &mut Dialogue,
    ) -> RequestHeard {
        let mut furthest: Option<Box<Unfit>> = None;
        let mut identified = false;
        let mut try_message = |operation: usize, step: usize, message: &Message, slots: &mut Slots<'a>| {
            match hear_message(message, bytes, complete, &[], slots, &mut ()) {
                Ok(taken) => {
                    dialogue.operation = Some(operation);
                    dialogue.step = step;
                    self.remember_frame(slots, dialogue);
                    Some(RequestHeard::Taken(taken))
                }
                Err(Miss::More(least)) if !complete => Some(RequestHeard::More(least)),
                Err(Miss::More(_)) => None,
                Err(Miss::No(unfit)) => {
                    // Another number of the frame is another operation.
                    let other = self.say.position(&unfit.field).is_some_and(|slot| message.fixed(slot).is_some());
                    identified |= unfit.offset >= message.leading() && !other;
                    if furthest.as_ref().is_none_or(|known| known.offset < unfit.offset) {
                        furthest = Some(unfit);
                    }
                    None
                }
            }
        };
        if let Some((operation, step)) = going {
            for message in &self.plan(operation).steps[step].say {
                if let Some(heard) = try_message(operation, step, message, slots) {
                    return heard;
                }
            }
        }
        if let Some(index) = &self.index {
            match index.operation(bytes) {
                Some(Some(operation)) => {
                    let message = &self.plan(operation).steps[0].say[0];
                    if let Some(heard) = try_message(operation, 0, message, slots) {
                        return heard;
                    }
                }
                Some(None) => {}
                None => return self.refused_or_more(bytes, complete, slots, dialogue, None),
            }
        } else {
            // What fits the session comes first, whatever it says; what does not is heard all the same.
            for fitting in [true, false] {
                for (operation, message) in self.openings().filter(|(at, _)| self.fits_session(*at, bound) == fitting) {
                    if let Some(heard) = try_message(operation, 0, message, slots) {
                        return heard;
                    }
                }
            }
        }
        for (operation, step, message) in self.later_steps() {
            if let Some(heard) = try_message(operation, step, message, slots)
                && matches!(heard, RequestHeard::Taken(_))
            {
                return heard;
            }
        }
        let furthest = furthest.filter(|_| identified || self.index.is_some());
        self.refused_or_more(bytes, complete, slots, dialogue, furthest)
    }

    /// What dialogues can begin with.
    pub(crate) fn openings(&self) -> impl Iterator<Item = (usize, &Message)> {
        let plans = self.operations.iter().chain(&self.listen).chain(&self.connect).enumerate();
        plans.flat_map(|(at, plan)| {
            plan.steps.first().into_iter().flat_map(move |step| step.say.iter().map(move |message| (at, message)))
        })
    }

    /// Whether bytes are no request and cannot become one, and nothing but a pause tells where they end.
    pub(crate) fn is_no_request(&self, bytes: &[u8], going: Option<(usize, usize)>) -> bool {
        let later = going.into_iter().flat_map(|(operation, step)| &self.plan(operation).steps[step].say);
        let all = later
            .chain(self.openings().map(|(_, message)| message))
            .chain(self.later_steps().map(|(.., message)| message));
        let fits = |message: &Message| {
            let heard = hear_message(message, bytes, false, &[], &mut Slots::new(), &mut ());
            !matches!(heard, Err(Miss::No(_)))
        };
        self.whole_is_open.0 && !all.into_iter().any(fits)
    }

    /// What dialogues go on with. Several may begin alike, and then only a later step tells which it is.
    fn later_steps(&self) -> impl Iterator<Item = (usize, usize, &Message)> {
        self.all_plans().flat_map(|(at, plan)| {
            let later = plan.steps.iter().enumerate().skip(1);
            later.flat_map(move |(step, plan)| plan.say.iter().map(move |message| (at, step, message)))
        })
    }

    fn fits_session(&self, operation: usize, bound: Option<bool>) -> bool {
        let need = self.service.operations.get(&self.plan(operation).name).map(|spec| spec.session);
        !matches!((need, bound), (Some(SessionNeed::Needed), Some(false)) | (Some(SessionNeed::None), Some(true)))
    }

    fn remember_frame(&self, slots: &Slots<'_>, dialogue: &mut Dialogue) {
        let fields = self.say.shape.labels.len().min(FRAME_FIELDS);
        for (place, slot) in dialogue.frame.places().iter_mut().zip(&slots.values[..fields]) {
            *place = if let Slot::Int(number) = slot { *number } else { 0 };
        }
        dialogue.frame.know(fields);
    }

    /// No request fits. The frame alone tells where it ends, and which of its fields broke.
    #[cold]
    fn refused_or_more<'a>(
        &self,
        bytes: &'a [u8],
        complete: bool,
        slots: &mut Slots<'a>,
        dialogue: &mut Dialogue,
        inside: Option<Box<Unfit>>,
    ) -> RequestHeard {
        let frame = &self.whole_say;
        let heard = hear_shape(frame, &[], bytes, complete, &[], slots, &mut ());
        // Where a pause ends requests, it ends those that cannot be followed, too.
        let whole = (complete && self.open_requests).then_some(bytes.len());
        // What stands before the part that broke is known and can be echoed; the rest cannot be trusted.
        self.remember_frame(slots, dialogue);
        match heard {
            Ok(taken) => {
                let (part, unfit) = match inside {
                    Some(unfit) => (None, unfit),
                    None => self.unknown(slots),
                };
                if let (None, Some(index)) = (part, &self.index) {
                    dialogue.operation = index.operation(bytes).flatten();
                }
                self.refused(Some(taken), part, unfit)
            }
            Err(Miss::More(least)) if whole.is_none() => RequestHeard::More(least),
            Err(Miss::More(_)) => self.refused(whole, None, unfit("frame", bytes.len(), Reason::Unheard)),
            Err(Miss::No(unfit)) => {
                let part =
                    frame.labels.iter().position(|label| label.name != Name::Nothing && label.text == unfit.field);
                let close =
                    part.and_then(|part| self.say.refusals.get(part)?.as_ref()).is_some_and(|refusal| refusal.close);
                let known = part.unwrap_or(0);
                let end = self.end_of_frame(slots, known).or(whole).filter(|_| !close);
                if let Some(end) = end
                    && bytes.len() < end
                {
                    return RequestHeard::More(end);
                }
                if end.is_none() && !close && self.open_requests {
                    return RequestHeard::More(bytes.len() + 1);
                }
                dialogue.frame.know(known);
                self.refused(end, part, unfit)
            }
        }
    }

    /// Where a frame ends whose field `broke`, if that is known nevertheless.
    fn end_of_frame(&self, slots: &Slots<'_>, broke: usize) -> Option<usize> {
        use crate::codec::field::Measure;
        use crate::codec::plan::{Of, Part, Rule};
        self.whole_say.parts.iter().find_map(|part| match part {
            Part::Number(number) if number.slot < broke => match &number.rule {
                Rule::Measure { measure: Measure::Length, of: Of::Frame, plus } => {
                    Some(slots.int(number.slot)?.wrapping_add_signed(plus.wrapping_neg()) as usize)
                }
                _ => None,
            },
            _ => None,
        })
    }

    #[cold]
    fn unknown(&self, slots: &Slots<'_>) -> (Option<usize>, Box<Unfit>) {
        let Some(code) = self.code else { return (Some(usize::MAX), unfit("frame", 0, Reason::Unheard)) };
        let offset = self.index.as_ref().map_or(0, |index| index.offset);
        let seen = slots.int(code).unwrap_or_default();
        (Some(code), unfit(self.say.shape.labels[code].text.clone(), offset, Reason::Unknown { seen }))
    }

    #[cold]
    fn refused(&self, taken: Option<usize>, part: Option<usize>, unfit: Box<Unfit>) -> RequestHeard {
        let refusal = part.and_then(|part| self.say.refusals.get(part)?.as_ref());
        let (error, close) = match (refusal, &unfit.reason) {
            (None, Reason::Unheard | Reason::Unknown { .. }) if part.is_some() => {
                ("unknown_operation", taken.is_none())
            }
            (None, _) => ("malformed", taken.is_none()),
            (Some(refusal), Reason::Above { .. }) => (refusal.above.as_str(), refusal.close),
            (Some(refusal), _) => (refusal.below.as_str(), refusal.close),
        };
        RequestHeard::Refused { taken, error: error.to_owned(), unfit, close }
    }

    /// The error for a field of the frame that does not fit, where the connection has no session.
    pub(crate) fn refused_when_logged_out(&self, field: &str) -> Option<&str> {
        self.say.refusals.get(self.say.position(field)?)?.as_ref()?.logged_out.as_deref()
    }

    /// The arguments in the slots of a request that was heard.
    pub fn arguments(&self, dialogue: &Dialogue, slots: &Slots<'_>) -> Record {
        let Some(message) = self.message_of(dialogue, slots) else { return Record::new() };
        let mut arguments = slots.to_record(&message.shape);
        for name in self.say.names().filter(|name| self.service.field(name).is_none()) {
            arguments.remove(name);
        }
        arguments
    }

    /// All values of a request that was heard, under the names of its slots: `me` and `my token` among them.
    pub fn values(&self, dialogue: &Dialogue, slots: &Slots<'_>) -> Record {
        let Some(message) = self.message_of(dialogue, slots) else { return Record::new() };
        let named = message.shape.labels.iter().enumerate().filter(|(_, label)| label.name != Name::Nothing);
        named
            .filter_map(|(at, label)| Some((label.text.clone(), slots.owned(slots.at(at), &message.shape, at)?)))
            .collect()
    }

    /// One of them.
    pub fn argument(&self, dialogue: &Dialogue, slots: &Slots<'_>, name: &str) -> Option<Value> {
        slots.value(&self.message_of(dialogue, slots)?.shape, name)
    }

    /// The message that was heard: the slots have its width, and the first that has is as good as any other.
    fn message_of(&self, dialogue: &Dialogue, slots: &Slots<'_>) -> Option<&Message> {
        let step = self.plan(dialogue.operation?).steps.get(dialogue.step)?;
        step.say.iter().find(|message| message.shape.labels.len() == slots.values.len())
    }
}

impl Message {
    /// How many bytes in front are always the same.
    pub(crate) fn leading(&self) -> usize {
        match self.shape.parts.first() {
            Some(crate::codec::plan::Part::Literal(bytes)) => bytes.len(),
            Some(crate::codec::plan::Part::Text(text)) => match &text.rule {
                crate::codec::plan::TextRule::Is(fixed) => fixed.len(),
                _ => 1,
            },
            _ => 1,
        }
    }
}
