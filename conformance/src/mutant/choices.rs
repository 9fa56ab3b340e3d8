//! Mistakes over other wires than the protocol's own: servers that do not what they say they have chosen.
//!
//! Most of them are a table: a wire, what it says, and what its server does instead.

use std::sync::Arc;

use reference_server::chat::{ConnectionId, Core, Effect, Input, Proof, Who};
use reference_server::net::Tcp;
use reference_server::{Chat, Limits, Policies};
use spec::Spec;
use spec::dialect::Dialect;
use spec::message::{ErrorName, Reply, Request};

use crate::mutant::core::{answered, asked, closed};
use crate::mutant::disk::{self, Fault};
use crate::mutant::stream::{BentTcp, Habit, Mistake};
use crate::mutant::{Kind, Mutant};
use crate::target::{Reference, Starter};

/// Policies with their choices, by name.
pub(super) type Choices = &'static [(&'static str, &'static str)];

/// A wire, and what is wrong with a server over it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Over {
    /// The dialect that it speaks.
    pub(super) dialect: &'static str,
    /// What it says of itself, where that is not what its dialect says.
    pub(super) says: Choices,
    pub(super) wrong: Wrong,
}

/// What is wrong.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wrong {
    /// It makes other choices than it says.
    Does(Choices),
    /// What an operation means.
    Core(fn(Limits) -> Box<dyn Core>),
    /// What becomes of bytes.
    Habit(fn() -> Box<dyn Habit>),
    /// What it finds again when it is started.
    Disk(Fault),
}

/// The dialect with other choices.
pub(super) fn with(mut dialect: Arc<Dialect>, choices: Choices) -> Arc<Dialect> {
    if !choices.is_empty() {
        let choices = choices.iter().map(|(policy, choice)| ((*policy).to_owned(), (*choice).to_owned()));
        Arc::make_mut(&mut dialect).policies.extend(choices);
    }
    dialect
}

pub(super) fn starter(over: Over, spec: Arc<Spec>, dialect: Arc<Dialect>) -> Arc<dyn Starter> {
    match over.wrong {
        Wrong::Does(choices) => {
            let does = with(Arc::clone(&dialect), choices);
            // What makes no difference to the server would prove nothing.
            assert_ne!(Policies::of(&does), Policies::of(&dialect), "{choices:?} is what {} says", dialect.name);
            Arc::new(Reference::new(spec, does))
        }
        Wrong::Core(core) => Arc::new(Reference::bent(spec, dialect, Tcp, core)),
        Wrong::Habit(habit) => Arc::new(Reference::bent(spec, dialect, BentTcp(Mistake::Habit(habit)), Chat::new)),
        Wrong::Disk(fault) => disk::starter(fault, spec, dialect),
    }
}

/// A server that does something else than what its dialect says.
const fn does(
    dialect: &'static str,
    choices: Choices,
    name: &'static str,
    about: &'static str,
    caught_by: &'static [&'static str],
) -> Mutant {
    Mutant { name, about, caught_by, kind: Kind::Over(Over { dialect, says: &[], wrong: Wrong::Does(choices) }) }
}

/// A server over the protocol's own wire that says the first and does the second.
const fn says(
    says: Choices,
    choices: Choices,
    name: &'static str,
    about: &'static str,
    caught_by: &'static [&'static str],
) -> Mutant {
    Mutant { name, about, caught_by, kind: Kind::Over(Over { dialect: "framed", says, wrong: Wrong::Does(choices) }) }
}

/// A server with another mistake than in its choices.
const fn bent(
    dialect: &'static str,
    core: fn(Limits) -> Box<dyn Core>,
    name: &'static str,
    about: &'static str,
    caught_by: &'static [&'static str],
) -> Mutant {
    Mutant { name, about, caught_by, kind: Kind::Over(Over { dialect, says: &[], wrong: Wrong::Core(core) }) }
}

pub(super) const MUTANTS: &[Mutant] = &[
    does(
        "000",
        &[("after_create", "logged_out")],
        "a-new-user-must-log-in-first",
        "The session is made in the handler of log in, and nowhere else.",
        &["ACCOUNTS-5"],
    ),
    does(
        "000",
        &[("delete_waiting", "kept")],
        "a-mailbox-outlives-its-owner",
        "Mailboxes are kept by name, and a deletion takes the account only.",
        &["DELETION-8"],
    ),
    does(
        "003",
        &[("delete_waiting", "discarded")],
        "a-deletion-shows-nothing",
        "The mailbox is deleted before it is read.",
        &["DELETION-9"],
    ),
    says(
        &[("delete_waiting", "kept")],
        &[("delete_waiting", "discarded")],
        "nothing-is-left-to-the-next-owner",
        "The messages point to the account, and deletions cascade.",
        &["DELETION-10"],
    ),
    does(
        "001",
        &[("delete_needs", "session_and_password")],
        "a-deletion-asks-for-a-password-that-nobody-can-say",
        "The check is that of log in, and the wire has no field for it.",
        &["DELETION-11"],
    ),
    does(
        "003",
        &[("delete_needs", "session_and_password")],
        "only-who-is-logged-in-is-deleted",
        "The account is that of the connection, which has none here.",
        &["DELETION-12"],
    ),
    bent(
        "003",
        |limits| {
            asked(limits, (), |ask, ()| {
                if let Request::DeleteAccount { .. } = ask.request {
                    ask.proof = ask.right_proof_of(ask.connection, &ask.who, &ask.request);
                }
                ask.go()
            })
        },
        "anybody-deletes-anybody",
        "The row is deleted where the name fits, and the password is not in the query.",
        &["DELETION-12"],
    ),
    says(
        &[("deleted_name", "kept")],
        &[("deleted_name", "free")],
        "the-dead-are-forgotten",
        "A name that is not in the table is free.",
        &["DELETION-13"],
    ),
    does(
        "000",
        &[("deliver_drains", "never")],
        "a-queue-is-read-and-not-emptied",
        "The loop goes over the queue and takes nothing out of it.",
        &["DELIVERY-21", "DELIVERY-22"],
    ),
    does(
        "003",
        &[("at_log_in", "nothing")],
        "a-log-in-brings-nothing",
        "What waits is fetched by an operation of its own.",
        &["DELIVERY-23"],
    ),
    says(
        &[("at_log_in", "pushed")],
        &[("at_log_in", "nothing")],
        "nothing-is-pushed-behind-a-log-in",
        "Only what is new is pushed.",
        &["DELIVERY-27"],
    ),
    says(
        &[("deliver_drains", "never")],
        &[("deliver_drains", "at_once")],
        "history-is-lost-by-reading-it",
        "The table of messages is a queue.",
        &["DELIVERY-24"],
    ),
    bent(
        "001",
        |limits| {
            asked(limits, (), |ask, ()| match &ask.request {
                Request::SendMessage { recipient, .. } if ask.seat_of(recipient).is_some() => {
                    ask.answer(Ok(Reply::SendMessage { message_id: 1, delivered: true }))
                }
                _ => ask.go(),
            })
        },
        "who-is-logged-in-is-thought-to-be-told",
        "Only those who are away have a mailbox, and nothing here is ever pushed.",
        &["DELIVERY-25"],
    ),
    says(
        &[("echo", "echoed")],
        &[("echo", "none")],
        "the-sender-gets-no-copy",
        "Clients show what they send by themselves, or so it was thought.",
        &["DELIVERY-26"],
    ),
    does(
        "000",
        &[("pattern", "none")],
        "a-pattern-is-not-looked-at",
        "All names fit on a screen, so all are sent.",
        &["LISTING-9", "LISTING-12"],
    ),
    does(
        "000",
        &[("list_needs_session", "needed")],
        "a-stranger-may-not-list",
        "The session is checked before the code is looked at.",
        &["LISTING-10"],
    ),
    does(
        "000",
        &[("list_order", "sorted")],
        "the-order-of-making-is-lost",
        "Accounts are kept in a tree.",
        &["LISTING-11"],
    ),
    does(
        "000",
        &[("pattern", "regex_full")],
        "a-regular-expression-must-fit-to-the-end",
        "`fullmatch` was written where `match` was meant.",
        &["LISTING-12"],
    ),
    says(
        &[("pattern", "regex_full")],
        &[("pattern", "regex_prefix")],
        "a-regular-expression-need-not-fit-to-the-end",
        "`match` was written where `fullmatch` was meant.",
        &["LISTING-13"],
    ),
    does(
        "003",
        &[("pattern", "regex_prefix")],
        "a-part-of-a-name-is-taken-for-an-expression",
        "`re.match` looked like the way to find a text in a text.",
        &["LISTING-14"],
    ),
    says(
        &[("pattern", "like")],
        &[("pattern", "glob")],
        "like-is-another-glob",
        "The pattern goes to the database as it is, whose other operator was used.",
        &["LISTING-15"],
    ),
    bent(
        "000",
        |limits| {
            answered(limits, |_, response| {
                if response.as_ref().is_err_and(|failure| failure.error == ErrorName::InvalidPattern) {
                    *response = Ok(Reply::ListAccounts { usernames: Vec::new(), more: false });
                }
            })
        },
        "an-expression-that-is-none-fits-nobody",
        "The exception is caught around the loop that compares.",
        &["LISTING-16"],
    ),
    says(
        &[("listed", "others")],
        &[("listed", "everyone")],
        "the-asker-is-among-the-others",
        "The list is the same for everyone.",
        &["LISTING-17"],
    ),
    says(
        &[("listed", "online")],
        &[("listed", "everyone")],
        "who-is-away-is-listed",
        "The list is made from the accounts and not from the connections.",
        &["LISTING-18"],
    ),
    Mutant {
        name: "who-was-there-at-a-crash-is-there-for-ever",
        about: "Who is online is a column of the accounts, and nobody clears it at a start.",
        caught_by: &["ROBUSTNESS-13"],
        kind: Kind::Over(Over { dialect: "framed", says: &[], wrong: Wrong::Disk(Fault::BelievesWhoWasThere) }),
    },
    says(
        &[("second_log_in", "takes_over")],
        &[("second_log_in", "refused")],
        "a-second-log-in-is-refused",
        "Who is in the table of sessions is logged in already.",
        &["SESSIONS-17"],
    ),
    says(
        &[("second_log_in", "takes_over")],
        &[("second_log_in", "both")],
        "a-second-log-in-ends-nothing",
        "A session is added, and the old one is left where it was.",
        &["SESSIONS-17"],
    ),
    says(
        &[("second_log_in", "both")],
        &[("second_log_in", "takes_over")],
        "there-is-room-for-one-session",
        "The table of sessions has one place for each name.",
        &["SESSIONS-18"],
    ),
    bent(
        "001",
        |limits| closed(limits, log_out),
        "a-session-ends-with-its-connection",
        "The clean-up of a connection clears the token of whoever was there.",
        &["SESSIONS-19"],
    ),
];

/// A connection ends, and its session with it.
fn log_out(chat: &mut Chat, connection: ConnectionId, now_ms: u64) -> Vec<Effect> {
    let (who, request, proof, fresh_token) = (Who::Connection, Request::LogOut {}, Proof::Nothing, [0; 32]);
    chat.apply(Input::Request { connection, who, request, proof, fresh_token }, now_ms);
    chat.apply(Input::Closed(connection), now_ms)
}
