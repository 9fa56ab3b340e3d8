//! How the command ends: one number per meaning, so that scripts can tell them apart.

use std::process::ExitCode;

/// The meaning of an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything that applies passed, or fails as it was known to.
    Passed = 0,
    /// A MUST is broken, a policy is not as declared, or the list of known failures is out of date.
    Findings = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// The target never started or went away, some cases could not be decided, or none applied.
    Undecided = 3,
    /// A YAML file has mistakes.
    BadYaml = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// The table for `--help`.
pub const TABLE: &str = "\
Exit codes:
  0  everything that applies passed, or fails as it was known to
  1  findings: a MUST is broken, a policy is not as declared, or the known-failure file is out of date
  2  usage: the command line cannot be understood
  3  undecided: the target never started or went away, or cases could not be decided, or none applied
  4  a YAML file has mistakes";
