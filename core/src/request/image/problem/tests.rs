use super::*;

const ECR: &str = "111122223333.dkr.ecr.eu-central-1.amazonaws.com";

#[test]
fn the_part_at_fault_is_named_and_the_image_shown_whole() {
    let digest = "0".repeat(64);
    for (image, told) in [
        (
            "R/demo-app:feature/login".to_owned(),
            "its tag `feature/login` has a `/`",
        ),
        (
            "R/team/demo-app:fix/a/b".to_owned(),
            "its tag `fix/a/b` has a `/`",
        ),
        (
            "demo-app:feature/login".to_owned(),
            "its tag `feature/login` has a `/`",
        ),
        (
            "R/demo-app:".to_owned(),
            "its tag is empty: nothing follows `",
        ),
        (
            "ghcr.io/agent/npp-app-test/:unstable".to_owned(),
            "its name is empty: nothing is between `ghcr.io/agent/npp-app-test/` and `:unstable`",
        ),
        ("R/".to_owned(), "its name is empty: nothing follows `"),
        (ECR.to_owned(), "is a registry, and no repository follows"),
        (format!("{ECR}:1.4.2"), "is a registry, and no repository"),
        (format!("{ECR}@sha256:{digest}"), "is a registry, and no"),
        ("ghcr.io:1".to_owned(), "`ghcr.io` is a registry"),
        ("R//web:1".to_owned(), "a part of its name is empty"),
        ("/web:1".to_owned(), "its registry is empty"),
        (":1".to_owned(), "it has no name"),
        (format!("@sha256:{digest}"), "it has no name"),
        (
            "R/demo-app:latest:abc".to_owned(),
            "it has two tags, `latest` and `abc`",
        ),
        ("R/demo-app:latest:".to_owned(), "nothing follows `"),
        (
            format!("web:sha256:{digest}"),
            "a digest follows a `@`: `web@sha256:",
        ),
        (
            "R/demo-app:1.4.2+build5".to_owned(),
            "its tag `1.4.2+build5` has a `+`",
        ),
        ("web:-1".to_owned(), "its tag `-1` begins with `-`"),
        (
            format!("web:{}", "1".repeat(129)),
            "its tag has 129 characters, and may have 128",
        ),
        (
            "R/Demo-App:1".to_owned(),
            "has upper-case letters, and a name is of lower-case ones: `demo-app`",
        ),
        ("Demo-App".to_owned(), "`demo-app`"),
        ("R/größe:1".to_owned(), "`größe` has a `ö`"),
        (
            "R/-web:1".to_owned(),
            "`-web` must begin and end with a letter or digit",
        ),
        ("R/web-:1".to_owned(), "a part of it may be empty"),
        (
            format!("R/web@sha256:{}", &digest[1..]),
            "its digest has 63 digits, and one of sha256 has 64: it was cut",
        ),
        (format!("R/web@sha256:{digest}0"), "something was added"),
        (
            "R/web@sha256:".to_owned(),
            "has 0 digits, and one of sha256 has 64: nothing follows",
        ),
        (
            "R/web@".to_owned(),
            "its digest is empty: nothing follows `@`",
        ),
        (format!("R/web@{digest}"), "must be `sha256:…`"),
        (
            format!("R/web@sha256:{}", "A".repeat(64)),
            "an upper-case `A`",
        ),
        (format!("R/web@sha1:{digest}"), "its digest is of `sha1`"),
        (
            format!("web@sha256:{digest}@sha256:{digest}"),
            "two digests",
        ),
        ("R/web:$TAG".to_owned(), "nothing filled in `$TAG`"),
        ("R/$REPO:1".to_owned(), "nothing filled in `$REPO`"),
        (
            "R/web:${TAG}".to_owned(),
            "nothing filled in `${TAG}`. In a manifest `variables`",
        ),
        (
            "R/web:${{ github.sha }}".to_owned(),
            "nothing filled in `${{ github.sha }}`",
        ),
        (
            "R/web:{{ .Values.tag }}".to_owned(),
            "`{{ .Values.tag }}` is a place of a Helm template that was not rendered: run `helm template`",
        ),
        ("R/web:$(TAG)".to_owned(), "nothing filled in `$(TAG)`"),
        (
            "<ACCOUNT>.dkr.ecr.eu-central-1.amazonaws.com/web:1".to_owned(),
            "nothing filled in `<ACCOUNT>`",
        ),
        ("R/web:%TAG%".to_owned(), "nothing filled in `%TAG%`"),
        (
            ".dkr.ecr.eu-central-1.amazonaws.com/web:1".to_owned(),
            "has an empty part",
        ),
        (
            "1.dkr.ecr..amazonaws.com/web:1".to_owned(),
            "(an account, a region) came out empty",
        ),
        (
            "registry.example.com:team/web:1".to_owned(),
            "`team` is not a valid port of its registry",
        ),
        (
            "registry.example.com:/web:1".to_owned(),
            "the port of its registry is empty",
        ),
        ("https://R/web:1".to_owned(), "it begins with `https://`"),
        ("ko://example.com/web/cmd".to_owned(), "`ko resolve` builds"),
        ("R/web:1\n".to_owned(), "it has a line break at its end"),
        ("R/web:1 R/web:2".to_owned(), "it has a blank after `"),
        (
            "R/web:1\u{a0}".to_owned(),
            "it has a no-break space at its end",
        ),
        (
            "\u{feff}R/web:1".to_owned(),
            "it begins with a byte order mark",
        ),
        (
            "R/we\u{200b}b:1".to_owned(),
            "it has a zero-width space after `",
        ),
        ("R/web:1\u{2013}2".to_owned(), "a dash that is not `-`"),
        ("\"R/web:1\"".to_owned(), "it has quotes"),
    ] {
        let image = image.replacen("R/", &format!("{ECR}/"), 2);
        let problem = problem(&image).unwrap_or_else(|| panic!("{image} is taken"));
        assert!(problem.contains(told), "{image}: {problem}");
        assert!(problem.starts_with(&format!(
            "is `{}`, which is not a valid image: ",
            shown(&image)
        )));
        assert!(
            !problem.contains(['\n', '\u{a0}', '\u{feff}', '\u{200b}']),
            "{problem}"
        );
    }
    assert_eq!(
        problem("").as_deref(),
        Some("is empty: the build stage gave no image")
    );
    assert_eq!(
        problem(" \n").as_deref(),
        Some("is empty: the build stage gave no image")
    );
}

#[test]
fn images_have_no_fault() {
    for image in [
        "web",
        "web:Feature_login-1.0",
        "registry:5000/team/web",
        "localhost/web:1",
        "Registry.example.com/web",
        "[::1]:5000/web:1",
        "a__b/c--d/e.f:1",
        &format!("{ECR}/web:1@sha256:{}", "0".repeat(64)),
    ] {
        assert_eq!(problem(image), None, "{image}");
    }
}

#[test]
fn a_very_long_image_is_shown_by_its_ends() {
    let image = format!("{ECR}/{}:feature/login", "a".repeat(1000));
    let problem = problem(&image).unwrap();
    assert!(problem.contains(&format!("`{ECR}/aaa")) && problem.contains("aaa:feature/login`"));
    assert!(problem.chars().count() < 600, "{problem}");
}
