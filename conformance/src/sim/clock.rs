//! Three logical-clock peers in simulated time: what a minute of them writes into their logs.
//!
//! A seed decides dice and latencies, so a seed repeats a run to the byte. Nothing is judged here (`check::clock`).

use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use reference_server::clock::peer::{Other, Peer, Settings, Step};
use reference_server::world::World;

use super::net::Turmoil;

/// The ids of the three peers; each listens on the port of the same number.
pub const IDS: [u16; 3] = [11111, 22222, 33333];
/// Their hosts.
const HOSTS: [&str; 3] = ["one", "two", "three"];
/// When simulated time begins: 2023-03-01T00:00:00Z, long enough after 1970 to look like a time.
const BEGINNING: Duration = Duration::from_secs(1_677_628_800);
/// How long peers may take to come up; the simulation lasts as much longer than they tick.
const START: Duration = Duration::from_secs(5);
/// Segments that may wait at a host: more than peers can send in an hour.
const TCP_CAPACITY: usize = 65_536;

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub struct Play {
    /// Decides dice and latencies.
    pub seed: u64,
    /// Ticks a second of each peer.
    pub rates: [u32; 3],
    /// What drives each peer: `clock::step`, or a bent one.
    pub steps: [Step; 3],
    /// How long the peers tick, in simulated time.
    pub duration: Duration,
}

/// The logs of the three peers, in the order of [`IDS`].
///
/// # Panics
/// When a peer panics or cannot go on: that is a mistake of the reference or of the simulation, not a verdict.
pub fn logs(play: &Play) -> [String; 3] {
    let mut simulation = turmoil::Builder::new()
        .rng_seed(play.seed)
        .epoch(UNIX_EPOCH + BEGINNING)
        .tick_duration(Duration::from_millis(10))
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(400))
        .simulation_duration(play.duration + START)
        .tcp_capacity(TCP_CAPACITY)
        .build();
    let logs: [_; 3] = std::array::from_fn(|_| Arc::new(Mutex::new(Vec::new())));
    for (own, log) in logs.iter().enumerate() {
        let (play, log) = (*play, Arc::clone(log));
        simulation.client(HOSTS[own], async move {
            let mut lines = Vec::new();
            let (world, settings) = (world(play.seed, own), settings(&play, own));
            let peer = Peer::bind(Turmoil, world, &address(own)).await?;
            peer.run(settings, play.steps[own], &mut lines, std::future::pending()).await?;
            *log.lock().expect("nobody else holds it") = lines;
            Ok(())
        });
    }
    simulation.run().unwrap_or_else(|error| panic!("the simulation with seed {} failed: {error}", play.seed));
    logs.map(|log| {
        let lines = std::mem::take(&mut *log.lock().expect("the simulation is over"));
        String::from_utf8(lines).expect("a log is text")
    })
}

fn world(seed: u64, own: usize) -> World {
    // Neighbouring seeds and neighbouring peers must not share dice.
    let seed = seed ^ u64::from(IDS[own]).rotate_right(16);
    World::seeded(seed, || turmoil::since_epoch().map_or(0, |time| time.as_millis() as u64))
}

fn settings(play: &Play, own: usize) -> Settings {
    let other = |steps: usize| {
        let at = (own + steps) % 3;
        Other { id: IDS[at], address: address(at) }
    };
    Settings {
        id: IDS[own],
        rate: play.rates[own],
        others: [other(1), other(2)],
        wait: START,
        duration: Some(play.duration),
    }
}

fn address(at: usize) -> String {
    format!("{}:{}", HOSTS[at], IDS[at])
}
