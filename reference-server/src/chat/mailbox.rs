//! A mailbox: a log of messages with ids 1, 2, 3 …, of which the unacknowledged end is kept.

use std::collections::VecDeque;

use spec::message::{ErrorName, Message};

/// What was sent to one account. Ids rise by one and are never used again while the account lives.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    unacknowledged: VecDeque<Message>,
    pub(super) last_id: u64,
}

/// Messages from the front of a mailbox, and whether others follow.
pub(super) type Page = (Vec<Message>, bool);

/// How a mailbox is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// The most messages.
    pub(super) items: u64,
    /// A page ends before it would need this much.
    pub(super) bytes: u64,
    /// Whether what is read is gone.
    pub(super) drains: bool,
}

impl Mailbox {
    /// How many messages are not acknowledged.
    pub(super) fn waiting(&self) -> u64 {
        self.unacknowledged.len() as u64
    }

    /// Appends a message. One that does not wait takes its id, and is not kept.
    pub(super) fn accept(&mut self, sender: String, text: String, sent_at: u64, waits: bool) -> Message {
        self.last_id += 1;
        let message = Message { message_id: self.last_id, sender, text, sent_at };
        if waits {
            self.unacknowledged.push_back(message.clone());
        }
        message
    }

    /// Forgets every message up to and including an id. One that was forgotten before is no error.
    pub(super) fn acknowledge(&mut self, position: u64) -> Result<(), ErrorName> {
        // DELIVERY-11: an acknowledgement beyond the last message is refused, changing nothing.
        if position > self.last_id {
            return Err(ErrorName::InvalidCursor);
        }
        while self.unacknowledged.front().is_some_and(|message| message.message_id <= position) {
            self.unacknowledged.pop_front();
        }
        Ok(())
    }

    /// The first messages that wait, as many as are to be read.
    pub(super) fn read(&mut self, reading: Reading) -> Page {
        let (messages, more) = self.page(reading.items, reading.bytes);
        if reading.drains {
            self.unacknowledged.drain(..messages.len());
        }
        (messages, more)
    }

    /// Everything that waits.
    pub(super) fn into_messages(self) -> Vec<Message> {
        self.unacknowledged.into()
    }

    /// At most `items`, and fewer if they would need `page_bytes`; but not none for that.
    fn page(&self, items: u64, page_bytes: u64) -> Page {
        let mut bytes = PAGE_HEADER_BYTES;
        let mut messages = Vec::new();
        for message in self.unacknowledged.iter().take(items as usize) {
            bytes += encoded_bytes(message);
            // LIMITS-10: a page of messages ends before it would need 65,536 bytes.
            if bytes >= page_bytes && !messages.is_empty() {
                break;
            }
            messages.push(message.clone());
        }
        let more = messages.len() < self.unacknowledged.len();
        (messages, more)
    }
}

/// What a page needs beside its messages in the protocol's own wire: length 4, version 1, code 1, request id 4,
/// status 1, count 2, more 1. A page is the same over every wire, so it is this one that counts.
const PAGE_HEADER_BYTES: u64 = 14;

/// A message in the protocol's own wire: id 8, sender 2 + n, text 2 + n, time 8.
fn encoded_bytes(message: &Message) -> u64 {
    (8 + 2 + message.sender.len() + 2 + message.text.len() + 8) as u64
}
