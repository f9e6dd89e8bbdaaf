//! The Job controller, step by step as the real one.
//!
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/job>: `job_controller.go`,
//! `backoff_utils.go`, `success_policy.go`; `pkg/controller/ttlafterfinished`.

mod counting;
mod indexes;
mod pods;
mod policy;
mod status;

use crate::world::controllers::job::counting::{
    delay_after, ended_at, is_active, is_counted, is_failed, restarts,
};
use crate::world::controllers::job::indexes::Indexes;
use crate::world::controllers::job::policy::{Fate, fate};
use crate::world::controllers::pod::script::is_over;
use crate::world::controllers::replica_set::Pods;
use crate::world::object::{condition, integer, text, time};
use crate::world::state::{Task, World};
use crate::world::store::Key;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::sync::Arc;

pub(crate) const CONTROLLER: &str = "job-controller";
/// How many failures a Job may have that does not say it.
const BACKOFF_LIMIT: i64 = 6;

/// A Job while its controller works on it.
pub(crate) struct Run {
    pub(crate) key: Key,
    pub(crate) object: Arc<Value>,
    pub(crate) pods: Pods,
    /// The pods that are counted now.
    pub(crate) counted: Vec<Key>,
    /// How many pods have ended so, with those that are counted now.
    pub(crate) succeeded: i64,
    pub(crate) failed: i64,
    /// What has become of its indexes, where it has some.
    pub(crate) indexes: Option<Indexes>,
    /// The start; none while the Job is suspended before its first pod.
    pub(crate) started: Option<Timestamp>,
}

/// How a Job ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) succeeded: bool,
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl World {
    pub(crate) fn sync_job(&mut self, key: &Key) {
        let Some(object) = self.observed(key) else {
            return;
        };
        // It is left to the controller that it names.
        if !["", "kubernetes.io/job-controller"].contains(&text(&object, "/spec/managedBy")) {
            return;
        }
        if let Some(at) = finished_at(&object) {
            self.expire_job(key, &object, at);
            return;
        }
        let mut run = self.read_run(key, object);
        let decided = already_decided(&run.object);
        let end = decided.or_else(|| self.failure_of(&run));
        let end = end.or_else(|| run.criteria_met());
        let mut active = run.active().count();
        let end = match end {
            Some(end) => {
                let doomed: Vec<Key> = run.active().map(|(key, _)| key.clone()).collect();
                doomed.iter().for_each(|pod| self.discard(pod, true));
                active = 0;
                Some(end)
            }
            None => {
                active = self.manage_run(&run, active);
                run.success(active)
            }
        };
        run.pods = self.pods_of(key, text(&run.object, "/metadata/uid"));
        self.write_run_status(&run, active, end);
    }

    fn read_run(&mut self, key: &Key, object: Arc<Value>) -> Run {
        let pods = self.pods_of(key, text(&object, "/metadata/uid"));
        let fresh = pods.iter().filter(|(_, pod)| is_counted(&object, pod));
        let counted = fresh.clone().map(|(key, _)| key.clone()).collect();
        let indexes = Indexes::of(&object, fresh.clone().map(|(_, pod)| &**pod));
        let (failed, succeeded): (Vec<_>, Vec<_>) = fresh.partition(|(_, pod)| is_failed(pod));
        let failed = failed.into_iter();
        let failed = failed.filter(|(_, pod)| fate(&object, pod) != Fate::Ignored);
        let failed = failed.count();
        let count = |field: &str, fresh: usize| {
            integer(&object["status"], field) + i64::try_from(fresh).unwrap_or(i64::MAX)
        };
        let (succeeded, failed) = (
            count("/succeeded", succeeded.len()),
            count("/failed", failed),
        );
        let succeeded = indexes.as_ref().map_or(succeeded, Indexes::succeeded);
        let is_resumed = condition(&object, "Suspended").is_some_and(|it| it["status"] == "True")
            && !is_suspended(&object);
        let started = time(&object, "/status/startTime").filter(|_| !is_resumed);
        let started = started.or_else(|| (!is_suspended(&object)).then_some(self.clock));
        Run {
            key: key.clone(),
            object,
            pods,
            counted,
            succeeded,
            failed,
            indexes,
            started,
        }
    }

    /// Why the Job has failed.
    fn failure_of(&mut self, run: &Run) -> Option<End> {
        let failed = |reason: &str, message: &str| {
            Some(End {
                succeeded: false,
                reason: reason.to_owned(),
                message: message.to_owned(),
            })
        };
        if let Some(target) = condition(&run.object, "FailureTarget") {
            return failed(text(target, "/reason"), text(target, "/message"));
        }
        let over = run
            .pods
            .iter()
            .filter(|(_, pod)| is_over(pod) && is_failed(pod));
        let mut fates = over.map(|(_, pod)| fate(&run.object, pod));
        if let Some(Fate::FailsJob(message)) = fates.find(|fate| matches!(fate, Fate::FailsJob(_)))
        {
            return failed("PodFailurePolicy", &message);
        }
        let limit = run.object["spec"]["backoffLimit"].as_i64();
        let limit = limit.unwrap_or(BACKOFF_LIMIT);
        let restarted: i64 = match run.restarts_in_place() {
            true => run.active().map(|(_, pod)| restarts(pod)).sum(),
            false => 0,
        };
        if run.failed > limit || restarted > 0 && restarted >= limit {
            return failed(
                "BackoffLimitExceeded",
                "Job has reached the specified backoff limit",
            );
        }
        if let Some(end) = self.past_deadline(run) {
            return Some(end);
        }
        let indexes = run.indexes.as_ref();
        let (reason, message) = indexes.and_then(|indexes| indexes.failure(&run.object))?;
        failed(reason, message)
    }

    fn past_deadline(&mut self, run: &Run) -> Option<End> {
        let seconds = run.object["spec"]["activeDeadlineSeconds"].as_i64()?;
        let deadline = run.started? + SignedDuration::from_secs(seconds);
        if is_suspended(&run.object) {
            return None;
        }
        if deadline <= self.clock {
            return Some(End {
                succeeded: false,
                reason: "DeadlineExceeded".to_owned(),
                message: "Job was active longer than specified deadline".to_owned(),
            });
        }
        self.plan(Task::Other(run.key.clone()), deadline);
        None
    }

    /// Deletes a Job that ended long enough ago.
    fn expire_job(&mut self, key: &Key, job: &Value, ended: Timestamp) {
        let Some(seconds) = job["spec"]["ttlSecondsAfterFinished"].as_i64() else {
            return;
        };
        let at = ended + SignedDuration::from_secs(seconds);
        if at <= self.clock {
            self.discard(key, true);
        } else {
            self.plan(Task::Other(key.clone()), at);
        }
    }

    /// When the next pod may be created after failures.
    pub(crate) fn retry_at(&self, run: &Run) -> Option<Timestamp> {
        let ended = |(_, pod): &(Key, Arc<Value>)| ended_at(pod);
        let over = |succeeded: bool| {
            let over = run.pods.iter().filter(|(_, pod)| is_over(pod));
            over.filter(move |(_, pod)| is_failed(pod) != succeeded)
        };
        let last_success = over(true).filter_map(ended).max();
        let failures = over(false).filter_map(ended);
        let failures = failures.filter(|at| last_success.is_none_or(|success| *at > success));
        let failures: Vec<Timestamp> = failures.collect();
        let last = failures.iter().max()?;
        let count = i64::try_from(failures.len()).unwrap_or(i64::MAX);
        Some(*last + delay_after(count))
    }
}

impl Run {
    /// The pods that have not ended and are not being deleted.
    pub(crate) fn active(&self) -> impl Iterator<Item = &(Key, Arc<Value>)> {
        self.pods.iter().filter(|(_, pod)| is_active(pod))
    }

    pub(crate) fn completions(&self) -> Option<i64> {
        let spec = &self.object["spec"];
        // One pod is the default where neither is given.
        let single = spec["parallelism"].is_null().then_some(1);
        spec["completions"].as_i64().or(single)
    }

    pub(crate) fn parallelism(&self) -> i64 {
        self.object["spec"]["parallelism"].as_i64().unwrap_or(1)
    }

    fn restarts_in_place(&self) -> bool {
        text(&self.object, "/spec/template/spec/restartPolicy") == "OnFailure"
    }

    /// Its success policy is met.
    fn criteria_met(&self) -> Option<End> {
        let rule = self.indexes.as_ref()?.rule_met(&self.object)?;
        Some(End {
            succeeded: true,
            reason: "SuccessPolicy".to_owned(),
            message: format!("Matched rules at index {rule}"),
        })
    }

    fn success(&self, active: usize) -> Option<End> {
        let is_enough = match self.completions() {
            Some(completions) => self.succeeded >= completions,
            None => self.succeeded > 0,
        };
        (is_enough && active == 0).then(|| End {
            succeeded: true,
            reason: "CompletionsReached".to_owned(),
            message: "Reached expected number of succeeded pods".to_owned(),
        })
    }
}

pub(crate) fn is_suspended(job: &Value) -> bool {
    job["spec"]["suspend"] == true
}

/// When a Job ended.
fn finished_at(job: &Value) -> Option<Timestamp> {
    let ends = ["Complete", "Failed"].into_iter();
    let mut ends = ends.filter_map(|kind| condition(job, kind));
    let end = ends.find(|end| end["status"] == "True")?;
    time(end, "/lastTransitionTime")
}

/// The success that waits only for the last pods.
fn already_decided(job: &Value) -> Option<End> {
    let met = condition(job, "SuccessCriteriaMet")?;
    Some(End {
        succeeded: true,
        reason: text(met, "/reason").to_owned(),
        message: text(met, "/message").to_owned(),
    })
}
