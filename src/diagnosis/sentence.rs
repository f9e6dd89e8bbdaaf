//! A finding in words.

use super::evidence::plain;
use super::{Cause, Explanation, Finding};
use crate::cluster::object::Deployment;
use crate::cluster::pod::Event;
use crate::report::{clip, one_line};
use serde_json::Value;

/// How much of somebody else's sentence a cause quotes; it must leave room for names.
pub(super) const QUOTE: usize = 300;

impl Finding {
    /// The cause in a sentence without its full stop.
    pub fn sentence(&self, live: &Deployment, explanation: &Explanation) -> String {
        let who = self.who();
        let image = image(live, &self.container);
        let said = quoted(&self.said);
        match self.cause {
            Cause::ImageName => format!("{who} cannot start: `{image}` is no valid image name"),
            Cause::ImageNotFound => {
                format!("{who} cannot start: its registry does not have the image `{image}`")
            }
            Cause::ImageDenied => format!(
                "{who} cannot start: its registry does not let the cluster pull `{image}` ({})",
                core(&self.said)
            ),
            Cause::ImageNeverPulled => {
                let node = &self.node;
                format!(
                    "{who} cannot start: imagePullPolicy is Never, and node `{node}` does not \
                     have `{image}`"
                )
            }
            Cause::PullFails => {
                format!(
                    "{who} cannot start: pulling `{image}` fails ({})",
                    core(&self.said)
                )
            }
            Cause::OutOfMemory | Cause::Crash | Cause::Ends => self.end(live, explanation),
            Cause::ConfigMissing | Cause::ContainerNotCreated => {
                format!("{who} cannot be created: {said}")
            }
            Cause::ContainerNotStarted => format!("{who} cannot be started: {said}"),
            Cause::PodNotCreated => format!("no new pod can be created: {said}"),
            Cause::Unschedulable => format!("no node takes {who}: {said}"),
            Cause::NotReady => self.not_ready(live, explanation),
            Cause::NodeTrouble if self.said.is_empty() => {
                format!("{who} is in trouble with its node `{}`", self.node)
            }
            Cause::NodeTrouble => {
                format!("{who} is in trouble with its node `{}`: {said}", self.node)
            }
            Cause::NotStarted => match (last_warning(explanation), self.said.as_str()) {
                (Some(event), _) => format!("{who} has not started: {}", quoted(&event.message)),
                (None, "") => format!("{who} has not started yet"),
                (None, _) => format!("{who} has not started yet: {said}"),
            },
        }
    }

    /// How a container keeps ending, with its last words.
    fn end(&self, live: &Deployment, explanation: &Explanation) -> String {
        let who = self.who();
        if let Some((kind, answer)) = self.killed_by_probe(explanation) {
            let kind = kind.to_lowercase();
            let probe = probe(live, &self.container, &format!("{kind}Probe"));
            return format!(
                "{who} is killed, {}, as its {kind} probe{probe} fails: {}",
                times(self.ends),
                quoted(answer)
            );
        }
        let ended = self.ended(live);
        let last = explanation.log.as_ref().and_then(|log| log.as_ref().ok());
        let last = last.and_then(|log| telling(log)).or_else(|| {
            let mut lines = self.said.lines().filter(|line| !line.trim().is_empty());
            lines.next_back()
        });
        match last {
            Some(line) => {
                let line = clip(&plain(line), QUOTE).replace('`', "'");
                format!("{who} {ended}: `{line}`")
            }
            None => format!("{who} {ended}"),
        }
    }

    fn ended(&self, live: &Deployment) -> String {
        let (times, code) = (times(self.ends), self.code);
        if self.cause == Cause::Ends {
            return format!(
                "ends by itself with exit code 0, {times}, and a container of a Deployment must \
                 go on running"
            );
        }
        if self.cause != Cause::OutOfMemory {
            return format!("exits with code {code}{}, {times}", meaning(code));
        }
        match memory_limit(live, &self.container) {
            Some(limit) => {
                format!("is killed for using more memory than its limit of {limit}, {times}")
            }
            None => format!("is killed for using too much memory, {times}"),
        }
    }

    /// A container that its kubelet kills ends with these codes, and an event says why.
    fn killed_by_probe<'a>(&self, explanation: &'a Explanation) -> Option<(&'a str, &'a str)> {
        if self.cause != Cause::Crash || ![137, 143].contains(&self.code) {
            return None;
        }
        let events = explanation.events.as_ref()?.as_ref().ok()?.iter();
        let mut probes = events.filter_map(|event| event.message.split_once(" probe failed: "));
        probes.find(|(kind, _)| ["Liveness", "Startup"].contains(kind))
    }

    fn not_ready(&self, live: &Deployment, explanation: &Explanation) -> String {
        let who = self.who();
        let restarted = match self.ends {
            0 => String::new(),
            ends => format!(" (it was started again {})", times(ends)),
        };
        let events = explanation
            .events
            .as_ref()
            .and_then(|read| read.as_ref().ok());
        let mut events = events.into_iter().flatten();
        let answer =
            events.find_map(|event| event.message.strip_prefix("Readiness probe failed: "));
        let probe = probe(live, &self.container, "readinessProbe");
        match answer {
            Some(answer) => format!(
                "{who} runs{restarted}, but its readiness probe{probe} fails: {}",
                quoted(answer)
            ),
            None if probe.is_empty() => format!("{who} runs{restarted} and is not ready"),
            None => format!("{who} runs{restarted}, but its readiness probe{probe} has not passed"),
        }
    }
}

/// The newest warning: why a pod waits is often told there alone, as for a volume's Secret.
fn last_warning(explanation: &Explanation) -> Option<&Event> {
    let events = explanation.events.as_ref()?.as_ref().ok()?.iter();
    let warnings = events.filter(|event| event.kind == "Warning");
    warnings.max_by_key(|event| event.last)
}

/// The line that most likely says why: the last one that speaks of an error, else the last.
pub(super) fn telling(log: &[String]) -> Option<&str> {
    const MARKS: [&str; 8] = [
        "panic",
        "fatal",
        "error",
        "exception",
        "failed",
        "cannot",
        "refused",
        "denied",
    ];
    let marked = log.iter().rev().find(|line| {
        let line = line.to_lowercase();
        MARKS.iter().any(|mark| line.contains(mark))
    });
    marked.or(log.last()).map(String::as_str)
}

fn quoted(text: &str) -> String {
    let line = one_line(&plain(text));
    clip(line.trim_end_matches('.'), QUOTE)
}

/// What a registry said, without the layers around it: the end tells.
pub(super) fn core(text: &str) -> String {
    const LIMIT: usize = 160;
    let text = one_line(&plain(text));
    let text = text.rsplit(" desc = ").next().unwrap_or_default();
    let text = text.trim_end_matches('.');
    let from =
        (text.len().saturating_sub(LIMIT)..=text.len()).find(|at| text.is_char_boundary(*at));
    match from {
        Some(from) if from > 0 => format!("…{}", &text[from..]),
        _ => text.to_owned(),
    }
}

pub(super) fn times(count: u64) -> String {
    match count {
        0 | 1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    }
}

/// What shells and kernels mean by some exit codes.
/// <https://tldp.org/LDP/abs/html/exitcodes.html>
fn meaning(code: i64) -> &'static str {
    match code {
        126 => " (its command cannot be executed)",
        127 => " (its command was not found)",
        134 => " (aborted)",
        137 => " (killed)",
        139 => " (segmentation fault)",
        143 => " (terminated)",
        _ => "",
    }
}

fn image(live: &Deployment, container: &str) -> String {
    let image = live
        .container(container)
        .and_then(|it| it.get("image")?.as_str());
    image.unwrap_or("its image").to_owned()
}

fn memory_limit<'a>(live: &'a Deployment, container: &str) -> Option<&'a str> {
    live.container(container)?
        .pointer("/resources/limits/memory")?
        .as_str()
}

/// A probe in brackets: ` (HTTP GET :8080/health)`; empty where there is none.
fn probe(live: &Deployment, container: &str, kind: &str) -> String {
    let probe = live.container(container).and_then(|it| it.get(kind));
    let Some(probe) = probe.filter(|probe| probe.is_object()) else {
        return String::new();
    };
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let port = |action: &Value| text(action.get("port"));
    let what = if let Some(get) = probe.get("httpGet") {
        format!("HTTP GET :{}{}", port(get), text(get.get("path")))
    } else if let Some(socket) = probe.get("tcpSocket") {
        format!("TCP :{}", port(socket))
    } else if let Some(grpc) = probe.get("grpc") {
        format!("gRPC :{}", port(grpc))
    } else {
        "a command".to_owned()
    };
    format!(" ({what})")
}
