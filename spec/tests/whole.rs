//! The specification in this repository has no mistakes.

use spec::check::check;
use spec::source::Source;

#[test]
fn the_embedded_specification_is_without_mistakes() {
    let (_, scenarios, found) = check(&Source::embedded());
    assert!(found.is_empty(), "{found}");
    assert!(scenarios.len() >= 150, "{} scenarios", scenarios.len());
}
