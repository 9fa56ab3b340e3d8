//! The reference server, as a command: options in, one line for each listener out.

use std::io::Write as _;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use reference_server::net::Tcp;
use reference_server::service::Service;
use reference_server::world::World;
use reference_server::{Chat, Cost, Limits, Options, Running};
use spec::Spec;
use spec::dialect::Dialect;
use tokio::task::JoinSet;
use tracing_subscriber::filter::LevelFilter;

/// The exit code for a mistake in how the command was called, clap's own.
const USAGE: u8 = 2;

/// Serves the chat protocol: the reference implementation.
///
/// For each address that it listens on it writes one line to standard output, such as `listening framed
/// 127.0.0.1:6262`, as soon as clients can connect. Everything is kept in memory. Ctrl-C or SIGTERM ends it in order.
#[derive(Debug, Parser)]
#[command(version, after_help = "Example: reference-server --port 0 --cost test --token-lifetime-ms 300")]
struct Arguments {
    /// Where to listen, and in which dialect; may be repeated. Port 0 takes a free one.
    #[arg(long, value_name = "[DIALECT=]HOST:PORT", default_value = "framed=127.0.0.1:6262")]
    listen: Vec<Listen>,

    /// Short for --listen framed=127.0.0.1:N. From 0, which takes a free port, to 65535.
    #[arg(long, value_name = "N", conflicts_with = "listen")]
    port: Option<u16>,

    /// What a password hash costs.
    #[arg(long, value_enum, default_value_t = Cost::Interactive)]
    cost: Cost,

    /// How long a token is valid from its issue, in milliseconds, from 1.
    #[arg(long, value_name = "MS", default_value_t = limit("token_lifetime_s") * 1000, value_parser = from_1())]
    token_lifetime_ms: u64,

    /// How many unacknowledged messages a mailbox holds, from 1.
    #[arg(long, value_name = "COUNT", default_value_t = limit("mailbox_messages"), value_parser = from_1())]
    mailbox_messages: u64,

    /// After how long a connection from which nothing comes is ended, in milliseconds, from 1.
    #[arg(long, value_name = "MS", default_value_t = limit("idle_timeout_s") * 1000, value_parser = from_1())]
    idle_timeout_ms: u64,

    /// What is logged to standard error: off, error, warn, info, debug or trace. Passwords, tokens and texts never are.
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    log: LevelFilter,
}

/// One value of `--listen`.
#[derive(Debug, Clone)]
struct Listen {
    dialect: String,
    address: String,
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (dialect, address) = text.split_once('=').unwrap_or(("framed", text));
        let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
        match port {
            Some(Ok(_)) => Ok(Listen { dialect: dialect.to_owned(), address: address.to_owned() }),
            _ => Err("an address is HOST:PORT, with a port from 0 to 65535".to_owned()),
        }
    }
}

fn limit(name: &str) -> u64 {
    Spec::embedded().service.limit(name)
}

fn from_1() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..)
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_max_level(arguments.log).with_writer(std::io::stderr).init();
    let asked_to_end = asked_to_end();
    match start(&arguments).await {
        Ok(running) => {
            asked_to_end.await;
            running.into_iter().map(Running::shutdown).collect::<JoinSet<()>>().join_all().await;
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::from(USAGE)
        }
    }
}

/// Listens everywhere, and says so.
async fn start(arguments: &Arguments) -> Result<Vec<Running>, String> {
    let mut limits = Limits::new(limit);
    limits.token_lifetime_ms = arguments.token_lifetime_ms;
    limits.mailbox_messages = arguments.mailbox_messages;
    let mut options = Options::new(limit, arguments.cost);
    options.idle_timeout = Duration::from_millis(arguments.idle_timeout_ms);
    let service = Service::new(Chat::new(limits), World::real(), options);

    let short = arguments.port.map(|port| Listen { dialect: "framed".into(), address: format!("127.0.0.1:{port}") });
    let listens = short.map_or_else(|| arguments.listen.clone(), |listen| vec![listen]);
    let mut running = Vec::new();
    for listen in &listens {
        running.push(start_one(&service, listen).await?);
    }
    let mut out = std::io::stdout();
    for (listen, running) in listens.iter().zip(&running) {
        // Nobody may be reading this; the server serves all the same.
        let _ = writeln!(out, "listening {} {}", listen.dialect, running.address());
    }
    let _ = out.flush();
    Ok(running)
}

async fn start_one(service: &Arc<Service<Chat>>, Listen { dialect, address }: &Listen) -> Result<Running, String> {
    let spec = Spec::embedded();
    let wire = spec.dialect(dialect).ok_or_else(|| {
        let known: Vec<&str> = spec.dialects.keys().map(String::as_str).collect();
        format!("there is no dialect `{dialect}`; known: {}", known.join(", "))
    })?;
    listen(service, spec, address, wire).await?.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("{address} is in use: end what listens there, or take a free port with --port 0")
        }
        _ => format!("cannot listen on {address}: {error}"),
    })
}

/// Listens on the network of the dialect.
async fn listen(
    service: &Arc<Service<Chat>>,
    spec: &Spec,
    address: &str,
    dialect: Arc<Dialect>,
) -> Result<std::io::Result<Running>, String> {
    let Some(grpc) = &dialect.grpc else { return Ok(service.listen(Tcp, address, dialect).await) };
    #[cfg(feature = "grpc")]
    {
        let text = spec.proto_of(&dialect).ok_or_else(|| format!("the dialect {} names no `proto`", dialect.name))?;
        let name = grpc.proto.clone().unwrap_or_default();
        let schema = grpc::Schema::parse(&name, &text).and_then(|schema| schema.with_service(&grpc.service));
        let schema = schema.map_err(|error| format!("{name}: {error}"))?;
        let net = reference_server::grpc_net::GrpcNet::new(Arc::new(schema));
        Ok(service.listen(net, address, dialect).await)
    }
    #[cfg(not(feature = "grpc"))]
    {
        let _ = (grpc, spec);
        Err(format!("{} is gRPC, and this server was built without it: add --features grpc", dialect.name))
    }
}

/// What ends when Ctrl-C or SIGTERM comes. Both are listened for from the call on: whoever reads that the server
/// listens may end it at once.
fn asked_to_end() -> impl Future<Output = ()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let listen_for = |kind| signal(kind).expect("this signal can be handled");
        let (mut interrupt, mut terminate) = (listen_for(SignalKind::interrupt()), listen_for(SignalKind::terminate()));
        async move {
            tokio::select! {
                biased;
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
    }
    #[cfg(windows)]
    {
        let mut interrupt = tokio::signal::windows::ctrl_c().expect("Ctrl-C can be handled");
        async move { _ = interrupt.recv().await }
    }
}
