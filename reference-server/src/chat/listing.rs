//! Listing: whose names, in which order, how many at once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::account::Account;
use super::policies::ListOrder;
use crate::pattern::Pattern;

/// Which names are wanted.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    pub(super) pattern: Pattern,
    /// The last name already seen.
    pub(super) after: String,
    pub(super) limit: u64,
    pub(super) order: ListOrder,
    /// A name to leave out: one's own.
    pub(super) without: Option<String>,
    /// The numbers of the only accounts to show: those that were logged in.
    pub(super) only: Option<BTreeSet<u64>>,
}

impl Listing {
    /// The first names that are wanted, and whether others follow.
    pub(super) fn page(&self, accounts: &BTreeMap<String, Account>) -> (Vec<String>, bool) {
        match self.order {
            // Any order is right where none is promised, so it is the one that costs least.
            ListOrder::Sorted | ListOrder::None => self.cut(self.by_code_point(accounts)),
            ListOrder::Creation => self.cut(self.by_creation(accounts)),
        }
    }

    fn by_code_point<'a>(&self, accounts: &'a BTreeMap<String, Account>) -> impl Iterator<Item = Entry<'a>> {
        let prefix = self.pattern.prefix();
        let after = self.after.as_str();
        let start = if after >= prefix.as_str() { Bound::Excluded(after) } else { Bound::Included(prefix.as_str()) };
        let from_start = accounts.range::<str, _>((start, Bound::Unbounded));
        from_start.take_while(move |(username, _)| username.starts_with(&prefix))
    }

    /// Numbers rise with each creation. A name that was deleted since has no place any more: the list begins again.
    fn by_creation<'a>(&self, accounts: &'a BTreeMap<String, Account>) -> impl Iterator<Item = Entry<'a>> {
        let seen = accounts.get(&self.after).map_or(0, |account| account.number);
        let mut entries: Vec<Entry<'a>> = accounts.iter().filter(|(_, account)| account.number > seen).collect();
        entries.sort_by_key(|(_, account)| account.number);
        entries.into_iter()
    }

    fn cut<'a>(&self, entries: impl Iterator<Item = Entry<'a>>) -> (Vec<String>, bool) {
        let mut fitting = entries.filter(|(username, account)| self.wants(username, account));
        let usernames = fitting.by_ref().take(self.limit as usize).map(|(username, _)| username.clone()).collect();
        (usernames, fitting.next().is_some())
    }

    fn wants(&self, username: &str, account: &Account) -> bool {
        self.pattern.fits(username)
            && self.without.as_deref() != Some(username)
            && self.only.as_ref().is_none_or(|only| only.contains(&account.number))
    }
}

/// An account with its name.
type Entry<'a> = (&'a String, &'a Account);
