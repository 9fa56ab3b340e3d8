//! The second look at cases in which something never came, or a connection was lost.
//!
//! Each is played again by itself. Connections that were lost come first, one after another, so that a target which
//! dies of a case is caught in the act. Silent cases follow with up to ten times the deadline: they act one at a time and wait
//! side by side. Two different outcomes are inconclusive, never passed; silence counts only if another connection was
//! answered afterwards.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::drive::Outcome;
use crate::finding::{CaseResult, Evidence, Verdict};
use crate::history::History;
use crate::run::group::{Doubtful, First, Group, Missed, with_output};
use crate::run::life;
use crate::target::{Instance, StartError};

/// In the reason of a case that a server which needs more time may pass.
pub(crate) const MORE_TIME: &str = "with more time";

/// In the reason of a case that lost its connection among others, and not by itself.
pub(crate) const IN_COMPANY: &str = "with others in play";

/// What came of a case that was played alone.
enum Alone {
    /// It passed.
    Passed,
    /// It is decided.
    Decided,
    /// The target died of it, and was started again.
    Died,
}

impl Group<'_> {
    pub(super) async fn second_round(
        &mut self,
        instance: &mut Box<dyn Instance>,
        doubtful: Vec<Doubtful>,
    ) -> Result<(), StartError> {
        if doubtful.is_empty() {
            return Ok(());
        }
        if self.settings.regardless {
            // A second look could only convict, and never let a case pass.
            for Doubtful { case, first, .. } in doubtful {
                let why = format!("not looked at again: {}", first.evidence.seen);
                let dialect = &self.target.dialect.name;
                let result =
                    CaseResult::new(dialect, &case.scenario, Verdict::Inconclusive, why).with_evidence(*first.evidence);
                self.decide(&case, result);
            }
            return Ok(());
        }
        self.progress.again(doubtful.len());
        let alone = |doubtful: &Doubtful| doubtful.first.missed == Missed::Connection || doubtful.interrupted;
        let (lost, silent): (Vec<_>, Vec<_>) = doubtful.into_iter().partition(alone);
        let (mut culprits, mut bystanders) = (0, Vec::new());
        for doubtful in lost {
            self.in_time()?;
            match self.again_alone(instance, &doubtful).await? {
                Alone::Died => culprits += 1,
                Alone::Passed => bystanders.push(doubtful),
                Alone::Decided => {}
            }
        }
        for Doubtful { case, first, interrupted, .. } in bystanders {
            // Whoever was interrupted by a death that another case is guilty of has shown nothing the first time.
            let result = if interrupted && culprits > 0 {
                CaseResult::new(&self.target.dialect.name, &case.scenario, Verdict::Passed, "")
            } else {
                compare(&self.target.dialect.name, &case.scenario, &first, Outcome::Passed(History::default()), true)
            };
            self.decide(&case, result);
        }
        self.again_side_by_side(instance, silent).await
    }

    /// Plays a case with no other in play. Where the target answers nobody afterwards, that may be because of all that it
    /// has been through, so it must happen once more on a new one.
    async fn again_alone(
        &mut self,
        instance: &mut Box<dyn Instance>,
        doubtful: &Doubtful,
    ) -> Result<Alone, StartError> {
        let Doubtful { case, first, .. } = doubtful;
        let mut worn: Option<String> = None;
        loop {
            let mut stage = self.stage(&**instance);
            stage.patience = stage.patience.second_round();
            let grounds = self.ground(&**instance);
            let playing = grounds.play(&stage, &case.scenario, self.names, again_number(case.number));
            let Some(outcome) = self.end().until(playing).await else {
                return self.in_time().map(|()| Alone::Decided);
            };
            let alive = match &outcome {
                Outcome::Passed(_) => true,
                Outcome::Lost(_) | Outcome::Silent(_) => life::proof(&stage).await,
                _ => true,
            };
            match (&outcome, &worn) {
                (Outcome::Passed(_), None) => return Ok(Alone::Passed),
                (_, None) if alive || self.settings.regardless => {
                    let mut result = compare(&self.target.dialect.name, &case.scenario, first, outcome, true);
                    with_output(&mut result, &**instance);
                    self.decide(case, result);
                    return Ok(Alone::Decided);
                }
                (Outcome::Passed(_), Some(seen)) => {
                    let why = format!("{seen}, after many other cases; a new one did not");
                    let result = CaseResult::new(&self.target.dialect.name, &case.scenario, Verdict::Inconclusive, why);
                    self.decide(case, result.with_evidence(*first.evidence.clone()));
                    return Ok(Alone::Died);
                }
                (_, Some(_)) if alive => {
                    let mut result = compare(&self.target.dialect.name, &case.scenario, first, outcome, true);
                    with_output(&mut result, &**instance);
                    self.decide(case, result);
                    return Ok(Alone::Died);
                }
                _ => {}
            }
            let seen = life::ending(instance, "the target stopped answering anybody".into()).await;
            if !self.target.starter.is_ours() {
                return Err(StartError { why: seen, output: instance.output() });
            }
            let output = instance.output();
            self.renew(instance).await?;
            if worn.is_none() {
                worn = Some(seen);
                continue;
            }
            // A new one, alone with this case, died: whatever the case claims, that is wrong.
            if let Outcome::Lost(mut evidence) | Outcome::Silent(mut evidence) = outcome {
                evidence.seen = format!("{}; {seen}, with no other case in play", evidence.seen);
                evidence.output = output;
                evidence.convicts.clear();
                let result = CaseResult::failed(&self.target.dialect.name, &case.scenario, *evidence);
                self.decide(case, result);
            }
            return Ok(Alone::Died);
        }
    }

    async fn again_side_by_side(
        &mut self,
        instance: &mut Box<dyn Instance>,
        silent: Vec<Doubtful>,
    ) -> Result<(), StartError> {
        if silent.is_empty() {
            return Ok(());
        }
        let mut stage = self.stage(&**instance);
        stage.patience = stage.patience.second_round();
        let stage = Arc::new(stage);
        let mut players = JoinSet::new();
        for (index, doubtful) in silent.iter().enumerate() {
            let (stage, scenario) = (stage.clone(), doubtful.case.scenario.clone());
            let (names, number, grounds) =
                (self.names.clone(), again_number(doubtful.case.number), self.ground(&**instance));
            let end = self.end();
            players.spawn(
                async move { (index, end.clone().until(grounds.play(&stage, &scenario, &names, number)).await) },
            );
        }
        let mut outcomes = Vec::new();
        while let Some(played) = players.join_next().await {
            if let Ok((index, Some(outcome))) = played {
                outcomes.push((index, outcome));
            }
        }
        outcomes.sort_by_key(|(index, _)| *index);
        let alive = life::proof(&stage).await;
        for (index, outcome) in outcomes {
            let Doubtful { case, first, .. } = &silent[index];
            let mut result = compare(&self.target.dialect.name, &case.scenario, first, outcome, alive);
            with_output(&mut result, &**instance);
            self.decide(case, result);
        }
        self.in_time()
    }
}

/// Names of a second play are new, too: the first may have left accounts behind.
pub(super) fn again_number(number: usize) -> usize {
    const SECOND_PLAYS: usize = 23_000;
    number + SECOND_PLAYS
}

/// What two plays come to together. `alive`: somebody else was answered after the second.
pub(super) fn compare(
    dialect: &str,
    scenario: &Arc<spec::scenario::Scenario>,
    first: &First,
    outcome: Outcome,
    alive: bool,
) -> CaseResult {
    let First { evidence: first, missed, in_company } = first;
    let inconclusive = |why: String, evidence: Evidence| {
        CaseResult::new(dialect, scenario, Verdict::Inconclusive, why).with_evidence(evidence)
    };
    match outcome {
        Outcome::Silent(evidence) | Outcome::Lost(evidence) if !alive => {
            inconclusive("the target answers nobody any more, so its silence here says nothing".into(), *evidence)
        }
        // The same step twice: in the first round with everybody, in the second by itself.
        Outcome::Silent(evidence) | Outcome::Lost(evidence) if evidence.step == first.step => {
            let claims = evidence.step > 0 && scenario.steps[evidence.step - 1].gets.is_some();
            if claims {
                CaseResult::failed(dialect, scenario, *evidence)
            } else {
                inconclusive(format!("preparation did not succeed: {}", evidence.seen), *evidence)
            }
        }
        // On a wire whose messages end with a pause, what failed is looked at again with longer pauses.
        Outcome::Failed(evidence) if evidence.step == first.step => CaseResult::failed(dialect, scenario, *evidence),
        Outcome::Inapplicable(why) => CaseResult::new(dialect, scenario, Verdict::NotApplicable, why),
        Outcome::Passed(_) => {
            let seen = &first.seen;
            let why = match (missed, in_company) {
                (Missed::Words, _) => format!("first {seen}; by itself, {MORE_TIME}, it passed"),
                // Closing is no slowness.
                (Missed::Connection, true) => format!("{IN_COMPANY}, {seen}; by itself it passed"),
                (Missed::Connection, false) => format!("first {seen}; in a second play it passed"),
            };
            inconclusive(why, (**first).clone())
        }
        Outcome::Failed(evidence)
        | Outcome::Undecided(evidence)
        | Outcome::Silent(evidence)
        | Outcome::Lost(evidence) => {
            inconclusive(format!("two plays, two outcomes: first {}, then {}", first.seen, evidence.seen), *evidence)
        }
    }
}
