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
        ("k8s//a.yaml", "k8s/a.yaml"),
        ("k8s/", "k8s/"),
        ("k8s//", "k8s/"),
        ("./", ""),
        ("../a.yaml", "../a.yaml"),
        (".a/..b", ".a/..b"),
        ("", ""),
    ] {
        assert_eq!(plain(path), expected, "{path}");
    }
}

#[test]
fn a_folder_may_be_meant_by_a_similar_one() {
    for (folder, name, expected) in [
        ("k8s", "k8s/README.md", true),
        ("k8s", "k8s/.hidden.yaml", false),
        ("k8", "k8s/a.yaml", true),
        ("K8S", "deploy/k8s/a.yaml", true),
        ("k8", "k8s/README.md", false),
        ("k8s", "lib/a.yaml", false),
        ("manifest", "manifests/base/a.yaml", true),
        ("manifests", "k8s/manifests.yaml", false),
        ("", "a.yaml", true),
        ("", "README.md", false),
    ] {
        let near = is_near_folder(name, folder, &mut 10);
        assert_eq!(near, expected, "{folder}, {name}");
    }
    assert!(
        !is_near_folder("k8s/a.yaml", "k8", &mut 0),
        "nothing is left"
    );
}
