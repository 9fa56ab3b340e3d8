//! Places for the values of one message: one for each slot of its shape, borrowed from its bytes where they are there.
//!
//! Not here: values that own their bytes (`value`), which slots are turned into and made from.

use smallvec::SmallVec;

use crate::codec::plan::{Label, List, Name, Shape};
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
    /// Bytes that stand on the wire in another form: a stretch of what the slots keep themselves.
    Kept {
        /// The first byte.
        start: u32,
        /// How many.
        length: u32,
    },
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
    pub(crate) values: SmallVec<[Slot<'a>; 12]>,
    pub(crate) rows: Vec<Slot<'a>>,
    kept: Vec<u8>,
}

/// Where the slots of a row begin: in the message itself, or in an item of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    Message,
    Item(usize),
}

impl<'a> Slots<'a> {
    /// Slots with nothing in them, to hear into.
    #[inline]
    pub fn new() -> Self {
        Slots { values: SmallVec::new(), rows: Vec::new(), kept: Vec::new() }
    }

    /// Empty slots for so many values, to speak from.
    #[inline]
    pub(crate) fn with_width(width: usize) -> Self {
        Slots { values: SmallVec::from_elem(Slot::Empty, width), rows: Vec::new(), kept: Vec::new() }
    }

    /// The value of a slot.
    #[inline]
    pub fn at(&self, slot: usize) -> Slot<'a> {
        self.values.get(slot).copied().unwrap_or_default()
    }

    /// Sets the value of a slot. Slots that are not there stay as they are.
    #[inline]
    pub fn set(&mut self, slot: usize, value: Slot<'a>) {
        if let Some(place) = self.values.get_mut(slot) {
            *place = value;
        }
    }

    #[inline]
    pub(crate) fn get(&self, base: Base, slot: usize) -> Slot<'a> {
        match base {
            Base::Message => self.at(slot),
            Base::Item(start) => self.rows.get(start + slot).copied().unwrap_or_default(),
        }
    }

    #[inline]
    pub(crate) fn put(&mut self, base: Base, slot: usize, value: Slot<'a>) {
        match base {
            Base::Message => self.values[slot] = value,
            Base::Item(start) => self.rows[start + slot] = value,
        }
    }

    /// Keeps bytes that the message itself does not have.
    pub(crate) fn keep(&mut self, bytes: &[u8]) -> Slot<'a> {
        let start = self.kept.len() as u32;
        self.kept.extend_from_slice(bytes);
        Slot::Kept { start, length: bytes.len() as u32 }
    }

    /// Keeps a value of other slots.
    pub(crate) fn keep_from<'o>(&mut self, others: &Slots<'o>, slot: Slot<'o>) -> Slot<'a> {
        match slot {
            Slot::Empty => Slot::Empty,
            Slot::Int(number) => Slot::Int(number),
            Slot::List { start, count, width } => {
                let from = self.rows.len() as u32;
                for slot in &others.rows[start as usize..(start + count * width) as usize] {
                    let slot = self.keep_from(others, *slot);
                    self.rows.push(slot);
                }
                Slot::List { start: from, count, width }
            }
            slot => others.bytes(slot).map_or(Slot::Empty, |bytes| self.keep(bytes)),
        }
    }

    /// The bytes of a value.
    #[inline]
    pub(crate) fn bytes<'s>(&'s self, slot: Slot<'a>) -> Option<&'s [u8]>
    where
        'a: 's,
    {
        match slot {
            Slot::Bytes(bytes) => Some(bytes),
            Slot::Kept { start, length } => Some(&self.kept[start as usize..(start + length) as usize]),
            _ => None,
        }
    }

    pub(crate) fn int(&self, slot: usize) -> Option<u64> {
        if let Slot::Int(n) = self.at(slot) { Some(n) } else { None }
    }

    /// How much is kept: rows, and bytes in another form.
    pub(crate) fn room(&self) -> (usize, usize) {
        (self.rows.len(), self.kept.len())
    }

    /// Forgets what was kept since then.
    pub(crate) fn back_to(&mut self, (rows, kept): (usize, usize)) {
        self.rows.truncate(rows);
        self.kept.truncate(kept);
    }

    /// Forgets everything, and makes room for so many values.
    #[inline]
    pub(crate) fn clear(&mut self, width: usize) {
        const FEW: [Slot<'static>; 12] = [Slot::Empty; 12];
        self.values.clear();
        match FEW.get(..width) {
            Some(few) => self.values.extend_from_slice(few),
            None => self.values.resize(width, Slot::Empty),
        }
        self.rows.clear();
        self.kept.clear();
    }

    /// Sets the slots of a shape that have names in a record, as far as they are empty.
    pub(crate) fn fill(&mut self, shape: &Shape, value: impl Fn(&Label) -> Option<&'a Value>) {
        for (slot, label) in shape.labels.iter().enumerate() {
            if self.values[slot] == Slot::Empty
                && let Some(value) = value(label)
            {
                let list = matches!(value, Value::List(_)).then(|| shape.list(slot)).flatten();
                self.values[slot] = self.borrow(value, list);
            }
        }
    }

    /// Sets one slot, as far as it is empty.
    pub(crate) fn fill_one(&mut self, slot: usize, value: &'a Value) {
        if self.values[slot] == Slot::Empty {
            self.values[slot] = self.borrow(value, None);
        }
    }

    fn borrow(&mut self, value: &'a Value, list: Option<&List>) -> Slot<'a> {
        match value {
            Value::Int(n) => Slot::Int(*n),
            Value::Flag(b) => Slot::Int(u64::from(*b)),
            Value::Text(s) => Slot::Bytes(s.as_bytes()),
            Value::Bytes(b) => Slot::Bytes(b),
            Value::List(values) => {
                let Some(list) = list else { return Slot::Empty };
                let (start, width) = (self.rows.len(), list.item.labels.len());
                for value in values {
                    let first = self.rows.len();
                    self.rows.resize(first + width, Slot::Empty);
                    for (slot, label) in list.item.labels.iter().enumerate() {
                        let value = match value {
                            Value::Row(row) => {
                                row.get(&label.text).filter(|_| matches!(label.name, Name::Own | Name::Of(..)))
                            }
                            value => Some(value).filter(|_| label.is_own() && (list.single || label.text == list.of)),
                        };
                        if let Some(value) = value {
                            self.rows[first + slot] = self.borrow(value, None);
                        }
                    }
                }
                Slot::List { start: start as u32, count: values.len() as u32, width: width as u32 }
            }
            Value::Row(_) => Slot::Empty,
        }
    }

    /// The values as a record of their own, under the names of a shape.
    pub(crate) fn to_record(&self, shape: &Shape) -> Record {
        self.named(&self.values, shape)
    }

    /// The value under one of the names.
    pub(crate) fn value(&self, shape: &Shape, name: &str) -> Option<Value> {
        let slot = shape.position(name)?;
        self.owned(self.at(slot), shape, slot)
    }

    fn named(&self, slots: &[Slot<'a>], shape: &Shape) -> Record {
        let labels =
            shape.labels.iter().enumerate().filter(|(_, label)| matches!(label.name, Name::Own | Name::Of(..)));
        let value = |slot: usize| self.owned(*slots.get(slot)?, shape, slot);
        labels.filter_map(|(slot, label)| Some((label.text.clone(), value(slot)?))).collect()
    }

    /// A value that owns its bytes.
    pub(crate) fn owned(&self, slot: Slot<'a>, shape: &Shape, at: usize) -> Option<Value> {
        let kind = shape.labels.get(at)?.kind;
        Some(match slot {
            Slot::Empty => return None,
            Slot::Int(n) if kind == Some(FieldKind::Flag) => Value::Flag(n != 0),
            Slot::Int(n) => Value::Int(n),
            Slot::Bytes(_) | Slot::Kept { .. } => {
                let bytes = self.bytes(slot)?;
                match std::str::from_utf8(bytes) {
                    _ if kind == Some(FieldKind::Bytes) => Value::Bytes(bytes.to_vec()),
                    Ok(text) => Value::Text(text.to_owned()),
                    Err(_) => Value::Bytes(bytes.to_vec()),
                }
            }
            Slot::List { start, count, width } => {
                let list = shape.list(at)?;
                let rows = self.rows[start as usize..(start + count * width) as usize].chunks(width.max(1) as usize);
                let single = list.item.labels.iter().position(Label::is_own);
                let value = |row: &[Slot<'a>]| match single.filter(|_| list.single) {
                    Some(at) => self.owned(row[at], &list.item, at),
                    // A row in which nothing is filled is none.
                    None => Some(self.named(row, &list.item)).filter(|row| !row.is_empty()).map(Value::Row),
                };
                Value::List(rows.filter_map(value).collect())
            }
        })
    }
}
