//! Mistakes on a message's way from its sender to its reader.

use std::collections::BTreeMap;

use reference_server::chat::{ConnectionId, Effect};
use spec::message::{ErrorName, Event, Reply, Request};

use super::{answered, asked, reply, response, rewritten, told};
use crate::mutant::{Kind, Mutant};

pub(in crate::mutant) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "everything-is-queued",
        about: "Delivery on demand was built first, and live delivery never.",
        caught_by: &["DELIVERY-1", "DELIVERY-2"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let mut effects = ask.go();
                effects.retain(|effect| !matches!(effect, Effect::Push { .. }));
                if let Some(Reply::SendMessage { delivered, .. }) = reply(&mut effects, ask.connection) {
                    *delivered = false;
                }
                effects
            })
        }),
    },
    Mutant {
        name: "every-answer-says-delivered",
        about: "The flag is set where the message is accepted.",
        caught_by: &["DELIVERY-2"],
        kind: Kind::Core(|limits| {
            answered(limits, |_, response| {
                if let Ok(Reply::SendMessage { delivered, .. }) = response {
                    *delivered = true;
                }
            })
        }),
    },
    Mutant {
        name: "messages-have-no-time",
        about: "The field was added to the wire, and never filled.",
        caught_by: &["DELIVERY-20"],
        kind: Kind::Core(|limits| told(limits, |message| message.sent_at = 0)),
    },
    Mutant {
        name: "times-are-seconds",
        about: "The language's own clock counts seconds, and nobody multiplied.",
        caught_by: &["DELIVERY-20"],
        kind: Kind::Core(|limits| told(limits, |message| message.sent_at /= 1000)),
    },
    Mutant {
        name: "a-log-in-pushes-what-waits",
        about: "Who logs in wants to read, so the mailbox is sent along, and even before the answer.",
        caught_by: &["DELIVERY-3"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let mut effects = ask.go();
                if let Some(Reply::LogIn { .. }) = reply(&mut effects, ask.connection) {
                    let connection = ask.connection;
                    let mut page = ask.also(connection, Request::DeliverMessages { acknowledge: 0, max: 100 });
                    if let Some(Reply::DeliverMessages { messages, .. }) = reply(&mut page, connection) {
                        let pushes = messages.drain(..).map(|message| {
                            let event = Event::Message(message);
                            Effect::Push { connection, event }
                        });
                        effects.splice(0..0, pushes);
                    }
                }
                effects
            })
        }),
    },
    Mutant {
        name: "two-equal-texts-become-one",
        about: "Waiting messages are rows of a set, as in seed 003: sender, recipient, text.",
        caught_by: &["DELIVERY-7"],
        kind: Kind::Core(|limits| {
            asked(limits, BTreeMap::new(), |ask, waiting| {
                let row = match &ask.request {
                    Request::SendMessage { recipient, text, .. } if ask.seat_of(recipient).is_none() => {
                        (ask.username().map(str::to_owned), recipient.clone(), text.clone())
                    }
                    _ => return ask.go(),
                };
                if let Some(message_id) = waiting.get(&row) {
                    return ask.answer(Ok(Reply::SendMessage { message_id: *message_id, delivered: false }));
                }
                let mut effects = ask.go();
                if let Some(Reply::SendMessage { message_id, .. }) = reply(&mut effects, ask.connection) {
                    waiting.insert(row, *message_id);
                }
                effects
            })
        }),
    },
    Mutant {
        name: "a-text-ends-at-its-first-line",
        about: "Messages are read with a function for lines, as in seed 000.",
        caught_by: &["DELIVERY-4"],
        kind: Kind::Core(|limits| {
            told(limits, |message| {
                message.text.truncate(message.text.find('\n').unwrap_or(message.text.len()));
            })
        }),
    },
    Mutant {
        name: "a-text-is-trimmed",
        about: "White space around a text was thought to be an accident.",
        caught_by: &["DELIVERY-4"],
        kind: Kind::Core(|limits| told(limits, |message| message.text = message.text.trim().to_owned())),
    },
    Mutant {
        name: "a-text-that-is-not-ascii-is-lost",
        about: "Encoding fails after the answer was sent, as in seed 001, and the error is only logged.",
        caught_by: &["DELIVERY-4"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| match &ask.request {
                Request::SendMessage { recipient, text, .. } if !text.is_ascii() && ask.exists(recipient) => {
                    let delivered = ask.seat_of(recipient).is_some();
                    ask.answer(Ok(Reply::SendMessage { message_id: 1, delivered }))
                }
                _ => ask.go(),
            })
        }),
    },
    Mutant {
        name: "a-message-to-nobody-is-ok",
        about: "A mailbox is made for every name that anybody writes to.",
        caught_by: &["DELIVERY-5"],
        kind: Kind::Core(|limits| {
            answered(limits, |_, response| {
                if response.as_ref().is_err_and(|failure| failure.error == ErrorName::NoSuchUser) {
                    *response = Ok(Reply::SendMessage { message_id: 1, delivered: false });
                }
            })
        }),
    },
    Mutant {
        name: "a-message-is-pushed-twice",
        about: "It is pushed when it is accepted, and once more by the loop that empties the queue.",
        caught_by: &["DELIVERY-8"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let effects = ask.go();
                let twice = |effect: Effect| {
                    let copies = if matches!(effect, Effect::Push { .. }) { 2 } else { 1 };
                    std::iter::repeat_n(effect, copies)
                };
                effects.into_iter().flat_map(twice).collect()
            })
        }),
    },
    Mutant {
        name: "fetching-pushes-again",
        about: "A fetch is answered, and its messages also go the way of all messages.",
        caught_by: &["DELIVERY-8"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let (mut effects, connection) = (ask.go(), ask.connection);
                if let Some(Reply::DeliverMessages { messages, .. }) = reply(&mut effects, connection) {
                    let messages = messages.clone();
                    effects.extend(messages.into_iter().map(|message| {
                        let event = Event::Message(message);
                        Effect::Push { connection, event }
                    }));
                }
                effects
            })
        }),
    },
    Mutant {
        name: "a-message-is-echoed-to-its-sender",
        about: "The client shows what it receives, so the server sends the sender a copy.",
        caught_by: &["DELIVERY-16", "SECURITY-9"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let mut effects = ask.go();
                let copies = effects.iter().filter_map(|effect| match effect {
                    Effect::Push { event, connection } if *connection != ask.connection => {
                        Some(Effect::Push { connection: ask.connection, event: event.clone() })
                    }
                    _ => None,
                });
                let copies: Vec<Effect> = copies.collect();
                effects.extend(copies);
                effects
            })
        }),
    },
    Mutant {
        name: "a-message-goes-to-everybody",
        about: "The first chat server everyone writes is a broadcast.",
        caught_by: &["DELIVERY-16", "SECURITY-9"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let mut effects = ask.go();
                let pushed = effects.iter().find_map(|effect| match effect {
                    Effect::Push { event, connection } => Some((event.clone(), *connection)),
                    _ => None,
                });
                if let Some((event, reader)) = pushed {
                    let others = ask.seats.keys().filter(|seat| **seat != reader && **seat != ask.connection);
                    let copies = others.map(|seat| Effect::Push { connection: *seat, event: event.clone() });
                    effects.extend(copies.collect::<Vec<_>>());
                }
                effects
            })
        }),
    },
    Mutant {
        name: "a-message-goes-to-whoever-came-last",
        about: "The socket is a variable of the loop, and the handler sees its latest value.",
        caught_by: &["DELIVERY-1", "DELIVERY-16"],
        kind: Kind::Core(|limits| {
            asked(limits, ConnectionId(0), |ask, last| {
                let mut effects = ask.go();
                if let Some(Reply::LogIn { .. }) = reply(&mut effects, ask.connection) {
                    *last = ask.connection;
                }
                for effect in &mut effects {
                    if let Effect::Push { connection, .. } = effect {
                        *connection = *last;
                    }
                }
                effects
            })
        }),
    },
    Mutant {
        name: "an-answer-overtakes-its-event",
        about: "Events leave through a queue of their own, behind the answer.",
        caught_by: &["DELIVERY-18"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let mut effects = ask.go();
                effects.reverse();
                effects
            })
        }),
    },
    Mutant {
        name: "the-recipient-is-looked-for-first",
        about: "Whether there is anybody to write to is checked before what is written.",
        caught_by: &["DELIVERY-19"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| match &ask.request {
                Request::SendMessage { recipient, .. } if ask.username().is_some() && !ask.exists(recipient) => {
                    ask.refuse(ErrorName::NoSuchUser)
                }
                _ => ask.go(),
            })
        }),
    },
    Mutant {
        name: "the-text-is-measured-before-the-session",
        about: "Arguments are checked while they are parsed, and sessions later.",
        caught_by: &["DELIVERY-19"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| match &ask.request {
                Request::SendMessage { text, .. } if text.len() > 4096 => ask.refuse(ErrorName::TextTooLong),
                _ => ask.go(),
            })
        }),
    },
    Mutant {
        name: "a-key-is-ignored",
        about: "The field is there for later.",
        caught_by: &["DELIVERY-13", "DELIVERY-14", "LIMITS-7"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::SendMessage { key, .. } = &mut request {
                    key.clear();
                }
                request
            })
        }),
    },
    Mutant {
        name: "a-repeated-send-is-pushed-again",
        about: "The key protects the mailbox, and the push comes before it.",
        caught_by: &["DELIVERY-8", "DELIVERY-13"],
        kind: Kind::Core(|limits| {
            asked(limits, BTreeMap::new(), |ask, pushed: &mut BTreeMap<Vec<u8>, Effect>| {
                let mut effects = ask.go();
                let Request::SendMessage { key, .. } = &ask.request else { return effects };
                let accepted = reply(&mut effects, ask.connection).is_some();
                match effects.iter().find(|effect| matches!(effect, Effect::Push { .. })) {
                    Some(push) if !key.is_empty() => drop(pushed.insert(key.clone(), push.clone())),
                    None if accepted => effects.extend(pushed.get(key).cloned()),
                    _ => {}
                }
                effects
            })
        }),
    },
    Mutant {
        name: "a-key-is-good-for-any-text",
        about: "A known key is answered as before, whatever came with it.",
        caught_by: &["DELIVERY-14"],
        kind: Kind::Core(|limits| {
            answered(limits, |_, response| {
                if response.as_ref().is_err_and(|failure| failure.error == ErrorName::KeyConflict) {
                    *response = Ok(Reply::SendMessage { message_id: 1, delivered: false });
                }
            })
        }),
    },
    Mutant {
        name: "all-users-share-their-keys",
        about: "Keys are in one table for the whole server.",
        caught_by: &["DELIVERY-14"],
        kind: Kind::Core(|limits| {
            asked(limits, BTreeMap::new(), |ask, owners: &mut BTreeMap<Vec<u8>, String>| {
                let (Request::SendMessage { key, .. }, Some(username)) = (&ask.request, ask.username()) else {
                    return ask.go();
                };
                let username = username.to_owned();
                if !key.is_empty() && *owners.entry(key.clone()).or_insert(username.clone()) != username {
                    return ask.refuse(ErrorName::KeyConflict);
                }
                ask.go()
            })
        }),
    },
    Mutant {
        name: "a-refused-send-uses-up-its-key",
        about: "The key is noted with the first answer, whatever that was.",
        caught_by: &["DELIVERY-15"],
        kind: Kind::Core(|limits| {
            asked(limits, BTreeMap::new(), |ask, refused| {
                let (Request::SendMessage { key, .. }, Some(username)) = (&ask.request, ask.username()) else {
                    return ask.go();
                };
                let key = (username.to_owned(), key.clone());
                if let Some(error) = refused.get(&key) {
                    return ask.refuse(*error);
                }
                let mut effects = ask.go();
                if let Some(Err(failure)) = response(&mut effects, ask.connection)
                    && !key.1.is_empty()
                {
                    refused.insert(key, failure.error);
                }
                effects
            })
        }),
    },
];
