//! A reference that writes down what happens, and finds it again when it is started: badly.
//!
//! The reference keeps everything in memory, so what is wrong with a log can only be shown with one. The disk lives as
//! long as the way to start instances; a start replays its rows into a new core, through the same door as requests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use reference_server::chat::policies::{AtLogIn, DeleteNeeds, DeleteWaiting, SecondLogIn};
use reference_server::chat::{ConnectionId, Core, Effect, FreshToken, Input, Proof, SecretNeeded, Who};
use reference_server::net::Tcp;
use reference_server::{Chat, Limits, Policies};
use spec::Spec;
use spec::dialect::Dialect;
use spec::message::{ErrorName, Reply, Request};

use crate::target::{Reference, Starter};

/// What is wrong with what it writes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// That somebody logged in is a row, and that their connection ended is none: after a restart they are still there.
    BelievesWhoWasThere,
    /// That a message waits is a row, and that it was fetched is none.
    ForgetsWhatWasFetched,
}

pub(super) fn starter(fault: Fault, spec: Arc<Spec>, dialect: Arc<Dialect>) -> Arc<dyn Starter> {
    let disk = Arc::<Mutex<Disk>>::default();
    Arc::new(Reference::bent(spec, dialect, Tcp, move |limits| Remembering::new(fault, limits, Arc::clone(&disk))))
}

/// What outlives an instance.
#[derive(Default)]
struct Disk {
    rows: Vec<Row>,
    there: BTreeSet<String>,
}

/// Something that happened, in whose name, and by which rules.
#[derive(Clone)]
struct Row {
    username: String,
    request: Request,
    proof: Proof,
    policies: Arc<Policies>,
}

/// A core with a disk.
struct Remembering {
    fault: Fault,
    chat: Chat,
    disk: Arc<Mutex<Disk>>,
    /// Who is believed to be there since before the start.
    ghosts: BTreeSet<String>,
    seats: BTreeMap<ConnectionId, String>,
    wires: BTreeMap<ConnectionId, Arc<Policies>>,
}

impl Remembering {
    fn new(fault: Fault, limits: Limits, disk: Arc<Mutex<Disk>>) -> Self {
        let mut chat = Chat::new(limits);
        let ghosts = {
            let disk = disk.lock().unwrap_or_else(PoisonError::into_inner);
            disk.rows.iter().zip(1..).for_each(|(row, number)| replay(&mut chat, row, number));
            if fault == Fault::BelievesWhoWasThere { disk.there.clone() } else { BTreeSet::new() }
        };
        Remembering { fault, chat, disk, ghosts, seats: BTreeMap::new(), wires: BTreeMap::new() }
    }

    /// Writes down what a request has changed.
    fn write(&mut self, connection: ConnectionId, request: Request, proof: Proof, reply: &Reply) {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let seat = self.seats.get(&connection).cloned().unwrap_or_default();
        let username = match (&request, reply) {
            (Request::CreateAccount { username, .. } | Request::LogIn { username, .. }, _) => username.clone(),
            (_, Reply::ResumeSession { username, .. }) => username.clone(),
            _ => seat,
        };
        match reply {
            Reply::LogIn { .. } | Reply::ResumeSession { .. } => drop(disk.there.insert(username.clone())),
            Reply::CreateAccount { token, .. } if !token.is_empty() => drop(disk.there.insert(username.clone())),
            Reply::LogOut {} | Reply::DeleteAccount { .. } => drop(disk.there.remove(&username)),
            _ => {}
        }
        let sits = disk.there.contains(&username);
        let changes = match reply {
            Reply::CreateAccount { .. } | Reply::DeleteAccount { .. } => true,
            Reply::SendMessage { delivered, .. } => !delivered,
            Reply::DeliverMessages { .. } | Reply::LogIn { .. } => self.fault != Fault::ForgetsWhatWasFetched,
            _ => false,
        };
        if changes {
            let policies = self.wires.get(&connection).cloned().unwrap_or_default();
            disk.rows.push(Row { username: username.clone(), request, proof, policies });
        }
        drop(disk);
        if sits {
            self.seats.insert(connection, username)
        } else {
            self.seats.remove(&connection)
        };
    }
}

impl Core for Remembering {
    fn apply(&mut self, input: Input, now_ms: u64) -> Vec<Effect> {
        let (connection, request, proof) = match &input {
            Input::Request { connection, request: Request::LogIn { username, .. }, .. }
                if self.ghosts.contains(username) =>
            {
                let response = Err(ErrorName::AlreadyLoggedIn.into());
                return vec![Effect::Respond { connection: *connection, response }];
            }
            Input::Request { connection, request, proof, .. } => (*connection, request.clone(), proof.clone()),
            other => {
                match other {
                    Input::Opened(connection, policies) => {
                        drop(self.wires.insert(*connection, Arc::clone(policies)));
                    }
                    Input::Closed(connection) => {
                        self.wires.remove(connection);
                        self.seats.remove(connection);
                    }
                    _ => {}
                }
                return self.chat.apply(input, now_ms);
            }
        };
        let effects = self.chat.apply(input, now_ms);
        let reply = effects.iter().find_map(|effect| match effect {
            Effect::Respond { connection: to, response: Ok(reply) } if *to == connection => Some(reply),
            _ => None,
        });
        if let Some(reply) = reply {
            self.write(connection, request, proof, reply);
        }
        effects
    }

    fn question(&self, connection: ConnectionId, who: &Who, request: &Request, now_ms: u64) -> SecretNeeded {
        self.chat.question(connection, who, request, now_ms)
    }
}

/// Lets a row happen again, on a connection that is there for nothing else. Nobody asks for passwords any more.
fn replay(chat: &mut Chat, row: &Row, number: u64) {
    // Connections of clients are counted from one.
    let connection = ConnectionId(u64::MAX - number);
    let ask = |chat: &mut Chat, request: Request, proof: Proof| {
        let mut fresh_token = FreshToken::default();
        fresh_token[..8].copy_from_slice(&number.to_be_bytes());
        chat.apply(Input::Request { connection, who: Who::Connection, request, proof, fresh_token }, 0);
    };
    if let Request::CreateAccount { .. } = row.request {
        chat.apply(Input::Opened(connection, Arc::clone(&row.policies)), 0);
        ask(chat, row.request.clone(), row.proof.clone());
    } else {
        // Where messages come with a log in, a log in is how they were fetched.
        let fetches = matches!(row.request, Request::LogIn { .. });
        let trusting = Policies {
            at_log_in: if fetches { row.policies.at_log_in } else { AtLogIn::Nothing },
            passwords: false,
            second_log_in: SecondLogIn::Both,
            delete_needs: DeleteNeeds::Session,
            delete_waiting: DeleteWaiting::Discarded,
            ..(*row.policies).clone()
        };
        let (username, password) = (row.username.clone(), String::from("?"));
        chat.apply(Input::Opened(connection, Arc::new(trusting)), 0);
        ask(chat, Request::LogIn { username, password, take_over: false }, Proof::Nothing);
        if !fetches {
            ask(chat, row.request.clone(), row.proof.clone());
        }
    }
    chat.apply(Input::Closed(connection), 0);
}
