//! What the state can be told to do, and what it then says it has done.
//!
//! A command carries everything that was decided on admission: what is random or slow, what the policies of the
//! connection chose, and who was there. So it means the same wherever and whenever it is committed.

use spec::message::Message;

use super::account::Digest;
use super::listing::Listing;
use super::mailbox::Reading;
use super::policies::{DeleteWaiting, DeletedName};
use super::session::Session;

/// An operation that was admitted. Nothing in it is secret.
#[derive(Debug, Clone)]
pub(super) enum Command {
    CreateAccount {
        username: String,
        /// None: the account has no password, and no password opens it.
        password_hash: Option<String>,
        /// Begins a session with a token of this digest.
        token_digest: Option<Digest>,
        /// Takes what was kept when the last account of the name was deleted.
        inherits: bool,
    },
    LogIn {
        username: String,
        account: u64,
        token_digest: Digest,
        /// Shares the session that the account has, rather than ending it.
        joins: bool,
        /// Reads the mailbox, too.
        reads: Option<Reading>,
    },
    ResumeSession {
        token_digest: Digest,
    },
    /// Brings a connection back to the session that the account has.
    Attach {
        username: String,
        account: u64,
        joins: bool,
    },
    LogOut {
        session: Session,
        /// Ends the session, not only this connection's part in it.
        ends: bool,
    },
    ListAccounts {
        /// None: anyone may list.
        session: Option<Session>,
        listing: Listing,
    },
    SendMessage {
        session: Session,
        recipient: String,
        text: String,
        key: Vec<u8>,
        /// Keeps it in the mailbox.
        waits: bool,
    },
    DeliverMessages {
        session: Session,
        acknowledge: u64,
        reading: Reading,
    },
    DeleteAccount {
        authority: Authority,
        discard: bool,
        waiting: DeleteWaiting,
        name: DeletedName,
    },
}

/// What lets somebody delete an account.
#[derive(Debug, Clone)]
pub(super) enum Authority {
    /// It is the one that they act for.
    Session(Session),
    /// They have shown its password.
    Password { username: String, account: u64 },
}

/// What a command that succeeded has done.
#[derive(Debug)]
pub(super) enum Outcome {
    AccountCreated {
        session: Option<(Session, u64)>,
    },
    LoggedIn {
        session: Session,
        expires_at_ms: u64,
        joins: bool,
        waiting: u64,
        messages: Vec<Message>,
    },
    SessionResumed {
        session: Session,
        expires_at_ms: u64,
        joins: bool,
    },
    LoggedOut {
        account: u64,
        ends: bool,
    },
    Listed {
        usernames: Vec<String>,
        more: bool,
    },
    /// A new message, for the account of that number.
    Accepted {
        recipient: u64,
        message: Message,
    },
    /// The same message as before.
    Repeated {
        message_id: u64,
    },
    /// Messages of the account of that number.
    Delivered {
        account: u64,
        messages: Vec<Message>,
        more: bool,
    },
    AccountDeleted {
        account: u64,
        discarded: u64,
        messages: Vec<Message>,
    },
}
