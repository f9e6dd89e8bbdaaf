//! The canary of the demo: what the requests get by the route, and the version that fails with its
//! share.

use super::{DEPLOYMENT, NAMESPACE, Stage, behaviours};
use jiff::Timestamp;
use landfall_sandbox::gateway::{HTTP_ROUTES, sample_http_route};
use landfall_sandbox::world::World;
use std::collections::BTreeMap;

/// What the images of versions that fail with a share of the traffic have in their names.
const FAILS_UNDER_LOAD: &str = "overload";

impl Stage {
    /// The route of the demo, and the API that it is of.
    pub(super) fn prepare_route(world: &mut World, now: Timestamp) {
        world.install_gateway_api(now);
        world.apply(sample_http_route(DEPLOYMENT, DEPLOYMENT), now);
    }

    /// The shares of the requests by version, in percent.
    pub(super) fn shares(world: &World) -> Vec<(String, u8)> {
        let rules = world.traffic(HTTP_ROUTES, NAMESPACE, DEPLOYMENT);
        let shares: BTreeMap<String, f64> = rules
            .first()
            .map(|rule| rule.by_version())
            .unwrap_or_default();
        let whole = |share: f64| (1..=100).rfind(|part| f64::from(*part) <= share * 100.0 + 0.5);
        let shares = shares.into_iter();
        shares
            .filter_map(|(version, share)| Some((version, whole(share)?)))
            .collect()
    }

    /// A version that fails under load does so as soon as it has some.
    pub(super) fn load(&mut self) {
        let Some(kubernetes) = &self.kubernetes else {
            return;
        };
        if !self.shows_route || self.overloaded {
            return;
        }
        self.overloaded = kubernetes.world(|world, _| {
            let is_loaded = Stage::shares(world).len() > 1;
            if is_loaded {
                world.strike(FAILS_UNDER_LOAD, behaviours::crash());
            }
            is_loaded
        });
    }
}
