use super::*;
use crate::terminal::plain;
use serde_json::json;

fn event(parameters: &Value) -> Value {
    json!({"CodePipeline.job": {"data": {
        "actionConfiguration": {"configuration": {"UserParameters": parameters.to_string()}},
        "inputArtifacts": [{"revision": "e0c7b6e7d5d3"}]}}})
}

fn shown(pipeline: &Pipeline, width: usize) -> Vec<String> {
    pipeline
        .lines(width)
        .iter()
        .map(|line| plain(line))
        .collect()
}

#[test]
fn three_boxes_have_the_message_in_the_third() {
    let images = json!({"app": "registry.example.com/demo-app:2.0"});
    let mut pipeline = Pipeline::of(&event(&json!({"images": images})));
    pipeline.deploy = Deploy::Running(3);
    assert_eq!(
        shown(&pipeline, 80),
        [
            "  ╭ Source ───╮   ╭ Build ─────────╮   ╭ Deploy ─────────────────────────────╮",
            "  │ ✔ e0c7b6e │ → │ ✔ demo-app:2.0 │ → │ ◔ In progress, 3 s                  │",
            "  ╰───────────╯   ╰────────────────╯   ╰─────────────────────────────────────╯",
        ]
    );
    pipeline.deploy = Deploy::Failed {
        kind: "JobFailed".to_owned(),
        message: format!("{}.\n\nEvidence.", "It crashes ".repeat(9).trim()),
    };
    for width in [40, 60, 80, 100, 140] {
        let lines = shown(&pipeline, width);
        let text = lines.join("\n");
        assert!(lines.iter().all(|line| columns(line) <= width), "{text}");
        assert_eq!(text.matches("crashes").count(), 9, "{text}");
        assert!(text.contains("✖ Failed: JobFailed") && !text.contains("Evidence"));
    }
}

#[test]
fn a_release_and_odd_parameters_have_boxes_too() {
    let release = Pipeline::of(&event(&json!({"release": "shop", "manifests": "k8s"})));
    assert_eq!(release.build, "shop.zip");
    let odd = Pipeline::of(&event(&json!({"images": {"app": ""}})));
    assert_eq!(odd.build, "demo-app");
    assert_eq!(Pipeline::of(&json!({})).source, "commit");
}
