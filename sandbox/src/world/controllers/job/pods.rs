//! The pods of a Job, each counted once: a finalizer keeps them until then.

use crate::world::controllers::job::counting::{TRACKING, is_ending, replaces_failed_alone};
use crate::world::controllers::job::indexes::{FAILURES, INDEX, Indexes, Lacking};
use crate::world::controllers::job::{CONTROLLER, Run, is_suspended};
use crate::world::controllers::pod::create::{NewPod, suffix};
use crate::world::controllers::pod::script::is_over;
use crate::world::object::{map_mut, terminating, text, written};
use crate::world::state::{Task, World};
use crate::world::store::Key;
use serde_json::{Value, json};

impl World {
    /// Creates or deletes pods; returns how many are active afterwards.
    pub(crate) fn manage_run(&mut self, run: &Run, active: usize) -> usize {
        let wanted = self.wanted_pods(run, active);
        if active > wanted {
            let surplus: Vec<Key> = run.active().map(|(key, _)| key.clone()).collect();
            for pod in surplus.iter().take(active - wanted) {
                // Not a failure of the Job, so nobody is to count it.
                self.release_pod(pod);
                self.discard(pod, true);
                let message = format!("Deleted pod: {}", pod.name);
                self.event(
                    &run.object,
                    CONTROLLER,
                    "Normal",
                    "SuccessfulDelete",
                    &message,
                );
            }
            return wanted;
        }
        let ending = run.pods.iter().filter(|(_, pod)| is_ending(pod));
        let ending = match replaces_failed_alone(&run.object) {
            true => ending.count(),
            false => 0,
        };
        let wanted = wanted.saturating_sub(ending);
        if active >= wanted {
            return active;
        }
        let per_index = run.indexes.as_ref().is_some_and(|it| it.failed.is_some());
        let retry_at = self
            .retry_at(run)
            .filter(|at| *at > self.clock && !per_index);
        if let Some(at) = retry_at {
            self.plan(Task::Other(run.key.clone()), at);
            return active;
        }
        let Some(indexes) = &run.indexes else {
            let created = (active..wanted).take_while(|used| self.create_job_pod(run, *used, None));
            return active + created.count();
        };
        let mut used = active;
        for lacking in indexes.lacking(&run.object, &run.pods) {
            if let Some(at) = lacking.at.filter(|at| *at > self.clock) {
                self.plan(Task::Other(run.key.clone()), at);
            } else if used < wanted && self.create_job_pod(run, used, Some(&lacking)) {
                used += 1;
            } else {
                break;
            }
        }
        used
    }

    fn wanted_pods(&self, run: &Run, active: usize) -> usize {
        if is_suspended(&run.object) {
            return 0;
        }
        let parallel = run.parallelism();
        let wanted = match run.completions() {
            Some(completions) => {
                let open = run.indexes.as_ref().map(Indexes::open);
                parallel.min(open.unwrap_or(completions - run.succeeded))
            }
            // After a success the others only end.
            None if run.succeeded > 0 => {
                return active.min(usize::try_from(parallel).unwrap_or_default());
            }
            None => parallel,
        };
        usize::try_from(wanted).unwrap_or_default()
    }

    fn create_job_pod(&mut self, run: &Run, used: usize, lacking: Option<&Lacking>) -> bool {
        let number = self.store.number();
        let stem = match lacking {
            Some(lacking) => format!("{}-{}", run.key.name, lacking.index),
            None => run.key.name.clone(),
        };
        let name = format!("{stem}-{}", suffix(number));
        let new = NewPod {
            owner: &run.object,
            template: &run.object["spec"]["template"],
            name: name.clone(),
            number,
            labels: job_labels(&run.object),
        };
        let mut pod = new.object(&written(self.clock));
        pod["metadata"]["finalizers"] = json!([TRACKING]);
        if let (Some(lacking), Some(indexes)) = (lacking, &run.indexes) {
            mark(&mut pod, &stem, lacking, indexes);
        }
        let accepted = self.create_pod(pod, used);
        let (kind, reason, message) = match &accepted {
            Ok(()) => ("Normal", "SuccessfulCreate", format!("Created pod: {name}")),
            Err(error) => (
                "Warning",
                "FailedCreate",
                format!("Error creating: {error}"),
            ),
        };
        self.event(&run.object, CONTROLLER, kind, reason, &message);
        if accepted.is_err() {
            let again = self.clock + self.timing.back_off;
            self.plan(Task::Other(run.key.clone()), again);
        }
        accepted.is_ok()
    }

    /// Removes the finalizer of a pod.
    pub(crate) fn release_pod(&mut self, key: &Key) {
        let Some(pod) = self.store.get(key).cloned() else {
            return;
        };
        let mut pod = Value::clone(&pod);
        map_mut(&mut pod, "metadata").remove("finalizers");
        let is_gone = terminating(&pod) && is_over(&pod);
        self.write(key, pod);
        if is_gone {
            self.remove(key);
        }
    }
}

/// Says which index a pod is for.
fn mark(pod: &mut Value, stem: &str, lacking: &Lacking, indexes: &Indexes) {
    let index = Value::from(lacking.index.to_string());
    let metadata = &mut pod["metadata"];
    metadata["generateName"] = format!("{stem}-").into();
    map_mut(metadata, "labels").insert(INDEX.to_owned(), index.clone());
    let annotations = map_mut(metadata, "annotations");
    annotations.insert(INDEX.to_owned(), index);
    if indexes.failed.is_some() {
        let failures = lacking.failures.to_string();
        annotations.insert(FAILURES.to_owned(), failures.into());
    }
    pod["spec"]["hostname"] = stem.into();
}

/// The labels that tie a pod to its Job; the older names stay beside the newer ones.
pub(crate) fn job_labels(job: &Value) -> Vec<(&'static str, String)> {
    let uid = text(job, "/metadata/uid").to_owned();
    let name = text(job, "/metadata/name").to_owned();
    vec![
        ("batch.kubernetes.io/controller-uid", uid.clone()),
        ("batch.kubernetes.io/job-name", name.clone()),
        ("controller-uid", uid),
        ("job-name", name),
    ]
}
