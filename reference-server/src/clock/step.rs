//! The core of a peer: *(state, input, now) → (state, outputs)*.
//!
//! It owns no socket, no timer and no die; whoever drives it throws the die and says when a tick is.
//! Bent peers (`conformance::mutant::clock`) are wrappers around `step`.

use std::collections::VecDeque;

use super::log::{Entry, Event};
use super::message::Message;

/// All that a peer is between two ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// Who it is.
    pub id: u16,
    /// The one peer and the other.
    pub others: [u16; 2],
    /// The logical time of its last event; 0 before the first.
    pub time: u64,
    /// Messages that arrived and wait for a tick, oldest first.
    pub queue: VecDeque<Message>,
}

/// What happens to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// It may do one thing. `die`, from 1 to 10, decides which if no message waits.
    Tick {
        /// 1: send to the one peer, 2: to the other, 3: to both; else an internal event.
        die: u8,
    },
    /// A message came over the network, at any time.
    Received(Message),
}

/// What a peer does, in this order: a line is in the log before its message is on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A line of the log.
    Log(Entry),
    /// A message for one peer.
    Send {
        /// Its id.
        to: u16,
        /// What goes on the wire.
        message: Message,
    },
}

impl Clock {
    /// A peer before its first event.
    pub fn new(id: u16, others: [u16; 2]) -> Self {
        Clock { id, others, time: 0, queue: VecDeque::new() }
    }
}

/// One input. A message only queues; a tick is one event (CLOCKS-10).
pub fn step(clock: &mut Clock, input: Input, now_ms: u64) -> Vec<Output> {
    let die = match input {
        Input::Received(message) => {
            clock.queue.push_back(message);
            return Vec::new();
        }
        Input::Tick { die } => die,
    };
    // CLOCKS-11: a tick that finds a message waiting takes it, and neither sends nor idles.
    let (event, outbox) = match clock.queue.pop_front() {
        Some(message) => (receive(clock, message), Vec::new()),
        None => match die {
            1 => send(clock, &[clock.others[0]]),
            2 => send(clock, &[clock.others[1]]),
            3 => send(clock, &[clock.others[0], clock.others[1]]),
            _ => (internal(clock), Vec::new()),
        },
    };
    let line = Output::Log(Entry { time: now_ms, peer: clock.id, clock: clock.time, event });
    std::iter::once(line).chain(outbox).collect()
}

/// CLOCKS-7: a receive sets the clock to one more than the greater of the peer's own clock and the message's stamp.
fn receive(clock: &mut Clock, message: Message) -> Event {
    clock.time = after(clock.time.max(message.stamp));
    Event::Received { from: message.sender, stamp: message.stamp, queue: clock.queue.len() as u64 }
}

/// CLOCKS-8, CLOCKS-9: one tick, however many it is sent to, and the stamp is the clock after it.
fn send(clock: &mut Clock, to: &[u16]) -> (Event, Vec<Output>) {
    clock.time = after(clock.time);
    let message = Message { sender: clock.id, stamp: clock.time };
    let outbox = to.iter().map(|&to| Output::Send { to, message }).collect();
    (Event::Sent { to: to.to_vec(), stamp: message.stamp }, outbox)
}

fn internal(clock: &mut Clock) -> Event {
    clock.time = after(clock.time);
    Event::Internal
}

/// There is nothing after the greatest stamp; a peer that is sent it stays there rather than begin again at 0.
fn after(time: u64) -> u64 {
    time.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inputs() -> impl Strategy<Value = Vec<Input>> {
        let tick = (1u8..=10).prop_map(|die| Input::Tick { die });
        let received = (2u16..=3, 0u64..100).prop_map(|(sender, stamp)| Input::Received(Message { sender, stamp }));
        proptest::collection::vec(prop_oneof![2 => tick, 1 => received], 0..200)
    }

    proptest! {
        #[test]
        fn a_tick_is_one_event_and_a_message_none(inputs in inputs()) {
            let mut clock = Clock::new(1, [2, 3]);
            for input in inputs {
                let lines = step(&mut clock, input, 7).iter().filter(|o| matches!(o, Output::Log(_))).count();
                prop_assert_eq!(lines, usize::from(matches!(input, Input::Tick { .. })));
            }
        }

        #[test]
        fn the_clock_is_one_more_than_all_it_has_seen(inputs in inputs()) {
            let mut clock = Clock::new(1, [2, 3]);
            for input in inputs {
                let (before, oldest) = (clock.time, clock.queue.front().map_or(0, |message| message.stamp));
                for output in step(&mut clock, input, 7) {
                    match output {
                        Output::Log(entry) => prop_assert_eq!(entry.clock, before.max(oldest) + 1),
                        Output::Send { message, .. } => prop_assert_eq!(message.stamp, clock.time),
                    }
                }
            }
        }

        #[test]
        fn messages_are_taken_oldest_first(inputs in inputs()) {
            let mut clock = Clock::new(1, [2, 3]);
            let (mut came, mut taken) = (Vec::new(), Vec::new());
            for input in inputs {
                if let Input::Received(message) = input {
                    came.push((message.sender, message.stamp));
                }
                for output in step(&mut clock, input, 7) {
                    if let Output::Log(Entry { event: Event::Received { from, stamp, queue }, .. }) = output {
                        taken.push((from, stamp));
                        prop_assert_eq!(queue as usize, came.len() - taken.len());
                    }
                }
            }
            prop_assert!(came.starts_with(&taken));
        }
    }

    #[test]
    fn the_die_says_whom_to_send_to() {
        for (die, expected) in [(1, vec![2]), (2, vec![3]), (3, vec![2, 3]), (4, vec![]), (10, vec![])] {
            let mut clock = Clock::new(1, [2, 3]);
            let outputs = step(&mut clock, Input::Tick { die }, 7);
            let to: Vec<u16> =
                outputs.iter().filter_map(|o| if let Output::Send { to, .. } = o { Some(*to) } else { None }).collect();
            assert_eq!(to, expected, "die {die}");
            assert!(matches!(outputs[0], Output::Log(_)), "the line comes before the messages");
        }
    }

    #[test]
    fn the_greatest_stamp_ends_no_peer() {
        let mut clock = Clock::new(1, [2, 3]);
        step(&mut clock, Input::Received(Message { sender: 2, stamp: u64::MAX }), 7);
        step(&mut clock, Input::Tick { die: 1 }, 7);
        assert_eq!(clock.time, u64::MAX);
    }
}
