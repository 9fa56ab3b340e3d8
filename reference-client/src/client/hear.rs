//! What came, and for whom: answers to the oldest ticket, events to the shelf, and what ends the connection.
//!
//! Not here: the bytes that it came in (`client`).

use std::io;

use spec::codec::{Came, Heard, What};
use spec::message::{ErrorName, Event, Failure, Operation, Reply};
use spec::value::Record;

use crate::client::{Client, EVENTS_KEPT};
use crate::error::{ClientError, Over, not_sent};
use crate::trace::{Direction, Frame};

impl<S> Client<S> {
    pub(super) fn take_in(&mut self, came: Came) {
        let Came { what, bytes, dialogue } = came;
        if let Some(watch) = self.watch.as_mut().filter(|_| !bytes.is_empty()) {
            let annotated = self.dialect.annotate_answer(&bytes, dialogue.as_ref());
            watch(&Frame { direction: Direction::Heard, bytes: &bytes, annotated });
        }
        let understood = match what {
            What::Part(Heard::Error { name, values, .. }) => match failure(&name, &values) {
                Ok(failure) => {
                    self.end(Over::Ended(format!("the server does not serve this connection: {failure}")));
                    Ok(())
                }
                Err(why) => Err(why),
            },
            What::Part(_) => Ok(()),
            What::Answer(heard) | What::Event(heard) => self.understand(heard),
        };
        if let Err(why) = understood {
            self.end(Over::Garbled { why, bytes });
        }
    }

    fn understand(&mut self, heard: Heard) -> Result<(), String> {
        match heard {
            Heard::Ok { values, .. } => self.answer(|operation| {
                let reply = Reply::from_record(operation, &values);
                reply.map(Ok).ok_or_else(|| format!("the answer to {operation} lacks a result: {values}"))
            }),
            Heard::Error { name, values, .. } => self.answer(|_| failure(&name, &values).map(Err)),
            Heard::Event { name, values, .. } => match Event::from_record(&name, &values) {
                Some(event) if self.events.len() < EVENTS_KEPT => {
                    self.events.push_back(event);
                    Ok(())
                }
                Some(_) => {
                    self.events_missed += 1;
                    Ok(())
                }
                None => Err(format!("the event {name} lacks a field: {values}")),
            },
            Heard::Ignored { .. } | Heard::Next { .. } | Heard::More { .. } => Ok(()),
            Heard::Other { unfit, .. } => Err(unfit.to_string()),
        }
    }

    /// Gives an answer to the oldest request.
    fn answer(&mut self, read: impl FnOnce(Operation) -> Result<Result<Reply, Failure>, String>) -> Result<(), String> {
        let oldest = self.waiting.front().ok_or("an answer that nobody asked for")?;
        let response = read(oldest.operation)?;
        let binds = matches!(oldest.operation, Operation::LogIn | Operation::ResumeSession)
            || (oldest.operation == Operation::CreateAccount
                && self.dialect.policies.get("after_create").is_some_and(|choice| choice == "logged_in"));
        if binds && response.is_ok() && self.dialect.has_listen() {
            // On this wire whoever wants to be told of messages says so.
            let bytes = self.conversation.listen(&self.memory).map_err(|why| why.to_string())?;
            self.unsent.extend(bytes);
        }
        if let Some(oldest) = self.waiting.pop_front() {
            // Whoever dropped the ticket does not want it.
            let _ = oldest.promise.send(response.map_err(ClientError::Refused));
        }
        Ok(())
    }

    pub(super) fn end(&mut self, over: Over) {
        for waiting in self.waiting.drain(..) {
            let error =
                if waiting.first_byte >= self.sent { not_sent(io::ErrorKind::BrokenPipe, &over) } else { over.error() };
            let _ = waiting.promise.send(Err(error));
        }
        self.over = Some(over);
    }
}

fn failure(name: &str, values: &Record) -> Result<Failure, String> {
    let error = ErrorName::from_name(name).ok_or_else(|| format!("the protocol has no error {name}"))?;
    // An error of its own shape carries its detail under a name of its own, as `not_primary` does.
    let detail = values.iter().find_map(|(_, value)| value.as_text()).unwrap_or_default();
    Ok(Failure::new(error, detail))
}
