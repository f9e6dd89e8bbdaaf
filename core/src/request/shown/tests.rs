use super::*;

/// The text with the place that `^` marks, as it is shown.
fn shown(text: &str) -> String {
    let place = text.find('^').unwrap();
    around(&text.replace('^', ""), place)
}

#[test]
fn no_value_of_env_or_variables_is_shown() {
    for (text, expected) in [
        (
            r#"{"env": {"KEY": "hunter2"^hunter3"}}"#,
            r#"{"env": {"…": "…"→h…"#,
        ),
        (
            r#"{"env": {"KEY": "hun\"ter2" ^"B": "hunter3"}}"#,
            r#"{"env": {"…": "…" →"…"#,
        ),
        (
            r#"{"env": {"KEY": 12^hunter}, "a": 1}"#,
            r#"{"env": {"…": …→h…"#,
        ),
        // What comes behind a place of which nothing is known.
        (
            r#"{"deployment": "web" ^"env": {"KEY": "hunter2"}}"#,
            r#"{"deployment": "web" →"env…"#,
        ),
        (
            r#"{"deployment": "web, "^env": {"KEY": "hunter2"}}"#,
            r#"{"deployment": "web, "→env…"#,
        ),
        (
            r#"{"variables": {"A": "hunter2"}, "x": ^y}"#,
            r#"…"variables": {"…": "…"}, "x": →y}"#,
        ),
        (
            r#"{"manifest": {"env": [{"value": "hunter2"}, ^x]}}"#,
            r#"…nifest": {"env": [{"…": "…"}, →x…"#,
        ),
    ] {
        let shown = shown(text);
        assert_eq!(shown, expected, "{text}");
        assert!(!shown.contains("hunt"), "{shown}");
    }
}

#[test]
fn what_is_no_secret_is_shown_around_the_place() {
    for (text, expected) in [
        (
            r#"{"execution": "Revert "^fix: a"}"#,
            r#"{"execution": "Revert "→fix: a"}"#,
        ),
        (
            r#"{"env": {"A": "hunter2"}, "deployment" ^"web"}"#,
            r#"…nv": {"…": "…"}, "deployment" →"web"}"#,
        ),
        (r#"^{a}"#, "{a}"),
    ] {
        assert_eq!(shown(text), expected);
    }
}

#[test]
fn a_text_that_is_not_json_is_shown_to_where_a_value_may_begin() {
    for (text, expected) in [
        ("web", "web"),
        ("PASSWORD=hunter2", "PASSWORD…"),
        ("https://a.example.com", "https…"),
        ("", ""),
    ] {
        assert_eq!(beginning(text), expected);
    }
}
