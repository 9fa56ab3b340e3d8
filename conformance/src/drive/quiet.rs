//! Where a call overtakes a stream, as over gRPC, what still comes behind the answer that proves silence.

use spec::codec::Memory;
use tokio::time::timeout;

use crate::drive::act::memory;
use crate::drive::link::{Arrival, Arrived, Link};
use crate::drive::patience::{Patience, Turn};
use crate::drive::play::{Play, Stop};
use crate::drive::wire::Wire;

impl<W: Wire> Link<W> {
    /// What a stream still brings within a pause, where a call beside it has overtaken it. None: it is quiet.
    pub async fn straggler(&mut self, patience: &Patience, turn: &mut Turn, memory: &mut Memory) -> Option<Arrived> {
        let pause = patience.pause(self.pause);
        let arrived = timeout(pause, self.next(patience, turn, memory)).await.ok()?;
        matches!(arrived.what, Arrival::Event(_)).then_some(arrived)
    }
}

impl<W: Wire> Play<'_, W> {
    /// No event came a little behind the answer to the fence, either.
    pub(super) async fn claim_quiet(&mut self, actor: &str) -> Result<(), Stop> {
        let dialect = &self.stage.dialect;
        let pushes = !dialect.lacks.iter().any(|capability| capability == "push");
        let memory = memory(&mut self.memories, &self.cast, actor);
        let Some(link) = self.links.get_mut(actor).filter(|_| dialect.grpc.is_some() && pushes) else { return Ok(()) };
        let Some(event) = link.straggler(&self.stage.patience, &mut self.turn, memory).await else { return Ok(()) };
        self.heard(actor, &event);
        Err(Stop::Wrong(self.describe(&event)))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::*;
    use tokio::io::{AsyncWriteExt, DuplexStream};

    /// A network of one connection, which was there before.
    #[derive(Clone)]
    struct Pipe;

    impl Wire for Pipe {
        type Stream = DuplexStream;

        async fn connect(&self, _: &str) -> io::Result<DuplexStream> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn reset(stream: DuplexStream) {
            drop(stream);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn over_grpc_an_event_behind_the_answer_to_the_fence_is_no_silence() {
        let dialect = spec::Spec::embedded().dialect("framed-grpc").expect("it is embedded");
        let (patience, mut memory) = (Patience::new(None), Memory::of("alice"));
        let mut turn = patience.turn().await;
        for (late, comes) in [(40, true), (400, false)] {
            let (near, mut far) = tokio::io::duplex(1 << 16);
            let mut link: Link<Pipe> = Link::new(near, dialect.clone());
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(late)).await;
                let event = br#"{"method":"Listen","status":"OK","detail":"","reply":{"message_id":1,"sender":"bob","text":"late","sent_at":1}}"#;
                far.write_all(&[&event[..], b"\n"].concat()).await.expect("it is open");
                tokio::time::sleep(Duration::from_secs(1)).await;
            });
            let straggler = link.straggler(&patience, &mut turn, &mut memory).await;
            assert_eq!(straggler.is_some(), comes, "{late} ms");
        }
    }
}
