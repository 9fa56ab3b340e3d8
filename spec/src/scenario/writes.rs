//! What `writes` puts on the wire: frames by frames, and in which pieces.
//!
//! Not here: how frames become bytes (`codec`), and what is claimed of the answers (`expect`).

use crate::codec::Damage;
use crate::error::Diagnostic;
use crate::load::Node;
use crate::scenario::expect::all;
use crate::scenario::given::hex;
use crate::scenario::read::Reader;
use crate::scenario::{Frame, How, Verb};

impl Reader<'_> {
    pub(super) fn writes(&self, step: &Node) -> Result<Verb, Diagnostic> {
        let document = self.document;
        let frames = match (step.get("frames"), step.get("hex")) {
            (Some(frames), None) => all(frames.items().unwrap_or_default(), |item| self.frame(item))?,
            (None, Some(bytes)) => vec![Frame::Hex(hex(document, bytes)?)],
            _ => return Err(document.error(step, "`writes` needs either `frames` or `hex`")),
        };
        let how = match step.get("how") {
            None => How::Joined,
            Some(node) => match (node.text(), node.get("split")) {
                (Some("joined"), _) => How::Joined,
                (Some("dripped"), _) => How::Dripped,
                (_, Some(offsets)) => How::Split(document.typed(offsets)?),
                _ => return Err(document.error(node, "known here: joined, dripped, {split: [3, 5]}")),
            },
        };
        let then_half_closes = match step.get("then") {
            None => false,
            Some(node) if node.text() == Some("half_closes") => true,
            Some(node) => return Err(document.error(node, "after `then` comes `half_closes`")),
        };
        Ok(Verb::Writes { frames, how, then_half_closes })
    }

    fn frame(&self, item: &Node) -> Result<Frame, Diagnostic> {
        let document = self.document;
        match item.entries() {
            Some([(key, value)]) if key.text() == Some("hex") => return Ok(Frame::Hex(hex(document, value)?)),
            Some([(key, damage), (of, frame)]) if key.text() == Some("damaged") && of.text() == Some("of") => {
                let word = damage.text().unwrap_or_default();
                let Some((_, damage)) = Damage::ALL.into_iter().find(|(known, _)| *known == word) else {
                    let known = Damage::ALL.map(|(known, _)| known);
                    return Err(document.error(damage, format!("there is no damage `{word}`")).suggest(word, known));
                };
                return match self.frame(frame)? {
                    Frame::Operation { name, with } => Ok(Frame::Damaged { damage, name, with }),
                    _ => Err(document.error(frame, "only an operation can be damaged")),
                };
            }
            _ => {}
        }
        let (key, value) = match item.entries() {
            Some([(key, value)]) => (key, Some(value)),
            None => (item, None),
            Some(_) => {
                let message = "a frame is an operation with its arguments, `hex: \"…\"`, or `{damaged: …, of: …}`";
                return Err(document.error(item, message));
            }
        };
        let name = key.text().unwrap_or_default();
        if !self.service.operations.contains_key(name) {
            let known = self.service.operations.keys().map(String::as_str);
            return Err(document.error(key, format!("there is no operation `{name}`")).suggest(name, known));
        }
        let with = value.map(|value| self.arguments(name, Some(value))).transpose()?.unwrap_or_default();
        Ok(Frame::Operation { name: name.to_owned(), with })
    }
}
