//! The state: what outlives connections, and later crashes. It changes by commands alone.
//!
//! What a commit does depends on the state, the command and the time that comes with it, and on nothing else; so the
//! same commands make the same state anywhere. Not here: who is connected (`session`), and the checks that need only
//! the request (`admit`). Policies stand in commands as what was decided.

use std::collections::{BTreeMap, BTreeSet};

use spec::message::ErrorName;

use super::account::{Account, Digest, Seen, Token};
use super::command::{Authority, Command, Outcome};
use super::limits::Limits;
use super::listing::Listing;
use super::mailbox::{Mailbox, Reading};
use super::policies::{DeleteWaiting, DeletedName};
use super::session::Session;

/// Accounts by username, and what finds them.
#[derive(Debug)]
pub(super) struct State {
    limits: Limits,
    now_ms: u64,
    accounts: BTreeMap<String, Account>,
    accounts_made: u64,
    /// To whom each present token belongs, expired ones included.
    tokens: BTreeMap<Digest, String>,
    /// What waits for the next owner of a deleted name, where it was to be kept.
    left: BTreeMap<String, Mailbox>,
    /// Names that no account can have again.
    retired: BTreeSet<String>,
}

impl State {
    pub(super) fn new(limits: Limits) -> Self {
        State {
            limits,
            now_ms: 0,
            accounts: BTreeMap::new(),
            accounts_made: 0,
            tokens: BTreeMap::new(),
            left: BTreeMap::new(),
            retired: BTreeSet::new(),
        }
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

    /// Whether an account of this name can be made.
    pub(super) fn is_free(&self, username: &str) -> bool {
        !self.accounts.contains_key(username) && !self.retired.contains(username)
    }

    /// The present session of the account whose token has this digest, while the token is valid.
    pub(super) fn session_of_token(&self, token_digest: &Digest, now_ms: u64) -> Option<Session> {
        let username = self.tokens.get(token_digest)?;
        let account = &self.accounts[username];
        account.valid_token(now_ms)?;
        Some(Session { username: username.clone(), account: account.number, number: account.session })
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
            Command::CreateAccount { username, password_hash, token_digest, inherits } => {
                self.create_account(username, password_hash, token_digest, inherits)
            }
            Command::LogIn { username, account, token_digest, joins, reads } => {
                self.log_in(username, account, token_digest, joins, reads)
            }
            Command::ResumeSession { token_digest } => self.resume_session(token_digest),
            Command::Attach { username, account, joins } => self.attach(username, account, joins),
            Command::LogOut { session, ends } => self.log_out(&session, ends),
            Command::ListAccounts { session, listing } => self.list_accounts(session.as_ref(), &listing),
            Command::SendMessage { session, recipient, text, key, waits } => {
                self.send_message(session, recipient, text, key, waits)
            }
            Command::DeliverMessages { session, acknowledge, reading } => {
                self.deliver_messages(&session, acknowledge, reading)
            }
            Command::DeleteAccount { authority, discard, waiting, name } => {
                self.delete_account(authority, discard, waiting, name)
            }
        }
    }

    fn create_account(
        &mut self,
        username: String,
        password_hash: Option<String>,
        token_digest: Option<Digest>,
        inherits: bool,
    ) -> Result<Outcome, ErrorName> {
        if !self.is_free(&username) {
            return Err(ErrorName::UsernameTaken);
        }
        let left = self.left.remove(&username).filter(|_| inherits).unwrap_or_default();
        self.accounts_made += 1;
        self.accounts.insert(username.clone(), Account::new(self.accounts_made, password_hash, left));
        let session = token_digest.map(|token_digest| self.begin_session(username, token_digest, false));
        Ok(Outcome::AccountCreated { session })
    }

    fn log_in(
        &mut self,
        username: String,
        number: u64,
        token_digest: Digest,
        joins: bool,
        reads: Option<Reading>,
    ) -> Result<Outcome, ErrorName> {
        // The password was that of the account of this number; whoever has the name now may be somebody else.
        let account = self.accounts.get_mut(&username).filter(|account| account.number == number);
        let mailbox = &mut account.ok_or(ErrorName::BadCredentials)?.mailbox;
        let (messages, _) = reads.map(|reading| mailbox.read(reading)).unwrap_or_default();
        let waiting = mailbox.waiting();
        let (session, expires_at_ms) = self.begin_session(username, token_digest, joins);
        Ok(Outcome::LoggedIn { session, expires_at_ms, joins, waiting, messages })
    }

    /// Gives an account that exists a new token, and a new session unless it shares the present one.
    fn begin_session(&mut self, username: String, token_digest: Digest, joins: bool) -> (Session, u64) {
        let expires_at_ms = self.now_ms.saturating_add(self.limits.token_lifetime_ms);
        let account = self.accounts.get_mut(&username).expect("whoever calls this has just seen it");
        if let Some(old) = account.token.replace(Token { digest: token_digest, expires_at_ms }) {
            self.tokens.remove(&old.digest);
        }
        self.tokens.insert(token_digest, username.clone());
        account.session += u64::from(!joins);
        (Session { username, account: account.number, number: account.session }, expires_at_ms)
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
        Ok(Outcome::SessionResumed { session, expires_at_ms: token.expires_at_ms, joins: false })
    }

    fn attach(&mut self, username: String, number: u64, joins: bool) -> Result<Outcome, ErrorName> {
        let account = self.accounts.get_mut(&username).filter(|account| account.number == number);
        let account = account.ok_or(ErrorName::NotLoggedIn)?;
        let token = account.valid_token(self.now_ms).ok_or(ErrorName::NotLoggedIn)?;
        account.session += u64::from(!joins);
        let session = Session { username, account: account.number, number: account.session };
        Ok(Outcome::SessionResumed { session, expires_at_ms: token.expires_at_ms, joins })
    }

    fn log_out(&mut self, session: &Session, ends: bool) -> Result<Outcome, ErrorName> {
        let account = self.acting(session)?;
        if ends {
            account.session += 1;
            if let Some(token) = account.token.take() {
                self.tokens.remove(&token.digest);
            }
        }
        Ok(Outcome::LoggedOut { account: session.account, ends })
    }

    fn list_accounts(&mut self, session: Option<&Session>, listing: &Listing) -> Result<Outcome, ErrorName> {
        if let Some(session) = session {
            self.acting(session)?;
        }
        let (usernames, more) = listing.page(&self.accounts);
        Ok(Outcome::Listed { usernames, more })
    }

    fn send_message(
        &mut self,
        session: Session,
        recipient: String,
        text: String,
        key: Vec<u8>,
        waits: bool,
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
        if waits && mailbox.waiting() >= self.limits.mailbox_messages {
            return Err(ErrorName::MailboxFull);
        }

        // Accepted. Sender and recipient may be the same account.
        let present = "both were found above";
        let account = self.accounts.get_mut(&recipient).expect(present);
        let message = account.mailbox.accept(session.username.clone(), text, self.now_ms, waits);
        let outcome = Outcome::Accepted { recipient: account.number, message: message.clone() };
        let keys = &mut self.accounts.get_mut(&session.username).expect(present).keys;
        keys.keep(key, &recipient, &message.text, message.message_id, self.limits.keys_kept);
        Ok(outcome)
    }

    fn deliver_messages(
        &mut self,
        session: &Session,
        acknowledge: u64,
        reading: Reading,
    ) -> Result<Outcome, ErrorName> {
        let mailbox = &mut self.acting(session)?.mailbox;
        mailbox.acknowledge(acknowledge)?;
        let (messages, more) = mailbox.read(reading);
        Ok(Outcome::Delivered { account: session.account, messages, more })
    }

    fn delete_account(
        &mut self,
        authority: Authority,
        discard: bool,
        waiting: DeleteWaiting,
        name: DeletedName,
    ) -> Result<Outcome, ErrorName> {
        let username = match authority {
            Authority::Session(session) => {
                self.acting(&session)?;
                session.username
            }
            Authority::Password { username, account: number } => {
                let account = self.accounts.get(&username).filter(|account| account.number == number);
                account.ok_or(ErrorName::BadCredentials)?;
                username
            }
        };
        // DELETION-3: without `discard`, an account with unacknowledged messages is not deleted.
        let refuses = waiting == DeleteWaiting::RefusedUnlessDiscarded && !discard;
        if refuses && self.accounts[&username].mailbox.waiting() > 0 {
            return Err(ErrorName::MailboxNotEmpty);
        }
        let account = self.accounts.remove(&username).expect("it was found above");
        if let Some(token) = account.token {
            self.tokens.remove(&token.digest);
        }
        if name == DeletedName::Kept {
            self.retired.insert(username.clone());
        }
        let (mut discarded, mut messages) = (0, Vec::new());
        match waiting {
            DeleteWaiting::RefusedUnlessDiscarded | DeleteWaiting::Discarded => discarded = account.mailbox.waiting(),
            DeleteWaiting::Shown => messages = account.mailbox.into_messages(),
            DeleteWaiting::Kept if account.mailbox.waiting() == 0 => {}
            DeleteWaiting::Kept => _ = self.left.insert(username, account.mailbox),
        }
        Ok(Outcome::AccountDeleted { account: account.number, discarded, messages })
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
