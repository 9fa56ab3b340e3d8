//! What deleting an account takes: a session, a password, or both.

use spec::message::{ErrorName, Failure};

use super::asker::Asker;
use crate::chat::command::Authority;
use crate::chat::effect::Proof;
use crate::chat::policies::DeleteNeeds;
use crate::chat::refusal;

impl Asker<'_> {
    /// The name of the account that would be deleted, if it can be before anybody looks at a password.
    pub(super) fn account_to_delete(&self) -> Result<&str, Failure> {
        let nobody = Failure::from(ErrorName::NotLoggedIn);
        match self.policies.delete_needs {
            DeleteNeeds::SessionAndPassword | DeleteNeeds::Session => match &self.session {
                Some(session) => Ok(&session.username),
                None => Err(nobody),
            },
            DeleteNeeds::Password => self.name().ok_or(nobody),
            DeleteNeeds::PasswordLoggedOut => {
                let username = self.name().ok_or(nobody)?;
                let is_here = self.bound.as_ref().is_some_and(|session| session.username == username);
                if is_here { Err(refusal::logged_in_here()) } else { Ok(username) }
            }
        }
    }

    /// What lets the one who asks delete that account.
    pub(super) fn authority_to_delete(&self, proof: &Proof) -> Result<Authority, Failure> {
        let username = self.account_to_delete()?;
        match self.policies.delete_needs {
            // DELETION-2: one's own account, logged in, with its password.
            DeleteNeeds::SessionAndPassword => {
                self.opens(username, proof)?;
                Ok(Authority::Session(self.session()?))
            }
            DeleteNeeds::Session => {
                self.credentials(proof)?;
                Ok(Authority::Session(self.session()?))
            }
            DeleteNeeds::Password => {
                let account = self.opens(username, proof)?;
                Ok(Authority::Password { username: username.to_owned(), account })
            }
            DeleteNeeds::PasswordLoggedOut => {
                let account = self.opens(username, proof)?;
                if self.chat.presence.is_bound_elsewhere(account, self.connection) {
                    return Err(refusal::logged_in_elsewhere());
                }
                Ok(Authority::Password { username: username.to_owned(), account })
            }
        }
    }
}
