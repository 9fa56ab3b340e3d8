//! What was judged of each requirement of the chapter CLOCKS, and the findings that come of it.
//!
//! Nothing here looks at a log.

/// How many violations of one requirement are shown.
const SHOWN: usize = 3;

/// One judged requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockFinding {
    /// Its id.
    pub requirement: String,
    /// What came of it.
    pub verdict: Verdict,
    /// The lines that show it: log, line number, line. For a pass, how often it was judged.
    pub evidence: String,
}

/// What the logs say about a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Wherever it could be judged, it was kept.
    Pass,
    /// It was broken.
    Fail,
    /// There was nothing to judge, or what would decide it is missing from the logs.
    Inconclusive,
}

/// The requirements of the chapter; their numbers are those of their ids.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    Lamport = 1,
    Rises,
    Sent,
    Once,
    InOrder,
    NothingLost,
    MaxPlusOne,
    PlusOne,
    Stamp,
    Rate,
    TakesWaiting,
    Queue,
    Line,
}

/// The number of requirements.
const RULES: usize = Rule::Line as usize;

/// What was judged so far.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    rows: [Row; RULES],
}

#[derive(Debug, Default)]
struct Row {
    judged: usize,
    broken: usize,
    shown: Vec<String>,
    doubt: Option<String>,
}

impl Ledger {
    /// Notes one judgement. The evidence is asked for only if it convicts.
    pub(super) fn judge(&mut self, rule: Rule, kept: bool, evidence: impl FnOnce() -> String) {
        let row = &mut self.rows[rule as usize - 1];
        row.judged += 1;
        if !kept {
            row.broken += 1;
            if row.shown.len() < SHOWN {
                row.shown.push(evidence());
            }
        }
    }

    /// Notes a judgement if it is certain; if it is not and would convict, a doubt.
    pub(super) fn judge_if(&mut self, rule: Rule, certain: bool, kept: bool, evidence: impl FnOnce() -> String) {
        if certain {
            self.judge(rule, kept, evidence);
        } else if !kept {
            self.doubt(rule, || format!("{}\nmay stand in a line that is missing", evidence()));
        }
    }

    /// Notes why a requirement cannot be said to be kept. The first reason is shown.
    pub(super) fn doubt(&mut self, rule: Rule, why: impl FnOnce() -> String) {
        self.rows[rule as usize - 1].doubt.get_or_insert_with(why);
    }

    /// One finding for each requirement, in the order of their numbers.
    pub(super) fn findings(self) -> Vec<ClockFinding> {
        let finding = |(before, row): (usize, Row)| {
            let (verdict, evidence) = row.finding();
            ClockFinding { requirement: format!("CLOCKS-{}", before + 1), verdict, evidence }
        };
        self.rows.into_iter().enumerate().map(finding).collect()
    }
}

impl Row {
    fn finding(self) -> (Verdict, String) {
        match self {
            Row { broken: 0, doubt: Some(doubt), .. } => (Verdict::Inconclusive, doubt),
            Row { judged: 0, .. } => (Verdict::Inconclusive, "nothing in the logs shows it".to_owned()),
            Row { broken: 0, judged, .. } => (Verdict::Pass, format!("kept {judged} times")),
            Row { broken, judged, shown, .. } => {
                let head = format!("broken {broken} times of {judged}");
                (Verdict::Fail, std::iter::once(head).chain(shown).collect::<Vec<_>>().join("\n"))
            }
        }
    }
}
