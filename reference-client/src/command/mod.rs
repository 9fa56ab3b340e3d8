//! What the commands do: one connection, one user, one command after the other.
//!
//! Not here: how commands are written (`options`), how results look (`screen`), where lines come from (`prompt`).

mod connect;
pub(crate) mod options;
pub(crate) mod prompt;
pub(crate) mod screen;

use std::io;

use reference_client::{Client, ClientError};
use spec::message::{Reply, Request};
use thiserror::Error;
use tokio::time::timeout;

use connect::{Stream, connect};
use options::{Account, Command, Credentials, Options};
use screen::Screen;

/// Why a command did not succeed.
#[derive(Debug, Error)]
pub(crate) enum Stop {
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What the user wrote cannot be done.
    #[error("{0}")]
    Usage(String),
    /// Nobody reads what is printed.
    #[error("cannot print: {0}")]
    Output(#[from] io::Error),
}

impl Stop {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Stop::Client(ClientError::Refused(_)) => 1,
            Stop::Usage(_) => 2,
            Stop::Client(_) => 3,
            // Whoever closed the pipe had enough.
            Stop::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Stop::Output(_) => 3,
        }
    }
}

/// A connection and who speaks over it.
pub(crate) struct Session {
    client: Client<Box<dyn Stream>>,
    credentials: Option<Credentials>,
    screen: Screen,
}

impl Session {
    /// Connects.
    pub(crate) async fn open(
        options: &Options,
        credentials: Option<Credentials>,
        screen: Screen,
    ) -> Result<Session, Stop> {
        let dialect = options.dialect()?;
        let reached = timeout(options.timeout(), connect(&options.server, &dialect)).await;
        let stream = reached.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let stream = stream.map_err(|error| {
            let why = format!("{} cannot be reached: {error}", options.server);
            ClientError::NotSent(io::Error::new(error.kind(), why))
        })?;
        let mut client = Client::over(stream, dialect).answer_within(options.timeout());
        if options.trace {
            let screen = screen.clone();
            client = client.watched(move |frame| screen.note(&frame.to_string()));
        }
        Ok(Session { client, credentials, screen })
    }

    /// One command, with a log in and a log out around it where it needs a session.
    pub(crate) async fn once(mut self, command: Command) -> Result<(), Stop> {
        if !command.needs_session() {
            return self.act(command).await;
        }
        self.log_in().await?;
        let done = self.act(command).await;
        if matches!(done, Ok(()) | Err(Stop::Client(ClientError::Refused(_)))) {
            // Refused where the command itself ended the session, and that is as well.
            let _ = self.client.log_out().await;
        }
        done
    }

    /// Logs in, without a word about it.
    async fn log_in(&mut self) -> Result<(), Stop> {
        let Credentials { username, password } = self.account(Account { account: None, account_password: None })?;
        self.client.log_in(&username, &password, false).await?;
        Ok(())
    }

    /// One command.
    pub(crate) async fn act(&mut self, command: Command) -> Result<(), Stop> {
        match command {
            Command::Hello => self.ask(Request::Hello { client: "reference-client".into() }).await,
            Command::Ping { nonce } => self.ask(Request::Ping { nonce }).await,
            Command::Create(account) => {
                let Credentials { username, password } = self.account(account)?;
                self.ask(Request::CreateAccount { username, password }).await
            }
            Command::LogIn { account, take_over } => {
                let credentials = self.account(account)?;
                let Credentials { username, password } = credentials.clone();
                self.ask(Request::LogIn { username, password, take_over }).await?;
                self.credentials = Some(credentials);
                Ok(())
            }
            Command::Resume { token } => self.ask(Request::ResumeSession { token: token.0 }).await,
            Command::LogOut => self.ask(Request::LogOut {}).await,
            Command::List { pattern } => self.list(&pattern).await,
            Command::Send { recipient, text, key } => self.send(recipient, text, key).await,
            Command::Deliver { acknowledge, max } => self.ask(Request::DeliverMessages { acknowledge, max }).await,
            Command::Listen { count } => self.listen(count).await,
            Command::Delete { discard } => {
                let Credentials { password, .. } = self.account(Account { account: None, account_password: None })?;
                self.ask(Request::DeleteAccount { password, discard }).await
            }
        }
    }

    /// Prints so many events, or all until the connection ends, which is then why it stopped.
    pub(crate) async fn print_events(&mut self, count: Option<u64>) -> Result<(), Stop> {
        let mut left = count;
        while left != Some(0) {
            let ended = || ClientError::Unknown("the server has ended the connection".into());
            let event = self.client.next_event().await?.ok_or_else(ended)?;
            self.screen.event(&event)?;
            left = left.map(|left| left - 1);
        }
        Ok(())
    }

    pub(crate) fn is_over(&self) -> bool {
        self.client.is_over()
    }

    fn account(&self, account: Account) -> Result<Credentials, Stop> {
        match (account.account, account.account_password, &self.credentials) {
            (Some(username), Some(password), _) => Ok(Credentials { username, password }),
            (_, _, Some(credentials)) => Ok(credentials.clone()),
            _ => Err(Stop::Usage("whose account? say --user and --password, or log in by name".into())),
        }
    }

    async fn ask(&mut self, request: Request) -> Result<(), Stop> {
        let reply = self.call(request).await?;
        Ok(self.screen.reply(&reply)?)
    }

    /// Prints the events that came before the answer, too.
    async fn call(&mut self, request: Request) -> Result<Reply, Stop> {
        let answer = self.client.call(request).await;
        for event in self.client.take_events() {
            self.screen.event(&event)?;
        }
        Ok(answer?)
    }

    async fn list(&mut self, pattern: &str) -> Result<(), Stop> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let request = Request::ListAccounts { pattern: pattern.to_owned(), after: after.clone(), limit: 0 };
            let Reply::ListAccounts { usernames, more } = self.call(request).await? else { return Ok(()) };
            // A server whose pages do not advance would be asked for ever.
            let last = usernames.last().filter(|last| more && **last > after).cloned();
            all.extend(usernames);
            match last {
                Some(last) => after = last,
                None => return Ok(self.screen.reply(&Reply::ListAccounts { usernames: all, more: false })?),
            }
        }
    }

    async fn send(&mut self, recipient: String, text: String, key: Option<[u8; 16]>) -> Result<(), Stop> {
        let key = key.map_or_else(fresh_key, Ok)?;
        let done = self.ask(Request::SendMessage { recipient, text, key: key.to_vec() }).await;
        if let Err(Stop::Client(error)) = &done
            && !error.is_definite()
        {
            self.screen.note(&format!("it may have been sent; repeat it safely with --key {}", screen::hex(&key)));
        }
        done
    }

    async fn listen(&mut self, count: Option<u64>) -> Result<(), Stop> {
        self.screen.note("listening");
        tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => Ok(()),
            done = self.print_events(count) => done,
        }
    }
}

fn fresh_key() -> Result<[u8; 16], Stop> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_err(|error| Stop::Usage(format!("no randomness for a key: {error}; say --key")))?;
    Ok(key)
}
