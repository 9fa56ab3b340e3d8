//! One logical-clock peer, as a command: options in, `clock::peer` run, exit code out.

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use reference_server::clock;
use reference_server::clock::peer::{Other, Peer, Settings};
use reference_server::net::Tcp;
use reference_server::world::World;

/// Run one of three logical-clock peers.
///
/// It listens, reaches the two others, and then has one event a tick, each a line of its log.
#[derive(Debug, Parser)]
#[command(name = "reference-peer", version, after_help = "Exit codes: 0 done, 2 could not start or go on.")]
struct Options {
    /// Where to listen: PORT (on 127.0.0.1) or HOST:PORT
    #[arg(long, value_name = "ADDRESS")]
    listen: Address,
    /// Another peer: PORT, HOST:PORT, or ID@HOST:PORT if its id is not its port. Say it twice
    #[arg(long = "peer", value_name = "ADDRESS", required = true)]
    peers: Vec<Address>,
    /// Ticks a second; thrown by the seed if left out
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=6))]
    rate: Option<u32>,
    /// Decides rate and die, together with the id; random if left out
    #[arg(long)]
    seed: Option<u64>,
    /// How many seconds to tick; until Ctrl-C if left out
    #[arg(long, value_name = "SECONDS")]
    duration_s: Option<u64>,
    /// How many seconds the others may take to come up
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    wait_s: u64,
    /// The log, written anew; peer-ID.log if left out
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// What this peer calls itself in messages; the port it listens on if left out
    #[arg(long)]
    id: Option<u16>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let [one, other] = options.peers.as_slice() else {
        Options::command().error(clap::error::ErrorKind::WrongNumberOfValues, "--peer is needed twice").exit()
    };
    let others = [one.other(), other.other()];
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(|error| format!("failed to start: {error}")).and_then(|it| it.block_on(run(&options, others)))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("reference-peer: {message}");
            ExitCode::from(2)
        }
    }
}

async fn run(options: &Options, others: [Other; 2]) -> Result<(), String> {
    let listen = &options.listen.address;
    let listening = |error| format!("failed to listen on {listen}: {error}");
    let id = options.id.or(options.listen.id).unwrap_or(options.listen.port);
    // Port 0 has no number yet that could be an id.
    if id == 0 && options.listen.port == 0 {
        return Err("--listen 0 needs an --id".to_owned());
    }
    if others[0].id == others[1].id || others.iter().any(|other| other.id == id) {
        return Err(format!("three peers need three ids, not {id}, {} and {}", others[0].id, others[1].id));
    }
    // One seed makes three peers that differ.
    let world = options.seed.map_or_else(World::real, |seed| {
        let real = World::real();
        World::seeded(seed ^ u64::from(id).rotate_right(16), move || real.now_ms())
    });
    let rate = options.rate.unwrap_or_else(|| 1 + world.below(6) as u32);

    let peer = Peer::bind(Tcp, world, listen).await.map_err(|error| format!("failed to {error}"))?;
    let path = options.log.clone().unwrap_or_else(|| PathBuf::from(format!("peer-{id}.log")));
    let mut log = File::create(&path).map_err(|error| format!("failed to open {}: {error}", path.display()))?;
    println!("listening {}", peer.local_addr().map_err(listening)?);
    eprintln!("peer {id}: {rate} ticks a second, log in {}", path.display());

    let settings = Settings {
        id,
        rate,
        others,
        wait: Duration::from_secs(options.wait_s),
        duration: options.duration_s.map(Duration::from_secs),
    };
    let shutdown = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    };
    peer.run(settings, clock::step, &mut log, shutdown).await.map_err(|error| format!("failed to {error}"))
}

/// `[ID@][HOST:]PORT`.
#[derive(Debug, Clone)]
struct Address {
    id: Option<u16>,
    port: u16,
    address: String,
}

impl Address {
    fn other(&self) -> Other {
        Other { id: self.id.unwrap_or(self.port), address: self.address.clone() }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, place) = match text.split_once('@') {
            Some((id, place)) => (Some(id.parse().map_err(|_| format!("`{id}` is no id from 0 to 65535"))?), place),
            None => (None, text),
        };
        let (host, port) = place.rsplit_once(':').unwrap_or(("127.0.0.1", place));
        let port = port.parse().map_err(|_| format!("`{port}` is no port from 0 to 65535"))?;
        Ok(Address { id, port, address: format!("{host}:{port}") })
    }
}
