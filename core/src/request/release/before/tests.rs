use super::name_for;
use crate::request::release::tests::files;
use crate::request::{Asked, Draft, Parameters};
use serde_json::json;

const JOB: &str = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate}\nspec: {template: {spec: \
    {restartPolicy: Never, containers: [{name: app, image: 'old:1'}, {name: tool, image: \
    'tool:${COMMIT}'}]}}}\n";

fn read(text: &str) -> Result<Asked, Vec<String>> {
    let fields = json!({"deployment": "web", "namespace": "shop", "images": {"app": "web:2"},
        "before": "k8s/migrate.yaml", "variables": {"COMMIT": "abc"}, "execution": "run-7"});
    let parameters = Parameters::Object(fields.as_object().cloned().unwrap());
    let draft = Draft::read(&parameters);
    let asked = draft.and_then(|draft| draft.complete(files(&[("k8s/migrate.yaml", text)]), "job"));
    asked.map_err(|faults| {
        faults
            .into_iter()
            .map(|it| format!("{} {}", it.field, it.problem))
            .collect()
    })
}

#[test]
fn a_job_runs_before_the_workload_with_its_images_and_variables() {
    let Ok(Asked::Workload(_, Some(before))) = read(JOB) else {
        panic!("it is a request for one workload, with a Job before it");
    };
    assert_eq!((&*before.name, &*before.namespace), ("before-web", "shop"));
    let job = before.manifests[0].object();
    let containers = &job["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers[0]["image"], "web:2");
    assert_eq!(containers[1]["image"], "tool:abc");
}

#[test]
fn only_one_job_is_taken() {
    let pod = JOB
        .replace("batch/v1", "v1")
        .replace("kind: Job", "kind: ConfigMap");
    for (text, said) in [
        (
            format!("{JOB}---\n{}", JOB.replace("migrate", "other")),
            "before must have one Job, and has 2",
        ),
        (pod, "before must be a Job, and is ConfigMap/migrate"),
        (String::new(), "before must have one Job, and has 0"),
    ] {
        let faults = read(&text).unwrap_err().join("; ");
        assert!(faults.contains(said), "{said}: {faults}");
    }
}

#[test]
fn the_name_of_its_release_fits() {
    for name in [
        "web",
        "web.v1",
        "a-name-that-is-longer-than-a-release-may-be",
        "twenty-two-characters-x",
    ] {
        let made = name_for(name);
        assert!(
            made.len() <= 40 && !made.contains('.') && !made.ends_with('-'),
            "{made}"
        );
    }
    assert_ne!(name_for("web.v1"), name_for("web-v1"));
}
