//! The logical-clock peers, judged: in simulated time, over real sockets, and made wrong on purpose.

use std::collections::BTreeSet;
use std::time::Duration;

use conformance::check::clock::{ClockFinding, PeerLog, Policies, Queue, Stamp, Verdict, check};
use conformance::mutant::clock::{MUTANTS, Mutant};
use conformance::sim::clock::{IDS, Play, logs};
use reference_server::clock::message::Message;
use reference_server::clock::peer::{Other, Peer, Settings};
use reference_server::clock::{self, Clock, Input};
use reference_server::net::Tcp;
use reference_server::world::World;
use serde_yaml::Value;

/// The first peer gets nearly as much as it can take, so its queue fills and empties.
const RATES: [u32; 3] = [2, 6, 4];

fn play(seed: u64) -> Play {
    Play { seed, rates: RATES, steps: [clock::step; 3], duration: Duration::from_secs(60) }
}

fn judge(play: &Play) -> Vec<ClockFinding> {
    let texts = logs(play);
    let read: Vec<PeerLog> =
        (0..3).map(|own| PeerLog::parse(format!("peer {}", IDS[own]), &texts[own]).at_rate(play.rates[own])).collect();
    check(&read, Policies::default())
}

fn with(verdict: Verdict, findings: &[ClockFinding]) -> BTreeSet<String> {
    findings.iter().filter(|finding| finding.verdict == verdict).map(|finding| finding.requirement.clone()).collect()
}

/// Judges hand-written logs, one text for each peer, and compares which requirements fail.
fn check_texts(texts: &[&str], policies: Policies, expected: &[&str]) -> Vec<ClockFinding> {
    let read: Vec<PeerLog> =
        texts.iter().enumerate().map(|(at, text)| PeerLog::parse(format!("log {at}"), text)).collect();
    let findings = check(&read, policies);
    let expected: BTreeSet<String> = expected.iter().map(|id| (*id).to_owned()).collect();
    assert_eq!(with(Verdict::Fail, &findings), expected, "{findings:#?}");
    findings
}

fn line(peer: u16, clock: u64, event: &str) -> String {
    format!(r#"{{"time":{},"peer":{peer},"clock":{clock},"event":{event}}}"#, 1_000 * clock) + "\n"
}

#[test]
fn the_reference_keeps_every_requirement() {
    for seed in 1..=5 {
        let findings = judge(&play(seed));
        assert_eq!(findings.len(), 13);
        assert_eq!(with(Verdict::Pass, &findings).len(), 13, "seed {seed}: {findings:#?}");
    }
}

#[test]
fn a_seed_repeats_a_run() {
    assert_eq!(logs(&play(7)), logs(&play(7)));
    assert_ne!(logs(&play(7)), logs(&play(8)));
}

/// One of three peers is bent. Its own requirement fails, and no other but those that it cannot keep either.
#[test]
fn every_mutant_is_caught_by_its_requirement() {
    for Mutant { name, caught_by, also, step } in MUTANTS {
        let findings = judge(&Play { steps: [step, clock::step, clock::step], ..play(1) });
        let failed = with(Verdict::Fail, &findings);
        assert!(failed.contains(caught_by), "{name} is not caught by {caught_by}: {failed:?}");
        let allowed: BTreeSet<&str> = also.iter().copied().chain([caught_by]).collect();
        assert!(
            failed.iter().all(|id| allowed.contains(id.as_str())),
            "{name} fails more than it does wrong: {failed:?}"
        );
    }
}

/// Three peers in this process, on ports of the operating system, for three seconds of real time.
#[tokio::test]
async fn three_peers_over_real_sockets_keep_every_requirement() {
    let mut peers = Vec::new();
    for seed in 1..=3 {
        let real = World::real();
        let world = World::seeded(seed, move || real.now_ms());
        peers.push(Peer::bind(Tcp, world, "127.0.0.1:0").await.expect("a free port"));
    }
    let addresses: Vec<String> = peers.iter().map(|peer| peer.local_addr().expect("an address").to_string()).collect();
    let mut running = Vec::new();
    for (own, peer) in peers.into_iter().enumerate() {
        let other = |steps: usize| {
            let at = (own + steps) % 3;
            Other { id: at as u16 + 1, address: addresses[at].clone() }
        };
        let settings = Settings {
            id: own as u16 + 1,
            rate: 6 - own as u32,
            others: [other(1), other(2)],
            wait: Duration::from_secs(30),
            duration: Some(Duration::from_secs(3)),
        };
        running.push(tokio::spawn(async move {
            let mut lines = Vec::new();
            peer.run(settings, clock::step, &mut lines, std::future::pending()).await.expect("the peer runs");
            PeerLog::parse(format!("peer {}", own + 1), &String::from_utf8(lines).expect("a log is text"))
                .at_rate(6 - own as u32)
        }));
    }
    let mut read = Vec::new();
    for peer in running {
        read.push(peer.await.expect("no peer panics"));
    }
    let findings = check(&read, Policies::default());
    assert_eq!(with(Verdict::Fail, &findings), BTreeSet::new(), "{findings:#?}");
    assert!(with(Verdict::Pass, &findings).contains("CLOCKS-1"), "{findings:#?}");
}

#[test]
fn messages_under_way_at_the_end_are_not_lost() {
    let sender = line(1, 1, r#""sent","to":[2,3],"stamp":1"#) + &line(1, 2, r#""sent","to":[2],"stamp":2"#);
    let receiver = line(2, 2, r#""received","from":1,"stamp":1,"queue":0"#);
    check_texts(&[&sender, &receiver], Policies::default(), &[]);
}

#[test]
fn a_line_that_cannot_be_read_is_named_and_accuses_nobody_else() {
    let sender = format!("{}half a line\n", line(1, 1, r#""sent","to":[2],"stamp":1"#));
    let receiver = line(2, 2, r#""received","from":1,"stamp":1,"queue":0"#)
        + &line(2, 3, r#""received","from":1,"stamp":2,"queue":0"#);
    let findings = check_texts(&[&sender, &receiver], Policies::default(), &["CLOCKS-13"]);
    assert!(findings[12].evidence.contains("log 0 line 2: expected value"), "{}", findings[12].evidence);
    assert_eq!(findings[2].verdict, Verdict::Inconclusive);
}

#[test]
fn a_last_line_that_was_cut_off_is_none() {
    let log = line(1, 1, r#""internal""#) + r#"{"time":20"#;
    check_texts(&[&log], Policies::default(), &[]);
}

#[test]
fn a_log_tells_of_one_peer() {
    let log = line(1, 1, r#""internal""#) + &line(2, 2, r#""internal""#);
    check_texts(&[&log], Policies::default(), &["CLOCKS-13"]);
}

#[test]
fn empty_logs_prove_nothing() {
    let findings = check_texts(&["", "", ""], Policies::default(), &[]);
    assert_eq!(with(Verdict::Inconclusive, &findings).len(), 13);
}

#[test]
fn more_cannot_wait_than_was_sent() {
    let (sender, idler) = (line(1, 1, r#""sent","to":[2],"stamp":1"#), line(3, 1, r#""internal""#));
    let receiver = line(2, 2, r#""received","from":1,"stamp":1,"queue":1"#);
    check_texts(&[&sender, &receiver, &idler], Policies::default(), &["CLOCKS-12"]);
    // Counted before the message is taken, the same line is right.
    let policies = Policies { queue: Queue::BeforeTaking, ..Policies::default() };
    check_texts(&[&sender, &receiver, &idler], policies, &[]);
}

/// The policy allows the stamp; that a receive then shares the clock of its send is still against Lamport.
#[test]
fn a_stamp_from_before_the_tick_can_break_the_order() {
    let sender = line(1, 1, r#""internal""#) + &line(1, 2, r#""sent","to":[2],"stamp":1"#);
    let receiver = line(2, 2, r#""received","from":1,"stamp":1,"queue":0"#);
    let policies = Policies { stamp: Stamp::BeforeTick, ..Policies::default() };
    check_texts(&[&sender, &receiver], policies, &["CLOCKS-1"]);
    check_texts(&[&sender, &receiver], Policies::default(), &["CLOCKS-1", "CLOCKS-9"]);
}

#[test]
fn a_peer_faster_than_its_rate_is_seen_and_a_held_up_one_forgiven() {
    let lines = |time: fn(u64) -> u64| -> String {
        let line = |clock| format!(r#"{{"time":{},"peer":1,"clock":{clock},"event":"internal"}}"#, time(clock)) + "\n";
        (1..=60).map(line).collect()
    };
    check_texts(&[&lines(|clock| clock * 100)], Policies::default(), &["CLOCKS-10"]);
    // Six ticks a second; the 30th to the 35th line were all written a second after the 30th.
    let held_up = lines(|clock| if (30..36).contains(&clock) { 36 * 167 } else { clock * 167 });
    check_texts(&[&held_up], Policies::default(), &[]);
}

/// What the code holds as constants stands in `clocks.yaml`, and every requirement that is judged is written down.
#[test]
fn the_specification_says_what_the_code_does() {
    let clocks: Value = serde_yaml::from_str(include_str!("../../spec/protocol/clocks.yaml")).expect("YAML");
    assert_eq!(clocks["message"]["bytes"], Value::from(Message::BYTES));
    assert_eq!((&clocks["rate"]["min"], &clocks["rate"]["max"]), (&Value::from(1), &Value::from(6)));
    assert_eq!((&clocks["die"]["min"], &clocks["die"]["max"]), (&Value::from(1), &Value::from(10)));
    let faces = clocks["events"]["sent"]["die"].as_mapping().expect("faces");
    for face in 1..=10 {
        let mut clock = Clock::new(1, [2, 3]);
        let sends = clock::step(&mut clock, Input::Tick { die: face }, 0).len() > 1;
        assert_eq!(faces.contains_key(Value::from(face)), sends, "die {face}");
    }

    let chapter: Value = serde_yaml::from_str(include_str!("../../spec/requirements/clocks.yaml")).expect("YAML");
    let written = chapter["requirements"].as_mapping().expect("requirements");
    let written: Vec<&str> = written.keys().filter_map(Value::as_str).collect();
    let findings = check(&[], Policies::default());
    let judged: Vec<&str> = findings.iter().map(|finding| finding.requirement.as_str()).collect();
    assert_eq!(written, judged);
    assert!(MUTANTS.iter().all(|mutant| judged.contains(&mutant.caught_by)));
}
