//! The lines: what stands in each, and reading them with a bound. What they do is told in `calls` and `answers`.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tonic::{Code, Status};

use crate::message::Json;
use crate::status;

/// The longest line that is read: a message of gRPC's usual bound, 4 MiB, with room for escapes.
pub(crate) const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The status in a line that the bridge makes of a call which was never made: none of gRPC's, for nobody answered.
pub(crate) const UNSENT: &str = "UNSENT";

/// A client's line, on both sides of the bridge.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) request: serde_json::Value,
}

/// A client's line as the server hears it.
#[derive(Debug, Serialize)]
pub(crate) struct CallHeard<'a> {
    pub(crate) method: &'a str,
    pub(crate) request: Json,
}

/// A server's line.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Answer {
    pub(crate) method: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) detail: String,
    pub(crate) reply: Option<serde_json::Value>,
    pub(crate) end: bool,
}

/// A server's line as the client hears it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum AnswerHeard<'a> {
    Reply { method: &'a str, status: &'static str, detail: &'a str, reply: Json },
    Failure { method: &'a str, status: &'static str, detail: &'a str, reply: Empty },
    End { method: &'a str, status: &'static str, detail: &'a str, end: bool },
}

/// An object without members.
#[derive(Debug, Serialize)]
pub(crate) struct Empty {}

impl<'a> AnswerHeard<'a> {
    pub(crate) fn reply(method: &'a str, reply: Json) -> Self {
        AnswerHeard::Reply { method, status: status::name(Code::Ok), detail: "", reply }
    }

    pub(crate) fn failure(method: &'a str, failure: &'a Status) -> Self {
        let status = status::name(failure.code());
        AnswerHeard::Failure { method, status, detail: failure.message(), reply: Empty {} }
    }

    /// Of a call that could not be made, and was not.
    pub(crate) fn unsent(method: &'a str, why: &'a str) -> Self {
        AnswerHeard::Failure { method, status: UNSENT, detail: why, reply: Empty {} }
    }

    pub(crate) fn end(method: &'a str) -> Self {
        AnswerHeard::End { method, status: status::name(Code::Ok), detail: "", end: true }
    }
}

/// A line's bytes, with the newline.
pub(crate) fn written(line: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(line).expect("names, texts and messages are JSON");
    bytes.push(b'\n');
    bytes
}

/// What a line says.
///
/// # Errors
/// It is no JSON object of this form; in words.
pub(crate) fn read<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    serde_json::from_slice(line).map_err(|error| format!("not a line of this bridge: {error}"))
}

/// Lines from a stream.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    from: BufReader<R>,
    line: Vec<u8>,
    is_too_long: bool,
}

/// A line was longer than [`LINE_BYTES_MAX`]; all of it has been passed over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn of(from: R) -> Self {
        Lines { from: BufReader::new(from), line: Vec::new(), is_too_long: false }
    }

    /// The next line, without its newline. None: the stream has ended; what stood behind the last newline is no line.
    /// Nothing is lost if this is dropped while it waits.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Result<Vec<u8>, TooLong>>> {
        loop {
            let bytes = self.from.fill_buf().await?;
            if bytes.is_empty() {
                return Ok(None);
            }
            let newline = bytes.iter().position(|byte| *byte == b'\n');
            let part = &bytes[..newline.unwrap_or(bytes.len())];
            self.is_too_long |= self.line.len() + part.len() > LINE_BYTES_MAX;
            if self.is_too_long {
                self.line = Vec::new();
            } else {
                self.line.extend_from_slice(part);
            }
            let taken = part.len() + usize::from(newline.is_some());
            self.from.consume(taken);
            if newline.is_some() {
                let line = std::mem::take(&mut self.line);
                return Ok(Some(if std::mem::take(&mut self.is_too_long) { Err(TooLong) } else { Ok(line) }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_that_is_too_long_is_passed_over_and_the_next_one_read() {
        let mut bytes = vec![b'x'; LINE_BYTES_MAX + 1];
        bytes.extend_from_slice(b"\nnext\n\nrest");
        let mut lines = Lines::of(bytes.as_slice());
        assert_eq!(lines.next().await.expect("it is there"), Some(Err(TooLong)));
        assert_eq!(lines.next().await.expect("it is there"), Some(Ok(b"next".to_vec())));
        assert_eq!(lines.next().await.expect("it is there"), Some(Ok(Vec::new())));
        assert_eq!(lines.next().await.expect("it is there"), None);
    }

    #[test]
    fn a_members_name_that_is_mistyped_is_not_passed_over() {
        assert!(read::<Answer>(br#"{"staus": "NOT_FOUND"}"#).is_err_and(|words| words.contains("staus")));
        assert!(read::<Call>(br#"{"request": {}}"#).is_err_and(|words| words.contains("method")));
        assert!(read::<Answer>(b"{}").is_ok());
    }
}
