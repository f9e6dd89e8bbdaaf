use super::{BASE85, base58, base85, may_have, spellings};

#[test]
fn numbers_are_written_as_others_write_them() {
    // https://datatracker.ietf.org/doc/html/draft-msporny-base58-03#section-5
    assert_eq!(base58(b"Hello World!"), "2NEpo7TZRRrLZSi2U");
    assert_eq!(base58(&[0, 0, 0x28, 0x7f, 0xb4, 0xcd]), "11233QC4");
    let words = b"Hello World!";
    let all = BASE85.map(|digits| base85(words, digits));
    assert_eq!(
        all,
        ["87cURD]i,\"Ebo80", "NM&qnZy;B1a%^NF", "nm=QNzY&b1A+]nf"]
    );
    // `base64.b85encode(b'hunter2')` and `base64.a85encode(b'hunter2')`.
    assert_eq!(base85(b"hunter2", BASE85[1]), "XmxIMWpXk");
    assert_eq!(base85(b"hunter2", BASE85[0]), "BQ\\37ATBO");
}

#[test]
fn what_is_long_costs_little() {
    assert_eq!(spellings("abcd"), Vec::<String>::new());
    assert_eq!(spellings(&"a".repeat(129)).len(), 15);
    assert_eq!(spellings(&"a".repeat(8193)).len(), 0);
}

#[test]
fn few_texts_may_have_such_a_number() {
    for (text, expected) in [
        ("2026-11-29T10:00:00Z error: no such host", false),
        ("sha256:0d17b565c37bcbd895e9d92315a05c1c3c9a29f7", false),
        ("Connection refused by 10.0.0.1:5432", false),
        (
            r#"{"timestamp":"2026-11-29T10:00:00Z","level":"INFO","message":"read 4 pods"}"#,
            false,
        ),
        ("key 2NEpo7TZRRrLZSi2U", true),
        ("NM&qnZy;B1a%^NF", true),
    ] {
        assert_eq!(may_have(text), expected, "{text}");
    }
}
