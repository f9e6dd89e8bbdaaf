//! What a person sees: calls one by one, the pods as a live picture, the report at the end.
//!
//! Where standard output is no terminal it is a plain log instead, a line per change.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Instant;

use landfall_sandbox::aws::{InvocationEnd, JobResult, Outcome, Report};
use serde_json::Value;

/// Everything is made for a terminal of this width.
pub(crate) const WIDTH: usize = 80;
/// Room for `demo-app`, a hash of ten characters and five more.
const NAME: usize = 25;
const VERSION: usize = 11;
const BAR: usize = 6;
/// Pods drawn; a demo has a handful, a terminal not many more lines.
const ROWS: usize = 12;
/// Lines of a report that are shown; a failure's message may have 5,000 characters.
const REPORT_LINES: usize = 60;

/// Where a pod stands, in the order in which the bar fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Waiting,
    Starting,
    Unready,
    Ready,
    Failing,
    Stopping,
}

/// One pod as the picture shows it.
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
    pub(crate) rows: Vec<Row>,
}

impl Picture {
    /// `is_old` says of a pod template's hash whether it ran before.
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
            rows,
        }
    }

    /// Whether every pod is ready and none is going away.
    pub(crate) fn rests(&self) -> bool {
        self.rows.iter().all(|row| row.sign == Sign::Ready)
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![String::new(), clip(&format!("  {}", self.counters), WIDTH)];
        lines.extend(self.rows.iter().map(Row::line));
        lines.push(String::new());
        lines
    }
}

impl Row {
    fn line(&self) -> String {
        let (sign, colour) = match self.sign {
            Sign::Waiting => ("○", "90"),
            Sign::Starting => ("◔", "33"),
            Sign::Unready => ("◑", "33"),
            Sign::Ready => ("●", "32"),
            Sign::Failing => ("✖", "31"),
            Sign::Stopping => ("◌", "90"),
        };
        let full = match self.sign {
            Sign::Waiting | Sign::Stopping => 0,
            Sign::Starting | Sign::Failing => BAR / 3,
            Sign::Unready => BAR * 2 / 3,
            Sign::Ready => BAR,
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
    let hash = metadata["labels"]["pod-template-hash"]
        .as_str()
        .unwrap_or_default();
    let image = pod["spec"]["containers"][0]["image"]
        .as_str()
        .unwrap_or_default();
    let age = if is_old(hash) { "old" } else { "new" };
    let (sign, words) = state(pod);
    Row {
        name: metadata["name"].as_str().unwrap_or_default().to_owned(),
        version: format!("{age} {}", tag(image)),
        sign,
        words,
    }
}

/// The tag of an image, or the last part of its name; a registry's port is no tag.
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

/// What the demo changes, so that one sees it arrive.
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

/// How a line looks on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Heading,
    Normal,
    Faint,
    Good,
    Bad,
}

/// Standard output, as a terminal that is redrawn in place or as a plain log.
pub(crate) struct Screen {
    live: bool,
    started: Instant,
    shown: Picture,
    drawn: usize,
}

impl Screen {
    /// Live only on a terminal that wants colours.
    pub(crate) fn new(plain: bool) -> Screen {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let live = !plain && !dumb && !set("NO_COLOR") && io::stdout().is_terminal();
        let screen = Screen {
            live,
            started: Instant::now(),
            shown: Picture::default(),
            drawn: 0,
        };
        if live {
            // No cursor, and no wrapping: a wrapped line would be two to go back over.
            write("\x1b[?25l\x1b[?7l");
        }
        screen
    }

    /// A line that stays, above the picture.
    pub(crate) fn say(&mut self, tone: Tone, text: &str) {
        if !self.live {
            const TIME: usize = 9;
            let seconds = self.started.elapsed().as_secs_f64();
            return match tone {
                Tone::Heading => write(&format!("{text}\n")),
                // The function's log is for reading whole.
                Tone::Faint => write(&format!("{seconds:6.1}s  {text}\n")),
                Tone::Normal | Tone::Good | Tone::Bad => {
                    write(&format!("{seconds:6.1}s  {}\n", clip(text, WIDTH - TIME)));
                }
            };
        }
        let colour = match tone {
            Tone::Heading => "1",
            Tone::Normal => "0",
            Tone::Faint => "90",
            Tone::Good => "32",
            Tone::Bad => "31",
        };
        if tone == Tone::Faint {
            // Whole: the terminal wraps it, and what stood below must be gone first.
            let line = format!("\x1b[J\x1b[?7h  \x1b[{colour}m{text}\x1b[0m\x1b[?7l");
            return self.draw(&[line]);
        }
        let line = format!("  \x1b[{colour}m{}\x1b[0m", clip(text, WIDTH - 2));
        self.draw(&[line]);
    }

    /// Lines without a time before them, such as a report.
    pub(crate) fn print(&mut self, lines: &[String]) {
        if self.live {
            return self.draw(lines);
        }
        for line in lines {
            write(&format!("{line}\n"));
        }
    }

    /// Shows a new picture, where it is another than the last.
    pub(crate) fn show(&mut self, picture: Picture) {
        if picture == self.shown {
            return;
        }
        if self.live {
            self.shown = picture;
            return self.draw(&[]);
        }
        for line in changes(&self.shown, &picture) {
            self.say(Tone::Normal, &line);
        }
        self.shown = picture;
    }

    /// Leaves the picture where it is and goes on below it.
    pub(crate) fn leave(&mut self) {
        self.drawn = 0;
        self.shown = Picture::default();
    }

    /// One write per change: the terminal never shows a half-drawn picture.
    fn draw(&mut self, above: &[String]) {
        let mut text = String::from("\x1b[?2026h");
        if self.drawn > 0 {
            text.push_str(&format!("\x1b[{}A", self.drawn));
        }
        let picture = match self.shown.counters.is_empty() {
            true => Vec::new(),
            false => self.shown.lines(),
        };
        for line in above.iter().chain(&picture) {
            // Cleared before: after a full line the cursor stands on its last character.
            text.push_str(&format!("\x1b[K{line}\n"));
        }
        text.push_str("\x1b[J\x1b[?2026l");
        self.drawn = picture.len();
        write(&text);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.live {
            write("\x1b[?7h\x1b[?25h");
        }
    }
}

/// A reader that has gone away, as `head` does, is no reason to stop the deploy.
fn write(text: &str) {
    let mut output = io::stdout().lock();
    let _gone = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}

/// What the plain log says of a change: each pod that is new, changed or gone.
fn changes(before: &Picture, after: &Picture) -> Vec<String> {
    let by_name = |picture: &Picture| -> BTreeMap<String, Row> {
        let rows = picture.rows.iter();
        rows.map(|row| (row.name.clone(), row.clone())).collect()
    };
    let (old, new) = (by_name(before), by_name(after));
    let mut lines: Vec<String> = new
        .values()
        .filter(|row| old.get(&row.name) != Some(row))
        .map(|row| format!("pod {} ({}): {}", row.name, row.version, row.words))
        .collect();
    let gone = old.values().filter(|row| !new.contains_key(&row.name));
    lines.extend(gone.map(|row| format!("pod {} ({}): gone", row.name, row.version)));
    if before.counters != after.counters {
        lines.push(after.counters.clone());
    }
    lines
}

/// The end of an action as the CodePipeline console shows it.
pub(crate) fn report(outcome: &Outcome) -> Vec<String> {
    let mut lines = vec![String::new()];
    match outcome {
        Outcome::Succeeded(report) | Outcome::Failed(report) => result(report, &mut lines),
        // What no pipeline asked for is answered to whoever asked.
        Outcome::Silent(InvocationEnd::Response(answer)) if !answer.is_null() => {
            field("Answer", &answer.to_string(), &mut lines);
        }
        Outcome::Silent(end) => {
            field(
                "Status",
                "none: the function ended without a report",
                &mut lines,
            );
            let how = match end {
                InvocationEnd::Response(_) => "it returned without reporting".to_owned(),
                InvocationEnd::Error(error) => format!("it returned the error {error}"),
                InvocationEnd::TimedOut => "its time was over".to_owned(),
                InvocationEnd::Crashed(reason) => reason.clone(),
            };
            field("Invocation", &how, &mut lines);
        }
        Outcome::Pending => field("Status", "none: nothing was reported in time", &mut lines),
    }
    if lines.len() > REPORT_LINES {
        lines.truncate(REPORT_LINES);
        lines.push("    …".to_owned());
    }
    lines.push(String::new());
    lines
}

fn result(report: &Report, lines: &mut Vec<String>) {
    match &report.result {
        JobResult::Success {
            summary,
            external_execution_id,
            output_variables,
            ..
        } => {
            field("Status", "Succeeded", lines);
            field("Summary", summary.as_deref().unwrap_or("-"), lines);
            field(
                "Execution",
                external_execution_id.as_deref().unwrap_or("-"),
                lines,
            );
            for (name, value) in output_variables {
                field("Variable", &format!("{name} = {value}"), lines);
            }
        }
        JobResult::Failure {
            kind,
            message,
            external_execution_id,
        } => {
            field("Status", "Failed", lines);
            field("Type", kind, lines);
            field("Message", message, lines);
            field(
                "Execution",
                external_execution_id.as_deref().unwrap_or("-"),
                lines,
            );
        }
    }
}

fn field(name: &str, text: &str, lines: &mut Vec<String>) {
    const LABEL: usize = 12;
    // A pod's log in a message may hold codes that move the cursor.
    let text = text.replace(|c: char| c.is_control() && c != '\n', " ");
    for (number, line) in wrap(&text, WIDTH - LABEL - 4).into_iter().enumerate() {
        let label = if number == 0 { name } else { "" };
        lines.push(format!("  | {label:LABEL$}{line}").trim_end().to_owned());
    }
}

/// Breaks at spaces, and inside a word only where it is longer than a line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let indent: String = paragraph
            .chars()
            .take_while(|c| *c == ' ')
            .take(width / 2)
            .collect();
        let mut line = indent.clone();
        for word in paragraph.split_whitespace() {
            let mut rest: Vec<char> = word.chars().collect();
            let space = usize::from(line.len() > indent.len());
            if space == 1 && line.chars().count() + 1 + rest.len() > width {
                lines.push(std::mem::replace(&mut line, indent.clone()));
            } else if space == 1 {
                line.push(' ');
            }
            while line.chars().count() + rest.len() > width {
                let room = width - line.chars().count();
                line.extend(rest.drain(..room));
                lines.push(std::mem::replace(&mut line, indent.clone()));
            }
            line.extend(rest);
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// At most `width` characters; what is cut off leaves an ellipsis.
pub(crate) fn clip(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests;
