//! The work on passwords that a request needs, if it is not refused before anybody looks at the password.

use spec::message::Request;

use crate::chat::Chat;
use crate::chat::effect::{ConnectionId, SecretNeeded, Who};

impl Chat {
    pub(in crate::chat) fn secret_needed(
        &self,
        connection: ConnectionId,
        who: &Who,
        request: &Request,
        now_ms: u64,
    ) -> SecretNeeded {
        let limits = self.state.limits();
        let asker = self.asker(connection, who, now_ms);
        let shown = who.password(request).is_some_and(|password| limits.allow_password(password));
        if !shown || !asker.policies.passwords {
            return SecretNeeded::Nothing;
        }
        match request {
            Request::CreateAccount { username, .. } => {
                let can_be_made = limits.allow_username(username) && self.state.is_free(username);
                if can_be_made { SecretNeeded::Hash } else { SecretNeeded::Nothing }
            }
            Request::LogIn { username, .. } => {
                let may = asker.may_log_in().is_ok() && limits.allow_username(username);
                if may { self.verification(username) } else { SecretNeeded::Nothing }
            }
            Request::DeleteAccount { .. } => {
                asker.account_to_delete().map_or(SecretNeeded::Nothing, |username| self.verification(username))
            }
            Request::LogOut {}
            | Request::ListAccounts { .. }
            | Request::SendMessage { .. }
            | Request::DeliverMessages { .. } => match &asker.session {
                Some(session) => self.verification(&session.username),
                None => SecretNeeded::Nothing,
            },
            Request::Hello { .. } | Request::Ping { .. } | Request::ResumeSession { .. } => SecretNeeded::Nothing,
        }
    }

    fn verification(&self, username: &str) -> SecretNeeded {
        let account = self.state.account(username);
        match account.and_then(|account| Some((account.number, account.password_hash.clone()?))) {
            Some((account, hash)) => SecretNeeded::Verify { account, hash },
            None => SecretNeeded::Absent,
        }
    }
}
