use super::*;
use serde_json::json;

#[test]
fn a_level_is_read_as_lambda_and_as_rust_write_it() {
    let (info, debug) = (Some(LevelFilter::INFO), Some(LevelFilter::DEBUG));
    for (text, expected) in [
        ("INFO", info),
        ("debug", debug),
        ("Trace", Some(LevelFilter::TRACE)),
        ("FATAL", Some(LevelFilter::ERROR)),
        ("off", Some(LevelFilter::OFF)),
        ("landfall=debug", debug),
        ("warn,landfall=debug", debug),
        ("landfall=debug,warn", debug),
        ("hyper=trace, info", info),
        ("landfall=fatal", Some(LevelFilter::ERROR)),
        ("info,", info),
        ("info,loud", info),
        ("info,debug", debug),
        ("landfall=,debug", debug),
        ("", None),
        ("loud", None),
        ("hyper=trace", None),
        ("landfall=loud", None),
    ] {
        assert_eq!(read_level(text), expected, "{text}");
    }
}

#[test]
fn a_line_is_json_whatever_is_in_it() {
    let now: Timestamp = "2026-01-01T00:00:00.1234567Z".parse().unwrap();
    let text = |message: Value, fields: Value| {
        let Value::Object(fields) = fields else {
            panic!("fields are an object")
        };
        line(Level::WARN, now, &message, fields)
    };
    let start = r#"{"timestamp":"2026-01-01T00:00:00.123Z","level":"WARN","message":"#;
    assert_eq!(text(json!("hi"), json!({})), format!("{start}\"hi\"}}\n"));
    let odd = text(
        json!("a \"b\"\n"),
        json!({"jobId": "1", "tries": 2, "é": "}{"}),
    );
    assert_eq!(odd.matches('\n').count(), 1, "{odd}");
    assert!(odd.starts_with(start));
    let read: Value = serde_json::from_str(&odd).unwrap();
    let expected = json!({"timestamp": "2026-01-01T00:00:00.123Z", "level": "WARN",
            "message": "a \"b\"\n", "jobId": "1", "tries": 2, "é": "}{"});
    assert_eq!(read, expected);
}

/// The line of a panic is masked: whoever panics with the mask in hand must not hold a lock.
#[test]
fn a_panic_while_something_is_masked_locks_nothing_up() {
    let panics = std::thread::spawn(|| {
        let masked = mask();
        let fails = || {
            change(|_| {
                assert_eq!(super::masked("a text"), "a text");
                panic!("in the middle of a change")
            });
        };
        let panicked = std::panic::catch_unwind(fails).is_err();
        hide(["a-secret-of-a-test"]);
        (panicked, masked.text("a-secret-of-a-test"))
    });
    let (panicked, before) = panics.join().unwrap();
    assert!(panicked);
    assert_eq!(
        before, "a-secret-of-a-test",
        "a mask that is held does not change"
    );
}
