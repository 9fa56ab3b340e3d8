//! What an account and a session are: does making one log in, what does a second log in do, how does a session end?

use std::time::Duration;

use spec::value::Record;

use crate::observe::Stop;
use crate::observe::answer::Answer;
use crate::observe::person::{Asking, Person};

/// How often it is asked whether the server has noticed that somebody left, and how long between.
const ASK_AGAIN: (u32, Duration) = (10, Duration::from_millis(5));

impl Asking<'_> {
    /// The first account, which is logged in afterwards.
    pub(super) async fn accounts(&mut self) -> Result<Person, Stop> {
        self.begin();
        let mut anna = self.person("m").await?;
        self.make_account(&mut anna).await?;
        self.find_question(&anna).await?;
        let at_once = self.session(&mut anna).await?;
        let logged_in = self.enter(&mut anna).await?;
        let choice = match at_once {
            Answer::Ok(_) => self.tells_sessions().then_some(["logged_in"]),
            refused if refused.is_refused() && logged_in => {
                self.session(&mut anna).await?.is_ok().then_some(["logged_out"])
            }
            _ => None,
        };
        self.conclude("after_create", choice.as_ref().map(<[&str; 1]>::as_slice));
        Ok(anna)
    }

    async fn make_account(&mut self, person: &mut Person) -> Result<(), Stop> {
        match self.ask(person, "create_account").await? {
            Answer::Ok(_) => {
                self.made_an_account();
                Ok(())
            }
            other => Err(self.stop(&format!("create_account {}", other.words()))),
        }
    }

    /// Logs in, unless making the account has done so. Whether somebody is logged in now.
    pub(super) async fn enter(&mut self, person: &mut Person) -> Result<bool, Stop> {
        if !self.has("log_in") {
            return Ok(true);
        }
        let answer = self.ask(person, "log_in").await?;
        Ok(answer.is_ok() || answer.is_error("already_logged_in"))
    }

    /// Somebody with an account who is not there.
    pub(super) async fn absent(&mut self, ending: &str) -> Result<Person, Stop> {
        let mut person = self.person(ending).await?;
        self.make_account(&mut person).await?;
        if self.seen("after_create") != Some("logged_out") && self.has("log_out") {
            self.ask(&mut person, "log_out").await?;
        }
        self.leave(&mut person).await;
        self.patiently().await;
        Ok(person)
    }

    /// Logs in on a new connection, again and again while the server still counts the old one.
    pub(super) async fn come_back(&mut self, person: &mut Person) -> Result<Answer, Stop> {
        self.connect(person).await?;
        for _ in 0..ASK_AGAIN.0 {
            let answer = self.ask(person, "log_in").await?;
            // On some wires the words do not say why.
            if !answer.is_error("already_logged_in") && !answer.is_error("error") {
                return Ok(answer);
            }
            tokio::time::sleep(ASK_AGAIN.1).await;
        }
        Ok(Answer::Unclear)
    }

    /// Somebody who is logged in logs in elsewhere. Afterwards `person` is where the session is.
    pub(super) async fn second_log_in(&mut self, person: &mut Person) -> Result<(), Stop> {
        if !self.has("log_in") || !self.wants(&["second_log_in", "log_out_by"]) {
            return Ok(());
        }
        self.begin();
        // The question means something only while the first session is there. On some wires that cannot be asked.
        if matches!(self.session(person).await?, Answer::Error(_) | Answer::Gone) {
            return Ok(());
        }
        let mut elsewhere = self.elsewhere(person).await?;
        let answer = self.ask(&mut elsewhere, "log_in").await?;
        if answer.is_error("already_logged_in") {
            let choices: &[&str] = if self.dialect().carries_argument("log_in", "take_over") {
                let taken = self.ask_with(&mut elsewhere, "log_in", Record::new().with("take_over", true)).await?;
                if taken.is_ok() {
                    self.leave(person).await;
                    std::mem::swap(person, &mut elsewhere);
                    &["refused_unless_taken_over"]
                } else if taken.is_error("already_logged_in") {
                    &["refused"]
                } else {
                    return Ok(());
                }
            } else {
                &["refused", "refused_unless_taken_over"]
            };
            self.conclude("second_log_in", Some(choices));
        } else if answer.is_error("error") {
            // The words do not say why. If the first session was the reason, they are others once it has ended.
            self.leave(person).await;
            self.leave(&mut elsewhere).await;
            if self.come_back(person).await?.is_ok() {
                self.conclude("second_log_in", Some(&["refused", "refused_unless_taken_over"]));
            }
        } else if answer.is_ok() {
            self.patiently().await;
            let (first, second) = (self.session(person).await?, self.session(&mut elsewhere).await?);
            let choice = match first {
                _ if !second.is_ok() => None,
                Answer::Ok(_) => self.tells_sessions().then_some(["both"]),
                Answer::Gone => Some(["takes_over"]),
                refused if refused.is_refused() => Some(["takes_over"]),
                _ => None,
            };
            self.conclude("second_log_in", choice.as_ref().map(<[&str; 1]>::as_slice));
            std::mem::swap(person, &mut elsewhere);
        }
        self.leave(&mut elsewhere).await;
        Ok(())
    }

    /// Ends the session of somebody who is logged in.
    pub(super) async fn log_out(&mut self, person: &mut Person) -> Result<(), Stop> {
        if !self.wants(&["log_out_by"]) {
            return Ok(());
        }
        self.begin();
        if matches!(self.session(person).await?, Answer::Error(_) | Answer::Gone) {
            return Ok(());
        }
        if self.has("log_out") && !self.dialect().is_disconnect("log_out") {
            let out = self.ask(person, "log_out").await?;
            let afterwards = self.session(person).await?;
            let choices: Option<&[&str]> = match afterwards {
                // Where logging out ends the connection, either may have been it.
                Answer::Gone => Some(&["operation", "disconnect"]),
                refused if refused.is_refused() => Some(&["operation"]),
                _ => None,
            };
            self.conclude("log_out_by", choices.filter(|_| out.is_ok()));
            return Ok(());
        }
        self.leave(person).await;
        self.patiently().await;
        self.connect(person).await?;
        if self.session(person).await?.is_ok() && self.tells_sessions() {
            self.conclude("log_out_by", Some(&["none"]));
        } else if self.is_among("second_log_in", &["refused", "refused_unless_taken_over"]) {
            // Where a session elsewhere keeps one out, coming back shows that it has ended.
            let back = self.come_back(person).await?;
            self.conclude("log_out_by", back.is_ok().then_some(&["disconnect"]));
        }
        Ok(())
    }
}
