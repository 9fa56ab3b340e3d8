//! Mistakes with lists of accounts.

use reference_server::chat::Effect;
use spec::message::{ErrorName, Reply, Request};

use super::{answered, asked, reply, rewritten};
use crate::mutant::{Kind, Mutant};

pub(in crate::mutant) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "the-asker-is-not-listed",
        about: "A user knows that they are there, so their own name is left out.",
        caught_by: &["LISTING-1"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let mut effects = ask.go();
                if let Some(Reply::ListAccounts { usernames, .. }) = reply(&mut effects, ask.connection) {
                    usernames.retain(|name| Some(name.as_str()) != ask.username());
                }
                effects
            })
        }),
    },
    Mutant {
        name: "only-those-who-are-here-are-listed",
        about: "The list is made from the table of connections.",
        caught_by: &["LISTING-1"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                let mut effects = ask.go();
                if let Some(Reply::ListAccounts { usernames, .. }) = reply(&mut effects, ask.connection) {
                    usernames.retain(|name| ask.seat_of(name).is_some());
                }
                effects
            })
        }),
    },
    Mutant {
        name: "an-empty-pattern-ends-the-connection",
        about: "The empty field is taken for an end of input, as in seed 001.",
        caught_by: &["LISTING-1"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| match &ask.request {
                Request::ListAccounts { pattern, .. } if pattern.is_empty() => {
                    vec![Effect::Close { connection: ask.connection }]
                }
                _ => ask.go(),
            })
        }),
    },
    Mutant {
        name: "a-star-is-understood-at-the-end-only",
        about: "Names are compared with `starts_with`, after the star was taken off.",
        caught_by: &["LISTING-2", "LISTING-4"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::ListAccounts { pattern, .. } = &mut request {
                    // No name has a bar, so it stands for a star that is looked for as it is.
                    *pattern = format!("{}*", pattern.trim_end_matches('*').replace('*', "|"));
                }
                request
            })
        }),
    },
    Mutant {
        name: "a-question-mark-is-not-understood",
        about: "Only the star was built.",
        caught_by: &["LISTING-3"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::ListAccounts { pattern, .. } = &mut request {
                    *pattern = pattern.replace('?', "|");
                }
                request
            })
        }),
    },
    Mutant {
        name: "a-pattern-is-found-anywhere-in-a-name",
        about: "The pattern goes to a function that searches where one that matches was meant.",
        caught_by: &["LISTING-4"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::ListAccounts { pattern, .. } = &mut request {
                    *pattern = format!("*{pattern}*");
                }
                request
            })
        }),
    },
    Mutant {
        name: "a-dot-is-any-character",
        about: "The pattern becomes a regular expression, and nothing in it is quoted.",
        caught_by: &["LISTING-4"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::ListAccounts { pattern, .. } = &mut request {
                    *pattern = pattern.replace('.', "?");
                }
                request
            })
        }),
    },
    Mutant {
        name: "a-list-is-not-sorted",
        about: "Names come out of a hash table as they lie in it.",
        caught_by: &["LISTING-5"],
        kind: Kind::Core(|limits| {
            answered(limits, |_, response| {
                if let Ok(Reply::ListAccounts { usernames, .. }) = response {
                    let hash =
                        |name: &String| name.bytes().fold(7, |hash: u64, byte| (hash * 31 + u64::from(byte)) % 1009);
                    usernames.sort_by_key(hash);
                }
            })
        }),
    },
    Mutant {
        name: "a-list-is-sorted-without-case",
        about: "The database compares names as a dictionary does.",
        caught_by: &["LISTING-5"],
        kind: Kind::Core(|limits| {
            answered(limits, |_, response| {
                if let Ok(Reply::ListAccounts { usernames, .. }) = response {
                    usernames.sort_by_key(|name| name.to_lowercase());
                }
            })
        }),
    },
    Mutant {
        name: "the-limit-is-ignored",
        about: "The argument is read and never used.",
        caught_by: &["LISTING-6"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::ListAccounts { limit, .. } = &mut request {
                    *limit = 0;
                }
                request
            })
        }),
    },
    Mutant {
        name: "a-full-page-promises-more",
        about: "`more` is computed as `len == limit`.",
        caught_by: &["LISTING-6"],
        kind: Kind::Core(|limits| {
            answered(limits, |request, response| {
                if let (Request::ListAccounts { limit, .. }, Ok(Reply::ListAccounts { usernames, more })) =
                    (request, response)
                {
                    *more = usernames.len() as u64 == *limit;
                }
            })
        }),
    },
    Mutant {
        name: "a-page-begins-with-the-name-before-it",
        about: "A range that includes its start was taken for one that does not.",
        caught_by: &["LISTING-7"],
        kind: Kind::Core(|limits| {
            rewritten(limits, |mut request| {
                if let Request::ListAccounts { after, .. } = &mut request
                    && let Some(last) = after.pop()
                    && let Some(before) = char::from_u32(u32::from(last) - 1)
                {
                    // The greatest text before `after` that a name can have in practice.
                    after.extend([before, char::MAX]);
                }
                request
            })
        }),
    },
    Mutant {
        name: "a-page-after-an-unknown-name-is-the-first",
        about: "The position is looked up by name, and is 0 if the name is not found.",
        caught_by: &["LISTING-7"],
        kind: Kind::Core(|limits| {
            asked(limits, (), |ask, ()| {
                if let Request::ListAccounts { after, .. } = &ask.request
                    && !ask.exists(after)
                    && let Request::ListAccounts { after, .. } = &mut ask.request
                {
                    after.clear();
                }
                ask.go()
            })
        }),
    },
    Mutant {
        name: "a-stranger-gets-an-empty-list",
        about: "Who is not logged in is shown nobody, which seemed as good as an error.",
        caught_by: &["LISTING-8"],
        kind: Kind::Core(|limits| {
            answered(limits, |request, response| {
                if let (Request::ListAccounts { .. }, Err(failure)) = (request, &response)
                    && failure.error == ErrorName::NotLoggedIn
                {
                    *response = Ok(Reply::ListAccounts { usernames: Vec::new(), more: false });
                }
            })
        }),
    },
];
