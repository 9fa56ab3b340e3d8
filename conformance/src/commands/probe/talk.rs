//! One connection, shown as it goes: what is said, what comes, how long it took, what is learned from it.

use std::sync::Arc;
use std::time::Duration;

use reference_server::world::World;
use spec::codec::{Came, Conversation, Heard, Memory, What};
use spec::dialect::Dialect;
use spec::value::{Record, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use crate::commands::complain;
use crate::commands::probe::asks::{self, Ask};
use crate::commands::probe::shown;
use crate::drive::{Connection, Names, Network, Wire as _};
use crate::exit::Exit;

/// How long it is looked at the end, and at the beginning, whether something comes that nobody asked for.
const LOOK: Duration = Duration::from_millis(50);

/// How long it is looked before something is said whether the server has ended the connection.
const LOOK_FIRST: Duration = Duration::from_millis(5);

/// How an operation went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Went {
    Well,
    /// It was refused, in words that the dialect has.
    Refused,
    /// What came was not understood.
    Unfit,
    /// Nothing came, or the connection is gone.
    Lost,
}

/// A connection, and who is on it.
pub(super) struct Talk {
    pub(super) dialect: Arc<Dialect>,
    address: String,
    deadline: Duration,
    network: Network,
    stream: Option<Connection>,
    conversation: Conversation,
    memory: Memory,
    /// The worst that happened.
    exit: Exit,
}

impl Talk {
    /// Connects, and shows the greeting where a dialect has one.
    pub(super) async fn connect(
        dialect: Arc<Dialect>,
        network: Network,
        address: &str,
        deadline: Duration,
    ) -> Result<Self, Exit> {
        let mut memory = Memory::default();
        let first = Record::new().with("token", vec![0_u8; 16]);
        memory.learn(&first, dialect.service());
        let conversation = Conversation::new(dialect.clone());
        let address = address.to_owned();
        let mut talk =
            Talk { dialect, address, deadline, network, stream: None, conversation, memory, exit: Exit::Passed };
        talk.open().await?;
        Ok(talk)
    }

    /// Does one thing after the other, and sees what comes at the end.
    pub(super) async fn all(&mut self, asks: &[Ask]) -> Exit {
        for ask in asks {
            match ask {
                Ask::Operation { name, given } => {
                    if self.operation(name, given).await == Went::Lost {
                        return self.exit;
                    }
                }
                Ask::Connect => {
                    self.close().await;
                    if let Err(exit) = self.open().await {
                        return exit;
                    }
                }
                Ask::Disconnect => self.close().await,
                Ask::Listen => self.listen().await,
                Ask::Wait(time) => self.look(*time).await,
                Ask::Raw(bytes) => self.raw(bytes).await,
            }
        }
        self.look(LOOK).await;
        self.exit
    }

    /// The worst that happened so far.
    pub(super) fn exit(&self) -> Exit {
        self.exit
    }

    /// Who acts.
    pub(super) fn me(&self) -> Option<&str> {
        self.memory.me()
    }

    // ── the connection ────────────────────────────────────────────────────────────────────────────────────────────

    pub(super) async fn open(&mut self) -> Result<(), Exit> {
        let began = Instant::now();
        match timeout(self.deadline, self.network.connect(&self.address)).await {
            Ok(Ok(stream)) => {
                shown::note(&format!("connected ({})", shown::took(began.elapsed())));
                self.stream = Some(stream);
                self.conversation = Conversation::new(self.dialect.clone());
            }
            Ok(Err(error)) => {
                let why = format!("nobody can be reached at {}: {error}; is the server up?", self.address);
                return Err(complain(Exit::Undecided, &why));
            }
            Err(_) => return Err(complain(Exit::Undecided, &format!("no connection to {} in time", self.address))),
        }
        // What a server says first is shown, expected or not.
        self.look(if self.dialect.greets() { LOOK * 2 } else { LOOK / 5 }).await;
        Ok(())
    }

    pub(super) async fn close(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        shown::note("disconnects");
        if stream.shutdown().await.is_ok() {
            self.look(LOOK).await;
        }
        self.stream = None;
    }

    /// Nothing is said into a connection that the server has ended, or ends after what it said last.
    async fn see_the_end(&mut self) {
        if self.conversation.is_over() {
            self.close().await;
        }
        let began = Instant::now();
        while self.stream.is_some() && self.next(began, LOOK_FIRST).await.is_some() {}
    }

    // ── saying ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Asks for an operation and waits for its answer.
    pub(super) async fn operation(&mut self, name: &str, given: &Record) -> Went {
        self.see_the_end().await;
        if self.stream.is_none() && self.open().await.is_err() {
            return self.lost();
        }
        let arguments = asks::arguments(&self.dialect, &self.memory, name, given);
        if let (Some(Value::Text(user)), "log_in" | "create_account") = (arguments.get("username"), name) {
            self.memory.become_user(user.clone());
        }
        let mut known = Record::new();
        arguments
            .iter()
            .filter(|(name, _)| *name == "password")
            .for_each(|(name, value)| known.set(name, value.clone()));
        self.memory.learn(&known, self.dialect.service());
        let title = format!("{name} {arguments}").replace(" {}", "");
        match self.conversation.ask(name, &arguments, &self.memory) {
            Ok(Some(bytes)) => {
                self.say(&title, &bytes, false).await;
                let went = self.answer(self.deadline).await;
                let is_free = matches!(name, "log_in" | "create_account" | "resume_session") && went == Went::Well;
                if is_free && self.dialect.has_listen() {
                    self.listen().await;
                }
                went
            }
            Ok(None) => {
                shown::note(&format!("{name} is done by disconnecting"));
                self.close().await;
                Went::Well
            }
            Err(why) => {
                complain(Exit::Usage, &format!("`{title}` cannot be said on this wire: {why}"));
                self.exit = Exit::Usage;
                Went::Unfit
            }
        }
    }

    pub(super) async fn listen(&mut self) {
        match self.conversation.listen(&self.memory) {
            Ok(bytes) if bytes.is_empty() => shown::note("this dialect needs no words to listen"),
            Ok(bytes) => {
                self.say("listen", &bytes, false).await;
                self.look(LOOK).await;
            }
            Err(why) => drop(complain(Exit::Usage, &format!("`listen` cannot be said on this wire: {why}"))),
        }
    }

    async fn raw(&mut self, bytes: &[u8]) {
        if self.stream.is_none() && self.open().await.is_err() {
            return;
        }
        self.conversation.expect_unexplained();
        self.say(&format!("{} raw bytes", bytes.len()), bytes, true).await;
        self.answer(self.deadline).await;
    }

    async fn say(&mut self, title: &str, bytes: &[u8], is_raw: bool) {
        shown::said(&self.dialect, title, bytes, is_raw);
        if let Some(stream) = &mut self.stream {
            // Whatever broke the connection is found when the answer is read.
            let _ = stream.write_all(bytes).await;
        }
    }

    // ── hearing ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// Waits for the answer to the oldest request; shows all that comes on the way.
    async fn answer(&mut self, within: Duration) -> Went {
        let began = Instant::now();
        loop {
            match self.next(began, within).await {
                None => return self.nothing(within),
                Some(Came { what: What::Answer(heard), .. }) => match heard {
                    Heard::Ok { .. } => return Went::Well,
                    Heard::Error { .. } => return Went::Refused,
                    _ => return Went::Unfit,
                },
                Some(_) => {}
            }
        }
    }

    /// Shows what comes without being asked for.
    pub(super) async fn look(&mut self, time: Duration) {
        let began = Instant::now();
        while self.next(began, time).await.is_some() {}
        let rest = self.conversation.rest().to_vec();
        if !rest.is_empty() && self.conversation.unanswered() == 0 {
            shown::unfinished(&self.dialect, &rest, None);
            self.worse(Exit::Findings);
        }
    }

    /// The next thing that comes, shown. None: nothing within the time, or the connection ended.
    async fn next(&mut self, began: Instant, within: Duration) -> Option<Came> {
        let pause = self.dialect.pause();
        let mut looked = false;
        loop {
            let before = self.memory.clone();
            let came = self.conversation.next(&mut self.memory);
            if let Some(came) = came {
                return Some(self.show(came, began, &before).await);
            }
            self.go_on().await;
            let stream = self.stream.as_mut()?;
            let left = within.saturating_sub(began.elapsed());
            let pausing = self.conversation.waits_for_a_pause() && !looked;
            let mut buffer = vec![0_u8; 16 << 10];
            match timeout(if pausing { pause.min(left) } else { left }, stream.read(&mut buffer)).await {
                Ok(Ok(0)) => return self.ended("the server closed the connection", began).await,
                Ok(Ok(count)) => {
                    looked = false;
                    self.conversation.push(&buffer[..count]);
                }
                Ok(Err(error)) => return self.ended(&format!("the connection broke: {error}"), began).await,
                Err(_) if pausing => {
                    looked = true;
                    if let Some(came) = self.conversation.after_a_pause(&mut self.memory) {
                        return Some(self.show(came, began, &before).await);
                    }
                }
                Err(_) => return None,
            }
        }
    }

    async fn ended(&mut self, how: &str, began: Instant) -> Option<Came> {
        self.stream = None;
        let before = self.memory.clone();
        let came = self.conversation.ended(&mut self.memory);
        shown::note(how);
        match came {
            Some(came) => Some(self.show(came, began, &before).await),
            None => None,
        }
    }

    async fn show(&mut self, came: Came, began: Instant, before: &Memory) -> Came {
        if !shown::came(&self.dialect, &came, began.elapsed()) {
            self.worse(Exit::Findings);
        }
        if let What::Answer(Heard::Ok { values, .. } | Heard::Next { values, .. })
        | What::Part(Heard::Next { values, .. } | Heard::Ok { values, .. }) = &came.what
        {
            let service = self.dialect.service();
            let is_new = |name: &str| self.memory.value(name).is_some_and(|now| before.value(name) != Some(now));
            let news = values.iter().filter(|(name, _)| !service.is_username(name) && is_new(name));
            shown::learned(&news.map(|(name, value)| (name.to_owned(), value.clone())).collect());
        }
        self.go_on().await;
        came
    }

    /// Says what a dialogue needs to go on.
    async fn go_on(&mut self) {
        let bytes = self.conversation.to_say();
        if !bytes.is_empty() {
            self.say("what the dialogue needs to go on", &bytes, false).await;
        }
    }

    fn nothing(&mut self, within: Duration) -> Went {
        let rest = self.conversation.rest().to_vec();
        if !rest.is_empty() {
            shown::unfinished(&self.dialect, &rest, self.conversation.oldest());
            self.worse(Exit::Findings);
        } else if self.stream.is_some() {
            shown::note(&format!("nothing came for {} ms; --deadline-ms waits longer", within.as_millis()));
            shown::expected(&self.dialect, self.conversation.oldest());
        } else {
            shown::expected(&self.dialect, self.conversation.oldest());
        }
        self.lost()
    }

    fn lost(&mut self) -> Went {
        self.worse(Exit::Undecided);
        Went::Lost
    }

    /// What does not fit outweighs what did not come.
    fn worse(&mut self, exit: Exit) {
        if matches!(self.exit, Exit::Passed | Exit::Undecided) {
            self.exit = exit;
        }
    }
}

/// A name that nobody has.
pub(super) fn fresh_name() -> String {
    Names::new(&World::real()).prefix(0)
}
