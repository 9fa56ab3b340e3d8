//! Mistakes with accounts and passwords.

use std::collections::BTreeMap;

use reference_server::chat::{ConnectionId, Effect, Proof};
use spec::message::{ErrorName, Reply, Request};

use super::{answered, asked, reply, rewritten};
use crate::mutant::{Kind, Mutant};

pub(in crate::mutant) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "accounts-come-too-late",
        about: "An account is written when its connection is next heard of, and is nobody's until then.",
        caught_by: &["ACCOUNTS-1"],
        kind: Kind::Core(|limits| {
            asked(limits, BTreeMap::new(), |ask, unwritten: &mut BTreeMap<ConnectionId, (Request, Proof)>| {
                if let Some((request, proof)) = unwritten.remove(&ask.connection) {
                    let present =
                        (std::mem::replace(&mut ask.request, request), std::mem::replace(&mut ask.proof, proof));
                    ask.go();
                    (ask.request, ask.proof) = present;
                    if let Request::LogIn { .. } = ask.request {
                        ask.proof = ask.right_proof(ask.connection, &ask.request.clone());
                    }
                }
                match &ask.request {
                    Request::CreateAccount { username, .. } if !ask.exists(username) => {
                        unwritten.insert(ask.connection, (ask.request.clone(), ask.proof.clone()));
                        ask.answer(Ok(Reply::CreateAccount { token: Vec::new(), expires_in_s: 0 }))
                    }
                    _ => ask.go(),
                }
            })
        }),
    },
    Mutant {
        name: "accounts-are-forgotten",
        about: "Accounts are written to a file that is never read.",
        caught_by: &["ACCOUNTS-1", "SESSIONS-1"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| match ask.request {
                Request::CreateAccount { .. } => {
                    ask.answer(Ok(Reply::CreateAccount { token: Vec::new(), expires_in_s: 0 }))
                }
                _ => ask.go(),
            })
        }),
    },
    Mutant {
        name: "a-taken-name-is-ok",
        about: "The insert is a no-op if the key exists, and nobody looks at what it did.",
        caught_by: &["ACCOUNTS-2"],
        kind: Kind::Core(|limits| {
            answered(limits, |_, response| {
                if response.as_ref().is_err_and(|failure| failure.error == ErrorName::UsernameTaken) {
                    *response = Ok(Reply::CreateAccount { token: Vec::new(), expires_in_s: 0 });
                }
            })
        }),
    },
    Mutant {
        name: "names-are-folded",
        about: "Names are kept in lower case, so that nobody has to remember how they are spelled.",
        caught_by: &["ACCOUNTS-3"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                match &mut request {
                    Request::CreateAccount { username: name, .. }
                    | Request::LogIn { username: name, .. }
                    | Request::SendMessage { recipient: name, .. } => *name = name.to_lowercase(),
                    _ => {}
                }
                request
            })
        }),
    },
    Mutant {
        name: "creating-logs-in",
        about: "Whoever makes an account wants to use it, so the connection is bound to it at once.",
        caught_by: &["ACCOUNTS-4", "SECURITY-7"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let effects = ask.go();
                if let Request::CreateAccount { username, password } = ask.request.clone() {
                    ask.also(ask.connection, Request::LogIn { username, password, take_over: false });
                }
                effects
            })
        }),
    },
    Mutant {
        name: "the-name-is-looked-up-before-the-password-is-measured",
        about: "Each argument is checked completely before the next one is.",
        caught_by: &["FRAMING-13"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| match &ask.request {
                Request::CreateAccount { username, .. } if ask.exists(username) => ask.refuse(ErrorName::UsernameTaken),
                _ => ask.go(),
            })
        }),
    },
    Mutant {
        name: "any-password-will-do",
        about: "The hash is computed, and then only asked whether there is one.",
        caught_by: &["SECURITY-1", "SESSIONS-3"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                if let Request::LogIn { .. } = ask.request {
                    ask.proof = ask.right_proof(ask.connection, &ask.request.clone());
                }
                ask.go()
            })
        }),
    },
    Mutant {
        name: "eight-characters-of-a-password-count",
        about: "The password goes through crypt, which looks at no more than its first eight characters.",
        caught_by: &["SECURITY-1"],
        kind: Kind::Core(|limits| {
            asked(limits, BTreeMap::new(), |ask, known: &mut BTreeMap<String, String>| {
                match ask.request.clone() {
                    Request::CreateAccount { username, password } if !ask.exists(&username) => {
                        known.insert(username, password.chars().take(8).collect());
                    }
                    Request::LogIn { username, password, .. } => {
                        let head: String = password.chars().take(8).collect();
                        if known.get(&username) == Some(&head) {
                            ask.proof = ask.right_proof(ask.connection, &ask.request.clone());
                        }
                    }
                    _ => {}
                }
                ask.go()
            })
        }),
    },
    Mutant {
        name: "an-unknown-name-is-told-apart",
        about: "A log in to a name that nobody has gets an error of its own, because that is friendlier.",
        caught_by: &["SECURITY-2"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| match &ask.request {
                Request::LogIn { username, .. } if !ask.exists(username) => ask.refuse(ErrorName::NoSuchUser),
                _ => ask.go(),
            })
        }),
    },
    Mutant {
        name: "a-failed-log-in-ends-the-session",
        about: "The old session is cleared before the password is compared.",
        caught_by: &["SECURITY-3"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let effects = ask.go();
                if let Request::LogIn { username, .. } = &ask.request
                    && ask.proof == Proof::Wrong
                    && let Some(seat) = ask.seat_of(username)
                {
                    ask.unbind(seat);
                }
                effects
            })
        }),
    },
    Mutant {
        name: "a-text-can-name-its-sender",
        about: "Sender and text are kept as one line, `sender: text`, and split when the message is shown.",
        caught_by: &["SECURITY-8"],
        kind: Kind::Core(|limits| {
            super::told(limits, |message| {
                let line = format!("{}: {}", message.sender, message.text);
                if let Some((sender, text)) = line.rsplit_once(": ") {
                    let sender = sender.rsplit(": ").next().unwrap_or(sender);
                    (message.sender, message.text) = (sender.to_owned(), text.to_owned());
                }
            })
        }),
    },
    Mutant {
        name: "a-connection-keeps-its-first-name",
        about: "The name is noted at the first log in on a connection, and never again.",
        caught_by: &["SECURITY-8"],
        kind: Kind::Core(|limits| {
            asked(limits, <(BTreeMap<_, String>, BTreeMap<_, String>)>::default(), |ask, (first, signed)| {
                let mut effects = ask.go();
                if let Some(username) = ask.username() {
                    first.entry(ask.connection).or_insert_with(|| username.to_owned());
                }
                let signature = first.get(&ask.connection).cloned();
                if let (Request::SendMessage { recipient, .. }, Some(signature)) = (&ask.request, signature)
                    && let Some(Reply::SendMessage { message_id, .. }) = reply(&mut effects, ask.connection)
                {
                    signed.insert((recipient.clone(), *message_id), signature);
                }
                for effect in &mut effects {
                    let reader = ask.seats.get(&effect.connection()).cloned().unwrap_or_default();
                    let effect: &mut [Effect] = std::slice::from_mut(effect);
                    for message in super::messages(effect) {
                        if let Some(signature) = signed.get(&(reader.clone(), message.message_id)) {
                            message.sender.clone_from(signature);
                        }
                    }
                }
                effects
            })
        }),
    },
];
