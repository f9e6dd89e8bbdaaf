//! The field `mode`, and what belongs to a rollback on demand: `to`, and nothing that says what the
//! new version is.

use super::checks::{kind, unresolved};
use super::fields::Check;
use super::model::{Mode, ReturnTarget};
use super::shown::excerpt;
use crate::text::one_of;
use crate::text::placeholder;
use serde_json::Value;

/// All modes.
const MODES: [Mode; 4] = [Mode::Deploy, Mode::Plan, Mode::Rollback, Mode::PlanRollback];

/// What `to` names of one workload, and of a release.
const OF_WORKLOAD: &str = "the number of a revision, from 1 on, or an image";
const OF_RELEASE: &str = "the number of a revision of the release, from 1 on";

/// The longest `to`: an image with a registry, a path and a digest.
const TO_LIMIT: usize = 512;

/// The fields that say what a new version is. A rollback brings back one that exists.
const NEW_VERSION: [&str; 8] = [
    "images",
    "env",
    "container",
    "manifest",
    "before",
    "method",
    "restart",
    "committed",
];

impl Check<'_> {
    pub(super) fn mode(&mut self) -> Mode {
        let Some(text) = self.text("mode") else {
            return Mode::Deploy;
        };
        if let Some(mode) = MODES.into_iter().find(|mode| mode.name() == text) {
            return mode;
        }
        if let Some(meant) = meant(&text) {
            let problem = format!("must be `{}`, and is `{}`", meant.name(), excerpt(&text, 0));
            self.fault("mode", problem);
            return meant;
        }
        let names = MODES.map(Mode::name);
        let problem = format!("must be {}, and is `{}`", one_of(&names), excerpt(&text, 0));
        self.fault("mode", problem);
        Mode::Deploy
    }

    /// Whether a release is rolled back on demand: it names no workload.
    pub(in crate::request) fn is_release_going_back(&self) -> bool {
        let is_there = |field: &&str| self.fields.contains_key(*field);
        let mode = self.fields.get("mode").and_then(Value::as_str);
        let names_release = ["release", "manifests"].iter().any(is_there);
        let names_workload = ["deployment", "workload"].iter().any(is_there);
        let is_rollback = mode.and_then(meant).is_some_and(Mode::is_rollback);
        is_rollback && names_release && !names_workload
    }

    /// The revision of a release that a rollback brings back, where one is named.
    pub(in crate::request) fn return_revision(&mut self, mode: Mode) -> Option<u64> {
        let faults = self.faults.len();
        let target = self.return_named(mode, OF_RELEASE)?;
        let revision = target.revision();
        if revision.is_none() && self.faults.len() == faults {
            let problem = format!(
                "must be {OF_RELEASE}, and is `{}`",
                excerpt(target.text(), 0)
            );
            self.fault("to", problem);
        }
        revision
    }

    /// The version that a rollback brings back, where one is named.
    pub(super) fn return_target(&mut self, mode: Mode) -> Option<ReturnTarget> {
        self.return_named(mode, OF_WORKLOAD)
    }

    /// The same, where `what` says what may be named.
    fn return_named(&mut self, mode: Mode, what: &str) -> Option<ReturnTarget> {
        let text = match self.fields.get("to")? {
            Value::String(text) => text.clone(),
            Value::Number(number) if number.as_u64().is_some_and(|it| it > 0) => number.to_string(),
            Value::Number(number) => {
                let problem = format!(
                    "must be {what}, and is {number}; leave it out for the version that served \
                     before"
                );
                self.fault("to", problem);
                return None;
            }
            other @ (Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                self.fault("to", format!("must be {what}, and is {}", kind(other)));
                return None;
            }
        };
        let plain = text.chars().all(|c| !c.is_control() && !c.is_whitespace());
        if !mode.is_rollback() {
            self.fault("to", "is for the mode `rollback`; leave it out");
        } else if text.contains(placeholder::PIPELINE) {
            self.fault("to", unresolved(&text));
        } else if text.is_empty() || text.len() > TO_LIMIT || !plain {
            let problem = format!("must be 1 to {TO_LIMIT} characters without spaces");
            self.fault("to", problem);
        }
        Some(ReturnTarget(text))
    }

    /// Checks that it says what is to change, or for a rollback that it does not.
    pub(super) fn changes(&mut self, mode: Mode) {
        match mode.is_rollback() {
            true => self.changes_nothing_else(mode),
            false => self.changes_something(),
        }
    }

    /// Refuses what would say what the new version is. Without `execution` a stage that is retried
    /// would roll back a second time; a plan writes nothing.
    fn changes_nothing_else(&mut self, mode: Mode) {
        for field in NEW_VERSION {
            if self.fields.contains_key(field) {
                let problem = "cannot be combined with the mode `rollback`, which brings back a \
                    version that the cluster has; leave it out";
                self.fault(field, problem);
            }
        }
        self.needs_execution(mode);
    }

    /// A rollback is told from a second one by its execution.
    pub(in crate::request) fn needs_execution(&mut self, mode: Mode) {
        if !mode.is_plan() && !self.is_there("execution") {
            let problem = "is missing: by it a retry of the stage is known, which must not roll \
                back a second time. Give `#{codepipeline.PipelineExecutionId}`";
            self.fault("execution", problem);
        }
    }
}

/// The mode that a text means, however it is spelt.
fn meant(text: &str) -> Option<Mode> {
    let letters = |name: &str| name.replace(['-', '_', ' '], "").to_lowercase();
    let mut all = MODES.into_iter();
    all.find(|mode| letters(mode.name()) == letters(text))
}

#[cfg(test)]
mod tests;
