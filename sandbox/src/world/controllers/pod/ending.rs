//! Pods that end: those of a Job.

use crate::world::behaviour::Stage;
use crate::world::controllers::pod::step::Step;
use crate::world::object::{list, text};
use crate::world::state::World;
use jiff::SignedDuration;
use serde_json::{Value, json};

impl World {
    /// Runs for a time, then ends with success. Where the pod is to run always, its container is
    /// started again.
    pub(crate) fn run_to_end(
        &mut self,
        step: &mut Step,
        after: SignedDuration,
    ) -> Option<SignedDuration> {
        match step.life.stage {
            Stage::Ended => None,
            Stage::Running | Stage::Ready if step.runs_once() => {
                step.end(0, "Completed");
                None
            }
            Stage::Running | Stage::Ready | Stage::Crashed if !step.runs_once() => {
                self.crash(step, 0, "Completed")
            }
            Stage::Created
            | Stage::Scheduled
            | Stage::Waiting
            | Stage::Running
            | Stage::Ready
            | Stage::Crashed => {
                self.start(step);
                let state = step.running_state();
                step.statuses(&state, None, true);
                step.condition("ContainersReady", true, None);
                step.condition("Ready", true, None);
                Some(after - after / 2)
            }
        }
    }
}

impl Step {
    /// Whether the pod is not to run for ever.
    pub(crate) fn runs_once(&self) -> bool {
        let policy = text(&self.pod, "/spec/restartPolicy");
        policy == "Never" || self.restarts_on_failure()
    }

    pub(crate) fn restarts_on_failure(&self) -> bool {
        text(&self.pod, "/spec/restartPolicy") == "OnFailure"
    }

    /// All containers have exited and are not started again.
    pub(crate) fn end(&mut self, code: i32, reason: &str) {
        self.life.stage = Stage::Ended;
        let started = self.running_state()["running"]["startedAt"].take();
        let ended = json!({"terminated": {"exitCode": code, "reason": reason,
            "startedAt": started, "finishedAt": self.now, "containerID": self.container_id()}});
        self.statuses(&ended, None, false);
        let (phase, why) = match code {
            0 => ("Succeeded", "PodCompleted"),
            _ => ("Failed", "PodFailed"),
        };
        let mut statuses = list(&self.pod, "/status/containerStatuses").to_vec();
        for (index, status) in statuses.iter_mut().enumerate() {
            // The other containers have done their work.
            if index != self.culprit {
                status["state"] = json!({"terminated": {"exitCode": 0, "reason": "Completed",
                    "startedAt": started, "finishedAt": self.now}});
                status["ready"] = false.into();
                status["started"] = false.into();
            }
        }
        let status: &mut Value = &mut self.pod["status"];
        status["containerStatuses"] = statuses.into();
        status["phase"] = phase.into();
        self.condition("ContainersReady", false, Some((why, "")));
        self.condition("Ready", false, Some((why, "")));
    }
}
