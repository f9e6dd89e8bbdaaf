use super::*;

fn has(text: &str, wanted: &str) -> Option<String> {
    let mut found = None;
    each(text, &mut |view| {
        let mut all = view.bytes.windows(wanted.len());
        if let Some(at) = all.position(|part| part == wanted.as_bytes()) {
            let place = &text[view.start(at)..view.end(at + wanted.len())];
            found.get_or_insert_with(|| place.to_owned());
        }
    });
    found
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
        (
            "a s&eacute;c&period;&AMP;r&szlig; b",
            "séc.&rß",
            "s&eacute;c&period;&AMP;r&szlig;",
        ),
        (r"a s\303\251cret\041 b", "sécret!", r"s\303\251cret\041"),
        (r"a s\351cret b", "sécret", r"s\351cret"),
        ("a s=C3=A9cr=\net b", "sécret", "s=C3=A9cr=\net"),
        ("a sec\n    ret b", "secret", "sec\n    ret"),
        ("a two\n  words b", "two words", "two\n  words"),
        ("['sec' +\n  'ret']", "secret", "sec' +\n  'ret"),
        ("echo sec\\\n  ret", "secret", "sec\\\n  ret"),
        (r"a sec\nret b", "secret", r"sec\nret"),
        ("x YzJWamNtVjA= y", "secret", "YzJWamNtVjA"),
        ("x ImFcdTAwZTliIg y", "aéb", "mFcdTAwZTli"),
        ("x 633256 6a636d5630 y", "mV0", "6d5630"),
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
        ("ONSWG4TFOQ======", "secret", "ONSWG4TFOQ"),
        ("onswg4tfoq", "secret", "onswg4tfoq"),
        ("EDIM6SJ5EG", "secret", "EDIM6SJ5EG"),
        ("cwBlAGMAcgBlAHQA", "secret", "cwBlAGMAcgBlAHQA"),
        ("AHMAZQBjAHIAZQB0", "secret", "AHMAZQBjAHIAZQB0"),
        (
            "73 00 65 00 63 00 72 00 65 00 74 00",
            "secret",
            "73 00 65 00 63 00 72 00 65 00 74 00",
        ),
        (
            r"s\x00e\x00c\x00r\x00e\x00t\x00",
            "secret",
            r"s\x00e\x00c\x00r\x00e\x00t\x00",
        ),
        ("7365 6372 6574", "secret", "7365 6372 6574"),
        ("73-65-63-72-65-74", "secret", "73-65-63-72-65-74"),
        ("[115,-61,-87,99,114]", "sécr", "115,-61,-87,99,114"),
        (
            "163 145 143 162 145 164",
            "secret",
            "163 145 143 162 145 164",
        ),
        (r"s\$e\ c\&r", "s$e c&r", r"s\$e\ c\&r"),
        (r"s\2ae\5cc", "s*e\\c", r"s\2ae\5cc"),
        ("s`$e`\"c^&r", "s$e\"c&r", "s`$e`\"c^&r"),
        ("'it''s sec'", "it's sec", "it''s sec"),
        ("s%%e{{c}}", "s%e{{c}}", "s%%e{{c}}"),
        ("s%u00e9cr%u20ac", "sécr€", "s%u00e9cr%u20ac"),
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
        "+",
        "=",
        "=C",
        "=zz",
        "&unknown;",
        r"\8",
        "'\"",
        "\\u+123",
        "",
    ] {
        each(text, &mut |view| {
            assert!(
                text.contains('+') || view.bytes == text.as_bytes(),
                "{text}"
            );
            assert!(view.end(view.bytes.len()) <= text.len());
        });
    }
}
