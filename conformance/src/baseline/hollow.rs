//! Hollow servers: they decode every request properly, answer well-formed answers, and do nothing.
//!
//! Each is as clever as one can be without keeping accounts or messages. What they know is one connection's own: if a
//! log in was answered on it and for whom, and how many messages were. They stand behind the reference's own edge, so
//! they speak every wire as well as it does, and know what servers of that wire have chosen.

use std::collections::BTreeMap;
use std::sync::Arc;

use reference_server::chat::policies::{AfterCreate, DeleteNeeds, ListNeedsSession, LogOutBy, PatternLanguage};
use reference_server::chat::{ConnectionId, Core, Effect, FreshToken, Input, SecretNeeded, Who};
use reference_server::pattern::Pattern;
use reference_server::{Limits, Policies};
use spec::message::{ErrorName, Operation, Reply, Request, Response};

use crate::baseline::Baseline;
use crate::baseline::server::Nature;

/// What a hollow server does with a request.
pub(super) type Answer = fn(&mut Mind, &Request) -> Response;

/// What a hollow server knows about a connection.
#[derive(Debug)]
pub(super) struct Mind {
    policies: Arc<Policies>,
    logged_in: bool,
    name: String,
    sent: u64,
    /// New with each request.
    fresh_token: FreshToken,
}

const fn hollow(name: &'static str, about: &'static str, answer: Answer) -> Baseline {
    Baseline { name, about, nature: Nature::Hollow(answer) }
}

pub(super) const ALL: &[Baseline] = &[
    hollow("always ok, empty", "answers everything with success, and zeros", |_, request| Ok(empty(request))),
    hollow("always ok, queued", "answers everything with a plausible success; messages are queued", |mind, request| {
        Ok(plausible(mind, request, false))
    }),
    hollow(
        "always ok, delivered",
        "answers everything with a plausible success; messages are delivered",
        |mind, request| Ok(plausible(mind, request, true)),
    ),
    hollow("never logged in", "answers everything that can need a session with not_logged_in", |mind, request| {
        let error = match request.operation() {
            Operation::Hello | Operation::Ping | Operation::CreateAccount => None,
            Operation::LogIn => Some(ErrorName::BadCredentials),
            Operation::ResumeSession => Some(ErrorName::InvalidToken),
            _ => Some(ErrorName::NotLoggedIn),
        };
        error.map_or_else(|| Ok(plausible(mind, request, false)), |error| Err(error.into()))
    }),
    hollow(
        "always the likeliest error",
        "answers each operation with the error that is most its own",
        |mind, request| {
            own_error(request).map_or_else(|| Ok(plausible(mind, request, false)), |error| Err(error.into()))
        },
    ),
    hollow("always malformed", "answers everything but ping with malformed", |mind, request| {
        except_ping(mind, request, ErrorName::Malformed)
    }),
    hollow("always unavailable", "answers everything but ping with unavailable", |mind, request| {
        except_ping(mind, request, ErrorName::Unavailable)
    }),
    hollow("knows sessions", "remembers whether a connection is logged in, and nothing else", |mind, request| {
        with_session(mind, request, true)
    }),
    hollow(
        "knows sessions and limits",
        "looks at sessions and arguments, and keeps nothing; messages are queued",
        |mind, request| {
            limited(mind, request).map_or_else(|| with_session(mind, request, false), |error| Err(error.into()))
        },
    ),
    hollow("knows itself", "as the one above, and lists the name that logged in on the connection", |mind, request| {
        let mut response =
            limited(mind, request).map_or_else(|| with_session(mind, request, false), |error| Err(error.into()));
        match (request, &mut response) {
            (Request::LogIn { username, .. } | Request::CreateAccount { username, .. }, Ok(_)) if mind.logged_in => {
                mind.name.clone_from(username);
            }
            (Request::ListAccounts { pattern, .. }, Ok(Reply::ListAccounts { usernames, .. })) => {
                let fits = understood(mind, pattern).is_some_and(|pattern| pattern.fits(&mind.name));
                usernames.extend((fits && !mind.name.is_empty()).then(|| mind.name.clone()));
            }
            _ => {}
        }
        response
    }),
];

/// A core without accounts and messages.
pub(super) fn core(answer: Answer) -> impl Fn(Limits) -> Hollow + Send + Sync {
    move |_| Hollow { answer, minds: BTreeMap::new() }
}

/// What stands in the place of the reference's core.
pub(super) struct Hollow {
    answer: Answer,
    minds: BTreeMap<ConnectionId, Mind>,
}

impl Core for Hollow {
    fn apply(&mut self, input: Input, _: u64) -> Vec<Effect> {
        match input {
            Input::Opened(connection, policies) => {
                let (logged_in, name, sent, fresh_token) = (false, String::new(), 0, [0; 32]);
                self.minds.insert(connection, Mind { policies, logged_in, name, sent, fresh_token });
            }
            Input::Closed(connection) => drop(self.minds.remove(&connection)),
            Input::Listens { .. } => {}
            Input::Request { connection, who, request, fresh_token, .. } => {
                let Some(mind) = self.minds.get_mut(&connection) else { return Vec::new() };
                mind.fresh_token = fresh_token;
                // Where requests carry tokens, having one is as good as having logged in.
                mind.logged_in |= matches!(&who, Who::Token { token, .. } if !token.is_empty());
                return vec![Effect::Respond { connection, response: (self.answer)(mind, &request) }];
            }
        }
        Vec::new()
    }

    fn question(&self, _: ConnectionId, _: &Who, _: &Request, _: u64) -> SecretNeeded {
        SecretNeeded::Nothing
    }
}

/// Success, with nothing in it.
fn empty(request: &Request) -> Reply {
    match request {
        Request::Hello { .. } => {
            Reply::Hello { server: String::new(), capabilities: Vec::new(), is_primary: false, primary: String::new() }
        }
        Request::Ping { .. } => Reply::Ping { nonce: 0 },
        Request::CreateAccount { .. } => Reply::CreateAccount { token: Vec::new(), expires_in_s: 0 },
        Request::LogIn { .. } => Reply::LogIn { token: Vec::new(), expires_in_s: 0, waiting: 0, messages: Vec::new() },
        Request::ResumeSession { .. } => Reply::ResumeSession { username: String::new(), expires_in_s: 0 },
        Request::LogOut {} => Reply::LogOut {},
        Request::ListAccounts { .. } => Reply::ListAccounts { usernames: Vec::new(), more: false },
        Request::SendMessage { .. } => Reply::SendMessage { message_id: 0, delivered: false },
        Request::DeliverMessages { .. } => Reply::DeliverMessages { messages: Vec::new(), more: false },
        Request::DeleteAccount { .. } => Reply::DeleteAccount { discarded: 0, messages: Vec::new() },
    }
}

/// Success, with what a right server would most often say.
fn plausible(mind: &mut Mind, request: &Request, delivered: bool) -> Reply {
    match request {
        Request::Hello { .. } => {
            let server = "hollow".to_owned();
            Reply::Hello { server, capabilities: Vec::new(), is_primary: true, primary: String::new() }
        }
        Request::Ping { nonce } => Reply::Ping { nonce: *nonce },
        Request::CreateAccount { .. } if mind.policies.after_create == AfterCreate::LoggedIn => {
            Reply::CreateAccount { token: mind.fresh_token.to_vec(), expires_in_s: 3600 }
        }
        Request::LogIn { .. } => {
            let token = mind.fresh_token.to_vec();
            Reply::LogIn { token, expires_in_s: 3600, waiting: 0, messages: Vec::new() }
        }
        Request::ResumeSession { .. } => Reply::ResumeSession { username: String::new(), expires_in_s: 3600 },
        Request::SendMessage { .. } => {
            mind.sent += 1;
            Reply::SendMessage { message_id: mind.sent, delivered }
        }
        _ => empty(request),
    }
}

fn except_ping(mind: &mut Mind, request: &Request, error: ErrorName) -> Response {
    match request {
        Request::Ping { .. } => Ok(plausible(mind, request, false)),
        _ => Err(error.into()),
    }
}

/// The error that tells this operation from others.
fn own_error(request: &Request) -> Option<ErrorName> {
    Some(match request {
        Request::Hello { .. } | Request::Ping { .. } => return None,
        Request::CreateAccount { .. } => ErrorName::InvalidUsername,
        Request::LogIn { .. } | Request::DeleteAccount { .. } => ErrorName::BadCredentials,
        Request::ResumeSession { .. } => ErrorName::InvalidToken,
        Request::LogOut {} => ErrorName::NotLoggedIn,
        Request::ListAccounts { .. } => ErrorName::InvalidPattern,
        Request::SendMessage { .. } => ErrorName::NoSuchUser,
        Request::DeliverMessages { .. } => ErrorName::InvalidCursor,
    })
}

/// A plausible success, or what is wrong with the session of the connection.
fn with_session(mind: &mut Mind, request: &Request, delivered: bool) -> Response {
    let policies = Arc::clone(&mind.policies);
    let logs_in = matches!(request, Request::LogIn { .. } | Request::ResumeSession { .. });
    let begins =
        logs_in || policies.after_create == AfterCreate::LoggedIn && matches!(request, Request::CreateAccount { .. });
    let by_password = matches!(policies.delete_needs, DeleteNeeds::Password | DeleteNeeds::PasswordLoggedOut);
    let free = match request {
        Request::Hello { .. } | Request::Ping { .. } | Request::CreateAccount { .. } => true,
        Request::ListAccounts { .. } => policies.list_needs_session == ListNeedsSession::Open,
        Request::DeleteAccount { .. } => by_password,
        _ => false,
    };
    match (logs_in, mind.logged_in) {
        (true, true) if policies.log_out_by != LogOutBy::None => Err(ErrorName::AlreadyLoggedIn.into()),
        (false, false) if !free => Err(ErrorName::NotLoggedIn.into()),
        _ => {
            let ends = matches!(request, Request::LogOut {} | Request::DeleteAccount { .. });
            mind.logged_in = begins || mind.logged_in && !ends;
            Ok(plausible(mind, request, delivered))
        }
    }
}

/// A pattern in the language of the wire.
fn understood(mind: &Mind, pattern: &str) -> Option<Pattern> {
    match mind.policies.pattern {
        PatternLanguage::Glob => Pattern::new(pattern),
        PatternLanguage::Star => Pattern::star(pattern),
        PatternLanguage::Substring => Some(Pattern::substring(pattern)),
        PatternLanguage::RegexPrefix => Pattern::regex_prefix(pattern),
        PatternLanguage::RegexFull => Pattern::regex_full(pattern),
        PatternLanguage::Like => Pattern::like(pattern),
        PatternLanguage::None => Some(Pattern::any()),
    }
}

/// What is wrong with the arguments, as far as the arguments tell.
fn limited(mind: &Mind, request: &Request) -> Option<ErrorName> {
    let characters = |text: &str| text.chars().count();
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "|*?".contains(c);
    match request {
        Request::CreateAccount { username, .. } if !(1..=50).contains(&characters(username)) => {
            Some(ErrorName::InvalidUsername)
        }
        Request::CreateAccount { username, .. } if username.contains(forbidden) => Some(ErrorName::InvalidUsername),
        Request::CreateAccount { password, .. }
            if mind.policies.passwords && !(1..=50).contains(&characters(password)) =>
        {
            Some(ErrorName::InvalidPassword)
        }
        Request::ListAccounts { pattern, .. } if characters(pattern) > 50 || understood(mind, pattern).is_none() => {
            Some(ErrorName::InvalidPattern)
        }
        Request::SendMessage { text, .. } if text.len() > 4096 => Some(ErrorName::TextTooLong),
        _ => None,
    }
}
