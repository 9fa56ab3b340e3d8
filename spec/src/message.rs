//! The operations, answers, errors and events as Rust types: what the reference server and client work with.
//!
//! This is a view of `service.yaml` and `errors.yaml`; `tests/generated.rs` fails when the two differ.
//! Not here: bytes (`codec`), and anything that judges (the suite works with `Record`s, whose fields come from the YAML).

use std::fmt;

use crate::value::{Record, Value};

/// One message of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its place in the mailbox: 1, 2, 3 …
    pub message_id: u64,
    /// Who sent it, by the name of then.
    pub sender: String,
    /// What it says.
    pub text: String,
    /// When it was accepted, in milliseconds since 1970 (UTC).
    pub sent_at: u64,
}

/// What a client gets for a request.
pub type Response = Result<Reply, Failure>;

/// Why an operation did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which of the protocol's errors.
    pub error: ErrorName,
    /// Which of the error's causes in `errors.yaml`, for wires that tell them apart; "" is none.
    pub cause: &'static str,
    /// A sentence for people; with `not_primary`, the primary's address.
    pub detail: String,
}

impl Failure {
    /// An error with a detail.
    pub fn new(error: ErrorName, detail: impl Into<String>) -> Self {
        Failure { error, cause: "", detail: detail.into() }
    }

    /// An error with one of its causes.
    pub fn because(error: ErrorName, cause: &'static str) -> Self {
        Failure { error, cause, detail: String::new() }
    }
}

impl From<ErrorName> for Failure {
    fn from(error: ErrorName) -> Self {
        Failure { error, cause: "", detail: String::new() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.is_empty() { write!(f, "{}", self.error) } else { write!(f, "{}: {}", self.error, self.detail) }
    }
}

impl std::error::Error for Failure {}

/// What a server says without being asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message for the user of this connection.
    Message(Message),
}

impl Event {
    /// The name in `service.yaml`.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Message(_) => "message",
        }
    }

    /// The event's fields.
    pub fn to_record(&self) -> Record {
        match self {
            Event::Message(message) => message.to_record(),
        }
    }

    /// The event of that name, from its fields. One that is absent is empty: not every wire carries them all.
    pub fn from_record(name: &str, record: &Record) -> Option<Self> {
        (name == "message").then(|| Message::from_record(record).map(Event::Message))?
    }
}

impl Message {
    fn to_record(&self) -> Record {
        Record::new()
            .with("message_id", self.message_id)
            .with("sender", self.sender.as_str())
            .with("text", self.text.as_str())
            .with("sent_at", self.sent_at)
    }

    fn from_record(record: &Record) -> Option<Self> {
        Some(Message {
            message_id: read_or_empty(record, "message_id")?,
            sender: read_or_empty(record, "sender")?,
            text: read_or_empty(record, "text")?,
            sent_at: read_or_empty(record, "sent_at")?,
        })
    }
}

/// The value of a field, which is 0, "", [] or false where there is none. `None` if it is of another type.
fn read_or_empty<T: FieldType>(record: &Record, name: &str) -> Option<T> {
    record.get(name).map_or_else(|| Some(T::default()), |value| T::read(value.clone()))
}

/// A Rust type that a field of the protocol can have.
trait FieldType: Default {
    fn write(&self) -> Value;
    fn read(value: Value) -> Option<Self>;
}

impl FieldType for u64 {
    fn write(&self) -> Value {
        Value::Int(*self)
    }
    fn read(value: Value) -> Option<Self> {
        value.as_int()
    }
}
impl FieldType for bool {
    fn write(&self) -> Value {
        Value::Flag(*self)
    }
    fn read(value: Value) -> Option<Self> {
        value.as_flag()
    }
}
impl FieldType for String {
    fn write(&self) -> Value {
        Value::Text(self.clone())
    }
    fn read(value: Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(text) } else { None }
    }
}
impl FieldType for Vec<u8> {
    fn write(&self) -> Value {
        Value::Bytes(self.clone())
    }
    fn read(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes),
            Value::Text(text) => Some(text.into_bytes()),
            _ => None,
        }
    }
}
impl FieldType for Vec<String> {
    fn write(&self) -> Value {
        Value::List(self.iter().map(String::write).collect())
    }
    fn read(value: Value) -> Option<Self> {
        if let Value::List(items) = value { items.into_iter().map(String::read).collect() } else { None }
    }
}
impl FieldType for Vec<Message> {
    fn write(&self) -> Value {
        Value::List(self.iter().map(|m| Value::Row(m.to_record())).collect())
    }
    fn read(value: Value) -> Option<Self> {
        value.as_list()?.iter().map(|item| Message::from_record(item.as_row()?)).collect()
    }
}

/// Declares the operations once (a result that needs a policy is empty under another choice); every type and conversion below follows from the list.
macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident $name:literal
        ($($argument:ident: $argument_type:ty),*) -> ($($result:ident: $result_type:ty),*);)*) => {
        /// What a client can ask for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Operation { $($(#[$doc])* $variant,)* }

        impl Operation {
            /// All operations, in the order of `service.yaml`.
            pub const ALL: &[Operation] = &[$(Operation::$variant,)*];

            /// The name in `service.yaml`.
            pub fn name(self) -> &'static str {
                match self { $(Operation::$variant => $name,)* }
            }

            /// The operation of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Operation::$variant),)* _ => None }
            }

            /// Names of arguments and of results, in order; results that need a policy (`result_when`) come last.
            pub fn fields(self) -> (&'static [&'static str], &'static [&'static str]) {
                match self { $(Operation::$variant => (&[$(stringify!($argument),)*], &[$(stringify!($result),)*]),)* }
            }
        }

        /// An operation with its arguments.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the fields are documented in service.yaml")]
        pub enum Request { $($(#[$doc])* $variant { $($argument: $argument_type,)* },)* }

        impl Request {
            /// Which operation it asks for.
            pub fn operation(&self) -> Operation {
                match self { $(Request::$variant { .. } => Operation::$variant,)* }
            }

            /// The arguments by name.
            pub fn to_record(&self) -> Record {
                match self { $(Request::$variant { $($argument,)* } => {
                    Record::new()$(.with(stringify!($argument), FieldType::write($argument)))*
                })* }
            }

            /// The request, if every argument is there and of its type.
            pub fn from_record(operation: Operation, record: &Record) -> Option<Self> {
                Self::from_values(operation, |name| record.get(name).cloned())
            }

            /// As `from_record`, from whatever has the value of a name.
            pub fn from_values(operation: Operation, value: impl Fn(&str) -> Option<Value>) -> Option<Self> {
                let _ = &value;
                Some(match operation { $(Operation::$variant => Request::$variant {
                    $($argument: FieldType::read(value(stringify!($argument))?)?,)*
                },)* })
            }
        }

        /// The result of an operation that succeeded.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the fields are documented in service.yaml")]
        pub enum Reply { $($(#[$doc])* $variant { $($result: $result_type,)* },)* }

        impl Reply {
            /// Which operation it answers.
            pub fn operation(&self) -> Operation {
                match self { $(Reply::$variant { .. } => Operation::$variant,)* }
            }

            /// The results by name.
            pub fn to_record(&self) -> Record {
                match self { $(Reply::$variant { $($result,)* } => {
                    Record::new()$(.with(stringify!($result), FieldType::write($result)))*
                })* }
            }

            /// The reply, if every result is of its type. One that is absent is empty: not every wire carries them all.
            pub fn from_record(operation: Operation, record: &Record) -> Option<Self> {
                let _ = record;
                Some(match operation { $(Operation::$variant => Reply::$variant {
                    $($result: read_or_empty(record, stringify!($result))?,)*
                },)* })
            }
        }
    };
}

operations! {
    /// Ask who is there.
    Hello "hello" (client: String) -> (server: String, capabilities: Vec<String>, is_primary: bool, primary: String);
    /// Ask for a sign of life.
    Ping "ping" (nonce: u64) -> (nonce: u64);
    /// Make an account.
    CreateAccount "create_account" (username: String, password: String) -> (token: Vec<u8>, expires_in_s: u64);
    /// Bind this connection to an account.
    LogIn "log_in" (username: String, password: String, take_over: bool)
        -> (token: Vec<u8>, expires_in_s: u64, waiting: u64, messages: Vec<Message>);
    /// Bind this connection by a token.
    ResumeSession "resume_session" (token: Vec<u8>) -> (username: String, expires_in_s: u64);
    /// Unbind this connection.
    LogOut "log_out" () -> ();
    /// List usernames.
    ListAccounts "list_accounts" (pattern: String, after: String, limit: u64) -> (usernames: Vec<String>, more: bool);
    /// Send a text.
    SendMessage "send_message" (recipient: String, text: String, key: Vec<u8>) -> (message_id: u64, delivered: bool);
    /// Acknowledge and fetch messages.
    DeliverMessages "deliver_messages" (acknowledge: u64, max: u64) -> (messages: Vec<Message>, more: bool);
    /// Delete one's own account.
    DeleteAccount "delete_account" (password: String, discard: bool) -> (discarded: u64, messages: Vec<Message>);
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Declares the errors once; sentences, codes and `definite` stand in `errors.yaml`.
macro_rules! error_names {
    ($($variant:ident $name:literal,)*) => {
        /// The protocol's errors, by name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "each error's sentence stands in errors.yaml")]
        pub enum ErrorName { $($variant,)* }

        impl ErrorName {
            /// All errors, in the order of `errors.yaml`.
            pub const ALL: &[ErrorName] = &[$(ErrorName::$variant,)*];

            /// The name in `errors.yaml`.
            pub fn name(self) -> &'static str {
                match self { $(ErrorName::$variant => $name,)* }
            }

            /// The error of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(ErrorName::$variant),)* _ => None }
            }
        }
    };
}

error_names! {
    Malformed "malformed",
    UnsupportedVersion "unsupported_version",
    UnknownOperation "unknown_operation",
    FrameTooLarge "frame_too_large",
    NotPrimary "not_primary",
    Unavailable "unavailable",
    NotLoggedIn "not_logged_in",
    AlreadyLoggedIn "already_logged_in",
    BadCredentials "bad_credentials",
    InvalidToken "invalid_token",
    TokenExpired "token_expired",
    InvalidUsername "invalid_username",
    InvalidPassword "invalid_password",
    UsernameTaken "username_taken",
    InvalidPattern "invalid_pattern",
    NoSuchUser "no_such_user",
    TextTooLong "text_too_long",
    MailboxFull "mailbox_full",
    KeyConflict "key_conflict",
    InvalidCursor "invalid_cursor",
    MailboxNotEmpty "mailbox_not_empty",
}

impl fmt::Display for ErrorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
