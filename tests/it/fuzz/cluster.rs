//! What the cluster says, broken in every way.

use crate::fuzz::fuzz;
use landfall_core::change::difference::difference;
use landfall_core::kubernetes::call::Call;
use landfall_core::kubernetes::service::{Service, ServicePod};
use landfall_core::request::{Parameters, Request};
use landfall_core::snapshot::{Items, Kind, Query, Reading, Response, Snapshot};
use landfall_core::state::baseline::Previous;
use landfall_core::state::continuation::Continuation;
use landfall_core::strategy::{self, Decision};
use landfall_core::workload::replica_set::ReplicaSet;
use landfall_core::workload::{self, Workload};
use serde_json::{Value, json};
use std::time::Duration;

/// The annotations of a Deployment and a Service that name something, or are read as a selector.
pub(super) const NOTES: [&str; 7] = [
    "landfall/previous",
    "landfall/from",
    "landfall/to",
    "landfall/wide-selector",
    "landfall/selector-before",
    "landfall/lock",
    "landfall/preview-of",
];

/// A call is not sent, or stays where the request has its objects: no name of the cluster's own
/// leads elsewhere, in no spelling that a URL knows.
fn assert_stays(call: &Call) {
    if call.refused().is_some() {
        return assert!(call.path.is_empty());
    }
    let base = url::Url::parse("https://cluster.example.com:6443").unwrap();
    let mut url = base.join(&call.path).unwrap();
    let (path, asked) = call.path.split_once('?').unwrap_or((&call.path, ""));
    assert_eq!((url.path(), url.host()), (path, base.host()));
    assert_eq!(url.query().unwrap_or_default(), asked);
    let parts = path.split('/').collect::<Vec<_>>();
    let Some(place) = parts.iter().position(|part| *part == "namespaces") else {
        return assert_eq!(parts.last(), Some(&"selfsubjectaccessreviews"), "{url}");
    };
    let proxy = parts.iter().position(|part| *part == "proxy");
    let deepest = if parts.last() == Some(&"log") { 5 } else { 4 };
    assert!(place <= 4 && parts[place + 1] == "shop", "{url}");
    let within = proxy == Some(place + 4) || parts.len() - place <= deepest;
    assert!(
        within && !path.contains('%') || proxy == Some(place + 4),
        "{url}"
    );
    if proxy.is_none() {
        url.query_pairs_mut().extend_pairs(&call.query);
        assert_eq!(url.query_pairs().count(), call.query.len(), "{url}");
    }
}

/// Decides until nothing more is to be read, with answers that have the fuzzed text for a name.
fn decide_on(request: &Request, mut seen: Snapshot, deployment: &Value, text: &str) {
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    let continuation = Continuation::begin("job-1", start, Duration::from_secs(900));
    for _ in 0..40 {
        let decision = strategy::decide(&strategy::Context {
            request,
            continuation: &continuation,
            snapshot: &seen,
            now: start,
        });
        let query = match decision {
            Decision::Read(query) => query,
            Decision::Act(action) => return assert_stays(&action.call(request)),
            Decision::Enter(_)
            | Decision::Remember(_)
            | Decision::Steady(_)
            | Decision::ReadAlarms
            | Decision::Wait(_)
            | Decision::Finish(_)
            | Decision::RollBack(_)
            | Decision::TakeBack(_)
            | Decision::Serves(_)
            | Decision::GiveUp(_) => return,
        };
        assert_stays(&query.call(request.kind, &request.namespace));
        let response = match query.terms().reading {
            Reading::Object | Reading::Whole => Response::Object(named(deployment, text).into()),
            Reading::List => Response::List(vec![named(deployment, text)]),
            Reading::ReplicaSets => Response::ReplicaSets(vec![ReplicaSet::read(deployment)]),
            Reading::Text => Response::Text(text.to_owned()),
            Reading::ServicePods => {
                Response::ServicePods(vec![ServicePod::read(&named(deployment, text))])
            }
            Reading::Pods(_) | Reading::Roster(_) | Reading::Events => return,
        };
        seen.take(request.kind, query, Ok(response), start, str::to_owned);
    }
}

fn named(object: &Value, name: &str) -> Value {
    let mut object = object.clone();
    object["metadata"]["name"] = json!(name);
    object
}

#[test]
fn notes_in_the_cluster() {
    let switching = |strategy: &str| {
        let fields = json!({"deployment": "demo-app", "namespace": "shop", "service": "demo-app",
            "strategy": strategy, "restart": true, "smoke": {"path": "/health"}});
        Request::parse(&Parameters::Text(fields.to_string()), "job-1").unwrap()
    };
    let requests = [switching("blueGreen"), switching("immutable")];
    let deployment = crate::stage::demo_app(600);
    let service = landfall_sandbox::world::sample_service("demo-app");
    let lock = r#"{"execution": "job-1", "job": "job-1", "version": "blue",
        "since": "2026-01-01T00:00:00Z", "deadline": "2026-01-01T00:15:00Z"}"#;
    let seeds = [
        "demo-app-6d9c@3",
        "../../other/replicasets/payroll-abc@1",
        "..%2f..%2fother/secrets/x@1",
        r#"{"app": "demo-app", "landfall/version": "../../x"}"#,
        "demo-app?watch=true#",
        "x&fieldSelector=,a in (b)",
        "\\..\\kube-system",
        "//other.example.com/",
        lock,
    ];
    let seeds = seeds.map(|seed| seed.as_bytes().to_vec()).to_vec();
    fuzz("notes", seeds, |input| {
        let text = String::from_utf8_lossy(input).into_owned();
        let mut deployment = deployment.clone();
        let mut service = service.clone();
        for note in NOTES {
            deployment["metadata"]["annotations"][note] = json!(text);
            service["metadata"]["annotations"][note] = json!(text);
        }
        service["metadata"]["annotations"]["landfall/job"] = json!("job-1");
        let with_lock = {
            let mut service = service.clone();
            service["metadata"]["annotations"]["landfall/lock"] = json!(lock);
            service["spec"]["selector"]["landfall/version"] = json!("blue");
            service
        };
        let previous = Previous::recorded(&Workload::new(
            workload::Kind::Deployment,
            deployment.clone(),
        ));
        let name = previous.map_or_else(|| text.clone(), |previous| previous.name);
        let all = [
            Query::Get(Kind::ReplicaSet, name.clone()),
            Query::deployment(&name),
            Query::deployment(&text),
            Query::replica_sets(&text),
            Query::Pods {
                selector: text.clone(),
                set: name.clone(),
                owner: name.clone(),
            },
            Query::Events {
                kind: "Pod",
                name: text.clone(),
            },
            Query::Log {
                pod: text.clone(),
                container: "app".into(),
                previous: false,
            },
            Query::Log {
                pod: "demo-app-1".into(),
                container: text.clone(),
                previous: true,
            },
            Query::List(Items::EndpointSlices, text.clone()),
            Query::List(Items::ServicePods, text.clone()),
            Query::Proxy {
                target: text.clone(),
                path: "/".into(),
                contains: None,
            },
            Query::Proxy {
                target: "demo-app:80".into(),
                path: text.clone(),
                contains: None,
            },
        ];
        for query in all {
            assert_stays(&query.call(workload::Kind::Deployment, "shop"));
        }
        for (request, service) in requests.iter().zip([&service, &with_lock]) {
            let mut seen = Snapshot::default();
            seen.set(
                Query::service("demo-app"),
                Some(Service::new(service.clone())),
            );
            decide_on(request, seen, &deployment, &text);
        }
    });
}

#[test]
fn answers_of_the_api() {
    let deployment = crate::stage::demo_app(600);
    let service = landfall_sandbox::world::sample_service("demo-app");
    let seeds = [deployment.clone(), service].map(|seed| seed.to_string().into_bytes());
    fuzz("answer", seeds.to_vec(), |input| {
        let Ok(object) = serde_json::from_slice::<Value>(input) else {
            return;
        };
        // Whatever it is, it is read as each of these, and compared.
        let read = Workload::new(workload::Kind::Deployment, object.clone());
        _ = (
            read.name(),
            read.revision(),
            read.replicas(),
            read.containers("containers").len(),
        );
        _ = ReplicaSet::read(&object);
        _ = Service::new(object.clone());
        let difference = difference(&deployment, &object);
        assert!(difference.lines.len() <= 100);
    });
}
