//! Servers that do not speak the protocol: they do something with a connection, whatever is said on it.

use std::io;

use reference_server::world::World;
use spec::dialect::Dialect;
use spec::message::{Event, Message};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::baseline::Baseline;
use crate::baseline::server::Nature;

/// What is done with a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Habit {
    /// Everything is read, and nothing said.
    Silent,
    /// It is closed.
    Closes,
    /// It is closed after the first bytes came.
    Hears,
    /// What comes is sent back.
    Echoes,
    /// For each read, some random bytes are written, the same in every run.
    Babbles,
    /// Zeros are written as fast as they are taken.
    Floods,
    /// For each read, some events are written.
    Chatters,
}

const fn blunt(name: &'static str, about: &'static str, habit: Habit) -> Baseline {
    Baseline { name, about, nature: Nature::Blunt(habit) }
}

pub(super) const ALL: &[Baseline] = &[
    blunt("silent", "accepts connections and never says anything", Habit::Silent),
    blunt("closes", "accepts connections and closes them", Habit::Closes),
    blunt("hears and closes", "closes a connection when the first bytes came", Habit::Hears),
    blunt("echoes", "sends back what it gets", Habit::Echoes),
    blunt("babbles", "answers with random bytes", Habit::Babbles),
    blunt("floods", "sends zeros without end", Habit::Floods),
    blunt("chatters", "answers with messages that nobody wrote", Habit::Chatters),
];

pub(super) async fn serve(habit: Habit, dialect: &Dialect, mut stream: TcpStream) -> io::Result<()> {
    let mut bytes = vec![0; 16 << 10];
    match habit {
        Habit::Silent => while stream.read(&mut bytes).await? > 0 {},
        Habit::Closes => {}
        Habit::Hears => drop(stream.read(&mut bytes).await?),
        Habit::Echoes => loop {
            match stream.read(&mut bytes).await? {
                0 => break,
                count => stream.write_all(&bytes[..count]).await?,
            }
        },
        Habit::Babbles => {
            const SEED: u64 = 4;
            let world = World::seeded(SEED, || 0);
            while stream.read(&mut bytes).await? > 0 {
                stream.write_all(&world.random::<64>()).await?;
            }
        }
        Habit::Floods => loop {
            stream.write_all(&[0; 4 << 10]).await?;
        },
        Habit::Chatters => {
            let (sender, text) = ("nobody".to_owned(), "nothing".to_owned());
            let event = Event::Message(Message { message_id: 1, sender, text, sent_at: 0 });
            let mut spoken = Vec::new();
            for _ in 0..8 {
                dialect.speak_event(&event, &mut spoken).map_err(io::Error::other)?;
            }
            while stream.read(&mut bytes).await? > 0 {
                stream.write_all(&spoken).await?;
            }
        }
    }
    Ok(())
}
