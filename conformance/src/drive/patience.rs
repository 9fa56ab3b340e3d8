//! The one deadline of the suite: how long an answer is waited for.
//!
//! It adapts: never less than a base, never less than many times the slowest answer seen. A first round waits that long;
//! cases that met silence are repeated at the end, one at a time, with up to ten times as much. Whoever then waits in
//! silence passes the turn on, so that silent cases wait side by side. Silence alone convicts nobody (`run` sees to that).
//! A connection has a deadline of its own, for it depends on the system of the server more than on the server.

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

/// How much longer the second round waits than the first, and than the slowest answer.
const SECOND_ROUND: u32 = 10;

/// What the second round waits at most for a target that never took a tenth of it. The slowest answers of the first round
/// were those of a target that all cases pressed at once; in the second they act one at a time.
const SECOND_ROUND_USUAL: Duration = Duration::from_secs(10);

/// How long a connection is waited for at least. Where many connect at once and few may wait to be accepted, the system
/// drops a first packet, and it is sent again after one second, and after two more. Whoever refuses does so at once.
const CONNECTING: Duration = Duration::from_secs(4);

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

    /// The patience of the second round: up to ten times the deadline, one case at a time.
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
        let plenty = SECOND_ROUND_USUAL.max(self.slowest().max(self.base) * self.factor);
        (self.first_deadline() * self.factor).min(plenty)
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
        let (done, took) = self.at_least(Duration::ZERO, turn, work).await?;
        if let Some(took) = took {
            self.slowest_us.fetch_max(took.as_micros() as u64, Ordering::Relaxed);
        }
        Some(done)
    }

    /// Waits for a connection. That it came late says nothing about answers.
    pub async fn wait_for_connection<T>(&self, turn: &mut Turn, work: impl Future<Output = T>) -> Option<T> {
        self.at_least(CONNECTING, turn, work).await.map(|(done, _)| done)
    }

    /// Waits for so long at least; gives also how long it took, if that was the target's doing.
    async fn at_least<T>(
        &self,
        least: Duration,
        turn: &mut Turn,
        work: impl Future<Output = T>,
    ) -> Option<(T, Option<Duration>)> {
        let deadline = || self.deadline().max(least);
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
        while done.is_none() && began.elapsed() < deadline() {
            done = timeout(deadline().saturating_sub(began.elapsed()), &mut work).await.ok();
        }
        let passed_on = self.factor > 1 && turn.held.is_none();
        let elapsed = began.elapsed();
        if turn.held.is_none() {
            turn.held = self.acquire().await;
        }
        // What came after the turn was passed on may have waited for another case to end: it says nothing about speed.
        done.map(|done| (done, (!passed_on).then_some(elapsed)))
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

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    async fn answers_after(patience: &Patience, took: Duration) -> bool {
        let mut turn = patience.turn().await;
        patience.wait(&mut turn, sleep(took)).await.is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn one_slow_answer_makes_no_second_look_long() {
        let patience = Patience::new(None);
        assert!(answers_after(&patience, Duration::from_millis(240)).await);
        assert_eq!(patience.deadline(), Duration::from_millis(4_800));
        assert_eq!(patience.second_round().deadline(), Duration::from_secs(10));
        // Whoever is truly slow, and whoever asks for more, has ten times as much.
        assert!(answers_after(&patience, Duration::from_millis(3_000)).await);
        assert_eq!(patience.second_round().deadline(), Duration::from_secs(30));
        let longer = Patience::new(Some(Duration::from_secs(2)));
        assert_eq!(longer.second_round().deadline(), Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_may_come_late_and_says_nothing_of_answers() {
        let patience = Patience::new(None);
        let mut turn = patience.turn().await;
        let late = sleep(Duration::from_millis(3_100));
        assert!(patience.wait_for_connection(&mut turn, late).await.is_some());
        assert_eq!(patience.deadline(), BASE);
        assert!(patience.wait_for_connection(&mut turn, std::future::pending::<()>()).await.is_none());
    }
}
