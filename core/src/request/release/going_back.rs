//! What a rollback on demand of a release is asked by.

use super::check::OTHERS;
use super::model::ReleaseRequest;
use crate::request::fields::Check;

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
        let bare = self.bare_release(namespace, job);
        self.needs_execution(bare.mode);
        self.unfilled();
        Some(ReleaseRequest {
            name: name?,
            ..bare
        })
    }
}
