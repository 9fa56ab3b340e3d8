//! What a target prints: read all the time, so that it never blocks, and only its last lines kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use regex::Regex;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Notify;
use tokio::time::timeout;

/// Lines of output that are kept.
const LINES_KEPT: usize = 40;

/// Characters of one line that are kept.
const LINE_KEPT: usize = 400;

/// A line that is waited for.
#[derive(Debug, Clone)]
pub enum Line {
    /// One with these words in it.
    With(String),
    /// One that fits this expression.
    Fitting(Regex),
}

impl Line {
    fn fits(&self, line: &str) -> bool {
        match self {
            Line::With(words) => line.contains(words),
            Line::Fitting(expression) => expression.is_match(line),
        }
    }
}

/// The last lines of the output of a target and its companions.
#[derive(Debug, Clone, Default)]
pub(super) struct Output {
    lines: Arc<Mutex<VecDeque<String>>>,
    open: Arc<Mutex<usize>>,
    changed: Arc<Notify>,
}

/// The line that one process is waited to print. It is looked for as lines come, so that none slips by.
#[derive(Debug, Clone, Default)]
pub(super) struct Awaited {
    line: Option<Line>,
    seen: Arc<Mutex<bool>>,
}

impl Awaited {
    pub(super) fn new(line: Option<Line>) -> Self {
        Awaited { line, seen: Arc::default() }
    }

    pub(super) fn has_come(&self) -> bool {
        *self.seen.lock().expect("never poisoned")
    }

    fn look_at(&self, line: &str) {
        if self.line.as_ref().is_some_and(|awaited| awaited.fits(line)) {
            *self.seen.lock().expect("never poisoned") = true;
        }
    }
}

impl Output {
    /// Reads a stream to its end in the background. `who` stands before each of its lines.
    pub(super) fn follow(&self, stream: Option<impl AsyncRead + Unpin + Send + 'static>, who: &str, awaited: &Awaited) {
        let Some(mut stream) = stream else { return };
        *self.open.lock().expect("never poisoned") += 1;
        let (output, who, awaited) = (self.clone(), who.to_owned(), awaited.clone());
        tokio::spawn(async move {
            let (mut line, mut buffer) = (Vec::new(), [0_u8; 8192]);
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                for byte in &buffer[..count] {
                    match byte {
                        b'\n' => output.push(&who, &std::mem::take(&mut line), &awaited),
                        _ if line.len() < LINE_KEPT => line.push(*byte),
                        _ => {}
                    }
                }
            }
            if !line.is_empty() {
                output.push(&who, &line, &awaited);
            }
            *output.open.lock().expect("never poisoned") -= 1;
            output.changed.notify_waiters();
        });
    }

    fn push(&self, who: &str, line: &[u8], awaited: &Awaited) {
        let line = String::from_utf8_lossy(line).trim_end().to_owned();
        let mut lines = self.lines.lock().expect("never poisoned");
        if lines.len() == LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back(format!("{who}{line}"));
        awaited.look_at(&line);
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("never poisoned").iter().cloned().collect()
    }

    /// Waits until every stream has ended.
    pub(super) async fn closed(&self, within: Duration) {
        let all = async {
            loop {
                let changed = self.changed.notified();
                if *self.open.lock().expect("never poisoned") == 0 {
                    return;
                }
                changed.await;
            }
        };
        let _ = timeout(within, all).await;
    }
}
