//! What a server does where right servers differ: which choice of each policy it follows, as far as that shows.
//!
//! A few accounts with names of their own ask harmless questions and touch nothing of anybody else's. Every conclusion
//! needs an answer that only one choice gives, and a counter-check that the question meant something. Whatever is not as
//! plain as that is left open: a right server must never be told that it is another one.
//!
//! `person` is who asks, `answer` what it is told, `session` whether somebody is logged in; `accounts`, `lists`, `messages`
//! and `deletion` are what is asked. Not here: what follows from a difference (`run::policies`), and how it is shown
//! (`report`, `commands::probe`).

mod accounts;
mod answer;
mod deletion;
mod lists;
mod messages;
mod person;
mod session;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::drive::{Names, Network, Stage};
use crate::history::History;
use crate::observe::person::Asking;

/// Numbers of the two looks among the cases of a run, which they share their names with. The last letter of what both
/// names begin with is no end of a name here: a pattern that repeats it would find the wrong ones.
const NUMBERS: [usize; 2] = [46_008, 46_044];

/// How long the second look waits before it takes something for absent.
const SECOND_LOOK: Duration = Duration::from_millis(100);

/// What was seen of one policy.
#[derive(Debug, Clone)]
pub struct Observation {
    /// The policy.
    pub policy: String,
    /// The choices that what was seen is right for, the likeliest first. Never empty.
    pub choices: Vec<String>,
    /// What was said and heard.
    pub history: History,
}

impl Observation {
    /// Whether a choice is one that this was right for.
    pub fn allows(&self, choice: &str) -> bool {
        self.choices.iter().any(|seen| seen == choice)
    }
}

/// What a look came to.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// By policy; what is not in it cannot be told.
    pub policies: BTreeMap<String, Observation>,
    /// Accounts that were made.
    pub accounts: u64,
    /// Why not everything was asked, if the look ended early.
    pub stopped: Option<String>,
}

/// Looks once, at the policies in `wanted`.
pub async fn observe(stage: &Stage<Network>, names: &Names, wanted: &BTreeSet<&str>) -> Observed {
    look(stage, names, NUMBERS[0], Duration::ZERO, wanted).await
}

/// Looks at the policies in `wanted` again, with other accounts, and waits before it takes something for absent.
pub async fn observe_again(stage: &Stage<Network>, names: &Names, wanted: &BTreeSet<&str>) -> Observed {
    look(stage, names, NUMBERS[1], SECOND_LOOK, wanted).await
}

async fn look(
    stage: &Stage<Network>,
    names: &Names,
    number: usize,
    wait: Duration,
    wanted: &BTreeSet<&str>,
) -> Observed {
    let mut asking = Asking::new(stage, names, number, wait, wanted).await;
    // What is lost on the way ends the look: from there on silence would be mistaken for an answer.
    let _ = questions(&mut asking).await;
    asking.observed()
}

/// The server stopped answering, or the wire cannot carry what would have to be asked.
struct Stop;

async fn questions(asking: &mut Asking<'_>) -> Result<(), Stop> {
    if !asking.has("create_account") {
        return Err(asking.stop("no account can be made"));
    }
    let mut anna = asking.accounts().await?;
    let (mut zoe, mut carl) = (asking.absent("z").await?, asking.absent("c").await?);
    asking.lists(&mut anna, [&zoe, &carl]).await?;
    asking.messages(&mut anna, &mut zoe).await?;
    asking.second_log_in(&mut zoe).await?;
    asking.log_out(&mut zoe).await?;
    asking.deletion(&mut anna, &mut carl).await
}
