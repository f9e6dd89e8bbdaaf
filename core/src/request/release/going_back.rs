//! What a rollback on demand of a release is asked by.

use super::check::OTHERS;
use super::model::ReleaseRequest;
use crate::request::fields::Check;
use crate::request::origin::Origin;
use std::time::Duration;

/// The fields of a release that say what its objects are, beside those of one workload.
const NEW_VERSION: [&str; 5] = [
    "manifests",
    "images",
    "variables",
    "namespaces",
    "committed",
];

impl Check<'_> {
    /// Checks a rollback on demand. Its objects are read from the cluster.
    pub(super) fn release_going_back(&mut self, job: &str) -> Option<ReleaseRequest> {
        let others = OTHERS.into_iter().map(|(field, _)| field);
        for field in others.chain(NEW_VERSION) {
            if self.fields.contains_key(field) {
                let problem = "cannot be combined with the mode `rollback` of a release, which \
                    brings back the objects of an earlier revision as they were; leave it out";
                self.fault(field, problem);
            }
        }
        if !self.is_there("release") {
            self.fault("release", "is missing: it names the release to roll back");
        }
        let name = self.release_name();
        let namespace = self.namespace(None);
        self.cluster = self.context();
        let prune = self.flag("prune", false);
        let force = self.flag("force", false);
        let rollback = self.flag("rollback", true);
        let (bake, alarms) = (self.bake(Duration::ZERO), self.alarms());
        let (timeout, patience) = self.times(bake, None);
        let mode = self.mode();
        let to = self.return_revision(mode);
        let execution = self.execution(job);
        self.needs_execution(mode);
        self.unfilled();
        Some(ReleaseRequest {
            name: name?,
            namespace,
            namespaces: Vec::new(),
            cluster: self.cluster.clone(),
            manifests: Vec::new(),
            hooks: Vec::new(),
            prune,
            force,
            rollback,
            mode,
            to,
            bake,
            alarms,
            timeout,
            patience,
            execution,
            commit: None,
            committed: None,
            before: None,
            origin: Origin::default(),
            hidden: Vec::new(),
        })
    }
}
