//! How a message reaches its reader: at log in, at once, on demand; when it leaves the mailbox; who gets a copy.

use spec::value::Record;

use crate::observe::Stop;
use crate::observe::answer::Answer;
use crate::observe::person::{Asking, Person};

/// What is sent to somebody who is away, and to somebody who is there.
const AWAY: &str = "away";
const HERE: &str = "here";

impl Asking<'_> {
    /// Somebody is written to while away, comes, and is written to again. Afterwards the reader is logged in.
    pub(super) async fn messages(&mut self, writer: &mut Person, reader: &mut Person) -> Result<(), Stop> {
        self.begin();
        let sent = self.send(writer, reader, AWAY).await?;
        if self.has("log_in") {
            let answer = self.come_back(reader).await?;
            if !answer.is_ok() {
                return Err(self.stop(&format!("a log in after the connection had ended {}", answer.words())));
            }
            if sent && self.wants(&["at_log_in", "deliver_drains"]) {
                self.waiting(reader, &answer).await?;
            }
        }
        if self.wants(&["delivery", "echo"]) && reader.link.is_some() {
            self.pushing(writer, reader).await?;
        }
        Ok(())
    }

    /// What becomes of a message that waited: it comes with the log in, or stays until it is fetched.
    async fn waiting(&mut self, reader: &mut Person, log_in: &Answer) -> Result<(), Stop> {
        self.patiently().await;
        self.fence(reader).await?;
        let came = |texts: &[String]| texts.iter().any(|text| text == AWAY);
        if came(&log_in.texts()) {
            self.conclude("at_log_in", Some(&["messages"]));
            return Ok(());
        }
        if came(&reader.pushed) {
            self.conclude("at_log_in", Some(&["pushed"]));
            return Ok(());
        }
        if self.declares("delivery", "history") {
            return Ok(());
        }
        let first = self.fetch(reader).await?;
        // Both ways at once would be neither; and a message that is nowhere shows nothing but that.
        if !came(&first.texts()) || came(&reader.pushed) {
            return Ok(());
        }
        self.conclude("at_log_in", Some(&["nothing"]));
        let again = self.fetch(reader).await?;
        let choice = match (&again, came(&again.texts())) {
            (Answer::Ok(_), false) => Some(["at_once"]),
            (Answer::Ok(_), true) if !self.dialect().carries_argument("deliver_messages", "acknowledge") => {
                Some(["never"])
            }
            (Answer::Ok(values), true) => {
                let Some(id) = last_id(values) else { return Ok(()) };
                let held = Record::new().with("acknowledge", id);
                let acknowledged = self.ask_with(reader, "deliver_messages", held).await?;
                let afterwards = self.fetch(reader).await?;
                match (acknowledged.is_ok() && afterwards.is_ok(), came(&afterwards.texts())) {
                    (true, false) => Some(["acknowledged"]),
                    (true, true) => Some(["never"]),
                    _ => None,
                }
            }
            _ => None,
        };
        self.conclude("deliver_drains", choice.as_ref().map(<[&str; 1]>::as_slice));
        Ok(())
    }

    /// What becomes of a message to somebody who is there, and whether its sender gets it, too.
    async fn pushing(&mut self, writer: &mut Person, reader: &mut Person) -> Result<(), Stop> {
        // On a wire without events nothing of this shows.
        if !self.dialect().carries_event("message", "text") {
            return Ok(());
        }
        self.begin();
        if !self.send(writer, reader, HERE).await? {
            return Ok(());
        }
        self.patiently().await;
        let fences = [self.fence(reader).await?, self.fence(writer).await?];
        if fences.iter().any(|fence| matches!(fence, Answer::Gone | Answer::Unclear)) {
            return Ok(());
        }
        let came = |person: &Person| person.pushed.iter().any(|text| text == HERE);
        if came(reader) {
            let choices: [&str; 2] = if self.dialect().has_listen() { ["stream", "push"] } else { ["push", "stream"] };
            self.conclude("delivery", Some(&choices));
            self.conclude("echo", Some(if came(writer) { &["echoed"] } else { &["none"] }));
        } else if !self.declares("delivery", "history") {
            let fetched = self.fetch(reader).await?;
            let waits = fetched.texts().iter().any(|text| text == HERE) && !came(reader);
            self.conclude("delivery", waits.then_some(&["poll"]));
        }
        Ok(())
    }

    /// Asks for what waits.
    pub(super) async fn fetch(&mut self, person: &mut Person) -> Result<Answer, Stop> {
        self.ask(person, "deliver_messages").await
    }

    /// Sends a text. Whether that went well.
    pub(super) async fn send(&mut self, writer: &mut Person, reader: &Person, text: &str) -> Result<bool, Stop> {
        let message = Record::new().with("recipient", reader.name.as_str()).with("text", text);
        Ok(self.ask_with(writer, "send_message", message).await?.is_ok())
    }
}

/// The id of the last message of an answer.
fn last_id(values: &Record) -> Option<u64> {
    values.get("messages")?.as_list()?.last()?.as_row()?.get("message_id")?.as_int()
}
