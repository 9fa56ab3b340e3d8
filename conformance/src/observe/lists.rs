//! How names are listed: by whom, in which language a pattern is written, whose names, in which order.

use spec::value::{Record, Value};

use crate::observe::Stop;
use crate::observe::answer::Answer;
use crate::observe::person::{Asking, Person};

/// Which of five patterns find names that are PREFIX and one letter: `PREFIX?`, `PREFIX*`, `PREFIX%`, `PREFIX`,
/// `PREFIX.*`. No two languages find the same.
const LANGUAGES: [(&str, [bool; 5]); 7] = [
    ("glob", [true, true, false, false, false]),
    ("star", [false, true, false, false, false]),
    ("substring", [false, false, false, true, false]),
    ("regex_prefix", [true, true, false, true, true]),
    ("regex_full", [false, false, false, false, true]),
    ("like", [false, false, true, false, false]),
    ("none", [true; 5]),
];

const ENDINGS: [&str; 5] = ["?", "*", "%", "", ".*"];

/// A pattern that finds names here.
struct Finds {
    ending: &'static str,
    /// Whether its language is known, and it finds all that there is.
    is_known: bool,
}

impl Asking<'_> {
    /// Asks by somebody who is there about others who are not. They were made in this order.
    pub(super) async fn lists(&mut self, asker: &mut Person, absent: [&Person; 2]) -> Result<(), Stop> {
        if !self.has("list_accounts") || !self.wants(&["list_needs_session", "pattern", "listed", "list_order"]) {
            return Ok(());
        }
        let made = [asker.name.clone(), absent[0].name.clone(), absent[1].name.clone()];
        self.who_may_list(asker).await?;
        let Some(Finds { ending, is_known }) = self.language(asker, &made).await? else { return Ok(()) };
        self.begin();
        let Some(found) = usernames(&self.list(asker, ending).await?) else { return Ok(()) };
        let own: Vec<&String> = found.iter().filter(|name| made.contains(name)).collect();
        let (me, others) = (own.contains(&&made[0]), own.iter().filter(|name| ***name != made[0]).count());
        let listed = match (me, others) {
            (true, 2) => Some(["everyone"]),
            // Whoever is missing may be so because of a pattern that means something else.
            (false, 2) if is_known => Some(["others"]),
            (true, 0) if is_known => Some(["online"]),
            _ => None,
        };
        self.conclude("listed", listed.as_ref().map(<[&str; 1]>::as_slice));
        if own.len() == made.len() {
            // Any order may look like one by chance, and is right where none is promised.
            let order: &[&str] = if own.is_sorted() {
                &["sorted", "none"]
            } else if own.iter().zip(&made).all(|(seen, made)| *seen == made) {
                &["creation", "none"]
            } else {
                &["none"]
            };
            self.conclude("list_order", Some(order));
        }
        Ok(())
    }

    async fn who_may_list(&mut self, asker: &Person) -> Result<(), Stop> {
        if !self.wants(&["list_needs_session"]) {
            return Ok(());
        }
        self.begin();
        let mut nobody = self.elsewhere(asker).await?;
        let answer = self.list(&mut nobody, "").await?;
        self.leave(&mut nobody).await;
        let choice = match answer {
            Answer::Ok(_) => Some(["open"]),
            refused if refused.is_refused() => Some(["needed"]),
            _ => None,
        };
        self.conclude("list_needs_session", choice.as_ref().map(<[&str; 1]>::as_slice));
        Ok(())
    }

    /// Finds out the language of patterns, and which of them finds most names here.
    async fn language(&mut self, asker: &mut Person, made: &[String]) -> Result<Option<Finds>, Stop> {
        self.begin();
        if !self.dialect().carries_argument("list_accounts", "pattern") {
            return Ok(Some(Finds { ending: "", is_known: true }));
        }
        // How many names each pattern found. None: that it tells nothing.
        let mut seen: [Option<usize>; 5] = [None; 5];
        let mut is_plain = true;
        for (index, ending) in ENDINGS.iter().enumerate() {
            let answer = self.list(asker, ending).await?;
            seen[index] = match &answer {
                Answer::Ok(_) => {
                    usernames(&answer).map(|names| names.iter().filter(|name| made.contains(name)).count())
                }
                refused if refused.is_error("invalid_pattern") => Some(0),
                Answer::Gone => return Ok(None),
                Answer::Error(_) | Answer::Unclear => None,
            };
            // A pattern that this wire cannot carry tells nothing; any other answer without a list leaves doubts.
            is_plain &= seen[index].is_some() || matches!(answer, Answer::Unclear);
        }
        let fits = |of: &[bool; 5]| seen.iter().zip(of).all(|(seen, of)| seen.is_none_or(|seen| (seen > 0) == *of));
        let languages: Vec<&(&str, [bool; 5])> = LANGUAGES.iter().filter(|(_, of)| is_plain && fits(of)).collect();
        let is_known = languages.len() == 1;
        if let [(language, _)] = languages.as_slice() {
            self.conclude("pattern", Some(&[language]));
        }
        let most = seen.iter().flatten().max().copied().filter(|most| *most > 0);
        let index = most.and_then(|most| seen.iter().position(|seen| *seen == Some(most)));
        Ok(index.map(|index| Finds { ending: ENDINGS[index], is_known }))
    }

    async fn list(&mut self, asker: &mut Person, ending: &str) -> Result<Answer, Stop> {
        let pattern = format!("{}{ending}", self.prefix());
        self.ask_with(asker, "list_accounts", Record::new().with("pattern", pattern)).await
    }
}

/// The names of an answer that has them all.
fn usernames(answer: &Answer) -> Option<Vec<String>> {
    let Answer::Ok(values) = answer else { return None };
    if values.get("more").and_then(Value::as_flag) == Some(true) {
        return None;
    }
    let names = values.get("usernames")?.as_list()?;
    Some(names.iter().filter_map(Value::as_text).map(str::to_owned).collect())
}
