//! Checks every field, even after a fault.

use super::checks::{kind, left_unfilled, similar, unresolved};
use super::files::{Files, Wanted};
use super::image;
use super::model::{Method, Request, Switch};
use super::origin::Origin;
use super::parameters::{FIELDS, SCHEMA};
use super::shown::excerpt;
use crate::formats::yaml::text::first_unseen;
use crate::problem::Fault;
use crate::text::placeholder;
use crate::text::{duration, listed, words};
use crate::workload::Kind;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;
use std::time::Duration;

/// The shortest and the longest `timeout`. CodePipeline gives a Lambda action 24 hours in all.
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>
const TIMEOUT_RANGE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(86_400));

/// The default `timeout`.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// The longest `patience`; with 0 s every temporary state is final at once.
const LONGEST_PATIENCE: Duration = Duration::from_secs(3600);

/// The default `patience`. In this time a kubelet tries three times (at once, after 10 s and after
/// 20 s more), so a failure rests on three failed attempts.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(30);

/// The longest `execution`: CodePipeline's ids have 36 characters, other callers may use words.
pub(super) const EXECUTION_LIMIT: usize = 128;

/// The longest commit that is stored; an S3 source has version ids of up to 1,024 characters.
const COMMIT_LIMIT: usize = 128;

/// The fields to check, and the faults found so far.
pub(super) struct Check<'a> {
    /// What kind of workload is deployed, by the field `workload`.
    pub(super) kind: Kind,
    /// The workload's name, and the field that gives it: `deployment` or `workload`.
    pub(super) named: Option<(&'static str, String)>,
    pub(super) fields: Map<String, Value>,
    /// The fields that misspelt ones most likely mean.
    meant: Vec<&'static str>,
    pub(super) faults: Vec<Fault>,
    /// The content of the wanted files; `None` if they have not been read yet.
    pub(super) files: Option<&'a Files>,
    pub(super) wanted: Wanted,
    pub(super) timeout: Option<Duration>,
    pub(super) cluster: Option<String>,
}

impl<'a> Check<'a> {
    pub(super) fn new(fields: Map<String, Value>, files: Option<&'a Files>) -> Check<'a> {
        Check {
            kind: Kind::Deployment,
            named: None,
            fields,
            meant: Vec::new(),
            faults: Vec::new(),
            files,
            wanted: Wanted::default(),
            timeout: None,
            cluster: None,
        }
    }

    /// Checks every field, even after a fault. `None` if a required field is missing.
    pub(super) fn request(&mut self, job: &str) -> Option<Request> {
        self.unknown_fields();
        self.without_release();
        self.workload();
        let chosen = self.manifest().map(|it| (it.deployment, it.skipped));
        let (manifest, skipped) = chosen.unzip();
        let named = |part: &str| {
            let found = manifest.as_ref()?["metadata"][part].as_str()?;
            Some(found.to_owned())
        };
        let deployment = self.name(named("name"), manifest.is_some());
        let namespace = self.namespace(named("namespace"));
        self.cluster = self.context();
        let (mut images, mut sole_image) = self.images();
        self.manifest_images(manifest.as_ref(), &images, sole_image.is_some());
        let env = self.env();
        let container = self.container(!env.is_empty(), sole_image.is_some());
        if let (Some(container), Some(image)) = (&container, &sole_image) {
            images.insert(container.clone(), image.clone());
            sole_image = None;
        }
        let method = self.method(manifest.is_some());
        let restart = self.flag("restart", false);
        let rollback = self.flag("rollback", true);
        let strategy = self.strategy(deployment.as_deref());
        let (bake, alarms) = (self.bake_of(&strategy), self.alarms());
        let (timeout, patience) = self.times_of(&strategy, bake);
        let mode = self.mode();
        let to = self.return_target(mode);
        let execution = self.execution(job);
        let committed = self.committed();
        let commit = self.commit(self.manifest_revision());
        self.before();
        self.unfilled();
        self.changes(mode);
        Some(Request {
            kind: self.kind,
            deployment: deployment?,
            namespace,
            cluster: self.cluster.clone(),
            images,
            sole_image,
            env,
            container,
            manifest,
            skipped: skipped.unwrap_or_default(),
            origin: Origin::default(),
            commit,
            mode,
            to,
            method,
            restart,
            strategy,
            bake,
            alarms,
            timeout,
            patience,
            rollback,
            execution,
            committed,
        })
    }

    /// Checks `timeout` and `patience`; `bake` must fit into the `timeout`.
    pub(super) fn times(
        &mut self,
        bake: Duration,
        switch: Option<&Switch>,
    ) -> (Duration, Duration) {
        let (shortest, longest) = TIMEOUT_RANGE;
        let timeout = self.duration("timeout", DEFAULT_TIMEOUT, shortest..=longest, "1s to 24h");
        self.timeout = Some(timeout);
        let patience = Duration::ZERO..=LONGEST_PATIENCE;
        let patience = self.duration("patience", DEFAULT_PATIENCE, patience, "0s to 1h");
        if bake >= timeout {
            let problem = format!(
                "is {}, and must be shorter than `timeout`, which is for the whole deploy and is \
                 {}: give a shorter `bake` or a longer `timeout`",
                words(bake),
                words(timeout)
            );
            self.fault("bake", problem);
        }
        self.overlap_fits(switch, timeout);
        (timeout, patience)
    }

    pub(super) fn changes_something(&mut self) {
        let restarts = self.fields.get("restart") != Some(&Value::Bool(false));
        let changes = ["images", "env", "manifest"].into_iter();
        let mut changes = changes.chain(restarts.then_some("restart"));
        if !changes.any(|field| self.is_there(field)) {
            let problem = "change nothing: give `images`, `env`, a `manifest` or `restart`";
            self.fault("UserParameters", problem);
        }
    }

    pub(super) fn fault(&mut self, field: impl Into<String>, problem: impl Into<String>) {
        self.faults.push(Fault::new(field, problem));
    }

    /// Takes the problem that a check has found as a fault.
    pub(super) fn check(&mut self, field: impl Into<String>, checked: Result<(), String>) {
        if let Err(problem) = checked {
            self.fault(field, problem);
        }
    }

    /// Tells that a value is not of the shape that it must have.
    pub(super) fn must_be(&mut self, field: impl Into<String>, shape: &str, value: &Value) {
        self.fault(field, format!("must be {shape}, and is {}", kind(value)));
    }

    /// Refuses the first part of a field that is not known.
    pub(super) fn known_parts(
        &mut self,
        field: &str,
        parts: &Map<String, Value>,
        known: &[&str],
    ) -> Option<()> {
        let Some(unknown) = parts.keys().find(|name| !known.contains(&name.as_str())) else {
            return Some(());
        };
        let are = match known.len() {
            1 => "is only",
            _ => "are",
        };
        let known = listed(known.iter().map(|name| format!("`{name}`")).collect());
        let problem = format!("is unknown; there {are} {known}");
        self.fault(format!("{field}.{}", excerpt(unknown, 0)), problem);
        None
    }

    /// Whether a field is present, or meant by a misspelt one.
    pub(super) fn is_there(&self, field: &str) -> bool {
        self.fields.contains_key(field) || self.meant.contains(&field)
    }

    pub(super) fn unknown_fields(&mut self) {
        let is_unknown = |field: &&String| !FIELDS.contains(&field.as_str()) && *field != SCHEMA;
        let unknown = self.fields.keys().filter(is_unknown).cloned();
        let unknown = unknown.collect::<Vec<_>>();
        let schema = self.fields.get(SCHEMA);
        if schema.is_some_and(|schema| !schema.is_string()) {
            let problem = "must be the address of a JSON Schema, for an editor";
            self.fault(SCHEMA, problem);
        }
        for field in unknown {
            let problem = match (similar(&field), first_unseen(&field)) {
                (_, Some((_, unseen))) => {
                    let plain = field.chars().filter(char::is_ascii_graphic);
                    self.meant.extend(similar(&plain.collect::<String>()));
                    format!("has {unseen} in its name: write the name anew")
                }
                (Some(meant), None) => {
                    self.meant.push(meant);
                    format!("is unknown; did you mean `{meant}`?")
                }
                (None, None) => format!("is unknown; the fields are {}", FIELDS.join(", ")),
            };
            self.fault(image::shown(&field), problem);
        }
    }

    /// Reads a text field; a value of another type is a fault.
    pub(super) fn text(&mut self, field: &str) -> Option<String> {
        let value = self.fields.get(field)?;
        if let Some(text) = value.as_str() {
            return Some(text.to_owned());
        }
        let problem = format!("must be a string, and is {}", kind(value));
        self.fault(field, problem);
        None
    }

    pub(super) fn flag(&mut self, field: &str, default: bool) -> bool {
        match self.fields.get(field) {
            None => default,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                let problem = format!(
                    "must be true or false without quotes, and is {}",
                    kind(other)
                );
                self.fault(field, problem);
                default
            }
        }
    }

    /// Reads an object field; another type or an empty object is a fault.
    pub(super) fn object(&mut self, field: &str, shape: &str) -> Map<String, Value> {
        match self.fields.get(field) {
            None => Map::new(),
            Some(Value::Object(entries)) if !entries.is_empty() => entries.clone(),
            Some(other) => {
                let problem = format!("must be {shape}, and is {}", kind(other));
                self.fault(field, problem);
                Map::new()
            }
        }
    }

    /// The revision of the artifact that the manifest is in.
    fn manifest_revision(&self) -> Option<String> {
        let file = self.files?.manifest.as_ref();
        file?.revision.clone()
    }

    /// The commit, from the variable of that name or else the revision of an artifact.
    pub(super) fn commit(&self, revision: Option<String>) -> Option<String> {
        let variables = self.fields.get("variables");
        let given = variables.and_then(|all| all.get("COMMIT")?.as_str());
        let commit = given.map(str::to_owned).or(revision)?;
        let mut each = commit.chars();
        let plain = each.all(|c| !c.is_control() && !c.is_whitespace());
        let fits = !commit.is_empty() && commit.len() <= COMMIT_LIMIT && plain;
        fits.then_some(commit)
    }

    fn method(&mut self, manifest: bool) -> Method {
        let default = if manifest { Method::Put } else { Method::Patch };
        match self.text("method").as_deref() {
            None => default,
            Some("patch") => Method::Patch,
            Some("put") => {
                if !self.fields.contains_key("manifest") {
                    let problem = "`put` replaces the whole object and needs a `manifest`";
                    self.fault("method", problem);
                }
                Method::Put
            }
            Some(other) => {
                let problem = format!("must be `patch` or `put`, and is `{}`", excerpt(other, 0));
                self.fault("method", problem);
                default
            }
        }
    }

    /// Reads a duration within a range, which `words` describes.
    pub(super) fn duration(
        &mut self,
        field: &str,
        default: Duration,
        range: RangeInclusive<Duration>,
        words: &str,
    ) -> Duration {
        let number = self.fields.get(field).filter(|it| it.is_number());
        let Some(text) = number.map(Value::to_string).or_else(|| self.text(field)) else {
            return default;
        };
        self.duration_of(field, &text, range, words)
            .unwrap_or(default)
    }

    /// The same of a text.
    pub(super) fn duration_of(
        &mut self,
        field: &str,
        text: &str,
        range: RangeInclusive<Duration>,
        words: &str,
    ) -> Option<Duration> {
        let shown = excerpt(text, 0);
        let problem = match duration(text) {
            Some(duration) if range.contains(&duration) => return Some(duration),
            Some(_) => format!("must be from {words}, and is `{shown}`"),
            None => format!("`{shown}` is not a valid duration; write 90s, 15m or 2h"),
        };
        self.fault(field, problem);
        None
    }

    pub(super) fn execution(&mut self, job: &str) -> String {
        let Some(text) = self.text("execution") else {
            return job.to_owned();
        };
        let control = text.chars().find(|character| character.is_control());
        if text.is_empty() || text.chars().count() > EXECUTION_LIMIT || control.is_some() {
            let has = match control {
                Some(control) => format!("U+{:04X}", u32::from(control)),
                None => text.chars().count().to_string(),
            };
            let problem = format!(
                "must be 1 to {EXECUTION_LIMIT} characters without line breaks, and has {has}"
            );
            self.fault("execution", problem);
        } else if text.contains(placeholder::PIPELINE) {
            self.fault("execution", unresolved(&text));
        } else if let Some(problem) = left_unfilled(&text) {
            self.fault("execution", problem);
        }
        text
    }

    pub(super) fn committed(&mut self) -> Option<Timestamp> {
        let text = self.text("committed")?;
        let time = text.parse::<Timestamp>();
        if text.contains(placeholder::PIPELINE) {
            self.fault("committed", unresolved(&text));
        } else if time.is_err() {
            let problem = format!(
                "must be a time such as 2026-01-31T12:00:00Z (`#{{Source.AuthorDate}}` is one), \
                 and is `{}`",
                excerpt(&text, 0)
            );
            self.fault("committed", problem);
        }
        time.ok()
    }
}
