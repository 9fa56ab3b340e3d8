//! The log of a peer: one JSON object a line, one line an event.
//!
//! ```text
//! {"time":1677628800166,"peer":11111,"clock":1,"event":"sent","to":[22222],"stamp":1}
//! {"time":1677628800333,"peer":11111,"clock":5,"event":"received","from":33333,"stamp":4,"queue":0}
//! {"time":1677628800500,"peer":11111,"clock":6,"event":"internal"}
//! ```
//!
//! Logs of other forms are another module's to read; whether a log is right is for `conformance::check::clock`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One event of one peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Milliseconds since 1970 (UTC).
    pub time: u64,
    /// Whose log it is in.
    pub peer: u16,
    /// The clock after the event.
    pub clock: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What a tick can be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// A message went out.
    Sent {
        /// To whom: one peer, or both.
        to: Vec<u16>,
        /// The stamp it carries.
        stamp: u64,
    },
    /// The oldest message was taken from the queue.
    Received {
        /// Who sent it.
        from: u16,
        /// The stamp it carried.
        stamp: u64,
        /// How many messages still wait.
        queue: u64,
    },
    /// Nothing but time.
    Internal,
}

/// Why a line is not an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It is not JSON, or lacks a field, or a field has a value that it cannot have.
    #[error("{0}")]
    Malformed(String),
    /// A message that is sent to nobody.
    #[error("`to` is empty")]
    SentToNobody,
}

/// The line, without its end.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).expect("numbers and names always have a JSON form"))
    }
}

/// A line, with or without its end. Fields that the protocol does not know are left aside.
impl FromStr for Entry {
    type Err = LineError;

    fn from_str(line: &str) -> Result<Self, LineError> {
        let entry: Entry = serde_json::from_str(line).map_err(|error| LineError::Malformed(error.to_string()))?;
        match &entry.event {
            Event::Sent { to, .. } if to.is_empty() => Err(LineError::SentToNobody),
            _ => Ok(entry),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(event: Event, line: &str) {
        let entry = Entry { time: 1_677_628_800_166, peer: 11111, clock: 5, event };
        assert_eq!(entry.to_string(), line);
        assert_eq!(line.parse(), Ok(entry));
    }

    #[test]
    fn a_line_has_one_form() {
        let (one, both) = (vec![22222], vec![22222, 33333]);
        let head = r#"{"time":1677628800166,"peer":11111,"clock":5,"event":"#;
        check(Event::Sent { to: one, stamp: 5 }, &format!(r#"{head}"sent","to":[22222],"stamp":5}}"#));
        check(Event::Sent { to: both, stamp: 5 }, &format!(r#"{head}"sent","to":[22222,33333],"stamp":5}}"#));
        let received = Event::Received { from: 33333, stamp: 4, queue: 0 };
        check(received, &format!(r#"{head}"received","from":33333,"stamp":4,"queue":0}}"#));
        check(Event::Internal, &format!(r#"{head}"internal"}}"#));
    }

    #[test]
    fn an_incomplete_line_is_no_event() {
        for (line, says) in [
            ("", "EOF"),
            (r#"{"time":1,"peer":1,"clock":5,"event":"received","from":2,"stamp":4}"#, "missing field `queue`"),
            (r#"{"time":1,"peer":1,"clock":5,"event":"received","from":2,"stamp":4,"queue":-1}"#, "-1"),
            (r#"{"time":1,"peer":1,"clock":5,"event":"slept"}"#, "unknown variant `slept`"),
            (r#"{"peer":1,"clock":5,"event":"internal"}"#, "missing field `time`"),
            (r#"{"time":1,"peer":1,"clock":5,"event":"sent","to":[],"stamp":5}"#, "`to` is empty"),
        ] {
            let error = line.parse::<Entry>().expect_err(line).to_string();
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
