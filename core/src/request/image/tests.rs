use super::*;

#[test]
fn images_are_taken_apart() {
    let digest = format!("sha256:{}", "0".repeat(64));
    let registry = "111111111111.dkr.ecr.eu-central-1.amazonaws.com";
    let cases = [
        ("web".to_owned(), "web", None, None),
        ("web:1.2.3".to_owned(), "web", Some("1.2.3"), None),
        (
            "team/web:v1_A-b".to_owned(),
            "team/web",
            Some("v1_A-b"),
            None,
        ),
        ("localhost/web".to_owned(), "localhost/web", None, None),
        (
            "registry:5000/web".to_owned(),
            "registry:5000/web",
            None,
            None,
        ),
        (
            "registry:5000/a/b:1".to_owned(),
            "registry:5000/a/b",
            Some("1"),
            None,
        ),
        (
            "Registry.example.com/web".to_owned(),
            "Registry.example.com/web",
            None,
            None,
        ),
        (
            "[::1]:5000/web:1".to_owned(),
            "[::1]:5000/web",
            Some("1"),
            None,
        ),
        (
            "a__b/c--d/e.f:1".to_owned(),
            "a__b/c--d/e.f",
            Some("1"),
            None,
        ),
        (format!("web@{digest}"), "web", None, Some(&*digest)),
        (
            format!("r.io:443/web:1@{digest}"),
            "r.io:443/web",
            Some("1"),
            Some(&*digest),
        ),
        (
            format!("{registry}/web:1"),
            "111111111111.dkr.ecr.eu-central-1.amazonaws.com/web",
            Some("1"),
            None,
        ),
    ];
    for (image, name, tag, digest) in cases {
        assert_eq!(
            Reference::parse(&image),
            Ok(Reference { name, tag, digest }),
            "{image}"
        );
    }
}

#[test]
fn what_is_no_image_is_refused() {
    let long = format!("{}:1", "a".repeat(256));
    let long_tag = format!("web:{}", "1".repeat(129));
    let short = format!("web@sha256:{}", "0".repeat(63));
    for image in [
        "",
        ":1",
        "web:",
        "Web:1",
        "web:-1",
        "web:.1",
        "web: 1",
        "web:1:2",
        "/web",
        "web/",
        "a//b",
        "-web",
        "web-",
        "a___b",
        "a..b",
        "web@",
        "web@sha256:",
        "web@x",
        "web@sha256:zz",
        // A kubelet knows neither upper case nor other algorithms.
        &format!("web@sha256:{}", "A".repeat(64)),
        &format!("web@foo:{}", "a".repeat(40)),
        "r.io:port/web",
        "-r.io/web",
        "https://r.io/web",
        "web:${TAG}",
        "größe:1",
        &long,
        &long_tag,
        &short,
    ] {
        assert!(Reference::parse(image).is_err(), "{image}");
    }
}

fn named(entries: &[(&str, &str)]) -> Definitions {
    let owned = |(name, image): &(&str, &str)| (name.to_string(), image.to_string());
    Definitions::Named(entries.iter().map(owned).collect())
}

#[test]
fn both_files_are_read() {
    let ecr = r#"{"ImageSizeInBytes": "44728918", "ImageDigest": "sha256:0", "Version": "1.0",
            "ImagePushedAt": "Mon Jan 21 20:04:00 UTC 2019", "RegistryId": "1", "RepositoryName":
            "dk-python", "ImageURI": "1.dkr/dk-python@sha256:0", "ImageTags": ["latest"]}"#;
    for (content, expected) in [
        (
            r#"[{"name": "web", "imageUri": "r/web:1"}]"#,
            named(&[("web", "r/web:1")]),
        ),
        (
            "\u{feff}[{\"name\":\"a\",\"imageUri\":\"x\"},{\"name\":\"b\",\"imageUri\":\"y\"}]",
            named(&[("a", "x"), ("b", "y")]),
        ),
        (
            r#"[{"name": "web", "imageUri": "r/web:1", "more": 1}]"#,
            named(&[("web", "r/web:1")]),
        ),
        (
            r#"{"ImageURI": "r/web@sha256:0"}"#,
            Definitions::Sole("r/web@sha256:0".into()),
        ),
        (ecr, Definitions::Sole("1.dkr/dk-python@sha256:0".into())),
    ] {
        assert_eq!(definitions(content.as_bytes()), Ok(expected), "{content}");
    }
}

#[test]
fn other_files_are_refused() {
    let many = serde_json::json!(vec![serde_json::json!({"name": "a", "imageUri": "b"}); 101]);
    let many = many.to_string();
    for content in [
        "",
        "[]",
        "{}",
        "null",
        "[",
        "[1]",
        r#"[{"name": "web"}]"#,
        r#"[{"imageUri": "x"}]"#,
        r#"[{"name": 1, "imageUri": "x"}]"#,
        r#"{"ImageURI": 1}"#,
        r#"{"imageUri": "x"}"#,
        r#"[{"name": "a", "imageUri": "x"}, {"name": "a", "imageUri": "y"}]"#,
        r#"[{"name": "a", "imageUri": "x", "imageUri": "y"}]"#,
        "apiVersion: v1",
        &many,
    ] {
        assert!(definitions(content.as_bytes()).is_err(), "{content}");
    }
    assert!(definitions(&[0xff]).is_err());
    let text = "[\n\t{\"name\":\u{a0}\"web\", \"imageUri\": \"x\"}]";
    let told = &definitions(text.as_bytes()).unwrap_err()[0].problem;
    let named =
        "(line 2, column 10: expected value): there is a no-break space (U+00A0) in that line";
    assert!(told.contains(named), "{told}");
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let file = r#"[{"name": "a", "imageUri": "x"}]"#;
    let padded = |size: usize| format!("{file}{}", " ".repeat(size - file.len()));
    let most = DEFINITIONS_SIZE * 1024;
    assert_eq!(
        definitions(padded(most).as_bytes()),
        Ok(named(&[("a", "x")]))
    );
    let faults = definitions(padded(most + 1).as_bytes()).unwrap_err();
    let told = "has 257 KiB, and a file of images is read up to 256 KiB. It must be";
    assert!(faults[0].problem.starts_with(told), "{faults:?}");
    let unread = definitions("[".repeat(2 << 20).as_bytes()).unwrap_err();
    assert!(unread[0].problem.starts_with("has 2048 KiB"), "{unread:?}");
}
