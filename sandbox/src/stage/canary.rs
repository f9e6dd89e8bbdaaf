//! What the requests of the demo get, and the versions of its canaries that fail with their share.

use super::{DEPLOYMENT, NAMESPACE, Stage, alarms, behaviours};
use crate::picture::ERRORS;
use jiff::Timestamp;
use landfall_sandbox::gateway::{HTTP_ROUTES, sample_http_route};
use landfall_sandbox::traffic::{Backend, Outcome, Traffic};
use landfall_sandbox::world::World;
use std::collections::BTreeMap;

/// What the images of versions that break down with a share of the traffic have in their names.
const FAILS_UNDER_LOAD: &str = "overload";

impl Stage {
    /// The route of the demo, and the API that it is of.
    pub(super) fn prepare_route(world: &mut World, now: Timestamp) {
        world.install_gateway_api(now);
        world.apply(sample_http_route(DEPLOYMENT, DEPLOYMENT), now);
    }

    /// The part of all requests that each pod gets: by the route, or evenly behind a Service.
    pub(super) fn requests(world: &World, service: &str, by_route: bool) -> BTreeMap<Outcome, f64> {
        let traffic = match by_route {
            true => world
                .traffic(HTTP_ROUTES, NAMESPACE, DEPLOYMENT)
                .into_iter()
                .next(),
            false => world.ready_behind(NAMESPACE, service).map(|ready| Traffic {
                backends: vec![Backend {
                    service: service.to_owned(),
                    weight: 1,
                    ready: Some(ready),
                }],
            }),
        };
        traffic.map(|traffic| traffic.shares()).unwrap_or_default()
    }

    /// A version that fails with a share of the traffic does so as soon as it has some: it breaks
    /// down, or answers with errors, of which CloudWatch knows.
    pub(super) fn load(&mut self) {
        let Some(kubernetes) = &self.kubernetes else {
            return;
        };
        if self.loaded {
            return;
        }
        let has_errors = kubernetes.world(|world, _| {
            let traffic = world.traffic(HTTP_ROUTES, NAMESPACE, DEPLOYMENT);
            let backends = traffic.into_iter().flat_map(|rule| rule.backends);
            let loaded = backends.filter(|one| one.weight > 0 && one.service != DEPLOYMENT);
            let mut pods = loaded.filter_map(|one| one.ready).flatten();
            let first = pods.next()?;
            world.strike(FAILS_UNDER_LOAD, behaviours::crash());
            let pod = world.object("pods", NAMESPACE, &first)?;
            let image = pod["spec"]["containers"][0]["image"].as_str();
            Some(image.is_some_and(|image| image.contains(ERRORS)))
        });
        self.loaded = has_errors.is_some();
        if has_errors == Some(true) {
            alarms::ring(&self.aws);
        }
    }
}
