//! The evidence for a cause: the pods, their events, their last log lines.

use super::classification::findings;
use super::finding::{Explanation, Finding, PodSnapshot};
use super::quotes::{QUOTE, ending, plain, times};
use super::since::{Look, Since};
use crate::kubernetes::pod::{Event, Pods};
use crate::outcome::Cause;
use crate::text::{clip, words};
use crate::workload::Workload;
use crate::workload::health::job::failed_pods;
use crate::workload::health::rollout::serving::Serving;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Events have whole seconds, by clocks that may be behind ours.
const EVENT_CLOCK: Duration = Duration::from_secs(5);
/// How much of a log line is shown, from its beginning.
pub(super) const LOG_LINE: usize = 240;
/// How many log lines are shown.
pub const LOG_LINES: usize = 20;
/// How many groups of problems and how many events are shown: together a screen.
const GROUPS: usize = 5;
/// See [`GROUPS`].
const EVENTS: usize = 8;

/// What an autoscaler answers to a pod without a node: no warning, and it says what to do.
/// <https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md>
const ANSWERS: [&str; 2] = ["NotTriggerScaleUp", "TriggeredScaleUp"];

/// The evidence for a cause. [`Evidence::shrink`] removes the least important line, so it fits
/// everywhere.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Evidence {
    /// The states of the pods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<String>,
    /// The events of the worst pod.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// The last log lines. The first line is a heading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// How many pods are ready at the end of a failed deploy, if they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serving: Option<Serving>,
    /// How many pods of the new version were ready when it failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ready: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Evidence {
    /// Gathers the evidence.
    pub fn of(
        live: &Workload,
        sight: Option<&PodSnapshot>,
        finding: Option<&Finding>,
        explanation: &Explanation,
        since: &Since<'_>,
        patience: Duration,
    ) -> Evidence {
        let pods = sight.map_or_else(Vec::new, |sight| {
            let look = Look {
                sight,
                since,
                patience,
            };
            pod_lines(live, &look, finding)
        });
        // A new pod has only new events; an old pod's are selected by time.
        let all_new = sight.is_some_and(|sight| since.is_new(&sight.set));
        let written = (!all_new).then_some(since.written);
        let about = finding.map(|finding| match finding.pod.as_str() {
            "" => format!("{} `{}`", live.kind().row().pod_owner, finding.set),
            pod => format!("pod `{pod}`"),
        });
        let about = about.unwrap_or_default();
        let events = match &explanation.events {
            None => Vec::new(),
            Some(Err(why)) => vec![format!("The events of {about} could not be read: {why}.")],
            Some(Ok(events)) => {
                let set = finding.map(|finding| finding.set.as_str());
                event_lines(&about, events, written, set.unwrap_or_default())
            }
        };
        let who = finding.map(Finding::who).unwrap_or_default();
        let log = match &explanation.log {
            None => Vec::new(),
            Some(Err(why)) => vec![format!("The log of {who} could not be read: {why}.")],
            Some(Ok(lines)) if lines.is_empty() => vec![format!("The log of {who} is empty.")],
            Some(Ok(lines)) => {
                let heading = format!("The last lines of {who}:");
                let lines = lines.iter().map(|line| format!("  {line}"));
                std::iter::once(heading).chain(lines).collect()
            }
        };
        Evidence {
            pods,
            events,
            log,
            serving: None,
            ready: sight
                .and_then(|sight| sight.pods.as_ref().ok())
                .map_or(0, |pods| pods.ready),
        }
    }

    /// Redacts the texts with `mask`.
    pub fn hide(mut self, mask: impl Fn(&str) -> String) -> Evidence {
        for list in [&mut self.pods, &mut self.events, &mut self.log] {
            // A value may go over several lines: they are hidden together.
            let hidden = mask(&list.join("\n"));
            *list = hidden.lines().map(str::to_owned).collect();
        }
        self
    }

    /// Removes the least important line; returns false if nothing is left.
    pub fn shrink(&mut self) -> bool {
        /// How many lines of each part stay as long as another part can shrink.
        const KEPT: [usize; 3] = [3, 4, 6];
        let lengths = [self.pods.len(), self.events.len(), self.log.len()];
        let over = (0..3).find(|part| lengths[*part] > KEPT[*part]);
        match over.or_else(|| (0..3).find(|part| lengths[*part] > 0)) {
            Some(0) => _ = self.pods.pop(),
            Some(1) => _ = self.events.pop(),
            // The last lines are the most important; a heading alone is useless.
            Some(_) if self.log.len() > 2 => _ = self.log.remove(1),
            Some(_) => self.log.clear(),
            None => return false,
        }
        true
    }

    /// The text, in at most `limit` bytes.
    pub fn text(&self, limit: usize) -> String {
        let mut fitting = self.clone();
        loop {
            let parts = [&fitting.pods, &fitting.events, &fitting.log];
            let parts = parts.into_iter().filter(|part| !part.is_empty());
            let text = parts.map(|part| part.join("\n")).collect::<Vec<_>>();
            let text = text.join("\n\n");
            if text.len() <= limit || !fitting.shrink() {
                return text;
            }
        }
    }
}

/// The state of the new pods, then a line for each other problem.
fn pod_lines(live: &Workload, look: &Look, told: Option<&Finding>) -> Vec<String> {
    let Look { sight, since, .. } = look;
    let pods = match &sight.pods {
        Ok(pods) => pods,
        Err(why) => {
            let why = why.trim_end_matches('.');
            return vec![format!("The new pods could not be read: {why}.")];
        }
    };
    let after = Duration::try_from(sight.at.duration_since(since.written)).unwrap_or_default();
    let after = words(Duration::from_secs(after.as_secs()));
    let mut lines = match since.others {
        None => {
            let is_new = !since.is_older(&sight.set);
            let count = count(live, pods, if is_new { "new " } else { "" });
            vec![format!("{after} after the change: {count}.")]
        }
        // These are not the pods that are asked about.
        Some(_) => Vec::new(),
    };
    let mut groups: Vec<(Finding, usize)> = Vec::new();
    for finding in findings(pods, look) {
        let place = groups.iter().position(|(other, _)| {
            let kind = |it: &Finding| (it.cause, it.code, it.nodes.is_some());
            kind(other) == kind(&finding)
                && (&other.container, &other.reason) == (&finding.container, &finding.reason)
        });
        match place {
            Some(place) => groups[place].1 += 1,
            None if groups.len() < GROUPS => groups.push((finding, 1)),
            None => {}
        }
    }
    let is_told = |finding: &Finding| {
        told.is_some_and(|told| {
            // That a container was killed is known by the events of the one that is told.
            let killed = told.cause == Cause::Crash && told.code == 0;
            // As is that a scheduler has seen the pod.
            let seen = told.cause == Cause::Unschedulable;
            (told.cause == finding.cause
                || killed && finding.cause == Cause::Ends
                || seen && finding.cause == Cause::NoScheduler)
                && told.container == finding.container
                && told.nodes.is_some() == finding.nodes.is_some()
        })
    };
    for (finding, count) in groups {
        let more = match count - 1 {
            0 => String::new(),
            1 => " (and one more pod)".to_owned(),
            others => format!(" (and {others} more pods)"),
        };
        if !is_told(&finding) {
            let sentence = finding.sentence(live, &Explanation::default());
            lines.push(format!("- {sentence}{more}"));
        } else if count > 1 {
            lines.push(format!("- the same is wrong with {count} pods"));
        }
    }
    lines
}

/// How many pods there are of a version that is `new `, or was there before.
fn count(live: &Workload, pods: &Pods, new: &str) -> String {
    let wanted = live.replicas();
    if live.kind().ends() {
        let number = |pointer: &str| live.number(pointer).unwrap_or(0);
        return format!(
            "{} of {wanted} completed, {} running, {} failed",
            live.available_replicas(),
            number("/status/active"),
            failed_pods(live)
        );
    }
    let ready = match pods.count() {
        0 => format!("no {new}pod"),
        1 => format!("{} of 1 {new}pod ready", pods.ready),
        count => format!("{} of {count} {new}pods ready", pods.ready),
    };
    format!("{ready}, {wanted} wanted")
}

/// The relevant events, each kind once, the last one last; with `written` only those that are not
/// older.
fn event_lines(
    about: &str,
    events: &[Event],
    written: Option<Timestamp>,
    set: &str,
) -> Vec<String> {
    let oldest = written.map(|written| written.checked_sub(EVENT_CLOCK).unwrap_or(written));
    // `Error: ErrImagePull` only repeats the pod's own reason.
    let is_word = |message: &str| {
        let word = message.strip_prefix("Error: ");
        word.is_some_and(|word| !word.contains(' '))
    };
    let telling = |event: &&Event| {
        let in_time = oldest.is_none() || event.last >= oldest;
        let is_warning = event.kind != "Normal" || ANSWERS.contains(&event.reason.as_str());
        is_warning && in_time && !is_word(&event.message)
    };
    let mut kept: Vec<Event> = Vec::new();
    for event in events.iter().filter(telling) {
        let same = |other: &&mut Event| {
            let kind = |event: &Event| (event.reason.clone(), without_names(&event.message, set));
            kind(other) == kind(event)
        };
        match kept.iter_mut().find(same) {
            Some(other) => {
                other.count += event.count;
                if event.last >= other.last {
                    other.last = event.last;
                    other.message.clone_from(&event.message);
                }
            }
            None => kept.push(event.clone()),
        }
    }
    kept.sort_by_key(|event| event.last);
    let skipped = kept.len().saturating_sub(EVENTS);
    let lines = kept.iter().skip(skipped).map(|event| {
        let message = shortened(&plain(&event.message));
        format!("- {}, {}: {message}", event.reason, times(event.count))
    });
    let lines = lines.collect::<Vec<_>>();
    if lines.is_empty() {
        return lines;
    }
    [vec![format!("Events of {about}:")], lines].concat()
}

/// Shortens the middle of a message: a runtime names the cause last.
fn shortened(message: &str) -> String {
    /// How much of the beginning is shown: it says what was tried.
    const HEAD: usize = 100;
    if message.len() <= QUOTE {
        return message.to_owned();
    }
    let head = clip(message, HEAD);
    format!(
        "{head}{}",
        ending(message, QUOTE - HEAD).trim_start_matches('…')
    )
}

/// Removes what differs between pods and attempts: the names of the set's pods, and long numbers
/// such as a connection's port.
fn without_names(message: &str, set: &str) -> String {
    let is_part = |letter: char| letter.is_alphanumeric() || ['-', '.'].contains(&letter);
    let mut plain = String::new();
    for word in message.split_inclusive(|letter: char| !is_part(letter)) {
        let name = word.trim_end_matches(|letter: char| !is_part(letter));
        let of_set = name
            .strip_prefix(set)
            .and_then(|rest| rest.strip_prefix('-'));
        let is_pod = !set.is_empty() && of_set.is_some_and(|rest| !rest.contains('-'));
        let is_number = name.len() >= 4 && name.chars().all(|letter| letter.is_ascii_digit());
        plain.push_str(if is_pod || is_number { "*" } else { name });
        plain.push_str(&word[name.len()..]);
    }
    plain
}

/// What a terminal shows of a line: a progress bar returns to its beginning again and again.
fn shown(line: &str) -> &str {
    let mut states = line.rsplit('\r');
    let last = states.find(|state| !state.trim().is_empty());
    last.unwrap_or_default()
}

/// The last lines of a log, without terminal sequences.
pub fn log_lines(text: &str) -> Vec<String> {
    // What a kubelet answers in place of a log that its node has no more.
    // https://github.com/kubernetes/kubernetes/issues/99414
    const LOST: [&str; 3] = [
        "unable to retrieve container logs for ",
        "failed to try resolving symlinks in path ",
        "failed to create fsnotify watcher: ",
    ];
    if LOST.iter().any(|lost| text.starts_with(lost)) && text.lines().count() == 1 {
        return Vec::new();
    }
    let lines = text.lines().map(|line| clip(&plain(shown(line)), LOG_LINE));
    let lines = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>();
    lines[lines.len().saturating_sub(LOG_LINES)..].to_vec()
}
