//! The habits: what servers do to bytes when their authors think in messages.

use std::time::Duration;

use super::{Fate, Habit, Mistake};
use crate::mutant::{Kind, Mutant};

/// Length, version, code, request id: what stands before a body, and behind it in an answer the status.
const STATUS_AT: usize = 10;
/// The code of an event.
const EVENT: u8 = 64;
/// The answer to a header that cannot be echoed.
const NO_ECHO: u8 = 255;
/// The status `malformed`.
const MALFORMED: u8 = 1;

pub(in crate::mutant) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a-piece-is-taken-for-a-message",
        about: "Whatever one read brings is decoded as one message, as in seed 000: a message that was cut is misread.",
        caught_by: &["FRAMING-1"],
        kind: Kind::Stream(Mistake::Habit(|| Box::new(MisreadsPieces))),
    },
    Mutant {
        name: "the-second-of-two-joined-messages-is-lost",
        about: "One read is taken for one message, as in seed 000: what came behind it in the same read is forgotten.",
        caught_by: &["FRAMING-2"],
        kind: Kind::Stream(Mistake::Habit(|| Box::<LosesTheSecond>::default())),
    },
    Mutant {
        name: "the-last-of-several-requests-is-handled-first",
        about: "Each request gets a thread, and the threads run as they like.",
        caught_by: &["FRAMING-3", "ROBUSTNESS-10"],
        kind: Kind::Stream(Mistake::Habit(|| Box::<LastFirst>::default())),
    },
    Mutant {
        name: "a-refusal-is-said-twice",
        about: "Whoever finds the mistake says so, and so does whoever called.",
        caught_by: &["FRAMING-14"],
        kind: Kind::Stream(Mistake::Habit(|| Box::new(RefusesTwice))),
    },
    Mutant {
        name: "who-will-send-no-more-gets-no-answer",
        about: "The end of input cancels whatever is under way.",
        caught_by: &["ROBUSTNESS-9"],
        kind: Kind::Stream(Mistake::Habit(|| Box::new(Hesitates))),
    },
    Mutant {
        name: "a-flag-is-sent-as-two",
        about: "Any number but zero is true to the one who wrote the server.",
        caught_by: &["FRAMING-10"],
        kind: Kind::Stream(Mistake::Habit(|| Box::new(Two))),
    },
    Mutant {
        name: "a-malformed-request-ends-its-connection",
        about: "The error is thrown to where the connection is closed.",
        caught_by: &["FRAMING-11"],
        kind: Kind::Stream(Mistake::Habit(|| Box::new(EndsWhatIsMalformed))),
    },
    Mutant {
        name: "a-malformed-request-kills-the-server",
        about: "The error is thrown to where nobody catches it, as in seed 001.",
        caught_by: &["FRAMING-10", "FRAMING-11", "ROBUSTNESS-5"],
        kind: Kind::Stream(Mistake::Habit(|| Box::new(DiesOfWhatIsMalformed))),
    },
    Mutant {
        name: "a-reset-kills-the-server",
        about: "A read can fail, and in a language with exceptions that is easily forgotten.",
        caught_by: &["ROBUSTNESS-5"],
        kind: Kind::Stream(Mistake::Habit(|| Box::new(DiesOfAReset))),
    },
    Mutant {
        name: "who-will-send-no-more-is-kept",
        about: "A read of zero bytes is taken for nothing new, and read again.",
        caught_by: &["ROBUSTNESS-1"],
        kind: Kind::Stream(Mistake::Habit(|| Box::new(KeepsTheDead))),
    },
    Mutant {
        name: "half-a-request-is-filled-up",
        about: "The buffer is full of zeros when it is decoded, whether or not the rest came.",
        caught_by: &["ROBUSTNESS-4"],
        kind: Kind::Stream(Mistake::Habit(|| Box::<FillsUp>::default())),
    },
    Mutant {
        name: "one-client-at-a-time",
        about: "A loop accepts a client, serves it until it leaves, and accepts the next.",
        caught_by: &["ROBUSTNESS-6"],
        kind: Kind::Stream(Mistake::OneAtATime),
    },
    Mutant {
        name: "a-reset-takes-the-last-answer",
        about: "The socket is closed with input unread, and the reset overtakes what was just written.",
        caught_by: &["ROBUSTNESS-7"],
        kind: Kind::Stream(Mistake::Habit(|| Box::new(Resets))),
    },
    Mutant {
        name: "an-event-waits-for-the-next-answer",
        about: "The writer has a buffer, and only answers flush it.",
        caught_by: &["DELIVERY-1"],
        kind: Kind::Stream(Mistake::Habit(|| Box::<BuffersEvents>::default())),
    },
    Mutant {
        name: "an-answer-is-cut-at-1024-bytes",
        about: "One write is thought to write everything, and here the other side's buffer is small.",
        caught_by: &["LIMITS-6"],
        kind: Kind::Stream(Mistake::Habit(|| Box::new(CutsAnswers))),
    },
];

pub(in crate::mutant) const UNUSUAL: &[Mutant] = &[
    Mutant {
        name: "reads-and-writes-a-byte-at-a-time",
        about: "TCP keeps bytes and not writes, so this is as good as anything else.",
        caught_by: &[],
        kind: Kind::Stream(Mistake::Habit(|| Box::new(ByteByByte))),
    },
    Mutant {
        name: "has-no-habits",
        about: "The network of the mutants, with nothing wrong in it.",
        caught_by: &[],
        kind: Kind::Stream(Mistake::Habit(|| Box::new(None))),
    },
];

/// No habit at all.
pub(super) struct None;

impl Habit for None {}

struct MisreadsPieces;

impl Habit for MisreadsPieces {
    fn read(&mut self, mut bytes: Vec<u8>) -> Fate {
        let mut rest = bytes.clone();
        while take_frame(&mut rest).is_some() {}
        if !rest.is_empty() {
            // What came is taken for a frame, whatever its first four bytes say.
            bytes.resize(bytes.len().max(STATUS_AT), 0);
            let length = bytes.len() as u32 - 4;
            bytes[..4].copy_from_slice(&length.to_be_bytes());
        }
        Fate::Go(bytes)
    }
}

#[derive(Default)]
struct LosesTheSecond {
    waiting: Vec<u8>,
}

impl Habit for LosesTheSecond {
    fn read(&mut self, bytes: Vec<u8>) -> Fate {
        self.waiting.extend(bytes);
        let first = take_frame(&mut self.waiting);
        if first.is_some() {
            self.waiting.clear();
        }
        Fate::Go(first.unwrap_or_default())
    }
}

#[derive(Default)]
struct LastFirst {
    waiting: Vec<u8>,
}

impl Habit for LastFirst {
    fn read(&mut self, bytes: Vec<u8>) -> Fate {
        self.waiting.extend(bytes);
        let mut frames: Vec<_> = std::iter::from_fn(|| take_frame(&mut self.waiting)).collect();
        frames.reverse();
        Fate::Go(frames.concat())
    }
}

/// How long the server thinks about a request: longer than a FIN takes to follow its last byte.
const THOUGHT: Duration = Duration::from_millis(20);

struct Hesitates;

impl Habit for Hesitates {
    fn hesitation(&self) -> Option<Duration> {
        Some(THOUGHT)
    }
}

struct Two;

impl Habit for Two {
    fn write(&mut self, bytes: &[u8], _: bool) -> Fate {
        const SENT: u8 = 128 + 5;
        let mut bent = Vec::new();
        for mut frame in frames(bytes) {
            if let [_, _, _, _, _, SENT, _, _, _, _, 0, .., delivered @ 1] = &mut frame[..] {
                *delivered = 2;
            }
            bent.extend(frame);
        }
        Fate::Go(bent)
    }
}

struct RefusesTwice;

impl Habit for RefusesTwice {
    fn write(&mut self, bytes: &[u8], _: bool) -> Fate {
        let is_refusal = |frame: &[u8]| frame.get(5) != Some(&EVENT) && frame.get(STATUS_AT) > Some(&0);
        let twice = |frame: Vec<u8>| if is_refusal(&frame) { frame.repeat(2) } else { frame };
        Fate::Go(frames(bytes).flat_map(twice).collect())
    }
}

struct EndsWhatIsMalformed;

impl Habit for EndsWhatIsMalformed {
    fn write(&mut self, bytes: &[u8], _: bool) -> Fate {
        if frames(bytes).any(|frame| is_malformed(&frame)) {
            Fate::Last(bytes.to_vec())
        } else {
            Fate::Go(bytes.to_vec())
        }
    }
}

struct DiesOfWhatIsMalformed;

impl Habit for DiesOfWhatIsMalformed {
    fn write(&mut self, bytes: &[u8], _: bool) -> Fate {
        if frames(bytes).any(|frame| is_malformed(&frame)) { Fate::Kill } else { Fate::Go(bytes.to_vec()) }
    }
}

struct DiesOfAReset;

impl Habit for DiesOfAReset {
    fn end(&mut self, reset: bool) -> Fate {
        if reset { Fate::Kill } else { Fate::End }
    }
}

struct KeepsTheDead;

impl Habit for KeepsTheDead {
    fn end(&mut self, _: bool) -> Fate {
        Fate::Rest
    }
}

#[derive(Default)]
struct FillsUp {
    waiting: Vec<u8>,
}

impl Habit for FillsUp {
    fn read(&mut self, bytes: Vec<u8>) -> Fate {
        self.waiting.extend(&bytes);
        while take_frame(&mut self.waiting).is_some() {}
        Fate::Go(bytes)
    }

    fn end(&mut self, _: bool) -> Fate {
        let missing = length(&self.waiting).map_or(0, |length| length.saturating_sub(self.waiting.len()));
        Fate::Go(vec![0; missing])
    }
}

struct Resets;

impl Habit for Resets {
    fn write(&mut self, bytes: &[u8], unread: bool) -> Fate {
        let last = frames(bytes).any(|frame| frame.get(5) == Some(&NO_ECHO));
        if last && unread { Fate::Reset } else { Fate::Go(bytes.to_vec()) }
    }
}

#[derive(Default)]
struct BuffersEvents {
    buffer: Vec<u8>,
}

impl Habit for BuffersEvents {
    fn write(&mut self, bytes: &[u8], _: bool) -> Fate {
        let flushes = frames(bytes).any(|frame| frame.get(5) != Some(&EVENT));
        self.buffer.extend(bytes);
        Fate::Go(if flushes { std::mem::take(&mut self.buffer) } else { Vec::new() })
    }
}

struct CutsAnswers;

impl Habit for CutsAnswers {
    fn write(&mut self, bytes: &[u8], _: bool) -> Fate {
        Fate::Go(bytes[..bytes.len().min(1024)].to_vec())
    }
}

struct ByteByByte;

impl Habit for ByteByByte {
    fn piece(&self) -> usize {
        1
    }
}

/// How many bytes the first frame has, if its length is there.
fn length(bytes: &[u8]) -> Option<usize> {
    let length = bytes.first_chunk().map(|length| u32::from_be_bytes(*length))?;
    Some(4 + length as usize)
}

/// Takes the first frame, if it is there to its end. One that is too long for the protocol is there as it is: the
/// server must see it to refuse it.
fn take_frame(bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    const LONGEST: usize = 4 + 65_536;
    let length = length(bytes)?;
    let length = if length > LONGEST { bytes.len() } else { length };
    (length <= bytes.len()).then(|| bytes.drain(..length).collect())
}

/// The frames of a server's write, which are whole.
fn frames(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut left = bytes.to_vec();
    std::iter::from_fn(move || take_frame(&mut left))
}

fn is_malformed(frame: &[u8]) -> bool {
    frame.get(5) != Some(&EVENT) && frame.get(STATUS_AT) == Some(&MALFORMED)
}
