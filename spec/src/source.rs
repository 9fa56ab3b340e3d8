//! Where the YAML comes from: the binary itself, or a folder of the user's.
//!
//! Not here: what is in it (`load` reads, `check` judges).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use include_dir::{Dir, include_dir};

static PROTOCOL: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/protocol");
static REQUIREMENTS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/requirements");
static SCENARIOS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");
static EXAMPLES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/examples");
static PROTO: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/proto");

/// One file, of YAML but for the messages of gRPC: its path, as a person would name it, and its text.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// Path inside the spec folder, with forward slashes; or the path the user gave.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A set of files by path, such as `protocol/service.yaml`.
#[derive(Debug, Clone, Default)]
pub struct Source {
    files: BTreeMap<String, Arc<File>>,
}

/// Whether a file of the protocol is, byte for byte, one inside this binary.
pub(crate) fn is_embedded(file: &File) -> bool {
    let inside = file.path.strip_prefix("protocol/").and_then(|path| PROTOCOL.get_file(path));
    inside.is_some_and(|inside| inside.contents() == file.text.as_bytes())
}

impl Source {
    /// The specification inside this binary.
    pub fn embedded() -> Self {
        let mut source = Source::default();
        for (folder, dir) in [
            ("protocol", &PROTOCOL),
            ("requirements", &REQUIREMENTS),
            ("scenarios", &SCENARIOS),
            ("examples", &EXAMPLES),
            ("proto", &PROTO),
        ] {
            source.embed(folder, dir);
        }
        source
    }

    /// The specification in a folder with the same layout as `spec/`.
    ///
    /// # Errors
    /// The folder or one of its files cannot be read, or is not UTF-8.
    pub fn folder(root: &Path) -> io::Result<Self> {
        let mut source = Source::default();
        for folder in ["protocol", "requirements", "scenarios", "examples", "proto"] {
            let path = root.join(folder);
            if path.is_dir() {
                source.read_folder(&path, folder)?;
            }
        }
        Ok(source)
    }

    /// The same set with one file added or replaced.
    #[must_use]
    pub fn with(mut self, path: &str, text: impl Into<String>) -> Self {
        self.insert(path.to_owned(), text.into());
        self
    }

    /// The same set with a user's file added or replaced, as if it stood at `path`; mistakes name it as the user does.
    #[must_use]
    pub fn with_file(mut self, path: &str, file: File) -> Self {
        self.files.insert(path.to_owned(), Arc::new(file));
        self
    }

    /// The file at a path.
    pub fn file(&self, path: &str) -> Option<&Arc<File>> {
        self.files.get(path)
    }

    /// All files of YAML below a folder, by path.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a Arc<File>> {
        self.paths_below(folder).map(|(_, file)| file)
    }

    /// All files of YAML below a folder, with their paths in it.
    pub fn paths_below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a Arc<File>)> {
        let yaml = self.files.iter().filter(|(path, _)| path.ends_with(".yaml"));
        yaml.filter_map(move |(path, file)| Some((path.strip_prefix(folder)?.strip_prefix('/')?, file)))
    }

    fn embed(&mut self, folder: &str, dir: &Dir<'_>) {
        for file in dir.files() {
            if let (Some("yaml" | "proto"), Some(text)) = (extension(file.path()), file.contents_utf8()) {
                self.insert(format!("{folder}/{}", slashed(file.path())), text.to_owned());
            }
        }
        for inner in dir.dirs() {
            self.embed(folder, inner);
        }
    }

    fn read_folder(&mut self, path: &Path, name: &str) -> io::Result<()> {
        let mut entries: Vec<_> = fs::read_dir(path)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            if path.is_dir() {
                self.read_folder(&path, &name)?;
            } else if matches!(extension(&path), Some("yaml" | "proto")) {
                let text = fs::read_to_string(&path)
                    .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
                self.insert(name, text);
            }
        }
        Ok(())
    }

    fn insert(&mut self, path: String, text: String) {
        self.files.insert(path.clone(), Arc::new(File { path, text }));
    }
}

fn extension(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

fn slashed(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
