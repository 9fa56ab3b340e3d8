//! One connection, from its first byte to its end. Its requests are handled strictly one after the other.
//!
//! ```text
//!              ┌▶ finished: the client sent FIN    ─▶ send what is unsent ────────────────────────┐
//! requests ────┼▶ closing: refused, taken over,    ─▶ send, half-close, discard what still comes ─┼▶ gone
//!              │           idle, or shutting down                                                 │
//!              └▶ lost: broken, or too slow        ─▶ ────────────────────────────────────────────┘
//! ```
//!
//! In memory are at most one frame and one read of input, and `unsent_close_bytes` of output.

use std::pin::pin;
use std::sync::Arc;

use spec::codec::{Inbound, RequestDecoder};
use spec::dialect::Dialect;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::chat::Core;
use crate::options::Options;
use crate::outbox::Outbox;
use crate::service::{Membership, Service};
use crate::stop::Stop;

/// Bytes taken from the socket at once.
const READ_BYTES: usize = 16 * 1024;

/// After so many requests without a pause, other connections and this one's writer have a turn.
const TURN_REQUESTS: usize = 32;

/// Why no more requests are handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Finished,
    Closing,
    Lost,
}

/// Serves a connection until it is gone. `stop` tells when the server is to shut down.
pub(crate) async fn serve<C: Core>(
    service: Arc<Service<C>>,
    dialect: Arc<Dialect>,
    stream: impl AsyncRead + AsyncWrite + Send,
    stop: Stop,
) {
    let options = service.options.clone();
    let outbox = Arc::new(Outbox::new(options.unsent_pause_bytes, options.unsent_close_bytes));
    let membership = service.open(Arc::clone(&dialect), Arc::clone(&outbox));
    let (mut incoming, outgoing) = tokio::io::split(stream);

    let mut reader = Reader { membership, outbox: &outbox, options: &options, stop };
    let mut writing = pin!(outbox.write_to(outgoing));
    let mut written = false;
    let ending = tokio::select! {
        biased;
        ending = reader.requests(&mut incoming, RequestDecoder::new(dialect)) => ending,
        result = &mut writing => {
            written = true;
            if result.is_ok() { Ending::Closing } else { Ending::Lost }
        }
    };
    tracing::debug!(?ending, "a connection ends");

    // ROBUSTNESS-2: a connection that has ended leaves its user offline, even if the last answers take a while.
    drop(reader);
    outbox.finish();
    let unsent = async {
        if !written {
            // An error means that nobody is there to be told.
            let _ = writing.await;
        }
    };
    // Whatever does not fit into the time is cut off: that is what the time is for.
    let _ = match ending {
        Ending::Lost => return,
        Ending::Finished => timeout(options.idle_timeout, unsent).await,
        Ending::Closing => {
            let discarding = discard(&mut incoming, options.discard_bytes);
            timeout(options.discard_time, async { _ = tokio::join!(biased; unsent, discarding) }).await
        }
    };
}

struct Reader<'a, C: Core> {
    membership: Membership<C>,
    outbox: &'a Outbox,
    options: &'a Options,
    stop: Stop,
}

impl<C: Core> Reader<'_, C> {
    /// Handles requests until there are no more, for whatever reason.
    async fn requests(&mut self, incoming: &mut (impl AsyncRead + Unpin), mut decoder: RequestDecoder) -> Ending {
        let mut bytes = vec![0; READ_BYTES];
        let mut handled: usize = 0;
        loop {
            decoder.set_bound(self.membership.is_bound());
            while let Some(inbound) = decoder.next() {
                if let Some(ending) = self.handle(inbound).await {
                    return ending;
                }
                decoder.set_bound(self.membership.is_bound());
                handled += 1;
                if handled.is_multiple_of(TURN_REQUESTS) {
                    yield_now().await;
                }
            }
            let waits = decoder.waits_for_a_pause();
            let patience = if waits { self.options.request_pause } else { self.options.idle_timeout };
            let read = tokio::select! {
                biased;
                () = self.outbox.ended() => return self.ending(),
                () = self.stop.asked() => return Ending::Closing,
                read = timeout(patience, incoming.read(&mut bytes)) => read,
            };
            if waits && !matches!(read, Ok(Ok(1..))) {
                // What has no end of its own ends with a pause, or with the connection.
                while let Some(inbound) = decoder.after_a_pause() {
                    if let Some(ending) = self.handle(inbound).await {
                        return ending;
                    }
                }
                if read.is_err() {
                    // A message that is cut off in the middle may be silent as long as any client.
                    if decoder.waits_for_a_pause() && self.still_nothing(incoming, &mut bytes, &mut decoder).await {
                        return Ending::Closing;
                    }
                    continue;
                }
            }
            match read {
                Ok(Ok(0)) => return Ending::Finished,
                Ok(Ok(count)) => decoder.push(&bytes[..count]),
                Ok(Err(_)) => return Ending::Lost,
                Err(_) => return Ending::Closing,
            }
        }
    }

    /// Waits for the rest of a message. True: nothing came for as long as a client may say nothing.
    async fn still_nothing(
        &self,
        incoming: &mut (impl AsyncRead + Unpin),
        bytes: &mut [u8],
        decoder: &mut RequestDecoder,
    ) -> bool {
        match timeout(self.options.idle_timeout, incoming.read(bytes)).await {
            Ok(Ok(count)) if count > 0 => {
                decoder.push(&bytes[..count]);
                false
            }
            _ => true,
        }
    }

    async fn handle(&self, inbound: Inbound) -> Option<Ending> {
        // A client that does not read its answers may not ask for more.
        match timeout(self.options.idle_timeout, self.outbox.has_room()).await {
            Ok(true) => {}
            Ok(false) => return Some(self.ending()),
            Err(_) => return Some(Ending::Closing),
        }
        match inbound {
            Inbound::Request { request, dialogue } => self.membership.request(request, dialogue).await,
            Inbound::Step { dialogue } => self.membership.go_on(dialogue),
            Inbound::Listens { dialogue } => self.membership.listens(dialogue),
            Inbound::Refused { failure, dialogue, close } => {
                self.membership.refuse(failure, &dialogue);
                // FRAMING-12: a frame with a wrong length or version is the last that the server reads.
                if close {
                    return Some(Ending::Closing);
                }
            }
        }
        None
    }

    /// What it means that the outbox takes nothing more.
    fn ending(&self) -> Ending {
        if self.outbox.is_overfull() { Ending::Lost } else { Ending::Closing }
    }
}

/// Reads and forgets until FIN or so many bytes. ROBUSTNESS-7: the answer arrives even when more bytes came behind.
/// A socket that is closed with input unread would send a reset, and that can reach the client before the answer does.
async fn discard(incoming: &mut (impl AsyncRead + Unpin), mut bytes: usize) {
    let mut forgotten = vec![0; READ_BYTES];
    while bytes > 0 {
        let most = bytes.min(READ_BYTES);
        match incoming.read(&mut forgotten[..most]).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes -= count,
        }
    }
}
