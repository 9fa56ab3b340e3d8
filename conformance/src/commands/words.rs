//! Words as a shell would take them apart, and put them together.

/// The words of a line, with quotes.
///
/// # Errors
/// A quote without its partner.
pub(super) fn split(line: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    match quote {
        Some(open) => Err(format!("there is a {open} without its partner")),
        None => Ok(words),
    }
}

/// Words as a shell would take them.
pub(super) fn quoted(words: &[String]) -> String {
    let plain = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./=:{},@+".contains(c));
    let quote = |word: &String| if plain(word) { word.clone() } else { format!("'{}'", word.replace('\'', r"'\''")) };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_as_a_shell_would() {
        assert_eq!(split("sh -c 'a b' \"\""), Ok(vec!["sh".into(), "-c".into(), "a b".into(), String::new()]));
        assert!(split("sh 'a").is_err());
        assert_eq!(split(" "), Ok(Vec::new()));
    }

    #[test]
    fn what_is_put_together_comes_apart_the_same() {
        let words = vec!["sh".to_owned(), "-c".into(), "a \"b\"".into(), String::new()];
        assert_eq!(split(&quoted(&words)), Ok(words));
    }
}
