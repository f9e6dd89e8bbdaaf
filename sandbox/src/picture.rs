//! The output for people: calls one by one, a live picture of the pods, and the report at the end.
//!
//! If standard output is not a terminal, it is a plain log with a line per change.

use crate::requests::{Mark, Share};
use crate::terminal::{paint, wrap};
use landfall_sandbox::traffic::Outcome;
use serde_json::Value;
use std::collections::BTreeMap;

const BAR: usize = 6;
/// Before a pod's name: the mark of the requests, and the sign.
const MARGIN: usize = 6;
/// How many pods are drawn; a demo has a handful.
const ROWS: usize = 12;
/// What the images of versions that answer with errors have in their names.
pub(crate) const ERRORS: &str = "errors";

/// What the application says before the demo changes it.
const USUAL: &str = "Hello from the environment";

/// The state of a pod, in the order in which the bar fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Waiting,
    Starting,
    Unready,
    Ready,
    /// It is ready, and answers with errors all the same.
    Erring,
    Failing,
    Stopping,
    /// It has done its work.
    Done,
    /// It ended with failure and is not started again.
    Failed,
    /// It was there a moment ago.
    Gone,
}

/// A pod in the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) sign: Sign,
    pub(crate) words: String,
    /// Whether it gets requests.
    pub(crate) serves: bool,
}

/// The pods and the Deployment's counters at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Picture {
    pub(crate) counters: String,
    /// What the requests get, by version.
    pub(crate) requests: Vec<Share>,
    pub(crate) rows: Vec<Row>,
}

impl Picture {
    /// `is_old` says whether a pod template's hash ran before.
    pub(crate) fn of(
        deployment: Option<&Value>,
        pods: &[&Value],
        is_old: impl Fn(&str) -> bool,
    ) -> Picture {
        let mut rows: Vec<Row> = pods.iter().map(|pod| row(pod, &is_old)).collect();
        rows.truncate(ROWS);
        let mut picture = Picture {
            counters: deployment.map(counters).unwrap_or_default(),
            requests: Vec::new(),
            rows,
        };
        picture.sort();
        picture
    }

    /// Old ones first.
    pub(crate) fn sort(&mut self) {
        self.rows.sort_by(|one, other| {
            other
                .version
                .cmp(&one.version)
                .then(one.name.cmp(&other.name))
        });
    }

    /// The same with what the requests get: the part of all that each outcome has.
    pub(crate) fn with(mut self, shares: BTreeMap<Outcome, f64>) -> Picture {
        let mut parts = BTreeMap::<String, (f64, Mark)>::new();
        for (outcome, part) in shares {
            let (version, mark) = match outcome {
                Outcome::Pod(name) => {
                    let row = self.rows.iter_mut().find(|row| row.name == name);
                    let Some(row) = row else { continue };
                    row.serves = true;
                    (row.version.clone(), row.mark())
                }
                Outcome::Error => ("500".to_owned(), Mark::Error),
                Outcome::Unavailable => ("503".to_owned(), Mark::Error),
            };
            parts.entry(version).or_insert((0.0, mark)).0 += part;
        }
        let parts = parts.into_iter().rev();
        let share = |(version, (part, mark))| Share {
            version,
            part,
            mark,
        };
        self.requests = parts.map(share).collect();
        self
    }

    /// Whether every pod is ready or has ended, and none is terminating.
    pub(crate) fn rests(&self) -> bool {
        let rests = |row: &Row| {
            matches!(
                row.sign,
                Sign::Ready | Sign::Erring | Sign::Done | Sign::Failed
            )
        };
        self.rows.iter().all(rests)
    }

    /// The counters, and a line for each pod; a mark shows where requests go.
    pub(crate) fn lines(&self, width: usize) -> Vec<String> {
        let indented = |line: String| format!("  {line}");
        let counters = wrap(&self.counters, width - 2).into_iter();
        let mut lines = counters.map(indented).collect::<Vec<_>>();
        let longest = |of: fn(&Row) -> &str| {
            let lengths = self.rows.iter().map(|row| of(row).chars().count());
            lengths.max().unwrap_or(0)
        };
        let columns = [longest(|row| &row.name), longest(|row| &row.version)];
        let taken = MARGIN + columns[0] + 2 + columns[1] + 2 + longest(|row| &row.words);
        // Where there is little room the bars go first.
        let has_bars = taken + BAR + 2 <= width;
        let rows = self.rows.iter();
        lines.extend(rows.flat_map(|row| row.lines(columns, width, has_bars)));
        lines
    }
}

impl Row {
    fn mark(&self) -> Mark {
        match &self.version {
            version if version.contains(ERRORS) => Mark::Error,
            version if version.starts_with("old") => Mark::Old,
            _ => Mark::New,
        }
    }

    /// What does not fit beside the name comes below it.
    fn lines(&self, [name, version]: [usize; 2], width: usize, has_bar: bool) -> Vec<String> {
        let (sign, colour) = match self.sign {
            Sign::Waiting => ("○", "90"),
            Sign::Starting => ("◔", "33"),
            Sign::Unready => ("◑", "33"),
            Sign::Ready => ("●", "32"),
            Sign::Erring => ("●", "31"),
            Sign::Done => ("✔", "32"),
            Sign::Failing | Sign::Failed => ("✖", "31"),
            Sign::Stopping => ("◌", "33"),
            Sign::Gone => ("·", "90"),
        };
        let full = match self.sign {
            Sign::Waiting | Sign::Gone => 0,
            Sign::Starting | Sign::Failing | Sign::Failed | Sign::Stopping => BAR / 3,
            Sign::Unready => BAR * 2 / 3,
            Sign::Ready | Sign::Erring | Sign::Done => BAR,
        };
        let bar = match has_bar {
            true => format!("{}{}  ", "█".repeat(full), "░".repeat(BAR - full)),
            false => String::new(),
        };
        let served = if self.serves { "▸" } else { " " };
        let sign = paint(colour, sign);
        let (pod, of) = (&self.name, &self.version);
        let start = format!("  {served} {sign} {pod:name$}  {of:version$}  ");
        let taken = MARGIN + name + 2 + version + 2;
        let words = format!("{bar}{}", self.words);
        let needed = taken + words.chars().count();
        if needed <= width {
            return vec![format!("{start}{}", paint(colour, &words))];
        }
        let label = wrap(&format!("{pod} {of}"), width - MARGIN).into_iter();
        let words = wrap(&words, width - MARGIN).into_iter();
        let words = words.map(|line| paint(colour, &line));
        let mut lines = label.chain(words).map(|line| format!("      {line}"));
        let first = lines.next().unwrap_or_default();
        let first = format!("  {served} {sign} {}", first.trim_start());
        std::iter::once(first).chain(lines).collect()
    }
}

fn row(pod: &Value, is_old: &impl Fn(&str) -> bool) -> Row {
    let metadata = &pod["metadata"];
    let image = pod["spec"]["containers"][0]["image"]
        .as_str()
        .unwrap_or_default();
    let age = if is_old(version_of(pod)) {
        "old"
    } else {
        "new"
    };
    let (sign, words) = state(pod);
    Row {
        name: metadata["name"].as_str().unwrap_or_default().to_owned(),
        version: format!("{age} {}", tag(image)),
        sign,
        words,
        serves: false,
    }
}

/// What the pods of one version have in common; a pod of a Job is a version of its own.
pub(crate) fn version_of(pod: &Value) -> &str {
    let labels = &pod["metadata"]["labels"];
    let hashes = [
        &labels["pod-template-hash"],
        &labels["controller-revision-hash"],
    ];
    let mut hashes = hashes.into_iter().chain([&pod["metadata"]["uid"]]);
    hashes.find_map(Value::as_str).unwrap_or_default()
}

/// The tag of an image, or the last part of its name; a registry's port is not a tag.
fn tag(image: &str) -> &str {
    let last = image.rsplit('/').next().unwrap_or(image);
    last.rsplit([':', '@']).next().unwrap_or(last)
}

fn state(pod: &Value) -> (Sign, String) {
    if !pod["metadata"]["deletionTimestamp"].is_null() {
        return (Sign::Stopping, "leaves".to_owned());
    }
    let status = &pod["status"];
    let container = &status["containerStatuses"][0]["state"];
    match status["phase"].as_str() {
        Some("Succeeded") => return (Sign::Done, "done".to_owned()),
        Some("Failed") => {
            let code = container["terminated"]["exitCode"].as_i64();
            let code = code.map_or_else(String::new, |code| format!(", exit code {code}"));
            return (Sign::Failed, format!("failed{code}"));
        }
        Some(_) | None => {}
    }
    let restarts = status["containerStatuses"][0]["restartCount"]
        .as_i64()
        .unwrap_or_default();
    match container["waiting"]["reason"].as_str() {
        Some("ContainerCreating" | "PodInitializing") => {
            return (Sign::Starting, "starting".to_owned());
        }
        Some(reason) => return (Sign::Failing, reason.to_owned()),
        None => {}
    }
    if container["terminated"].is_object() {
        return (Sign::Failing, format!("ended, {restarts} restarts"));
    }
    if condition(status, "Ready") == Some("True") {
        let image = pod["spec"]["containers"][0]["image"].as_str();
        if image.is_some_and(|image| image.contains(ERRORS)) {
            return (Sign::Erring, "answers with errors".to_owned());
        }
        let greets = greeting(pod).filter(|text| *text != USUAL);
        let greets = greets.map(|text| format!("\"{text}\""));
        return (Sign::Ready, greets.unwrap_or_else(|| "ready".to_owned()));
    }
    if container["running"].is_object() {
        return (Sign::Unready, "running, not ready".to_owned());
    }
    match condition(status, "PodScheduled") {
        Some("False") => (Sign::Failing, "no node takes it".to_owned()),
        Some(_) => (Sign::Starting, "starting".to_owned()),
        None => (Sign::Waiting, "waiting for a node".to_owned()),
    }
}

/// The value that the demo changes, so that the change is visible.
fn greeting(pod: &Value) -> Option<&str> {
    let mut variables = pod["spec"]["containers"][0]["env"].as_array()?.iter();
    variables.find(|variable| variable["name"] == "DEMO_GREETING")?["value"].as_str()
}

fn condition<'a>(status: &'a Value, kind: &str) -> Option<&'a str> {
    let mut conditions = status["conditions"].as_array()?.iter();
    conditions.find(|condition| condition["type"] == kind)?["status"].as_str()
}

fn counters(deployment: &Value) -> String {
    let count = |value: &Value| value.as_i64().unwrap_or_default();
    let status = &deployment["status"];
    format!(
        "{}: wanted {}, updated {}, ready {}, available {}",
        deployment["metadata"]["name"].as_str().unwrap_or_default(),
        count(&deployment["spec"]["replicas"]),
        count(&status["updatedReplicas"]),
        count(&status["readyReplicas"]),
        count(&status["availableReplicas"]),
    )
}

#[cfg(test)]
mod tests;
