//! What is measured of bytes: how many they are, how many characters they spell, and what they sum up to.
//!
//! Not here: which bytes a number measures (`compile::measure`), and what it ends (`hear`).

use crate::codec::field::Measure;

/// A measure of some bytes.
pub(crate) fn taken<'b>(measure: Measure, parts: impl Iterator<Item = &'b [u8]>) -> u64 {
    if measure == Measure::Length {
        return parts.map(|part| part.len() as u64).sum();
    }
    let bytes = parts.flatten();
    match measure {
        Measure::Length | Measure::Count => bytes.count() as u64,
        Measure::Chars | Measure::Utf16 => bytes.map(|byte| units(measure, *byte)).sum(),
        Measure::Sum8 => bytes.fold(0_u8, |sum, byte| sum.wrapping_add(*byte)).into(),
        Measure::Xor8 => bytes.fold(0_u8, |sum, byte| sum ^ byte).into(),
        Measure::Crc32 => {
            let step = |crc: u32, _: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            let crc = bytes.fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step));
            u64::from(!crc)
        }
    }
}

/// How many bytes the character has that begins with this one in UTF-8, and how much it counts.
pub(crate) fn character(measure: Measure, first: u8) -> (u64, u64) {
    let bytes = match first {
        0x00..=0xbf => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
    };
    (bytes, units(measure, first))
}

/// What a byte of UTF-8 adds to a number of characters, or of the units by which UTF-16 writes them.
fn units(measure: Measure, byte: u8) -> u64 {
    match byte {
        0x80..=0xbf => 0,
        0xf0..=0xff if measure == Measure::Utf16 => 2,
        _ => 1,
    }
}
