//! What one connection is still to be told, in bytes and bounded. Whoever puts something in never waits.
//!
//! One reader and one writer belong to it: the two halves of one connection.

use std::io;
use std::sync::{Mutex, MutexGuard};

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;

/// The unsent bytes of a connection.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    pause_bytes: usize,
    close_bytes: usize,
    writer: Notify,
    reader: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<u8>,
    /// Bytes that the writer has taken, and the socket has not.
    being_written: usize,
    stage: Stage,
}

/// `Open` until something ends it; what is put in later is forgotten.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Open,
    /// What is in it is sent, and nothing more.
    Finished,
    /// Its reader is too slow: nothing more is sent.
    Overfull,
}

impl Queue {
    fn unsent(&self) -> usize {
        self.waiting.len() + self.being_written
    }
}

impl Outbox {
    pub(crate) fn new(pause_bytes: usize, close_bytes: usize) -> Self {
        let queue = Mutex::default();
        Outbox { queue, pause_bytes, close_bytes, writer: Notify::new(), reader: Notify::new() }
    }

    /// Adds what `speak` appends. At `close_bytes` it is overfull instead, and forgets everything.
    pub(crate) fn put<E>(&self, speak: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let mut queue = self.lock();
        if queue.stage == Stage::Open {
            speak(&mut queue.waiting)?;
            if queue.unsent() >= self.close_bytes {
                queue.waiting = Vec::new();
                queue.stage = Stage::Overfull;
                self.reader.notify_one();
            }
            self.writer.notify_one();
        }
        Ok(())
    }

    /// Says that nothing more will be put in.
    pub(crate) fn finish(&self) {
        let mut queue = self.lock();
        if queue.stage == Stage::Open {
            queue.stage = Stage::Finished;
        }
        self.writer.notify_one();
        self.reader.notify_one();
    }

    pub(crate) fn is_overfull(&self) -> bool {
        self.lock().stage == Stage::Overfull
    }

    /// Waits until less than `pause_bytes` are unsent. False: it was finished, or is overfull.
    pub(crate) async fn has_room(&self) -> bool {
        loop {
            let (stage, unsent) = self.look();
            if stage != Stage::Open || unsent < self.pause_bytes {
                return stage == Stage::Open;
            }
            self.reader.notified().await;
        }
    }

    /// Waits until it was finished, or is overfull.
    pub(crate) async fn ended(&self) {
        while self.look().0 == Stage::Open {
            self.reader.notified().await;
        }
    }

    /// Writes what is put in until it is finished and empty, and then ends the outgoing half of the connection.
    pub(crate) async fn write_to(&self, mut half: impl AsyncWrite + Unpin) -> io::Result<()> {
        loop {
            let (bytes, stage) = self.take();
            let mut left = &bytes[..];
            while !left.is_empty() {
                let written = half.write(left).await?;
                if written == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                left = &left[written..];
                self.written(written);
            }
            match stage {
                Stage::Open if bytes.is_empty() => self.writer.notified().await,
                Stage::Finished if bytes.is_empty() => return half.shutdown().await,
                Stage::Overfull => return Err(io::ErrorKind::TimedOut.into()),
                _ => {}
            }
        }
    }

    fn take(&self) -> (Vec<u8>, Stage) {
        let mut queue = self.lock();
        let bytes = std::mem::take(&mut queue.waiting);
        queue.being_written = bytes.len();
        (bytes, queue.stage)
    }

    fn written(&self, bytes: usize) {
        let mut queue = self.lock();
        let before = queue.unsent();
        queue.being_written -= bytes;
        if before >= self.pause_bytes && queue.unsent() < self.pause_bytes {
            self.reader.notify_one();
        }
    }

    fn look(&self) -> (Stage, usize) {
        let queue = self.lock();
        (queue.stage, queue.unsent())
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nothing panics while it holds the queue")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    fn put(outbox: &Outbox, bytes: usize) {
        let append = |out: &mut Vec<u8>| -> Result<(), ()> {
            out.extend(vec![b'x'; bytes]);
            Ok(())
        };
        outbox.put(append).expect("bytes can be said");
    }

    #[tokio::test]
    async fn what_was_put_in_before_the_end_is_sent_and_nothing_after_it() {
        let outbox = Outbox::new(10, 100);
        let (near, mut far) = tokio::io::duplex(7);
        put(&outbox, 50);
        outbox.finish();
        put(&outbox, 1);
        let mut received = Vec::new();
        let (written, read) = tokio::join!(outbox.write_to(near), far.read_to_end(&mut received));
        assert!(written.is_ok() && read.is_ok());
        assert_eq!(received, vec![b'x'; 50]);
    }

    #[tokio::test]
    async fn room_returns_when_enough_was_taken() {
        let outbox = Outbox::new(10, 100);
        put(&outbox, 10);
        let (near, mut far) = tokio::io::duplex(1);
        let room = async {
            assert!(outbox.has_room().await);
            assert!(outbox.look().1 < 10);
            outbox.finish();
        };
        let mut received = Vec::new();
        let (_, written, read) = tokio::join!(room, outbox.write_to(near), far.read_to_end(&mut received));
        assert!(written.is_ok() && read.is_ok());
    }

    #[tokio::test]
    async fn a_reader_that_takes_nothing_makes_it_overfull_at_its_bound() {
        let outbox = Outbox::new(10, 100);
        put(&outbox, 99);
        assert!(!outbox.is_overfull());
        put(&outbox, 1);
        assert!(outbox.is_overfull());
        outbox.ended().await;
        assert!(!outbox.has_room().await);
        assert_eq!(outbox.look().1, 0, "it holds no memory for a connection that is given up");
    }
}
