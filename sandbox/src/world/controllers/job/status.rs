//! The status of a Job: first what it will come to, then, without pods left, that it has.

use crate::world::controllers::deployment::rollout::merge_condition;
use crate::world::controllers::job::counting::is_ending;
use crate::world::controllers::job::indexes::told;
use crate::world::controllers::job::{CONTROLLER, End, Run, is_suspended};
use crate::world::controllers::replica_set::ready_since;
use crate::world::object::{condition, list, map_mut, written};
use crate::world::state::World;
use crate::world::store::Key;
use serde_json::{Value, json};

impl World {
    pub(crate) fn write_run_status(&mut self, run: &Run, active: usize, end: Option<End>) {
        let mut object = Value::clone(&run.object);
        let now = written(self.clock);
        object["status"] = count(run, active);
        if !is_decided(&object) && end.is_none() {
            self.note_suspension(run, &mut object, &now);
        }
        let Some(end) = end else {
            self.write_if_changed(&run.key, &run.object, object);
            run.counted.iter().for_each(|pod| self.release_pod(pod));
            return;
        };
        let (first, last) = match end.succeeded {
            true => ("SuccessCriteriaMet", "Complete"),
            false => ("FailureTarget", "Failed"),
        };
        set(&mut object, first, &end, &now);
        self.write_if_changed(&run.key, &run.object, object.clone());
        run.counted.iter().for_each(|pod| self.release_pod(pod));
        if run.pods.iter().any(|(_, pod)| is_ending(pod)) {
            return;
        }
        set(&mut object, last, &end, &now);
        if end.succeeded {
            object["status"]["completionTime"] = now.into();
        }
        self.write(&run.key, object);
        let (kind, reason, message) = match end.succeeded {
            true => ("Normal", "Completed", "Job completed"),
            false => ("Warning", end.reason.as_str(), end.message.as_str()),
        };
        self.event(&run.object, CONTROLLER, kind, reason, message);
    }

    /// Says that the Job is suspended, or was.
    fn note_suspension(&mut self, run: &Run, object: &mut Value, now: &str) {
        let was = condition(&run.object, "Suspended").is_some_and(|it| it["status"] == "True");
        let (status, reason, message) = match (was, is_suspended(&run.object)) {
            (false, true) => ("True", "JobSuspended", "Job suspended"),
            (true, false) => ("False", "JobResumed", "Job resumed"),
            (true, true) | (false, false) => return,
        };
        let event = reason.trim_start_matches("Job");
        self.event(&run.object, CONTROLLER, "Normal", event, message);
        merge(object, "Suspended", status, (reason, message), now);
    }

    fn write_if_changed(&mut self, key: &Key, old: &Value, object: Value) {
        if *old != object {
            self.write(key, object);
        }
    }
}

fn count(run: &Run, active: usize) -> Value {
    let ready = run.active().filter(|(_, pod)| ready_since(pod).is_some());
    let ending = run.pods.iter().filter(|(_, pod)| is_ending(pod));
    let mut status = json!({"ready": ready.count(), "terminating": ending.count(),
        "uncountedTerminatedPods": {}});
    for (field, count) in [
        ("active", i64::try_from(active).unwrap_or(i64::MAX)),
        ("succeeded", run.succeeded),
        ("failed", run.failed),
    ] {
        if count > 0 {
            status[field] = count.into();
        }
    }
    if let Some(indexes) = &run.indexes {
        if !indexes.succeeded.is_empty() {
            status["completedIndexes"] = told(&indexes.succeeded).into();
        }
        if let Some(failed) = &indexes.failed {
            status["failedIndexes"] = told(failed).into();
        }
    }
    if let Some(started) = run.started {
        status["startTime"] = written(started).into();
    }
    let conditions = list(&run.object, "/status/conditions");
    if !conditions.is_empty() {
        status["conditions"] = conditions.into();
    }
    status
}

/// Whether it is said already what the Job comes to.
fn is_decided(job: &Value) -> bool {
    ["SuccessCriteriaMet", "FailureTarget"]
        .iter()
        .any(|kind| condition(job, kind).is_some())
}

fn set(job: &mut Value, kind: &str, end: &End, now: &str) {
    merge(job, kind, "True", (&end.reason, &end.message), now);
}

fn merge(job: &mut Value, kind: &str, status: &str, why: (&str, &str), now: &str) {
    let condition = json!({"type": kind, "status": status, "reason": why.0, "message": why.1,
        "lastProbeTime": now, "lastTransitionTime": now});
    merge_condition(map_mut(job, "status"), condition);
}
