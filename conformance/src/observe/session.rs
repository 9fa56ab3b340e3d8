//! Whether somebody has a session: a question that the server refuses to whoever has none.
//!
//! Not here: how a session begins and ends (`accounts`).

use spec::value::Record;

use crate::observe::Stop;
use crate::observe::answer::Answer;
use crate::observe::person::{Asking, Person};

/// Operations that may need a session, and change nothing as they are asked here.
const QUESTIONS: [&str; 3] = ["deliver_messages", "list_accounts", "send_message"];

/// What tells whether somebody has a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    operation: &'static str,
    /// Whether somebody without a session was refused it. Else an answer to it shows no session.
    is_refused: bool,
}

impl Asking<'_> {
    /// Finds the first question that is refused to somebody with this account and no session.
    pub(super) async fn find_question(&mut self, account: &Person) -> Result<(), Stop> {
        for operation in QUESTIONS {
            if !self.has(operation) {
                continue;
            }
            let mut nobody = self.elsewhere(account).await?;
            let is_refused = self.ask_for_session(&mut nobody, operation).await?.is_refused();
            self.leave(&mut nobody).await;
            if is_refused || self.question.is_none() {
                self.question = Some(Question { operation, is_refused });
            }
            if is_refused {
                break;
            }
        }
        Ok(())
    }

    /// Whether an answer to the question shows a session.
    pub(super) fn tells_sessions(&self) -> bool {
        self.question.is_some_and(|question| question.is_refused)
    }

    /// Asks for something that needs a session and changes nothing.
    pub(super) async fn session(&mut self, person: &mut Person) -> Result<Answer, Stop> {
        match self.question {
            Some(Question { operation, .. }) => self.ask_for_session(person, operation).await,
            None => Ok(Answer::Unclear),
        }
    }

    async fn ask_for_session(&mut self, person: &mut Person, operation: &str) -> Result<Answer, Stop> {
        // To somebody who does not exist: nothing arrives anywhere.
        let nobody = format!("{}nobody", self.prefix());
        let given = Record::new().with("recipient", nobody).with("text", "anybody").with("pattern", self.prefix());
        let answer = self.ask_with(person, operation, given).await?;
        Ok(if answer.is_error("no_such_user") { Answer::Ok(Record::new()) } else { answer })
    }
}
