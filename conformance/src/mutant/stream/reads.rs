//! One read is one frame: what the oldest servers believed, over their own wires.
//!
//! `recv` returned what a client had sent for as long as both sides of the test were slow, so this went unnoticed.

use super::{Fate, Habit};

/// The longest data of these wires. What claims more is handed on as it is: the server must see it to refuse it.
const LONGEST: usize = 65_536;

/// The length of a draft's packet and its version, which stand before its size.
const DRAFTED: usize = 4 + 4;

/// Where frames end.
#[derive(Debug, Clone, Copy)]
pub(in crate::mutant) enum Header {
    /// A length, a code, data.
    Plain,
    /// The same behind a name with a length of its own.
    Named,
    /// The same behind the length of all of it and a version.
    Drafted,
}

impl Header {
    /// How many bytes the first frame has, if its header is there.
    fn frame(self, bytes: &[u8]) -> Option<usize> {
        let number = |at: usize| bytes.get(at..)?.first_chunk().map(|number| u32::from_be_bytes(*number) as usize);
        let before = match self {
            Header::Plain => 0,
            Header::Named => 4 + number(0)?,
            Header::Drafted => DRAFTED,
        };
        let data = number(before)?;
        let length = before + 4 + 1 + data;
        let is_wrong = matches!(self, Header::Drafted) && (number(0)? != length || number(4)? != 1);
        Some(if before.max(data) > LONGEST || is_wrong { bytes.len() } else { length })
    }

    /// Whether a frame only says whose connection this is. Nothing answers it, so every client's next request is joined
    /// to it, and a server that lost that one would have had no clients.
    fn binds(self, frame: &[u8]) -> bool {
        const BINDS: u8 = 7;
        let Header::Named = self else { return false };
        let name = frame.first_chunk().map_or(0, |name| u32::from_be_bytes(*name) as usize);
        frame.get(4 + name + 4) == Some(&BINDS)
    }

    /// Takes the first frame, if it is there to its end.
    fn take(self, bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
        let length = self.frame(bytes)?;
        (length <= bytes.len()).then(|| bytes.drain(..length).collect())
    }

    /// What a decoder makes of a piece that it takes for a frame: what there is fills the data, zeros the header.
    fn misread(self, mut piece: Vec<u8>) -> Vec<u8> {
        let before = match self {
            Header::Plain => 0,
            Header::Drafted => DRAFTED,
            Header::Named => {
                piece.resize(piece.len().max(4), 0);
                let claimed = u32::from_be_bytes([piece[0], piece[1], piece[2], piece[3]]) as usize;
                let name = claimed.min(piece.len() - 4);
                piece[..4].copy_from_slice(&(name as u32).to_be_bytes());
                4 + name
            }
        };
        piece.resize(piece.len().max(before + 5), 0);
        let data = (piece.len() - before - 5) as u32;
        piece[before..before + 4].copy_from_slice(&data.to_be_bytes());
        if let Header::Drafted = self {
            let length = piece.len() as u32;
            piece[..4].copy_from_slice(&length.to_be_bytes());
            piece[4..8].copy_from_slice(&1_u32.to_be_bytes());
        }
        piece
    }
}

/// What came behind the first frame in the same read is forgotten.
pub(in crate::mutant) struct LosesTheSecond {
    header: Header,
    waiting: Vec<u8>,
}

impl LosesTheSecond {
    pub(in crate::mutant) fn boxed(header: Header) -> Box<dyn Habit> {
        Box::new(LosesTheSecond { header, waiting: Vec::new() })
    }
}

impl Habit for LosesTheSecond {
    fn read(&mut self, bytes: Vec<u8>) -> Fate {
        self.waiting.extend(bytes);
        let mut read = Vec::new();
        while let Some(frame) = self.header.take(&mut self.waiting) {
            let binds = self.header.binds(&frame);
            read.extend(frame);
            if !binds {
                self.waiting.clear();
            }
        }
        Fate::Go(read)
    }
}

/// A piece of a frame is taken for a whole one.
pub(in crate::mutant) struct MisreadsPieces(Header);

impl MisreadsPieces {
    pub(in crate::mutant) fn boxed(header: Header) -> Box<dyn Habit> {
        Box::new(MisreadsPieces(header))
    }
}

impl Habit for MisreadsPieces {
    fn read(&mut self, bytes: Vec<u8>) -> Fate {
        let mut rest = bytes;
        let mut read: Vec<u8> = std::iter::from_fn(|| self.0.take(&mut rest)).flatten().collect();
        if !rest.is_empty() {
            read.extend(self.0.misread(rest));
        }
        Fate::Go(read)
    }
}
