use super::*;
use std::sync::atomic::{AtomicU32, Ordering};

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// A folder with these files.
struct Folder(PathBuf);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("landfall-objects-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        for (name, text) in files {
            let file = folder.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        Folder(folder)
    }

    fn read(&self, path: &str) -> Result<Vec<String>, String> {
        let manifests = read(&[self.0.join(path)], "shop", Some("all"));
        let manifests = manifests.map_err(|failure| failure.refusal.to_string())?;
        Ok(manifests.objects.iter().map(Object::label).collect())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn config(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
}

#[test]
fn a_file_a_folder_and_a_glob_mean_what_they_mean_in_the_parameters() {
    let [a, b, d, e] = ["a", "b", "d", "e"].map(config);
    let folder = Folder::new(&[
        ("a.yaml", &a),
        ("deep/down/b.yml", &b),
        (
            "deep/c.json",
            r#"{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "c"}}"#,
        ),
        (".hidden/d.yaml", &d),
        ("e.txt", &e),
        ("README.md", "# no manifest"),
        ("deep/imagedefinitions.json", "[]"),
        ("deep/kustomization.yaml", "resources: [c.json]\n"),
    ]);
    let [a, b, c] = ["ConfigMap/a", "ConfigMap/b", "Secret/c"];
    for (path, expected) in [
        (".", vec![a, c, b]),
        ("", vec![a, c, b]),
        ("a.yaml", vec![a]),
        ("deep", vec![c, b]),
        ("*.yaml", vec![a]),
        ("**/*.yml", vec![b]),
        ("deep/*", vec![c]),
    ] {
        assert_eq!(folder.read(path).unwrap(), expected, "{path}");
    }
    for (path, words) in [
        ("missing", "there is no such file or folder"),
        ("missing/*.yaml", "cannot be read"),
        ("*.json", "have no object"),
        ("README.md", "is not a manifest"),
    ] {
        let why = folder.read(path).unwrap_err();
        assert!(why.contains(words), "{path}: {why}");
    }
}

#[test]
fn a_hidden_folder_on_the_way_hides_nothing() {
    for (path, expected) in [
        ("k8s/a.yaml", "k8s/a.yaml"),
        ("./k8s/a.yaml", "k8s/a.yaml"),
        ("../k8s/a.yaml", "k8s/a.yaml"),
        ("/srv/k8s/a.yaml", "/srv/k8s/a.yaml"),
        ("/home/me/.work/k8s/a.yaml", "k8s/a.yaml"),
        (".a.yaml", ".a.yaml"),
    ] {
        assert_eq!(shown(Path::new(path)), expected);
    }
}

#[test]
fn lists_are_their_items_and_hooks_of_charts_are_left_out() {
    let hook = |kind: &str, more: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {kind}\n  annotations:\n    \
             helm.sh/hook: {kind}\n{more}"
        )
    };
    let text = [
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: RoleList, items: [{apiVersion: \
         v1, kind: A, metadata: {name: a}}]}\n"
            .to_owned(),
        hook("pre-upgrade", ""),
        hook("pre-install", "    landfall/wave: \"-1\"\n"),
        hook("crd-install", ""),
        // An object of its own with a field of that name.
        "apiVersion: x.com/v1\nkind: B\nmetadata: {name: b}\nitems: [1]\n".to_owned(),
    ];
    let folder = Folder::new(&[("all.yaml", &text.join("---\n"))]);
    let expected = ["A/a", "Job/pre-install", "Job/crd-install", "B/b"];
    assert_eq!(folder.read("all.yaml").unwrap(), expected);
}

#[test]
fn what_cannot_be_read_is_told_with_its_line() {
    let folder = Folder::new(&[
        ("broken.yaml", "apiVersion: v1\nkind: [\n"),
        ("chart.yaml", "apiVersion: v1\nkind: {{ .Values.kind }}\n"),
    ]);
    for file in ["broken.yaml", "chart.yaml"] {
        let why = folder.read(file).unwrap_err();
        assert!(why.contains(&format!("{file}:2 ")), "{why}");
    }
}
