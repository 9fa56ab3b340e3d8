//! A scenario in simulated time: the unchanged reference server, the unchanged play, and a network that a seed decides.
//!
//! The server is a host, the suite is a client, and every actor whose link breaks is a host of its own with a relay on
//! it, so that turmoil can hold, cut and mend exactly that link. Verdicts must be those of real sockets; traces must
//! be the same for the same seed. Not here: logical-clock peers (`sim::clock`).

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use reference_server::net::Net;
use reference_server::world::World;
use reference_server::{Chat, Server};
use spec::Spec;
use spec::dialect::Dialect;
use spec::scenario::{Fault, Scenario};
use turmoil::net::TcpStream;

use crate::drive::{Names, Outcome, Patience, Play, Stage, Wire};
use crate::fault::{Ground, Relay};
use crate::history::History;
use crate::sim::net::Turmoil;
use crate::target::{Eventually, reference_options};

/// The server's host and port.
const SERVER: &str = "server";
const PORT: u16 = 6262;

/// When simulated time begins: 2023-03-01T00:00:00Z.
const BEGINNING: Duration = Duration::from_secs(1_677_628_800);

/// How far one step of the simulation goes.
const A_STEP: Duration = Duration::from_millis(5);

/// The shortest deadline: many times the longest round trip.
const DEADLINE: Duration = Duration::from_secs(10);

/// The longest play.
const LONGEST: Duration = Duration::from_secs(600);

/// Segments that may wait at a host: a dripped frame is a segment for each byte.
const TCP_CAPACITY: usize = 65_536;

impl Wire for Turmoil {
    type Stream = TcpStream;

    async fn connect(&self, address: &str) -> std::io::Result<TcpStream> {
        Net::connect(self, address).await
    }

    /// Dropping is as abrupt as the simulated network has it.
    fn reset(stream: TcpStream) {
        drop(stream);
    }
}

/// What a simulated play came to.
#[derive(Debug)]
pub struct Played {
    /// The outcome, as over real sockets.
    pub outcome: Outcome,
    /// A hash of everything that happened, with the times at which it did.
    pub trace: u64,
}

/// Plays a scenario against the reference in a network that `seed` decides.
///
/// # Panics
/// When the simulation itself cannot go on: a mistake of ours, not a verdict.
pub fn play(spec: &Arc<Spec>, dialect: &Arc<Dialect>, scenario: &Arc<Scenario>, seed: u64) -> Played {
    let mut simulation = turmoil::Builder::new()
        .rng_seed(seed)
        .epoch(UNIX_EPOCH + BEGINNING)
        .tick_duration(A_STEP)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(100))
        .simulation_duration(LONGEST)
        .tcp_capacity(TCP_CAPACITY)
        .enable_random_order()
        .build();
    let options = scenario.server.clone();
    let (server_spec, server_dialect) = (spec.clone(), dialect.clone());
    let dies: Arc<AtomicBool> = Arc::default();
    let (death, lives) = (dies.clone(), AtomicU64::new(0));
    simulation.host(SERVER, move || {
        // A server that was started again must not draw the numbers of its first life.
        let seed = seed ^ lives.fetch_add(1, Ordering::Relaxed).rotate_right(8);
        let (limits, options) = reference_options(&server_spec, &options);
        let (dialect, address, death) = (server_dialect.clone(), format!("0.0.0.0:{PORT}"), death.clone());
        async move {
            let running = Server::start(Turmoil, &address, Chat::new(limits), world(seed), dialect, options).await?;
            // A flag, looked at in simulated time: a waker would cross from one host's runtime to another's.
            while !death.swap(false, Ordering::Relaxed) {
                tokio::time::sleep(A_STEP).await;
            }
            // As abrupt as a crash, and always in the same order: when turmoil drops a host, the order of its tasks
            // depends on how many tasks this process has ever had.
            drop(running);
            std::future::pending().await
        }
    });
    for actor in scenario.broken_links() {
        simulation.host(actor, || async {
            let target = Arc::new(Mutex::new(format!("{SERVER}:{PORT}")));
            let relay = Relay::start(Turmoil, &format!("0.0.0.0:{PORT}"), target).await?;
            std::future::pending::<()>().await;
            drop(relay);
            Ok(())
        });
    }
    let wishes: Wishes = Arc::default();
    let result: Rc<RefCell<Option<Outcome>>> = Rc::default();
    let stage = Stage {
        wire: Turmoil,
        ground: Arc::new(Simulated {
            links: scenario.broken_links().into_iter().map(str::to_owned).collect(),
            wishes: wishes.clone(),
            dies,
        }),
        dialect: dialect.clone(),
        spec: spec.clone(),
        patience: Patience::new(Some(DEADLINE)),
    };
    let (played, scenario) = (result.clone(), scenario.clone());
    simulation.client("suite", async move {
        // Another seed than the server's, or both would draw the same numbers.
        let names = Names::new(&world(!seed));
        let outcome = Play::play(&stage, &scenario, &names, 0).await;
        *played.borrow_mut() = Some(outcome);
        Ok(())
    });
    while !simulation.step().unwrap_or_else(|error| panic!("the simulation with seed {seed} failed: {error}")) {
        grant(&mut simulation, &wishes);
    }
    let outcome = result.borrow_mut().take().unwrap_or_else(|| panic!("the play with seed {seed} did not end"));
    let trace = history(&outcome).digest();
    Played { outcome, trace }
}

/// Everything observed in a play, however it ended.
pub fn history(outcome: &Outcome) -> &History {
    match outcome {
        Outcome::Passed(history) => history,
        Outcome::Failed(evidence)
        | Outcome::Undecided(evidence)
        | Outcome::Silent(evidence)
        | Outcome::Lost(evidence) => &evidence.history,
        Outcome::Inapplicable(why) => panic!("a play that does not apply: {why}"),
    }
}

fn world(seed: u64) -> World {
    World::seeded(seed, || turmoil::since_epoch().map_or(0, |time| time.as_millis() as u64))
}

/// Faults of hosts are wished for inside the simulation and granted between two of its steps.
type Wishes = Arc<Mutex<Vec<Fault>>>;

fn grant(simulation: &mut turmoil::Sim<'_>, wishes: &Wishes) {
    for fault in wishes.lock().expect("never poisoned").drain(..) {
        match fault {
            Fault::Crashes => simulation.crash(SERVER),
            Fault::Restarts => simulation.bounce(SERVER),
            _ => {}
        }
    }
}

/// The ground of a simulated play.
struct Simulated {
    links: Vec<String>,
    wishes: Wishes,
    dies: Arc<AtomicBool>,
}

impl Ground for Simulated {
    fn address<'a>(&'a self, actor: &'a str) -> Eventually<'a, std::io::Result<String>> {
        let host = if self.links.iter().any(|link| link == actor) { actor } else { SERVER };
        Box::pin(async move { Ok(format!("{host}:{PORT}")) })
    }

    fn apply<'a>(&'a self, actor: &'a str, fault: Fault) -> Eventually<'a, Result<(), String>> {
        Box::pin(async move {
            match fault {
                Fault::Held => turmoil::hold(actor, SERVER),
                Fault::Released => turmoil::release(actor, SERVER),
                Fault::CutOff => turmoil::partition(actor, SERVER),
                Fault::Mended => turmoil::repair(actor, SERVER),
                Fault::Crashes | Fault::Restarts => {
                    if fault == Fault::Crashes {
                        self.dies.store(true, Ordering::Relaxed);
                        tokio::time::sleep(A_STEP * 4).await;
                    }
                    self.wishes.lock().expect("never poisoned").push(fault);
                    // The next step of the simulation grants it.
                    while !self.wishes.lock().expect("never poisoned").is_empty() {
                        tokio::time::sleep(A_STEP).await;
                    }
                }
            }
            Ok(())
        })
    }
}
