//! When a run ends before all is decided: after the longest time that it may take, or when its user wants no more. What
//! is decided by then is reported.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::run::Settings;

/// When a run must end.
#[derive(Debug, Clone)]
pub(super) struct End {
    at: Option<(Instant, Duration)>,
    unwanted: Option<watch::Receiver<bool>>,
}

impl End {
    pub(super) fn of(settings: &Settings, began: Instant) -> Self {
        End { at: settings.at_most.map(|at_most| (began + at_most, at_most)), unwanted: settings.unwanted.clone() }
    }

    /// Why it is over. None: it is not.
    pub(super) fn why(&self) -> Option<String> {
        if self.unwanted.as_ref().is_some_and(|unwanted| *unwanted.borrow()) {
            return Some("interrupted".into());
        }
        let (at, at_most) = self.at?;
        (Instant::now() >= at).then(|| format!("the run was to take {} s at most", at_most.as_secs()))
    }

    /// Does something until the run must end. None: it had to.
    pub(super) async fn until<T>(self, work: impl Future<Output = T>) -> Option<T> {
        let End { at, unwanted } = self;
        let late = async {
            match at {
                Some((at, _)) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let interrupted = async {
            let Some(mut unwanted) = unwanted else { return std::future::pending().await };
            if unwanted.wait_for(|unwanted| *unwanted).await.is_err() {
                // Nobody is left who could say so.
                std::future::pending().await
            }
        };
        tokio::select! {
            biased;
            () = interrupted => None,
            () = late => None,
            done = work => Some(done),
        }
    }
}
