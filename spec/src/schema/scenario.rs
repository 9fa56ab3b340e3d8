//! The layout of `scenarios/<chapter>/<topic>.yaml`. What it means is told in `docs/reference/scenario-language.md`.

#![expect(dead_code, reason = "layouts are described, never filled")]

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::Value as Json;

use super::words::{Capability, Operation, Outcome, ServerOption, Verb, When};

/// A short play that shows whether requirements are kept. A file holds several, separated by `---`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ScenarioLayout {
    /// Its name: a lower-case sentence, unique in the chapter.
    scenario: String,
    /// The ids of the requirements that it exercises.
    checks: Vec<String>,
    /// What kind of server gets this wrong, or why it is looked at in this way.
    why: String,
    /// Capabilities without which it does not apply. Operations that it uses need not be named.
    needs: Option<Vec<Capability>>,
    /// Policies under which it applies.
    when: Option<When>,
    /// The only dialects that it is for; for plays whose subject is bytes.
    dialects: Option<Vec<String>>,
    /// Options that the server must have been started with.
    server: Option<BTreeMap<ServerOption, u64>>,
    /// `transport`: it may harm a weak server, and so runs last.
    group: Option<Group>,
    /// How an actor begins; whoever is not listed is `online`.
    actors: Option<BTreeMap<String, Presence>>,
    /// The play.
    steps: Vec<Step>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Group {
    /// It may harm a weak server, and so runs last.
    Transport,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Presence {
    /// Has an account, is connected and logged in.
    Online,
    /// Has an account and no connection.
    Offline,
    /// Is connected and has no account.
    Stranger,
}

/// One step: `ACTOR: VERB`, and then what goes with it and what must come.
#[derive(JsonSchema)]
struct Step {
    /// Steps of several actors, sent before any answer is read.
    together: Option<Vec<Step>>,
    /// Arguments; what is left out has its default. `waits` takes `{ms: 300}`.
    with: Option<BTreeMap<String, Given>>,
    /// What must come. It is a claim: if something else comes, that convicts the server.
    gets: Option<Expect>,
    /// The requirements that this claim stands for, if not all of `checks`.
    shows: Option<Vec<String>>,
    /// Values of the answer to remember: a name, and where the value stands, such as `messages.0.message_id`.
    keep: Option<BTreeMap<String, String>>,
    /// Do it so many times; `{n}` is 1, 2, 3 …
    times: Option<u64>,
    /// Numbers that the frame of the answer must have.
    frame: Option<BTreeMap<String, u64>>,
    /// What `writes` puts on the wire, frame by frame.
    frames: Option<Vec<Frame>>,
    /// What `writes` puts on the wire, as hex; `#` begins a comment.
    hex: Option<String>,
    /// In which pieces `writes` does so.
    how: Option<How>,
    /// `half_closes`: right after `writes`, it says that it will send no more.
    then: Option<Afterwards>,
    /// The actor, or `server`, and what it does.
    #[schemars(flatten)]
    actor: BTreeMap<String, Verb>,
}

/// A value: a number, true or false, a text (perhaps with holes), or one that is made.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Given {
    Number(u64),
    Flag(bool),
    Text(String),
    Made(Made),
}

#[derive(JsonSchema)]
#[schemars(untagged, deny_unknown_fields)]
pub(super) enum Made {
    /// A text so many times.
    Repeat { repeat: String, times: u64 },
    /// Bytes.
    Hex { hex: String },
    /// A username of this case with so many characters, new each time.
    Fresh { fresh: u64, filler: Option<String> },
}

/// A word, fields of the result, an event or error with its fields, or several things in order.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Expect {
    Word(Outcome),
    Fields(BTreeMap<String, Json>),
    Sequence(Vec<Expect>),
}

/// An operation with its arguments, `hex` with bytes, or an operation that is made wrong.
#[derive(JsonSchema)]
#[schemars(untagged, deny_unknown_fields)]
enum Frame {
    Hex { hex: String },
    Damaged { damaged: Damage, of: BTreeMap<Operation, BTreeMap<String, Given>> },
    Operation(BTreeMap<Operation, BTreeMap<String, Given>>),
    Bare(Operation),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Damage {
    /// It asks for an operation that does not exist.
    UnknownOperation,
    /// It is of a version that does not exist.
    OtherVersion,
    /// It says that it is longer than anything may be.
    TooLong,
    /// Its text is not UTF-8.
    InvalidText,
}

#[derive(JsonSchema)]
#[schemars(untagged, deny_unknown_fields)]
enum How {
    /// In one write, or a byte at a time.
    Pieces(Pieces),
    /// Cut at these offsets, each part a write of its own.
    Split { split: Vec<u64> },
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Afterwards {
    HalfCloses,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Pieces {
    Joined,
    Dripped,
}
