use super::*;
use crate::kubernetes::call::{Call, Permission};
use crate::kubernetes::contact::OddAnswer;
use crate::kubernetes::resource::DEPLOYMENTS;
use crate::kubernetes::route::RouteKind;
use crate::kubernetes::{CallError, Refusal};
use crate::workload;
use serde_json::json;
use std::sync::Arc;

/// Builders for every test of this crate that needs a snapshot.
impl Snapshot {
    pub(crate) fn with(mut self, query: Query, answer: impl Into<Answer>) -> Snapshot {
        self.set(query, answer);
        self
    }

    pub(crate) fn with_deployment(self, name: &str, found: Option<Workload>) -> Snapshot {
        self.with(Query::deployment(name), found)
    }

    pub(crate) fn with_pods(mut self, pods: PodSnapshot) -> Snapshot {
        self.pods = Some(pods);
        self
    }

    pub(crate) fn with_explanation(mut self, explanation: Explanation) -> Snapshot {
        self.explanation = explanation;
        self
    }

    pub(crate) fn with_dry_run(self, tried: DryRun) -> Snapshot {
        self.with(dry_run(), tried)
    }

    /// The ReplicaSet `web-1` with this template, which belongs to the Deployment `uid-1`.
    pub(crate) fn with_previous(self, template: Result<Option<Value>, String>) -> Snapshot {
        let owner = json!([{"controller": true, "uid": "uid-1"}]);
        let set = |template| json!({"metadata": {"ownerReferences": owner}, "spec": {"template": template}});
        let set = template.map(|template| template.map(set));
        self.with(Query::Get(Kind::ReplicaSet, "web-1".into()), set)
    }

    /// Changes an answer that is there.
    pub(crate) fn change<T: Typed + Clone + Into<Answer>>(
        &mut self,
        query: Query,
        change: impl FnOnce(&mut T),
    ) {
        let mut answer = self.get::<T>(query.clone()).unwrap().clone();
        change(&mut answer);
        self.set(query, answer);
    }

    /// Forgets the answers to these queries.
    pub(crate) fn forget(&mut self, forgotten: impl Fn(&Query) -> bool) {
        self.answers.retain(|(query, _)| !forgotten(query));
    }
}

fn dry_run() -> Query {
    Query::DryRun(Box::new(
        Call::create(&DEPLOYMENTS, "shop", json!({})).dry_run(),
    ))
}

fn proxy(contains: Option<&str>) -> Query {
    Query::Proxy {
        target: "front-preview:80".into(),
        path: "/health".into(),
        contains: contains.map(str::to_owned),
    }
}

/// Every query, with the path that it reads.
fn all() -> Vec<(Query, &'static str)> {
    let name = || "web-1".to_owned();
    let selector = || "app=web".to_owned();
    let editor = |kind| Query::Editor {
        kind,
        name: "web".into(),
        field: vec!["f:spec".into()],
    };
    let list = |items| Query::List(items, selector());
    vec![
        (Query::deployment("web"), "apis/apps/v1 deployments/web"),
        (Query::service("front"), "api/v1 services/front"),
        (
            Query::Get(Kind::ReplicaSet, name()),
            "apis/apps/v1 replicasets/web-1",
        ),
        (
            Query::route(RouteKind::HttpRoute, "web"),
            "apis/gateway.networking.k8s.io/v1 httproutes/web",
        ),
        (
            Query::RouteEvents {
                kind: "Gateway".into(),
                namespace: "shop".into(),
                name: name(),
            },
            "api/v1 events",
        ),
        (Query::ServiceAgain("front".into()), "api/v1 services/front"),
        (Query::family("web"), "apis/apps/v1 deployments"),
        (list(Items::ReplicaSets), "apis/apps/v1 replicasets"),
        (list(Items::ServicePods), "api/v1 pods"),
        (
            Query::autoscalers(),
            "apis/autoscaling/v2 horizontalpodautoscalers",
        ),
        (
            Query::List(Items::EndpointSlices, "front".into()),
            "apis/discovery.k8s.io/v1 endpointslices",
        ),
        (
            Query::Pods {
                selector: selector(),
                set: name(),
                owner: name(),
            },
            "api/v1 pods",
        ),
        (
            Query::JobEnd {
                name: name(),
                uid: "5f3b-1".into(),
            },
            "api/v1 events",
        ),
        (
            Query::Roster {
                selector: selector(),
                owner: name(),
            },
            "api/v1 pods",
        ),
        (
            Query::Blocking {
                selector: selector(),
                owner: name(),
            },
            "api/v1 pods",
        ),
        (
            Query::Events {
                kind: "Pod",
                name: name(),
            },
            "api/v1 events",
        ),
        (
            Query::Log {
                pod: name(),
                container: "app".into(),
                previous: true,
            },
            "api/v1 pods/web-1/log",
        ),
        (editor(Kind::Service), "api/v1 services/web"),
        (editor(Kind::Deployment), "apis/apps/v1 deployments/web"),
        (Query::Permission(Permission::scale()), "review"),
        (dry_run(), "apis/apps/v1 deployments"),
        (proxy(None), "api/v1 services/front-preview:80/proxy/health"),
    ]
}

fn response(reading: &Reading) -> Response {
    match reading {
        Reading::Object | Reading::Whole => {
            Response::Object(Arc::new(json!({"metadata": {"name": "x"}})))
        }
        Reading::List => Response::List(Vec::new()),
        Reading::ReplicaSets => Response::ReplicaSets(Vec::new()),
        Reading::ServicePods => Response::ServicePods(Vec::new()),
        Reading::Pods(_) => Response::Pods(Box::default()),
        Reading::Roster(_) => Response::Roster(Vec::new()),
        Reading::Events => Response::Events(Vec::new()),
        Reading::Text => Response::Text(String::new()),
    }
}

fn take(snapshot: &mut Snapshot, query: &Query, response: Response) {
    let at = Timestamp::UNIX_EPOCH;
    snapshot.take(
        workload::Kind::Deployment,
        query.clone(),
        Ok(response),
        at,
        str::to_owned,
    );
}

#[test]
fn each_query_is_a_read_in_the_requests_namespace_and_is_taken_in() {
    for (query, place) in all() {
        let call = query.call(workload::Kind::Deployment, "shop");
        let expected = match place.split_once(' ') {
            Some((group, object)) => format!("/{group}/namespaces/shop/{object}"),
            None => "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".to_owned(),
        };
        assert_eq!(call.path, expected, "{query:?}");
        assert!(!call.changes(), "{query:?}");
        let mut snapshot = Snapshot::default();
        take(&mut snapshot, &query, response(&query.terms().reading));
        assert_ne!(snapshot, Snapshot::default(), "{query:?}");
    }
}

#[test]
fn what_a_deploy_can_do_without() {
    let refused = |code, message: &str| {
        CallError::Refused(Refusal {
            code,
            message: message.to_owned(),
            ..Refusal::default()
        })
    };
    let spares =
        |query: &Query, error: &CallError, is_final| query.terms().optional.spares(error, is_final);
    let forbidden = refused(403, "");
    for (query, _) in all() {
        let found = (
            spares(&query, &forbidden, true),
            spares(&query, &CallError::OutOfTime, false),
        );
        let expected = match &query {
            Query::Get(Kind::ReplicaSet, _) | Query::Permission(_) => (true, false),
            Query::Get(..) | Query::ServiceAgain(_) | Query::List(..) | Query::DryRun(_) => {
                (false, false)
            }
            Query::Pods { .. }
            | Query::Roster { .. }
            | Query::Blocking { .. }
            | Query::Events { .. }
            | Query::RouteEvents { .. }
            | Query::JobEnd { .. }
            | Query::Log { .. }
            | Query::Editor { .. }
            | Query::Proxy { .. } => (true, true),
        };
        assert_eq!(found, expected, "{query:?}");
        assert_eq!(query.terms().limit.is_some(), expected == (true, true));
        assert_eq!(
            query.terms().gain.is_empty(),
            !expected.0 || is_asked(&query)
        );
    }
    let unfit = refused(400, "admission webhook does not support dry run");
    assert!(spares(&dry_run(), &unfit, true));
    assert!(!spares(&dry_run(), &refused(400, "invalid"), true));
    // A cluster without the Gateway API.
    let text = |text: &str| {
        let odd = OddAnswer::Text(404, Some(text.to_owned()));
        CallError::NotKubernetes(Box::new(odd))
    };
    let route = Query::route(RouteKind::HttpRoute, "web");
    assert!(spares(&route, &text("404 page not found\n"), true));
    assert!(!spares(&route, &text("<html>not found</html>"), true));
    assert!(!spares(
        &Query::service("web"),
        &text("404 page not found"),
        true
    ));
}

fn is_asked(query: &Query) -> bool {
    matches!(query, Query::Permission(_))
}

#[test]
fn what_was_not_read_is_asked_for() {
    let snapshot = Snapshot::default();
    let query = Query::deployment("web");
    assert_eq!(snapshot.deployment("web"), Err(query.clone()));
    let known = snapshot.with_deployment("web", None);
    assert_eq!(known.deployment("web"), Ok(None));
    assert_eq!(known.deployment("api"), Err(Query::deployment("api")));
    // An answer of another type is none.
    assert_eq!(known.get::<bool>(query.clone()), Err(query));
}

#[test]
fn a_smoke_test_passes_or_says_what_is_wrong() {
    let ok = || Ok("all ok".to_owned());
    let missed = |why: &str, unasked| Missed {
        why: why.to_owned(),
        unasked,
    };
    for (contains, text, expected) in [
        (None, ok(), Ok(())),
        (Some("ok"), ok(), Ok(())),
        (
            Some("fine"),
            ok(),
            Err("its answer does not contain `fine`"),
        ),
        (None, Err(missed("HTTP 500", false)), Err("HTTP 500")),
    ] {
        let mut snapshot = Snapshot::default();
        let mut take = |response| {
            let at = Timestamp::UNIX_EPOCH;
            snapshot.take(
                workload::Kind::Deployment,
                proxy(contains),
                response,
                at,
                str::to_owned,
            );
            snapshot.smoke.clone()
        };
        let unasked = take(Err(missed("no endpoints", true)));
        assert_eq!((unasked.tries, unasked.unanswered), (0, 1));
        let smoke = take(text.map(Response::Text));
        assert_eq!((smoke.tries, smoke.unanswered), (1, 1));
        assert_eq!(smoke.last, Some(expected.map_err(str::to_owned)));
        // What passed is not asked again; what failed is.
        snapshot.invalidate_all();
        let last = expected.is_ok().then_some(Ok(()));
        assert_eq!(snapshot.smoke, Smoked { last, ..smoke });
    }
}

#[test]
fn pods_that_are_over_are_not_a_services() {
    let pod = |phase: &str| json!({"metadata": {"name": phase}, "status": {"phase": phase}});
    let pods = ["Running", "Failed", "Succeeded", "Pending"].map(pod);
    let pods = pods.iter().map(ServicePod::read);
    let query = Query::List(Items::ServicePods, "app=web".into());
    let mut snapshot = Snapshot::default();
    take(&mut snapshot, &query, Response::ServicePods(pods.collect()));
    let selector = [("app".to_owned(), "web".to_owned())].into();
    let names = snapshot.service_pods(&selector).unwrap();
    let names = names.iter().map(|pod| &*pod.name);
    assert_eq!(names.collect::<Vec<_>>(), ["Running", "Pending"]);
}

#[test]
fn texts_of_the_cluster_are_masked_before_they_are_kept() {
    let mask: fn(&str) -> String = |text| text.replace("s3cret", "[hidden]");
    let mut snapshot = Snapshot::default();
    let set = ReplicaSet {
        failure: Some(("a s3cret".into(), None)),
        ..ReplicaSet::default()
    };
    let log = || Query::Log {
        pod: "web-1".into(),
        container: "app".into(),
        previous: false,
    };
    let at = Timestamp::UNIX_EPOCH;
    let sets = Response::ReplicaSets(vec![set]);
    snapshot.take(
        workload::Kind::Deployment,
        Query::replica_sets("app=web"),
        Ok(sets),
        at,
        mask,
    );
    let text = Response::Text("my s3cret\n".into());
    snapshot.take(workload::Kind::Deployment, log(), Ok(text), at, mask);
    let seen = format!("{snapshot:?}");
    assert_eq!(seen.matches("[hidden]").count(), 2, "{seen}");
    assert!(!seen.contains("s3cret"), "{seen}");
}

/// All that can be read, with a Deployment under the selector of the ReplicaSets.
fn full() -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (query, _) in all() {
        take(&mut snapshot, &query, response(&query.terms().reading));
    }
    snapshot.left.push(("old".into(), "no right".into()));
    snapshot
}

fn web() -> Workload {
    Workload::new(
        workload::Kind::Deployment,
        json!({"metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}}}),
    )
}

#[test]
fn the_service_again_leaves_no_deployment() {
    let mut snapshot = full().with_deployment("web", Some(web()));
    let again = Query::ServiceAgain("front".into());
    take(&mut snapshot, &again, Response::Nothing);
    assert_eq!(snapshot.service("front"), Ok(None));
    assert_eq!(snapshot.deployment("web"), Err(Query::deployment("web")));
    assert_eq!(snapshot.get::<bool>(again), Ok(&true));
    assert!(snapshot.autoscalers().is_ok());
}

#[test]
fn a_change_of_the_watched_deployment_leaves_what_is_not_of_its_pods() {
    let mut snapshot = full().with(Query::replica_sets("app=api"), Vec::<ReplicaSet>::new());
    let before = snapshot.clone();
    snapshot.invalidate_pods("web", Some(web()));
    let kept = |query: &Query| snapshot.answers.iter().any(|(asked, _)| asked == query);
    for query in [
        Query::service("front"),
        Query::route(RouteKind::HttpRoute, "web"),
        Query::family("web"),
        Query::autoscalers(),
        Query::Permission(Permission::scale()),
        Query::replica_sets("app=api"),
        Query::deployment("web"),
    ] {
        assert!(kept(&query), "{query:?}");
    }
    assert_eq!(snapshot.answers.len(), 7, "{:?}", snapshot.answers);
    assert_eq!(snapshot.deployment("web"), Ok(Some(&web())));
    let outlives = |it: &Snapshot| {
        let all = (it.pods.clone(), it.explanation.clone());
        (all, it.smoke.clone(), it.left.clone())
    };
    assert_eq!(outlives(&snapshot), outlives(&before));
    snapshot.invalidate_all();
    assert!(snapshot.answers.is_empty());
    assert_eq!(outlives(&snapshot), outlives(&before));
}

#[test]
fn its_versions_hold_as_long_as_a_deployment_has_not_changed() {
    let sets = Query::replica_sets("app=web");
    let read_again = |now: Response| {
        let mut snapshot = full().with_deployment("web", Some(web()));
        snapshot.invalidate_if_changed("web");
        assert_eq!(snapshot.deployment("web"), Err(Query::deployment("web")));
        take(&mut snapshot, &Query::deployment("web"), now);
        snapshot.get::<Vec<ReplicaSet>>(sets.clone()).is_ok()
    };
    let changed = |version: &str| {
        let mut object = web().value().clone();
        object["metadata"]["resourceVersion"] = json!(version);
        Response::Object(object.into())
    };
    assert!(read_again(changed(web().resource_version())));
    assert!(!read_again(changed("another")));
    assert!(!read_again(Response::Nothing));
}

#[test]
fn who_gets_traffic_is_read_after_the_service() {
    let pods = Query::List(Items::ServicePods, "app=web".into());
    let sets = Query::replica_sets("app=web");
    let deployment = Workload::new(
        workload::Kind::Deployment,
        json!({"metadata": {"name": "web"}}),
    );
    let mut snapshot = Snapshot::default().with_deployment("web", Some(deployment));
    for query in [&pods, &sets] {
        take(&mut snapshot, query, response(&query.terms().reading));
        snapshot.was_told(query.clone());
    }
    assert!(!snapshot.is_rechecked());
    let again = Query::ServiceAgain("web".into());
    let service = json!({"kind": "Service", "metadata": {"name": "web"}});
    take(&mut snapshot, &again, Response::Object(service.into()));
    assert!(snapshot.is_rechecked());
    assert!(snapshot.seen_service("web").is_some());
    // The Deployment was read before the Service, and a watch's pods may be older still.
    assert_eq!(snapshot.deployment("web"), Err(Query::deployment("web")));
    assert_eq!(snapshot.get::<Vec<ServicePod>>(pods.clone()), Err(pods));
    assert!(snapshot.get::<Vec<ReplicaSet>>(sets).is_ok());
}

#[test]
fn what_a_write_returns_is_known_and_no_verdict_rests_on_what_was_before() {
    let service = |version: &str| json!({"kind": "Service", "metadata": {"name": "web", "resourceVersion": version}});
    let pods = Query::List(Items::ServicePods, "app=web".into());
    let endpoints = Query::List(Items::EndpointSlices, "web".into());
    let now = Timestamp::UNIX_EPOCH;
    for (later, is_kept) in [(10, true), (1_500, false)] {
        let mut snapshot = Snapshot::default();
        for query in [&pods, &endpoints] {
            take(&mut snapshot, query, response(&query.terms().reading));
        }
        let written = Workload::new(workload::Kind::Deployment, service("2"));
        snapshot.written(written, now + jiff::SignedDuration::from_millis(later));
        assert_eq!(
            snapshot.seen_service("web"),
            Some(&Service::new(service("2")))
        );
        // They follow the Service.
        assert_eq!(snapshot.certain(endpoints.clone()), Err(endpoints.clone()));
        let known = snapshot.get::<Vec<ServicePod>>(pods.clone());
        assert_eq!(known.is_ok(), is_kept, "{later}");
        assert_eq!(snapshot.forget_told(true), is_kept);
        assert!(snapshot.get::<Vec<ServicePod>>(pods.clone()).is_err());
        assert!(snapshot.certain(Query::service("web")).is_ok());
    }
}

#[test]
fn a_write_of_a_deployment_leaves_other_objects_and_none_of_its_pods() {
    let labelled = |name: &str, replicas: i64| {
        let object = json!({"kind": "Deployment", "spec": {"replicas": replicas},
            "metadata": {"name": name, "labels": {"landfall/family": "web"}}});
        Workload::new(workload::Kind::Deployment, object)
    };
    let family = Query::List(Items::Deployments, "landfall/family=web".into());
    let mut snapshot = full();
    snapshot.set(family.clone(), vec![labelled("web-blue", 3)]);
    snapshot.was_read(&family);
    assert_eq!(
        snapshot.seen_deployment("web-blue"),
        Some(&labelled("web-blue", 3))
    );
    let now = Timestamp::UNIX_EPOCH;
    for (name, replicas) in [("web-blue", 0), ("web-green", 3)] {
        snapshot.written(labelled(name, replicas), now);
        let query = Query::deployment(name);
        assert!(snapshot.certain(query).is_ok(), "{name}");
    }
    // But for the one that was scaled to zero, all is read again for a verdict.
    let service = json!({"kind": "Service", "metadata": {"name": "front"}});
    snapshot.written(Workload::new(workload::Kind::Deployment, service), now);
    for (name, is_certain) in [("web-blue", true), ("web-green", false)] {
        let certain = snapshot.certain(Query::deployment(name));
        assert_eq!(certain.is_ok(), is_certain, "{name}");
    }
    assert_eq!(snapshot.certain(family.clone()), Err(family.clone()));
    let all = snapshot.get::<Vec<Workload>>(family).unwrap();
    assert_eq!(*all, [labelled("web-blue", 0), labelled("web-green", 3)]);
    assert!(snapshot.seen_service("front").is_some());
    assert!(snapshot.autoscalers().is_ok());
    for items in [
        Items::ServicePods,
        Items::EndpointSlices,
        Items::ReplicaSets,
    ] {
        let is_of = |query: &Query| matches!(query, Query::List(of, _) if *of == items);
        assert!(!snapshot.answers.iter().any(|(query, _)| is_of(query)));
    }
}

#[test]
fn what_a_watch_has_told_is_not_certain_until_it_is_read() {
    let pods = Query::List(Items::ServicePods, "app=web".into());
    let mut snapshot = Snapshot::default();
    assert_eq!(snapshot.certain(pods.clone()), Err(pods.clone()));
    take(&mut snapshot, &pods, Response::ServicePods(Vec::new()));
    snapshot.was_told(pods.clone());
    assert_eq!(snapshot.certain(pods.clone()), Err(pods.clone()));
    assert_eq!(snapshot.told_of_traffic().collect::<Vec<_>>(), [&pods]);
    take(&mut snapshot, &pods, Response::ServicePods(Vec::new()));
    assert_eq!(snapshot.certain(pods.clone()), Ok(()));
    // A dropped answer does not count as told by a watch either.
    snapshot.was_told(pods.clone());
    snapshot.invalidate_pods("web", None);
    assert!(!snapshot.is_told(&pods));
}
