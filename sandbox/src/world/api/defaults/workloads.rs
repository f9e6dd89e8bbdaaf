//! The defaults of StatefulSets, DaemonSets, Jobs and CronJobs.
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/batch/v1/defaults.go>

use crate::world::api::defaults::parts::{absent, each};
use crate::world::api::defaults::pods::template;
use serde_json::{Value, json};

pub(crate) fn stateful_set(spec: &mut Value) {
    absent(spec, "podManagementPolicy", "OrderedReady");
    absent(spec, "updateStrategy", json!({}));
    let strategy = &mut spec["updateStrategy"];
    if strategy.get("type").is_none() {
        absent(strategy, "type", "RollingUpdate");
        absent(strategy, "rollingUpdate", json!({}));
    }
    if let Some(rolling) = strategy.get_mut("rollingUpdate") {
        absent(rolling, "partition", 0);
    }
    absent(spec, "persistentVolumeClaimRetentionPolicy", json!({}));
    for end in ["whenDeleted", "whenScaled"] {
        absent(
            &mut spec["persistentVolumeClaimRetentionPolicy"],
            end,
            "Retain",
        );
    }
    absent(spec, "replicas", 1);
    absent(spec, "revisionHistoryLimit", 10);
    for claim in each(spec, "volumeClaimTemplates") {
        absent(claim, "apiVersion", "v1");
        absent(claim, "kind", "PersistentVolumeClaim");
        absent(claim, "spec", json!({}));
        absent(&mut claim["spec"], "volumeMode", "Filesystem");
        absent(claim, "status", json!({"phase": "Pending"}));
    }
    template(spec);
}

pub(crate) fn daemon_set(spec: &mut Value) {
    absent(spec, "updateStrategy", json!({}));
    let strategy = &mut spec["updateStrategy"];
    absent(strategy, "type", "RollingUpdate");
    if strategy["type"] == "RollingUpdate" {
        absent(strategy, "rollingUpdate", json!({}));
        absent(&mut strategy["rollingUpdate"], "maxUnavailable", 1);
        absent(&mut strategy["rollingUpdate"], "maxSurge", 0);
    }
    absent(spec, "revisionHistoryLimit", 10);
    template(spec);
}

pub(crate) fn job(object: &mut Value) {
    let labels = object.pointer("/spec/template/metadata/labels").cloned();
    absent(object, "metadata", json!({}));
    if let Some(labels) = labels {
        absent(&mut object["metadata"], "labels", labels);
    }
    let spec = &mut object["spec"];
    if spec.get("parallelism").is_none() {
        absent(spec, "completions", 1);
    }
    absent(spec, "parallelism", 1);
    let limit = match spec.get("backoffLimitPerIndex") {
        Some(_) => i32::MAX,
        None => 6,
    };
    absent(spec, "backoffLimit", limit);
    absent(spec, "completionMode", "NonIndexed");
    absent(spec, "suspend", false);
    let replaced = match spec.get("podFailurePolicy") {
        Some(_) => "Failed",
        None => "TerminatingOrFailed",
    };
    absent(spec, "podReplacementPolicy", replaced);
    absent(spec, "manualSelector", false);
    template(spec);
}

pub(crate) fn cron_job(spec: &mut Value) {
    absent(spec, "concurrencyPolicy", "Allow");
    absent(spec, "suspend", false);
    absent(spec, "successfulJobsHistoryLimit", 3);
    absent(spec, "failedJobsHistoryLimit", 1);
    absent(spec, "jobTemplate", json!({}));
    absent(&mut spec["jobTemplate"], "metadata", json!({}));
    absent(&mut spec["jobTemplate"], "spec", json!({}));
    template(&mut spec["jobTemplate"]["spec"]);
}
