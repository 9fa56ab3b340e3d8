//! Requests that nobody may take: a right one, changed in as few bytes as it takes until its own wire refuses it.
//!
//! What the change is, is not written anywhere: bytes are tried one after another, and the dialect, as a server hears it,
//! says whether they are wrong in the way that is wanted. Not here: bytes that are written out (`hex` in a scenario).

use crate::codec::{Reason, RequestHeard, Slots};
use crate::dialect::Dialect;

/// A way to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// It asks for an operation that does not exist.
    UnknownOperation,
    /// It is of a version that does not exist.
    OtherVersion,
    /// It says that it is longer than anything may be.
    TooLong,
    /// Its text is not UTF-8.
    InvalidText,
}

/// An announced length that nobody would wait for, where a wire has no limit of its own. Bytes.
const ENDLESS: usize = 1 << 20;

impl Damage {
    /// Every way, by the word that scenarios have for it.
    pub const ALL: [(&'static str, Damage); 4] = [
        ("unknown_operation", Damage::UnknownOperation),
        ("other_version", Damage::OtherVersion),
        ("too_long", Damage::TooLong),
        ("invalid_text", Damage::InvalidText),
    ];

    /// The word that scenarios have for it.
    pub fn word(self) -> &'static str {
        Damage::ALL.iter().find(|(_, damage)| *damage == self).map_or("", |(word, _)| word)
    }

    /// What is put in the place of as many bytes, the likeliest to be wrong first.
    fn patches(self) -> &'static [&'static [u8]] {
        match self {
            Damage::UnknownOperation => &[b"z", b"Z", b"9", &[0xc8]],
            Damage::OtherVersion => &[&[9], b"9"],
            Damage::TooLong => &[&[0x7f, 0xff, 0xff, 0xff], &[0xff, 0xff, 0xff, 0x7f], &[0xff, 0xff], b"9"],
            Damage::InvalidText => &[&[0xc3, 0x28]],
        }
    }
}

impl Dialect {
    /// The bytes of a request, wrong in this way. None: on this wire nothing can be.
    pub fn damaged(&self, damage: Damage, request: &[u8]) -> Option<Vec<u8>> {
        // What a wrong call is, gRPC itself decides.
        if self.grpc.is_some() {
            return None;
        }
        damage.patches().iter().find_map(|patch| {
            (0..=request.len().checked_sub(patch.len())?).find_map(|at| {
                let mut bytes = request.to_vec();
                bytes[at..at + patch.len()].copy_from_slice(patch);
                self.is_wrong(damage, &bytes).then_some(bytes)
            })
        })
    }

    fn is_wrong(&self, damage: Damage, bytes: &[u8]) -> bool {
        match self.hear_request_of(bytes, true, None, &mut Slots::new(), &mut crate::codec::Dialogue::default()) {
            RequestHeard::Refused { taken, error, unfit, .. } => match damage {
                Damage::UnknownOperation => error == "unknown_operation" && taken == Some(bytes.len()),
                Damage::OtherVersion => error == "unsupported_version",
                Damage::TooLong => error == "frame_too_large",
                Damage::InvalidText => {
                    unfit.reason == Reason::NotUtf8 && taken.is_none_or(|taken| taken == bytes.len())
                }
            },
            RequestHeard::More(least) => damage == Damage::TooLong && least >= ENDLESS,
            RequestHeard::Taken(_) => false,
        }
    }
}
