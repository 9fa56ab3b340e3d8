//! What goes over a link between peers: ten bytes a message, and nothing between two of them.
//!
//! Not here: what a stamp means (`step`), and sockets (`peer`).

/// A stamped message.
///
/// ```text
/// 0        2                        10
/// | sender | stamp                  |     big-endian
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Who sent it.
    pub sender: u16,
    /// The sender's clock at the send.
    pub stamp: u64,
}

impl Message {
    /// How long every message is.
    pub const BYTES: usize = 10;

    /// The message's bytes.
    pub fn encode(self) -> [u8; Self::BYTES] {
        let [a, b] = self.sender.to_be_bytes();
        let [c, d, e, f, g, h, i, j] = self.stamp.to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j]
    }

    /// The message of these bytes. All ten bytes long are messages.
    pub fn decode(bytes: [u8; Self::BYTES]) -> Self {
        let [a, b, stamp @ ..] = bytes;
        Message { sender: u16::from_be_bytes([a, b]), stamp: u64::from_be_bytes(stamp) }
    }
}

/// Messages out of a stream, however it was cut: give it bytes with `extend`, take messages as from any iterator.
#[derive(Debug, Default)]
pub struct Decoder {
    unread: Vec<u8>,
}

impl Decoder {
    /// Adds what was read.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// How many bytes of an unfinished message there are. At the end of a stream, anything but 0 was cut off.
    pub fn unfinished(&self) -> usize {
        self.unread.len() % Message::BYTES
    }
}

impl Iterator for Decoder {
    type Item = Message;

    /// The next whole message; `None` means "not enough bytes yet".
    fn next(&mut self) -> Option<Message> {
        let bytes = *self.unread.first_chunk()?;
        self.unread.drain(..Message::BYTES);
        Some(Message::decode(bytes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_stream_may_be_cut_anywhere(
            messages in proptest::collection::vec((any::<u16>(), any::<u64>()), 0..20),
            cuts in proptest::collection::vec(1usize..40, 1..20),
        ) {
            let messages: Vec<Message> = messages.into_iter().map(|(sender, stamp)| Message { sender, stamp }).collect();
            let stream: Vec<u8> = messages.iter().flat_map(|message| message.encode()).collect();
            let (mut rest, mut cuts) = (stream.as_slice(), cuts.iter().cycle());
            let (mut decoder, mut decoded) = (Decoder::default(), Vec::new());
            while !rest.is_empty() {
                let (read, later) = rest.split_at(rest.len().min(*cuts.next().expect("a cycle has no end")));
                decoder.extend(read);
                decoded.extend(decoder.by_ref());
                rest = later;
            }
            prop_assert_eq!(decoder.unfinished(), 0);
            prop_assert_eq!(decoded, messages);
        }
    }

    #[test]
    fn the_bytes_are_big_endian() {
        let message = Message { sender: 0x2b67, stamp: 3 };
        assert_eq!(message.encode(), [0x2b, 0x67, 0, 0, 0, 0, 0, 0, 0, 3]);
    }

    #[test]
    fn an_unfinished_message_waits() {
        let mut decoder = Decoder::default();
        decoder.extend(&[0; 9]);
        assert_eq!((decoder.next(), decoder.unfinished()), (None, 9));
    }
}
