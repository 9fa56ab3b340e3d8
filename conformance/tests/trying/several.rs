//! Several dialects at once: one report, with a line for each.

use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_match};
use spec::Spec;

use super::{conformance, folder, read, told};

#[test]
fn all_dialects_are_judged_in_one_run_and_counted_together() {
    let here = folder();
    // What is looked at here is the report; whether the reference is right over each wire, other tests say.
    let run = ["run", "reference", "--dialect", "all", "--case", "accounts/"];
    let reports = ["--json", "all.json", "--junit", "all.xml"];
    let spec = Spec::embedded();
    let is_built = |grpc: bool| !grpc || cfg!(feature = "grpc");
    let (built, not_built): (Vec<_>, Vec<_>) =
        spec.dialects.values().partition(|dialect| is_built(dialect.grpc.is_some()));
    let words = format!(r"\d+ cases planned over {} dialects: \d+ passed, 0 failed", built.len());
    let asserted = conformance(here.path(), &[run.as_slice(), &reports].concat()).code(0);
    let asserted = asserted.stdout(is_match(words).unwrap()).stdout(contains("note: ").count(1));
    let told = told(&asserted);
    for dialect in &built {
        let passed =
            |line: &str| line.strip_prefix(&format!("{} ", dialect.name))?.split_whitespace().next()?.parse().ok();
        let passed: Option<usize> = told.lines().find_map(passed);
        assert!(passed.is_some_and(|passed| passed > 3), "{}: {told}", dialect.name);
    }
    let json: serde_json::Value = serde_json::from_str(&read(&here, "all.json")).expect("JSON");
    let dialects = json["dialects"].as_array().expect("a list");
    assert_eq!(dialects.len(), built.len());
    let sum: u64 = dialects.iter().filter_map(|dialect| dialect["counts"]["passed"].as_u64()).sum();
    assert_eq!(json["counts"]["passed"].as_u64(), Some(sum));
    let left_out = json["not_built"].as_array().expect("a list");
    assert_eq!(left_out.len(), not_built.len());
    for (one, dialect) in left_out.iter().zip(&not_built) {
        let (cases, build) = (one["cases"].as_u64().expect("a number"), one["build"].as_str().expect("a command"));
        assert!(cases > 5 && build.starts_with("cargo run -p conformance --features grpc -- run"), "{one}");
        assert!(told.contains(&format!("{cases} cases not built: {build}")), "{}: {told}", dialect.name);
    }
    assert_eq!(read(&here, "all.xml").matches("<testsuite ").count(), spec.dialects.len());
}

#[test]
fn a_dialect_that_is_not_built_is_no_target_by_itself() {
    let asserted = conformance(folder().path(), &["run", "--dialect", "framed-grpc", "--case", "accounts/"]);
    if cfg!(feature = "grpc") {
        asserted.code(0);
    } else {
        asserted.code(2).stderr(contains("cargo run -p conformance --features grpc"));
    }
}

#[test]
fn dialects_can_be_named_one_by_one_and_only_for_the_reference() {
    let here = folder();
    conformance(here.path(), &["run", "--dialect", "framed,framed", "--case", "framed/accounts/"])
        .code(0)
        .stdout(contains("over 1 dialect: ").and(contains(" 0 failed")));
    conformance(here.path(), &["run", "--dialect", "framed,frames"]).code(2).stderr(contains("did you mean `framed`"));
    conformance(here.path(), &["run", "127.0.0.1:1", "--dialect", "all"]).code(2).stderr(contains("speaks one"));
}

#[test]
fn a_case_over_another_dialect_is_repeated_over_that_dialect() {
    let here = folder();
    let out =
        conformance(here.path(), &["run", "--dialect", "framed,length-size", "--json", "-", "--case", "accounts/"]);
    let json: serde_json::Value = serde_json::from_slice(&out.get_output().stdout).expect("JSON and nothing else");
    let repeat = |at: usize| json["dialects"][at]["cases"][0]["repeat"].as_str().expect("a command").to_owned();
    assert!(repeat(0).starts_with("conformance run --case framed/"), "{}", repeat(0));
    assert!(
        repeat(1).starts_with("conformance run reference --dialect length-size --case length-size/"),
        "{}",
        repeat(1)
    );
}
