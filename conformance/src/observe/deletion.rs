//! What deleting an account takes, what becomes of its messages, and of its name.

use spec::value::Record;

use crate::observe::Stop;
use crate::observe::answer::Answer;
use crate::observe::person::{Asking, Person, password};

/// What waits for the account that is deleted.
const LEFT: &str = "left";

/// An attempt that had all it takes.
struct Deleted {
    needs: &'static [&'static str],
    answer: Answer,
    /// Whether it gave leave to lose what waits.
    discarding: bool,
}

impl Asking<'_> {
    /// Deletes an account for which a message waits. `owner` is away.
    pub(super) async fn deletion(&mut self, writer: &mut Person, owner: &mut Person) -> Result<(), Stop> {
        if !self.has("delete_account") || !self.wants(&["delete_needs", "delete_waiting", "deleted_name"]) {
            return Ok(());
        }
        self.begin();
        let waits = self.has("send_message") && self.send(writer, owner, LEFT).await?;
        let Some(Deleted { needs, answer: deleted, discarding }) = self.delete(owner).await? else { return Ok(()) };
        self.conclude("delete_needs", Some(needs));
        // A message that came with the log in waits no longer, unless nobody had to log in.
        let waited =
            waits && !discarding && (needs[0].starts_with("password") || self.seen("at_log_in") == Some("nothing"));
        match &deleted {
            refused if refused.is_error("mailbox_not_empty") => {
                self.conclude("delete_waiting", waited.then_some(&["refused_unless_discarded"]));
                let discarded = self.ask_with(owner, "delete_account", Record::new().with("discard", true)).await?;
                if discarded.is_ok() {
                    self.afterwards(owner, false).await?;
                }
            }
            Answer::Ok(_) if deleted.texts().iter().any(|text| text == LEFT) => {
                self.conclude("delete_waiting", Some(&["shown"]));
                self.afterwards(owner, false).await?;
            }
            Answer::Ok(_) => self.afterwards(owner, waited).await?,
            _ => {}
        }
        Ok(())
    }

    /// Tries to delete without a session, then with one and a wrong password, then as one should. Where it takes
    /// nothing, that is a fault, which the cases find, and no policy.
    async fn delete(&mut self, owner: &mut Person) -> Result<Option<Deleted>, Stop> {
        let deleted = |needs, answer| Ok(Some(Deleted { needs, answer, discarding: false }));
        let has_password = self.dialect().carries_argument("delete_account", "password");
        if has_password && self.delete_elsewhere(owner, "wrong").await?.is_ok() {
            return Ok(None);
        }
        let right = password(&owner.name);
        let without = self.delete_elsewhere(owner, &right).await?;
        if without.is_ok() {
            return if has_password { deleted(&["password_logged_out", "password"], without) } else { Ok(None) };
        }
        // On a wire that tells no such thing apart, nothing follows.
        if !without.is_refused() || (self.has("log_in") && !self.come_back(owner).await?.is_ok()) {
            return Ok(None);
        }
        if !has_password {
            let answer = self.ask(owner, "delete_account").await?;
            return deleted(&["session", "session_and_password"], answer);
        }
        // With leave to discard, so that only the password can be in the way.
        let wrong = Record::new().with("password", "wrong").with("discard", true);
        let answer = self.ask_with(owner, "delete_account", wrong).await?;
        if answer.is_error("bad_credentials") {
            let answer = self.ask(owner, "delete_account").await?;
            return deleted(&["session_and_password"], answer);
        }
        let discarding = self.dialect().carries_argument("delete_account", "discard");
        Ok(answer.is_ok().then_some(Deleted { needs: &["session"], answer, discarding }))
    }

    /// The account's name and a password, on a connection without a session.
    async fn delete_elsewhere(&mut self, owner: &Person, password: &str) -> Result<Answer, Stop> {
        let mut nobody = self.elsewhere(owner).await?;
        let given = Record::new().with("password", password);
        let answer = self.ask_with(&mut nobody, "delete_account", given).await?;
        self.leave(&mut nobody).await;
        Ok(answer)
    }

    /// The name is wanted again. `waited`: a message waited that nothing is known of.
    async fn afterwards(&mut self, owner: &Person, waited: bool) -> Result<(), Stop> {
        let mut heir = self.elsewhere(owner).await?;
        let again = self.ask(&mut heir, "create_account").await?;
        if again.is_error("username_taken") {
            self.conclude("deleted_name", Some(&["kept"]));
        } else if again.is_ok() {
            self.made_an_account();
            self.conclude("deleted_name", Some(&["free"]));
            let inherits = waited && self.enter(&mut heir).await?;
            let fetched = if inherits { self.fetch(&mut heir).await? } else { Answer::Unclear };
            if fetched.is_ok() {
                let came = fetched.texts().iter().chain(&heir.pushed).any(|text| text == LEFT);
                self.conclude("delete_waiting", Some(if came { &["kept"] } else { &["discarded"] }));
            }
        }
        self.leave(&mut heir).await;
        Ok(())
    }
}
