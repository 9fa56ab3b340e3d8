//! Numbers: how they are written, and what decides them.

use crate::codec::field::{Int, Measure};

/// A number on the wire.
#[derive(Debug, Clone)]
pub(crate) struct Number {
    pub(crate) slot: usize,
    pub(crate) form: Form,
    /// What it can be; for a constant both are its value.
    pub(crate) least: u64,
    pub(crate) most: u64,
    pub(crate) rule: Rule,
    /// Whether it is a value within bounds and nothing more: not measured, and measuring nothing.
    pub(crate) plain: bool,
}

impl Number {
    #[inline]
    pub(crate) fn fits(&self, value: u64) -> bool {
        (self.least..=self.most).contains(&value)
    }
}

/// How a number is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    Int(Int),
    /// ASCII digits, as many as it takes.
    Decimal,
    /// ASCII digits in so many bytes, filled up: with noughts in front, with anything else behind.
    Padded {
        width: u8,
        padding: u8,
    },
    /// The first row whose range holds the number.
    Choice(Box<[Choice]>),
}

/// One way to write a number: constants, and behind them the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) before: Box<[(Int, u64)]>,
    pub(crate) int: Int,
    pub(crate) least: u64,
    pub(crate) most: u64,
}

impl Form {
    /// The fewest bytes it can take.
    pub(crate) fn least_bytes(&self) -> usize {
        match self {
            Form::Int(int) => int.bytes(),
            Form::Decimal => 1,
            Form::Padded { width, .. } => usize::from(*width),
            Form::Choice(choices) => choices.iter().map(Choice::bytes).min().unwrap_or(0),
        }
    }

    /// The largest number that can be written.
    pub(crate) fn most(&self) -> u64 {
        match self {
            Form::Int(int) => int.most(),
            Form::Decimal => u64::MAX,
            Form::Padded { width, .. } => 10_u64.checked_pow((*width).into()).map_or(u64::MAX, |most| most - 1),
            Form::Choice(choices) => choices.iter().map(|choice| choice.most).max().unwrap_or(0),
        }
    }
}

impl Choice {
    /// Whether it takes everything that another one could.
    pub(crate) fn covers(&self, other: &Choice) -> bool {
        let first = match other.before.first() {
            Some((int, constant)) => (*int, *constant, *constant),
            None => (other.int, other.least, other.most),
        };
        self.before.is_empty() && self.int == first.0 && self.least <= first.1 && first.2 <= self.most
    }

    fn bytes(&self) -> usize {
        self.before.iter().map(|(int, _)| int.bytes()).sum::<usize>() + self.int.bytes()
    }
}

/// What decides a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The value of its name.
    Open,
    /// This number; anything else is no match.
    Is(u64),
    /// This number when spoken, anything when heard.
    Usually(u64),
    /// A new number when spoken, anything when heard.
    Fresh,
    /// Milliseconds since 1970 when spoken, anything when heard.
    Now,
    /// What the request said under this name, plus a number.
    Known { name: String, plus: i64 },
    /// A measure of other parts, plus a number.
    Measure { measure: Measure, of: Of, plus: i64 },
}

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Of {
    /// The whole message.
    Frame,
    /// The parts of these slots.
    Slots(Box<[usize]>),
}
