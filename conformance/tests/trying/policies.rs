//! Policies: what is seen of them, what a run says where they are others than declared, and that nothing hides there.

use std::sync::Arc;
use std::time::Duration;

use conformance::exit::Exit;
use conformance::expected::Known;
use conformance::finding::Verdict;
use conformance::mutant;
use conformance::report::Report;
use conformance::run::{Quiet, Run, Settings, run};
use conformance::select::{Case, Filter, cases, scenarios};
use conformance::target::{Reference, Target};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use spec::Spec;
use tempfile::TempDir;

use super::{conformance, folder, read, reference_server, told};

/// Judges the reference, which obeys its own dialect, as if it had declared other choices.
fn judge_as_if(declared: &[(&str, &str)], keep: impl Fn(&Case) -> bool) -> Report {
    let spec = Arc::new(Spec::embedded().clone());
    let dialect = spec.dialect("framed").expect("the protocol's own wire");
    let starter = Arc::new(Reference::new(spec.clone(), dialect.clone()));
    let policies = declared.iter().map(|(policy, choice)| ((*policy).to_owned(), (*choice).to_owned())).collect();
    let target = Target::new("the server", "", dialect, starter).with_policies(policies);
    judge(&spec, target, &Filter::default(), &Settings::default(), keep)
}

fn judge(
    spec: &Arc<Spec>,
    target: Target,
    filter: &Filter,
    settings: &Settings,
    keep: impl Fn(&Case) -> bool,
) -> Report {
    let scenarios = scenarios(spec).expect("no mistakes");
    let mut cases = cases(&scenarios, &target, filter);
    cases.retain(keep);
    let settings = Settings { looks_at_policies: true, ..settings.clone() };
    let runtime = tokio::runtime::Runtime::new().expect("the system has threads to give");
    let run: Run = runtime.block_on(run(&target, spec, cases, &settings, &Quiet));
    Report::new(spec.clone(), target, run, Known::default())
}

#[test]
fn a_server_that_is_as_it_declares_is_told_nothing() {
    let report = judge_as_if(&[], |_| true);
    assert!(report.run.differences.is_empty(), "{:?}", report.run.differences);
    assert_eq!(report.exit(), Exit::Passed);
}

#[test]
fn each_policy_that_is_another_one_than_declared_is_one_finding_and_no_case_fails_of_it() {
    for (policy, declared, observed) in [
        ("after_create", "logged_in", "logged_out"),
        ("at_log_in", "messages", "nothing"),
        ("second_log_in", "takes_over", "refused_unless_taken_over"),
        ("list_needs_session", "open", "needed"),
        ("pattern", "like", "glob"),
        ("list_order", "creation", "sorted"),
        ("listed", "others", "everyone"),
        ("delivery", "poll", "push"),
        ("deliver_drains", "at_once", "acknowledged"),
        ("echo", "echoed", "none"),
        ("delete_waiting", "discarded", "refused_unless_discarded"),
        ("delete_needs", "session", "session_and_password"),
        ("deleted_name", "kept", "free"),
        ("log_out_by", "disconnect", "operation"),
    ] {
        // What depends on it, and of all others enough to show that they are played as ever. How actors are made ready, and
        // how patterns are written, concerns every case.
        let concerns_all = matches!(policy, "after_create" | "pattern");
        let report = judge_as_if(&[(policy, declared)], |case| {
            concerns_all || case.scenario.when.contains_key(policy) || case.number % 8 == 0
        });
        let [difference] = report.run.differences.as_slice() else {
            panic!("{policy}: {:?}", report.run.differences.iter().map(|it| it.sentence()).collect::<Vec<_>>());
        };
        assert_eq!((difference.policy.as_str(), difference.declared.as_str()), (policy, declared));
        assert_eq!(difference.observed[0], observed);
        assert!(!difference.history.entries.is_empty(), "{policy} has no evidence");
        let failed: Vec<&str> = report.news().map(|result| result.id.as_str()).collect();
        assert!(failed.is_empty(), "{policy}: {failed:?}");
        let why = difference.sentence();
        let not_judged = report.run.results.iter().filter(|it| it.verdict == Verdict::NotJudged && it.why == why);
        assert_eq!(not_judged.count(), difference.cases);
        assert_eq!(report.exit(), Exit::Findings);
    }
}

/// The differences that are seen of a server, if it is said to choose something.
fn differences(target: Target, declared: (&str, &str), spec: &Arc<Spec>) -> Vec<String> {
    let target = target.with_policies([(declared.0.to_owned(), declared.1.to_owned())].into());
    let report = judge(spec, target, &Filter::default(), &Settings::default(), |case| {
        case.scenario.when.contains_key(declared.0)
    });
    report.run.differences.iter().map(|it| it.sentence()).collect()
}

/// Whoever lets anybody delete anybody is wrong. No choice of the policy is right for that.
#[test]
fn a_deletion_that_takes_nothing_is_no_policy() {
    let spec = Arc::new(Spec::embedded().clone());
    // A wire with a password for it, which is not looked at.
    let careless = mutant::all().into_iter().find(|it| it.name == "anybody-deletes-anybody").expect("a mutant");
    let target = Target::new("it", "", careless.dialect(&spec), careless.starter(&spec));
    assert_eq!(differences(target, ("delete_needs", "session"), &spec), [""; 0]);
    // A wire with a name and no password, over which a name is enough.
    if cfg!(feature = "grpc") {
        let dialect = spec.dialect("000-grpc").expect("a wire without passwords");
        let mut open = (*dialect).clone();
        open.policies.insert("delete_needs".into(), "password".into());
        let starter = Arc::new(Reference::new(spec.clone(), Arc::new(open)));
        let target = Target::new("it", "", dialect, starter);
        assert_eq!(differences(target, ("delete_needs", "session"), &spec), [""; 0]);
    }
}

/// In the language of this server a dot is any character, which is none that has a name. All names were found.
#[test]
fn who_is_listed_shows_whatever_language_a_pattern_is_in() {
    let spec = Arc::new(Spec::embedded().clone());
    let odd = mutant::all().into_iter().find(|it| it.name == "a-dot-is-any-character").expect("a mutant");
    let target = Target::new("it", "", odd.dialect(&spec), odd.starter(&spec));
    assert_eq!(differences(target, ("listed", "others"), &spec), ["policy listed: declared others, observed everyone"]);
}

/// Over this wire nobody fetches; that somebody is logged in shows in what a list is answered, or a message to nobody.
#[test]
fn a_session_shows_without_messages_to_fetch() {
    let wire = include_str!("../../examples/node/wire.yaml");
    let (before, rest) = wire.split_once("  deliver_messages:").expect("it fetches");
    let rest = &rest[rest.find("\n  delete_account:").expect("an operation behind it") + 1..];
    for list_needs_session in ["needed", "open"] {
        let here = folder();
        let said = format!("list_needs_session: {list_needs_session}");
        let text = format!("{before}{rest}").replace("list_needs_session: open", &said);
        std::fs::write(here.path().join("wire.yaml"), text).expect("there is room");
        let asserted = conformance(here.path(), &["probe", "reference", "--dialect", "wire.yaml", "--policies"]);
        let told = told(&asserted.code(0));
        for policy in ["after_create", "second_log_in", "log_out_by"] {
            let line = told.lines().find(|line| line.starts_with(policy)).expect("a line each");
            assert!(!line.contains('?'), "{told}");
        }
    }
}

#[test]
fn a_declaration_that_rules_out_all_that_is_selected_is_looked_at() {
    let report = judge_as_if(&[("at_log_in", "messages")], |case| {
        case.ruled_out.is_some() && case.scenario.when.contains_key("at_log_in")
    });
    let differences: Vec<String> = report.run.differences.iter().map(|it| it.sentence()).collect();
    assert_eq!(differences, ["policy at_log_in: declared messages, observed nothing"]);
    assert_eq!(report.exit(), Exit::Findings);
}

/// A mistake that looks like another choice is a finding all the same, and any other one is for the cases to find.
#[test]
fn no_mistake_hides_behind_a_policy() {
    let mutants: Vec<mutant::Mutant> = mutant::all().into_iter().filter(hides_if_anything_does).collect();
    // They wait more than they work.
    let by_policy: usize = std::thread::scope(|scope| {
        let parts = mutants.chunks(mutants.len().div_ceil(6));
        let judging: Vec<_> = parts
            .map(|part| scope.spawn(move || part.iter().filter(|mutant| is_found_by_policy(mutant)).count()))
            .collect();
        judging.into_iter().map(|part| part.join().unwrap_or_else(|why| std::panic::resume_unwind(why))).sum()
    });
    assert!(by_policy >= 5, "only {by_policy} mistakes look like another choice");
}

/// Whether a mistake looks like another choice of a policy. It is found in any case.
fn is_found_by_policy(mutant: &mutant::Mutant) -> bool {
    let spec = Arc::new(Spec::embedded().clone());
    let target = Target::new("the server", "", mutant.dialect(&spec), mutant.starter(&spec));
    let requirements = mutant.caught_by.iter().map(|id| (*id).to_owned()).collect();
    let filter = Filter { requirements, ..Filter::default() };
    let settings = Settings { deadline: Some(Duration::from_millis(100)), ..Settings::default() };
    let report = judge(&spec, target, &filter, &settings, |_| true);
    let differences: Vec<String> = report.run.differences.iter().map(|it| it.sentence()).collect();
    assert_eq!(report.exit(), Exit::Findings, "{} is not found: {differences:?}", mutant.name);
    assert!(!differences.is_empty() || report.news().next().is_some(), "{} fails no case", mutant.name);
    for difference in &report.run.differences {
        let choices = &spec.service.policies[&difference.policy].choices;
        assert!(difference.observed.iter().all(|seen| choices.iter().any(|(choice, _)| choice == seen)));
        assert!(!difference.observed.contains(&difference.declared), "{}: {differences:?}", mutant.name);
    }
    !differences.is_empty()
}

/// Mistakes in what policies are about.
fn hides_if_anything_does(mutant: &mutant::Mutant) -> bool {
    let chapters = ["ACCOUNTS-", "SESSIONS-", "LISTING-", "DELIVERY-", "MAILBOXES-", "DELETION-"];
    mutant.caught_by.iter().any(|id| chapters.iter().any(|chapter| id.starts_with(chapter)))
}

/// What no look can tell of the reference over each wire.
const NOT_SEEN: [(&str, &[&str]); 5] = [
    ("000-grpc", &["at_log_in", "delete_waiting", "deliver_drains"]),
    ("001", &["delivery", "echo"]),
    ("001-grpc", &["delivery", "echo"]),
    ("003", &["deliver_drains"]),
    ("003-replicated", &["deliver_drains"]),
];

#[test]
fn what_a_probe_sees_of_the_reference_is_what_each_dialect_declares() {
    let spec = Spec::embedded();
    for dialect in spec.dialects.values().filter(|dialect| dialect.grpc.is_none() || cfg!(feature = "grpc")) {
        let name = dialect.name.as_str();
        let asserted = conformance(folder().path(), &["probe", "reference", "--dialect", name, "--policies"]).code(0);
        let told = told(&asserted);
        let lines: Vec<Vec<&str>> = told.lines().map(|line| line.split_whitespace().collect()).collect();
        let not_seen = NOT_SEEN.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, policies)| policies);
        for policy in spec.service.policies.keys() {
            let declared = dialect.policies[policy].as_str();
            let line = lines.iter().find(|line| line.first() == Some(&policy.as_str())).expect("a line each");
            let observed = if not_seen.contains(&policy.as_str()) { "?" } else { declared };
            assert_eq!(line[1..3], [declared, observed], "{policy} over {name}: {told}");
        }
    }
}

/// A target file for the real reference server, which speaks framed as it is.
fn target_file(here: &TempDir, rest: &str) {
    let command = serde_json::to_string(reference_server()).expect("a text");
    let text = format!("target: mine\ncommand: [{command}, --port, \"{{port}}\", --cost, test]\n{rest}");
    std::fs::write(here.path().join("mine.yaml"), text).expect("there is room for a file");
}

#[test]
fn a_wrong_declaration_is_told_once_with_what_to_write_instead() {
    let here = folder();
    let run =
        ["run", "mine.yaml", "--case", "listing/", "--case", "delivery/", "--json", "it.json", "--junit", "it.xml"];
    target_file(&here, "policies: {list_order: creation, deliver_drains: at_once}\n");
    let asserted = conformance(here.path(), &run).code(1);
    let told = told(&asserted);
    let is_finding = |line: &&str| line.starts_with("FAILED");
    let findings: Vec<&str> = told.lines().filter(is_finding).collect();
    let drains = "FAILED policy deliver_drains: declared at_once, observed acknowledged";
    assert_eq!(findings, [drains, "FAILED policy list_order: declared creation, observed sorted or none"], "{told}");
    for words in ["policies: {deliver_drains: acknowledged}", "are not judged", "→ deliver_messages", "0000  00 00 00"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(told.contains("conformance probe mine.yaml --policies looks again"), "{told}");
    assert!(told.contains("; 2 policies are not as declared"), "{told}");
    let json: serde_json::Value = serde_json::from_str(&read(&here, "it.json")).expect("JSON");
    let not_judged: u64 =
        json["policies"].as_array().expect("a list").iter().filter_map(|it| it["cases"].as_u64()).sum();
    assert!(not_judged > 3, "{}", json["policies"]);
    assert_eq!(json["counts"]["not_judged"].as_u64(), Some(not_judged));
    assert_eq!(json["counts"]["failed"].as_u64(), Some(0));
    assert_eq!(json["policies"][0]["observed"][0], "acknowledged");
    assert!(json["policies"][0]["history"].as_array().is_some_and(|history| !history.is_empty()));
    assert_eq!(read(&here, "it.xml").matches("<failure ").count(), 2);
    // As it is told to be written, nothing is found any more, and nothing is left out.
    target_file(&here, "policies: {list_order: sorted, deliver_drains: acknowledged}\n");
    let asserted = conformance(here.path(), &run).code(0);
    asserted.stdout(contains("not judged").not().and(contains("not as declared").not()));
}
