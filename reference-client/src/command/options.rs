//! What can be written on the command line and at the prompt.
//!
//! Not here: what any of it does (`command`).

use std::io::{self, BufRead};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use spec::Spec;
use spec::codec::hex;
use spec::dialect::Dialect;
use spec::error::Diagnostics;
use spec::message::Operation;
use spec::service::SessionNeed;
use spec::source::File;

use super::Stop;

const AFTER_HELP: &str = "\
Commands that need a session log in first, as --user, and log out afterwards.
Without a command, commands are read from standard input: at a prompt if it is a terminal.

Exit codes:
  0  ok
  1  refused by the server, which says why
  2  not understood by this program
  3  the server cannot be reached, gives no answer, or says something that is not understood
At the prompt it is the code of the first command that failed.";

/// Speak to a chat server.
#[derive(Debug, Parser)]
#[command(name = "reference-client", version, after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Where the server listens
    #[arg(long, value_name = "HOST:PORT", env = "CHAT_SERVER", default_value = "127.0.0.1:6262", global = true)]
    #[arg(value_parser = address)]
    pub(crate) server: String,
    /// The wire: a dialect of the specification by name, or a file that ends in .yaml
    #[arg(long, value_name = "DIALECT", default_value = "framed", global = true)]
    dialect: String,
    /// Who to log in as
    #[arg(long, value_name = "NAME", env = "CHAT_USER", global = true)]
    user: Option<String>,
    /// The password of --user
    #[arg(long, value_name = "PASSWORD", env = "CHAT_PASSWORD", hide_env_values = true, global = true)]
    password: Option<String>,
    /// Read the password from the first line of standard input instead
    #[arg(long, global = true)]
    password_stdin: bool,
    /// How long to wait for the connection, and for each answer
    #[arg(long, value_name = "SECONDS", default_value_t = 10, global = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    timeout_s: u64,
    /// Print results, events and errors as JSON, an object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show every frame on standard error, with the meaning of its bytes; passwords are in them
    #[arg(long, global = true)]
    pub(crate) trace: bool,
    /// Print completions for a shell, and nothing else
    #[arg(long, value_name = "SHELL")]
    pub(crate) completions: Option<Shell>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do, on the command line and at the prompt alike.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Ask who is there
    Hello,
    /// Ask for a sign of life
    Ping {
        /// A number that comes back
        #[arg(default_value_t = 1)]
        nonce: u64,
    },
    /// Make an account; without a name, the one of --user
    Create(Account),
    /// List the usernames that fit a pattern
    List {
        /// `*` is any run of characters, `?` any one; without it, all names
        #[arg(default_value = "")]
        pattern: String,
    },
    /// Send a text
    Send {
        /// Who gets it
        recipient: String,
        /// What it says; at the prompt, the rest of the line
        #[arg(allow_hyphen_values = true)]
        text: String,
        /// 32 hex digits that make a repeated send safe; random if left out
        #[arg(long, value_name = "HEX", value_parser = key)]
        key: Option<[u8; 16]>,
    },
    /// Fetch a page of messages
    Deliver {
        /// Say first that all messages up to this id are held; they are not kept any longer
        #[arg(long, value_name = "ID", default_value_t = 0)]
        acknowledge: u64,
        /// The most messages wanted
        #[arg(long, value_name = "N", default_value_t = 100)]
        max: u64,
    },
    /// Print messages as they arrive, until Ctrl-C
    Listen {
        /// Stop after so many
        #[arg(long, value_name = "N")]
        count: Option<u64>,
    },
    /// Delete the account that is logged in
    Delete {
        /// Even if messages wait
        #[arg(long)]
        discard: bool,
    },
    /// Begin a session and print its token, for `resume`; without a name, as --user
    LogIn {
        #[command(flatten)]
        account: Account,
        /// Even if that ends a session elsewhere
        #[arg(long)]
        take_over: bool,
    },
    /// Go on with the session of a token
    Resume {
        /// As `log-in` printed it
        #[arg(value_parser = token)]
        token: Token,
    },
    /// End the session and its token
    LogOut,
}

/// An account, named on the spot.
#[derive(Debug, Clone, Args)]
pub(crate) struct Account {
    #[arg(value_name = "NAME", requires = "account_password")]
    pub(crate) account: Option<String>,
    #[arg(value_name = "PASSWORD")]
    pub(crate) account_password: Option<String>,
}

/// A session's token.
#[derive(Debug, Clone)]
pub(crate) struct Token(pub(crate) Vec<u8>);

/// Who to log in as.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) password: String,
}

impl Command {
    /// Whether it needs a session, as the specification says of its operation. Listening is no operation.
    pub(crate) fn needs_session(&self) -> bool {
        let operation = match self {
            Command::Hello => Operation::Hello,
            Command::Ping { .. } => Operation::Ping,
            Command::Create(_) => Operation::CreateAccount,
            Command::List { .. } => Operation::ListAccounts,
            Command::Send { .. } => Operation::SendMessage,
            Command::Deliver { .. } => Operation::DeliverMessages,
            Command::Delete { .. } => Operation::DeleteAccount,
            Command::LogIn { .. } => Operation::LogIn,
            Command::Resume { .. } => Operation::ResumeSession,
            Command::LogOut => Operation::LogOut,
            Command::Listen { .. } => return true,
        };
        Spec::embedded().service.operations[operation.name()].session == SessionNeed::Needed
    }
}

impl Options {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }

    /// Who --user is, if it was said. Standard input is read at most here, and once.
    pub(crate) fn credentials(&self) -> Result<Option<Credentials>, Stop> {
        let Some(username) = self.user.clone() else { return Ok(None) };
        let password = if self.password_stdin {
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line).map_err(|error| Stop::Usage(format!("no password: {error}")))?;
            line.trim_end_matches(['\r', '\n']).to_owned()
        } else {
            self.password.clone().ok_or_else(|| Stop::Usage("--user needs --password or --password-stdin".into()))?
        };
        Ok(Some(Credentials { username, password }))
    }

    /// The wire to speak.
    pub(crate) fn dialect(&self) -> Result<Arc<Dialect>, Stop> {
        let spec = Spec::embedded();
        if !self.dialect.ends_with(".yaml") {
            let names: Vec<&str> = spec.dialects.keys().map(String::as_str).collect();
            let unknown = || Stop::Usage(format!("no dialect `{}`; there are: {}", self.dialect, names.join(", ")));
            return spec.dialect(&self.dialect).ok_or_else(unknown);
        }
        let text = std::fs::read_to_string(&self.dialect)
            .map_err(|error| Stop::Usage(format!("{} cannot be read: {error}", self.dialect)))?;
        let mut found = Diagnostics::default();
        let file = Arc::new(File { path: self.dialect.clone(), text });
        let dialect = spec::read_dialect(&file, &spec.service, &mut found);
        dialect.map(Arc::new).ok_or_else(|| Stop::Usage(format!("{} has mistakes:\n{found}", self.dialect)))
    }
}

fn address(text: &str) -> Result<String, String> {
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    if matches!(port, Some(Ok(_))) { Ok(text.to_owned()) } else { Err("is not HOST:PORT".into()) }
}

fn key(text: &str) -> Result<[u8; 16], String> {
    hex(text)?.try_into().map_err(|_| "is not 32 hex digits".into())
}

fn token(text: &str) -> Result<Token, String> {
    hex(text).map(Token)
}
