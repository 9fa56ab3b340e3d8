//! What a step claims: what must come, in every form that the language has.

use crate::error::Diagnostic;
use crate::load::{Document, Node};
use crate::scenario::given::{Given, makes_value};
use crate::service::Service;

/// What must come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// Success, with these results; others may be anything.
    Ok(Vec<(String, Match)>),
    /// A named outcome, which is a success with certain results.
    Outcome(String),
    /// An error, with what it carries.
    Error(String, Vec<(String, Match)>),
    /// An event with these fields.
    Event(String, Vec<(String, Match)>),
    /// Any of these.
    OneOf(Vec<Expect>),
    /// All of these, in this order.
    Sequence(Vec<Expect>),
    /// All of these, in any order.
    Set(Vec<Expect>),
    /// Nothing comes before the answer to a fence.
    Nothing,
    /// The server ends the connection.
    Closed,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// This value.
    Equal(Given),
    /// A row with these fields; others may be anything.
    Row(Vec<(String, Match)>),
    /// Exactly these items, in this order.
    List(Vec<Match>),
    /// Exactly these items, in any order.
    Set(Vec<Match>),
    /// At least these items.
    Includes(Vec<Match>),
    /// None of these items.
    Excludes(Vec<Match>),
    /// Texts in the order of their code points.
    Sorted,
    /// The number of items, characters or bytes.
    Length(Box<Match>),
    /// No less than this.
    AtLeast(Given),
    /// No more than this.
    AtMost(Given),
    /// A text or bytes that begin so.
    StartsWith(Given),
    /// Any of these.
    OneOf(Vec<Match>),
    /// Anything else.
    Not(Box<Match>),
    /// All of these at once.
    All(Vec<Match>),
}

impl Expect {
    /// Whether it is a refusal, a close, or that something does not happen.
    pub fn is_negative(&self) -> bool {
        match self {
            Expect::Error(..) | Expect::Nothing | Expect::Closed => true,
            Expect::OneOf(inner) | Expect::Sequence(inner) | Expect::Set(inner) => {
                inner.iter().any(Expect::is_negative)
            }
            Expect::Ok(_) | Expect::Outcome(_) | Expect::Event(..) => false,
        }
    }

    /// Whether it says that the connection ends.
    pub fn is_close(&self) -> bool {
        match self {
            Expect::Closed => true,
            Expect::OneOf(inner) | Expect::Sequence(inner) | Expect::Set(inner) => inner.iter().any(Expect::is_close),
            _ => false,
        }
    }

    /// Whether only a server that answers with success can meet it.
    pub fn is_success(&self) -> bool {
        match self {
            Expect::Ok(_) | Expect::Outcome(_) | Expect::Event(..) => true,
            Expect::Sequence(inner) | Expect::Set(inner) => inner.iter().any(Expect::is_success),
            Expect::OneOf(inner) => inner.iter().all(Expect::is_success),
            _ => false,
        }
    }

    pub(super) fn read(document: &Document, node: &Node, context: &Context<'_>) -> Result<Expect, Diagnostic> {
        if let Some(items) = node.items() {
            return Ok(Expect::Sequence(all(items, |item| Expect::read(document, item, context))?));
        }
        if let Some(entries) = node.entries() {
            return read_map(document, node, entries, context);
        }
        let word = node.text().unwrap_or_default();
        match word {
            "ok" => Ok(Expect::Ok(Vec::new())),
            "nothing" => Ok(Expect::Nothing),
            "closed" => Ok(Expect::Closed),
            _ if context.outcomes().any(|name| name == word) => Ok(Expect::Outcome(word.to_owned())),
            _ if context.service.errors.contains_key(word) => {
                context.allow_error(document, node, word)?;
                Ok(Expect::Error(word.to_owned(), Vec::new()))
            }
            _ => {
                let known = ["ok", "nothing", "closed"].into_iter().chain(context.outcomes());
                let known = known.chain(context.errors());
                Err(document.error(node, format!("`{word}` is nothing that can come")).suggest(word, known))
            }
        }
    }
}

/// What a step's answer can be: the fields of the operation, its outcomes and errors.
pub(super) struct Context<'a> {
    pub(super) service: &'a Service,
    /// The operations whose answers may come. Empty: any operation's.
    pub(super) operations: Vec<&'a str>,
}

impl<'a> Context<'a> {
    fn specs(&self) -> impl Iterator<Item = &'a crate::service::OperationSpec> + '_ {
        let any = self.operations.is_empty();
        self.service
            .operations
            .iter()
            .filter(move |(name, _)| any || self.operations.contains(&name.as_str()))
            .map(|(_, spec)| spec)
    }

    fn outcomes(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.specs().flat_map(|spec| spec.outcomes.keys().map(String::as_str))
    }

    fn results(&self) -> Vec<&'a str> {
        let all = |spec: &'a crate::service::OperationSpec| {
            spec.result.iter().chain(spec.result_when.keys()).map(String::as_str)
        };
        self.specs().flat_map(all).collect()
    }

    /// An expectation that no policy allows is a mistake of the play.
    fn allow_error(&self, document: &Document, node: &Node, word: &str) -> Result<(), Diagnostic> {
        let possible = self.operations.is_empty()
            || self.service.errors[word].anywhere
            || self.specs().any(|spec| spec.errors.iter().any(|error| error == word));
        if possible {
            return Ok(());
        }
        Err(document
            .error(node, format!("`{}` cannot answer `{word}`", self.operations.join("`, `")))
            .help(format!("it can answer: {}", self.errors().join(", "))))
    }

    /// The errors that can come: the operations' own first, then those that any operation can give.
    fn errors(&self) -> Vec<&'a str> {
        let own = self.specs().flat_map(|spec| spec.errors.iter().map(String::as_str));
        let anywhere = self.service.errors.iter().filter(|(_, error)| error.anywhere).map(|(name, _)| name.as_str());
        own.chain(anywhere).collect()
    }
}

fn read_map(
    document: &Document,
    node: &Node,
    entries: &[(Node, Node)],
    context: &Context<'_>,
) -> Result<Expect, Diagnostic> {
    if let [(key, value)] = entries {
        let word = key.text().unwrap_or_default();
        let several = || match value.items() {
            Some(items) => all(items, |item| Expect::read(document, item, context)),
            None => Err(document.error(value, format!("`{word}` takes a list"))),
        };
        match word {
            "one_of" => return Ok(Expect::OneOf(several()?)),
            "set" => return Ok(Expect::Set(several()?)),
            _ => {}
        }
        if let Some(event) = context.service.events.get(word) {
            let known: Vec<&str> = event.fields.iter().map(String::as_str).collect();
            return Ok(Expect::Event(word.to_owned(), fields(document, value, &known, context.service)?));
        }
        if let Some(error) = context.service.errors.get(word) {
            context.allow_error(document, key, word)?;
            let known: Vec<&str> = std::iter::once("detail").chain(error.detail.as_deref()).collect();
            return Ok(Expect::Error(word.to_owned(), fields(document, value, &known, context.service)?));
        }
    }
    Ok(Expect::Ok(fields(document, node, &context.results(), context.service)?))
}

/// Named fields, each with what it must be.
fn fields(
    document: &Document,
    node: &Node,
    known: &[&str],
    service: &Service,
) -> Result<Vec<(String, Match)>, Diagnostic> {
    let entries = node.entries().ok_or_else(|| document.error(node, "here stands a map of fields"))?;
    all(entries, |(key, value)| {
        let name = key.text().unwrap_or_default();
        if !known.contains(&name) {
            return Err(document
                .error(key, format!("no field `{name}` can come here"))
                .suggest(name, known.iter().copied()));
        }
        Ok((name.to_owned(), Match::read(document, value, name, service)?))
    })
}

impl Match {
    fn read(document: &Document, node: &Node, field: &str, service: &Service) -> Result<Match, Diagnostic> {
        let of = service.field(field).and_then(|field| field.of.as_deref());
        let items = |node: &Node| match node.items() {
            Some(items) => all(items, |item| Match::read_item(document, item, of, service)),
            None => Err(document.error(node, "here stands a list")),
        };
        if node.items().is_some() {
            return items(node).map(Match::List);
        }
        let equal = || {
            let given = Given::read(document, node)?;
            given.refuse_other_kind(document, node, field, service)?;
            Ok(Match::Equal(given))
        };
        let Some(entries) = node.entries().filter(|entries| !makes_value(entries)) else { return equal() };
        let mut matches = all(entries, |(key, value)| {
            let word = key.text().unwrap_or_default();
            let inner = || Match::read(document, value, field, service);
            Ok(match word {
                "set" => Match::Set(items(value)?),
                "includes" => Match::Includes(items(value)?),
                "excludes" => Match::Excludes(items(value)?),
                "sorted" => Match::Sorted,
                "length" => Match::Length(Box::new(Match::read(document, value, "", service)?)),
                "at_least" => Match::AtLeast(Given::read(document, value)?),
                "at_most" => Match::AtMost(Given::read(document, value)?),
                "starts_with" => Match::StartsWith(Given::read(document, value)?),
                "not" => Match::Not(Box::new(inner()?)),
                "one_of" => match value.items() {
                    Some(items) => Match::OneOf(all(items, |item| Match::read(document, item, field, service))?),
                    None => return Err(document.error(value, "`one_of` takes a list")),
                },
                _ => {
                    return Err(document.error(key, format!("`{word}` matches nothing")).suggest(
                        word,
                        [
                            "set",
                            "includes",
                            "excludes",
                            "sorted",
                            "length",
                            "at_least",
                            "at_most",
                            "starts_with",
                            "not",
                            "one_of",
                            "repeat",
                            "hex",
                        ],
                    ));
                }
            })
        })?;
        Ok(if matches.len() == 1 { matches.remove(0) } else { Match::All(matches) })
    }

    /// An item of a list: a row with fields, or a value.
    fn read_item(document: &Document, node: &Node, of: Option<&str>, service: &Service) -> Result<Match, Diagnostic> {
        match (of.and_then(|of| service.rows.get(of)), node.entries()) {
            (Some(row), Some(_)) => {
                let known: Vec<&str> = row.iter().map(String::as_str).collect();
                Ok(Match::Row(fields(document, node, &known, service)?))
            }
            _ => Match::read(document, node, of.unwrap_or_default(), service),
        }
    }
}

pub(super) fn all<T, R>(items: &[T], read: impl FnMut(&T) -> Result<R, Diagnostic>) -> Result<Vec<R>, Diagnostic> {
    items.iter().map(read).collect()
}
