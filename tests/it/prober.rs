//! An independent look at what a Service sends to, all along a story.

use crate::cluster::Cluster;
use crate::stage::Stage;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Pods of one version that must be ready at every moment.
const REQUIRED: usize = 2;
/// How often the sandbox's world is looked at.
const PAUSE: Duration = Duration::from_millis(2);

/// The slices of the Service `demo-app` as they are known.
type Slices = BTreeMap<String, Value>;

impl Stage {
    /// Runs a part of the story while the Service's EndpointSlices are read all along: they must
    /// always have enough ready pods, all of one version.
    pub async fn probed<T>(&self, story: impl Future<Output = T>) -> T {
        tokio::select! {
            told = story => told,
            never = probe(&self.cluster) => never,
        }
    }
}

/// In a real cluster a watch tells of every state that there was.
async fn probe<T>(cluster: &Cluster) -> T {
    match cluster {
        Cluster::Sandbox(_) => loop {
            let slices = cluster.objects("endpointslices").await.into_iter();
            let own = slices.filter(|slice| {
                slice["metadata"]["labels"]["kubernetes.io/service-name"] == "demo-app"
            });
            check(&own.map(|slice| (name(&slice), slice)).collect());
            tokio::time::sleep(PAUSE).await;
        },
        Cluster::Real(namespace) => {
            let path = namespace.path("discovery.k8s.io/v1", "endpointslices");
            let label = "labelSelector=kubernetes.io%2Fservice-name%3Ddemo-app";
            let mut watch = namespace.watch(&format!("{path}?watch=true&{label}")).await;
            let mut slices = Slices::new();
            let mut text = Vec::new();
            loop {
                let chunk = watch.chunk().await.unwrap().expect("the watch goes on");
                text.extend_from_slice(&chunk);
                while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                    let line = text.drain(..=end).collect::<Vec<_>>();
                    take(&mut slices, serde_json::from_slice(&line).unwrap());
                    check(&slices);
                }
            }
        }
    }
}

fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap().to_owned()
}

fn take(slices: &mut Slices, mut event: Value) {
    let slice = event["object"].take();
    match event["type"].as_str().unwrap() {
        "ADDED" | "MODIFIED" => _ = slices.insert(name(&slice), slice),
        "DELETED" => _ = slices.remove(&name(&slice)),
        other => panic!("{other}: {slice}"),
    }
}

fn check(slices: &Slices) {
    let endpoints = slices
        .values()
        .filter_map(|slice| slice["endpoints"].as_array());
    let ready = endpoints
        .flatten()
        .filter(|it| it["conditions"]["ready"] == true);
    let pods = ready.map(|it| it["targetRef"]["name"].as_str().unwrap());
    let pods = pods.collect::<BTreeSet<_>>();
    // A pod's name is its Deployment's with two endings.
    let version = |pod: &&str| pod.rsplitn(3, '-').last().unwrap().to_owned();
    let versions = pods.iter().map(version).collect::<BTreeSet<_>>();
    assert!(
        pods.len() >= REQUIRED,
        "the Service sends to {pods:?} alone: {slices:#?}"
    );
    assert_eq!(versions.len(), 1, "a mixture serves: {pods:?}");
}

#[test]
fn the_prober_sees_what_must_not_be() {
    let endpoint = |pod: &str, ready: bool| serde_json::json!({"conditions": {"ready": ready}, "targetRef": {"name": pod}});
    let found = |endpoints: Vec<Value>| {
        let slices = Slices::from([("a".into(), serde_json::json!({"endpoints": endpoints}))]);
        std::panic::catch_unwind(|| check(&slices)).is_ok()
    };
    assert!(found(vec![
        endpoint("web-blue-1-a", true),
        endpoint("web-blue-1-b", true)
    ]));
    assert!(!found(vec![]), "empty");
    assert!(!found(vec![
        endpoint("web-blue-1-a", true),
        endpoint("web-blue-1-b", false)
    ]));
    assert!(!found(vec![
        endpoint("web-blue-1-a", true),
        endpoint("web-green-1-b", true)
    ]));
}
