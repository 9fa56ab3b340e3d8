//! Patterns of usernames, in every language that wires have for them. An empty pattern is any name.
//!
//! All of them are matched in linear time. Names are compared exactly, so case counts in every language.

mod glob;

use regex::{Regex, RegexBuilder};

use glob::Glob;

/// The most memory for a regular expression: short ones with large counts would take more, and are refused.
const REGEX_BYTES: usize = 1 << 20;

/// A pattern, compiled.
#[derive(Debug, Clone)]
pub struct Pattern(Language);

#[derive(Debug, Clone)]
enum Language {
    Any,
    Glob(Glob),
    Substring(String),
    Regex(Regex),
}

impl Pattern {
    /// The protocol's own language: `*` is any run of characters, `?` any one, everything else itself, over the whole
    /// name. `None` if it is longer than any limit allows.
    pub fn new(pattern: &str) -> Option<Self> {
        Self::wildcards(pattern, '*', Some('?'))
    }

    /// As the protocol's own, but `?` is itself, too.
    pub fn star(pattern: &str) -> Option<Self> {
        Self::wildcards(pattern, '*', None)
    }

    /// SQL LIKE: `%` is any run of characters, `_` any one. Nothing escapes them.
    pub fn like(pattern: &str) -> Option<Self> {
        Self::wildcards(pattern, '%', Some('_'))
    }

    /// Names that contain it.
    pub fn substring(pattern: &str) -> Self {
        Pattern(Language::Substring(pattern.to_owned()))
    }

    /// A regular expression, matched from the start of the name. `None` if it is none, or would need too much memory.
    pub fn regex_prefix(pattern: &str) -> Option<Self> {
        Self::regex(pattern, r"\A(?:", ")")
    }

    /// A regular expression, over the whole name. `None` if it is none, or would need too much memory.
    pub fn regex_full(pattern: &str) -> Option<Self> {
        Self::regex(pattern, r"\A(?:", r")\z")
    }

    /// Any name.
    pub fn any() -> Self {
        Pattern(Language::Any)
    }

    fn wildcards(pattern: &str, run: char, one: Option<char>) -> Option<Self> {
        if pattern.is_empty() {
            return Some(Self::any());
        }
        Glob::new(pattern, run, one).map(|glob| Pattern(Language::Glob(glob)))
    }

    fn regex(pattern: &str, before: &str, after: &str) -> Option<Self> {
        if pattern.is_empty() {
            return Some(Self::any());
        }
        let compiled = |pattern: &str| RegexBuilder::new(pattern).size_limit(REGEX_BYTES).build().ok();
        // Alone first: a stray parenthesis must not find its partner in what stands around it.
        compiled(pattern)?;
        compiled(&[before, pattern, after].concat()).map(|regex| Pattern(Language::Regex(regex)))
    }

    /// Whether a name fits.
    pub fn fits(&self, name: &str) -> bool {
        match &self.0 {
            Language::Any => true,
            Language::Glob(glob) => glob.fits(name),
            Language::Substring(part) => name.contains(part.as_str()),
            Language::Regex(regex) => regex.is_match(name),
        }
    }

    /// What every name that fits begins with, as far as it is known without looking at names.
    pub fn prefix(&self) -> String {
        if let Language::Glob(glob) = &self.0 { glob.prefix() } else { String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: Option<Pattern>, fits: &[&str], fails: &[&str]) {
        let pattern = pattern.expect("it is a pattern");
        fits.iter().for_each(|name| assert!(pattern.fits(name), "{name:?} fits {pattern:?}"));
        fails.iter().for_each(|name| assert!(!pattern.fits(name), "{name:?} does not fit {pattern:?}"));
    }

    #[test]
    fn an_empty_pattern_is_any_name_in_every_language() {
        let substring = |pattern: &str| Some(Pattern::substring(pattern));
        let languages =
            [Pattern::new, Pattern::star, Pattern::like, Pattern::regex_prefix, Pattern::regex_full, substring];
        for language in languages {
            check(language(""), &["a", "🦀"], &[]);
        }
        check(Some(Pattern::any()), &["a"], &[]);
    }

    #[test]
    fn each_language_reads_a_pattern_in_its_own_way() {
        check(Pattern::new("a?*"), &["ab", "abc"], &["a", "ba"]);
        check(Pattern::star("a?*"), &["a?", "a?b"], &["ab"]);
        check(Pattern::like("a_%"), &["ab", "abc"], &["a", "A_", "ba"]);
        check(Pattern::like("a*"), &["a*"], &["ab"]);
        check(Some(Pattern::substring("a.")), &["a.", "xa.x"], &["ab"]);
        check(Pattern::regex_prefix("a|b"), &["a", "ax", "bx"], &["xa"]);
        check(Pattern::regex_prefix("ab$"), &["ab"], &["abc"]);
        check(Pattern::regex_full("a|b+"), &["a", "bb"], &["ax", "xa", "ab"]);
        check(Pattern::regex_full(r"\w\d"), &["é1"], &["é"]);
    }

    #[test]
    fn what_is_no_regular_expression_is_no_pattern() {
        for pattern in ["(", "a)(b", "[", "*", r"(a)\1", "(?=a)", r"(?:\w{50}){50}"] {
            assert!(Pattern::regex_prefix(pattern).is_none(), "{pattern:?}");
            assert!(Pattern::regex_full(pattern).is_none(), "{pattern:?}");
        }
    }
}
