//! The wish that the server ends, told to every task that serves somebody.
//!
//! Not `tokio::sync::watch`: that wakes its waiters in an order drawn at random, which no seed repeats. `Notify` wakes
//! them in the order in which they came.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Whether the server is to end. Clones share the wish.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<Wish>);

#[derive(Debug, Default)]
struct Wish {
    asked: AtomicBool,
    told: Notify,
}

impl Stop {
    /// Asks everyone to end.
    pub(crate) fn ask(&self) {
        self.0.asked.store(true, Ordering::Release);
        self.0.told.notify_waiters();
    }

    /// Waits until it is asked for.
    pub(crate) async fn asked(&self) {
        // Whoever is waiting before the look cannot miss what comes after it.
        let told = self.0.told.notified();
        if !self.0.asked.load(Ordering::Acquire) {
            told.await;
        }
    }
}
