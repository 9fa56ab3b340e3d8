//! The rules of the core, one short story each. Who acts is a connection; a user is named like the first of theirs.

mod accounts;
mod messages;
mod policies;
mod properties;
mod sessions;

use std::collections::BTreeMap;
use std::sync::Arc;

use spec::Spec;
use spec::message::ErrorName::{self, *};
use spec::message::{Event, Failure, Message, Reply, Request, Response};

use super::{Chat, ConnectionId, Core, Effect, Input, Limits, Policies, Proof, SecretNeeded, Who};

/// Tokens of these tests live this long.
const LIFETIME_MS: u64 = 60_000;
const PASSWORD: &str = "secret";

/// A core with connections that have names, and a clock that stands still unless told. A "hash" is the password.
struct Story {
    chat: Chat,
    now_ms: u64,
    connections_made: u64,
    tokens_made: u8,
    connections: BTreeMap<&'static str, ConnectionId>,
    seen: BTreeMap<ConnectionId, Vec<Seen>>,
    /// Of the latest answer. Only the tests about causes look at it.
    cause: &'static str,
}

/// What a connection saw, in order.
#[derive(Debug, Clone, PartialEq)]
enum Seen {
    Answer(Response),
    Message(Message),
    Closed,
}

impl Story {
    fn new() -> Self {
        let limits = Limits::new(|name| Spec::embedded().service.limit(name));
        Story {
            chat: Chat::new(Limits { token_lifetime_ms: LIFETIME_MS, ..limits }),
            now_ms: 1_000_000,
            connections_made: 0,
            tokens_made: 0,
            connections: BTreeMap::new(),
            seen: BTreeMap::new(),
            cause: "",
        }
    }

    /// A story in which these users are connected and logged in.
    fn of(users: &[&'static str]) -> Self {
        let mut story = Story::new();
        for user in users {
            story.connects(user);
            story.creates(user, user).expect("the name is free");
            story.logs_in(user, user).expect("the password is right");
        }
        story.seen.clear();
        story
    }

    fn connects(&mut self, who: &'static str) {
        self.connects_by(who, &Policies::default());
    }

    /// Connects over a wire with these choices.
    fn connects_by(&mut self, who: &'static str, policies: &Policies) {
        self.connections_made += 1;
        let connection = ConnectionId(self.connections_made);
        self.connections.insert(who, connection);
        self.applies(Input::Opened(connection, Arc::new(policies.clone())));
    }

    fn disconnects(&mut self, who: &'static str) {
        self.applies(Input::Closed(self.connections[who]));
    }

    fn waits(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    fn applies(&mut self, input: Input) {
        for effect in self.chat.apply(input, self.now_ms) {
            let (connection, seen) = match effect {
                Effect::Respond { connection, response } => {
                    self.cause = response.as_ref().err().map_or("", |failure| failure.cause);
                    (connection, Seen::Answer(response.map_err(|failure| Failure { cause: "", ..failure })))
                }
                Effect::Push { connection, event: Event::Message(message) } => (connection, Seen::Message(message)),
                Effect::Close { connection } => (connection, Seen::Closed),
            };
            self.seen.entry(connection).or_default().push(seen);
        }
    }

    /// What this connection saw since it was last asked.
    fn saw(&mut self, who: &'static str) -> Vec<Seen> {
        self.seen.remove(&self.connections[who]).unwrap_or_default()
    }

    /// Makes a request and does the edge's work on its password.
    fn asks(&mut self, who: &'static str, request: Request) -> Response {
        self.asks_as(who, Who::Connection, request)
    }

    /// The same, saying who asks.
    fn asks_as(&mut self, who: &'static str, says: Who, request: Request) -> Response {
        let proof = self.proves_as(who, &says, &request);
        self.requests(who, says, request, proof)
    }

    fn asks_with(&mut self, who: &'static str, request: Request, proof: Proof) -> Response {
        self.requests(who, Who::Connection, request, proof)
    }

    fn requests(&mut self, who: &'static str, says: Who, request: Request, proof: Proof) -> Response {
        self.tokens_made = self.tokens_made.wrapping_add(1);
        let (connection, fresh_token) = (self.connections[who], [self.tokens_made; 32]);
        let before = self.seen.get(&connection).map_or(0, Vec::len);
        self.applies(Input::Request { connection, who: says, request, proof, fresh_token });
        let seen = self.seen.get(&connection).map_or(&[][..], |seen| &seen[before..]);
        let answers: Vec<&Response> =
            seen.iter().filter_map(|seen| if let Seen::Answer(answer) = seen { Some(answer) } else { None }).collect();
        let [answer] = answers[..] else { panic!("{who} must see one answer: {seen:?}") };
        answer.clone()
    }

    fn proves(&self, who: &'static str, request: &Request) -> Proof {
        self.proves_as(who, &Who::Connection, request)
    }

    fn proves_as(&self, who: &'static str, says: &Who, request: &Request) -> Proof {
        let password = says.password(request).unwrap_or_default().to_owned();
        match self.chat.question(self.connections[who], says, request, self.now_ms) {
            SecretNeeded::Hash => Proof::Hashed(password),
            SecretNeeded::Verify { account, hash } if hash == password => Proof::Right { account },
            SecretNeeded::Verify { .. } | SecretNeeded::Absent => Proof::Wrong,
            SecretNeeded::Nothing => Proof::Nothing,
        }
    }

    fn creates(&mut self, who: &'static str, username: &str) -> Response {
        self.asks(who, create(username, PASSWORD))
    }

    fn logs_in(&mut self, who: &'static str, username: &str) -> Response {
        self.asks(who, log_in(username, PASSWORD, false))
    }

    fn takes_over(&mut self, who: &'static str, username: &str) -> Response {
        self.asks(who, log_in(username, PASSWORD, true))
    }

    /// Logs in and keeps the token.
    fn token(&mut self, who: &'static str, username: &str) -> Vec<u8> {
        match self.logs_in(who, username) {
            Ok(Reply::LogIn { token, .. }) => token,
            other => panic!("{who} must get a token, not {other:?}"),
        }
    }

    fn resumes(&mut self, who: &'static str, token: &[u8]) -> Response {
        self.asks(who, Request::ResumeSession { token: token.to_vec() })
    }

    fn logs_out(&mut self, who: &'static str) -> Response {
        self.asks(who, Request::LogOut {})
    }

    fn sends(&mut self, who: &'static str, recipient: &str, text: &str) -> Response {
        self.sends_with_key(who, recipient, text, &[])
    }

    fn sends_with_key(&mut self, who: &'static str, recipient: &str, text: &str, key: &[u8]) -> Response {
        let (recipient, text) = (recipient.to_owned(), text.to_owned());
        self.asks(who, Request::SendMessage { recipient, text, key: key.to_vec() })
    }

    fn delivers(&mut self, who: &'static str, acknowledge: u64, max: u64) -> Response {
        self.asks(who, Request::DeliverMessages { acknowledge, max })
    }

    /// The texts of a page, and whether more follow.
    fn page(&mut self, who: &'static str, acknowledge: u64, max: u64) -> (Vec<String>, bool) {
        match self.delivers(who, acknowledge, max) {
            Ok(Reply::DeliverMessages { messages, more }) => (messages.into_iter().map(|m| m.text).collect(), more),
            other => panic!("{who} must get a page, not {other:?}"),
        }
    }

    fn lists(&mut self, who: &'static str, pattern: &str, after: &str, limit: u64) -> Response {
        self.asks(who, Request::ListAccounts { pattern: pattern.to_owned(), after: after.to_owned(), limit })
    }

    fn deletes(&mut self, who: &'static str, discard: bool) -> Response {
        self.asks(who, Request::DeleteAccount { password: PASSWORD.to_owned(), discard })
    }
}

fn create(username: &str, password: &str) -> Request {
    Request::CreateAccount { username: username.to_owned(), password: password.to_owned() }
}

fn log_in(username: &str, password: &str, take_over: bool) -> Request {
    Request::LogIn { username: username.to_owned(), password: password.to_owned(), take_over }
}

/// What a wire that does not log in with it answers to whoever made an account.
fn created() -> Response {
    Ok(Reply::CreateAccount { token: Vec::new(), expires_in_s: 0 })
}

fn refused(error: ErrorName) -> Response {
    Err(error.into())
}

fn accepted(message_id: u64, delivered: bool) -> Response {
    Ok(Reply::SendMessage { message_id, delivered })
}

fn listed(usernames: &[&str], more: bool) -> Response {
    Ok(Reply::ListAccounts { usernames: usernames.iter().map(|name| name.to_string()).collect(), more })
}

fn page(texts: &[&str], more: bool) -> (Vec<String>, bool) {
    (texts.iter().map(|text| text.to_string()).collect(), more)
}
