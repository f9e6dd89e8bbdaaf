use super::*;
use crate::kubernetes::route::{RouteBefore, RouteKind};
use crate::snapshot::{Response, Snapshot};
use crate::state::continuation::Continuation;
use crate::state::marks::CANARY;
use crate::strategy::Context as Known;
use crate::strategy::switch;
use crate::tests::{at, request};
use crate::workload;
use serde_json::json;
use std::time::Duration;

/// The timeline of a canary has the shares while they are held, when only the route is read.
#[test]
fn the_route_alone_tells_the_share() {
    let request = request(
        "job-2",
        &json!({"deployment": "web", "images": {"app": "app:2"}, "strategy": "canary",
            "service": "web", "route": "httproute/web", "steps": [10, 50], "namespace": "shop"}),
    );
    let continuation = Continuation::begin("job-2", at(0), Duration::from_secs(900));
    let share = |snapshot: &Snapshot| {
        switch::share(&Known {
            request: &request,
            continuation: &continuation,
            snapshot,
            now: at(60),
        })
    };
    assert_eq!(share(&Snapshot::default()), None);
    for (job, weight, returned, expected) in [
        ("job-2", 10, false, Some(10)),
        ("job-2", 50, false, Some(50)),
        // Nothing but the route is known, and it says nothing of this deploy's share.
        ("job-2", 0, false, None),
        ("job-2", 10, true, None),
        ("job-1", 10, false, None),
    ] {
        let note = CanaryMark {
            job: job.into(),
            service: "web".into(),
            step: 1,
            weight,
            at: at(50),
            told: None,
            since: None,
            returned,
            before: RouteBefore::default(),
        };
        let route = json!({"metadata": {"name": "web", "annotations": {CANARY: note.text()}},
            "spec": {"rules": []}});
        let mut snapshot = Snapshot::default();
        snapshot.take(
            workload::Kind::Deployment,
            Query::route(RouteKind::HttpRoute, "web"),
            Ok(Response::Object(route.into())),
            at(60),
            str::to_owned,
        );
        assert_eq!(share(&snapshot), expected, "{job} {weight} {returned}");
    }
}
