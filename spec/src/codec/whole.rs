//! Where an answer ends whatever it says: by the frame alone.
//!
//! A hole in a message may take bytes that belong to the next one, or wait for a delimiter that never comes, where
//! something else was said than it expects. The frame knows better: it has a length, or its own last bytes.

use crate::codec::Slots;
use crate::codec::hear::hear_shape;
use crate::codec::plan::{Part, Rule, Shape, TextRule};
use crate::dialect::Dialect;

impl Dialect {
    /// Finds the answers that can go on behind the end of their frame.
    pub(crate) fn find_what_outruns(&mut self) {
        let frame = std::mem::take(&mut self.whole_hear);
        let has_end = !self.whole_is_open.1;
        let measured = has_length(&frame.parts);
        let plans = self.operations.iter_mut().chain(&mut self.listen).chain(&mut self.connect);
        let entries = plans.flat_map(|plan| &mut plan.steps).flat_map(|step| &mut step.hear).chain(&mut self.anytime);
        for entry in entries {
            entry.message.outruns = !has_end || !(measured || ends_with(&entry.message.shape, &frame));
        }
        self.whole_hear = frame;
    }

    /// How many bytes of what was heard are one whole frame. None: its end is not there yet, or cannot be known.
    pub(crate) fn end_of_heard_frame(&self, bytes: &[u8]) -> Option<usize> {
        if self.whole_is_open.1 {
            return None;
        }
        let heard = hear_shape(&self.whole_hear, &[], bytes, false, &[], &mut Slots::new(), &mut ());
        heard.ok().filter(|taken| *taken > 0)
    }
}

fn has_length(parts: &[Part]) -> bool {
    parts.iter().any(|part| match part {
        Part::Number(number) => matches!(number.rule, Rule::Measure { measure, .. } if measure.is_length()),
        Part::Region(region) => has_length(&region.parts),
        _ => false,
    })
}

/// Whether a message has the constant that ends its frame only at its own end.
fn ends_with(message: &Shape, frame: &Shape) -> bool {
    let Some(Part::Literal(end)) = frame.parts.last() else { return false };
    times(&message.parts, end).is_some_and(|times_here| Some(times_here) == times(&frame.parts, end))
}

/// How often constant bytes stand in parts. None: they may stand in what is not constant, such as JSON.
fn times(parts: &[Part], bytes: &[u8]) -> Option<usize> {
    let within = |text: &[u8]| text.windows(bytes.len().max(1)).filter(|window| *window == bytes).count();
    parts.iter().try_fold(0, |sum, part| {
        Some(
            sum + match part {
                Part::Literal(literal) => within(literal),
                Part::Text(text) => match &text.rule {
                    TextRule::Is(fixed) => within(fixed),
                    _ if text.filter.is_some() => return None,
                    _ => 0,
                },
                Part::Region(region) => times(&region.parts, bytes)?,
                Part::List(list) => {
                    let joined = list.joined.as_ref().map(|joined| within(&joined.separator)).unwrap_or_default();
                    times(&list.item.parts, bytes)? + joined
                }
                Part::Either(rows) => {
                    let all: Vec<usize> = rows.iter().map(|row| times(row, bytes)).collect::<Option<_>>()?;
                    all.into_iter().max().unwrap_or_default()
                }
                Part::Json(_) => return None,
                Part::Number(_) | Part::Bits(_) => 0,
            },
        )
    })
}
