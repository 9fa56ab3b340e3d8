//! Servers that are wrong as a whole.
use std::sync::Arc;
use spec::{Spec, dialect::Dialect, scenario::Scenario};
/// What one of them passes.
#[derive(Debug)]
pub struct Score { /// name
 pub name: String, /// about
 pub about: String, /// passed
 pub passed: usize, /// counted
 pub counted: usize, /// ids
 pub passed_ids: Vec<String> }
/// Scores.
pub async fn scores(_: &Arc<Spec>, _: &[Arc<Scenario>], _: Arc<Dialect>) -> Vec<Score> { Vec::new() }
