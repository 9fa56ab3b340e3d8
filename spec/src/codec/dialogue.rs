//! What one exchange remembers: what its request said, so that the answer can echo it or be held against it; and what
//! a user remembers from one exchange to the next.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::service::Service;
use crate::value::{Record, Value};

/// The most fields that a frame can have.
pub(crate) const FRAME_FIELDS: usize = 8;

/// The memory of one operation's exchange. Opaque to all but the codec.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialogue {
    /// Index of the operation in the dialect, if it is known.
    pub(crate) operation: Option<usize>,
    /// Which of its steps.
    pub(crate) step: usize,
    /// The numbers that the frame of the request said.
    pub(crate) frame: Numbers,
    /// All that was said under a name.
    pub(crate) said: Option<Arc<Record>>,
}

impl Dialogue {
    /// What was said or heard in it under a name.
    pub fn said(&self, name: &str) -> Option<&Value> {
        self.said.as_deref()?.get(name)
    }

    /// The same exchange, with what was said in it.
    #[must_use]
    pub fn with_said(mut self, said: Record) -> Self {
        self.said = Some(Arc::new(said));
        self
    }
}

/// The numbers of a frame by slot, as far as they are known.
#[derive(Clone, Copy, Default)]
pub(crate) struct Numbers {
    fields: [u64; FRAME_FIELDS],
    known: usize,
}

impl Numbers {
    /// The places of all numbers, known or not.
    #[inline]
    pub(crate) fn places(&mut self) -> &mut [u64; FRAME_FIELDS] {
        &mut self.fields
    }

    /// So many fields are known from now on.
    #[inline]
    pub(crate) fn know(&mut self, fields: usize) {
        self.known = fields.min(FRAME_FIELDS);
    }
}

impl Deref for Numbers {
    type Target = [u64];

    #[inline]
    fn deref(&self) -> &[u64] {
        &self.fields[..self.known]
    }
}

impl PartialEq for Numbers {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Numbers {}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// What a user remembers: `{me}`, `{my token}`, `{id of recipient}`. Whoever owns a value decides how long it lives,
/// so one memory serves all connections of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    me: Option<String>,
    values: BTreeMap<String, Value>,
    of: BTreeMap<(String, String), Value>,
    /// What of that is new, and the wire's own: an id, not a password.
    news: Vec<News>,
}

/// What a wire calls a user: the name of the value, the user, and the value.
pub type News = (String, String, Value);

impl Memory {
    /// The memory of a user who has done nothing yet.
    pub fn of(me: impl Into<String>) -> Self {
        Memory { me: Some(me.into()), ..Memory::default() }
    }

    /// Who acts.
    pub fn me(&self) -> Option<&str> {
        self.me.as_deref()
    }

    /// From now on somebody else acts.
    pub fn become_user(&mut self, me: impl Into<String>) {
        self.me = Some(me.into());
    }

    /// The last value of a name.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// The value of a name that belongs to a user.
    pub fn value_of(&self, name: &str, user: &str) -> Option<&Value> {
        self.of.get(&(name.to_owned(), user.to_owned()))
    }

    /// Remembers what was said or heard. Values that stand beside a username belong to that user, too.
    pub fn learn(&mut self, record: &Record, service: &Service) {
        let user = record.iter().find(|(name, _)| service.is_username(name)).and_then(|(_, value)| value.as_text());
        for (name, value) in record.iter() {
            if let Some(items) = value.as_list() {
                items.iter().filter_map(Value::as_row).for_each(|row| self.learn_row(row, service));
                continue;
            }
            if let Some(user) = user.filter(|_| !service.is_username(name)) {
                self.learn_of(name, user, value, service);
            }
            self.values.insert(name.to_owned(), value.clone());
        }
    }

    /// Says whose values those are that a wire tells by another value: `id of sender` becomes the `sender`.
    pub fn recognise(&self, record: &mut Record) {
        let told: Vec<(String, String)> = record
            .iter()
            .filter_map(|(name, _)| name.split_once(" of "))
            .map(|(name, whom)| (name.to_owned(), whom.to_owned()))
            .collect();
        for (name, whom) in told {
            let Some(value) = record.remove(&format!("{name} of {whom}")) else { continue };
            let owner = self.of.iter().find(|((known, _), its)| *known == name && **its == value);
            if let (Some(((_, user), _)), None) = (owner, record.get(&whom)) {
                record.set(&whom, user.as_str());
            }
        }
        let lists: Vec<(String, Vec<Value>)> =
            record.iter().filter_map(|(name, value)| Some((name.to_owned(), value.as_list()?.to_vec()))).collect();
        for (name, mut items) in lists {
            for item in &mut items {
                if let Value::Row(row) = item {
                    self.recognise(row);
                }
            }
            record.set(&name, Value::List(items));
        }
    }

    /// Remembers what a row of an answer tells, or a list of rows.
    pub(crate) fn learn_rows(&mut self, values: &Record, service: &Service) {
        self.learn_row(values, service);
        let lists = values.iter().filter_map(|(_, value)| value.as_list());
        lists.flatten().filter_map(Value::as_row).for_each(|row| self.learn_row(row, service));
    }

    fn learn_row(&mut self, row: &Record, service: &Service) {
        let user = row.iter().find(|(name, _)| service.is_username(name)).and_then(|(_, value)| value.as_text());
        let Some(user) = user else { return };
        for (name, value) in row.iter().filter(|(name, _)| !service.is_username(name)) {
            self.learn_of(name, user, value, service);
        }
    }

    fn learn_of(&mut self, name: &str, user: &str, value: &Value, service: &Service) {
        let known = self.of.insert((name.to_owned(), user.to_owned()), value.clone());
        if service.field(name).is_none() && known.as_ref() != Some(value) {
            self.news.push((name.to_owned(), user.to_owned(), value.clone()));
        }
    }

    /// What the wire calls users, as far as it was learned since this was asked last.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// Learns from somebody else what the wire calls users.
    pub fn is_told(&mut self, news: &[News]) {
        for (name, user, value) in news {
            self.of.insert((name.clone(), user.clone()), value.clone());
        }
    }
}
