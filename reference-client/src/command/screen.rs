//! How results, events and errors look, and where they go: results and events to standard output, the rest to standard
//! error; at a prompt, all of it above the line that is being written.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use anstyle::{AnsiColor, Style};
use reference_client::ClientError;
use rustyline::ExternalPrinter;
use serde_json::{Map, Value as Json};
use spec::Spec;
use spec::message::{Event, Message, Reply};
use spec::value::{Record, Value};

use super::Stop;

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Where everything is printed. Clones print to the same place.
#[derive(Clone)]
pub(crate) struct Screen {
    json: bool,
    prompt: Option<Arc<Mutex<dyn ExternalPrinter + Send>>>,
}

impl Screen {
    /// Standard output and standard error.
    pub(crate) fn streams(json: bool) -> Self {
        Screen { json, prompt: None }
    }

    /// Above a prompt.
    pub(crate) fn above(self, prompt: impl ExternalPrinter + Send + 'static) -> Self {
        Screen { prompt: Some(Arc::new(Mutex::new(prompt))), ..self }
    }

    /// The result of an operation.
    pub(crate) fn reply(&self, reply: &Reply) -> io::Result<()> {
        if self.json {
            return self.line(&json("ok", reply.operation().name(), &results(reply)));
        }
        let (lines, note) = sentence(reply);
        lines.iter().try_for_each(|line| self.line(line))?;
        note.into_iter().for_each(|note| self.note(&note));
        Ok(())
    }

    /// An event.
    pub(crate) fn event(&self, event: &Event) -> io::Result<()> {
        if self.json {
            return self.line(&json("event", event.name(), &event.to_record()));
        }
        match event {
            Event::Message(message) => self.line(&said(message)),
        }
    }

    /// Why something did not succeed.
    pub(crate) fn stop(&self, stop: &Stop) {
        let (name, record) = match stop {
            Stop::Client(ClientError::Refused(failure)) => {
                let name = failure.error.name();
                let known = Spec::embedded().service.errors.get(name);
                let sentence = known.map_or("", |error| error.sentence.as_str());
                (name, Record::new().with("sentence", sentence).with("detail", failure.detail.as_str()))
            }
            Stop::Client(ClientError::NotSent(why)) => ("not_sent", Record::new().with("detail", why.to_string())),
            Stop::Client(ClientError::Unknown(why)) => ("no_answer", Record::new().with("detail", why.as_str())),
            Stop::Client(ClientError::Garbled { why, bytes }) => {
                ("not_understood", Record::new().with("detail", why.as_str()).with("bytes", bytes.clone()))
            }
            Stop::Usage(why) => ("usage", Record::new().with("detail", why.as_str())),
            // Where nothing can be printed there is nothing to say.
            Stop::Output(_) => return,
        };
        if self.json {
            return self.note(&json("error", name, &record));
        }
        let parts = ["sentence", "detail"].map(|field| record.get(field).and_then(Value::as_text).unwrap_or_default());
        let parts: Vec<String> = parts.iter().filter(|part| !part.is_empty()).map(|part| visible(part)).collect();
        self.note(&format!("{ERROR}{name}{ERROR:#}: {}", parts.join(" ")));
    }

    /// A line for standard output.
    pub(crate) fn line(&self, text: &str) -> io::Result<()> {
        match &self.prompt {
            None => writeln!(anstream::stdout().lock(), "{text}"),
            Some(prompt) => print_above(prompt, text),
        }
    }

    /// Lines for standard error. Losing them is no failure.
    pub(crate) fn note(&self, text: &str) {
        let _ = match &self.prompt {
            None => writeln!(anstream::stderr().lock(), "{text}"),
            Some(prompt) => print_above(prompt, text),
        };
    }
}

fn print_above(prompt: &Mutex<dyn ExternalPrinter + Send>, text: &str) -> io::Result<()> {
    let text = anstream::adapter::strip_str(text).to_string();
    let mut prompt = prompt.lock().expect("nothing panics while it prints");
    prompt.print(text + "\n").map_err(io::Error::other)
}

/// The results by name, without those that only some servers have, where this one has nothing of them.
fn results(reply: &Reply) -> Record {
    let mut results = reply.to_record();
    let operation = &Spec::embedded().service.operations[reply.operation().name()];
    for name in operation.result_when.keys() {
        let is_empty = match results.get(name) {
            Some(Value::Int(number)) => *number == 0,
            Some(Value::Bytes(bytes)) => bytes.is_empty(),
            Some(Value::List(items)) => items.is_empty(),
            _ => false,
        };
        if is_empty {
            results.remove(name);
        }
    }
    results
}

/// A result for people: lines, and what is said beside them.
fn sentence(reply: &Reply) -> (Vec<String>, Option<String>) {
    let line = |text: String| (vec![text], None);
    match reply {
        Reply::Hello { server, capabilities, is_primary, primary } => {
            let role = match (is_primary, primary.is_empty()) {
                (true, _) => "serves clients".to_owned(),
                (false, true) => "serves no clients, nor knows who does".to_owned(),
                (false, false) => format!("serves no clients; {} does", visible(primary)),
            };
            line(format!("{} {role}; it has: {}", visible(server), visible(&capabilities.join(", "))))
        }
        Reply::Ping { nonce } => line(nonce.to_string()),
        Reply::CreateAccount { .. } => line("created".into()),
        Reply::LogIn { token, expires_in_s, waiting, .. } => {
            (vec![hex(token)], Some(format!("logged in for {expires_in_s} s; messages waiting: {waiting}")))
        }
        Reply::ResumeSession { username, expires_in_s } => {
            (vec![visible(username)], Some(format!("logged in for {expires_in_s} s")))
        }
        Reply::LogOut {} => line("logged out".into()),
        Reply::ListAccounts { usernames, more } => {
            (usernames.iter().map(|name| visible(name)).collect(), more.then(|| "there are more".into()))
        }
        Reply::SendMessage { message_id, delivered } => {
            line(format!("message {message_id} {}", if *delivered { "delivered" } else { "waits" }))
        }
        Reply::DeliverMessages { messages, more } => {
            (messages.iter().map(said).collect(), more.then(|| "there are more".into()))
        }
        Reply::DeleteAccount { discarded, .. } => line(format!("deleted; messages discarded: {discarded}")),
    }
}

fn said(message: &Message) -> String {
    format!("{} {}: {}", message.message_id, visible(&message.sender), visible(&message.text))
}

/// One line that cannot command a terminal: control characters are written out.
fn visible(text: &str) -> String {
    let written = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(written).collect()
}

fn json(kind: &str, name: &str, record: &Record) -> String {
    let mut object = Map::new();
    object.insert(kind.to_owned(), name.into());
    object.extend(record.iter().map(|(name, value)| (name.to_owned(), json_value(value))));
    Json::Object(object).to_string()
}

fn json_value(value: &Value) -> Json {
    match value {
        Value::Int(number) => (*number).into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Bytes(bytes) => hex(bytes).into(),
        Value::List(items) => items.iter().map(json_value).collect(),
        Value::Row(row) => Json::Object(row.iter().map(|(name, value)| (name.to_owned(), json_value(value))).collect()),
    }
}

/// Two digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
