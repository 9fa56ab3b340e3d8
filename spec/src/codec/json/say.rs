//! JSON out of slots.

use serde_json::Value as JsonValue;

use crate::codec::field::Class;
use crate::codec::filter::Filter;
use crate::codec::plan::{Label, Name};
use crate::codec::slots::{Base, Slot, Slots};
use crate::codec::speak::{Occasion, Unspeakable, missing, speak_text, unspeakable};
use crate::service::FieldKind;

use crate::codec::json::{Json, Needs, item};

impl Json {
    /// Writes the value. False: there is nothing to write, so its member is left out.
    pub(crate) fn speak(
        &self,
        labels: &[Label],
        base: Base,
        slots: &Slots<'_>,
        occasion: &Occasion<'_>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Box<Unspeakable>> {
        match self {
            Json::Is(value) | Json::Usually(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Json::Object(members) => {
                out.push(b'{');
                let mut first = true;
                for (name, json) in members {
                    let before = out.len();
                    if !first {
                        out.push(b',');
                    }
                    quote(name, out);
                    out.push(b':');
                    match json.speak(labels, base, slots, occasion, out)? {
                        true => first = false,
                        false => out.truncate(before),
                    }
                }
                out.push(b'}');
            }
            Json::Array(items) => {
                out.push(b'[');
                for (at, json) in items.iter().enumerate() {
                    out.extend((at > 0).then_some(b','));
                    if !json.speak(labels, base, slots, occasion, out)? {
                        out.extend_from_slice(b"null");
                    }
                }
                out.push(b']');
            }
            Json::Either(rows) => {
                let before = out.len();
                let mut last = None;
                for json in rows {
                    match json.speak(labels, base, slots, occasion, out) {
                        Ok(spoken) => return Ok(spoken),
                        Err(why) => last = Some(why),
                    }
                    out.truncate(before);
                }
                return last.map_or(Ok(false), Err);
            }
            Json::List(list) => {
                let Some(item) = item(list) else { return Ok(false) };
                let (start, count, width) = match slots.get(base, list.slot) {
                    Slot::List { start, count, width } => (start as usize, count as usize, width as usize),
                    _ => return Err(missing(&labels[list.slot])),
                };
                let mut items = Vec::new();
                for at in 0..count {
                    items.extend((at > 0).then_some(b','));
                    item.speak(&list.item.labels, Base::Item(start + at * width), slots, occasion, &mut items)?;
                }
                let items = [&b"["[..], &items, b"]"].concat();
                match &list.joined {
                    None => out.extend_from_slice(&items),
                    Some(joined) => {
                        let texts: Vec<String> = serde_json::from_slice(&items).unwrap_or_default();
                        let mut text = texts.join(joined.text());
                        if joined.ends && count > 0 {
                            text.push_str(joined.text());
                        }
                        quote(&text, out);
                    }
                }
            }
            Json::Template { shape, slots: outer, .. } => {
                let mut inner = Slots::with_width(shape.labels.len());
                for (to, from) in outer.iter().enumerate() {
                    let slot = inner.keep_from(slots, slots.get(base, *from));
                    inner.set(to, slot);
                }
                let mut text = Vec::new();
                speak_text(shape, &inner, occasion, &mut text)?;
                quote(&String::from_utf8_lossy(&text), out);
            }
            Json::Hole(hole) => {
                let label = &labels[hole.slot];
                let kind = label.kind;
                match slots.get(base, hole.slot) {
                    Slot::Empty => match &hole.usually {
                        Some(value) => out.extend_from_slice(value.to_string().as_bytes()),
                        None if hole.needs == Needs::Nothing || label.name == Name::Nothing => return Ok(false),
                        None => return Err(missing(label)),
                    },
                    Slot::Int(number) if kind == Some(FieldKind::Flag) && !hole.number => {
                        out.extend_from_slice(if number == 0 { b"false" } else { b"true" });
                    }
                    Slot::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
                    slot => {
                        let bytes = slots.bytes(slot).unwrap_or_default();
                        let filter = if hole.class == Class::Hex { Some(&Filter::Hex) } else { hole.filter.as_ref() };
                        let written = filter.map_or_else(|| bytes.to_vec(), |filter| filter.write(bytes));
                        match String::from_utf8(written) {
                            Ok(text) => quote(&text, out),
                            Err(_) => return Err(unspeakable(label, "is no text")),
                        }
                    }
                }
            }
        }
        Ok(true)
    }
}

fn quote(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(JsonValue::from(text).to_string().as_bytes());
}
