//! The suite, judged: servers that are wrong as a whole pass next to nothing.

use std::sync::Arc;

use conformance::{baseline, select};
use spec::Spec;

/// The most that such a server may pass, in percent. Other suites let them pass half.
const MOST_PERCENT: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_nothing_passes_next_to_nothing() {
    let spec = Arc::new(Spec::embedded().clone());
    let scenarios = select::scenarios(&spec).unwrap_or_else(|found| panic!("{found}"));
    let dialect = spec.dialect("framed").expect("the protocol's own wire");
    let scores = baseline::scores(&spec, &scenarios, dialect).await;
    for score in &scores {
        println!("{:>4} of {} · {}: {}", score.passed, score.counted, score.name, score.about);
        score.passed_ids.iter().for_each(|id| println!("         {id}"));
    }
    for score in scores {
        assert!(score.counted >= 150, "{} cases are too few to say anything", score.counted);
        let most = score.counted * MOST_PERCENT / 100;
        assert!(score.passed <= most, "{} passes {} of {}", score.name, score.passed, score.counted);
    }
}
