//! What actors do: connect and leave, ask, write raw bytes, break things.
//!
//! Not here: what must come of it (`claim`).

use std::collections::BTreeMap;
use std::time::Duration;

use spec::codec::{Damage, Heard, Memory, News};
use spec::scenario::{Fault, Frame, Given, How, Step, Verb};
use spec::value::{Record, Value};

use crate::carried::asks_for_a_beginning;
use crate::drive::cast::Cast;
use crate::drive::claim::ENDS;
use crate::drive::link::{Arrival, Arrived, Link};
use crate::drive::play::{Play, Returning, Stop};
use crate::drive::wire::Wire;

/// The pause between pieces of a write, so that the other side has a chance to read each alone. If it does not, a server
/// that mistakes a piece for a message is not caught; nobody is accused of anything. Where there are many, one of them is
/// read alone sooner or later, and the pauses add up.
const BETWEEN_PIECES: Duration = Duration::from_millis(2);
const BETWEEN_FEW_PIECES: Duration = Duration::from_millis(20);
const FEW: usize = 4;

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
            Verb::Collects => self.collect(actor).await,
            Verb::Disconnects => self.disconnect(actor).await,
            Verb::HalfCloses => self.half_close(actor).await,
            Verb::Resets => {
                self.note(actor, "resets the connection");
                if let Some(link) = self.links.remove(actor) {
                    link.reset();
                    self.left.insert(actor.to_owned());
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
        match self.stage.patience.wait_for_connection(&mut self.turn, connecting).await {
            None => Err(Stop::Silent("no connection".into())),
            Some(Err(error)) => Err(Stop::Lost(format!("no connection: {error}"))),
            Some(Ok(stream)) => {
                self.note(actor, "connects");
                self.bound.remove(actor);
                let mut link = Link::new(stream, self.stage.dialect.clone()).numbered(self.names.connection());
                let memory = memory(&mut self.memories, &self.cast, actor);
                link.open(&self.stage.patience, &mut self.turn, memory).await;
                for bytes in link.take_said() {
                    self.said(actor, "what opens a connection".into(), bytes);
                }
                self.links.insert(actor.to_owned(), link);
                Ok(())
            }
        }
    }

    /// Closes in the ordinary way, and waits until the server has closed, too: then it knows.
    pub(super) async fn disconnect(&mut self, actor: &str) -> Result<(), Stop> {
        let Some(mut link) = self.links.remove(actor) else { return Ok(()) };
        self.note(actor, "disconnects");
        self.bound.remove(actor);
        self.left.insert(actor.to_owned());
        if link.half_close().await.is_err() {
            return Ok(());
        }
        loop {
            let memory = memory(&mut self.memories, &self.cast, actor);
            let arrived = link.next(&self.stage.patience, &mut self.turn, memory).await;
            match arrived.what {
                // A server that keeps its side open is not wrong, only unproven to know.
                Arrival::End(_) | Arrival::Silence | Arrival::Flood => return Ok(()),
                Arrival::Answer(_) | Arrival::Unsent(_) | Arrival::Part(_) | Arrival::Event(_) => {
                    self.heard(actor, &arrived);
                }
            }
        }
    }

    pub(super) async fn half_close(&mut self, actor: &str) -> Result<(), Stop> {
        self.note(actor, "says that it will send no more");
        let link = self.link(actor).await?;
        link.half_close().await.map_err(|error| Stop::Lost(format!("the connection broke: {error}")))
    }

    /// Connects and asks to log in.
    pub(super) async fn come_back(&mut self, actor: &str) -> Result<(), Stop> {
        self.connect(actor).await?;
        self.ask(actor, "log_in", &[]).await
    }

    pub(super) async fn ask(&mut self, actor: &str, operation: &str, with: &[(String, Given)]) -> Result<(), Stop> {
        let arguments = self.arguments(actor, operation, with);
        if let Err(why) = self.stage.dialect.carries(operation, &arguments) {
            return Err(Stop::Inapplicable(why));
        }
        let to_myself = operation == "send_message"
            && arguments.get("recipient").and_then(Value::as_text) == self.memories.get(actor).and_then(Memory::me);
        if to_myself && self.stage.dialect.events_are_open() {
            return Err(Stop::Inapplicable(
                "on this wire nothing tells a pushed text from the answer behind it".into(),
            ));
        }
        if operation == "log_in" && self.left.contains(actor) {
            let since = tokio::time::Instant::now();
            self.returning.insert(actor.to_owned(), Returning { arguments: arguments.clone(), since });
        }
        self.say(actor, operation, &arguments).await
    }

    /// Where the server ends the connection after what was heard last, whoever has no session goes on with another.
    async fn go_on_after_the_end(&mut self, actor: &str) -> Result<(), Stop> {
        if !self.links.get(actor).is_some_and(Link::is_over) {
            return Ok(());
        }
        if self.bound.contains(actor) {
            return Err(Stop::Inapplicable(ENDS.into()));
        }
        self.disconnect(actor).await
    }

    pub(super) async fn say(&mut self, actor: &str, operation: &str, arguments: &Record) -> Result<(), Stop> {
        self.go_on_after_the_end(actor).await?;
        if self.stage.dialect.events_are_open() {
            self.settle(actor).await?;
        }
        let Some(bytes) = self.compose(actor, operation, arguments).await? else {
            self.said(actor, format!("{operation}, which is done by disconnecting"), Vec::new());
            self.disconnect(actor).await?;
            let values = Record::new();
            let heard = Heard::Ok { taken: 0, operation: Some(operation.to_owned()), values, frame: Record::new() };
            let arrived = Arrived { serial: 0, what: Arrival::Answer(heard), bytes: Vec::new(), dialogue: None };
            self.instead.insert(actor.to_owned(), arrived);
            return Ok(());
        };
        let written = self.put(actor, &bytes).await;
        self.said(actor, format!("{operation} {arguments}"), bytes);
        // Whatever broke the connection is found when the answer is read: it may have been said before.
        let _ = written;
        Ok(())
    }

    /// The bytes of a request. None: it is done by disconnecting.
    async fn compose(&mut self, actor: &str, operation: &str, arguments: &Record) -> Result<Option<Vec<u8>>, Stop> {
        self.link(actor).await?;
        self.spread_news(actor);
        let memory = memory(&mut self.memories, &self.cast, actor);
        if let (Some(Value::Text(username)), "log_in" | "create_account") = (arguments.get("username"), operation) {
            self.former.insert(actor.to_owned(), memory.me().unwrap_or_default().to_owned());
            memory.become_user(username.clone());
        }
        let link = self.links.get_mut(actor).expect("just connected");
        let composed = link.compose(operation, arguments, memory);
        if link.was_not_asked() {
            // What the dialect makes of it is no word of the server.
            let why = format!("{operation} needs a value here that this wire has told nobody");
            return Err(Stop::Inapplicable(why));
        }
        composed.map_err(|why| Stop::Inapplicable(format!("`{operation}` cannot be said on this wire: {why}")))
    }

    /// What the wire calls users, they tell each other: whom somebody writes to, has told her the number to use.
    fn spread_news(&mut self, actor: &str) {
        let news: Vec<News> = self.memories.values_mut().flat_map(Memory::take_news).collect();
        self.told.extend_from_slice(&news);
        if !self.memories.contains_key(actor) {
            memory(&mut self.memories, &self.cast, actor).is_told(&self.told);
        }
        self.memories.values_mut().for_each(|memory| memory.is_told(&news));
    }

    /// Asks to be told of messages on this connection, and waits until the server knows.
    pub(super) async fn start_listening(&mut self, actor: &str) -> Result<(), Stop> {
        let memory_of = memory(&mut self.memories, &self.cast, actor);
        let Some(link) = self.links.get_mut(actor) else { return Ok(()) };
        let bytes = link.listen(memory_of).map_err(|why| Stop::Suite(format!("`listen` cannot be said: {why}")))?;
        let _ = self.put(actor, &bytes).await;
        self.said(actor, "listen".into(), bytes);
        let fence = self.stage.dialect.fence.clone();
        let arguments = self.arguments(actor, &fence, &Self::fence_arguments());
        self.say(actor, &fence, &arguments).await?;
        loop {
            let memory = memory(&mut self.memories, &self.cast, actor);
            let Some(link) = self.links.get_mut(actor) else { return Ok(()) };
            let arrived = link.next(&self.stage.patience, &mut self.turn, memory).await;
            self.heard(actor, &arrived);
            match arrived.what {
                Arrival::Event(_) => self.link(actor).await?.keep_event(arrived),
                Arrival::Part(_) => {}
                Arrival::Unsent(_) => return Err(Stop::Suite(self.describe(&arrived))),
                Arrival::Answer(_) => return Ok(()),
                Arrival::Silence => return Err(Stop::Silent("nothing".into())),
                Arrival::End(_) | Arrival::Flood => return Err(Stop::Lost(self.describe(&arrived))),
            }
        }
    }

    pub(super) async fn write(&mut self, actor: &str, frames: &[Frame], how: &How) -> Result<(), Stop> {
        let pieces = match how {
            How::Joined => "in one piece".into(),
            How::Dripped => "a byte at a time".into(),
            How::Split(offsets) => format!("cut at {offsets:?}"),
        };
        self.go_on_after_the_end(actor).await?;
        self.note(actor, &format!("writes what follows {pieces}"));
        let mut all = Vec::new();
        for frame in frames {
            match frame {
                Frame::Operation { name, with } => {
                    let arguments = self.arguments(actor, name, with);
                    if let Err(why) = self.stage.dialect.carries(name, &arguments) {
                        return Err(Stop::Inapplicable(why));
                    }
                    let bytes = self.compose(actor, name, &arguments).await?.unwrap_or_default();
                    self.said(actor, format!("{name} {arguments}"), bytes.clone());
                    all.extend(bytes);
                }
                Frame::Damaged { damage, name, with } => {
                    let arguments = self.arguments(actor, name, with);
                    let bytes = self.damaged(actor, *damage, name, &arguments)?;
                    self.link(actor).await?.expect_unexplained();
                    self.said(actor, format!("{name} {arguments}, damaged: {}", damage.word()), bytes.clone());
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
        let pause = if cuts.len() < FEW { BETWEEN_FEW_PIECES } else { BETWEEN_PIECES };
        let mut start = 0;
        for cut in cuts.into_iter().chain([all.len()]) {
            if self.put(actor, &all[start..cut.max(start)]).await.is_err() {
                break;
            }
            start = cut.max(start);
            if start < all.len() {
                tokio::time::sleep(pause).await;
            }
        }
        Ok(())
    }

    /// The bytes of a request that is wrong in some way.
    fn damaged(&mut self, actor: &str, damage: Damage, operation: &str, arguments: &Record) -> Result<Vec<u8>, Stop> {
        let dialect = &self.stage.dialect;
        let (memory, mut right) = (memory(&mut self.memories, &self.cast, actor), Vec::new());
        let said = dialect.speak_request_as(operation, arguments, memory, 1, &mut right);
        said.map_err(|why| Stop::Inapplicable(format!("`{operation}` cannot be said on this wire: {why}")))?;
        let none = || Stop::Inapplicable(format!("no request of this wire can be made wrong as `{}`", damage.word()));
        dialect.damaged(damage, &right).ok_or_else(none)
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
                (Some(given), "pattern") => self.in_pattern_language(given),
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

    /// What a fence says where it is not random. A server that has trouble with lists of everybody is no less there.
    pub(super) fn fence_arguments() -> [(String, Given); 1] {
        [("pattern".to_owned(), Given::Literal(Value::Text("fence".to_owned())))]
    }

    /// A pattern that is a text and a `*` at its end, in the target's own language; others as they are.
    fn in_pattern_language(&mut self, given: &Given) -> Value {
        let value = self.cast.make("pattern", given);
        let language = self.stage.dialect.policies.get("pattern").map_or("glob", String::as_str);
        let Some(prefix) = value.as_text().and_then(|text| text.strip_suffix('*')) else { return value };
        if !asks_for_a_beginning(self.scenario, given) {
            return value;
        }
        Value::Text(match language {
            "substring" => prefix.to_owned(),
            "regex_prefix" => regex::escape(prefix),
            "regex_full" => format!("{}.*", regex::escape(prefix)),
            "like" => format!("{prefix}%"),
            "none" => String::new(),
            _ => return value,
        })
    }

    /// The actor's connection; one is opened if there is none.
    pub(super) async fn link(&mut self, actor: &str) -> Result<&mut Link<W>, Stop> {
        if !self.links.contains_key(actor) {
            self.connect(actor).await?;
        }
        Ok(self.links.get_mut(actor).expect("just connected"))
    }
}

/// What an actor remembers: at first its own name and password, and a token that nobody gave it.
pub(super) fn memory<'m>(memories: &'m mut BTreeMap<String, Memory>, cast: &Cast<'_>, actor: &str) -> &'m mut Memory {
    memories.entry(actor.to_owned()).or_insert_with(|| {
        let mut memory = Memory::of(cast.username(actor));
        let token = [cast.random().to_be_bytes(), cast.random().to_be_bytes()].concat();
        let first = Record::new().with("password", cast.password(actor)).with("token", token);
        memory.learn(&first, cast.service());
        memory
    })
}
