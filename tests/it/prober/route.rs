//! An independent look at a route, over connections of its own: no backend may have weight without
//! the ready pods that its share needs.

use super::Source;
use crate::cluster::Cluster;
use landfall_sandbox::gateway::content;
use landfall_sandbox::traffic::of_route;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Between two looks: what is wrong lasts longer, because pods end after weights by seconds.
const PAUSE: Duration = Duration::from_millis(40);

/// One that looks until it is dropped.
pub struct RouteProber {
    seen: watch::Receiver<Seen>,
    forgiven: Arc<AtomicBool>,
    task: AbortHandle,
}

#[derive(Default)]
struct Seen {
    /// How often the route was looked at.
    looks: usize,
    complaint: Option<String>,
}

impl RouteProber {
    /// Looks at the HTTPRoute `demo-app`, where so many pods are needed for all requests.
    pub fn start(cluster: &Cluster, wanted: usize) -> RouteProber {
        let source = Source::of(cluster);
        let forgiven = Arc::new(AtomicBool::new(false));
        let (sender, seen) = watch::channel(Seen::default());
        let task = tokio::spawn(follow(source, wanted, Arc::clone(&forgiven), sender));
        RouteProber {
            seen,
            forgiven,
            task: task.abort_handle(),
        }
    }

    /// What is called when the candidate's pods fall ill that have a share: that is not the
    /// function's fault.
    pub fn forgiveness(&self) -> impl Fn() + use<> {
        let forgiven = Arc::clone(&self.forgiven);
        move || forgiven.store(true, Ordering::Relaxed)
    }

    /// What was wrong; as long as nothing is, it does not return.
    pub async fn complaint(&mut self) -> String {
        let seen = self.seen.wait_for(|seen| seen.complaint.is_some()).await;
        let seen = seen.expect("the look goes on");
        seen.complaint.clone().unwrap_or_default()
    }

    /// How often it was looked at, or what was wrong.
    pub fn finish(&self) -> Result<usize, String> {
        let seen = self.seen.borrow();
        seen.complaint.clone().map_or(Ok(seen.looks), Err)
    }
}

impl Drop for RouteProber {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(
    source: Source,
    wanted: usize,
    forgiven: Arc<AtomicBool>,
    sender: watch::Sender<Seen>,
) {
    let url = source.url("gateway.networking.k8s.io/v1", "httproutes/demo-app");
    let slices = source.url("discovery.k8s.io/v1", "endpointslices");
    loop {
        let before = source.get(&url).await;
        let list = source.get(&slices).await.unwrap_or_default();
        let after = source.get(&url).await;
        let is_same = before.as_ref().map(|it| &it["metadata"]["resourceVersion"])
            == after.as_ref().map(|it| &it["metadata"]["resourceVersion"]);
        if let Some(route) = after.filter(|_| is_same) {
            let is_forgiven = forgiven.load(Ordering::Relaxed);
            let problem = problem(&route, &list, wanted, is_forgiven);
            sender.send_modify(|seen| {
                seen.looks += 1;
                seen.complaint = seen.complaint.take().or(problem);
            });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What must not be.
fn problem(route: &Value, slices: &Value, wanted: usize, is_forgiven: bool) -> Option<String> {
    let places = of_route(&content(route), |service| Some(ready(slices, service)));
    places.into_iter().find_map(|mut place| {
        let told = place.to_string();
        if is_forgiven {
            place.backends.retain(|one| one.service == "demo-app");
        }
        let problem = place.problem(wanted)?;
        Some(format!("{problem}: the route sends to {told}"))
    })
}

/// The ready pods behind a Service.
fn ready(slices: &Value, service: &str) -> BTreeSet<String> {
    let slices = slices["items"].as_array().into_iter().flatten();
    let own = slices
        .filter(|slice| slice["metadata"]["labels"]["kubernetes.io/service-name"] == *service);
    let endpoints = own
        .filter_map(|slice| slice["endpoints"].as_array())
        .flatten();
    let ready = endpoints.filter(|one| one["conditions"]["ready"] == true);
    let names = ready.filter_map(|one| one["targetRef"]["name"].as_str());
    names.map(str::to_owned).collect()
}

#[test]
fn weight_without_ready_pods_is_seen() {
    let route = |old: u64, new: u64| {
        serde_json::json!({"kind": "HTTPRoute", "spec": {"rules": [{"backendRefs": [
            {"name": "demo-app", "weight": old}, {"name": "demo-app-canary", "weight": new}]}]}})
    };
    let slice = |service: &str, pods: &[&str]| {
        let endpoints = pods.iter().map(
            |pod| serde_json::json!({"conditions": {"ready": true}, "targetRef": {"name": pod}}),
        );
        serde_json::json!({"endpoints": endpoints.collect::<Vec<_>>(),
            "metadata": {"labels": {"kubernetes.io/service-name": service}}})
    };
    let slices = |old: &[&str], new: &[&str]| {
        let items = [slice("demo-app", old), slice("demo-app-canary", new)];
        serde_json::json!({"items": items})
    };
    let both = slices(&["a", "b"], &["c"]);
    let alone = slices(&["a", "b"], &[]);
    assert_eq!(problem(&route(90, 10), &both, 2, false), None);
    assert_eq!(problem(&route(100, 0), &alone, 2, false), None);
    for (route, slices, words) in [
        (route(90, 10), &alone, "demo-app-canary has weight 10"),
        (route(0, 100), &both, "1 ready pods, and needs 2"),
        (
            route(90, 10),
            &slices(&["a"], &["c"]),
            "demo-app has weight 90",
        ),
        (route(0, 0), &both, "no backend has weight"),
    ] {
        let found = problem(&route, slices, 2, false).unwrap_or_default();
        assert!(found.contains(words), "{found}");
    }
    assert_eq!(problem(&route(90, 10), &alone, 2, true), None);
    assert!(problem(&route(90, 10), &slices(&[], &["c"]), 2, true).is_some());
}
