//! Mistakes with limits: off by one, in the wrong unit, or not there.

use reference_server::Chat;
use reference_server::Limits;
use reference_server::chat::Core;
use spec::message::{ErrorName, Request};

use super::{asked, rewritten};
use crate::mutant::{Kind, Mutant};

/// More than anybody asks for.
const NO_LIMIT: u64 = 1 << 40;

pub(in crate::mutant) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a-long-username-is-cut",
        about: "The name is copied into a field of 50 characters, and what does not fit is left out.",
        caught_by: &["LIMITS-1"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::CreateAccount { username, .. } | Request::LogIn { username, .. } = &mut request {
                    *username = username.chars().take(50).collect();
                }
                request
            })
        }),
    },
    Mutant {
        name: "a-username-may-have-49-characters",
        about: "Less than, where at most was meant.",
        caught_by: &["LIMITS-1"],
        kind: Kind::Core(|limits| limited(limits, |limits| limits.username_characters -= 1)),
    },
    Mutant {
        name: "a-username-is-trimmed",
        about: "White space at the ends of a name is taken off before anybody looks at the name.",
        caught_by: &["LIMITS-2"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::CreateAccount { username, .. } | Request::LogIn { username, .. } = &mut request {
                    *username = username.trim().to_owned();
                }
                request
            })
        }),
    },
    Mutant {
        name: "a-password-may-be-of-any-length",
        about: "Only its hash is kept, so why should there be a limit.",
        caught_by: &["LIMITS-3"],
        kind: Kind::Core(|limits| limited(limits, |limits| limits.password_characters = NO_LIMIT)),
    },
    Mutant {
        name: "a-username-is-measured-in-bytes",
        about: "The length of a text is the length of its bytes in many languages.",
        caught_by: &["LIMITS-4"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| match &ask.request {
                Request::CreateAccount { username, .. } if username.len() > 50 => {
                    ask.refuse(ErrorName::InvalidUsername)
                }
                _ => ask.go(),
            })
        }),
    },
    Mutant {
        name: "a-pattern-may-be-of-any-length",
        about: "A pattern is not kept, so nobody thought of a limit.",
        caught_by: &["LIMITS-5"],
        kind: Kind::Core(|limits| limited(limits, |limits| limits.pattern_characters = NO_LIMIT)),
    },
    Mutant {
        name: "a-text-may-have-4095-bytes",
        about: "One byte of the buffer is for the zero at its end.",
        caught_by: &["LIMITS-6"],
        kind: Kind::Core(|limits| limited(limits, |limits| limits.text_bytes -= 1)),
    },
    Mutant {
        name: "a-text-is-measured-in-characters",
        about: "The length of a text is the number of its characters in other languages.",
        caught_by: &["LIMITS-6"],
        kind: Kind::Core(|mut limits| {
            limits.text_bytes = NO_LIMIT;
            asked(limits, (), |ask, ()| match &ask.request {
                Request::SendMessage { text, .. } if text.chars().count() > 4096 && ask.username().is_some() => {
                    ask.refuse(ErrorName::TextTooLong)
                }
                _ => ask.go(),
            })
        }),
    },
    Mutant {
        name: "a-long-text-is-cut",
        about: "What is too long is cut to what fits, and nobody is told.",
        caught_by: &["LIMITS-6"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::SendMessage { text, .. } = &mut request {
                    text.truncate(text.floor_char_boundary(4096));
                }
                request
            })
        }),
    },
    Mutant {
        name: "a-key-of-zeros-is-no-key",
        about: "The absent key is kept as sixteen zeros.",
        caught_by: &["LIMITS-7"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::SendMessage { key, .. } = &mut request
                    && key.iter().all(|byte| *byte == 0)
                {
                    key.clear();
                }
                request
            })
        }),
    },
    Mutant {
        name: "a-mailbox-takes-one-too-many",
        about: "The length is compared before the message is put in.",
        caught_by: &["LIMITS-8"],
        kind: Kind::Core(|limits| limited(limits, |limits| limits.mailbox_messages += 1)),
    },
    Mutant {
        name: "a-mailbox-takes-one-too-few",
        about: "The length is compared after the message is put in, and then the message is taken out again.",
        caught_by: &["LIMITS-8"],
        kind: Kind::Core(|limits| limited(limits, |limits| limits.mailbox_messages -= 1)),
    },
    Mutant {
        name: "a-page-has-no-end",
        about: "A client gets as much as it asks for.",
        caught_by: &["LIMITS-9"],
        kind: Kind::Core(|limits| limited(limits, |limits| limits.page_items = NO_LIMIT)),
    },
    Mutant {
        name: "a-page-is-longer-than-a-frame",
        about: "A page is a hundred messages, however long they are.",
        caught_by: &["LIMITS-10"],
        kind: Kind::Core(|limits| limited(limits, |limits| limits.page_bytes = NO_LIMIT)),
    },
];

/// The right core with other numbers.
fn limited(mut limits: Limits, change: fn(&mut Limits)) -> Box<dyn Core> {
    change(&mut limits);
    Box::new(Chat::new(limits))
}
