//! What others do: Lambda and CodePipeline, other executions, people and their tools.

use super::THEIR_IMAGE;
use super::disturbance::*;
use super::play::Simulation;
use jiff::SignedDuration;
use landfall_core::state::continuation::Continuation;
use landfall_sandbox::world::sample_service;
use serde_json::{Value, json};

impl Simulation {
    /// Lambda repeats the event a minute later, to a process that knows nothing.
    pub fn restart(&mut self) {
        self.pass(SignedDuration::from_mins(1));
        let timeout = self.engine.request.timeout;
        self.resume(Continuation::begin(&self.job, self.now, timeout));
    }

    pub fn hand_over(&mut self) {
        let token = self.engine.continuation.encode(&self.text);
        self.tokens.push(token.clone());
        self.take_up(&token);
    }

    /// The oldest token comes again.
    pub fn replay(&mut self) {
        let token = self.engine.continuation.encode(&self.text);
        let token = self.tokens.first().cloned().unwrap_or(token);
        self.take_up(&token);
    }

    pub fn take_up(&mut self, token: &str) {
        self.pass(SignedDuration::from_secs(20));
        self.resume(Continuation::decode(token, &self.text).unwrap());
    }

    /// A person retries the stage.
    pub fn again(&mut self) {
        self.pass(SignedDuration::from_mins(1));
        let (job, image) = (format!("{}-again", self.job), self.image.clone());
        let execution = self.engine.request.execution.clone();
        self.begin(&job, &execution, &image);
    }

    /// Another execution deploys another version.
    pub fn other(&mut self) {
        if self.job.starts_with('2') {
            return self.restart();
        }
        self.pass(SignedDuration::from_secs(30));
        self.begin("2", "run-2", THEIR_IMAGE);
    }

    pub fn live_name(&self) -> String {
        // While both versions serve, the one that did before.
        if self.overlaps() {
            let from = &self.service_object()["metadata"]["annotations"]["landfall/from"];
            return from.as_str().unwrap_or("demo-app").to_owned();
        }
        match self.selector_now()["landfall/version"].as_str() {
            Some(version) => format!("demo-app-{version}"),
            None => "demo-app".to_owned(),
        }
    }

    pub fn scale(&mut self) {
        let name = self.live_name();
        self.world.scale("default", &name, 4, self.now);
    }

    pub fn overtake(&mut self) {
        let name = self.live_name();
        let Some(mut theirs) = self.world.deployment("default", &name).cloned() else {
            return;
        };
        theirs["spec"]["template"]["spec"]["containers"][0]["image"] = json!("theirs:1");
        self.watching = false;
        self.world.apply(theirs, self.now);
    }

    /// Somebody does what no deploy can prevent. What is seen of it is judged at the end.
    pub fn meddle(&mut self, what: Disturbance) {
        self.watching = false;
        let plain = json!({"app": "demo-app"});
        match what {
            ScaledAway => {
                let version = self.lock_version();
                let name = version.map(|version| format!("demo-app-{version}"));
                if let Some(name) = name
                    && self.world.deployment("default", &name).is_some()
                {
                    self.world.scale("default", &name, 0, self.now);
                }
            }
            ServiceDeleted => {
                self.world
                    .delete("services", "default", "demo-app", self.now);
            }
            ServiceAnew => {
                self.world
                    .delete("services", "default", "demo-app", self.now);
                self.world.apply(sample_service("demo-app"), self.now);
            }
            SelectorSetBack => {
                let Some(found) = self.world.object("services", "default", "demo-app") else {
                    return;
                };
                let mut service = found.clone();
                service["spec"]["selector"] = plain;
                self.world.apply(service, self.now);
            }
            Rolled => {
                let name = self.live_name();
                let Some(found) = self.world.deployment("default", &name) else {
                    return;
                };
                let mut rolled = found.clone();
                let template = &mut rolled["spec"]["template"]["metadata"];
                template["annotations"]["kubectl.kubernetes.io/restartedAt"] = json!(self.now);
                self.world.apply(rolled, self.now);
            }
            WayDeleted => {
                self.world
                    .delete("services", "default", "demo-app-canary", self.now);
            }
            WayTurned => {
                let name = "demo-app-canary";
                if let Some(found) = self.world.object("services", "default", name) {
                    let mut service = found.clone();
                    service["spec"]["selector"] = json!({"app": "elsewhere"});
                    self.world.apply(service, self.now);
                }
            }
            other => panic!("{other:?} is nobody's meddling"),
        }
    }

    /// The version that the deploy at work brings up.
    pub fn lock_version(&self) -> Option<String> {
        let service = self.world.object("services", "default", "demo-app")?;
        let lock = service["metadata"]["annotations"]["landfall/lock"].as_str()?;
        let lock: Value = serde_json::from_str(lock).ok()?;
        Some(lock["version"].as_str()?.to_owned())
    }
}
