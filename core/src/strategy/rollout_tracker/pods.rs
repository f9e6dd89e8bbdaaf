//! The pods of a rollout: which are looked at, when, and what explains what they show.

use super::super::pauses::{BRIEF_WINDOW, LONG_WINDOW, PODS_WINDOW, WATCHED_WINDOW};
use super::RolloutTracker;
use crate::kubernetes::pod::Pods;
use crate::snapshot::{Followed, Query};
use crate::state::continuation::Phase;
use crate::strategy::decision::Stage;
use crate::workload::health::diagnosis::{
    self, Diagnosis, Explanation, Finding, Look, Others, PodSnapshot, SUPPLY, Since,
};
use crate::workload::health::job;
use crate::workload::replica_set::{self, ReplicaSet};
use jiff::Timestamp;
use std::time::Duration;

impl RolloutTracker<'_> {
    pub(super) fn diagnosis(&self) -> Diagnosis {
        match &self.snapshot.pods {
            Some(sight) => {
                let patience = self.request.patience;
                diagnosis::diagnose(self.live, sight, self.since(), patience)
            }
            None => Diagnosis::Nothing,
        }
    }

    /// Since when what is seen can have lasted.
    pub(super) fn since(&self) -> Since<'_> {
        let explanation = &self.snapshot.explanation;
        let rollout = self.rollout;
        let written = &rollout.written;
        let mut since = Since::of_rollout(
            written,
            rollout.wrote,
            rollout.previous.is_some(),
            self.live,
            &self.continuation.sights,
            explanation,
        );
        // Nobody makes room for the pods of a switch's new version.
        since.frees_nothing = self.stage != Stage::Rollout;
        since.has_served = self.has_traffic() || self.has_served();
        since.grows_by_steps = self.grows_by_steps();
        since.needed = self.needed();
        since
            .missing(explanation, written.at + self.request.patience * SUPPLY)
            .of_others(self.sees_others())
    }

    /// Whether the pods that were read are of other versions, and which of those are in the way.
    fn sees_others(&self) -> Option<Others> {
        let in_place = self.live.kind().row().in_place;
        let which = match in_place && !self.live.is_ordered() {
            true => Others::Hanging,
            false => Others::Unready,
        };
        (!self.sees_newest()).then_some(which)
    }

    /// Whether it is the new version of a switch, all of whose pods were ready before it got
    /// traffic.
    fn has_traffic(&self) -> bool {
        let serves = matches!(self.stage, Stage::Bake { .. } | Stage::Overlap { .. });
        serves || matches!(self.stage, Stage::Share { percent, .. } if percent > 0)
    }

    /// Whether it is a canary on its way, whose own steps ask for more pods.
    fn grows_by_steps(&self) -> bool {
        matches!(self.stage, Stage::Share { percent, .. } if percent < 100)
    }

    /// Whether the pods that were read are of the newest version: those of another one are read
    /// where they may be in its way.
    pub(super) fn sees_newest(&self) -> bool {
        let sets = self.snapshot.replica_sets(self.live).ok();
        let newest = sets.and_then(|sets| replica_set::newest(self.live, sets));
        let sight = self.snapshot.pods.as_ref();
        sight
            .zip(newest)
            .is_none_or(|(sight, newest)| sight.set.name == newest.name)
    }

    /// Whether the pods that are there have been ready all together. One that has replaced such a
    /// pod since, as that of a drained node, takes its time to start as any other, and one of the
    /// previous version would take the same.
    fn has_served(&self) -> bool {
        let served = self.continuation.guard.serving_since;
        let served = served.filter(|served| *served >= self.rollout.written.at);
        let pods = self.snapshot.pods.as_ref();
        let pods = pods.and_then(|sight| sight.pods.as_ref().ok());
        served.zip(pods).is_some_and(|(served, pods)| {
            let mut pods = pods.others.iter();
            pods.all(|pod| pod.created.is_none_or(|created| created <= served))
        })
    }

    /// Until when a version that serves is watched.
    pub(super) fn watched_until(&self) -> Option<Timestamp> {
        if let Stage::Bake { until, .. } = self.stage {
            return until;
        }
        if let Stage::Share { percent, until, .. } = self.stage {
            let until = until.unwrap_or(Timestamp::MAX);
            return Some(until).filter(|_| percent != 0);
        }
        let since = self.continuation.guard.serving_since?;
        let is_rollout = matches!(self.continuation.phase, Phase::Rollout(_));
        let is_followed = is_rollout && self.stage == Stage::Rollout;
        let is_followed = is_followed && self.rollout.wrote && !self.live.kind().ends();
        is_followed.then_some(since + self.request.bake)
    }

    /// How many pods the new version must have available: as many as it had the last time that all
    /// were; before it has served, as many as were wanted when it was written.
    fn needed(&self) -> Option<i64> {
        let served = self.continuation.sights.served.as_ref();
        let served = served.filter(|_| self.watched_until().is_some());
        let is_rollout = matches!(self.continuation.phase, Phase::Rollout(_)) && self.rollout.wrote;
        let written = self.rollout.written.wanted.filter(|_| is_rollout);
        served.map(|served| served.wanted).or(written)
    }

    /// How many pods of other versions are left, but for those below a partition.
    fn others_left(&self) -> i64 {
        let live = self.live;
        (live.total_replicas() - live.updated_replicas() - live.partition()).max(0)
    }

    /// Whether no pods are left of a version that is to go.
    pub(super) fn is_alone(&self) -> bool {
        self.others_left() == 0
    }

    /// Whether the new version lacks only pods that were asked for meanwhile, and none of them
    /// shows a fault of its own. Those of a canary on its way are asked for by its own steps.
    pub fn lacks_only_more(&self) -> bool {
        let live = self.live;
        let own = live.available_replicas() - self.others_left();
        let is_observed = live.observed_generation() >= live.generation();
        let lacks = |needed| diagnosis::lacks_only_more(needed, own, live.replicas());
        is_observed
            && !live.kind().ends()
            && !self.grows_by_steps()
            && self.needed().is_some_and(lacks)
            && !self.speaks_against()
    }

    /// Whether a pod shows what is a fault of the version.
    fn speaks_against(&self) -> bool {
        let slow = self.live.progress_deadline_seconds().max(0).unsigned_abs();
        let slow = Duration::from_secs(slow);
        self.shows(|look| {
            let found = look.explain();
            found.is_some_and(|found| found.speaks_against(look, slow))
        })
    }

    /// Whether the pods show nothing that lasts but that the cluster has no room for all of them.
    pub(super) fn lacks_only_room(&self) -> bool {
        let sight = self.snapshot.pods.as_ref();
        let is_of_room = match self.diagnosis() {
            Diagnosis::Nothing => true,
            Diagnosis::Suspicious(found) | Diagnosis::Doomed(found) => found.cause.is_of_room(),
        };
        is_of_room && sight.is_some_and(|sight| sight.pods.is_ok())
    }

    fn wants_events(&self, finding: &Finding) -> bool {
        self.snapshot.explanation.events.is_none() && self.shows(|look| finding.wants_events(look))
    }

    pub(super) fn only_waits(&self) -> bool {
        let explanation = &self.snapshot.explanation;
        self.shows(|look| {
            let found = look.explain();
            found.is_some_and(|found| found.only_waits(explanation, look))
        })
    }

    /// Whether the pods show this, if they were looked at.
    fn shows(&self, it: impl FnOnce(&Look) -> bool) -> bool {
        self.snapshot.pods.as_ref().is_some_and(|sight| {
            it(&Look {
                sight,
                since: &self.since(),
                patience: self.request.patience,
            })
        })
    }

    /// The time until the pods are to be looked at.
    pub(super) fn next_sight(&self) -> Duration {
        let explained = self.snapshot.explanation.events.is_some();
        let (soon, later) = match self.snapshot.followed {
            _ if job::is_brief(self.live) => (BRIEF_WINDOW, LONG_WINDOW),
            Followed::ByLists => (PODS_WINDOW, LONG_WINDOW),
            Followed::ByWatch => (WATCHED_WINDOW, LONG_WINDOW),
            Followed::Changed => (WATCHED_WINDOW, PODS_WINDOW),
        };
        let (last, window) = match &self.snapshot.pods {
            Some(PodSnapshot { at, pods, .. }) if explained || pods.is_err() => (*at, later),
            Some(PodSnapshot { at, .. }) => (*at, soon),
            None => (self.rollout.written.at, soon),
        };
        let left = (last + window).duration_since(self.now);
        Duration::try_from(left).unwrap_or_default().min(window)
    }

    /// Whether all was read that explains a finding: events, then the log.
    pub(super) fn explain(&self, finding: &Finding) -> Result<(), Query> {
        let read = &self.snapshot.explanation;
        if read.events.is_none() {
            let (kind, name) = match finding.pod.as_str() {
                "" => (self.live.kind().row().pod_owner, &finding.set),
                _ => ("Pod", &finding.pod),
            };
            let name = name.clone();
            return Err(Query::Events { kind, name });
        }
        if read.log.is_none() && finding.has_log() {
            return Err(Query::Log {
                pod: finding.pod.clone(),
                container: finding.container.clone(),
                previous: finding.previous,
            });
        }
        Ok(())
    }

    /// The new version. Where none came to be, the newest one has the old pods.
    fn newest<'b>(&self, sets: &'b [ReplicaSet]) -> Option<&'b ReplicaSet> {
        let previous = self.rollout.previous.as_ref();
        replica_set::newest(self.live, sets)
            .filter(|set| previous.is_none_or(|previous| previous.name != set.name))
    }

    /// Which pods are to be looked at; `None` as long as there is no new version.
    pub(super) fn pods_query(&self, sets: &[ReplicaSet]) -> Option<Query> {
        let newest = self.newest(sets)?;
        if self.looks_at_others(newest)
            && let Some(other) = self.other(newest, sets)
        {
            return Some(Query::Pods {
                selector: self.live.pods_of_others(&newest.template_hash),
                set: other.name.clone(),
                owner: other.pod_owner().to_owned(),
            });
        }
        Some(Query::Pods {
            // Where no pod can be created, it counts whether old ones are ending.
            selector: match &newest.failure {
                Some(_) => self.live.selector(),
                None => self.live.pods_of_version(&newest.template_hash),
            },
            set: newest.name.clone(),
            owner: newest.pod_owner().to_owned(),
        })
    }

    /// Whether a pod of another version is to be looked at next: one that is not ready keeps a
    /// StatefulSet from replacing any, and one that does not end keeps its place, where no other
    /// takes it. The two are looked at in turns until one shows something.
    fn looks_at_others(&self, newest: &ReplicaSet) -> bool {
        let live = self.live;
        let may_hang = self.rollout.written.at + self.request.patience * SUPPLY;
        let is_unready = live.available_replicas() < live.total_replicas();
        let may_hang = live.kind().row().in_place && self.now >= may_hang;
        if !(may_hang || live.is_ordered() && is_unready) {
            return false;
        }
        // Nobody waits for an old pod that is there.
        if live.rolls_on_delete() && live.total_replicas() >= live.replicas() {
            return false;
        }
        let Some(PodSnapshot {
            set,
            pods: Ok(pods),
            ..
        }) = &self.snapshot.pods
        else {
            return live.updated_replicas() == 0;
        };
        match set.name == newest.name {
            true => pods.others.is_empty() && pods.endings.is_empty(),
            false => live.is_ordered() && !pods.others.is_empty(),
        }
    }

    /// Whether all pods of the new version are ready, and what is not is an old one, of a workload
    /// whose old pods nobody waits for.
    pub(super) fn only_old_pods_are_unready(&self) -> bool {
        let live = self.live;
        let updated = usize::try_from(live.updated_replicas()).unwrap_or_default();
        let all_ready = |pods: &Pods| pods.others.is_empty() && pods.ready >= updated;
        let sight = self.snapshot.pods.as_ref();
        live.rolls_on_delete()
            && live.total_replicas() >= live.replicas()
            && sight.is_some_and(|sight| sight.pods.as_ref().is_ok_and(all_ready))
    }

    /// The version that the other pods have.
    fn other<'b>(&self, newest: &ReplicaSet, sets: &'b [ReplicaSet]) -> Option<&'b ReplicaSet> {
        let others = replica_set::own(self.live, sets).filter(|set| set.name != newest.name);
        others.max_by_key(|set| (set.replicas, set.revision))
    }

    /// Whether the last look was at the new version's pods, and shows that it is another's that
    /// holds the rollout up.
    pub(super) fn misses_others(&self, sets: &[ReplicaSet]) -> bool {
        let Some(newest) = self.newest(sets) else {
            return false;
        };
        let sight = self.snapshot.pods.as_ref();
        sight.is_some_and(|sight| sight.set.name == newest.name) && self.looks_at_others(newest)
    }

    /// What is to be said about a pod that holds the rollout up although it is not of the new
    /// version; empty for any other.
    pub(super) fn held_up(&self, finding: &Finding, sets: &[ReplicaSet]) -> String {
        let newest = self.newest(sets).map(|set| set.name.as_str());
        let seen = self.snapshot.pods.as_ref().map(|sight| &*sight.set.name);
        if !self.live.is_ordered() || finding.pod.is_empty() || newest.is_none() || newest == seen {
            return String::new();
        }
        if finding.hangs() {
            return String::new();
        }
        format!(
            ". It is a pod of an earlier version, and Kubernetes replaces no pod of a StatefulSet \
             (podManagementPolicy OrderedReady) while one is not ready: delete pod `{}`, and it \
             comes back with the current version",
            finding.pod
        )
    }

    /// What is wrong with a pod of a rollout that goes on.
    pub(super) fn obstacle(&self, finding: &Finding) -> Result<String, Query> {
        // What a Job's pod has said is lost when the Job ends and removes it.
        let is_brief = self.live.kind().ends() && finding.has_log();
        if is_brief || self.wants_events(finding) {
            self.explain(finding)?;
        }
        let none = Explanation::default();
        let read = match is_brief {
            true => &self.snapshot.explanation,
            false => &none,
        };
        let sets = self.snapshot.replica_sets(self.live)?;
        Ok(finding.sentence(self.live, read) + &self.held_up(finding, sets))
    }

    /// Whether events are to be read that say why no pod of the new version comes to be: a workload
    /// that controls its pods itself says it nowhere else.
    pub(super) fn wants_events_of_creation(&self) -> bool {
        let sight = self.snapshot.pods.as_ref();
        self.snapshot.explanation.events.is_none()
            && self.now >= self.rollout.written.at + self.request.patience
            && sight.is_some_and(|sight| {
                let none = sight.pods.as_ref().is_ok_and(|pods| pods.count() == 0);
                none && !sight.set.keeper.is_empty()
            })
    }
}
