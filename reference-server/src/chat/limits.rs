//! The numbers that the core obeys. They stand in `service.yaml`, and nowhere in this crate.

use super::refusal::NameFault;

/// The limits of the service, and the options that replace some of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is documented in service.yaml, under the same name")]
pub struct Limits {
    pub username_characters: u64,
    pub password_characters: u64,
    pub pattern_characters: u64,
    pub text_bytes: u64,
    pub key_bytes: u64,
    pub keys_kept: u64,
    pub mailbox_messages: u64,
    pub page_items: u64,
    pub page_bytes: u64,
    pub token_lifetime_ms: u64,
}

impl Limits {
    /// The limits as `limit` knows them, by their names under `limits:` in `service.yaml`.
    pub fn new(limit: impl Fn(&str) -> u64) -> Self {
        Limits {
            username_characters: limit("username_characters"),
            password_characters: limit("password_characters"),
            pattern_characters: limit("pattern_characters"),
            text_bytes: limit("text_bytes"),
            key_bytes: limit("key_bytes"),
            keys_kept: limit("keys_kept"),
            mailbox_messages: limit("mailbox_messages"),
            page_items: limit("page_items"),
            page_bytes: limit("page_bytes"),
            token_lifetime_ms: limit("token_lifetime_s").saturating_mul(1000),
        }
    }

    /// What keeps an account from having this name, if anything: LIMITS-1, LIMITS-2, LIMITS-4.
    pub(super) fn username_fault(&self, username: &str) -> Option<NameFault> {
        let forbidden = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '|' | '*' | '?');
        match username {
            "" => Some(NameFault::Empty),
            name if name.contains(forbidden) => Some(NameFault::Characters),
            name if characters(name) > self.username_characters => Some(NameFault::TooLong),
            _ => None,
        }
    }

    pub(super) fn allow_username(&self, username: &str) -> bool {
        self.username_fault(username).is_none()
    }

    /// Whether an account can have this password: LIMITS-3, LIMITS-4.
    pub(super) fn allow_password(&self, password: &str) -> bool {
        !password.is_empty() && characters(password) <= self.password_characters
    }

    pub(super) fn allow_pattern(&self, pattern: &str) -> bool {
        characters(pattern) <= self.pattern_characters
    }

    pub(super) fn allow_text(&self, text: &str) -> bool {
        text.len() as u64 <= self.text_bytes
    }

    /// A key is empty or has its one length; anything else does not fit the message.
    pub(super) fn allow_key(&self, key: &[u8]) -> bool {
        key.is_empty() || key.len() as u64 == self.key_bytes
    }
}

/// Length as people count it: Unicode scalar values.
fn characters(text: &str) -> u64 {
    text.chars().count() as u64
}
