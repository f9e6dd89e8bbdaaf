use super::*;

fn has(text: &str, wanted: &str) -> Option<String> {
    of(text).iter().find_map(|view| {
        let all = view.bytes.windows(wanted.len());
        let at = all.into_iter().position(|part| part == wanted.as_bytes())?;
        Some(text[view.start(at)..view.end(at + wanted.len())].to_owned())
    })
}

#[test]
fn each_view_knows_where_it_came_from() {
    for (text, wanted, place) in [
        ("a secret b", "secret", "secret"),
        (r"a s\u00e9cr\/t b", "sécr/t", r"s\u00e9cr\/t"),
        (r"a \ud83d\ude00! b", "😀!", r"\ud83d\ude00!"),
        (r"a \U0001f600! b", "😀!", r"\U0001f600!"),
        (r"a \u{1f600}! b", "😀!", r"\u{1f600}!"),
        (r"b's\xc3\xa9cret'", "sécret", r"s\xc3\xa9cret"),
        (r"'s\xe9cret'", "sécret", r"s\xe9cret"),
        (r#"{\"a\":\"se\\\"cret\"}"#, "se\"cret", r#"se\\\"cret"#),
        ("a s%C3%a9c%2fr b", "séc/r", "s%C3%a9c%2fr"),
        ("a=s%25c%2Br", "s%c+r", "s%25c%2Br"),
        ("q=two+words", "two words", "two+words"),
        (
            "a s&#233;c&quot;r&#x27;t&amp; b",
            "séc\"r't&",
            "s&#233;c&quot;r&#x27;t&amp;",
        ),
        ("&amp;lt;tag", "<tag", "&amp;lt;tag"),
        ("x c2VjcmV0 y", "secret", "c2VjcmV0"),
        ("Basic dXNlcjpzZWNyZXQ=", "secret", "pzZWNyZXQ"),
        ("QWJzZWNyZXQ", "secret", "JzZWNyZXQ"),
        ("QXNlY3JldA", "secret", "XNlY3JldA"),
        ("/c2VjcmV0", "secret", "c2VjcmV0"),
        ("c2Vj\ncmV0", "secret", "c2Vj\ncmV0"),
        ("7365637265740a", "secret", "736563726574"),
        ("0x736563726574", "secret", "736563726574"),
        (
            "a: [115, 101, 99, 114, 101, 116]",
            "secret",
            "115, 101, 99, 114, 101, 116",
        ),
        (
            "7 [115 101 99 114 101 116] 8",
            "secret",
            "115 101 99 114 101 116",
        ),
        ("of 73:65:63:72:65:74.", "secre", "73:65:63:72:65"),
        (
            "[]byte{0x73, 0x65,\n 0x63, 0x72, 0x65, 0x74}",
            "secret",
            "0x73, 0x65,\n 0x63, 0x72, 0x65, 0x74",
        ),
    ] {
        assert_eq!(has(text, wanted).as_deref(), Some(place), "{text}");
    }
}

#[test]
fn what_is_no_escape_stays() {
    for text in [
        r"a\",
        r"\u12",
        r"\x",
        r"\ud83d",
        r"\ud83dx",
        "%",
        "%2",
        "%zz",
        "&;",
        "&x;",
        "&#;",
        "&#99999999;",
        r"\u{}",
        r"\u{110000}",
        r"\U00110000",
        "+",
        "\\u+123",
        "",
    ] {
        let views = of(text);
        assert!(
            views.iter().any(|view| view.bytes == text.as_bytes()),
            "{text}"
        );
        for view in views {
            assert!(view.starts.iter().all(|start| *start <= text.len()));
        }
    }
}
