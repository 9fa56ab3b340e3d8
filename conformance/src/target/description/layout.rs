//! The layout of a target file: its keys, in the order in which a reader needs them.
//!
//! Not here: what a key means for a start (`process`), and mistakes beyond the kind of a value (`check`).

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de::value::MapAccessDeserializer};

use crate::target::Restart;

/// The layout of a target file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetFile {
    /// What reports call it.
    pub target: String,
    /// The dialect it speaks: a name, or the path of a dialect file.
    #[serde(default = "framed")]
    pub dialect: String,
    /// Where it listens, as `host:port`. Without a `command` it runs there already.
    pub address: Option<String>,
    /// A command that is run once, before the first start.
    #[serde(default)]
    pub build: Vec<String>,
    /// How it is started: the program and its arguments. `{port}` is replaced by a free port.
    pub command: Option<Vec<String>>,
    /// Where it is started; taken from the folder of this file. `fresh` is an empty folder for each start.
    pub directory: Option<String>,
    /// Variables added to its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Its port, if that cannot be chosen: what `{port}` stands for.
    pub port: Option<u16>,
    /// More ports by name, each a number or `free`. The one called `client` is in `{client}`.
    #[serde(default)]
    pub ports: BTreeMap<String, PortLayout>,
    /// Files that are written before each start and removed afterwards: a text, or `{template: FILE}`.
    #[serde(default)]
    pub files: BTreeMap<String, FileLayout>,
    /// Files and folders removed before each start.
    #[serde(default)]
    pub state: Vec<String>,
    /// Programs that it needs, started before it in this order and ended after it.
    #[serde(default)]
    pub processes: Vec<ProcessLayout>,
    /// When it is up. Without it, it is up when its port accepts.
    pub ready: Option<ReadyLayout>,
    /// How long it may take until it is up. Milliseconds.
    pub ready_within_ms: Option<u64>,
    /// When it is started anew: `never`, `groups` (for each case that may harm it), or `cases`.
    pub restart: Option<Restart>,
    /// Arguments that set an option of `service.yaml`, with `{value}` in them.
    #[serde(default)]
    pub options: BTreeMap<String, Vec<String>>,
    /// Capabilities that it does not have.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// Its choices, where they differ from its dialect's.
    #[serde(default)]
    pub policies: BTreeMap<String, String>,
    /// How many accounts one instance bears.
    pub accounts: Option<u64>,
    /// How many cases may run side by side.
    pub jobs: Option<usize>,
    /// A file of known failures; taken from the folder of this file.
    pub known_failures: Option<PathBuf>,
}

fn framed() -> String {
    "framed".into()
}

/// A program that a target needs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessLayout {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables added to its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// When it is up. Without it, nobody waits for it.
    pub ready: Option<ReadyLayout>,
}

/// When a program is up: exactly one of these.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadyLayout {
    /// Words of a line that it prints.
    pub line: Option<String>,
    /// A regular expression that a line fits which it prints.
    pub matches: Option<String>,
    /// An operation that succeeds; `fence` is the one by which its dialect proves silence.
    pub operation: Option<String>,
    /// The name of a port that accepts connections.
    pub port: Option<String>,
}

/// A port: a number, or `free`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum PortLayout {
    /// Always the same.
    Fixed(u16),
    /// A free one, found at each start.
    Free(FreePort),
}

/// The word for a free port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum FreePort {
    /// A free one, found at each start.
    Free,
}

impl<'de> Deserialize<'de> for PortLayout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Port;
        impl Visitor<'_> for Port {
            type Value = PortLayout;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port from 1 to 65535, or `free`")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<PortLayout, E> {
                let port = u16::try_from(number).ok().filter(|port| *port > 0);
                port.map(PortLayout::Fixed).ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(number), &self))
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<PortLayout, E> {
                match word {
                    "free" => Ok(PortLayout::Free(FreePort::Free)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }
        }
        deserializer.deserialize_any(Port)
    }
}

/// A file that is written: its text, or the file that holds it.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum FileLayout {
    /// The text itself.
    Text(String),
    /// A file with the text; taken from the folder of the target file.
    Template(TemplateLayout),
}

/// A file that holds a text with placeholders.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateLayout {
    /// Its path.
    pub template: PathBuf,
}

impl<'de> Deserialize<'de> for FileLayout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> Visitor<'de> for Written {
            type Value = FileLayout;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the text of the file, or `{template: FILE}`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<FileLayout, E> {
                Ok(FileLayout::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FileLayout, A::Error> {
                TemplateLayout::deserialize(MapAccessDeserializer::new(map)).map(FileLayout::Template)
            }
        }
        deserializer.deserialize_any(Written)
    }
}
