//! One account: its secret, its token, its mailbox, and the keys of its latest sends.

use std::collections::VecDeque;

use sha2::{Digest as _, Sha256};

use super::mailbox::Mailbox;

/// A SHA-256 digest.
pub(super) type Digest = [u8; 32];

pub(super) fn digest(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// What the service keeps about one user. The username is the key under which it stands.
#[derive(Debug)]
pub(super) struct Account {
    /// New at each creation, so that whoever takes a deleted name is somebody else.
    pub(super) number: u64,
    /// None: it was made over a wire without passwords, and no password opens it.
    pub(super) password_hash: Option<String>,
    /// Raised by everything that begins or ends a session.
    pub(super) session: u64,
    pub(super) token: Option<Token>,
    pub(super) mailbox: Mailbox,
    pub(super) keys: Keys,
}

/// The one token of an account; the token itself is nowhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) digest: Digest,
    pub(super) expires_at_ms: u64,
}

impl Account {
    pub(super) fn new(number: u64, password_hash: Option<String>, mailbox: Mailbox) -> Self {
        Account { number, password_hash, session: 0, token: None, mailbox, keys: Keys::default() }
    }

    /// The account's token, while it is valid.
    pub(super) fn valid_token(&self, now_ms: u64) -> Option<Token> {
        self.token.filter(|token| now_ms < token.expires_at_ms)
    }

    /// Whether this session is the present one and its token still valid.
    pub(super) fn is_acting(&self, account: u64, session: u64, now_ms: u64) -> bool {
        self.number == account && self.session == session && self.valid_token(now_ms).is_some()
    }
}

/// The keys of the latest accepted sends, oldest first.
#[derive(Debug, Default)]
pub(super) struct Keys {
    kept: VecDeque<Kept>,
}

/// An accepted send that had a key.
#[derive(Debug)]
pub(super) struct Kept {
    key: Vec<u8>,
    content: Digest,
    message_id: u64,
}

/// What a key says about a send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing: it is a new send.
    Never,
    /// It was accepted before, with this message id.
    Accepted(u64),
    /// The key stands for another message.
    Conflict,
}

impl Keys {
    /// Looks for an earlier send with this key. The empty key stands for none.
    pub(super) fn find(&self, key: &[u8], recipient: &str, text: &str) -> Seen {
        match self.kept.iter().find(|kept| !key.is_empty() && kept.key == key) {
            None => Seen::Never,
            Some(kept) if kept.content == content(recipient, text) => Seen::Accepted(kept.message_id),
            Some(_) => Seen::Conflict,
        }
    }

    /// Keeps the key of an accepted send, and forgets the oldest beyond `keys_kept`.
    pub(super) fn keep(&mut self, key: Vec<u8>, recipient: &str, text: &str, message_id: u64, keys_kept: u64) {
        if key.is_empty() {
            return;
        }
        self.kept.push_back(Kept { key, content: content(recipient, text), message_id });
        while self.kept.len() as u64 > keys_kept {
            self.kept.pop_front();
        }
    }
}

/// Recipient and text in 32 bytes, so that kept keys do not keep texts. No username has a line break.
fn content(recipient: &str, text: &str) -> Digest {
    digest(format!("{recipient}\n{text}").as_bytes())
}
