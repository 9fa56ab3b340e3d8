//! `send_message` of the wire `framed`, written by hand from the protocol's text: the second opinion of `round_trip`,
//! and what `benches/codec.rs` measures the plan against. It makes every check that the plan makes.

/// The request, borrowed from its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SendMessage<'a> {
    /// Echoed by the answer.
    pub(crate) request_id: u32,
    /// Whom it is for.
    pub(crate) recipient: &'a str,
    /// What it says.
    pub(crate) text: &'a str,
    /// Empty, or 16 bytes.
    pub(crate) key: &'a [u8],
}

/// What came out of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard<'a> {
    /// At least so many bytes are needed in all.
    More(usize),
    /// A request, and how many bytes it took.
    Taken(usize, SendMessage<'a>),
    /// It must be answered with this error. Without a length the connection must close.
    Refused(Option<usize>, &'static str),
    /// Another operation.
    Other,
}

const SEND_MESSAGE: u8 = 5;

/// Reads one request from the front of `bytes`.
pub(crate) fn decode(bytes: &[u8]) -> Heard<'_> {
    let Some((length, rest)) = bytes.split_first_chunk() else { return Heard::More(4) };
    let length = u32::from_be_bytes(*length) as usize;
    if length < 6 {
        return Heard::Refused(None, "malformed");
    }
    if length > 65536 {
        return Heard::Refused(None, "frame_too_large");
    }
    let Some(&version) = rest.first() else { return Heard::More(5) };
    if version != 1 {
        return Heard::Refused(None, "unsupported_version");
    }
    let Some(&operation) = rest.get(1) else { return Heard::More(6) };
    let id = rest[2..].first_chunk();
    if operation < 64 && id.is_none() {
        return Heard::More(10);
    }
    let (Some(frame), Some(id)) = (bytes.get(..4 + length), id) else { return Heard::More(4 + length) };
    if operation != SEND_MESSAGE {
        return Heard::Other;
    }
    match body(&frame[10..]) {
        Some((recipient, text, key)) => {
            Heard::Taken(frame.len(), SendMessage { request_id: u32::from_be_bytes(*id), recipient, text, key })
        }
        None => Heard::Refused(Some(frame.len()), "malformed"),
    }
}

fn body(bytes: &[u8]) -> Option<(&str, &str, &[u8])> {
    let (recipient, bytes) = string(bytes)?;
    let (text, bytes) = string(bytes)?;
    let (&size, key) = bytes.split_first()?;
    (key.len() == usize::from(size) && matches!(size, 0 | 16)).then_some((recipient, text, key))
}

fn string(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (size, bytes) = bytes.split_first_chunk()?;
    let (text, bytes) = bytes.split_at_checked(usize::from(u16::from_be_bytes(*size)))?;
    Some((std::str::from_utf8(text).ok()?, bytes))
}

/// Appends the request. None, and `out` is as before: it does not fit the wire.
pub(crate) fn encode(message: &SendMessage<'_>, out: &mut Vec<u8>) -> Option<()> {
    let recipient = u16::try_from(message.recipient.len()).ok()?;
    let text = u16::try_from(message.text.len()).ok()?;
    let key = u8::try_from(message.key.len()).ok()?;
    let length = 6 + 2 + message.recipient.len() + 2 + message.text.len() + 1 + message.key.len();
    if length > 65536 {
        return None;
    }
    out.extend_from_slice(&(length as u32).to_be_bytes());
    out.extend_from_slice(&[1, SEND_MESSAGE]);
    out.extend_from_slice(&message.request_id.to_be_bytes());
    out.extend_from_slice(&recipient.to_be_bytes());
    out.extend_from_slice(message.recipient.as_bytes());
    out.extend_from_slice(&text.to_be_bytes());
    out.extend_from_slice(message.text.as_bytes());
    out.push(key);
    out.extend_from_slice(message.key);
    Some(())
}
