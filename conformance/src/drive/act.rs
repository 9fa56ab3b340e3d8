//! What actors do: connect and leave, ask, write raw bytes, break things.
//!
//! Not here: what must come of it (`claim`).

use std::time::Duration;

use spec::codec::Heard;
use spec::scenario::{Fault, Frame, Given, How, Step, Verb};
use spec::value::{Record, Value};

use crate::drive::link::{Arrival, Link};
use crate::drive::play::{Play, Stop};
use crate::drive::wire::Wire;

/// The pause before a server is asked again whether it has noticed that a connection is gone.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// The pause between pieces of a write, so that the other side has a chance to read each alone. If it does not, a server
/// that mistakes a piece for a message is not caught; nobody is accused of anything.
const BETWEEN_PIECES: Duration = Duration::from_millis(2);

impl<W: Wire> Play<'_, W> {
    pub(super) async fn act(&mut self, step: &Step) -> Result<(), Stop> {
        let actor = step.actor.as_str();
        match &step.verb {
            Verb::Operation { name, with } => self.ask(actor, name, with).await,
            Verb::Writes { frames, how, then_half_closes } => {
                self.write(actor, frames, how).await?;
                if *then_half_closes { self.half_close(actor).await } else { Ok(()) }
            }
            Verb::Connects => self.connect(actor).await,
            Verb::Returns => self.come_back(actor).await,
            Verb::Disconnects => self.disconnect(actor).await,
            Verb::HalfCloses => self.half_close(actor).await,
            Verb::Resets => {
                self.note(actor, "resets the connection");
                if let Some(link) = self.links.remove(actor) {
                    link.reset();
                    self.reset.insert(actor.to_owned());
                }
                Ok(())
            }
            Verb::Waits { ms } => {
                tokio::time::sleep(Duration::from_millis(*ms)).await;
                Ok(())
            }
            Verb::Fault(fault) => {
                let verb = Fault::VERBS.iter().find(|(_, known)| known == fault).map_or("", |(verb, _)| verb);
                self.note(actor, verb);
                self.stage.ground.apply(actor, *fault).await.map_err(Stop::Suite)
            }
            Verb::Listens | Verb::Together(_) => Ok(()),
        }
    }

    pub(super) async fn connect(&mut self, actor: &str) -> Result<(), Stop> {
        let stage = self.stage;
        let connecting = async {
            let address = stage.ground.address(actor).await?;
            stage.wire.connect(&address).await
        };
        match self.stage.patience.wait(&mut self.turn, connecting).await {
            None => Err(Stop::Silent("no connection".into())),
            Some(Err(error)) => Err(Stop::Lost(format!("no connection: {error}"))),
            Some(Ok(stream)) => {
                self.note(actor, "connects");
                self.links.insert(actor.to_owned(), Link::new(stream, self.stage.dialect.clone()));
                Ok(())
            }
        }
    }

    /// Closes in the ordinary way, and waits until the server has closed, too: then it knows.
    pub(super) async fn disconnect(&mut self, actor: &str) -> Result<(), Stop> {
        let Some(mut link) = self.links.remove(actor) else { return Ok(()) };
        self.note(actor, "disconnects");
        if link.half_close().await.is_err() {
            return Ok(());
        }
        loop {
            let arrived = link.next(&self.stage.patience, &mut self.turn).await;
            match arrived.what {
                // A server that keeps its side open is not wrong, only unproven to know.
                Arrival::End(_) | Arrival::Silence | Arrival::Flood => return Ok(()),
                Arrival::Answer(_) | Arrival::Event(_) => self.heard(actor, &arrived),
            }
        }
    }

    pub(super) async fn half_close(&mut self, actor: &str) -> Result<(), Stop> {
        self.note(actor, "says that it will send no more");
        let link = self.link(actor).await?;
        link.half_close().await.map_err(|error| Stop::Lost(format!("the connection broke: {error}")))
    }

    /// Connects and asks to log in. Whoever reset the last connection asks again while the server still counts that one.
    pub(super) async fn come_back(&mut self, actor: &str) -> Result<(), Stop> {
        self.connect(actor).await?;
        if self.reset.remove(actor) {
            let patience = self.stage.patience.deadline();
            let began = tokio::time::Instant::now();
            while began.elapsed() < patience {
                self.ask(actor, "log_in", &[]).await?;
                let arrived = self.arrival(actor).await?;
                match &arrived.what {
                    Arrival::Answer(Heard::Error { name, .. }) if name == "already_logged_in" => {
                        tokio::time::sleep(ASK_AGAIN).await;
                    }
                    Arrival::Answer(_) => {
                        self.link(actor).await?.put_back(arrived);
                        return Ok(());
                    }
                    _ => return Err(self.wrong(&arrived)),
                }
            }
        }
        self.ask(actor, "log_in", &[]).await
    }

    pub(super) async fn ask(&mut self, actor: &str, operation: &str, with: &[(String, Given)]) -> Result<(), Stop> {
        let arguments = self.arguments(actor, operation, with);
        let link = self.link(actor).await?;
        let bytes = link
            .compose(operation, &arguments)
            .map_err(|why| Stop::Suite(format!("`{operation}` cannot be said in this dialect: {why}")))?;
        let written = self.put(actor, &bytes).await;
        self.said(actor, format!("{operation} {arguments}"), bytes);
        // Whatever broke the connection is found when the answer is read: it may have been said before.
        let _ = written;
        Ok(())
    }

    pub(super) async fn write(&mut self, actor: &str, frames: &[Frame], how: &How) -> Result<(), Stop> {
        let pieces = match how {
            How::Joined => "in one piece".into(),
            How::Dripped => "a byte at a time".into(),
            How::Split(offsets) => format!("cut at {offsets:?}"),
        };
        self.note(actor, &format!("writes what follows {pieces}"));
        let mut all = Vec::new();
        for frame in frames {
            match frame {
                Frame::Operation { name, with } => {
                    let arguments = self.arguments(actor, name, with);
                    let link = self.link(actor).await?;
                    let bytes = link
                        .compose(name, &arguments)
                        .map_err(|why| Stop::Suite(format!("`{name}` cannot be said in this dialect: {why}")))?;
                    self.said(actor, format!("{name} {arguments}"), bytes.clone());
                    all.extend(bytes);
                }
                Frame::Hex(bytes) => {
                    self.link(actor).await?.expect_unexplained();
                    self.said(actor, format!("{} raw bytes", bytes.len()), bytes.clone());
                    all.extend(bytes);
                }
            }
        }
        let cuts: Vec<usize> = match how {
            How::Joined => Vec::new(),
            How::Dripped => (1..all.len()).collect(),
            How::Split(offsets) => offsets.iter().copied().filter(|offset| *offset < all.len()).collect(),
        };
        let mut start = 0;
        for cut in cuts.into_iter().chain([all.len()]) {
            if self.put(actor, &all[start..cut.max(start)]).await.is_err() {
                break;
            }
            start = cut.max(start);
            if start < all.len() {
                tokio::time::sleep(BETWEEN_PIECES).await;
            }
        }
        Ok(())
    }

    async fn put(&mut self, actor: &str, bytes: &[u8]) -> std::io::Result<()> {
        match self.links.get_mut(actor) {
            Some(link) => link.write(bytes, &self.stage.patience, &mut self.turn).await,
            None => Ok(()),
        }
    }

    /// The arguments of an operation: what is given, the actor's own name and password, and the defaults.
    pub(super) fn arguments(&mut self, actor: &str, operation: &str, with: &[(String, Given)]) -> Record {
        let spec = self.stage.spec.clone();
        let mut arguments = Record::new();
        let names = spec.service.operations.get(operation).map(|spec| spec.arguments.as_slice()).unwrap_or_default();
        for name in names {
            let given = with.iter().find(|(field, _)| field == name).map(|(_, given)| given);
            let value = match (given, name.as_str()) {
                (Some(given), _) => self.cast.make(name, given),
                (None, "username") => Value::Text(self.cast.username(actor)),
                (None, "password") => Value::Text(self.cast.password(actor)),
                _ => match spec.service.field(name).and_then(spec::service::Field::default_value) {
                    Some(value) => value,
                    None => Value::Int(self.cast.random()),
                },
            };
            arguments.set(name, value);
        }
        arguments
    }

    /// The actor's connection; one is opened if there is none.
    pub(super) async fn link(&mut self, actor: &str) -> Result<&mut Link<W>, Stop> {
        if !self.links.contains_key(actor) {
            self.connect(actor).await?;
        }
        Ok(self.links.get_mut(actor).expect("just connected"))
    }
}
