//! Mistakes with tokens: what they open, for how long, and who can guess them.

use std::collections::BTreeMap;

use reference_server::Chat;
use spec::message::{ErrorName, Reply, Request};

use super::{answered, asked, reply};
use crate::mutant::{Kind, Mutant};

pub(in crate::mutant) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "lifetimes-are-milliseconds",
        about: "The clock counts milliseconds, and so does the answer.",
        caught_by: &["SESSIONS-16"],
        kind: Kind::Core(|limits| {
            answered(limits, |_, response| {
                if let Ok(Reply::LogIn { expires_in_s, .. }) = response {
                    *expires_in_s *= 1000;
                }
            })
        }),
    },
    Mutant {
        name: "a-token-never-expires",
        about: "The time of its end is kept and never looked at.",
        caught_by: &["SESSIONS-13", "SESSIONS-14", "SESSIONS-15"],
        kind: Kind::Core(|mut limits| {
            limits.token_lifetime_ms = 3_600_000;
            Box::new(Chat::new(limits))
        }),
    },
    Mutant {
        name: "a-token-is-always-expired",
        about: "Seconds are compared with milliseconds, so every token's time was over in 1970.",
        caught_by: &["SESSIONS-11"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| match ask.request {
                Request::ResumeSession { .. } if ask.username().is_none() => ask.refuse(ErrorName::TokenExpired),
                _ => ask.go(),
            })
        }),
    },
    Mutant {
        name: "an-expired-token-is-invalid",
        about: "A job removes tokens whose time is over, so nobody can tell them from invented ones.",
        caught_by: &["SESSIONS-13"],
        kind: Kind::Core(|limits| {
            answered(limits, |_, response| {
                if let Err(failure) = response
                    && failure.error == ErrorName::TokenExpired
                {
                    *response = Err(ErrorName::InvalidToken.into());
                }
            })
        }),
    },
    Mutant {
        name: "an-old-token-is-still-good",
        about: "Tokens are added to the list of an account, and none is ever taken off it.",
        caught_by: &["SESSIONS-10", "SESSIONS-12"],
        kind: Kind::Core(|limits| {
            asked(limits, <(BTreeMap<_, _>, BTreeMap<_, _>)>::default(), |ask, (owners, newest)| {
                if let Request::ResumeSession { token } = &mut ask.request
                    && let Some(owner) = owners.get(token)
                    && let Some(newer) = newest.get(owner)
                {
                    *token = Vec::clone(newer);
                }
                let mut effects = ask.go();
                if let Request::LogIn { username, .. } = &ask.request
                    && let Some(Reply::LogIn { token, .. }) = reply(&mut effects, ask.connection)
                {
                    owners.insert(token.clone(), username.clone());
                    newest.insert(username.clone(), token.clone());
                }
                effects
            })
        }),
    },
    Mutant {
        name: "a-log-out-keeps-the-token",
        about: "Logging out unbinds the connection, and nobody thought of the token.",
        caught_by: &["SESSIONS-9"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| match ask.request {
                Request::LogOut {} if ask.username().is_some() => {
                    ask.unbind(ask.connection);
                    ask.answer(Ok(Reply::LogOut {}))
                }
                _ => ask.go(),
            })
        }),
    },
    Mutant {
        name: "a-token-is-good-once",
        about: "A token is a ticket: it is torn when it is used.",
        caught_by: &["SECURITY-6"],
        kind: Kind::Core(|limits| {
            asked(limits, Vec::new(), |ask, used| {
                if let Request::ResumeSession { token } = &ask.request {
                    if used.contains(token) {
                        return ask.refuse(ErrorName::InvalidToken);
                    }
                    used.push(token.clone());
                }
                ask.go()
            })
        }),
    },
    Mutant {
        name: "a-token-is-made-from-the-name",
        about: "The token is a hash of the username, so the same user gets the same one again.",
        caught_by: &["SECURITY-4"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                if let Request::LogIn { username, .. } = &ask.request {
                    let mut hash = 7_u8;
                    for (at, byte) in username.bytes().cycle().take(64).enumerate() {
                        hash = hash.wrapping_mul(31) ^ byte;
                        ask.fresh_token[at % 32] = hash;
                    }
                }
                ask.go()
            })
        }),
    },
    Mutant {
        name: "a-token-is-short",
        about: "Eight bytes seemed to be enough.",
        caught_by: &["SECURITY-5"],
        kind: Kind::Core(|limits| {
            asked(limits, BTreeMap::new(), |ask, whole: &mut BTreeMap<Vec<u8>, Vec<u8>>| {
                if let Request::ResumeSession { token } = &mut ask.request
                    && let Some(known) = whole.get(token)
                {
                    token.clone_from(known);
                }
                let mut effects = ask.go();
                if let Some(Reply::LogIn { token, .. }) = reply(&mut effects, ask.connection) {
                    let short = token[..8].to_vec();
                    whole.insert(short.clone(), std::mem::replace(token, short));
                }
                effects
            })
        }),
    },
    Mutant {
        name: "any-token-will-do",
        about: "The token is compared up to the length of the one that was given, and the empty one is equal to all.",
        caught_by: &["SECURITY-6", "SESSIONS-12"],
        kind: Kind::Core(|limits| {
            asked(limits, Vec::new(), |ask, known: &mut Vec<Vec<u8>>| {
                if let Request::ResumeSession { token } = &mut ask.request
                    && let Some(fitting) = known.iter().rev().find(|known| known.starts_with(token))
                {
                    token.clone_from(fitting);
                }
                let mut effects = ask.go();
                if let Some(Reply::LogIn { token, .. }) = reply(&mut effects, ask.connection) {
                    known.push(token.clone());
                }
                effects
            })
        }),
    },
    Mutant {
        name: "a-token-opens-the-next-owner-of-the-name",
        about: "Tokens are kept by name, and a deletion leaves them.",
        caught_by: &["SECURITY-6"],
        kind: Kind::Core(|limits| {
            asked(limits, <(BTreeMap<_, _>, BTreeMap<_, _>)>::default(), |ask, (deleted, newest)| {
                if let Request::ResumeSession { token } = &mut ask.request
                    && let Some(name) = deleted.get(token)
                    && let Some(newer) = newest.get(name)
                {
                    *token = Vec::clone(newer);
                }
                let mut effects = ask.go();
                match (&ask.request, reply(&mut effects, ask.connection)) {
                    (Request::LogIn { username, .. }, Some(Reply::LogIn { token, .. })) => {
                        newest.insert(username.clone(), token.clone());
                    }
                    (_, Some(Reply::DeleteAccount { .. })) => {
                        let name = ask.username().unwrap_or_default().to_owned();
                        deleted.extend(newest.get(&name).map(|token| (token.clone(), name)));
                    }
                    _ => {}
                }
                effects
            })
        }),
    },
];
