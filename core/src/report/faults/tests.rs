use super::*;
use crate::outcome::FileReference;
use crate::request::{File, Files, NamedFile, Wanted};

fn origin() -> Origin {
    let member = |path: &str| {
        Some(FileReference {
            artifact: None,
            path: path.to_owned(),
        })
    };
    let file = || {
        Some(File {
            artifact: "Build".to_owned(),
            ..File::default()
        })
    };
    let wanted = Wanted {
        manifest: member("k8s/a.yaml"),
        images: member("imagedefinitions.json"),
        ..Wanted::default()
    };
    let of_release = |path: &str| NamedFile {
        path: path.to_owned(),
        file: file().unwrap(),
    };
    let files = Files {
        manifest: file(),
        images: file(),
        manifests: vec![of_release("k8s/web.yaml"), of_release("k8s/db.yaml")],
    };
    Origin::new(&wanted, &files)
}

fn message(fields: &[&str], origin: &Origin) -> String {
    let faults = fields.iter().map(|field| Fault::new(*field, "must be x"));
    let report = found("Nothing was deployed", &faults.collect::<Vec<_>>(), origin);
    match report {
        Report::Failure { message, .. } => message,
        other @ (Report::Success { .. } | Report::Progress { .. }) => panic!("{other:?}"),
    }
}

/// A fault in a file sends to the file, one of the parameters to these.
#[test]
fn the_next_step_goes_where_the_fault_is() {
    let parameters = "Correct the action's UserParameters and release the change again.";
    let both = "Correct the file, or the action's UserParameters, and release the change again.";
    let images = "Correct `imagedefinitions.json` in artifact `Build`, or the step that writes it,";
    let files = "Correct the files, or the step that writes them, and release the change again.";
    let web = "Correct `k8s/web.yaml` in artifact `Build`, or the step that writes it,";
    let manifest = "Correct `k8s/a.yaml` in artifact `Build`, or the step that writes it,";
    for (fields, next) in [
        (&["images.web"][..], images),
        (&["images.web", "images[1]"], images),
        (&["manifest.spec.selector"], manifest),
        (&["manifest.spec.selector", "images.web"], files),
        (&["k8s/web.yaml:3 Deployment/web .spec"], web),
        (&["k8s/web.yaml:3 x", "k8s/db.yaml:9 x"], files),
        (&["k8s/web.yaml:3 x", "timeout"], both),
        (&["images.web", "timeout"], both),
        (&["manifest.metadata.name"], both),
        (&["variables.TAG"], both),
        (&["manifest"], both),
        (&["timeout"], parameters),
        (&["env.A", "service"], parameters),
    ] {
        let told = message(fields, &origin());
        assert!(told.contains(next), "{fields:?}: {told}");
        let told = message(fields, &Origin::default());
        assert!(told.contains(parameters), "{fields:?}: {told}");
    }
    for (field, file) in [
        ("manifest", "k8s/a.yaml"),
        ("images", "imagedefinitions.json"),
    ] {
        let broken = Fault::new(field, format!("of `{file}` is broken"));
        let Report::Failure { message, .. } = found("Nothing", &[broken], &origin()) else {
            panic!("it is a failure");
        };
        let first = format!("Nothing: `{field}` of `{file}` is broken.");
        let next = format!("Correct `{file}` in artifact `Build`, or the step that writes it,");
        assert!(
            message.starts_with(&first) && message.contains(&next),
            "{message}"
        );
    }
    let place = Fault::new("manifest.spec.x", "has `${A}`, and `variables` has no A");
    let Report::Failure { message: told, .. } = found("Nothing", &[place], &origin()) else {
        panic!("it is a failure");
    };
    assert!(told.contains(both), "{told}");
    let told = message(&["images.web"], &origin());
    let first = "`images.web` of `imagedefinitions.json` in artifact `Build` must be x.";
    assert!(told.contains(first), "{told}");
}

/// A question has no full stop behind it.
#[test]
fn a_question_ends_as_one() {
    let told = |problem: &str| {
        let fault = Fault::new("image", problem);
        match found("Nothing was deployed", &[fault], &Origin::default()) {
            Report::Failure { message, .. } => message.lines().next().unwrap().to_owned(),
            other @ (Report::Success { .. } | Report::Progress { .. }) => panic!("{other:?}"),
        }
    };
    assert!(told("is unknown; did you mean `images`?").ends_with("`images`?"));
    assert!(told("is unknown").ends_with("is unknown."));
}
