use super::*;

#[test]
fn a_path_is_the_same_in_every_spelling() {
    for (path, expected) in [
        ("k8s/a.yaml", "k8s/a.yaml"),
        ("/k8s/a.yaml", "k8s/a.yaml"),
        ("//k8s/a.yaml", "k8s/a.yaml"),
        ("./k8s/a.yaml", "k8s/a.yaml"),
        ("././k8s/./a.yaml", "k8s/a.yaml"),
        ("/./k8s/a.yaml", "k8s/a.yaml"),
        ("k8s\\a.yaml", "k8s/a.yaml"),
        (".\\k8s\\a.yaml", "k8s/a.yaml"),
        ("k8s/gr\u{f6}\u{df}e.yaml", "k8s/gr\u{f6}\u{df}e.yaml"),
        ("k8s/gro\u{308}\u{df}e.yaml", "k8s/gr\u{f6}\u{df}e.yaml"),
        ("k8s/", "k8s/"),
        ("../a.yaml", "../a.yaml"),
        (".a/..b", ".a/..b"),
        ("", ""),
    ] {
        assert_eq!(plain(path), expected, "{path}");
    }
}
