//! Judges a run of logical-clock peers by their logs alone (`spec/requirements/clocks.yaml`).
//!
//! One scan of each log and one of each link, whatever the length; only a peer that takes messages out of order costs
//! a search. It never asks the reference what is right, and nothing here runs a peer (`sim::clock`) or knows other
//! forms of logs than the canonical one.

use std::collections::{BTreeMap, BTreeSet};

use reference_server::clock::log::{Entry, Event};

mod ledger;
mod link;

pub use ledger::{ClockFinding, Verdict};
use ledger::{Ledger, Rule};
use link::{Link, Place, Taken};

/// The greatest rate of a peer, in ticks a second.
const RATE_MAX: u32 = 6;
/// How many peers make a run.
const PEERS: usize = 3;
/// Lines may bunch up by so much before their rate convicts: a second, for a computer that holds a peer up.
const HELD_UP_MS: u64 = 1000;

/// The log of one peer, read.
#[derive(Debug, Clone)]
pub struct PeerLog {
    name: String,
    rate: u32,
    lines: Vec<Line>,
}

/// One line of a log.
#[derive(Debug, Clone)]
struct Line {
    number: usize,
    entry: Result<Entry, String>,
}

/// How an implementation counts where the specification leaves a choice. The default is the specification's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policies {
    /// Which clock a message carries.
    pub stamp: Stamp,
    /// What sending to both peers is.
    pub both: Both,
    /// When the queue is counted.
    pub queue: Queue,
}

/// Which clock a message carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stamp {
    /// The clock of the send itself.
    #[default]
    AfterTick,
    /// The clock before the send.
    BeforeTick,
}

/// What sending to both peers is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Both {
    /// One event.
    #[default]
    OneTick,
    /// Two events in one turn.
    TwoTicks,
}

/// When the queue is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Queue {
    /// Without the message just taken.
    #[default]
    AfterTaking,
    /// With the message just taken.
    BeforeTaking,
}

impl PeerLog {
    /// Reads a log; `name` is what evidence calls it. A last line that was cut off is left aside.
    pub fn parse(name: impl Into<String>, text: &str) -> Self {
        let mut lines: Vec<Line> = Vec::new();
        let mut peer = None;
        for (before, raw) in text.split_inclusive('\n').enumerate() {
            let entry = match raw.parse::<Entry>() {
                // CLOCKS-13: a last line that was cut off while it was written is none.
                Err(_) if !raw.ends_with('\n') => break,
                Err(error) => Err(format!("{error}: {}", raw.trim_end())),
                Ok(entry) if *peer.get_or_insert(entry.peer) != entry.peer => {
                    Err(format!("tells of another peer than the lines before: {}", raw.trim_end()))
                }
                Ok(entry) => Ok(entry),
            };
            lines.push(Line { number: before + 1, entry });
        }
        PeerLog { name: name.into(), rate: RATE_MAX, lines }
    }

    /// The log of a peer whose rate is known, in ticks a second. Without it, only the greatest rate is judged.
    #[must_use]
    pub fn at_rate(mut self, rate: u32) -> Self {
        self.rate = rate;
        self
    }

    fn peer(&self) -> Option<u16> {
        self.events().next().map(|(_, entry)| entry.peer)
    }

    fn events(&self) -> impl Iterator<Item = (&Line, &Entry)> {
        self.lines.iter().filter_map(|line| Some((line, line.entry.as_ref().ok()?)))
    }

    fn is_whole(&self) -> bool {
        self.lines.iter().all(|line| line.entry.is_ok())
    }

    fn cite(&self, line: &Line) -> String {
        match &line.entry {
            Ok(entry) => format!("{} line {}: {entry}", self.name, line.number),
            Err(why) => format!("{} line {}: {why}", self.name, line.number),
        }
    }
}

/// Judges every requirement of the chapter, in its order, by the logs of all peers of one run.
pub fn check(logs: &[PeerLog], policies: Policies) -> Vec<ClockFinding> {
    let mut ledger = Ledger::default();
    for log in logs {
        judge_lines(log, &mut ledger);
        judge_steps(log, policies, &mut ledger);
        judge_rate(log, policies, &mut ledger);
        judge_queue(log, policies, &mut ledger);
    }
    judge_links(logs, policies, &mut ledger);
    ledger.findings()
}

fn judge_lines(log: &PeerLog, ledger: &mut Ledger) {
    for line in &log.lines {
        // CLOCKS-13: every line of a log is one event with all its fields, and a log tells of one peer.
        ledger.judge(Rule::Line, line.entry.is_ok(), || log.cite(line));
    }
}

fn judge_steps(log: &PeerLog, policies: Policies, ledger: &mut Ledger) {
    // What the clock was before a line; unknown after one that cannot be read.
    let mut own = Some(0);
    for line in &log.lines {
        let Ok(entry) = &line.entry else {
            own = None;
            continue;
        };
        if let Some(own) = own {
            let cite = || format!("{} (clock before: {own})", log.cite(line));
            // CLOCKS-2: from each event of a peer to its next, the clock rises.
            ledger.judge(Rule::Rises, entry.clock > own, cite);
            match entry.event {
                // CLOCKS-7: one more than the greater of the peer's own clock and the message's stamp.
                Event::Received { stamp, .. } => {
                    ledger.judge(Rule::MaxPlusOne, own.max(stamp).checked_add(1) == Some(entry.clock), cite);
                }
                // CLOCKS-8: a send and an internal event set the clock to one more than it was.
                _ => ledger.judge(Rule::PlusOne, own.checked_add(1) == Some(entry.clock), cite),
            }
        }
        if let Event::Sent { stamp, .. } = entry.event {
            let expected = match policies.stamp {
                Stamp::AfterTick => Some(entry.clock),
                Stamp::BeforeTick => entry.clock.checked_sub(1),
            };
            // CLOCKS-9: a message carries the clock of its send, as the policy `stamp` counts it.
            ledger.judge(Rule::Stamp, expected == Some(stamp), || log.cite(line));
        }
        own = Some(entry.clock);
    }
}

/// A bucket that every line fills by one event and that leaks at the peer's rate: it overflows where lines come faster.
fn judge_rate(log: &PeerLog, policies: Policies, ledger: &mut Ledger) {
    let events_per_tick = if policies.both == Both::TwoTicks { 2 } else { 1 };
    let rate = u64::from(log.rate) * events_per_tick;
    let (mut level, mut last) = (0_u64, 0);
    // In thousandths of an event, so that a millisecond leaks `rate` of them.
    let brim = 1000 * events_per_tick + HELD_UP_MS * rate;
    for (line, entry) in log.events() {
        if entry.time < last {
            ledger.doubt(Rule::Rate, || format!("the computer's clock was set back before {}", log.cite(line)));
            level = 0;
        }
        level = level.saturating_sub(entry.time.saturating_sub(last).saturating_mul(rate)) + 1000;
        last = entry.time;
        // CLOCKS-10: no more ticks a second than its rate.
        ledger.judge(Rule::Rate, level <= brim, || {
            format!("{} (too soon after the lines before, at {} ticks a second)", log.cite(line), log.rate)
        });
        if level > brim {
            level = 0;
        }
    }
}

fn judge_queue(log: &PeerLog, policies: Policies, ledger: &mut Ledger) {
    // How many messages wait after the line before; unknown after all lines but receives.
    let mut waited: Option<u64> = None;
    for line in &log.lines {
        let event = line.entry.as_ref().map(|entry| &entry.event);
        let waits = event.ok().and_then(|event| waiting(event, policies));
        if let Ok(event) = event {
            let takes = matches!(event, Event::Received { .. });
            let cite = |waited: u64| format!("{} (waiting before: {waited})", log.cite(line));
            if let Some(waited @ 1..) = waited {
                // CLOCKS-11: a tick that finds a message waiting takes it, and neither sends nor idles.
                ledger.judge(Rule::TakesWaiting, takes, || cite(waited));
            }
            if takes {
                // CLOCKS-12: a queue loses no more than the one message that is taken.
                let possible = waits.is_some_and(|waits| waits >= waited.unwrap_or(0).saturating_sub(1));
                ledger.judge(Rule::Queue, possible, || cite(waited.unwrap_or(0)));
            }
        }
        waited = waits;
    }
}

/// How many messages wait after a receive; `None` too if its queue did not even count the message just taken.
fn waiting(event: &Event, policies: Policies) -> Option<u64> {
    match (event, policies.queue) {
        (Event::Received { queue, .. }, Queue::AfterTaking) => Some(*queue),
        (Event::Received { queue, .. }, Queue::BeforeTaking) => queue.checked_sub(1),
        _ => None,
    }
}

fn judge_links(logs: &[PeerLog], policies: Policies, ledger: &mut Ledger) {
    let known: BTreeSet<u16> = logs.iter().filter_map(PeerLog::peer).collect();
    // Peers whose events are all known. What is missing in another log proves nothing.
    let whole: BTreeSet<u16> = logs.iter().filter(|log| log.is_whole()).filter_map(PeerLog::peer).collect();
    if known.len() < logs.len() {
        ledger.doubt(Rule::Sent, || "a log without an event, or two logs of one peer".to_owned());
    }
    let mut links: BTreeMap<(u16, u16), Link<'_>> = BTreeMap::new();
    let mut sent_to: BTreeMap<u16, u64> = BTreeMap::new();
    for (log, line, entry) in logs.iter().flat_map(|log| log.events().map(move |(line, entry)| (log, line, entry))) {
        if let Event::Sent { to, stamp } = &entry.event {
            for &to in to {
                links.entry((entry.peer, to)).or_default().send(*stamp, (log, line), entry.clock);
                *sent_to.entry(to).or_default() += 1;
            }
        }
    }
    let all_sends_are_known = whole.len() == PEERS && logs.len() == PEERS;
    for log in logs {
        let mut taken = 0;
        for (line, entry) in log.events() {
            let Event::Received { from, stamp, .. } = entry.event else { continue };
            taken += 1;
            let link = links.entry((from, entry.peer)).or_default();
            judge_receive(link.take(stamp, (log, line)), (log, line), entry, whole.contains(&from), ledger);
            if let Some(waits) = waiting(&entry.event, policies)
                && all_sends_are_known
            {
                let sent = sent_to.get(&entry.peer).copied().unwrap_or(0);
                // CLOCKS-12: no more can wait than were ever sent and not yet taken.
                ledger.judge(Rule::Queue, waits.saturating_add(taken) <= sent, || {
                    format!("{} (sent to it in all: {sent}, taken so far: {taken})", log.cite(line))
                });
            }
        }
    }
    for ((_, to), link) in &links {
        let Some((gap, later)) = link.gap() else {
            ledger.judge_if(Rule::NothingLost, link.is_used(), true, String::new);
            continue;
        };
        let cite = || format!("{}\nwas never taken, and a later one was: {}", cite(gap), cite(later));
        // CLOCKS-6: a peer that takes a message has taken every earlier message of that sender.
        ledger.judge_if(Rule::NothingLost, whole.contains(to), false, cite);
    }
}

fn judge_receive(taken: Taken<'_>, here: Place<'_>, entry: &Entry, sender_is_whole: bool, ledger: &mut Ledger) {
    let was_sent = !matches!(taken, Taken::Unknown);
    // CLOCKS-3: a peer takes only messages that were sent to it, with the stamp that they were sent with.
    ledger
        .judge_if(Rule::Sent, was_sent || sender_is_whole, was_sent, || format!("{}\nwas sent by nobody", cite(here)));
    match taken {
        Taken::Unknown => {}
        // CLOCKS-4: a peer takes no message twice.
        Taken::Again { first } => ledger.judge_if(Rule::Once, sender_is_whole, false, || {
            format!("{}\nwas taken before: {}", cite(here), cite(first))
        }),
        Taken::Now { sent, clock, overtaken_by } => {
            ledger.judge(Rule::Once, true, String::new);
            // CLOCKS-5: a peer takes the messages of one sender in the order in which they were sent.
            ledger.judge(Rule::InOrder, overtaken_by.is_none(), || {
                let later = overtaken_by.map_or_else(String::new, cite);
                format!("{}\nwas overtaken by a message that was sent later: {later}", cite(here))
            });
            // CLOCKS-1: the clock of a receive is greater than the clock of the send whose message it took.
            ledger.judge(Rule::Lamport, entry.clock > clock, || {
                format!("{}\nis not after its send: {}", cite(here), cite(sent))
            });
        }
    }
}

fn cite((log, line): Place<'_>) -> String {
    log.cite(line)
}
