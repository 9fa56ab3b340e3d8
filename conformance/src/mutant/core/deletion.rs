//! Mistakes with the end of an account.

use std::collections::{BTreeMap, BTreeSet};

use reference_server::chat::Effect;
use reference_server::pattern::Pattern;
use spec::message::{ErrorName, Message, Reply, Request};

use super::{answered, asked, reply, rewritten};
use crate::mutant::{Kind, Mutant};

pub(in crate::mutant) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a-deletion-only-logs-out",
        about: "The account is marked as gone, and nothing looks at the mark.",
        caught_by: &["DELETION-1"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let Request::DeleteAccount { .. } = ask.request else { return ask.go() };
                let right = ask.right_proof(ask.connection, &ask.request.clone());
                if ask.username().is_none() || ask.proof != right {
                    return ask.go();
                }
                ask.also(ask.connection, Request::LogOut {});
                ask.answer(Ok(Reply::DeleteAccount { discarded: 0, messages: Vec::new() }))
            })
        }),
    },
    Mutant {
        name: "a-deleted-name-is-still-listed",
        about: "The list is kept apart from the accounts, and a deletion forgets it.",
        caught_by: &["DELETION-1"],
        kind: Kind::Core(|limits| {
            asked(limits, BTreeSet::new(), |ask, deleted: &mut BTreeSet<String>| {
                let mut effects = ask.go();
                match (&ask.request, reply(&mut effects, ask.connection)) {
                    (_, Some(Reply::DeleteAccount { .. })) => deleted.extend(ask.username().map(str::to_owned)),
                    (Request::ListAccounts { pattern, .. }, Some(Reply::ListAccounts { usernames, .. })) => {
                        let pattern = Pattern::new(pattern);
                        let fits = |name: &&String| pattern.as_ref().is_some_and(|pattern| pattern.fits(name));
                        usernames.extend(deleted.iter().filter(fits).cloned());
                        usernames.sort();
                        usernames.dedup();
                    }
                    _ => {}
                }
                effects
            })
        }),
    },
    Mutant {
        name: "a-deletion-needs-no-password",
        about: "Who is logged in has shown the password already.",
        caught_by: &["DELETION-2"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                if let Request::DeleteAccount { .. } = ask.request {
                    ask.proof = ask.right_proof(ask.connection, &ask.request.clone());
                }
                ask.go()
            })
        }),
    },
    Mutant {
        name: "a-deletion-never-minds-what-waits",
        about: "The mailbox goes with the account, and nobody is asked.",
        caught_by: &["DELETION-3"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::DeleteAccount { discard, .. } = &mut request {
                    *discard = true;
                }
                request
            })
        }),
    },
    Mutant {
        name: "discard-is-ignored",
        about: "The flag was added to the message and forgotten in the check.",
        caught_by: &["DELETION-4"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::DeleteAccount { discard, .. } = &mut request {
                    *discard = false;
                }
                request
            })
        }),
    },
    Mutant {
        name: "a-deletion-counts-after-it-deleted",
        about: "The mailbox is counted when it is gone.",
        caught_by: &["DELETION-4"],
        kind: Kind::Core(|limits| {
            answered(limits, |_, response| {
                if let Ok(Reply::DeleteAccount { discarded, .. }) = response {
                    *discarded = 0;
                }
            })
        }),
    },
    Mutant {
        name: "a-deletion-ends-the-connection",
        about: "Without an account there is nothing left to talk about.",
        caught_by: &["DELETION-5"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let mut effects = ask.go();
                if let Some(Reply::DeleteAccount { .. }) = reply(&mut effects, ask.connection) {
                    effects.push(Effect::Close { connection: ask.connection });
                }
                effects
            })
        }),
    },
    Mutant {
        name: "a-deleted-name-is-never-free",
        about: "Accounts are not deleted but switched off, so that nothing that points to them breaks.",
        caught_by: &["DELETION-6"],
        kind: Kind::Core(|limits| {
            asked(limits, BTreeSet::new(), |ask, deleted: &mut BTreeSet<String>| {
                if let Request::CreateAccount { username, .. } = &ask.request
                    && deleted.contains(username)
                {
                    return ask.refuse(ErrorName::UsernameTaken);
                }
                let mut effects = ask.go();
                if let Some(Reply::DeleteAccount { .. }) = reply(&mut effects, ask.connection) {
                    deleted.extend(ask.username().map(str::to_owned));
                }
                effects
            })
        }),
    },
    Mutant {
        name: "the-next-owner-finds-the-old-mailbox",
        about: "Mailboxes are kept by name, in a table that a deletion does not touch.",
        caught_by: &["DELETION-6"],
        kind: Kind::Core(|limits| {
            asked(limits, BTreeMap::new(), |ask, left: &mut BTreeMap<String, Vec<Message>>| {
                let username = ask.username().unwrap_or_default().to_owned();
                if let Request::DeleteAccount { .. } = ask.request {
                    let mut page = ask.also(ask.connection, Request::DeliverMessages { acknowledge: 0, max: 100 });
                    let messages = super::messages(&mut page).map(|message| message.clone()).collect();
                    let mut effects = ask.go();
                    if reply(&mut effects, ask.connection).is_some() {
                        left.insert(username, messages);
                    }
                    return effects;
                }
                let mut effects = ask.go();
                match (&ask.request, reply(&mut effects, ask.connection)) {
                    (Request::LogIn { username, .. }, Some(Reply::LogIn { waiting, .. })) => {
                        *waiting += left.get(username).map_or(0, |messages| messages.len() as u64);
                    }
                    (_, Some(Reply::DeliverMessages { messages, .. })) => {
                        messages.splice(0..0, left.get(&username).into_iter().flatten().cloned());
                    }
                    _ => {}
                }
                effects
            })
        }),
    },
    Mutant {
        name: "a-message-goes-with-its-sender",
        about: "The sender is a foreign key, and deletions cascade.",
        caught_by: &["DELETION-7"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let mut effects = ask.go();
                if let Some(Reply::DeliverMessages { messages, .. }) = reply(&mut effects, ask.connection) {
                    messages.retain(|message| ask.exists(&message.sender));
                }
                effects
            })
        }),
    },
];
