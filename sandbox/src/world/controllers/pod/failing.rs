//! The failures of a pod: crashes, probes, pulls, containers that cannot be created.

use crate::world::behaviour::Stage;
use crate::world::controllers::pod::step::{Step, go_duration, pull_error};
use crate::world::object::{integer, text};
use crate::world::state::World;
use jiff::SignedDuration;
use serde_json::json;

impl World {
    /// The container exits before anyone sees it run; the first restart is immediate.
    pub(crate) fn crash(
        &mut self,
        step: &mut Step,
        code: i32,
        reason: &str,
    ) -> Option<SignedDuration> {
        let restart = step.life.stage == Stage::Crashed;
        self.start(step);
        step.life.stage = Stage::Crashed;
        step.life.restarts += u32::from(restart);
        if step.runs_once() && !step.restarts_on_failure() {
            step.end(code, reason);
            return None;
        }
        let now = step.now.clone();
        let ended = json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": now,
            "finishedAt": now, "containerID": step.container_id()}});
        if step.life.restarts == 0 {
            step.statuses(&ended, None, false);
            return Some(SignedDuration::from_secs(1));
        }
        let delay = self.back_off(step);
        let (name, _) = step.culprit();
        let pod = format!(
            "{}_{}({})",
            step.key.name,
            step.key.namespace,
            text(&step.pod, "/metadata/uid")
        );
        let message = format!(
            "back-off {} restarting failed container={name} pod={pod}",
            go_duration(delay)
        );
        let state = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
        step.statuses(&state, Some(&ended), false);
        let message = format!("Back-off restarting failed container {name} in pod {pod}");
        self.event(&step.pod, "kubelet", "Warning", "BackOff", &message);
        Some(delay)
    }

    pub(crate) fn fail_probe(&mut self, step: &mut Step) -> Option<SignedDuration> {
        if step.life.stage != Stage::Running {
            self.start(step);
        }
        let message = "Readiness probe failed: HTTP probe failed with statuscode: 503";
        self.event(&step.pod, "kubelet", "Warning", "Unhealthy", message);
        let pointer = format!(
            "/spec/containers/{}/readinessProbe/periodSeconds",
            step.culprit
        );
        let period = integer(&step.pod, &pointer);
        Some(SignedDuration::from_secs(if period > 0 {
            period
        } else {
            10
        }))
    }

    /// Alternates between failed pulls and back-off.
    pub(crate) fn fail_pull(&mut self, step: &mut Step) -> Option<SignedDuration> {
        if step.is_up() {
            return None;
        }
        step.life.stage = Stage::Waiting;
        let (_, image) = step.culprit();
        let error = pull_error(&image);
        if step.life.tries.is_multiple_of(2) {
            step.life.tries += 1;
            step.wait("ErrImagePull", &error);
            let failed = format!("Failed to pull image \"{image}\": {error}");
            self.event(
                &step.pod,
                "kubelet",
                "Normal",
                "Pulling",
                &format!("Pulling image \"{image}\""),
            );
            self.event(&step.pod, "kubelet", "Warning", "Failed", &failed);
            self.event(
                &step.pod,
                "kubelet",
                "Warning",
                "Failed",
                "Error: ErrImagePull",
            );
            return Some(PULL_NOTICE);
        }
        let back_off = format!("Back-off pulling image \"{image}\"");
        step.wait(
            "ImagePullBackOff",
            &format!("{back_off}: ErrImagePull: {error}"),
        );
        self.event(&step.pod, "kubelet", "Normal", "BackOff", &back_off);
        self.event(
            &step.pod,
            "kubelet",
            "Warning",
            "Failed",
            "Error: ImagePullBackOff",
        );
        Some(self.back_off(step))
    }

    pub(crate) fn refuse_image(&mut self, step: &mut Step) -> Option<SignedDuration> {
        if !step.is_up() {
            step.life.stage = Stage::Waiting;
            let (_, image) = step.culprit();
            let message = format!(
                "Failed to apply default image tag \"{image}\": couldn't parse image name \
                 \"{image}\": invalid reference format"
            );
            step.wait("InvalidImageName", &message);
            self.event(&step.pod, "kubelet", "Warning", "InspectFailed", &message);
            self.event(
                &step.pod,
                "kubelet",
                "Warning",
                "Failed",
                "Error: InvalidImageName",
            );
        }
        None
    }

    pub(crate) fn refuse_container(
        &mut self,
        step: &mut Step,
        message: &str,
    ) -> Option<SignedDuration> {
        if !step.is_up() {
            step.life.stage = Stage::Waiting;
            step.wait("CreateContainerConfigError", message);
            self.event(
                &step.pod,
                "kubelet",
                "Warning",
                "Failed",
                &format!("Error: {message}"),
            );
        }
        None
    }

    /// The time until the next attempt; it doubles up to its limit.
    pub(crate) fn back_off(&self, step: &mut Step) -> SignedDuration {
        // For pulls, a failure and a notice count as one attempt each, so the exponent is half of
        // them.
        let exponent = match step.life.stage {
            Stage::Waiting => step.life.tries / 2,
            Stage::Crashed => step.life.restarts.saturating_sub(1),
            Stage::Created | Stage::Scheduled | Stage::Running | Stage::Ready | Stage::Ended => {
                step.life.tries
            }
        };
        step.life.tries += 1;
        let factor = 2_i32.saturating_pow(exponent.min(20));
        (self.timing.back_off * factor).min(self.timing.back_off_limit)
    }
}

/// The time from a failed pull until the kubelet reports the back-off.
pub(crate) const PULL_NOTICE: SignedDuration = SignedDuration::from_secs(1);
