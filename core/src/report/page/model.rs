//! What is on the page, with its limits.

use super::markup;
use crate::report::Report;
use crate::state::timeline::{Mark, Timeline};
use crate::text::clip;
use crate::text::redaction::{Mask, visible};
use crate::workload::health::diagnosis::Evidence;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// The format of `report.json`. Fields may be added to it.
const FORMAT: u32 = 1;

/// The most lines of one list: four times what a report has.
const LINES_LIMIT: usize = 400;

/// The most bytes of all lists together. To search them for what is secret costs most of the page's
/// time (docs/decisions.md), and the report waits for it.
const TEXT_LIMIT: usize = 60_000;

/// How many lists there are.
const LISTS: usize = 5;

/// Which of them is the log.
const LOG: usize = 2;

/// How much of a line is kept.
const LINE_LIMIT: usize = 1000;

/// What a deploy was about.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The kind of the workload, or `Release`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// How it is deployed.
    pub strategy: &'static str,
    /// Who deploys.
    pub execution: String,
}

/// What serves again after a failure.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RolledBackTo {
    /// The number in `kubectl rollout history`, or of a release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The images of its containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The Deployment that gets the traffic again, after a switch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
}

/// What an engine knows at its end beside its report.
#[derive(Clone, Debug, PartialEq)]
pub struct Details {
    /// What the deploy was about.
    pub target: Target,
    /// Whether nothing was to be written.
    pub is_plan: bool,
    /// When the deploy began.
    pub started: Timestamp,
    /// What serves again after a failure.
    pub rolled_back_to: Option<RolledBackTo>,
    /// All evidence of a failure.
    pub evidence: Evidence,
    /// What a plan would change, in lines.
    pub changes: Vec<String>,
    /// What the API server remarked on writes.
    pub warnings: Vec<String>,
    /// What was seen over time.
    pub timeline: Timeline,
}

/// The page.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    pub(super) format: u32,
    pub(super) outcome: &'static str,
    /// The whole text of the report.
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<FailureKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rolled_back_to: Option<RolledBackTo>,
    pub(super) job: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deploy: Option<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) started: Option<Timestamp>,
    pub(super) ended: Timestamp,
    pub(super) variables: BTreeMap<&'static str, String>,
    pub(super) pods: Vec<String>,
    pub(super) events: Vec<String>,
    pub(super) log: Vec<String>,
    pub(super) changes: Vec<String>,
    pub(super) warnings: Vec<String>,
    pub(super) versions: Vec<VersionSeen>,
    pub(super) points: Vec<Point>,
    pub(super) marks: Vec<Happened>,
    /// Whether points, marks or lines were left out.
    pub(super) is_shortened: bool,
    pub(super) api_calls: u64,
    pub(super) api_bytes: u64,
}

/// Of what type a failure is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct FailureKind {
    #[serde(rename = "type")]
    pub(super) failure_type: &'static str,
    /// The section of docs/operations.md.
    pub(super) section: &'static str,
}

/// A version of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct VersionSeen {
    pub(super) name: String,
    pub(super) image: String,
}

/// The available pods of each version from this second on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Point {
    pub(super) second: i64,
    pub(super) available: Vec<i64>,
}

/// What happened in a second.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Happened {
    pub(super) second: i64,
    pub(super) what: String,
    /// The share of the new version from here on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) percent: Option<u8>,
    /// Since when nothing had been seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unseen_since: Option<i64>,
}

impl Page {
    /// The page of a report that ends a job: `None` for one that does not. `mask` hides what is
    /// secret, as in the report. `calls` and `bytes` are this invocation's.
    pub fn of(
        report: &Report,
        details: Option<Details>,
        (job, now): (&str, Timestamp),
        (calls, bytes): (u64, u64),
        mask: &Mask,
    ) -> Option<Page> {
        let is_plan = details.as_ref().is_some_and(|details| details.is_plan);
        let done = if is_plan { "PLANNED" } else { "SUCCEEDED" };
        let (outcome, message, failure, variables) = match report {
            Report::Success {
                summary, variables, ..
            } => (done, summary, None, &**variables),
            Report::Failure {
                failure_type,
                code,
                message,
            } => {
                let kind = FailureKind {
                    failure_type: failure_type.name(),
                    section: code.anchor(),
                };
                ("FAILED", message, Some(kind), [].as_slice())
            }
            Report::Progress { .. } => return None,
        };
        let mut page = Page {
            format: FORMAT,
            outcome,
            message: message.clone(),
            failure,
            job: visible(job),
            ended: now,
            variables: variables.iter().cloned().collect(),
            api_calls: calls,
            api_bytes: bytes,
            ..Page::default()
        };
        if let Some(details) = details {
            page.take(details, mask);
        }
        Some(page)
    }

    fn take(&mut self, details: Details, mask: &Mask) {
        let Evidence {
            pods, events, log, ..
        } = details.evidence;
        self.pods = pods;
        self.events = events;
        self.log = log;
        self.changes = details.changes;
        self.warnings = details.warnings;
        self.limit_lines();
        self.hide_lines(mask);
        self.deploy = Some(Target {
            name: visible(&details.target.name),
            namespace: visible(&details.target.namespace),
            execution: visible(&details.target.execution),
            ..details.target
        });
        self.started = Some(details.started);
        self.rolled_back_to = details.rolled_back_to.map(|it| RolledBackTo {
            revision: it.revision,
            image: it.image.map(|image| mask.text(&image)),
            deployment: it.deployment.map(|name| visible(&name)),
        });
        let timeline = details.timeline;
        self.is_shortened |= timeline.is_thinned;
        self.api_calls += timeline.traffic.0;
        self.api_bytes += timeline.traffic.1;
        let versions = timeline.versions.iter().map(|(name, image)| VersionSeen {
            name: visible(name),
            image: mask.text(image),
        });
        self.versions = versions.collect();
        let count = self.versions.len();
        let points = timeline.points.iter().filter_map(|point| {
            let (second, known) = point.split_first()?;
            let mut available = known.to_vec();
            available.resize(count, 0);
            let second = *second;
            Some(Point { second, available })
        });
        self.points = points.collect();
        self.marks = happened(&timeline);
    }

    /// Leaves out what is more than the page searches for what is secret.
    fn limit_lines(&mut self) {
        let mut is_shortened = false;
        for list in self.lists() {
            is_shortened |= list.len() > LINES_LIMIT;
            list.truncate(LINES_LIMIT);
        }
        self.is_shortened |= is_shortened;
        let size = |lists: [&mut Vec<String>; LISTS]| {
            let lines = lists.iter().flat_map(|list| list.iter());
            lines.map(String::len).sum::<usize>()
        };
        while size(self.lists()) > TEXT_LIMIT && self.shrink() {}
    }

    /// Hides what is secret, and cuts lines that are too long.
    fn hide_lines(&mut self, mask: &Mask) {
        let mut is_shortened = false;
        for list in self.lists() {
            // A value may go over several lines: they are hidden together, as in the message.
            let hidden = mask.text(&list.join("\n"));
            let lines = hidden.lines().take(LINES_LIMIT);
            is_shortened |= lines.clone().any(|line| line.len() > LINE_LIMIT);
            *list = lines.map(|line| clip(line, LINE_LIMIT)).collect();
        }
        self.is_shortened |= is_shortened;
    }

    /// All lists of lines.
    pub(super) fn lists(&mut self) -> [&mut Vec<String>; LISTS] {
        [
            &mut self.pods,
            &mut self.events,
            &mut self.log,
            &mut self.changes,
            &mut self.warnings,
        ]
    }

    /// How many bytes the lines have in the page and in the data.
    pub(super) fn lines_len(&mut self) -> (usize, usize) {
        let lists = self.lists();
        let lines = lists.iter().flat_map(|list| list.iter());
        lines.fold((0, 0), |(html, json), line| {
            let more = (markup::escaped_len(line), json_len(line));
            (html + more.0, json + more.1)
        })
    }

    /// Halves the longest list; false where nothing is left. The last lines of a log matter most.
    pub(super) fn shrink(&mut self) -> bool {
        let lists = self.lists();
        let size = |list: &Vec<String>| list.iter().map(String::len).sum::<usize>();
        let sizes = lists.each_ref().map(|list| size(list));
        let longest = (0..sizes.len()).max_by_key(|place| sizes[*place]);
        let Some(place) = longest.filter(|place| sizes[*place] > 0) else {
            return false;
        };
        let list = lists.into_iter().nth(place).expect("it is one of them");
        let half = list.len() / 2;
        match place {
            LOG => _ = list.drain(..list.len() - half),
            _ => list.truncate(half),
        }
        self.is_shortened = true;
        true
    }
}

/// How many bytes a line of a list has as JSON, with its indentation, quotes and comma.
fn json_len(line: &str) -> usize {
    let escaped = line.bytes().map(|byte| match byte {
        b'"' | b'\\' => 2,
        0..=0x1f => 6,
        _ => 1,
    });
    escaped.sum::<usize>() + 8
}

/// What happened, in words.
fn happened(timeline: &Timeline) -> Vec<Happened> {
    let marks = timeline.marks.iter().map(|(second, mark)| {
        let (what, percent, unseen_since) = match mark {
            Mark::Phase(phase) => (began(phase).to_owned(), None, None),
            Mark::Share(percent) => {
                let what = format!("The new version gets {percent} % of the traffic");
                (what, Some(*percent), None)
            }
            Mark::Resumed(since) => {
                let what = "Another invocation of the function took over".to_owned();
                (what, None, Some(*since.min(second)))
            }
        };
        Happened {
            second: *second,
            what,
            percent,
            unseen_since,
        }
    });
    marks.collect()
}

/// What began with a phase.
fn began(phase: &str) -> &'static str {
    match phase {
        "rollout" => "The new version was written, and its rollout began",
        "rollback" => "The rollout had failed, and the rollback to the previous version began",
        "switch" => "The new version starts beside the previous one",
        "return" => "The switch had failed, and is taken back",
        _ => "The deploy began",
    }
}
