//! The state: what outlives connections, and later crashes. It changes by commands alone.
//!
//! What a commit does depends on the state, the command and the time that comes with it, and on nothing else; so the
//! same commands make the same state anywhere. Not here: who is connected (`session`), and the checks that need only
//! the request (`admit`).

use std::collections::BTreeMap;
use std::ops::Bound;

use spec::message::{ErrorName, Message};

use super::account::{Account, Digest, Seen, Token};
use super::limits::Limits;
use super::session::Session;
use crate::pattern::Pattern;

/// An operation that was admitted. Everything random or slow is decided, and nothing in it is secret.
#[derive(Debug, Clone)]
pub(super) enum Command {
    CreateAccount { username: String, password_hash: String },
    LogIn { username: String, account: u64, token_digest: Digest },
    ResumeSession { token_digest: Digest },
    LogOut { session: Session },
    ListAccounts { session: Session, pattern: Pattern, after: String, limit: u64 },
    SendMessage { session: Session, recipient: String, text: String, key: Vec<u8> },
    DeliverMessages { session: Session, acknowledge: u64, max: u64 },
    DeleteAccount { session: Session, discard: bool },
}

/// What a command that succeeded has done.
#[derive(Debug)]
pub(super) enum Outcome {
    AccountCreated,
    LoggedIn {
        session: Session,
        expires_at_ms: u64,
        waiting: u64,
    },
    SessionResumed {
        session: Session,
        expires_at_ms: u64,
    },
    LoggedOut,
    Listed {
        usernames: Vec<String>,
        more: bool,
    },
    /// A new message, in the mailbox of the account of that number.
    Accepted {
        recipient: u64,
        message: Message,
    },
    /// The same message as before.
    Repeated {
        message_id: u64,
    },
    Delivered {
        messages: Vec<Message>,
        more: bool,
    },
    AccountDeleted {
        discarded: u64,
    },
}

/// Accounts by username, and what finds them.
#[derive(Debug)]
pub(super) struct State {
    limits: Limits,
    now_ms: u64,
    accounts: BTreeMap<String, Account>,
    accounts_made: u64,
    /// To whom each present token belongs, expired ones included.
    tokens: BTreeMap<Digest, String>,
}

impl State {
    pub(super) fn new(limits: Limits) -> Self {
        State { limits, now_ms: 0, accounts: BTreeMap::new(), accounts_made: 0, tokens: BTreeMap::new() }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    #[cfg(test)]
    pub(super) fn limits_mut(&mut self) -> &mut Limits {
        &mut self.limits
    }

    pub(super) fn account(&self, username: &str) -> Option<&Account> {
        self.accounts.get(username)
    }

    /// What time it is when the clock says `now_ms`: time never goes back.
    pub(super) fn time_at(&self, now_ms: u64) -> u64 {
        self.now_ms.max(now_ms)
    }

    /// Lets time pass, and says what time it is then.
    pub(super) fn advance(&mut self, now_ms: u64) -> u64 {
        self.now_ms = self.time_at(now_ms);
        self.now_ms
    }

    /// Does what a command says, entirely or not at all.
    pub(super) fn commit(&mut self, command: Command, now_ms: u64) -> Result<Outcome, ErrorName> {
        self.advance(now_ms);
        match command {
            Command::CreateAccount { username, password_hash } => self.create_account(username, password_hash),
            Command::LogIn { username, account, token_digest } => self.log_in(username, account, token_digest),
            Command::ResumeSession { token_digest } => self.resume_session(token_digest),
            Command::LogOut { session } => self.log_out(&session),
            Command::ListAccounts { session, pattern, after, limit } => {
                self.list_accounts(&session, &pattern, &after, limit)
            }
            Command::SendMessage { session, recipient, text, key } => self.send_message(session, recipient, text, key),
            Command::DeliverMessages { session, acknowledge, max } => self.deliver_messages(&session, acknowledge, max),
            Command::DeleteAccount { session, discard } => self.delete_account(&session, discard),
        }
    }

    fn create_account(&mut self, username: String, password_hash: String) -> Result<Outcome, ErrorName> {
        if self.accounts.contains_key(&username) {
            return Err(ErrorName::UsernameTaken);
        }
        self.accounts_made += 1;
        self.accounts.insert(username, Account::new(self.accounts_made, password_hash));
        Ok(Outcome::AccountCreated)
    }

    fn log_in(&mut self, username: String, number: u64, token_digest: Digest) -> Result<Outcome, ErrorName> {
        // The password was that of the account of this number; whoever has the name now may be somebody else.
        let account = self.accounts.get_mut(&username).filter(|account| account.number == number);
        let account = account.ok_or(ErrorName::BadCredentials)?;
        let expires_at_ms = self.now_ms.saturating_add(self.limits.token_lifetime_ms);
        if let Some(old) = account.token.replace(Token { digest: token_digest, expires_at_ms }) {
            self.tokens.remove(&old.digest);
        }
        self.tokens.insert(token_digest, username.clone());
        account.session += 1;
        let session = Session { username, account: account.number, number: account.session };
        Ok(Outcome::LoggedIn { session, expires_at_ms, waiting: account.mailbox.waiting() })
    }

    fn resume_session(&mut self, token_digest: Digest) -> Result<Outcome, ErrorName> {
        let username = self.tokens.get(&token_digest).ok_or(ErrorName::InvalidToken)?.clone();
        let account = self.accounts.get_mut(&username).expect("a token goes when its account goes");
        let token = account.token.expect("the index holds present tokens only");
        // SESSIONS-13: the present token of an account, after its time, is token_expired.
        if self.now_ms >= token.expires_at_ms {
            return Err(ErrorName::TokenExpired);
        }
        account.session += 1;
        let session = Session { username, account: account.number, number: account.session };
        Ok(Outcome::SessionResumed { session, expires_at_ms: token.expires_at_ms })
    }

    fn log_out(&mut self, session: &Session) -> Result<Outcome, ErrorName> {
        let account = self.acting(session)?;
        account.session += 1;
        if let Some(token) = account.token.take() {
            self.tokens.remove(&token.digest);
        }
        Ok(Outcome::LoggedOut)
    }

    fn list_accounts(
        &mut self,
        session: &Session,
        pattern: &Pattern,
        after: &str,
        limit: u64,
    ) -> Result<Outcome, ErrorName> {
        self.acting(session)?;
        let items = if limit == 0 { self.limits.page_items } else { limit.min(self.limits.page_items) };
        let prefix = pattern.prefix();
        let start = if after >= prefix.as_str() { Bound::Excluded(after) } else { Bound::Included(prefix.as_str()) };
        let mut fitting = self
            .accounts
            .range::<str, _>((start, Bound::Unbounded))
            .map(|(username, _)| username)
            .take_while(|username| username.starts_with(&prefix))
            .filter(|username| pattern.fits(username));
        let usernames = fitting.by_ref().take(items as usize).cloned().collect();
        Ok(Outcome::Listed { usernames, more: fitting.next().is_some() })
    }

    fn send_message(
        &mut self,
        session: Session,
        recipient: String,
        text: String,
        key: Vec<u8>,
    ) -> Result<Outcome, ErrorName> {
        self.acting(&session)?;
        let sender = &self.accounts[&session.username];
        let mailbox = &self.accounts.get(&recipient).ok_or(ErrorName::NoSuchUser)?.mailbox;
        // DELIVERY-13: a send repeated with its key is answered with the message_id of the first.
        match sender.keys.find(&key, &recipient, &text) {
            Seen::Accepted(message_id) => return Ok(Outcome::Repeated { message_id }),
            Seen::Conflict => return Err(ErrorName::KeyConflict),
            Seen::Never => {}
        }
        // LIMITS-8: a mailbox takes a message as long as it holds fewer unacknowledged ones than its limit.
        if mailbox.waiting() >= self.limits.mailbox_messages {
            return Err(ErrorName::MailboxFull);
        }

        // Accepted. Sender and recipient may be the same account.
        let present = "both were found above";
        let account = self.accounts.get_mut(&recipient).expect(present);
        let message = account.mailbox.accept(session.username.clone(), text, self.now_ms).clone();
        let outcome = Outcome::Accepted { recipient: account.number, message: message.clone() };
        let keys = &mut self.accounts.get_mut(&session.username).expect(present).keys;
        keys.keep(key, &recipient, &message.text, message.message_id, self.limits.keys_kept);
        Ok(outcome)
    }

    fn deliver_messages(&mut self, session: &Session, acknowledge: u64, max: u64) -> Result<Outcome, ErrorName> {
        let (page_items, page_bytes) = (self.limits.page_items, self.limits.page_bytes);
        let mailbox = &mut self.acting(session)?.mailbox;
        mailbox.acknowledge(acknowledge)?;
        let (messages, more) = mailbox.page(max.min(page_items), page_bytes);
        Ok(Outcome::Delivered { messages, more })
    }

    fn delete_account(&mut self, session: &Session, discard: bool) -> Result<Outcome, ErrorName> {
        let account = self.acting(session)?;
        let discarded = account.mailbox.waiting();
        // DELETION-3: without `discard`, an account with unacknowledged messages is not deleted.
        if discarded > 0 && !discard {
            return Err(ErrorName::MailboxNotEmpty);
        }
        let token = account.token;
        self.accounts.remove(&session.username);
        if let Some(token) = token {
            self.tokens.remove(&token.digest);
        }
        Ok(Outcome::AccountDeleted { discarded })
    }

    /// The account in whose name a command acts, if its numbers are still the present ones.
    fn acting(&mut self, session: &Session) -> Result<&mut Account, ErrorName> {
        let now_ms = self.now_ms;
        self.accounts
            .get_mut(&session.username)
            .filter(|account| account.is_acting(session.account, session.number, now_ms))
            .ok_or(ErrorName::NotLoggedIn)
    }
}
