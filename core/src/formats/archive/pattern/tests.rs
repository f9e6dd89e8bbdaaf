use super::*;

#[test]
fn a_pattern_matches_the_manifests_that_it_means() {
    let cases: [(&str, &[&str], &[&str]); 14] = [
        (
            "k8s",
            &["k8s", "k8s/a.yaml", "k8s/x/b.YML", "k8s/x/y/c.json"],
            &[
                "k8s2/a.yaml",
                "x/k8s/a.yaml",
                "k8s/README.md",
                "k8s/.a.yaml",
                "a.yaml",
            ],
        ),
        ("k8s/", &["k8s/a.yaml"], &["k8/a.yaml"]),
        ("./k8s\\base", &["k8s/base/a.yaml"], &["k8s/a.yaml"]),
        ("k8s/app", &["k8s/app"], &["k8s/app.yaml"]),
        (
            ".",
            &["a.yaml", "k8s/a.yaml"],
            &[
                "a.md",
                ".github/workflows/a.yaml",
                "__MACOSX/a.yaml",
                "k8s/._a.yaml",
            ],
        ),
        (".github", &[".github/a.yaml"], &[".github/.x/a.yaml"]),
        (
            "k8s/*.yaml",
            &["k8s/a.yaml"],
            &[
                "k8s/x/a.yaml",
                "k8s/a.yml",
                "x/k8s/a.yaml",
                "k8s/.yaml.yaml",
                "k8s/.a.yaml",
            ],
        ),
        (
            "k8s/*",
            &["k8s/a.yaml", "k8s/b.json"],
            &["k8s/README.md", "k8s/x/a.yaml"],
        ),
        (
            "k8s/**/*.yaml",
            &["k8s/a.yaml", "k8s/x/a.yaml", "k8s/x/y/a.yaml"],
            &[
                "a.yaml",
                "k8s/.x/a.yaml",
                "k8s/x/__MACOSX/a.yaml",
                "k8s/x/.a.yaml",
            ],
        ),
        (
            "**/base/**",
            &["base/a.yaml", "x/base/a.yaml", "x/base/y/base/a.json"],
            &["a.yaml", "x/bases/a.yaml", ".x/base/a.yaml"],
        ),
        (
            "k8s/?.yaml",
            &["k8s/a.yaml", "k8s/\u{f6}.yaml"],
            &["k8s/ab.yaml", "k8s/.yaml"],
        ),
        (
            "k8s/*a*b*.yaml",
            &["k8s/xaayb.yaml", "k8s/ab.yaml"],
            &["k8s/xa.yaml", "k8s/ba.yaml"],
        ),
        (".k8s/.*.yaml", &[".k8s/.a.yaml"], &[".k8s/a.yaml"]),
        (
            "k8s/gro\u{308}\u{df}e*",
            &["k8s/gr\u{f6}\u{df}e1.yaml"],
            &["k8s/grosse.yaml"],
        ),
    ];
    for (text, matching, others) in cases {
        let pattern = Pattern::new(text);
        for name in matching {
            assert!(pattern.matches(name), "{text} matches {name}");
        }
        for name in others {
            assert!(!pattern.matches(name), "{text} does not match {name}");
        }
    }
}

#[test]
fn a_pattern_knows_its_folder() {
    for (text, folder) in [
        ("k8s", "k8s"),
        ("k8s/base/*.yaml", "k8s/base"),
        ("*.yaml", ""),
        ("k8s/**/a/*.yaml", "k8s"),
        (".", ""),
    ] {
        assert_eq!(Pattern::new(text).folder(), folder, "{text}");
    }
}

/// Many stars are not tried in all their combinations.
#[test]
fn a_pattern_of_many_stars_takes_little_time() {
    let start = std::time::Instant::now();
    let letters = Pattern::new(&format!("{}b.yaml", "*a".repeat(150)));
    assert!(!letters.matches(&format!("{}.yaml", "a".repeat(10_000))));
    let folders = Pattern::new(&format!("{}b.yaml", "**/a/".repeat(100)));
    assert!(!folders.matches(&format!("{}a.yaml", "a/".repeat(5_000))));
    assert!(start.elapsed() < std::time::Duration::from_secs(5));
}
