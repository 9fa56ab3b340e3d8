//! Mistakes with sessions: who is bound to which connection, and until when.

use std::collections::BTreeMap;

use reference_server::Chat;
use reference_server::chat::{ConnectionId, Core, Effect, Input, Proof, Who};
use spec::message::{ErrorName, Reply, Request};

use super::{answered, asked, closed, reply, response, rewritten};
use crate::mutant::{Kind, Mutant};

pub(in crate::mutant) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "fetching-needs-no-session",
        about: "The check for a session stands in every operation but one.",
        caught_by: &["SECURITY-7"],
        kind: Kind::Core(|limits| {
            answered(limits, |request, response| {
                if let (Request::DeliverMessages { .. }, Err(failure)) = (request, &response)
                    && failure.error == ErrorName::NotLoggedIn
                {
                    *response = Ok(Reply::DeliverMessages { messages: Vec::new(), more: false });
                }
            })
        }),
    },
    Mutant {
        name: "a-log-out-without-a-session-is-ok",
        about: "Removing what is not there is no error in most languages.",
        caught_by: &["SESSIONS-2", "SECURITY-7"],
        kind: Kind::Core(|limits| {
            answered(limits, |request, response| {
                if let Request::LogOut {} = request {
                    *response = Ok(Reply::LogOut {});
                }
            })
        }),
    },
    Mutant {
        name: "a-log-in-sees-the-other-session-before-the-password",
        about: "It is cheaper to look for the other session first.",
        caught_by: &["SESSIONS-3"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| match &ask.request {
                Request::LogIn { username, take_over: false, .. } if ask.seat_of(username).is_some() => {
                    ask.refuse(ErrorName::AlreadyLoggedIn)
                }
                _ => ask.go(),
            })
        }),
    },
    Mutant {
        name: "every-log-in-takes-over",
        about: "The table of sessions is written without a look at what stands there.",
        caught_by: &["SESSIONS-4"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::LogIn { take_over, .. } = &mut request {
                    *take_over = true;
                }
                request
            })
        }),
    },
    Mutant {
        name: "a-take-over-is-refused",
        about: "The flag was added to the message and forgotten in the check.",
        caught_by: &["SESSIONS-5", "ROBUSTNESS-11"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::LogIn { take_over, .. } = &mut request {
                    *take_over = false;
                }
                request
            })
        }),
    },
    Mutant {
        name: "a-take-over-needs-no-password",
        about: "Who takes over is thought to have been logged in before.",
        caught_by: &["SESSIONS-3", "SECURITY-3"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                if let Request::LogIn { take_over: true, .. } = ask.request {
                    ask.proof = ask.right_proof(ask.connection, &ask.request.clone());
                }
                ask.go()
            })
        }),
    },
    Mutant {
        name: "a-session-that-was-taken-over-stays",
        about: "The new connection is added to the user's, and the old one is not taken away.",
        caught_by: &["SESSIONS-6", "SECURITY-10"],
        kind: Kind::Core(|limits| {
            asked(limits, BTreeMap::new(), |ask, heirs: &mut BTreeMap<ConnectionId, ConnectionId>| {
                let old = ask.connection;
                let mut heir = old;
                while let Some(next) = heirs.get(&heir) {
                    heir = *next;
                }
                ask.connection = heir;
                let mut effects = ask.go();
                ask.connection = old;
                effects.retain_mut(|effect| match effect {
                    Effect::Close { connection } => {
                        heirs.insert(*connection, heir);
                        false
                    }
                    Effect::Respond { connection, .. } => {
                        *connection = old;
                        true
                    }
                    Effect::Push { .. } => true,
                });
                effects
            })
        }),
    },
    Mutant {
        name: "a-log-in-on-top-of-a-session-replaces-it",
        about: "The name of the connection is overwritten, whoever it was.",
        caught_by: &["SESSIONS-7"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                if let Request::LogIn { .. } = ask.request
                    && ask.username().is_some()
                {
                    ask.unbind(ask.connection);
                    ask.proof = ask.right_proof(ask.connection, &ask.request.clone());
                }
                ask.go()
            })
        }),
    },
    Mutant {
        name: "a-log-out-only-says-so",
        about: "The client is told that it is logged out, and trusted to believe it.",
        caught_by: &["SESSIONS-8", "SESSIONS-9"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| match &ask.request {
                Request::LogOut {} if ask.username().is_some() => ask.answer(Ok(Reply::LogOut {})),
                _ => ask.go(),
            })
        }),
    },
    Mutant {
        name: "a-log-out-ends-the-connection",
        about: "Logging out and hanging up were the same thing once.",
        caught_by: &["SESSIONS-8"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let mut effects = ask.go();
                if let Some(Reply::LogOut {}) = reply(&mut effects, ask.connection) {
                    effects.push(Effect::Close { connection: ask.connection });
                }
                effects
            })
        }),
    },
    Mutant {
        name: "an-expired-session-ends-the-connection",
        about: "A token that is over is treated like an attack.",
        caught_by: &["SESSIONS-14"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let mut effects = ask.go();
                let bound = ask.username().is_some();
                if let Some(Err(failure)) = response(&mut effects, ask.connection)
                    && failure.error == ErrorName::NotLoggedIn
                    && bound
                {
                    effects = vec![Effect::Close { connection: ask.connection }];
                }
                effects
            })
        }),
    },
    Mutant {
        name: "who-has-left-is-still-here",
        about: "The name is not taken out of the table when its connection ends, as in seed 002: nobody comes back.",
        caught_by: &["ROBUSTNESS-2"],
        kind: Kind::Core(|limits| closed(limits, |_, _, _| Vec::new())),
    },
    Mutant {
        name: "hanging-up-logs-out",
        about: "The clean-up of a connection calls the handler of log out.",
        caught_by: &["ROBUSTNESS-3"],
        kind: Kind::Core(|limits| {
            closed(limits, |chat, connection, now_ms| {
                request(chat, connection, Request::LogOut {}, now_ms);
                chat.apply(Input::Closed(connection), now_ms)
            })
        }),
    },
    Mutant {
        name: "hanging-up-loses-what-waits",
        about: "Mailboxes are kept in the object of the connection.",
        caught_by: &["ROBUSTNESS-3"],
        kind: Kind::Core(|limits| {
            closed(limits, |chat, connection, now_ms| {
                // Numbers rise by one, and the last of these that is not beyond the end takes all.
                for acknowledge in 1..=4 {
                    request(chat, connection, Request::DeliverMessages { acknowledge, max: 0 }, now_ms);
                }
                chat.apply(Input::Closed(connection), now_ms)
            })
        }),
    },
];

/// What a connection asks for without knowing it.
fn request(chat: &mut Chat, connection: ConnectionId, request: Request, now_ms: u64) {
    let (who, proof, fresh_token) = (Who::Connection, Proof::Nothing, [0; 32]);
    chat.apply(Input::Request { connection, who, request, proof, fresh_token }, now_ms);
}
