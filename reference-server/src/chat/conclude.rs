//! Conclusion: what follows from an outcome for those who are connected, each by the rules of their own connection.

use spec::message::{Event, Message, Reply};

use super::command::{Command, Outcome};
use super::effect::{ConnectionId, Effect, FreshToken};
use super::mailbox::Reading;
use super::policies::{AtLogIn, DeliverDrains, Delivery, Echo, LogOutBy, Policies};
use super::session::Session;
use super::{Chat, respond};

impl Chat {
    /// The effects of an outcome, the answer to the connection that has asked among them.
    pub(super) fn conclude(
        &mut self,
        connection: ConnectionId,
        policies: &Policies,
        outcome: Outcome,
        fresh_token: FreshToken,
        now_ms: u64,
    ) -> Vec<Effect> {
        let expires_in_s = |expires_at_ms: u64| expires_at_ms.saturating_sub(now_ms).div_ceil(1000);
        let mut effects = Vec::new();
        let arrives = matches!(outcome, Outcome::LoggedIn { .. });
        let reply = match outcome {
            Outcome::AccountCreated { session: None } => Reply::CreateAccount { token: Vec::new(), expires_in_s: 0 },
            // On a connection that is bound, the binding moves to the new account, as if a new connection had begun.
            Outcome::AccountCreated { session: Some((session, expires_at_ms)) } => {
                effects.extend(self.bind(connection, session, expires_at_ms, false));
                Reply::CreateAccount { token: fresh_token.to_vec(), expires_in_s: expires_in_s(expires_at_ms) }
            }
            Outcome::LoggedIn { session, expires_at_ms, joins, waiting, messages } => {
                effects.extend(self.bind(connection, session, expires_at_ms, joins));
                let expires_in_s = expires_in_s(expires_at_ms);
                Reply::LogIn { token: fresh_token.to_vec(), expires_in_s, waiting, messages }
            }
            Outcome::SessionResumed { session, expires_at_ms, joins } => {
                let username = session.username.clone();
                effects.extend(self.bind(connection, session, expires_at_ms, joins));
                Reply::ResumeSession { username, expires_in_s: expires_in_s(expires_at_ms) }
            }
            Outcome::LoggedOut { account, ends } => {
                if ends {
                    self.unbind_account(account)
                } else {
                    self.presence.unbind(connection)
                }
                Reply::LogOut {}
            }
            Outcome::Listed { usernames, more } => Reply::ListAccounts { usernames, more },
            Outcome::Accepted { recipient, message } => {
                let message_id = message.message_id;
                let mut takers: Vec<ConnectionId> = self.presence.takers(recipient).collect();
                let delivered = !takers.is_empty();
                let echoes = policies.echo == Echo::Echoed && self.presence.takes_pushes(connection);
                if echoes && !takers.contains(&connection) {
                    takers.push(connection);
                }
                // DELIVERY-18: of a message to oneself, the event comes before the answer.
                effects.extend(takers.into_iter().map(|connection| push(connection, &message)));
                Reply::SendMessage { message_id, delivered }
            }
            Outcome::Repeated { message_id } => Reply::SendMessage { message_id, delivered: false },
            Outcome::Delivered { account, messages, more } if policies.delivery == Delivery::Stream => {
                for stream in self.presence.streams(account) {
                    effects.extend(messages.iter().map(|message| push(stream, message)));
                }
                Reply::DeliverMessages { messages: Vec::new(), more }
            }
            Outcome::Delivered { account: _, messages, more } => Reply::DeliverMessages { messages, more },
            Outcome::AccountDeleted { account, discarded, messages } => {
                self.unbind_account(account);
                Reply::DeleteAccount { discarded, messages }
            }
        };
        effects.push(respond(connection, Ok(reply)));
        if arrives {
            effects.extend(self.push_what_waits(connection, now_ms));
        }
        effects
    }

    /// Where what waits is pushed, it goes on the connection of a user who has just come, or has just begun to listen.
    pub(super) fn push_what_waits(&mut self, connection: ConnectionId, now_ms: u64) -> Vec<Effect> {
        let Some(policies) = self.presence.policies(connection) else { return Vec::new() };
        if policies.at_log_in != AtLogIn::Pushed || !self.presence.takes_pushes(connection) {
            return Vec::new();
        }
        let Some(session) = self.presence.session(connection, now_ms).cloned() else { return Vec::new() };
        let drains = policies.deliver_drains == DeliverDrains::AtOnce;
        let reading = Reading { items: u64::MAX, bytes: u64::MAX, drains };
        let read = self.state.commit(Command::DeliverMessages { session, acknowledge: 0, reading }, now_ms);
        let Ok(Outcome::Delivered { messages, .. }) = read else { return Vec::new() };
        messages.iter().map(|message| push(connection, message)).collect()
    }

    /// Binds a connection to a session, which it has for itself unless it joins those who have it already.
    pub(super) fn bind(
        &mut self,
        connection: ConnectionId,
        session: Session,
        expires_at_ms: u64,
        joins: bool,
    ) -> Vec<Effect> {
        let others = self.presence.connections_of(session.account).filter(|other| *other != connection && !joins);
        let mut effects = Vec::new();
        for other in others.collect::<Vec<_>>() {
            let policies = self.presence.policies(other).unwrap_or_default();
            // Where a session does not end with its connection, a connection does not end with its session.
            if policies.log_out_by == LogOutBy::None {
                self.presence.unbind(other);
            } else {
                // SESSIONS-6: a connection whose session was taken over is closed.
                self.presence.close(other);
                effects.push(Effect::Close { connection: other });
            }
        }
        self.presence.bind(connection, session, expires_at_ms);
        effects
    }

    fn unbind_account(&mut self, account: u64) {
        for connection in self.presence.connections_of(account).collect::<Vec<_>>() {
            self.presence.unbind(connection);
        }
    }
}

fn push(connection: ConnectionId, message: &Message) -> Effect {
    Effect::Push { connection, event: Event::Message(message.clone()) }
}
