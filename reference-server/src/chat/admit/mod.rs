//! Admission: the checks that need the request, presence and proof, in the protocol's order of precedence.
//! What passes becomes a command; what needs no state is answered.
//!
//! Here the policies of a connection are decided, and the command says how. Not here: checks of existence and state,
//! which belong to the commit.

mod asker;
mod deletion;
mod secret;

use spec::message::{ErrorName, Failure, Reply, Request};

use super::Chat;
use super::account::digest;
use super::command::Command;
use super::effect::{ConnectionId, FreshToken, Proof, Who};
use super::limits::Limits;
use super::listing::Listing;
use super::mailbox::Reading;
use super::policies::{
    AfterCreate, AtLogIn, DeleteWaiting, DeliverDrains, Delivery, ListNeedsSession, Listed, PatternLanguage, Policies,
    SecondLogIn,
};
use super::refusal;
use crate::pattern::Pattern;
pub(super) use asker::Asker;

/// What becomes of a request that is not refused at once.
pub(super) enum Admitted {
    /// It is answered as it is.
    Answer(Reply),
    /// It is to be committed.
    Commit(Command),
}

impl Chat {
    pub(super) fn admit(
        &self,
        connection: ConnectionId,
        who: &Who,
        request: Request,
        proof: Proof,
        fresh_token: &FreshToken,
        now_ms: u64,
    ) -> Result<Admitted, Failure> {
        let limits = self.state.limits();
        let asker = self.asker(connection, who, now_ms);
        let policies = &*asker.policies;

        let command = match request {
            Request::Hello { client: _ } => return Ok(Admitted::Answer(hello())),
            Request::Ping { nonce } => return Ok(Admitted::Answer(Reply::Ping { nonce })),
            Request::CreateAccount { username, password } => {
                if let Some(fault) = limits.username_fault(&username) {
                    return Err(refusal::invalid_username(fault));
                }
                if policies.passwords && !limits.allow_password(&password) {
                    return Err(ErrorName::InvalidPassword.into());
                }
                let password_hash = match proof {
                    Proof::Hashed(hash) => Some(hash),
                    // Without a hash, the name was taken when the edge asked; that it is free by now does not matter.
                    _ if policies.passwords => return Err(ErrorName::UsernameTaken.into()),
                    _ => None,
                };
                let token_digest = (policies.after_create == AfterCreate::LoggedIn).then(|| digest(fresh_token));
                let inherits = policies.delete_waiting == DeleteWaiting::Kept;
                Command::CreateAccount { username, password_hash, token_digest, inherits }
            }
            Request::LogIn { username, password, take_over } => {
                asker.may_log_in()?;
                let is_shown = limits.allow_username(&username) && limits.allow_password(&password);
                // Without work on the password, the connection was bound when the edge asked: it has expired since.
                if policies.passwords && proof == Proof::Nothing && is_shown {
                    return Err(refusal::logged_in_here());
                }
                let account = asker.opens(&username, &proof)?;
                let joins = self.second_log_in(&asker, account, take_over)?;
                let reads = (policies.at_log_in == AtLogIn::Messages).then(|| reading(limits, policies, u64::MAX));
                Command::LogIn { username, account, token_digest: digest(fresh_token), joins, reads }
            }
            Request::ResumeSession { token } => {
                asker.may_log_in()?;
                Command::ResumeSession { token_digest: digest(&token) }
            }
            Request::LogOut {} => {
                let session = asker.session()?;
                asker.credentials(&proof)?;
                // Where two connections share a session, each leaves it for itself. A token is the session.
                let shared = self.presence.is_bound_elsewhere(session.account, connection);
                let ends = !shared || matches!(who, Who::Token { .. });
                Command::LogOut { session, ends }
            }
            Request::ListAccounts { pattern, after, limit } => {
                let session = match policies.list_needs_session {
                    ListNeedsSession::Needed => Some(asker.session()?),
                    ListNeedsSession::Open => None,
                };
                let pattern = compiled(limits, policies.pattern, &pattern).ok_or(ErrorName::InvalidPattern)?;
                asker.credentials(&proof)?;
                Command::ListAccounts { session, listing: self.listing(&asker, pattern, after, limit) }
            }
            Request::SendMessage { recipient, text, key } => {
                // LIMITS-7: a key has either 0 or 16 bytes. What does not fit is malformed, and that comes first.
                if !limits.allow_key(&key) {
                    let wanted = format!("a key has 0 or {} bytes, not {}", limits.key_bytes, key.len());
                    return Err(Failure::new(ErrorName::Malformed, wanted));
                }
                let session = asker.session()?;
                if !limits.allow_text(&text) {
                    return Err(ErrorName::TextTooLong.into());
                }
                asker.credentials(&proof)?;
                let waits = !self.is_used_up_at_once(&recipient);
                Command::SendMessage { session, recipient, text, key, waits }
            }
            Request::DeliverMessages { acknowledge, max } => {
                let session = asker.session()?;
                asker.credentials(&proof)?;
                let mut reading = reading(limits, policies, max);
                // What is to go out on a stream, and finds none, stays.
                if policies.delivery == Delivery::Stream && self.presence.streams(session.account).next().is_none() {
                    reading.items = 0;
                }
                let acknowledge = match policies.deliver_drains {
                    DeliverDrains::Acknowledged => acknowledge,
                    DeliverDrains::AtOnce | DeliverDrains::Never => 0,
                };
                Command::DeliverMessages { session, acknowledge, reading }
            }
            Request::DeleteAccount { password: _, discard } => Command::DeleteAccount {
                authority: asker.authority_to_delete(&proof)?,
                discard,
                waiting: policies.delete_waiting,
                name: policies.deleted_name,
            },
        };
        Ok(Admitted::Commit(command))
    }

    /// Whether a log in shares the session that the account has elsewhere (true) or begins a new one that ends it.
    pub(super) fn second_log_in(&self, asker: &Asker<'_>, account: u64, take_over: bool) -> Result<bool, Failure> {
        if !self.presence.is_bound_elsewhere(account, asker.connection) {
            return Ok(false);
        }
        match asker.policies.second_log_in {
            // SESSIONS-4: without `take_over`, an account that is logged in on another connection is refused.
            SecondLogIn::RefusedUnlessTakenOver if take_over => Ok(false),
            SecondLogIn::RefusedUnlessTakenOver | SecondLogIn::Refused => Err(refusal::logged_in_elsewhere()),
            SecondLogIn::TakesOver => Ok(false),
            SecondLogIn::Both => Ok(true),
        }
    }

    fn listing(&self, asker: &Asker<'_>, pattern: Pattern, after: String, limit: u64) -> Listing {
        let (policies, limits) = (&asker.policies, self.state.limits());
        let limit = match limit {
            0 if policies.paging => limits.page_items,
            0 => u64::MAX,
            limit if policies.paging => limit.min(limits.page_items),
            limit => limit,
        };
        let (without, only) = match policies.listed {
            Listed::Everyone => (None, None),
            Listed::Others => (asker.session.as_ref().map(|session| session.username.clone()), None),
            Listed::Online => (None, Some(self.presence.accounts())),
        };
        Listing { pattern, after, limit, order: policies.list_order, without, only }
    }

    /// Whether everyone who gets a message for this name at once has it for good then, so that nothing is to be kept.
    fn is_used_up_at_once(&self, recipient: &str) -> bool {
        let Some(account) = self.state.account(recipient) else { return false };
        let mut takers = self.presence.takers(account.number).peekable();
        let drains = |connection| {
            let policies = self.presence.policies(connection);
            policies.is_some_and(|policies| policies.deliver_drains == DeliverDrains::AtOnce)
        };
        takers.peek().is_some() && takers.all(drains)
    }
}

fn compiled(limits: &Limits, language: PatternLanguage, pattern: &str) -> Option<Pattern> {
    if !limits.allow_pattern(pattern) {
        return None;
    }
    match language {
        PatternLanguage::Glob => Pattern::new(pattern),
        PatternLanguage::Star => Pattern::star(pattern),
        PatternLanguage::Substring => Some(Pattern::substring(pattern)),
        PatternLanguage::RegexPrefix => Pattern::regex_prefix(pattern),
        PatternLanguage::RegexFull => Pattern::regex_full(pattern),
        PatternLanguage::Like => Pattern::like(pattern),
        PatternLanguage::None => Some(Pattern::any()),
    }
}

/// How a mailbox is read: in pages, or whole by a wire that has no word for a page.
fn reading(limits: &Limits, policies: &Policies, max: u64) -> Reading {
    let drains = policies.deliver_drains == DeliverDrains::AtOnce;
    if policies.paging {
        Reading { items: max.min(limits.page_items), bytes: limits.page_bytes, drains }
    } else {
        Reading { items: u64::MAX, bytes: u64::MAX, drains }
    }
}

/// This server serves alone, so it is the primary and nobody else is.
fn hello() -> Reply {
    Reply::Hello {
        server: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
        capabilities: CAPABILITIES.iter().map(|name| name.to_string()).collect(),
        is_primary: true,
        primary: String::new(),
    }
}

/// Everything that `service.yaml` lists as optional: the reference has it all.
const CAPABILITIES: [&str; 8] =
    ["push", "acknowledgement", "idempotency", "paging", "take_over", "passwords", "many_connections", "framing"];
