use super::line;

#[test]
fn tests_become_stories() {
    let words = |text: &str| {
        let line = line(text, "Kubernetes v1.35.4")?;
        Some(line.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let cases = [
        (
            "test rolling::it_works ... ok",
            Some("Kubernetes v1.35.4 rolling it works ok"),
        ),
        (
            "test moto::labels_count ... FAILED",
            Some("moto moto labels count FAILED"),
        ),
        ("test result: ok. 3 passed", None),
        ("running 3 tests", None),
        ("thread panicked ... at", None),
    ];
    for (text, expected) in cases {
        assert_eq!(words(text).as_deref(), expected, "{text}");
    }
}
