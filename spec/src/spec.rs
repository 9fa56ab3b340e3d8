//! The whole specification: what is read from a source, in the parts that a user of it needs.
//!
//! `Spec` is the protocol and its requirements. Scenarios are many, so they are read by whoever runs them (`scenario`).

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::codec::compile::compile;
use crate::codec::rehearse::rehearse;
use crate::dialect::Dialect;
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::load::Document;
use crate::requirement::{Chapter, Requirement};
use crate::service::{Errors, Service};
use crate::source::{File, Source, is_embedded};

/// The protocol, its wires and its requirements.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Operations, errors, limits, policies.
    pub service: Service,
    /// The wires, by name.
    pub dialects: BTreeMap<String, Arc<Dialect>>,
    /// The requirements, by chapter in reading order.
    pub chapters: Vec<Chapter>,
    /// Where it was read from.
    pub source: Source,
}

/// The chapters in the order in which they are best read; others follow by name.
const READING_ORDER: &[&str] = &[
    "framing",
    "accounts",
    "sessions",
    "listing",
    "delivery",
    "deletion",
    "limits",
    "robustness",
    "security",
    "clocks",
];

impl Spec {
    /// The specification inside this binary.
    ///
    /// # Panics
    /// If it has a mistake: the tests of this crate keep that from happening.
    pub fn embedded() -> &'static Spec {
        static SPEC: OnceLock<Spec> = OnceLock::new();
        SPEC.get_or_init(|| {
            let mut found = Diagnostics::default();
            match Spec::read(&Source::embedded(), &mut found) {
                Some(spec) if found.is_empty() => spec,
                _ => panic!("the embedded specification has mistakes:\n{found}"),
            }
        })
    }

    /// Reads a specification. Every mistake is added to `found`; what is usable in spite of them comes back.
    pub fn read(source: &Source, found: &mut Diagnostics) -> Option<Spec> {
        let mut spec = Spec::read_protocol(source, found)?;
        let mut chapters = Vec::new();
        for file in source.below("requirements") {
            let documents = Document::read(file, found);
            chapters.extend(documents.iter().filter_map(|document| Chapter::read(document, &spec.service, found)));
        }
        chapters.sort_by_key(|chapter| {
            let at = READING_ORDER.iter().position(|name| *name == chapter.name);
            (at.unwrap_or(READING_ORDER.len()), chapter.name.clone())
        });
        spec.chapters = chapters;
        spec.refuse_duplicate_ids(found);
        Some(spec)
    }

    /// Reads the protocol alone, without requirements: all that a server, a client or a single play needs.
    pub fn read_protocol(source: &Source, found: &mut Diagnostics) -> Option<Spec> {
        let service = read_service(source, found)?;
        let mut dialects = BTreeMap::new();
        for file in source.below("protocol/dialects") {
            if let Some(dialect) = read_dialect(file, &service, found) {
                dialects.insert(dialect.name.clone(), Arc::new(dialect));
            }
        }
        Some(Spec { service, dialects, chapters: Vec::new(), source: source.clone() })
    }

    /// The wire of that name.
    pub fn dialect(&self, name: &str) -> Option<Arc<Dialect>> {
        self.dialects.get(name).cloned()
    }

    /// The text of the messages that a gRPC dialect speaks, if its file is among those that were read.
    pub fn proto_of(&self, dialect: &Dialect) -> Option<String> {
        let path = dialect.grpc.as_ref()?.proto.as_deref()?;
        Some(self.source.file(path)?.text.clone())
    }

    /// Every requirement, in reading order.
    pub fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        self.chapters.iter().flat_map(|chapter| &chapter.requirements)
    }

    /// The requirement of that id.
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements().find(|requirement| requirement.id == id)
    }

    fn refuse_duplicate_ids(&self, found: &mut Diagnostics) {
        let mut first: BTreeMap<&str, &Place> = BTreeMap::new();
        for requirement in self.requirements() {
            // Within a file it is a key that stands there twice.
            if let Some(place) = first.insert(&requirement.id, &requirement.place)
                && place.file != requirement.place.file
            {
                found.push(
                    Diagnostic::new(&requirement.place, format!("the id `{}` is taken", requirement.id))
                        .other(place, "first here"),
                );
            }
        }
    }
}

/// Reads a wire from one file, the embedded ones and a user's alike. Those inside this binary have been rehearsed when it
/// was tested, and every program that starts would wait for it: they are rehearsed by `check` alone.
pub fn read_dialect(file: &Arc<File>, service: &Service, found: &mut Diagnostics) -> Option<Dialect> {
    if is_embedded(file) {
        return compile(&Document::read_one(file, found)?, service, found);
    }
    read_and_rehearse(file, service, found)
}

/// Reads a wire, and lets it speak every message to itself.
pub(crate) fn read_and_rehearse(file: &Arc<File>, service: &Service, found: &mut Diagnostics) -> Option<Dialect> {
    let document = Document::read_one(file, found)?;
    let mut dialect = compile(&document, service, found)?;
    let before = found.0.len();
    rehearse(&mut dialect, service, &document, found);
    (found.0.len() == before).then_some(dialect)
}

fn read_service(source: &Source, found: &mut Diagnostics) -> Option<Service> {
    let document = single(source, "protocol/service.yaml", found)?;
    let errors = single(source, "protocol/errors.yaml", found)?;
    let mut service = found.keep(document.typed::<Service>(&document.root))?;
    service.errors = found.keep(errors.typed::<Errors>(&errors.root))?.errors;
    // Everything else is read by the service: where it is wrong, so would be what is said about the rest.
    let before = found.0.len();
    service.check(&document, &errors, found);
    (found.0.len() == before).then_some(service)
}

fn single(source: &Source, path: &str, found: &mut Diagnostics) -> Option<Document> {
    let Some(file) = source.file(path) else {
        let file = Arc::new(File { path: path.to_owned(), text: String::new() });
        found.push(
            Diagnostic::new(&Place { file, span: 0..0 }, format!("the file {path} is missing"))
                .help("a specification folder has protocol/, requirements/ and scenarios/"),
        );
        return None;
    };
    Document::read_one(file, found)
}
