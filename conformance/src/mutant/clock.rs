//! Clock peers made wrong on purpose: wrappers around `clock::step`, each with the requirement that must catch it.
//!
//! The reference has no switches for this. A mutant changes what goes into a step, what comes out, or the state
//! between two; all of it is honest about what it does in its log, unless the log is what is wrong with it.

use reference_server::clock::log::{Entry, Event};
use reference_server::clock::message::Message;
use reference_server::clock::peer::Step;
use reference_server::clock::{Clock, Input, Output, step};

/// A peer that breaks a requirement.
#[derive(Debug, Clone, Copy)]
pub struct Mutant {
    /// What it does.
    pub name: &'static str,
    /// The requirement that must catch it.
    pub caught_by: &'static str,
    /// Other requirements that cannot be kept either by who does this.
    pub also: &'static [&'static str],
    /// What drives it, in place of `clock::step`.
    pub step: Step,
}

/// All mutants, by the requirement that catches them.
pub const MUTANTS: [Mutant; 13] = [
    Mutant { name: "forgets the received stamp", caught_by: "CLOCKS-1", also: &["CLOCKS-7"], step: forgets_the_stamp },
    Mutant { name: "idles without ticking", caught_by: "CLOCKS-2", also: &["CLOCKS-8"], step: idles_without_ticking },
    Mutant {
        name: "adopts the received stamp",
        caught_by: "CLOCKS-2",
        also: &["CLOCKS-7"],
        step: adopts_the_received_stamp,
    },
    Mutant {
        name: "misreads a stamp",
        caught_by: "CLOCKS-3",
        also: &["CLOCKS-4", "CLOCKS-5", "CLOCKS-6"],
        step: misreads_a_stamp,
    },
    Mutant { name: "queues a message twice", caught_by: "CLOCKS-4", also: &["CLOCKS-12"], step: queues_twice },
    Mutant { name: "takes the newest first", caught_by: "CLOCKS-5", also: &["CLOCKS-6"], step: takes_the_newest_first },
    Mutant { name: "loses a message", caught_by: "CLOCKS-6", also: &[], step: loses_a_message },
    Mutant {
        name: "receives without plus one",
        caught_by: "CLOCKS-7",
        also: &["CLOCKS-1", "CLOCKS-2"],
        step: receives_without_plus_one,
    },
    Mutant { name: "leaps when it idles", caught_by: "CLOCKS-8", also: &[], step: leaps_when_it_idles },
    Mutant { name: "stamps before the tick", caught_by: "CLOCKS-9", also: &["CLOCKS-1"], step: stamps_before_the_tick },
    Mutant { name: "does two things a tick", caught_by: "CLOCKS-10", also: &[], step: does_two_things_a_tick },
    Mutant { name: "works before it listens", caught_by: "CLOCKS-11", also: &[], step: works_before_it_listens },
    Mutant { name: "reports an empty queue", caught_by: "CLOCKS-12", also: &[], step: reports_an_empty_queue },
];

/// A receive counts as any other event.
fn forgets_the_stamp(clock: &mut Clock, input: Input, now_ms: u64) -> Vec<Output> {
    let own = clock.time;
    let mut outputs = step(clock, input, now_ms);
    with_line(&mut outputs, |entry| {
        if let Event::Received { .. } = entry.event {
            set_time(clock, entry, own + 1);
        }
    });
    outputs
}

fn idles_without_ticking(clock: &mut Clock, input: Input, now_ms: u64) -> Vec<Output> {
    let own = clock.time;
    let mut outputs = step(clock, input, now_ms);
    with_line(&mut outputs, |entry| {
        if entry.event == Event::Internal {
            set_time(clock, entry, own);
        }
    });
    outputs
}

/// The sender's time is taken over, even when it is behind.
fn adopts_the_received_stamp(clock: &mut Clock, input: Input, now_ms: u64) -> Vec<Output> {
    let mut outputs = step(clock, input, now_ms);
    with_line(&mut outputs, |entry| {
        if let Event::Received { stamp, .. } = entry.event {
            set_time(clock, entry, stamp + 1);
        }
    });
    outputs
}

/// As a decoder does that loses its place: every third stamp comes out greater.
fn misreads_a_stamp(clock: &mut Clock, input: Input, now_ms: u64) -> Vec<Output> {
    let read = match input {
        Input::Received(Message { sender, stamp }) if stamp % 3 == 0 => {
            Input::Received(Message { sender, stamp: stamp + 1 })
        }
        other => other,
    };
    step(clock, read, now_ms)
}

fn queues_twice(clock: &mut Clock, input: Input, now_ms: u64) -> Vec<Output> {
    if let Input::Received(Message { stamp, .. }) = input
        && stamp % 3 == 0
    {
        step(clock, input, now_ms);
    }
    step(clock, input, now_ms)
}

/// A stack where a queue belongs.
fn takes_the_newest_first(clock: &mut Clock, input: Input, now_ms: u64) -> Vec<Output> {
    if let Input::Tick { .. } = input {
        let newest = clock.queue.pop_back();
        newest.into_iter().for_each(|message| clock.queue.push_front(message));
    }
    step(clock, input, now_ms)
}

fn loses_a_message(clock: &mut Clock, input: Input, now_ms: u64) -> Vec<Output> {
    match input {
        Input::Received(Message { stamp, .. }) if stamp % 3 == 0 => Vec::new(),
        other => step(clock, other, now_ms),
    }
}

/// The greater of the two times, and nothing added.
fn receives_without_plus_one(clock: &mut Clock, input: Input, now_ms: u64) -> Vec<Output> {
    let own = clock.time;
    let mut outputs = step(clock, input, now_ms);
    with_line(&mut outputs, |entry| {
        if let Event::Received { stamp, .. } = entry.event {
            set_time(clock, entry, own.max(stamp));
        }
    });
    outputs
}

fn leaps_when_it_idles(clock: &mut Clock, input: Input, now_ms: u64) -> Vec<Output> {
    let mut outputs = step(clock, input, now_ms);
    with_line(&mut outputs, |entry| {
        if entry.event == Event::Internal {
            set_time(clock, entry, entry.clock + 1);
        }
    });
    outputs
}

/// As seed 004 is built: the message carries the time before the send.
fn stamps_before_the_tick(clock: &mut Clock, input: Input, now_ms: u64) -> Vec<Output> {
    let own = clock.time;
    let mut outputs = step(clock, input, now_ms);
    for output in &mut outputs {
        match output {
            Output::Log(Entry { event: Event::Sent { stamp, .. }, .. }) => *stamp = own,
            Output::Send { message, .. } => message.stamp = own,
            Output::Log(_) => {}
        }
    }
    outputs
}

fn does_two_things_a_tick(clock: &mut Clock, input: Input, now_ms: u64) -> Vec<Output> {
    let mut outputs = step(clock, input, now_ms);
    if let Input::Tick { .. } = input {
        outputs.extend(step(clock, input, now_ms));
    }
    outputs
}

/// Every third tick leaves the queue alone.
fn works_before_it_listens(clock: &mut Clock, input: Input, now_ms: u64) -> Vec<Output> {
    match input {
        Input::Tick { .. } if clock.time.is_multiple_of(3) => {
            let waiting = std::mem::take(&mut clock.queue);
            let outputs = step(clock, input, now_ms);
            clock.queue = waiting;
            outputs
        }
        _ => step(clock, input, now_ms),
    }
}

/// Every other receive says that nothing waits.
fn reports_an_empty_queue(clock: &mut Clock, input: Input, now_ms: u64) -> Vec<Output> {
    let mut outputs = step(clock, input, now_ms);
    with_line(&mut outputs, |entry| {
        if let Event::Received { queue, .. } = &mut entry.event
            && entry.clock % 2 == 0
        {
            *queue = 0;
        }
    });
    outputs
}

/// The line that a step wrote, to be bent.
fn with_line(outputs: &mut [Output], mut bend: impl FnMut(&mut Entry)) {
    for output in outputs {
        if let Output::Log(entry) = output {
            bend(entry);
        }
    }
}

/// The clock and its line say the same.
fn set_time(clock: &mut Clock, entry: &mut Entry, time: u64) {
    clock.time = time;
    entry.clock = time;
}
