//! Patterns with wildcards: one character stands for any run of characters, one for any single one, every other
//! character for itself, over the whole name. Not here: what an empty pattern means.

/// A pattern, compiled: a set of positions in it that are reached, moved on by each character of a name. A name is
/// looked at once, so the time is linear in its length, whatever the pattern.
#[derive(Debug, Clone)]
pub(super) struct Glob {
    /// What each position wants; `None` is any character.
    wanted: Vec<Option<char>>,
    /// Positions before which a star stands: there, any character leads to the same position.
    stars: u64,
}

impl Glob {
    /// The longest pattern, not counting stars: each position is a bit.
    const POSITIONS_MAX: usize = 63;

    /// Compiles a pattern in which `run` is any run of characters, and `one`, if there is such a character, any single
    /// one. `None` if it is longer than any limit allows.
    pub(super) fn new(pattern: &str, run: char, one: Option<char>) -> Option<Self> {
        let mut compiled = Glob { wanted: Vec::new(), stars: 0 };
        for c in pattern.chars() {
            if c == run {
                compiled.stars |= 1 << compiled.wanted.len();
            } else {
                compiled.wanted.push((one != Some(c)).then_some(c));
            }
            if compiled.wanted.len() > Self::POSITIONS_MAX {
                return None;
            }
        }
        Some(compiled)
    }

    /// Whether the whole name fits.
    pub(super) fn fits(&self, name: &str) -> bool {
        let mut reached: u64 = 1;
        for c in name.chars() {
            reached = ((reached & self.positions_that_want(c)) << 1) | (reached & self.stars);
        }
        reached >> self.wanted.len() & 1 == 1
    }

    /// What every name that fits begins with.
    pub(super) fn prefix(&self) -> String {
        let before_star = self.stars.trailing_zeros() as usize;
        self.wanted.iter().take(before_star).map_while(|wanted| *wanted).collect()
    }

    fn positions_that_want(&self, c: char) -> u64 {
        let wants = |wanted: &Option<char>| wanted.is_none_or(|wanted| wanted == c);
        self.wanted.iter().enumerate().map(|(position, wanted)| u64::from(wants(wanted)) << position).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn glob(pattern: &str) -> Option<Glob> {
        Glob::new(pattern, '*', Some('?'))
    }

    fn check(pattern: &str, name: &str, expected: bool) {
        let seen = glob(pattern).expect("short enough").fits(name);
        assert_eq!(seen, expected, "does {pattern:?} fit {name:?}?");
    }

    #[test]
    fn a_pattern_speaks_of_the_whole_name() {
        for (pattern, fits, fails) in [
            ("", &[""][..], &["a", "🦀"][..]),
            ("*", &["", "a", "abc"], &[]),
            ("bob", &["bob"], &["bo", "bobb", "Bob", ""]),
            ("b?b", &["bob", "béb", "b🦀b"], &["bb", "boob"]),
            ("b*b", &["bb", "bob", "bbb", "b🦀🦀b"], &["b", "ba", "abb"]),
            ("*b", &["b", "ab", "bab"], &["ba", ""]),
            ("a*", &["a", "ab", "a*"], &["ba", ""]),
            ("*a*b*", &["ab", "xaxbx", "aab"], &["ba", "a"]),
            ("?*?", &["ab", "abc"], &["a", ""]),
            ("a.c", &["a.c"], &["abc"]),
        ] {
            fits.iter().for_each(|name| check(pattern, name, true));
            fails.iter().for_each(|name| check(pattern, name, false));
        }
    }

    #[test]
    fn the_prefix_ends_at_the_first_wildcard() {
        for (pattern, prefix) in [("", ""), ("bob", "bob"), ("bo*b", "bo"), ("b?b", "b"), ("*b", ""), ("né*", "né")] {
            assert_eq!(glob(pattern).expect("short enough").prefix(), prefix);
        }
    }

    #[test]
    fn too_many_positions_are_no_pattern_but_stars_cost_nothing() {
        assert!(glob(&"a".repeat(64)).is_none());
        assert!(glob(&"a".repeat(63)).expect("short enough").fits(&"a".repeat(63)));
        assert!(glob(&"*".repeat(1000)).is_some());
    }

    /// The definition, word by word, in exponential time.
    fn by_definition(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], name) => name.is_empty(),
            (['*', rest @ ..], name) => (0..=name.len()).any(|skipped| by_definition(rest, &name[skipped..])),
            (['?', rest @ ..], [_, others @ ..]) => by_definition(rest, others),
            ([c, rest @ ..], [d, others @ ..]) => c == d && by_definition(rest, others),
            (_, []) => false,
        }
    }

    proptest! {
        #[test]
        fn fits_what_the_definition_fits(pattern in "[ab*?]{1,8}", name in "[ab]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let compiled = glob(&pattern).expect("short enough");
            prop_assert_eq!(compiled.fits(&name), by_definition(&chars(&pattern), &chars(&name)));
            prop_assert!(!compiled.fits(&name) || name.starts_with(&compiled.prefix()));
        }
    }
}
