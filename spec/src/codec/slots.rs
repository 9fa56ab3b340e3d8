//! Numbered places for the values of one message, borrowed from its bytes.
//!
//! Not here: values that own their bytes (`value`), which slots are turned into and made from.

use smallvec::SmallVec;

use crate::codec::plan::{Item, NO_SLOT, Name, SlotNumber};
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

/// The slots of one message, by the numbers of the dialect's names.
#[derive(Debug, Clone, Default)]
pub struct Slots<'a> {
    pub(crate) values: SmallVec<[Slot<'a>; 32]>,
    pub(crate) rows: Vec<Slot<'a>>,
}

impl<'a> Slots<'a> {
    pub(crate) fn new(names: usize) -> Self {
        Slots { values: SmallVec::from_elem(Slot::Empty, names), rows: Vec::new() }
    }

    /// The value of a name's number.
    pub fn at(&self, slot: u16) -> Slot<'a> {
        self.values.get(usize::from(slot)).copied().unwrap_or_default()
    }

    /// Sets the value of a name's number.
    pub fn set(&mut self, slot: u16, value: Slot<'a>) {
        if slot != NO_SLOT {
            self.values[usize::from(slot)] = value;
        }
    }

    pub(crate) fn int(&self, slot: SlotNumber) -> Option<u64> {
        if let Slot::Int(n) = self.at(slot) { Some(n) } else { None }
    }

    /// Adds the values of a record under the names of a list item or a dialect.
    pub(crate) fn fill(&mut self, names: &[Name], record: &'a Record, items: &dyn Fn(SlotNumber) -> Option<&'a Item>) {
        for (name, value) in record.iter() {
            if let Some(slot) = names.iter().position(|n| n.text == name) {
                let slot = slot as SlotNumber;
                let value = self.borrow(value, items(slot));
                self.set(slot, value);
            }
        }
    }

    fn borrow(&mut self, value: &'a Value, item: Option<&'a Item>) -> Slot<'a> {
        match value {
            Value::Int(n) => Slot::Int(*n),
            Value::Flag(b) => Slot::Int(u64::from(*b)),
            Value::Text(s) => Slot::Bytes(s.as_bytes()),
            Value::Bytes(b) => Slot::Bytes(b),
            Value::Row(_) => Slot::Empty,
            Value::List(values) => {
                let Some(item) = item else { return Slot::Empty };
                let (start, width) = (self.rows.len(), item.names.len());
                for value in values {
                    let first = self.rows.len();
                    self.rows.resize(first + width, Slot::Empty);
                    match value.as_row() {
                        Some(row) => {
                            for (name, value) in row.iter() {
                                if let Some(at) = item.names.iter().position(|n| n.text == name) {
                                    self.rows[first + at] = self.borrow(value, None);
                                }
                            }
                        }
                        None if item.single => self.rows[first] = self.borrow(value, None),
                        None => {}
                    }
                }
                Slot::List { start: start as u32, count: values.len() as u32, width: width as u32 }
            }
        }
    }

    /// The values as a record of their own, under the given names.
    pub(crate) fn to_record<'i>(&self, names: &[Name], items: &dyn Fn(SlotNumber) -> Option<&'i Item>) -> Record {
        let named = names.iter().enumerate().filter_map(|(slot, name)| {
            let item = items(slot as SlotNumber);
            Some((name.text.clone(), self.owned(self.at(slot as SlotNumber), name, item)?))
        });
        named.collect()
    }

    fn owned(&self, slot: Slot<'a>, name: &Name, item: Option<&Item>) -> Option<Value> {
        Some(match slot {
            Slot::Empty => return None,
            Slot::Int(n) if name.kind == Some(FieldKind::Flag) => Value::Flag(n != 0),
            Slot::Int(n) => Value::Int(n),
            Slot::Bytes(bytes) if name.kind == Some(FieldKind::Bytes) => Value::Bytes(bytes.to_vec()),
            Slot::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Value::Text(text.to_owned()),
                Err(_) => Value::Bytes(bytes.to_vec()),
            },
            Slot::List { start, count, width } => {
                let item = item?;
                let rows = self.rows[start as usize..(start + count * width) as usize].chunks(width.max(1) as usize);
                let value = |row: &[Slot<'a>]| {
                    let mut values = row.iter().zip(&item.names);
                    if item.single {
                        let (slot, name) = values.next()?;
                        return self.owned(*slot, name, None);
                    }
                    let row =
                        values.filter_map(|(slot, name)| Some((name.text.clone(), self.owned(*slot, name, None)?)));
                    Some(Value::Row(row.collect()))
                };
                Value::List(rows.filter_map(value).collect())
            }
        })
    }
}
