//! Mistakes in YAML, drawn like a compiler draws them: file, line, column, every place that takes part, and what to do.
//!
//! Not here: finding them (`load`, `check` and the compilers of each kind of file).

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::source::File;

/// A stretch of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<File>,
    /// Bytes of its text.
    pub span: Range<usize>,
}

impl Place {
    /// The first line (from 1).
    pub fn line(&self) -> usize {
        self.file.text[..self.span.start].matches('\n').count() + 1
    }

    /// The first column (from 1), in characters.
    pub fn column(&self) -> usize {
        let before = &self.file.text[..self.span.start];
        before[before.rfind('\n').map_or(0, |at| at + 1)..].chars().count() + 1
    }

    /// The text at this place.
    pub fn text(&self) -> &str {
        &self.file.text[self.span.clone()]
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.path, self.line(), self.column())
    }
}

/// One mistake of whoever wrote the YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, in one line.
    pub message: String,
    /// Where, and what is to be said about that place.
    pub place: Place,
    /// A few words beside the place.
    pub label: String,
    /// Other places that take part: where it was said first, what it disagrees with.
    pub others: Vec<(Place, String)>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A mistake at a place.
    pub fn new(place: &Place, message: impl Into<String>) -> Self {
        Diagnostic {
            message: message.into(),
            place: place.clone(),
            label: String::new(),
            others: Vec::new(),
            help: None,
        }
    }

    /// The same with words beside the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The same with another place that takes part.
    #[must_use]
    pub fn other(mut self, place: &Place, label: impl Into<String>) -> Self {
        self.others.push((place.clone(), label.into()));
        self
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with the nearest of the known words as advice, or all of them if they are few.
    #[must_use]
    pub fn suggest<'a>(self, written: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match suggestion(written, known) {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// Draws the mistake, in colour or plain.
    pub fn render(&self, colour: bool) -> String {
        let mut group = Group::with_title(Level::ERROR.primary_title(self.message.as_str()));
        let mut drawn: Vec<&Arc<File>> = Vec::new();
        let places = std::iter::once((&self.place, &self.label)).chain(self.others.iter().map(|(p, l)| (p, l)));
        for (place, _) in places.clone() {
            if drawn.contains(&&place.file) {
                continue;
            }
            drawn.push(&place.file);
            let mut snippet = Snippet::source(place.file.text.as_str()).path(place.file.path.as_str()).fold(true);
            for (index, (other, label)) in places.clone().enumerate() {
                if other.file == place.file {
                    let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                    let annotation = kind.span(visible(other));
                    snippet = snippet.annotation(if label.is_empty() {
                        annotation
                    } else {
                        annotation.label(label.as_str())
                    });
                }
            }
            group = group.element(snippet);
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group]).to_string()
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

/// Every mistake that was found, in the order of reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Keeps the value of a success, and the mistake of a failure.
    pub fn keep<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|diagnostic| self.push(diagnostic)).ok()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Draws all of them, and counts them at the end.
    pub fn render(&self, colour: bool) -> String {
        let mut text: String = self.0.iter().map(|d| d.render(colour) + "\n\n").collect();
        text.push_str(&match self.0.len() {
            0 => "no mistakes".to_owned(),
            1 => "1 mistake".to_owned(),
            n => format!("{n} mistakes"),
        });
        text
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// "did you mean …", or what there is to choose from, if that fits a line.
pub fn suggestion<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    let nearest = known
        .iter()
        .map(|word| (strsim::damerau_levenshtein(written, word), *word))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, word)| *distance <= 1 + word.len() / 3);
    match nearest {
        Some((_, word)) => Some(format!("did you mean `{word}`?")),
        None if known.is_empty() => None,
        None if known.len() <= 24 => Some(format!("known here: {}", known.join(", "))),
        None => None,
    }
}

/// An empty stretch cannot be underlined; one character can.
fn visible(place: &Place) -> Range<usize> {
    let Range { start, end } = place.span.clone();
    // A block of several lines is pointed at where it begins.
    let text = &place.file.text;
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let end = end.min(line_end.max(start));
    if end > start { start..end } else { start..(start + 1).min(text.len()) }
}
