//! One link between two peers: which receive took which send.
//!
//! A right peer takes the next message every time, and finding it is one comparison. Only when a message is not the
//! next one are the stamps put in order and searched. What the answer means is judged in `check::clock`.

use std::collections::BTreeMap;

use super::{Line, PeerLog};

/// A line and the log that it is in.
pub(super) type Place<'a> = (&'a PeerLog, &'a Line);

/// All messages of one sender to one receiver, in the order in which they were sent.
#[derive(Debug, Default)]
pub(super) struct Link<'a> {
    sends: Vec<Send<'a>>,
    /// The one that a right receiver takes next.
    next: usize,
    /// The latest one that was taken.
    furthest: Option<usize>,
    /// The sends of each stamp, and how many of them are done with. Made when it is first needed.
    by_stamp: Option<BTreeMap<u64, (Vec<usize>, usize)>>,
}

#[derive(Debug)]
struct Send<'a> {
    stamp: u64,
    clock: u64,
    place: Place<'a>,
    taken: Option<Place<'a>>,
}

/// What a receive took.
#[derive(Debug)]
pub(super) enum Taken<'a> {
    /// A message that nobody had taken.
    Now {
        /// The line of its send.
        sent: Place<'a>,
        /// The clock of its send.
        clock: u64,
        /// The receive of a message that was sent later, if there was one already.
        overtaken_by: Option<Place<'a>>,
    },
    /// A message that had been taken.
    Again {
        /// The line that took it first.
        first: Place<'a>,
    },
    /// A message that was never sent.
    Unknown,
}

impl<'a> Link<'a> {
    /// Adds a send.
    pub(super) fn send(&mut self, stamp: u64, place: Place<'a>, clock: u64) {
        self.sends.push(Send { stamp, clock, place, taken: None });
    }

    /// Finds the send of a receive. All sends come before the first of these.
    pub(super) fn take(&mut self, stamp: u64, place: Place<'a>) -> Taken<'a> {
        let index = match self.find(stamp) {
            Ok(index) => index,
            Err(taken) => return taken,
        };
        let overtaken_by = self.furthest.filter(|furthest| *furthest > index).and_then(|at| self.sends[at].taken);
        self.next = index + 1;
        self.furthest = self.furthest.max(Some(index));
        let send = &mut self.sends[index];
        send.taken = Some(place);
        Taken::Now { sent: send.place, clock: send.clock, overtaken_by }
    }

    /// Whether anything was taken.
    pub(super) fn is_used(&self) -> bool {
        self.furthest.is_some()
    }

    /// The first message that was not taken although a later one was, and the receive of the latest.
    pub(super) fn gap(&self) -> Option<(Place<'a>, Place<'a>)> {
        let furthest = self.furthest?;
        let gap = self.sends[..furthest].iter().find(|send| send.taken.is_none())?;
        Some((gap.place, self.sends[furthest].taken?))
    }

    fn find(&mut self, stamp: u64) -> Result<usize, Taken<'a>> {
        if self.sends.get(self.next).is_some_and(|send| send.stamp == stamp && send.taken.is_none()) {
            return Ok(self.next);
        }
        let Link { sends, by_stamp, .. } = self;
        let by_stamp = by_stamp.get_or_insert_with(|| {
            let mut by_stamp: BTreeMap<u64, (Vec<usize>, usize)> = BTreeMap::new();
            for (index, send) in sends.iter().enumerate() {
                by_stamp.entry(send.stamp).or_default().0.push(index);
            }
            by_stamp
        });
        let (same, done) = by_stamp.get_mut(&stamp).ok_or(Taken::Unknown)?;
        while let Some(&index) = same.get(*done) {
            if sends[index].taken.is_none() {
                return Ok(index);
            }
            *done += 1;
        }
        let first = same.iter().find_map(|&index| sends[index].taken);
        Err(first.map_or(Taken::Unknown, |first| Taken::Again { first }))
    }
}
