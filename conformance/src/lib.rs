//! The suite: judges chat servers against the specification.
//!
//! A map of the code, in the order in which data flows:
//!
//! ```text
//! spec + target + filter ─▶ Case ─▶ Run against Target ─▶ History ─▶ Findings ─▶ Report
//! ```
//!
//! - [`target`]: what is judged and how it is had · [`select`]: which cases there are
//! - [`observe`]: which choices a server follows where right ones differ
//! - [`run`]: all cases, side by side, and what came of each · [`drive`]: one play; the only place that awaits a target
//! - [`fault`]: what stands between actors and target, and can break
//! - [`history`]: everything observed · [`check`]: what is right, as pure functions · [`finding`]: verdicts and evidence
//! - [`report`]: for people and machines · [`expected`]: known failures · [`exit`]: exit codes · [`commands`]
//! - [`sim`]: the same in simulated time · [`mutant`], [`baseline`]: wrong servers, which judge the suite itself
//!
//! What is deliberately absent: an opinion of the suite's own. What is right stands in the specification, and nothing
//! here asks the reference server.

pub mod baseline;
pub mod carried;
pub mod check;
pub mod commands;
pub mod drive;
pub mod exit;
pub mod expected;
pub mod fault;
pub mod finding;
pub mod history;
pub mod mutant;
pub mod observe;
pub mod report;
pub mod run;
pub mod select;
pub mod sim;
pub mod target;
