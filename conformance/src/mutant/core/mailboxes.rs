//! Mistakes with what waits: numbers, pages, acknowledgements.

use std::collections::BTreeMap;

use reference_server::chat::Effect;
use spec::message::{ErrorName, Event, Message, Reply, Request};

use super::{answered, asked, reply, rewritten, told};
use crate::mutant::{Kind, Mutant};

pub(in crate::mutant) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "messages-are-numbered-from-zero",
        about: "The number of a message is its place in an array.",
        caught_by: &["DELIVERY-6"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let mut effects = ask.go();
                if let Some(Reply::SendMessage { message_id, .. }) = reply(&mut effects, ask.connection) {
                    *message_id -= 1;
                }
                super::messages(&mut effects).for_each(|message| message.message_id -= 1);
                effects
            })
        }),
    },
    Mutant {
        name: "numbers-are-used-again",
        about: "The next number is the length of the queue plus one, and the queue gets shorter.",
        caught_by: &["DELIVERY-6"],
        kind: Kind::Core(|limits| {
            asked(limits, BTreeMap::new(), |ask, gone: &mut BTreeMap<String, u64>| {
                let reader = ask.username().unwrap_or_default().to_owned();
                if let Request::DeliverMessages { acknowledge, .. } = &mut ask.request
                    && *acknowledge > 0
                {
                    *acknowledge += gone.get(&reader).copied().unwrap_or_default();
                }
                let mut effects = ask.go();
                match (&ask.request, reply(&mut effects, ask.connection)) {
                    (Request::SendMessage { recipient, .. }, Some(Reply::SendMessage { message_id, .. })) => {
                        *message_id -= gone.get(recipient).copied().unwrap_or_default();
                    }
                    (
                        Request::DeliverMessages { acknowledge, max },
                        Some(Reply::DeliverMessages { messages, more: false }),
                    ) if messages.is_empty() && *max > 0 && *acknowledge > 0 => {
                        gone.insert(reader, *acknowledge);
                    }
                    _ => {}
                }
                for effect in &mut effects {
                    let gone = ask.seats.get(&effect.connection()).and_then(|name| gone.get(name)).copied();
                    for message in super::messages(std::slice::from_mut(effect)) {
                        message.message_id -= gone.unwrap_or_default();
                    }
                }
                effects
            })
        }),
    },
    Mutant {
        name: "the-newest-message-comes-first",
        about: "A stack where a queue belongs.",
        caught_by: &["DELIVERY-7"],
        kind: Kind::Core(|limits| {
            answered(limits, |_, response| {
                if let Ok(Reply::DeliverMessages { messages, .. }) = response {
                    messages.reverse();
                }
            })
        }),
    },
    Mutant {
        name: "fetching-empties-the-mailbox",
        about: "What was put on the wire is thought to be read.",
        caught_by: &["DELIVERY-9"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let mut effects = ask.go();
                if let Some(Reply::DeliverMessages { messages, .. }) = reply(&mut effects, ask.connection)
                    && let Some(Message { message_id, .. }) = messages.last()
                {
                    ask.also(ask.connection, Request::DeliverMessages { acknowledge: *message_id, max: 0 });
                }
                effects
            })
        }),
    },
    Mutant {
        name: "a-push-empties-the-mailbox",
        about: "Only what could not be pushed is kept.",
        caught_by: &["DELIVERY-9", "DELETION-3"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let effects = ask.go();
                for effect in &effects {
                    if let Effect::Push { connection, event: Event::Message(message) } = effect {
                        let acknowledge = message.message_id;
                        ask.also(*connection, Request::DeliverMessages { acknowledge, max: 0 });
                    }
                }
                effects
            })
        }),
    },
    Mutant {
        name: "acknowledgements-are-ignored",
        about: "The queue is not cleared after its messages were delivered, as seed 000 found out.",
        caught_by: &["DELIVERY-10", "DELIVERY-11", "LIMITS-8"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::DeliverMessages { acknowledge, .. } = &mut request {
                    *acknowledge = 0;
                }
                request
            })
        }),
    },
    Mutant {
        name: "delivered-messages-return",
        about: "Who logs in again is served from a copy without acknowledgements, as after a fail-over of seed 003.",
        caught_by: &["DELIVERY-10"],
        kind: Kind::Core(|limits| {
            asked(limits, BTreeMap::new(), |ask, seen: &mut BTreeMap<String, (bool, Vec<Message>)>| {
                let mut effects = ask.go();
                let reader = ask.username().unwrap_or_default().to_owned();
                match (&ask.request, reply(&mut effects, ask.connection)) {
                    (Request::LogIn { username, .. }, Some(_)) => seen.entry(username.clone()).or_default().0 = true,
                    (_, Some(Reply::DeliverMessages { messages, .. })) => {
                        let (again, old) = seen.entry(reader).or_default();
                        let new: Vec<_> = messages.iter().filter(|message| !old.contains(message)).cloned().collect();
                        if std::mem::take(again) {
                            *messages = old.iter().chain(&new).cloned().collect();
                        }
                        old.extend(new);
                    }
                    _ => {}
                }
                effects
            })
        }),
    },
    Mutant {
        name: "an-acknowledgement-takes-one-too-many",
        about: "Up to and including, or not including? Here it is one more than both.",
        caught_by: &["DELIVERY-9"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let mut effects = ask.go();
                if let Request::DeliverMessages { acknowledge, max } = ask.request
                    && acknowledge > 0
                    && reply(&mut effects, ask.connection).is_some()
                {
                    let acknowledge = acknowledge + 1;
                    let more = ask.also(ask.connection, Request::DeliverMessages { acknowledge, max });
                    effects =
                        if matches!(more[..], [Effect::Respond { response: Ok(_), .. }]) { more } else { effects };
                }
                effects
            })
        }),
    },
    Mutant {
        name: "an-acknowledgement-is-not-checked",
        about: "Whatever number comes is taken, and what is not there cannot be removed.",
        caught_by: &["DELIVERY-11"],
        kind: Kind::Core(|limits| {
            answered(limits, |_, response| {
                if response.as_ref().is_err_and(|failure| failure.error == ErrorName::InvalidCursor) {
                    *response = Ok(Reply::DeliverMessages { messages: Vec::new(), more: false });
                }
            })
        }),
    },
    Mutant {
        name: "max-is-ignored",
        about: "A fetch brings a page, however long a page the client wants.",
        caught_by: &["DELIVERY-12"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::DeliverMessages { max, .. } = &mut request {
                    *max = 100;
                }
                request
            })
        }),
    },
    Mutant {
        name: "there-is-never-more",
        about: "The flag is a field that nobody sets.",
        caught_by: &["DELIVERY-12", "LISTING-6", "LIMITS-10"],
        kind: Kind::Core(|limits| {
            answered(limits, |_, response| {
                if let Ok(Reply::DeliverMessages { more, .. } | Reply::ListAccounts { more, .. }) = response {
                    *more = false;
                }
            })
        }),
    },
    Mutant {
        name: "nothing-is-ever-waiting",
        about: "The count is taken from the queue of the new connection, which is empty.",
        caught_by: &["DELIVERY-17"],
        kind: Kind::Core(|limits| {
            answered(limits, |_, response| {
                if let Ok(Reply::LogIn { waiting, .. }) = response {
                    *waiting = 0;
                }
            })
        }),
    },
    Mutant {
        name: "what-was-fetched-no-longer-counts",
        about: "The count is of messages that were never shown, and not of those that were never acknowledged.",
        caught_by: &["DELIVERY-17"],
        kind: Kind::Core(|limits| {
            asked(limits, BTreeMap::new(), |ask, shown: &mut BTreeMap<String, u64>| {
                let mut effects = ask.go();
                let reader = ask.username().unwrap_or_default().to_owned();
                match (&ask.request, reply(&mut effects, ask.connection)) {
                    (_, Some(Reply::DeliverMessages { messages, .. })) => {
                        shown.insert(reader, messages.len() as u64);
                    }
                    (Request::LogIn { username, .. }, Some(Reply::LogIn { waiting, .. })) => {
                        *waiting = waiting.saturating_sub(shown.get(username).copied().unwrap_or_default());
                    }
                    _ => {}
                }
                effects
            })
        }),
    },
    Mutant {
        name: "a-message-is-stamped-when-it-is-fetched",
        about: "The time is put in where the answer is made.",
        caught_by: &["DELIVERY-9", "DELIVERY-20"],
        kind: Kind::Core(|limits| {
            asked(limits, 0, |ask, fetches| {
                let mut effects = ask.go();
                if let Some(Reply::DeliverMessages { messages, .. }) = reply(&mut effects, ask.connection) {
                    *fetches += 1;
                    // A clock that moves at least a little between two fetches.
                    messages.iter_mut().for_each(|message| message.sent_at = ask.now_ms + *fetches);
                }
                effects
            })
        }),
    },
    Mutant {
        name: "texts-are-kept-in-a-narrow-column",
        about: "The column is 255 characters wide, and the database cuts in silence.",
        caught_by: &["LIMITS-6"],
        kind: Kind::Core(|limits| told(limits, |message| message.text = message.text.chars().take(255).collect())),
    },
];
