//! Listening: a connection on which messages are wanted, be it a stream that was opened or a client that comes back.

use super::Chat;
use super::admit::Asker;
use super::command::{Command, Outcome};
use super::effect::{ConnectionId, Effect, Who};
use super::policies::Delivery;

impl Chat {
    pub(super) fn listens(&mut self, connection: ConnectionId, who: &Who, now_ms: u64) -> Vec<Effect> {
        let Some(policies) = self.presence.policies(connection) else { return Vec::new() };
        // Where messages come on demand only, there is nothing to listen to.
        if matches!(policies.delivery, Delivery::Poll | Delivery::History) {
            return Vec::new();
        }
        let asker = self.asker(connection, who, now_ms);
        let is_at_home = match who {
            Who::Connection => true,
            _ => asker.bound.is_some() && asker.bound == asker.session,
        };
        if is_at_home {
            self.presence.listen(connection);
            return self.push_what_waits(connection, now_ms);
        }
        let command = self.attachment(&asker);
        let outcome = command.and_then(|command| self.state.commit(command, now_ms).ok());
        let Some(Outcome::SessionResumed { session, expires_at_ms, joins }) = outcome else { return Vec::new() };
        let mut effects = self.bind(connection, session, expires_at_ms, joins);
        self.presence.listen(connection);
        effects.extend(self.push_what_waits(connection, now_ms));
        effects
    }

    /// What binds a connection to the session that somebody has. None: it is bound to somebody else, the user has no
    /// session, or has it elsewhere and may not have it here as well.
    fn attachment(&self, asker: &Asker<'_>) -> Option<Command> {
        if asker.bound.is_some() {
            return None;
        }
        match asker.who {
            Who::Connection => None,
            Who::Named { username, .. } => {
                let account = self.state.account(username)?.number;
                let joins = self.second_log_in(asker, account, false).ok()?;
                Some(Command::Attach { username: username.clone(), account, joins })
            }
            // A token proves its session, so it shares it with whoever has it.
            Who::Token { .. } => {
                let session = asker.session.clone()?;
                let joins = self.presence.is_bound_elsewhere(session.account, asker.connection);
                Some(Command::Attach { username: session.username, account: session.account, joins })
            }
        }
    }
}
