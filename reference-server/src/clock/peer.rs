//! The shell around `step`: a peer that listens, reaches the two others, and ticks at its rate.
//!
//! Network, time, randomness, log and the core itself are arguments, so the command, a test and a simulation run
//! this same code. Nothing here knows the rules of the clock.
//!
//! ```text
//! bind ─▶ reach both others (at network speed) ─▶ tick, tick, tick … ─▶ duration over, or shutdown
//! ```

use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};

use super::message::{Decoder, Message};
use super::{Clock, Input, Output};
use crate::net::{Listener, Net};
use crate::world::World;

/// How long to wait before trying an address again, or after a connection could not be accepted: short to a person,
/// long to a computer.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// What drives the clock: `clock::step`, or a bent one.
pub type Step = fn(&mut Clock, Input, u64) -> Vec<Output>;

/// A peer that listens.
#[derive(Debug)]
pub struct Peer<N: Net> {
    net: N,
    world: World,
    listener: N::Listener,
}

/// Who a peer is, whom it talks to, and for how long.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The `sender` of its messages.
    pub id: u16,
    /// Ticks a second, from 1 to 6.
    pub rate: u32,
    /// The one peer and the other.
    pub others: [Other; 2],
    /// How long the others may take to come up.
    pub wait: Duration,
    /// How long it ticks, from the moment when both others are reached. Without one: until shutdown.
    pub duration: Option<Duration>,
}

/// One of the two others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// The `sender` of its messages.
    pub id: u16,
    /// `host:port`.
    pub address: String,
}

/// Why a peer could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The address is taken, or not ours.
    #[error("listen on {address}: {source}")]
    Listen {
        /// `host:port`.
        address: String,
        /// What the network says.
        source: io::Error,
    },
    /// Another peer did not come up in time.
    #[error("reach the peer at {address} within {wait:?}: {why}")]
    NeverUp {
        /// `host:port`.
        address: String,
        /// How long it was tried.
        wait: Duration,
        /// What the network said last.
        why: String,
    },
    /// The log takes no more lines.
    #[error("write the log: {0}")]
    Log(io::Error),
}

impl<N: Net> Peer<N> {
    /// Binds `host:port`; port 0 takes a free one.
    ///
    /// # Errors
    /// [`PeerError::Listen`].
    pub async fn bind(net: N, world: World, address: &str) -> Result<Self, PeerError> {
        match net.bind(address).await {
            Ok(listener) => Ok(Peer { net, world, listener }),
            Err(source) => Err(PeerError::Listen { address: address.to_owned(), source }),
        }
    }

    /// The real address, with the real port.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Reaches the others and ticks, until the duration is over or `shutdown` is ready.
    ///
    /// # Errors
    /// [`PeerError::NeverUp`] and [`PeerError::Log`]. A peer that goes away later is no error: messages to it are lost.
    pub async fn run(
        self,
        settings: Settings,
        step: Step,
        log: &mut impl Write,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), PeerError> {
        let mut shutdown = pin!(shutdown);
        let [one, other] = &settings.others;
        let known = [one.id, other.id];
        let mut tasks = JoinSet::new();
        let (inbox, mut arrived) = unbounded_channel();
        tasks.spawn(accept(self.listener, known, inbox.clone()));

        let streams = tokio::select! {
            biased;
            () = &mut shutdown => return Ok(()),
            streams = async { tokio::try_join!(reach(&self.net, one, settings.wait), reach(&self.net, other, settings.wait)) } => streams?,
        };
        let mut link = |stream| {
            let (reader, writer) = tokio::io::split(stream);
            let (outbox, unsent) = unbounded_channel();
            // The other side may answer on the connection that it was reached by; who speaks stands in each message.
            tasks.spawn(read(reader, known, inbox.clone()));
            tasks.spawn(write(writer, unsent));
            outbox
        };
        let links = [(one.id, link(streams.0)), (other.id, link(streams.1))];

        let mut clock = Clock::new(settings.id, known);
        let end = settings.duration.map(|duration| Instant::now() + duration);
        let mut over = pin!(async {
            match end {
                Some(end) => tokio::time::sleep_until(end).await,
                None => std::future::pending().await,
            }
        });
        let period = Duration::from_secs(1) / settings.rate.max(1);
        let mut ticks = tokio::time::interval_at(Instant::now() + period, period);
        // CLOCKS-10: ticks that a busy computer missed are gone; making up for them would be faster than the rate.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => return Ok(()),
                () = &mut over => return Ok(()),
                Some(ended) = tasks.join_next() => pass_on_panic(ended),
                _ = ticks.tick() => {
                    // The queue is unbounded and only ticks read it, so filling it just before one is soon enough.
                    for _ in 0..arrived.len() {
                        let message = arrived.try_recv().expect("as many messages as there are");
                        perform(step(&mut clock, Input::Received(message), self.world.now_ms()), log, &links)?;
                    }
                    let die = 1 + self.world.below(10) as u8;
                    perform(step(&mut clock, Input::Tick { die }, self.world.now_ms()), log, &links)?;
                }
            }
        }
    }
}

/// Writes lines and hands messages to their links, in the core's order.
fn perform(
    outputs: Vec<Output>,
    log: &mut impl Write,
    links: &[(u16, UnboundedSender<Message>); 2],
) -> Result<(), PeerError> {
    for output in outputs {
        match output {
            Output::Log(entry) => writeln!(log, "{entry}").and_then(|()| log.flush()).map_err(PeerError::Log)?,
            Output::Send { to, message } => {
                for (_, outbox) in links.iter().filter(|(id, _)| *id == to) {
                    // A link whose peer has gone takes nothing any more.
                    let _ = outbox.send(message);
                }
            }
        }
    }
    Ok(())
}

async fn reach<N: Net>(net: &N, other: &Other, wait: Duration) -> Result<N::Stream, PeerError> {
    let end = Instant::now() + wait;
    let mut why = "no answer".to_owned();
    loop {
        match tokio::time::timeout_at(end, net.connect(&other.address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => why = error.to_string(),
            Err(_) => {}
        }
        if Instant::now() + RETRY_AFTER >= end {
            return Err(PeerError::NeverUp { address: other.address.clone(), wait, why });
        }
        tokio::time::sleep(RETRY_AFTER).await;
    }
}

async fn accept<L: Listener>(listener: L, known: [u16; 2], inbox: UnboundedSender<Message>)
where
    L::Stream: AsyncRead + Unpin + Send + 'static,
{
    let mut readers = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(ended) = readers.join_next() => pass_on_panic(ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    readers.spawn(read(stream, known, inbox.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            },
        }
    }
}

/// Passes on what comes, until the stream ends or somebody speaks who is none of the two others.
async fn read(mut stream: impl AsyncRead + Unpin, known: [u16; 2], inbox: UnboundedSender<Message>) {
    let mut decoder = Decoder::default();
    let mut bytes = [0; 1024];
    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
        decoder.extend(&bytes[..count]);
        for message in decoder.by_ref() {
            if !known.contains(&message.sender) {
                tracing::warn!(sender = message.sender, "a message from a stranger: its connection is closed");
                return;
            }
            if inbox.send(message).is_err() {
                return;
            }
        }
    }
    if decoder.unfinished() > 0 {
        tracing::warn!(bytes = decoder.unfinished(), "a connection ended within a message");
    }
}

/// Writes what is sent, until the stream breaks. It waits as long as it must, so that a tick never has to.
async fn write(mut stream: impl AsyncWrite + Unpin, mut unsent: UnboundedReceiver<Message>) {
    while let Some(message) = unsent.recv().await {
        if stream.write_all(&message.encode()).await.is_err() {
            return;
        }
    }
}

/// A task that panicked takes the peer with it, instead of leaving it deaf or dumb.
fn pass_on_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}
