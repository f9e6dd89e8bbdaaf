//! The pipeline of an act as three boxes, Source → Build → Deploy, with the message in the third.

use crate::terminal::{columns, padded, paint, wrap};
use landfall_sandbox::aws::{JobResult, Outcome};
use serde_json::Value;
use std::iter::once;

/// The user parameters in an event.
const PARAMETERS: &str = "/CodePipeline.job/data/actionConfiguration/configuration/UserParameters";
/// The commit in an event.
const REVISION: &str = "/CodePipeline.job/data/inputArtifacts/0/revision";
/// How much of a commit is shown.
const COMMIT: usize = 7;
const ARROW: &str = " → ";
/// Two borders with a space each, and a margin at the right.
pub(crate) const FRAME: usize = 6;
/// In less no message can be read.
const NARROWEST: usize = 28;
/// Longer lines in the third box are hard to read.
const MESSAGE: usize = 88;

/// The pipeline of an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pipeline {
    source: String,
    build: String,
    /// How the third action stands, and what it says.
    pub(crate) deploy: Deploy,
}

/// How the third action stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deploy {
    /// For so many seconds.
    Running(u64),
    Succeeded(String),
    Failed {
        kind: String,
        message: String,
    },
    /// Nothing was reported.
    Silent,
}

impl Deploy {
    /// The end of an action.
    pub(crate) fn of(outcome: &Outcome) -> Deploy {
        match outcome {
            Outcome::Succeeded(report) | Outcome::Failed(report) => match &report.result {
                JobResult::Success { summary, .. } => {
                    Deploy::Succeeded(summary.clone().unwrap_or_default())
                }
                JobResult::Failure { kind, message, .. } => Deploy::Failed {
                    kind: kind.clone(),
                    message: message.clone(),
                },
            },
            Outcome::Silent(_) | Outcome::Pending => Deploy::Silent,
        }
    }

    /// How it ended, in a word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Deploy::Running(_) => "Running",
            Deploy::Succeeded(_) => "Succeeded",
            Deploy::Failed { .. } => "Failed",
            Deploy::Silent => "Silent",
        }
    }

    /// The colour, the first line, and the message: of a long one its first part.
    fn told(&self) -> (&'static str, String, String) {
        let first = |text: &str| text.split("\n\n").next().unwrap_or_default().to_owned();
        match self {
            Deploy::Running(seconds) => ("33", format!("◔ In progress, {seconds} s"), "".into()),
            Deploy::Succeeded(summary) => ("32", "✔ Succeeded".to_owned(), first(summary)),
            Deploy::Failed { kind, message } => ("31", format!("✖ Failed: {kind}"), first(message)),
            Deploy::Silent => ("31", "✖ Nothing was reported".to_owned(), String::new()),
        }
    }
}

impl Pipeline {
    /// The pipeline that sends this event: its commit, and the image that was built of it.
    pub(crate) fn of(event: &Value) -> Pipeline {
        let commit = event.pointer(REVISION).and_then(Value::as_str);
        let parameters = event.pointer(PARAMETERS).and_then(Value::as_str);
        let parameters = parameters.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let parameters = parameters.unwrap_or_default();
        let images = parameters["images"].as_object();
        let image = images.and_then(|images| images.values().find_map(Value::as_str));
        let image = image.and_then(|image| image.rsplit('/').next());
        let release = parameters["release"]
            .as_str()
            .map(|name| format!("{name}.zip"));
        let built = image.filter(|image| !image.is_empty()).map(str::to_owned);
        Pipeline {
            source: commit.unwrap_or("commit").chars().take(COMMIT).collect(),
            build: built.or(release).unwrap_or_else(|| "demo-app".to_owned()),
            deploy: Deploy::Running(0),
        }
    }

    /// The boxes side by side, and where that is too narrow the third one below.
    pub(crate) fn lines(&self, width: usize) -> Vec<String> {
        let done = |text: &str| vec![format!("{} {text}", paint("32", "✔"))];
        let source = done(&self.source);
        let build = done(&self.build);
        let (source, build) = (boxed("Source", &source, 0), boxed("Build", &build, 0));
        let pair = beside(&source, ARROW, &build);
        let taken = 2 + columns(&pair[0]) + ARROW.chars().count();
        let (colour, state, message) = self.deploy.told();
        let of_width = |inner: usize| {
            let message = if message.is_empty() {
                Vec::new()
            } else {
                wrap(&message, inner)
            };
            let lines = once(paint(colour, &state)).chain(message);
            boxed("Deploy", &lines.collect::<Vec<_>>(), inner)
        };
        let room = width.saturating_sub(taken + FRAME);
        let all = if room >= NARROWEST {
            beside(&pair, ARROW, &of_width(room.min(MESSAGE)))
        } else {
            let below = of_width(width.saturating_sub(2 + FRAME).min(MESSAGE));
            pair.into_iter().chain(below).collect()
        };
        all.into_iter().map(|line| format!("  {line}")).collect()
    }
}

/// Lines in a box with a title, at least so wide inside.
pub(crate) fn boxed(title: &str, lines: &[String], least: usize) -> Vec<String> {
    let inner = lines.iter().map(|line| columns(line));
    let inner = inner.chain([least, columns(title) + 1]).max().unwrap_or(0);
    let rule = "─".repeat(inner - columns(title));
    let top = format!("╭ {} {}╮", paint("1", title), rule);
    let middle = lines
        .iter()
        .map(|line| format!("│ {} │", padded(line, inner)));
    let bottom = format!("╰{}╯", "─".repeat(inner + 2));
    once(top).chain(middle).chain([bottom]).collect()
}

/// One block of lines beside another, an arrow between them in the second line.
fn beside(left: &[String], arrow: &str, right: &[String]) -> Vec<String> {
    let wide = left.iter().map(|line| columns(line)).max().unwrap_or(0);
    let rows = left.len().max(right.len());
    let row = |number: usize| {
        let between = match number {
            1 => arrow.to_owned(),
            _ => " ".repeat(arrow.chars().count()),
        };
        let of = |block: &[String]| block.get(number).cloned().unwrap_or_default();
        let line = format!("{}{between}{}", padded(&of(left), wide), of(right));
        line.trim_end().to_owned()
    };
    (0..rows).map(row).collect()
}

#[cfg(test)]
mod tests;
