//! Wrong wires: the reference, with an edited specification. The suite goes on speaking the right one.

use std::sync::Arc;

use spec::Spec;
use spec::dialect::Dialect;
use spec::error::Diagnostics;

use crate::mutant::{Kind, Mutant};

/// A text of the specification and what it is replaced by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edit {
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

/// The specification and the dialect of that name, edited.
///
/// # Panics
/// If a text does not stand in its file exactly once, or the result is no specification: a mutant that is right, or
/// that cannot be started, would prove nothing.
pub(super) fn edited(spec: &Spec, dialect: &str, edits: &[Edit]) -> (Arc<Spec>, Arc<Dialect>) {
    let mut source = spec.source.clone();
    for Edit { file, from, to } in edits {
        let text = &source.file(file).unwrap_or_else(|| panic!("the specification has no {file}")).text;
        assert_eq!(text.matches(from).count(), 1, "`{from}` stands once in {file}");
        let text = text.replace(from, to);
        source = source.with(file, text);
    }
    let mut found = Diagnostics::default();
    let spec = Spec::read(&source, &mut found);
    let dialect = spec.as_ref().and_then(|spec| spec.dialect(dialect));
    match (spec, dialect) {
        (Some(spec), Some(dialect)) => (Arc::new(spec), dialect),
        _ => panic!("the edited specification cannot be used:\n{found}"),
    }
}

const fn framed(from: &'static str, to: &'static str) -> Edit {
    Edit { file: "protocol/dialects/framed.yaml", from, to }
}

const fn errors(from: &'static str, to: &'static str) -> Edit {
    Edit { file: "protocol/errors.yaml", from, to }
}

const SAY: &str = "say:  [length: u32 in 6..65536 = length(frame) - 4, version: u8 = 1";
const HEAR: &str = "hear: [length: u32 in 6..65536 = length(frame) - 4, version: u8 = 1";

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "lengths-are-little-endian",
        about: "The number is written as it lies in memory.",
        caught_by: &["LIMITS-11"],
        kind: Kind::Wire(&[
            framed(SAY, "say:  [length: u32le in 6..65536 = length(frame) - 4, version: u8 = 1"),
            framed(HEAR, "hear: [length: u32le in 6..65536 = length(frame) - 4, version: u8 = 1"),
        ]),
    },
    Mutant {
        name: "a-length-counts-itself",
        about: "The length is that of the whole frame.",
        caught_by: &["FRAMING-2", "LIMITS-11"],
        kind: Kind::Wire(&[
            framed(SAY, "say:  [length: u32 in 10..65540 = length(frame), version: u8 = 1"),
            framed(HEAR, "hear: [length: u32 in 10..65540 = length(frame), version: u8 = 1"),
        ]),
    },
    Mutant {
        name: "frames-have-4096-bytes-at-most",
        about: "The buffer for a frame is as large as the longest text.",
        caught_by: &["LIMITS-11", "LIMITS-6"],
        kind: Kind::Wire(&[framed(SAY, "say:  [length: u32 in 6..4096 = length(frame) - 4, version: u8 = 1")]),
    },
    Mutant {
        name: "a-length-that-is-too-large-is-malformed",
        about: "There is one error for all that is wrong with a frame.",
        caught_by: &["LIMITS-11"],
        kind: Kind::Wire(&[framed("above: frame_too_large", "above: malformed")]),
    },
    Mutant {
        name: "version-2-is-spoken",
        about: "The server is ahead of its clients.",
        caught_by: &["FRAMING-7"],
        kind: Kind::Wire(&[
            framed(SAY, "say:  [length: u32 in 6..65536 = length(frame) - 4, version: u8 = 2"),
            framed(HEAR, "hear: [length: u32 in 6..65536 = length(frame) - 4, version: u8 = 2"),
        ]),
    },
    Mutant {
        name: "every-version-is-spoken",
        about: "The byte is skipped, because there is only one version.",
        caught_by: &["FRAMING-7", "FRAMING-12"],
        kind: Kind::Wire(&[framed(SAY, "say:  [length: u32 in 6..65536 = length(frame) - 4, version: u8 usually 1")]),
    },
    Mutant {
        name: "another-version-is-malformed",
        about: "There is one error for all that is wrong with a frame.",
        caught_by: &["FRAMING-7"],
        kind: Kind::Wire(&[framed("{error: unsupported_version, then: close}", "{error: malformed, then: close}")]),
    },
    Mutant {
        name: "after-another-version-it-reads-on",
        about: "The frame is skipped, as if its length could be trusted.",
        caught_by: &["FRAMING-12"],
        kind: Kind::Wire(&[framed("{error: unsupported_version, then: close}", "{error: unsupported_version}")]),
    },
    Mutant {
        name: "an-unknown-operation-is-malformed",
        about: "The default branch of the switch is that of all errors.",
        caught_by: &["FRAMING-8"],
        kind: Kind::Wire(&[framed("operation: {error: unknown_operation}", "operation: {error: malformed}")]),
    },
    Mutant {
        name: "an-unknown-operation-ends-the-connection",
        about: "The default branch of the switch breaks out of the loop.",
        caught_by: &["FRAMING-11"],
        kind: Kind::Wire(&[framed(
            "operation: {error: unknown_operation}",
            "operation: {error: unknown_operation, then: close}",
        )]),
    },
    Mutant {
        name: "answers-have-the-code-of-their-request",
        about: "The header of the request is sent back as it came.",
        caught_by: &["FRAMING-5"],
        kind: Kind::Wire(&[framed("reply: u8 = operation + 128", "reply: u8 = operation")]),
    },
    Mutant {
        name: "a-request-id-is-not-echoed",
        about: "The id is read and thrown away, and answers carry zero.",
        caught_by: &["FRAMING-4"],
        kind: Kind::Wire(&[framed(
            "reply: u8 = operation + 128, request_id: u32, body",
            "reply: u8 = operation + 128, request_id: u32 = 0, body",
        )]),
    },
    Mutant {
        name: "an-event-has-an-id",
        about: "Whatever is sent gets a number.",
        caught_by: &["FRAMING-6"],
        kind: Kind::Wire(&[framed(
            "{reply: 64, request_id: 0, body: message}",
            "{reply: 64, request_id: 1, body: message}",
        )]),
    },
    Mutant {
        name: "an-event-has-another-code",
        about: "A message that is pushed looks like one that is sent.",
        caught_by: &["FRAMING-6"],
        kind: Kind::Wire(&[framed("{reply: 64, request_id: 0", "{reply: 65, request_id: 0")]),
    },
    Mutant {
        name: "a-header-that-cannot-be-echoed-is-answered-with-254",
        about: "A constant was mistyped.",
        caught_by: &["FRAMING-9"],
        kind: Kind::Wire(&[framed("{reply: 255, request_id: 0", "{reply: 254, request_id: 0")]),
    },
    Mutant {
        name: "bytes-behind-a-body-are-ignored",
        about: "The decoder reads what it needs and does not look how much there was.",
        caught_by: &["FRAMING-10"],
        kind: Kind::Wire(&[framed("body: [nonce: u64]}", "body: [nonce: u64, _: bytes]}")]),
    },
    Mutant {
        name: "any-number-is-a-flag",
        about: "Zero is false and everything else is true.",
        caught_by: &["FRAMING-10"],
        kind: Kind::Wire(&[framed("password: string, discard: u8 in 0..1", "password: string, discard: u8")]),
    },
    Mutant {
        name: "texts-have-short-counts",
        about: "No name is longer than 255 bytes, so one byte is enough for its length.",
        caught_by: &["FRAMING-10"],
        kind: Kind::Wire(&[framed("string:  text(u16)", "string:  text(u8)")]),
    },
    Mutant {
        name: "answers-end-with-a-zero",
        about: "Texts end with a zero in C, and so did this buffer.",
        caught_by: &["FRAMING-10"],
        kind: Kind::Wire(&[framed(
            "body: [u8 = 0, message_id: u64, delivered: u8 in 0..1]",
            "body: [u8 = 0, message_id: u64, delivered: u8 in 0..1, u8 = 0]",
        )]),
    },
    Mutant {
        name: "a-number-is-too-narrow",
        about: "Nobody will ever have more than 65,535 messages waiting, so two bytes are enough.",
        caught_by: &["FRAMING-10"],
        kind: Kind::Wire(&[framed(
            "token: bytes(u8), expires_in_s: u32, waiting: u32]",
            "token: bytes(u8), expires_in_s: u32, waiting: u16]",
        )]),
    },
    Mutant {
        name: "sender-and-text-are-swapped",
        about: "Both are texts, and nothing but the order tells them apart.",
        caught_by: &["DELIVERY-4"],
        kind: Kind::Wire(&[framed("sender: string, text: string, sent_at", "text: string, sender: string, sent_at")]),
    },
    Mutant {
        name: "log-out-and-delete-are-swapped",
        about: "The table of codes was copied by hand.",
        caught_by: &["FRAMING-5"],
        kind: Kind::Wire(&[
            framed("{operation: 3,", "{operation: 33,"),
            framed("{operation: 4,", "{operation: 3,"),
            framed("{operation: 33,", "{operation: 4,"),
        ]),
    },
    Mutant {
        name: "error-codes-are-swapped",
        about: "Two lines of the table of errors changed places.",
        caught_by: &["SESSIONS-3", "SESSIONS-4"],
        kind: Kind::Wire(&[
            errors("already_logged_in:    {code: 11,", "already_logged_in:    {code: 99,"),
            errors("bad_credentials:      {code: 12,", "bad_credentials:      {code: 11,"),
            errors("already_logged_in:    {code: 99,", "already_logged_in:    {code: 12,"),
        ]),
    },
    Mutant {
        name: "errors-are-counted-from-one",
        about: "The codes are the places in an enumeration.",
        caught_by: &["SESSIONS-2"],
        kind: Kind::Wire(&[errors("not_logged_in:        {code: 10,", "not_logged_in:        {code: 7,")]),
    },
];
