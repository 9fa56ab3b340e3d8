//! The shortest way from the bytes of a request to its operation: one number at one place.
//!
//! Not here: wires on which it takes more than that (`request::hear` tries one operation after another).

use std::collections::BTreeSet;

use crate::codec::field::Int;
use crate::codec::hear::read_int;
use crate::codec::plan::{Form, Part};
use crate::dialect::Dialect;

/// Which operation a number at a fixed place means, where one number tells.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    pub(crate) offset: usize,
    int: Int,
    /// By number, as far as one byte goes: wire formats number their operations from nought.
    low: Vec<Option<usize>>,
    /// The others.
    high: Vec<(u64, usize)>,
}

impl Index {
    fn new((offset, int): (usize, Int), operations: &[(u64, usize)]) -> Self {
        let (mut low, mut high) = (Vec::new(), Vec::new());
        for (number, operation) in operations {
            match usize::try_from(*number) {
                Ok(number) if number < 256 => {
                    low.resize(low.len().max(number + 1), None);
                    low[number] = Some(*operation);
                }
                _ => high.push((*number, *operation)),
            }
        }
        Index { offset, int, low, high }
    }

    /// The operation that bytes ask for. None: they do not reach so far. None inside: there is none of that number.
    #[inline]
    pub(crate) fn operation(&self, bytes: &[u8]) -> Option<Option<usize>> {
        let number = read_int(bytes, self.offset, self.int)?;
        Some(match usize::try_from(number).ok().and_then(|number| self.low.get(number)) {
            Some(operation) => *operation,
            None => self.high.iter().find(|(known, _)| *known == number).map(|(_, operation)| *operation),
        })
    }
}

impl Dialect {
    /// The number of the frame that tells the operations of this wire apart, if one does, wherever it stands.
    pub(crate) fn find_code(&self) -> Option<usize> {
        // What can be said in two ways has two numbers; what is not said at all, none.
        if self.all_plans().any(|(_, plan)| plan.steps.first().is_some_and(|step| step.say.len() > 1)) {
            return None;
        }
        let slots = self.say.shape.parts.iter().filter_map(|part| match part {
            Part::Number(number) => Some(number.slot),
            _ => None,
        });
        slots.into_iter().find(|slot| {
            let numbers = self.openings().map(|(_, message)| message.fixed(*slot));
            numbers.collect::<Option<Vec<u64>>>().is_some_and(|numbers| {
                let different: BTreeSet<u64> = numbers.iter().copied().collect();
                different.len() == numbers.len() && numbers.len() > 1
            })
        })
    }

    /// The same number, if nothing but numbers of a fixed size stands before it.
    pub(crate) fn find_index(&self) -> Option<Index> {
        let (code, mut offset) = (self.code?, 0);
        for part in &self.say.shape.parts {
            let Part::Number(number) = part else { return None };
            let Form::Int(int) = number.form else { return None };
            if number.slot == code {
                let numbers = self.openings().filter_map(|(at, message)| Some((message.fixed(code)?, at)));
                return Some(Index::new((offset, int), &numbers.collect::<Vec<_>>()));
            }
            offset += int.bytes();
        }
        None
    }
}
