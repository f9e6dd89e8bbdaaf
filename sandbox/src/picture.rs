//! The output for people: calls one by one, a live picture of the pods, and the report at the end.
//!
//! If standard output is not a terminal, it is a plain log with a line per change.

use serde_json::Value;

/// The width of the terminal that all output is designed for.
pub(crate) const WIDTH: usize = 80;
/// Room for `demo-app`, a hash of ten characters and five more.
const NAME: usize = 25;
const VERSION: usize = 11;
const BAR: usize = 6;
/// How many pods are drawn; a demo has a handful.
const ROWS: usize = 12;

/// The state of a pod, in the order in which the bar fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Waiting,
    Starting,
    Unready,
    Ready,
    Failing,
    Stopping,
    /// It has done its work.
    Done,
    /// It ended with failure and is not started again.
    Failed,
}

/// A pod in the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) sign: Sign,
    pub(crate) words: String,
}

/// The pods and the Deployment's counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) counters: String,
    /// The shares of the requests by version, in percent, where they are shown.
    pub(crate) shares: Vec<(String, u8)>,
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
        rows.sort_by(|one, other| {
            other
                .version
                .cmp(&one.version)
                .then(one.name.cmp(&other.name))
        });
        rows.truncate(ROWS);
        Picture {
            counters: deployment.map(counters).unwrap_or_default(),
            shares: Vec::new(),
            rows,
        }
    }

    /// The same with what the requests get.
    pub(crate) fn with(self, shares: Vec<(String, u8)>) -> Picture {
        Picture { shares, ..self }
    }

    /// Whether every pod is ready or has ended, and none is terminating.
    pub(crate) fn rests(&self) -> bool {
        let rests = |row: &Row| matches!(row.sign, Sign::Ready | Sign::Done | Sign::Failed);
        self.rows.iter().all(rests)
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![String::new(), clip(&format!("  {}", self.counters), WIDTH)];
        lines.extend(requests(&self.shares));
        lines.extend(self.rows.iter().map(Row::line));
        lines.push(String::new());
        lines
    }
}

/// Each twentieth of the requests as a dot, by version.
fn requests(shares: &[(String, u8)]) -> Option<String> {
    const DOTS: usize = 20;
    const COLOURS: [&str; 2] = ["36", "35"];
    if shares.is_empty() {
        return None;
    }
    let (mut dots, mut words) = (String::new(), Vec::new());
    for ((version, share), colour) in shares.iter().zip(COLOURS) {
        let count = (usize::from(*share) * DOTS).div_ceil(100);
        dots.push_str(&format!("\x1b[{colour}m{}", "•".repeat(count)));
        words.push(format!("\x1b[{colour}m{version} {share} %\x1b[0m"));
    }
    Some(format!("  requests {dots}\x1b[0m {}", words.join(", ")))
}

impl Row {
    fn line(&self) -> String {
        let (sign, colour) = match self.sign {
            Sign::Waiting => ("○", "90"),
            Sign::Starting => ("◔", "33"),
            Sign::Unready => ("◑", "33"),
            Sign::Ready => ("●", "32"),
            Sign::Done => ("✔", "32"),
            Sign::Failing | Sign::Failed => ("✖", "31"),
            Sign::Stopping => ("◌", "90"),
        };
        let full = match self.sign {
            Sign::Waiting | Sign::Stopping => 0,
            Sign::Starting | Sign::Failing | Sign::Failed => BAR / 3,
            Sign::Unready => BAR * 2 / 3,
            Sign::Ready | Sign::Done => BAR,
        };
        let bar = format!("{}{}", "█".repeat(full), "░".repeat(BAR - full));
        let name = clip(&self.name, NAME);
        let version = clip(&self.version, VERSION);
        let words = clip(&self.words, WIDTH - NAME - VERSION - BAR - 10);
        format!(
            "  \x1b[{colour}m{sign}\x1b[0m {name:NAME$}  {version:VERSION$}  \
             \x1b[{colour}m{bar}  {words}\x1b[0m"
        )
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
        return (Sign::Stopping, "stopping".to_owned());
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
        let greets = greeting(pod).map(|text| format!("\"{text}\""));
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
        "{}: wanted {}, updated {}, ready {}, available {} (spec {}, seen {})",
        deployment["metadata"]["name"].as_str().unwrap_or_default(),
        count(&deployment["spec"]["replicas"]),
        count(&status["updatedReplicas"]),
        count(&status["readyReplicas"]),
        count(&status["availableReplicas"]),
        count(&deployment["metadata"]["generation"]),
        count(&status["observedGeneration"]),
    )
}

/// Clips a text to at most `width` characters, with an ellipsis.
pub(crate) fn clip(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests;
