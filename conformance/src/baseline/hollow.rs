//! Hollow servers: they decode every request properly, answer well-formed answers, and do nothing.
//!
//! Each is as clever as one can be without keeping accounts or messages. What they know is one connection's own: if a
//! log in was answered on it and for whom, and how many messages were. Framing is right in all of them.

use std::io;
use std::sync::Arc;

use reference_server::pattern::Pattern;
use reference_server::world::World;
use spec::codec::{Inbound, RequestDecoder};
use spec::dialect::Dialect;
use spec::message::{ErrorName, Operation, Reply, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::baseline::Baseline;
use crate::baseline::server::Nature;

/// What a hollow server knows about a connection.
#[derive(Debug)]
pub(super) struct Mind {
    logged_in: bool,
    name: String,
    sent: u64,
    world: World,
}

const fn hollow(name: &'static str, about: &'static str, answer: fn(&mut Mind, &Request) -> Response) -> Baseline {
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
        |mind, request| limited(request).map_or_else(|| with_session(mind, request, false), |error| Err(error.into())),
    ),
    hollow("knows itself", "as the one above, and lists the name that logged in on the connection", |mind, request| {
        let mut response =
            limited(request).map_or_else(|| with_session(mind, request, false), |error| Err(error.into()));
        match (request, &mut response) {
            (Request::LogIn { username, .. }, Ok(_)) => mind.name.clone_from(username),
            (Request::ListAccounts { pattern, .. }, Ok(Reply::ListAccounts { usernames, .. })) => {
                let fits = Pattern::new(pattern).is_some_and(|pattern| pattern.fits(&mind.name));
                usernames.extend(fits.then(|| mind.name.clone()));
            }
            _ => {}
        }
        response
    }),
];

pub(super) async fn serve(
    answer: fn(&mut Mind, &Request) -> Response,
    dialect: &Arc<Dialect>,
    mut stream: TcpStream,
) -> io::Result<()> {
    let mut mind = Mind { logged_in: false, name: String::new(), sent: 0, world: World::real() };
    let mut decoder = RequestDecoder::new(Arc::clone(dialect));
    let mut bytes = vec![0; 16 << 10];
    loop {
        let mut said = Vec::new();
        let mut closing = false;
        while let Some(inbound) = decoder.next() {
            let (dialogue, response) = match inbound {
                Inbound::Request { request, dialogue } => (dialogue, answer(&mut mind, &request)),
                Inbound::Refused { failure, dialogue, close } => {
                    closing = close;
                    (dialogue, Err(failure))
                }
            };
            dialect.speak_response(&dialogue, &response, &mut said).map_err(io::Error::other)?;
        }
        stream.write_all(&said).await?;
        if closing {
            stream.shutdown().await?;
        }
        match stream.read(&mut bytes).await? {
            0 => return Ok(()),
            count => decoder.push(&bytes[..count]),
        }
    }
}

/// Success, with nothing in it.
fn empty(request: &Request) -> Reply {
    match request {
        Request::Hello { .. } => {
            Reply::Hello { server: String::new(), capabilities: Vec::new(), is_primary: false, primary: String::new() }
        }
        Request::Ping { .. } => Reply::Ping { nonce: 0 },
        Request::CreateAccount { .. } => Reply::CreateAccount {},
        Request::LogIn { .. } => Reply::LogIn { token: Vec::new(), expires_in_s: 0, waiting: 0 },
        Request::ResumeSession { .. } => Reply::ResumeSession { username: String::new(), expires_in_s: 0 },
        Request::LogOut {} => Reply::LogOut {},
        Request::ListAccounts { .. } => Reply::ListAccounts { usernames: Vec::new(), more: false },
        Request::SendMessage { .. } => Reply::SendMessage { message_id: 0, delivered: false },
        Request::DeliverMessages { .. } => Reply::DeliverMessages { messages: Vec::new(), more: false },
        Request::DeleteAccount { .. } => Reply::DeleteAccount { discarded: 0 },
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
        Request::LogIn { .. } => {
            let token = mind.world.random::<32>().to_vec();
            Reply::LogIn { token, expires_in_s: 3600, waiting: 0 }
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
    let begins = matches!(request, Request::LogIn { .. } | Request::ResumeSession { .. });
    let free = matches!(request, Request::Hello { .. } | Request::Ping { .. } | Request::CreateAccount { .. });
    match (begins, mind.logged_in) {
        (true, true) => Err(ErrorName::AlreadyLoggedIn.into()),
        (false, false) if !free => Err(ErrorName::NotLoggedIn.into()),
        _ => {
            let ends = matches!(request, Request::LogOut {} | Request::DeleteAccount { .. });
            mind.logged_in = begins || mind.logged_in && !ends;
            Ok(plausible(mind, request, delivered))
        }
    }
}

/// What is wrong with the arguments, as far as the arguments tell.
fn limited(request: &Request) -> Option<ErrorName> {
    let characters = |text: &str| text.chars().count();
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "|*?".contains(c);
    match request {
        Request::CreateAccount { username, .. } if !(1..=50).contains(&characters(username)) => {
            Some(ErrorName::InvalidUsername)
        }
        Request::CreateAccount { username, .. } if username.contains(forbidden) => Some(ErrorName::InvalidUsername),
        Request::CreateAccount { password, .. } if !(1..=50).contains(&characters(password)) => {
            Some(ErrorName::InvalidPassword)
        }
        Request::ListAccounts { pattern, .. } if characters(pattern) > 50 => Some(ErrorName::InvalidPattern),
        Request::SendMessage { text, .. } if text.len() > 4096 => Some(ErrorName::TextTooLong),
        _ => None,
    }
}
