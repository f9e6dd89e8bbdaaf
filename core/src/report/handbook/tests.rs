use super::*;

const OPERATIONS: &str = include_str!("../../../../docs/operations.md");

/// The texts that an `anchor` function has for its variants.
fn anchors(source: &str) -> Vec<&str> {
    let (_, code) = source.split_once("fn anchor(self)").expect("the function");
    let (code, _) = code.split_once("\n    }\n").expect("its end");
    let arms = code.lines().filter_map(|line| line.split_once("=> \""));
    arms.filter_map(|(_, text)| text.split_once('"'))
        .map(|(anchor, _)| anchor)
        .collect()
}

#[test]
fn every_failure_has_a_section() {
    let topics = anchors(include_str!("../../outcome/failure.rs"));
    let causes = anchors(include_str!("../../outcome/cause.rs"));
    assert!(topics.len() > 25 && causes.len() > 10, "they are read");
    for anchor in topics.into_iter().chain(causes) {
        let heading = format!("\n### {anchor}\n");
        assert!(OPERATIONS.contains(&heading), "no section {anchor}");
    }
}

#[test]
fn the_handbook_is_where_the_homepage_is() {
    for (homepage, expected) in [
        ("", "docs/operations.md, quota"),
        (
            "https://github.com/example/landfall",
            "https://github.com/example/landfall/blob/main/docs/operations.md#quota",
        ),
        (
            "https://landfall.example.com/",
            "https://landfall.example.com/docs/operations.md#quota",
        ),
    ] {
        assert_eq!(address(homepage, FailureCode::Quota.anchor()), expected);
    }
}

#[test]
fn the_section_stands_once_and_is_never_cut() {
    let once = with_section("Retry.", FailureCode::Quota, 100);
    assert_eq!(once, format!("Retry. See {}.", section(FailureCode::Quota)));
    assert_eq!(with_section(&once, FailureCode::Quota, 100), once);
    let long = with_section(&"x".repeat(500), FailureCode::Quota, 100);
    assert!(long.len() <= 100 && long.ends_with("quota."), "{long}");
}
