//! The one deadline of the suite: how long an answer is waited for.
//!
//! It adapts: never less than a base, never less than many times the slowest answer seen. A first round waits that long;
//! cases that met silence are repeated at the end, one at a time, with ten times as much. Whoever then waits in silence
//! passes the turn on, so that silent cases wait side by side. Silence alone convicts nobody (`run` sees to that).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// The shortest first deadline. Answers over loopback take 0.05 ms; a busy machine may hold a process back for 100 ms.
const BASE: Duration = Duration::from_millis(250);

/// How many times the slowest answer so far is waited for.
const SLACK: u32 = 20;

/// A target that is always slow is waited for at most so long in the first round, and never more than so many times the
/// shortest deadline: whoever asks for a short one does not want to wait.
const LONGEST: Duration = Duration::from_secs(5);
const LONGEST_TIMES: u32 = 20;

/// An answer that takes longer than this may be on no way at all.
const USUAL: Duration = Duration::from_millis(20);

/// How much longer the second round waits.
const SECOND_ROUND: u32 = 10;

/// How long to wait for an answer. Clones share what they learn.
#[derive(Debug, Clone)]
pub struct Patience {
    base: Duration,
    slowest_us: Arc<AtomicU64>,
    factor: u32,
    turn: Option<Arc<Semaphore>>,
}

impl Patience {
    /// The patience of the first round; `base` replaces the shortest deadline.
    pub fn new(base: Option<Duration>) -> Self {
        Patience { base: base.unwrap_or(BASE), slowest_us: Arc::default(), factor: 1, turn: None }
    }

    /// The patience of the second round: ten times the deadline, one case at a time.
    #[must_use]
    pub fn second_round(&self) -> Self {
        Patience { factor: SECOND_ROUND, turn: Some(Arc::new(Semaphore::new(1))), ..self.clone() }
    }

    /// Waits for one's turn. What comes back holds it.
    pub async fn turn(&self) -> Turn {
        Turn { turn: self.turn.clone(), held: self.acquire().await }
    }

    /// The deadline for one answer.
    pub fn deadline(&self) -> Duration {
        self.first_deadline() * self.factor
    }

    /// How long nothing must come until a message without an end of its own has ended.
    pub fn pause(&self, pause: Duration) -> Duration {
        pause * self.factor
    }

    fn first_deadline(&self) -> Duration {
        let longest = LONGEST.min(self.base * LONGEST_TIMES);
        self.base.max((self.slowest() * SLACK).min(longest))
    }

    async fn acquire(&self) -> Option<OwnedSemaphorePermit> {
        match &self.turn {
            Some(turn) => turn.clone().acquire_owned().await.ok(),
            None => None,
        }
    }

    /// Waits for something that a target does. None: the deadline passed.
    pub async fn wait<T>(&self, turn: &mut Turn, work: impl Future<Output = T>) -> Option<T> {
        let began = Instant::now();
        let mut work = std::pin::pin!(work);
        let mut done = None;
        if self.factor > 1 {
            // Once only waiting is left, somebody else may act.
            done = timeout(self.usual(), &mut work).await.ok();
            if done.is_none() {
                turn.held = None;
            }
        }
        // Answers to others may come meanwhile, and show that the target is slower than was known.
        while done.is_none() && began.elapsed() < self.deadline() {
            done = timeout(self.deadline().saturating_sub(began.elapsed()), &mut work).await.ok();
        }
        let passed_on = self.factor > 1 && turn.held.is_none();
        let elapsed = began.elapsed();
        if turn.held.is_none() {
            turn.held = self.acquire().await;
        }
        // What came after the turn was passed on may have waited for another case to end: it says nothing about speed.
        if done.is_some() && !passed_on {
            self.slowest_us.fetch_max(elapsed.as_micros() as u64, Ordering::Relaxed);
        }
        done
    }

    /// Within this time an answer usually comes.
    fn usual(&self) -> Duration {
        (self.slowest() * 4).clamp(USUAL, self.first_deadline())
    }

    fn slowest(&self) -> Duration {
        Duration::from_micros(self.slowest_us.load(Ordering::Relaxed))
    }
}

/// The right to act, while a second round lets cases act one at a time.
#[derive(Debug)]
pub struct Turn {
    turn: Option<Arc<Semaphore>>,
    held: Option<OwnedSemaphorePermit>,
}

impl Turn {
    /// Whether cases take turns at all.
    pub fn is_taken(&self) -> bool {
        self.turn.is_some() && self.held.is_some()
    }
}
