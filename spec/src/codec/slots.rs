//! Places for the values of one message, borrowed from its bytes: one for each part of its row, in order.
//!
//! Not here: values that own their bytes (`value`), which slots are turned into and made from.

use smallvec::SmallVec;

use crate::codec::plan::{Label, Part, Plan};
use crate::service::FieldKind;
use crate::value::{Record, Value};

/// One value in place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Slot<'a> {
    /// Nothing was said.
    #[default]
    Empty,
    /// A number; flags are 0 and 1.
    Int(u64),
    /// Bytes, or the bytes of a text.
    Bytes(&'a [u8]),
    /// `count` items of `width` slots each, from `start` in the rows.
    List {
        /// Index of the first item's first slot.
        start: u32,
        /// How many items.
        count: u32,
        /// Slots of one item.
        width: u32,
    },
}

/// The slots of one message.
#[derive(Debug, Clone, Default)]
pub struct Slots<'a> {
    pub(crate) values: SmallVec<[Slot<'a>; 8]>,
    pub(crate) rows: Vec<Slot<'a>>,
}

impl<'a> Slots<'a> {
    /// Slots with nothing in them, to hear into.
    #[inline]
    pub fn new() -> Self {
        Slots { values: SmallVec::new(), rows: Vec::new() }
    }

    /// Empty slots for so many parts, to speak from.
    #[inline]
    pub(crate) fn with_parts(parts: usize) -> Self {
        Slots { values: SmallVec::from_elem(Slot::Empty, parts), rows: Vec::new() }
    }

    /// The value of a part.
    #[inline]
    pub fn at(&self, part: usize) -> Slot<'a> {
        self.values.get(part).copied().unwrap_or_default()
    }

    /// Sets the value of a part. Slots that have no such part stay as they are.
    #[inline]
    pub fn set(&mut self, part: usize, value: Slot<'a>) {
        if let Some(slot) = self.values.get_mut(part) {
            *slot = value;
        }
    }

    pub(crate) fn int(&self, part: usize) -> Option<u64> {
        if let Slot::Int(n) = self.at(part) { Some(n) } else { None }
    }

    /// Forgets everything.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.rows.clear();
    }

    /// The slots of a row, with the values of a record where its parts have their names.
    pub(crate) fn of(plan: &Plan, record: &'a Record) -> Self {
        let mut slots = Slots::with_parts(plan.parts.len());
        for (index, (part, label)) in plan.parts.iter().zip(&plan.labels).enumerate() {
            if let Some(value) = record.get(&label.text).filter(|_| label.named) {
                slots.values[index] = slots.borrow(value, part);
            }
        }
        slots
    }

    fn borrow(&mut self, value: &'a Value, part: &Part) -> Slot<'a> {
        match (value, part) {
            (Value::Int(n), _) => Slot::Int(*n),
            (Value::Flag(b), _) => Slot::Int(u64::from(*b)),
            (Value::Text(s), _) => Slot::Bytes(s.as_bytes()),
            (Value::Bytes(b), _) => Slot::Bytes(b),
            (Value::List(values), Part::List { item, single, .. }) => {
                let (start, width) = (self.rows.len(), item.parts.len());
                for value in values {
                    let first = self.rows.len();
                    self.rows.resize(first + width, Slot::Empty);
                    for (index, (part, label)) in item.parts.iter().zip(&item.labels).enumerate() {
                        let value = match value {
                            Value::Row(row) => row.get(&label.text).filter(|_| label.named),
                            value => Some(value).filter(|_| *single),
                        };
                        if let Some(value) = value {
                            self.rows[first + index] = self.borrow(value, part);
                        }
                    }
                }
                Slot::List { start: start as u32, count: values.len() as u32, width: width as u32 }
            }
            (Value::List(_) | Value::Row(_), _) => Slot::Empty,
        }
    }

    /// The values as a record of their own, under the names of a row.
    pub(crate) fn to_record(&self, plan: &Plan) -> Record {
        self.named(&self.values, plan)
    }

    /// The value under one of the names.
    pub(crate) fn value(&self, plan: &Plan, name: &str) -> Option<Value> {
        let at = plan.position(name)?;
        self.owned(self.at(at), &plan.parts[at], &plan.labels[at])
    }

    fn named(&self, slots: &[Slot<'a>], plan: &Plan) -> Record {
        let parts = slots.iter().zip(plan.parts.iter().zip(&plan.labels));
        parts
            .filter(|(_, (_, label))| label.named)
            .filter_map(|(slot, (part, label))| Some((label.text.clone(), self.owned(*slot, part, label)?)))
            .collect()
    }

    fn owned(&self, slot: Slot<'a>, part: &Part, label: &Label) -> Option<Value> {
        Some(match slot {
            Slot::Empty => return None,
            Slot::Int(n) if label.kind == Some(FieldKind::Flag) => Value::Flag(n != 0),
            Slot::Int(n) => Value::Int(n),
            Slot::Bytes(bytes) if label.kind == Some(FieldKind::Bytes) => Value::Bytes(bytes.to_vec()),
            Slot::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Value::Text(text.to_owned()),
                Err(_) => Value::Bytes(bytes.to_vec()),
            },
            Slot::List { start, count, width } => {
                let Part::List { item, single, .. } = part else { return None };
                let rows = self.rows[start as usize..(start + count * width) as usize].chunks(width.max(1) as usize);
                let value = |row: &[Slot<'a>]| match single {
                    true => self.owned(*row.first()?, item.parts.first()?, item.labels.first()?),
                    false => Some(Value::Row(self.named(row, item))),
                };
                Value::List(rows.filter_map(value).collect())
            }
        })
    }
}
