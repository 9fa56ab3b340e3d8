//! The ten operations as methods, each with the arguments and results that `service.yaml` gives it.
//!
//! Not here: anything that can fail in its own way. All of it is `Client::call`.

use spec::message::{Message, Reply, Request};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::client::Client;
use crate::error::ClientError;

/// Declares results with more than one part.
macro_rules! results {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
    )*};
}

results! {
    /// Who is there.
    Greeting {
        /// What the server calls itself.
        server: String,
        /// Its optional abilities.
        capabilities: Vec<String>,
        /// Whether it serves clients.
        is_primary: bool,
        /// `host:port` of the one that does; empty if unknown.
        primary: String,
    }
    /// A new session.
    LoggedIn {
        /// For `resume_session`: 16 to 64 bytes.
        token: Vec<u8>,
        /// Whole seconds until the token expires.
        expires_in_s: u64,
        /// Unacknowledged messages in the mailbox.
        waiting: u64,
    }
    /// An old session on this connection.
    Resumed {
        /// Whose it is.
        username: String,
        /// Whole seconds until the token expires.
        expires_in_s: u64,
    }
    /// A page of names.
    Names {
        /// Sorted by code point.
        usernames: Vec<String>,
        /// Whether others follow.
        more: bool,
    }
    /// An accepted message.
    Sent {
        /// Its place in the recipient's mailbox: 1, 2, 3 …
        message_id: u64,
        /// Whether it was put on a connection of the recipient.
        delivered: bool,
    }
    /// A page of messages.
    Page {
        /// By rising id.
        messages: Vec<Message>,
        /// Whether others follow.
        more: bool,
    }
}

/// Asks, and takes the reply apart.
macro_rules! ask {
    ($self:ident, $operation:ident { $($argument:ident $(: $value:expr)?),* } => $reply:pat => $result:expr) => {
        match $self.call(Request::$operation { $($argument $(: $value)?),* }).await? {
            $reply => Ok($result),
            other => unreachable!("an answer is decoded as that of its request, not of {}", other.operation()),
        }
    };
}

/// The errors of each are those of [`Client::call`]; which refusals are possible stands in `service.yaml`.
#[allow(clippy::missing_errors_doc, reason = "said once, above")]
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Client<S> {
    /// Asks who is there. `client` is what this client calls itself, for the server's log.
    pub async fn hello(&mut self, client: &str) -> Result<Greeting, ClientError> {
        ask!(self, Hello { client: client.into() } => Reply::Hello { server, capabilities, is_primary, primary }
            => Greeting { server, capabilities, is_primary, primary })
    }

    /// Asks for a sign of life: the nonce, as it comes back.
    pub async fn ping(&mut self, nonce: u64) -> Result<u64, ClientError> {
        ask!(self, Ping { nonce } => Reply::Ping { nonce } => nonce)
    }

    /// Makes an account, without logging in.
    pub async fn create_account(&mut self, username: &str, password: &str) -> Result<(), ClientError> {
        ask!(self, CreateAccount { username: username.into(), password: password.into() }
            => Reply::CreateAccount { token: _, expires_in_s: _ } => ())
    }

    /// Binds this connection to an account; `take_over` ends the session it has elsewhere.
    pub async fn log_in(&mut self, username: &str, password: &str, take_over: bool) -> Result<LoggedIn, ClientError> {
        ask!(self, LogIn { username: username.into(), password: password.into(), take_over }
            => Reply::LogIn { token, expires_in_s, waiting, messages: _ } => LoggedIn { token, expires_in_s, waiting })
    }

    /// Binds this connection to the account of a token, ending its session elsewhere.
    pub async fn resume_session(&mut self, token: &[u8]) -> Result<Resumed, ClientError> {
        ask!(self, ResumeSession { token: token.into() } => Reply::ResumeSession { username, expires_in_s }
            => Resumed { username, expires_in_s })
    }

    /// Unbinds this connection and ends the token.
    pub async fn log_out(&mut self) -> Result<(), ClientError> {
        ask!(self, LogOut {} => Reply::LogOut {} => ())
    }

    /// Lists at most `limit` usernames behind `after` that fit `pattern`; limit 0 means 100.
    pub async fn list_accounts(&mut self, pattern: &str, after: &str, limit: u64) -> Result<Names, ClientError> {
        ask!(self, ListAccounts { pattern: pattern.into(), after: after.into(), limit }
            => Reply::ListAccounts { usernames, more } => Names { usernames, more })
    }

    /// Sends a text. A repeated call sends it again.
    pub async fn send_message(&mut self, recipient: &str, text: &str) -> Result<Sent, ClientError> {
        ask!(self, SendMessage { recipient: recipient.into(), text: text.into(), key: Vec::new() }
            => Reply::SendMessage { message_id, delivered } => Sent { message_id, delivered })
    }

    /// Sends a text under a key: a repeated call, over any connection, sends it once.
    pub async fn send_message_once(&mut self, recipient: &str, text: &str, key: [u8; 16]) -> Result<Sent, ClientError> {
        ask!(self, SendMessage { recipient: recipient.into(), text: text.into(), key: key.into() }
            => Reply::SendMessage { message_id, delivered } => Sent { message_id, delivered })
    }

    /// Says that all messages up to `acknowledge` are held, and fetches at most `max` that follow; 0 fetches none.
    pub async fn deliver_messages(&mut self, acknowledge: u64, max: u64) -> Result<Page, ClientError> {
        ask!(self, DeliverMessages { acknowledge, max } => Reply::DeliverMessages { messages, more }
            => Page { messages, more })
    }

    /// Deletes one's own account: how many unacknowledged messages were lost, which only `discard` allows.
    pub async fn delete_account(&mut self, password: &str, discard: bool) -> Result<u64, ClientError> {
        ask!(self, DeleteAccount { password: password.into(), discard } => Reply::DeleteAccount { discarded, messages: _ }
            => discarded)
    }
}
