//! The indexes of a Job whose `completionMode` is `Indexed`: one pod after the other for each,
//! until one has succeeded or, with `backoffLimitPerIndex`, too many have failed.
//!
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/job>:
//! `indexed_job_utils.go`.

use super::counting::{
    delay_after, ended_at, is_active, is_ending, is_failed, replaces_failed_alone,
};
use super::policy::{Fate, fate};
use crate::world::controllers::pod::script::is_over;
use crate::world::controllers::replica_set::Pods;
use crate::world::object::{integer, list, text};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;

/// The annotation and the label of a pod with its index.
pub(crate) const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// The annotation of a pod with the number of failures of its index before it.
pub(crate) const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";

/// The indexes of a Job by what has become of them.
pub(crate) struct Indexes {
    /// How many there are.
    pub(crate) all: i64,
    pub(crate) succeeded: BTreeSet<i64>,
    /// Those that are given up; `None` where the Job counts failures for all of them.
    pub(crate) failed: Option<BTreeSet<i64>>,
}

/// A pod that an index lacks.
pub(crate) struct Lacking {
    pub(crate) index: i64,
    /// How often the index failed before.
    pub(crate) failures: i64,
    /// When the pod may be created.
    pub(crate) at: Option<Timestamp>,
}

impl Indexes {
    /// `None` for a Job without indexes. `counted` are its pods that have ended and are counted
    /// now.
    pub(crate) fn of<'a>(
        job: &Value,
        counted: impl Iterator<Item = &'a Value> + Clone,
    ) -> Option<Indexes> {
        if text(job, "/spec/completionMode") != "Indexed" {
            return None;
        }
        let mut succeeded = read(text(job, "/status/completedIndexes"));
        let ended_well = counted.clone().filter(|pod| !is_failed(pod));
        succeeded.extend(ended_well.filter_map(index_of));
        let limit = job["spec"]["backoffLimitPerIndex"].as_i64();
        let failed = limit.map(|limit| {
            let mut failed = read(text(job, "/status/failedIndexes"));
            let given_up =
                counted
                    .filter(|pod| is_failed(pod))
                    .filter(|pod| match fate(job, pod) {
                        Fate::FailsIndex => true,
                        Fate::Counts => failures_of(pod) >= limit,
                        Fate::Ignored | Fate::FailsJob(_) => false,
                    });
            failed.extend(given_up.filter_map(index_of));
            failed
        });
        Some(Indexes {
            all: integer(job, "/spec/completions"),
            succeeded,
            failed,
        })
    }

    fn count(set: &BTreeSet<i64>) -> i64 {
        i64::try_from(set.len()).unwrap_or(i64::MAX)
    }

    pub(crate) fn succeeded(&self) -> i64 {
        Indexes::count(&self.succeeded)
    }

    fn failed(&self) -> i64 {
        self.failed.as_ref().map_or(0, Indexes::count)
    }

    /// How many of them are open.
    pub(crate) fn open(&self) -> i64 {
        self.all - self.succeeded() - self.failed()
    }

    /// Why a Job has failed some of whose indexes were given up: reason and message.
    pub(crate) fn failure(&self, job: &Value) -> Option<(&'static str, &'static str)> {
        let failed = self.failed();
        match job["spec"]["maxFailedIndexes"].as_i64() {
            Some(limit) if failed > limit => Some((
                "MaxFailedIndexesExceeded",
                "Job has exceeded the specified maximal number of failed indexes",
            )),
            _ if failed > 0 && self.open() <= 0 => {
                Some(("FailedIndexes", "Job has failed indexes"))
            }
            _ => None,
        }
    }

    /// The first rule of the Job's success policy that is met, by its place.
    pub(crate) fn rule_met(&self, job: &Value) -> Option<usize> {
        if self.succeeded.is_empty() {
            return None;
        }
        let rules = list(job, "/spec/successPolicy/rules");
        rules.iter().position(|rule| {
            let wanted = rule["succeededCount"].as_i64();
            match rule["succeededIndexes"].as_str() {
                Some(named) => {
                    let named = read(named);
                    let met = named.intersection(&self.succeeded).count();
                    let wanted = wanted.and_then(|wanted| usize::try_from(wanted).ok());
                    met >= wanted.unwrap_or(named.len())
                }
                None => wanted.is_some_and(|wanted| self.succeeded() >= wanted),
            }
        })
    }

    /// The open indexes without a pod, the lowest first.
    pub(crate) fn lacking(&self, job: &Value, pods: &Pods) -> Vec<Lacking> {
        let pods = || pods.iter().map(|(_, pod)| &**pod);
        let holds_back = replaces_failed_alone(job);
        let is_busy = |pod: &&Value| is_active(pod) || holds_back && is_ending(pod);
        let active = pods().filter(is_busy).filter_map(index_of);
        let active = active.collect::<BTreeSet<_>>();
        let is_open = |index: &i64| {
            let is_given_up = self.failed.as_ref().is_some_and(|all| all.contains(index));
            !self.succeeded.contains(index) && !active.contains(index) && !is_given_up
        };
        let lacking = (0..self.all).filter(is_open).map(|index| {
            let failed = pods().filter(|pod| is_over(pod) && index_of(pod) == Some(index));
            let last = failed.max_by_key(|pod| failures_of(pod));
            let is_counted = last.is_some_and(|pod| fate(job, pod) != Fate::Ignored);
            let failures = last.map_or(0, failures_of) + i64::from(is_counted);
            let at = last.and_then(ended_at);
            let at = at.map(|ended| ended + delay_after(failures));
            Lacking {
                index,
                failures,
                at: at.filter(|_| self.failed.is_some()),
            }
        });
        lacking.collect()
    }
}

/// The index of a pod.
fn index_of(pod: &Value) -> Option<i64> {
    pod["metadata"]["annotations"][INDEX].as_str()?.parse().ok()
}

fn failures_of(pod: &Value) -> i64 {
    let count = pod["metadata"]["annotations"][FAILURES].as_str();
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// Reads `1,3-5`.
fn read(list: &str) -> BTreeSet<i64> {
    let ranges = list.split(',').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse::<i64>().ok()?..=last.parse().ok()?)
    });
    ranges.flatten().collect()
}

/// Writes `1,3-5`. Two neighbours are no range.
pub(crate) fn told(set: &BTreeSet<i64>) -> String {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for index in set {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => ranges.push((*index, *index)),
        }
    }
    let ranges = ranges.into_iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    });
    ranges.collect::<Vec<_>>().join(",")
}
