//! The prompt: commands line by line, and events above them as they come.
//!
//! Lines are read by a thread of their own, since a terminal blocks; the next one is asked for when the last one is
//! answered. From a pipe they are read in the same way, without prompt and history. Not here: the commands (`command`).

use std::io::{self, IsTerminal, stdin};
use std::path::PathBuf;
use std::{env, fs, thread};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Context, Editor, Helper};
use tokio::sync::{mpsc, oneshot};

use super::options::{Command, Credentials, Options};
use super::screen::Screen;
use super::{Session, Stop};

/// Commands; say `help COMMAND` for more about one.
#[derive(Debug, Parser)]
#[command(multicall = true, help_template = "{about}\n\n{subcommands}")]
struct Line {
    #[command(subcommand)]
    entry: Entry,
}

#[derive(Debug, Subcommand)]
enum Entry {
    #[command(flatten)]
    Command(Command),
    /// End, as Ctrl-D does; the session's token stays valid
    #[command(alias = "exit")]
    Quit,
}

/// A line, and whom to tell that it is done.
struct Said {
    line: String,
    done: oneshot::Sender<()>,
}

/// Reads and obeys commands until the lines end: the exit code of the first that failed.
pub(crate) async fn converse(options: &Options, credentials: Option<Credentials>, streams: Screen) -> Result<u8, Stop> {
    let (mut screen, mut terminal) = (streams, None);
    if stdin().is_terminal() {
        let mut editor = editor().map_err(io::Error::other)?;
        // A terminal without cursor control has no place above the line: there, everything is printed where it falls.
        if let Ok(above) = editor.create_external_printer() {
            screen = screen.above(above);
        }
        terminal = Some(editor);
    }
    let mut session = Session::open(options, credentials, screen.clone()).await?;
    if session.credentials.is_some() {
        session.log_in().await?;
    }
    let (sender, mut lines) = mpsc::channel(1);
    let reader = match terminal {
        None => thread::spawn(move || read_pipe(&sender)),
        Some(editor) => {
            screen.note(&format!("connected to {}; `help` lists the commands, Ctrl-D ends", options.server));
            thread::spawn(move || read_terminal(editor, &sender))
        }
    };

    let mut code = 0;
    while let Some(Said { line, done }) = next_line(&mut lines, &mut session, &screen).await {
        match obey(&line, options, &screen, &mut session).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(stop @ Stop::Output(_)) => return Err(stop),
            Err(stop) => {
                screen.stop(&stop);
                code = if code == 0 { stop.exit_code() } else { code };
            }
        }
        let _ = done.send(());
    }
    drop(lines);
    let _ = reader.join();
    Ok(code)
}

/// Waits for a line and prints the events that come meanwhile.
async fn next_line(lines: &mut mpsc::Receiver<Said>, session: &mut Session, screen: &Screen) -> Option<Said> {
    if !session.is_over() {
        let printed = tokio::select! {
            biased;
            said = lines.recv() => return said,
            printed = session.print_events(None) => printed,
        };
        if let Err(stop) = printed {
            screen.stop(&stop);
        }
        if session.is_over() {
            screen.note("the next command connects again");
        }
    }
    lines.recv().await
}

/// Whether to go on after this line.
async fn obey(line: &str, options: &Options, screen: &Screen, session: &mut Session) -> Result<bool, Stop> {
    if line.trim().is_empty() {
        return Ok(true);
    }
    let command = match Line::try_parse_from(words(line)) {
        Ok(Line { entry: Entry::Quit }) => return Ok(false),
        Ok(Line { entry: Entry::Command(command) }) => command,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            screen.line(error.to_string().trim_end())?;
            return Ok(true);
        }
        Err(error) => return Err(Stop::Usage(error.to_string().trim_end().trim_start_matches("error: ").to_owned())),
    };
    if session.is_over() {
        let credentials = session.credentials.clone();
        *session = Session::open(options, credentials, screen.clone()).await?;
    }
    session.act(command).await.map(|()| true)
}

/// A line into words, between blanks; `"a b"` is one. The text of a message is the rest of its line, as it stands.
fn words(line: &str) -> Vec<String> {
    let line = line.trim();
    if let Some(("send", rest)) = line.split_once(' ')
        && let Some((recipient, text)) = rest.trim_start().split_once(' ')
        && !recipient.starts_with('-')
    {
        return ["send", recipient, "--", text].map(str::to_owned).to_vec();
    }
    let (mut words, mut word, mut quoted) = (Vec::new(), None, false);
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_with(String::new);
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_with(String::new).push(c),
        }
    }
    words.extend(word);
    words
}

fn read_pipe(lines: &mpsc::Sender<Said>) {
    for line in stdin().lines().map_while(Result::ok) {
        if !tell(lines, line) {
            break;
        }
    }
}

fn read_terminal(mut editor: Editor<Words, FileHistory>, lines: &mpsc::Sender<Said>) {
    let history = history_file();
    if let Some(file) = &history {
        let _ = editor.load_history(file);
    }
    // Ctrl-C and Ctrl-D are errors to the editor; they end the prompt.
    while let Ok(line) = editor.readline("chat> ") {
        if !holds_secret(&line) {
            let _ = editor.add_history_entry(&line);
        }
        if !tell(lines, line) {
            break;
        }
    }
    if let Some(file) = history.filter(|file| file.parent().is_some_and(|folder| fs::create_dir_all(folder).is_ok())) {
        let _ = editor.save_history(&file);
    }
}

/// Hands a line over and waits until it is done. False: no more are wanted.
fn tell(lines: &mpsc::Sender<Said>, line: String) -> bool {
    let (done, wait) = oneshot::channel();
    lines.blocking_send(Said { line, done }).is_ok() && wait.blocking_recv().is_ok()
}

/// Passwords and tokens are not for a file.
fn holds_secret(line: &str) -> bool {
    line.split_whitespace().next().is_some_and(|word| matches!(word, "create" | "log-in" | "resume"))
}

fn history_file() -> Option<PathBuf> {
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = state.or_else(|| env::home_dir().map(|home| home.join(".local/state")))?;
    Some(folder.join("reference-client").join("history"))
}

fn editor() -> rustyline::Result<Editor<Words, FileHistory>> {
    let mut names: Vec<String> = Line::command().get_subcommands().map(|it| it.get_name().to_owned()).collect();
    names.push("help".into());
    let mut editor = Editor::new()?;
    editor.set_helper(Some(Words(names)));
    Ok(editor)
}

/// Completes the first word of a line.
struct Words(Vec<String>);

impl Completer for Words {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let begun = &line[..at];
        Ok((0, self.0.iter().filter(|name| name.starts_with(begun)).cloned().collect()))
    }
}

impl Hinter for Words {
    type Hint = String;
}
impl Highlighter for Words {}
impl Validator for Words {}
impl Helper for Words {}
