//! A target that the suite starts itself: a program, what it needs beside it, and the place where it runs.
//!
//! A start goes in this order, and so do the files here: `lease` (what only one may have), `ports`, `files` (the
//! directory, state, written files), `running` (the processes, each in a `group` of its own, and their `output`), and
//! `ready`. `fill` replaces `{port}` and its like. Not here: the YAML of it (`description`).

mod files;
mod fill;
mod group;
mod lease;
mod output;
mod ports;
mod ready;
mod running;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::timeout;

pub(super) use fill::{Values, fill, placeholders};
pub(super) use ports::{host_and_port, is_free_port};
pub use ready::{Line, Probe, Ready};

use crate::target::process::files::Place;
use crate::target::process::lease::Leases;
use crate::target::process::ports::Ports;
use crate::target::process::running::{Doing, Running};
use crate::target::{Eventually, Instance, Restart, ServerOptions, StartError, Starter};

/// Where a program is reached, if nothing else is said.
const ADDRESS: &str = "127.0.0.1:{port}";

/// How long another run is waited for before that is said.
const PATIENT: Duration = Duration::from_secs(1);

/// Where a program runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directory {
    /// In a folder that is there.
    Folder(PathBuf),
    /// In an empty folder, which is made for each start and removed afterwards.
    Fresh,
}

/// A program that a target needs beside it, and that is started first.
#[derive(Debug, Clone)]
pub struct Companion {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables added to the environment.
    pub environment: BTreeMap<String, String>,
    /// When it counts as up.
    pub ready: Ready,
}

/// A program to be started. `{port}` and its like are replaced in every text of it.
#[derive(Debug, Clone)]
pub struct Program {
    /// A command that is run once, before the first start; empty for none.
    pub build: Vec<String>,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The folder that `{folder}` stands for.
    pub folder: PathBuf,
    /// Where it is started.
    pub directory: Directory,
    /// Variables added to the environment.
    pub environment: BTreeMap<String, String>,
    /// Where it listens, as `host:port`.
    pub address: String,
    /// Its ports by name; none is a free one.
    pub ports: BTreeMap<String, Option<u16>>,
    /// Files that are written before each start, by their paths, and removed afterwards.
    pub files: BTreeMap<String, String>,
    /// Files and folders that are removed before each start.
    pub state: Vec<String>,
    /// Programs that are started before it and ended after it.
    pub companions: Vec<Companion>,
    /// When it counts as up.
    pub ready: Ready,
    /// How long that may take.
    pub ready_within: Duration,
    /// When it gets a new instance; none follows from what it shares.
    pub restart: Option<Restart>,
    /// Arguments that set an option, with `{value}` in them.
    pub options: BTreeMap<String, Vec<String>>,
    /// What options are where nobody asks for another value.
    pub defaults: ServerOptions,
    /// What all instances of it share.
    pub memory: Arc<Memory>,
}

/// What is learned of a program in its first instances.
#[derive(Debug, Default)]
pub struct Memory {
    built: OnceCell<Result<(), StartError>>,
    stubborn: AtomicBool,
}

impl Program {
    /// A program with nothing special about it.
    pub fn new(command: Vec<String>) -> Self {
        Program {
            build: Vec::new(),
            command,
            folder: PathBuf::new(),
            directory: Directory::Folder(PathBuf::new()),
            environment: BTreeMap::new(),
            address: ADDRESS.to_owned(),
            ports: BTreeMap::new(),
            files: BTreeMap::new(),
            state: Vec::new(),
            companions: Vec::new(),
            ready: Ready::Port(None),
            ready_within: Duration::from_secs(10),
            restart: None,
            options: BTreeMap::new(),
            defaults: ServerOptions::new(),
            memory: Arc::default(),
        }
    }

    /// Every text in which placeholders are replaced at a start.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let companions = self.companions.iter().flat_map(|one| one.command.iter().chain(one.environment.values()));
        self.command
            .iter()
            .chain(self.environment.values())
            .chain(companions)
            .chain(self.options.values().flatten())
            .chain(self.files.keys().chain(self.files.values()))
            .chain(&self.state)
            .chain([&self.address])
            .map(String::as_str)
    }

    /// The ports it names: those of `ports`, and those that stand somewhere as `{port}`, `{port2}` and so on.
    pub fn all_ports(&self) -> BTreeMap<String, Option<u16>> {
        let mut all = self.ports.clone();
        for name in self.texts().flat_map(placeholders).filter(|name| ports::is_free_port(name)) {
            all.entry(name).or_insert(None);
        }
        all
    }

    async fn launch(&self, options: &ServerOptions) -> Result<Running, StartError> {
        self.build_once().await?;
        let known = self.all_ports();
        let fixed = self.fixed_ports(&known);
        let directory = match &self.directory {
            Directory::Folder(folder) => files::absolute(folder)?,
            Directory::Fresh => PathBuf::new(),
        };
        let mut values = self.values()?;
        values.extend(self.defaults.iter().chain(options).map(|(name, value)| (name.clone(), value.to_string())));
        let leases = self.leases(&fixed, &directory, &values).await?;
        let place = Place::new(&self.directory, directory)?;
        let ports = Ports::choose(&known, &fixed, &self.address).await?;
        values.extend(ports.values());
        values.insert("directory".into(), place.path().display().to_string());
        let address = fill(&self.address, &values);
        let mut running = Running::new(address, leases, place, ports, self.memory.clone());
        running.place.prepare(&self.state, &self.files, &values, &mut running.leases)?;
        for companion in &self.companions {
            let command = filled(&companion.command, &values);
            let doing = Doing { environment: filled_map(&companion.environment, &values), fresh: self.is_fresh() };
            running.accompany(command, &doing, &companion.ready, self.ready_within, &values).await?;
        }
        let mut command = filled(&self.command, &values);
        for (name, value) in options {
            let mut values = values.clone();
            values.insert("value".into(), value.to_string());
            command.extend(filled(self.options.get(name).map_or(&[][..], Vec::as_slice), &values));
        }
        let doing = Doing { environment: filled_map(&self.environment, &values), fresh: self.is_fresh() };
        running.lead(command, &doing, &self.ready, self.ready_within, &values).await?;
        Ok(running)
    }

    /// Builds before the first start. Whoever comes meanwhile waits, and hears of the same failure.
    async fn build_once(&self) -> Result<(), StartError> {
        if self.build.is_empty() {
            return Ok(());
        }
        let building = self.memory.built.get_or_init(|| async {
            let directory = match &self.directory {
                Directory::Folder(folder) => files::absolute(folder)?,
                Directory::Fresh => files::absolute(&self.folder)?,
            };
            // Another run may be building the same.
            let _lease = Leases::take(&BTreeSet::from([format!("build {}", directory.display())])).await?;
            running::to_the_end(filled(&self.build, &self.values()?), &directory).await
        });
        building.await.clone()
    }

    /// What is known before a start.
    fn values(&self) -> Result<Values, StartError> {
        Ok(Values::from([("folder".to_owned(), files::absolute(&self.folder)?.display().to_string())]))
    }

    /// Ports that are the same at every start, also one that stands in the address as a number.
    fn fixed_ports(&self, known: &BTreeMap<String, Option<u16>>) -> BTreeSet<u16> {
        let constant = host_and_port(&self.address).and_then(|(_, port)| port.parse().ok());
        known.values().flatten().copied().chain(constant).collect()
    }

    /// What of this program only one instance can have at a time, among all runs on this machine.
    fn shared(&self, fixed: &BTreeSet<u16>, directory: &Path, values: &Values) -> BTreeSet<String> {
        let ports = fixed.iter().map(|port| format!("port {port}"));
        let paths = self.state.iter().chain(self.files.keys()).filter(|path| self.is_shared(path));
        ports.chain(paths.map(|path| files::lease_of(&directory.join(fill(path, values))))).collect()
    }

    /// Whether two instances would meet at this path: not in fresh folders, nor if it is named after a free port.
    fn is_shared(&self, path: &str) -> bool {
        let known = self.all_ports();
        let fresh = self.is_fresh() && Path::new(path).is_relative() && !path.starts_with('{');
        let own = |name: &String| name == "directory" && self.is_fresh() || known.get(name) == Some(&None);
        !fresh && !placeholders(path).iter().any(own)
    }

    fn is_fresh(&self) -> bool {
        self.directory == Directory::Fresh
    }

    async fn leases(&self, fixed: &BTreeSet<u16>, directory: &Path, values: &Values) -> Result<Leases, StartError> {
        let wanted = self.shared(fixed, directory, values);
        if let Ok(leases) = timeout(PATIENT, Leases::take(&wanted)).await {
            return leases;
        }
        let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
        anstream::eprintln!("waiting for another run, which has {}", names.join(", "));
        Leases::take(&wanted).await
    }
}

fn filled(words: &[String], values: &Values) -> Vec<String> {
    words.iter().map(|word| fill(word, values)).collect()
}

fn filled_map(map: &BTreeMap<String, String>, values: &Values) -> BTreeMap<String, String> {
    map.iter().map(|(name, text)| (name.clone(), fill(text, values))).collect()
}

impl Starter for Program {
    fn start<'a>(&'a self, options: &'a ServerOptions) -> Eventually<'a, Result<Box<dyn Instance>, StartError>> {
        Box::pin(async move {
            let running = self.launch(options).await?;
            Ok(Box::new(running) as Box<dyn Instance>)
        })
    }

    fn can_set(&self, option: &str) -> bool {
        self.options.contains_key(option) || self.texts().flat_map(placeholders).any(|name| name == option)
    }

    fn is_ours(&self) -> bool {
        true
    }

    /// A fixed port, and a file that all instances name alike, can be had by one instance alone.
    fn bears_several(&self) -> bool {
        self.shared(&self.fixed_ports(&self.all_ports()), Path::new("/"), &Values::new()).is_empty()
    }

    fn restart(&self) -> Restart {
        // The system may keep a fixed port from being taken again for a minute: nobody is started anew without need.
        let usual = if self.bears_several() { Restart::Groups } else { Restart::Never };
        self.restart.unwrap_or(usual)
    }
}
