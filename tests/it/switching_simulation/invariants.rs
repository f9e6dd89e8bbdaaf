//! What must hold after every step of the world, and after a clean end.

use super::play::Simulation;
use super::setting::{FallsIll, Route};
use super::{NEW_IMAGE, REQUIRED};
use jiff::SignedDuration;
use landfall_core::kubernetes::call::Call;
use landfall_sandbox::traffic::Traffic;
use serde_json::Value;
use std::collections::BTreeSet;

/// How long after an overlap the EndpointSlice may hold pods of both versions.
const SETTLING: SignedDuration = SignedDuration::from_secs(1);

impl Simulation {
    pub fn selector_now(&self) -> Value {
        let service = self.world.object("services", "default", "demo-app");
        service.map_or(Value::Null, |service| service["spec"]["selector"].clone())
    }

    pub fn service(&self) -> Value {
        self.service_object().clone()
    }

    pub fn service_object(&self) -> &Value {
        let service = self.world.object("services", "default", "demo-app");
        service.unwrap()
    }

    /// The pods that the Service sends to and that are there: how many, and of which versions.
    pub fn serving(&self) -> (usize, BTreeSet<String>) {
        let slice = self
            .world
            .object("endpointslices", "default", "demo-app-slice");
        let endpoints = slice.and_then(|slice| slice["endpoints"].as_array());
        let mut images = BTreeSet::new();
        let mut count = 0;
        for endpoint in endpoints.into_iter().flatten() {
            if endpoint["conditions"]["ready"] != true {
                continue;
            }
            let name = endpoint["targetRef"]["name"].as_str().unwrap();
            let Some(pod) = self.world.object("pods", "default", name) else {
                continue;
            };
            images.insert(image_of(pod).to_owned());
            count += usize::from(is_ready(pod));
        }
        (count, images)
    }

    /// The pods that are ready and that the Service's selector finds: what its EndpointSlice will
    /// hold once that has caught up.
    pub fn selected(&self) -> (usize, BTreeSet<&str>) {
        let selector = self.service_object()["spec"]["selector"]
            .as_object()
            .unwrap();
        let pods = self.world.objects("pods").into_iter();
        let ready = pods.filter(|pod| {
            let labels = &pod["metadata"]["labels"];
            is_ready(pod) && selector.iter().all(|(key, value)| labels[key] == *value)
        });
        let images = ready.map(image_of).collect::<Vec<_>>();
        (images.len(), images.into_iter().collect())
    }

    /// What the requests get by the route, where there is one.
    fn traffic(&self) -> Vec<Traffic> {
        let route = self.setting.route;
        route.map_or_else(Vec::new, |route| {
            self.world.traffic(route.resource(), "default", "demo-app")
        })
    }

    /// Whether the candidate's Service has weight in a route that is in force.
    pub fn candidate_has_weight(&self) -> bool {
        self.traffic().iter().any(|rule| {
            let mut backends = rule.backends.iter();
            backends.any(|one| one.service == "demo-app-canary" && one.weight > 0)
        })
    }

    /// No backend of the route has weight without the ready pods that its share needs.
    fn check_route(&self) {
        for rule in self.traffic() {
            let problem = rule.problem(REQUIRED);
            assert!(
                problem.is_none() || self.ill,
                "the route sends where nothing is at {}: {problem:?}",
                self.now
            );
        }
    }

    /// The Service says that both versions serve.
    pub fn overlaps(&self) -> bool {
        let service = self.world.object("services", "default", "demo-app");
        let note = "landfall/overlap";
        service.is_some_and(|service| service["metadata"]["annotations"][note].is_string())
    }

    /// How many versions may serve: two while the Service says so, and until that is known
    /// everywhere.
    fn most_versions(&mut self) -> usize {
        if self.overlaps() {
            self.mixed_until = Some(self.now + SETTLING);
        }
        match self.mixed_until.is_some_and(|until| self.now <= until) {
            true => 2,
            false => 1,
        }
    }

    /// The load balancer in front always has enough healthy targets.
    fn check_targets(&self) {
        if !self.setting.overlap || !self.watching || self.ill {
            return;
        }
        // What could not be scaled down would have served as well, so that it was a cut.
        let service = self.service_object();
        let handover = service["metadata"]["annotations"]["landfall/handover"].as_str();
        if handover.is_some_and(|text| text.contains("left")) {
            return;
        }
        let healthy = self.world.healthy_targets("default", "demo-app");
        assert!(
            healthy.len() >= REQUIRED,
            "the load balancer has {} healthy targets at {}: {healthy:?}",
            healthy.len(),
            self.now
        );
    }

    /// What must hold after every step of the world.
    pub fn check(&mut self) {
        let most = self.most_versions();
        self.check_targets();
        let state = self.world.resource_version();
        if std::mem::replace(&mut self.checked, state) == state {
            return;
        }
        let (count, images) = self.serving();
        let has_share = images.contains(NEW_IMAGE) || self.candidate_has_weight();
        if self.setting.health == FallsIll && !self.ill && self.falls_ill.is_none() && has_share {
            self.falls_ill = Some(self.now + SignedDuration::from_secs(5));
        }
        if !self.watching {
            return;
        }
        assert!(
            images.len() <= most,
            "a mixture serves at {}: {images:?}",
            self.now
        );
        let ill = self.ill && images.iter().all(|image| image == NEW_IMAGE);
        assert!(
            count >= REQUIRED || ill,
            "{count} pods of {images:?} serve at {}",
            self.now
        );
        self.check_route();
        let (count, images) = self.selected();
        let most = if self.overlaps() { 2 } else { 1 };
        assert!(
            images.len() <= most,
            "the selector finds a mixture at {}: {images:?}",
            self.now
        );
        let ill = self.ill && images.iter().all(|image| *image == NEW_IMAGE);
        assert!(
            count >= REQUIRED || ill,
            "the selector finds {count} pods of {images:?} at {}",
            self.now
        );
    }

    /// The route is as it was, and the candidate's Service is gone.
    fn check_at_rest(&self, route: Route) {
        let candidate = self.world.object("services", "default", "demo-app-canary");
        assert!(candidate.is_none(), "the candidate's Service is left");
        let found = self.world.object(route.resource(), "default", "demo-app");
        let Some(found) = found else {
            return;
        };
        let notes = found["metadata"]["annotations"].as_object();
        let mut notes = notes.into_iter().flatten();
        let note = notes.find(|(name, _)| name.starts_with("landfall/"));
        assert!(note.is_none(), "the route keeps {note:?}");
        let names = |one: &Traffic| {
            let names = one.backends.iter().map(|one| one.service.clone());
            names.collect::<Vec<_>>()
        };
        let backends = self.traffic().iter().flat_map(names).collect::<Vec<_>>();
        assert_eq!(backends, ["demo-app"], "the route is not as it was");
    }

    /// The Deployments that are to have pods.
    pub fn running(&self) -> Vec<String> {
        let all = self.world.objects("deployments").into_iter();
        let running = all.filter(|it| it["spec"]["replicas"] != 0);
        running
            .map(|it| it["metadata"]["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Nothing of ours is left over: one version runs, the one that the Service sends to.
    pub fn check_clean(&self) {
        let service = self.service();
        let notes = &service["metadata"]["annotations"];
        for note in [
            "landfall/lock",
            "landfall/wide-selector",
            "landfall/selector-before",
            "landfall/retiring",
            "landfall/overlap",
        ] {
            assert!(notes[note].is_null(), "{note} is left: {notes}");
        }
        let selector = &service["spec"]["selector"];
        assert!(
            selector["pod-template-hash"].is_null(),
            "the Service is still narrowed"
        );
        let preview = self.world.object("services", "default", "demo-app-preview");
        assert!(preview.is_none(), "the preview Service is left");
        if let Some(route) = self.setting.route {
            self.check_at_rest(route);
        }
        assert_eq!(
            self.running(),
            [self.live_name()],
            "another version runs as well"
        );
        for scaler in self.world.objects("horizontalpodautoscalers") {
            let spec = &scaler["spec"];
            assert_eq!(
                spec["scaleTargetRef"]["name"],
                *self.live_name(),
                "the autoscaler's target"
            );
            assert_eq!(spec["minReplicas"], 1, "the autoscaler's floor");
            let notes = &scaler["metadata"]["annotations"];
            assert!(notes["landfall/min-replicas"].is_null(), "{notes}");
        }
        if self.setting.immutable {
            let all = self.world.objects("deployments").into_iter();
            let plain = |it: &&Value| it["metadata"]["name"] == "demo-app";
            // What failed is deleted by the next deploy that succeeds.
            let failed =
                |it: &&Value| it["metadata"]["annotations"]["landfall/rolled-back"].is_string();
            let kept = all
                .filter(|it| !plain(it) && !failed(it) && it["spec"]["replicas"] == 0)
                .count();
            // One that died may stand beside the one that is kept.
            let most = if self.happened.is_empty() { 1 } else { 2 };
            assert!(kept <= most, "{kept} superseded versions are kept");
        }
    }
}

/// Whether a write names the state or the object that was read: of two writers one must lose.
pub fn is_bound(call: &Call) -> bool {
    let body = call.body.as_ref().unwrap_or(&Value::Null);
    let bond = match call.verb.method() {
        // The name must be free.
        "POST" => return true,
        "DELETE" => &body["preconditions"]["uid"],
        _ => &body["metadata"]["resourceVersion"],
    };
    bond.as_str().is_some_and(|bond| !bond.is_empty())
}

pub fn image_of(pod: &Value) -> &str {
    pod["spec"]["containers"][0]["image"].as_str().unwrap()
}

pub fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    pod["metadata"].get("deletionTimestamp").is_none()
        && conditions.any(|it| it["type"] == "Ready" && it["status"] == "True")
}
