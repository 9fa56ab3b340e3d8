//! From the parser's events to a tree of nodes, with what the parser itself does not refuse: duplicate keys, and words
//! that other readers take for something else. What a word without quotes means stands in `plain`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::{Document, Kind, Node, plain};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::source::File;

/// What reads one part of one file.
pub(super) struct Reader<'a> {
    file: &'a Arc<File>,
    /// Byte offset of every character, when they differ from character counts.
    offsets: Option<Vec<usize>>,
    part: Range<usize>,
    anchors: BTreeMap<usize, Node>,
    /// The mistakes so far.
    pub(super) found: Diagnostics,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a Arc<File>, part: Range<usize>) -> Self {
        let text = &file.text[part.clone()];
        let offsets = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Reader { file, offsets, part, anchors: BTreeMap::new(), found: Diagnostics::default() }
    }

    fn byte(&self, character: usize) -> usize {
        let inside = match &self.offsets {
            Some(offsets) => offsets.get(character).copied().unwrap_or(self.part.len()),
            None => character.min(self.part.len()),
        };
        self.part.start + inside
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.byte(span.start.index())..self.byte(span.end.index())
    }

    fn error(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.found.push(Diagnostic::new(&Place { file: self.file.clone(), span }, message));
        self.found.0.last_mut().expect("just pushed")
    }

    /// All documents, as far as they can be read.
    pub(super) fn documents(&mut self) -> Vec<Document> {
        let file = self.file.clone();
        let text = &file.text[self.part.clone()];
        let mut parser = Parser::new_from_str(text);
        let mut documents = Vec::new();
        while let Some(next) = parser.next_event() {
            match next {
                Ok((Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Nothing, _)) => {}
                Ok((Event::DocumentStart(_), _)) => self.anchors.clear(),
                Ok((event, span)) => match self.node(&mut parser, event, span) {
                    Some(root) => documents.push(Document { file: self.file.clone(), root }),
                    None => break,
                },
                Err(scan) => {
                    let at = self.byte(scan.marker().index());
                    self.error(at..at, format!("this is not YAML: {}", scan.info()));
                    break;
                }
            }
        }
        documents
    }

    /// Builds the node that an event begins. None after an error that ends reading.
    fn node<'p>(
        &mut self,
        parser: &mut Parser<'p, saphyr_parser::StrInput<'p>>,
        event: Event<'p>,
        span: Span,
    ) -> Option<Node> {
        let range = self.range(span);
        let (node, anchor) = match event {
            Event::Alias(id) => return Some(self.anchors.get(&id).cloned().unwrap_or(empty(range))),
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                if plain {
                    self.refuse_traps(&range, &text);
                }
                (Node { span: range, kind: Kind::Scalar { text: text.into_owned(), plain } }, anchor)
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                let end = loop {
                    match self.next(parser)? {
                        (Event::SequenceEnd, end) => break self.range(end),
                        (event, span) => items.push(self.node(parser, event, span)?),
                    }
                };
                (Node { span: range.start..self.trim(range.start, end.end), kind: Kind::List(items) }, anchor)
            }
            Event::MappingStart(anchor, _) => {
                let mut entries: Vec<(Node, Node)> = Vec::new();
                let end = loop {
                    match self.next(parser)? {
                        (Event::MappingEnd, end) => break self.range(end),
                        (event, span) => {
                            let key = self.node(parser, event, span)?;
                            let (event, span) = self.next(parser)?;
                            let value = self.node(parser, event, span)?;
                            self.refuse_duplicate(&entries, &key);
                            entries.push((key, value));
                        }
                    }
                };
                (Node { span: range.start..self.trim(range.start, end.end), kind: Kind::Map(entries) }, anchor)
            }
            _ => return Some(empty(range)),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Some(node)
    }

    fn next<'p>(&mut self, parser: &mut Parser<'p, saphyr_parser::StrInput<'p>>) -> Option<(Event<'p>, Span)> {
        match parser.next_event()? {
            Ok(next) => Some(next),
            Err(scan) => {
                let at = self.byte(scan.marker().index());
                self.error(at..at, format!("this is not YAML: {}", scan.info()));
                None
            }
        }
    }

    /// Collections end where their last line ends, not where the next thing begins.
    fn trim(&self, start: usize, end: usize) -> usize {
        start + self.file.text[start..end.max(start)].trim_end().len()
    }

    fn refuse_duplicate(&mut self, entries: &[(Node, Node)], key: &Node) {
        let Some(text) = key.text() else { return };
        if let Some((first, _)) = entries.iter().find(|(k, _)| k.text() == Some(text)) {
            let first = Place { file: self.file.clone(), span: first.span.clone() };
            let text = text.to_owned();
            let diagnostic = self.error(key.span.clone(), format!("the key `{text}` stands here twice"));
            diagnostic.others.push((first, "first here".to_owned()));
            diagnostic.help = Some("readers of YAML keep one of them and drop the other without a word".to_owned());
        }
    }

    /// Words that mean something else to another reader of the same file.
    fn refuse_traps(&mut self, range: &Range<usize>, text: &str) {
        let Some(taken_for) = plain::taken_for(text) else { return };
        let diagnostic =
            self.error(range.clone(), format!("`{text}` is taken for {taken_for} by some readers of YAML"));
        diagnostic.help = Some(format!("put it in quotes: \"{text}\""));
    }
}

fn empty(span: Range<usize>) -> Node {
    Node { span, kind: Kind::Scalar { text: String::new(), plain: true } }
}
