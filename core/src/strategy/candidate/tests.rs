use super::*;
use crate::state::marks::{self, version_of};
use crate::tests::{self, author, merge};
use crate::workload::{self, Kind};

fn request(more: Value) -> Request {
    let mut fields = json!({"deployment": "web", "namespace": "shop", "service": "web",
            "strategy": "blueGreen"});
    merge(&mut fields, &more);
    tests::request("job-2", &fields)
}

fn live() -> Workload {
    Workload::new(
        Kind::Deployment,
        json!({
            "metadata": {"name": "web", "uid": "u", "labels": {"team": "a", "app.kubernetes.io/instance": "web"}, "annotations": {
                workload::REVISION: "4", "landfall/job": "old", "note": "kept",
                marks::CHANGE_CAUSE: "of the old one",
                "kubectl.kubernetes.io/last-applied-configuration": "{}"}},
            "spec": {"replicas": 5, "minReadySeconds": 3, "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "app", "image": "app:1"}]}}}}),
    )
}

fn rendered(more: Value) -> Candidate {
    Candidate::render(&request(more), &live(), &author()).unwrap()
}

fn two() -> Value {
    json!({"images": {"app": "app:2"}})
}

/// Changed by hand, or by a webhook that writes other images than were asked for.
#[test]
fn a_live_one_of_the_same_name_that_was_changed_is_not_written_over() {
    let immutable = json!({"strategy": "immutable", "images": {"app": "app:2"}});
    let request = request(immutable);
    let render = |live: &Workload| Candidate::render(&request, live, &author()).unwrap();
    let first = render(&live());
    let as_written = Workload::new(Kind::Deployment, first.create(&request, &live(), &author()));
    let again = render(&as_written);
    assert!(again.is_live(&as_written) && again.name == first.name);
    let mut drifted = as_written.value().clone();
    drifted["spec"]["template"]["spec"]["containers"][0]["image"] = json!("app:3");
    let drifted = Workload::new(Kind::Deployment, drifted);
    let other = render(&drifted);
    assert!(!other.is_live(&drifted) && other.name != first.name);
    assert_eq!(other, render(&drifted), "it is the same each time");
    assert_eq!(other.labels()[VERSION], other.version);
}

#[test]
fn a_candidate_is_the_live_one_with_another_template() {
    let candidate = rendered(two());
    let object = candidate.create(&request(two()), &live(), &author());
    let (metadata, spec) = (&object["metadata"], &object["spec"]);
    assert_eq!(
        (&metadata["name"], &metadata["namespace"]),
        (&json!("web-blue"), &json!("shop"))
    );
    assert_eq!(metadata["labels"], json!({"team": "a", FAMILY: "web"}));
    let notes = metadata["annotations"].as_object().unwrap();
    let names = notes.keys().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(
        names,
        [
            marks::CHANGE_CAUSE,
            CREATED_BY,
            "landfall/deployed-at",
            DIGEST,
            "landfall/execution",
            "landfall/job",
            SERVICE,
            "note"
        ]
    );
    assert_eq!(notes["landfall/job"], "job-2");
    assert_eq!(
        (&spec["replicas"], &spec["minReadySeconds"]),
        (&json!(5), &json!(3))
    );
    assert_eq!(spec["strategy"], json!({"type": "Recreate"}));
    let labels = json!({"app": "web", VERSION: "blue"});
    assert_eq!(spec["selector"], json!({"matchLabels": labels}));
    assert_eq!(spec["template"]["metadata"]["labels"], labels);
    assert_eq!(spec["template"]["spec"]["containers"][0]["image"], "app:2");
    let made = Workload::new(Kind::Deployment, object);
    assert!(is_ours(&made, "web", "blue") && candidate.is_live(&made));
    assert!(!is_ours(&made, "web", "green") && !is_ours(&made, "api", "blue"));
    assert!(!is_ours(&live(), "web", "blue") && !candidate.is_live(&live()));
    assert_eq!(
        (version_of(&made), version_of(&live())),
        (Some("blue"), None)
    );
}

#[test]
fn an_idle_one_keeps_what_cannot_change() {
    let candidate = rendered(two());
    let idle = Workload::new(
        Kind::Deployment,
        json!({"metadata": {"name": "web-blue", "uid": "b",
                "resourceVersion": "9", "annotations": {workload::REVISION: "2", CREATED_BY: "job-1",
                REPLICAS: "3"}},
            "spec": {"selector": {"matchLabels": {"old": "1", VERSION: "blue"}}}}),
    );
    let object = candidate.replace(&request(two()), &live(), &idle, &author());
    assert_eq!(object["metadata"]["uid"], "b");
    assert_eq!(object["metadata"]["resourceVersion"], "9");
    assert_eq!(object["spec"]["selector"], idle.value()["spec"]["selector"]);
    let notes = &object["metadata"]["annotations"];
    assert_eq!(
        (&notes[workload::REVISION], &notes[CREATED_BY]),
        (&json!("2"), &json!("job-1"))
    );
    assert_eq!(notes.get(REPLICAS), None);
}

#[test]
fn a_digest_is_of_the_template_alone() {
    let digest = |more: Value| rendered(more).digest;
    let env = json!({"images": {"app": "app:2"}, "env": {"A": "1"}});
    assert_eq!(digest(two()), digest(two()));
    assert_ne!(digest(two()), digest(env));
    let immutable = rendered(json!({"strategy": "immutable", "images": {"app": "app:2"}}));
    assert_eq!(immutable.digest, digest(two()));
    assert_eq!(immutable.name, format!("web-{}", &immutable.digest[..10]));
    // The version that is there has the digest that it would get.
    let same = rendered(json!({"images": {"app": "app:1"}}));
    assert!(same.is_live(&live()));
    let restarted = rendered(json!({"restart": true}));
    assert!(!restarted.is_live(&live()));
}

#[test]
fn a_manifest_gives_the_template_and_more() {
    let manifest = json!({"metadata": {"labels": {"team": "b"}}, "spec": {"replicas": 1,
            "minReadySeconds": 9, "selector": {"matchLabels": {"x": "y"}},
            "template": {"metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "app:3"}]}}}});
    let request = request(json!({"manifest": manifest}));
    let candidate = Candidate::render(&request, &live(), &author()).unwrap();
    let object = candidate.create(&request, &live(), &author());
    assert_eq!(object["metadata"]["labels"]["team"], "b");
    let spec = &object["spec"];
    assert_eq!(
        (&spec["replicas"], &spec["minReadySeconds"]),
        (&json!(5), &json!(9))
    );
    assert_eq!(
        spec["selector"]["matchLabels"],
        json!({"app": "web", VERSION: "blue"})
    );
    // The server completes it; what was asked for is known by its digest.
    let mut completed = object.clone();
    completed["spec"]["template"]["spec"]["dnsPolicy"] = json!("ClusterFirst");
    assert!(candidate.is_live(&Workload::new(Kind::Deployment, completed.clone())));
    completed["spec"]["template"]["spec"]["containers"][0]["image"] = json!("app:4");
    assert!(!candidate.is_live(&Workload::new(Kind::Deployment, completed)));
    let service = read_selector(Some(&json!({"app": "web", "tier": "front"})));
    assert_eq!(candidate.missing(&service), ["tier=front"]);
}

#[test]
fn what_is_scaled_down_remembers_how_far_up_it_was() {
    let patch = scale_down(&live());
    assert_eq!(patch["spec"], json!({"replicas": 0}));
    assert_eq!(patch["metadata"]["annotations"], json!({REPLICAS: "5"}));
}
