//! The faults of the systems that the dialects come from, as their authors wrote them down: each alone, over its wire.
//!
//! Here `caught_by` is exact: the requirements that these are found by, and none besides. The draft of 000 and its
//! replicated successor read as 000 did. Not here, because nothing is on record: length-size, whose notebook names no
//! fault, and the gRPC twins, which left frames to gRPC and texts to UTF-8. The peers with clocks have no wire of the
//! chat: their faults stand in `clock`.

use std::collections::BTreeSet;

use reference_server::Limits;
use reference_server::chat::{Core, Effect};
use spec::message::{Reply, Request};

use crate::mutant::choices::{Over, Wrong};
use crate::mutant::core::{asked, told};
use crate::mutant::disk::Fault;
use crate::mutant::stream::Habit;
use crate::mutant::stream::reads::{Header, LosesTheSecond, MisreadsPieces};
use crate::mutant::{Kind, Mutant};

const fn fault(
    dialect: &'static str,
    wrong: Wrong,
    name: &'static str,
    about: &'static str,
    caught_by: &'static [&'static str],
) -> Mutant {
    Mutant { name, about, caught_by, kind: Kind::Over(Over { dialect, says: &[], wrong }) }
}

const LOST: &str = "One read is taken for one frame: what came behind the first frame of a read is lost.";
const MISREAD: &str = "One read is taken for one frame: a piece of a frame is decoded as if it were whole.";
const CUT: &str = "Texts are read with a function for lines.";
const SET: &str = "Waiting messages are rows of a set: sender, recipient, text.";
const RETURNS: &str = "Whoever takes over has heard of every message, and of no delivery.";

pub(super) const MUTANTS: &[Mutant] = &[
    fault(
        "000",
        habit(|| LosesTheSecond::boxed(Header::Plain)),
        "000-loses-the-second-of-two-joined-frames",
        LOST,
        JOINED,
    ),
    fault("000", habit(|| MisreadsPieces::boxed(Header::Plain)), "000-misreads-a-split-frame", MISREAD, SPLIT),
    fault("000", Wrong::Core(cut), "000-cuts-a-text-at-a-newline", CUT, &["DELIVERY-4"]),
    fault(
        "000-draft",
        habit(|| LosesTheSecond::boxed(Header::Drafted)),
        "000-draft-loses-the-second-of-two-joined-frames",
        LOST,
        JOINED,
    ),
    fault(
        "000-draft",
        habit(|| MisreadsPieces::boxed(Header::Drafted)),
        "000-draft-misreads-a-split-frame",
        MISREAD,
        SPLIT,
    ),
    fault("000-draft", Wrong::Core(cut), "000-draft-cuts-a-text-at-a-newline", CUT, &["DELIVERY-4"]),
    fault(
        "002",
        habit(|| LosesTheSecond::boxed(Header::Named)),
        "002-loses-the-second-of-two-joined-frames",
        LOST,
        JOINED,
    ),
    fault("002", habit(|| MisreadsPieces::boxed(Header::Named)), "002-misreads-a-split-frame", MISREAD, SPLIT),
    fault("002", Wrong::Core(cut), "002-cuts-a-text-at-a-newline", CUT, &["DELIVERY-4"]),
    fault(
        "002",
        Wrong::Disk(Fault::BelievesWhoWasThere),
        "002-never-lets-anyone-back-who-was-online",
        "A log in is a row of the log, and a connection that ended is none: after a restart they are still there.",
        &["ROBUSTNESS-13"],
    ),
    fault(
        "001",
        Wrong::Core(hangs_up),
        "001-hangs-up-over-an-empty-pattern",
        "The empty field is taken for an end of input.",
        &["LISTING-1"],
    ),
    fault(
        "001",
        Wrong::Core(loses),
        "001-loses-a-text-that-is-not-ascii",
        "Encoding fails after the answer was sent.",
        &["DELIVERY-4"],
    ),
    fault(
        "003",
        Wrong::Disk(Fault::ForgetsWhatWasFetched),
        "003-brings-back-what-was-delivered",
        RETURNS,
        &["DELIVERY-21"],
    ),
    fault("003", Wrong::Core(one_of_two), "003-makes-one-of-two-equal-texts", SET, &["DELIVERY-7", "DELIVERY-23"]),
    fault(
        "003-replicated",
        Wrong::Disk(Fault::ForgetsWhatWasFetched),
        "003-replicated-brings-back-what-was-delivered",
        RETURNS,
        &["DELIVERY-21"],
    ),
    fault(
        "003-replicated",
        Wrong::Core(one_of_two),
        "003-replicated-makes-one-of-two-equal-texts",
        SET,
        &["DELIVERY-7", "DELIVERY-23"],
    ),
];

/// What is lost is not answered in its turn either, nor before the end, nor after a link stood still. Some cases join a
/// request to the half of another: there, nobody can tell the two faults of one read apart.
const JOINED: &[&str] = &["FRAMING-1", "FRAMING-2", "FRAMING-3", "ROBUSTNESS-10", "ROBUSTNESS-9"];
const SPLIT: &[&str] = &["FRAMING-1", "FRAMING-2"];

const fn habit(habit: fn() -> Box<dyn Habit>) -> Wrong {
    Wrong::Habit(habit)
}

fn cut(limits: Limits) -> Box<dyn Core> {
    told(limits, |message| message.text.truncate(message.text.find('\n').unwrap_or(message.text.len())))
}

fn hangs_up(limits: Limits) -> Box<dyn Core> {
    asked(limits, (), |ask, ()| match &ask.request {
        Request::ListAccounts { pattern, .. } if pattern.is_empty() => {
            vec![Effect::Close { connection: ask.connection }]
        }
        _ => ask.go(),
    })
}

fn loses(limits: Limits) -> Box<dyn Core> {
    asked(limits, (), |ask, ()| match &ask.request {
        Request::SendMessage { recipient, text, .. } if !text.is_ascii() && ask.exists(recipient) => {
            ask.answer(Ok(Reply::SendMessage { message_id: 1, delivered: false }))
        }
        _ => ask.go(),
    })
}

/// A row stays until its recipient has read it.
fn one_of_two(limits: Limits) -> Box<dyn Core> {
    asked(limits, BTreeSet::new(), |ask, rows: &mut BTreeSet<[String; 3]>| {
        let row = match (&ask.request, ask.username()) {
            (Request::SendMessage { recipient, text, .. }, Some(sender)) => {
                Some([sender, recipient, text].map(str::to_owned))
            }
            _ => None,
        };
        if let Some([_, recipient, _]) = &row
            && row.as_ref().is_some_and(|row| rows.contains(row))
            && ask.seat_of(recipient).is_none()
        {
            return ask.answer(Ok(Reply::SendMessage { message_id: 1, delivered: false }));
        }
        let reader = match &ask.request {
            Request::LogIn { username, .. } => Some(username.clone()),
            _ => ask.username().map(str::to_owned),
        };
        let mut effects = ask.go();
        match (super::core::reply(&mut effects, ask.connection), row) {
            (Some(Reply::SendMessage { delivered: false, .. }), Some(row)) => drop(rows.insert(row)),
            (Some(Reply::LogIn { .. } | Reply::DeliverMessages { .. } | Reply::DeleteAccount { .. }), _) => {
                rows.retain(|[_, recipient, _]| Some(recipient) != reader.as_ref());
            }
            _ => {}
        }
        effects
    })
}
