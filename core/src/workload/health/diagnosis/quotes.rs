//! Prepares messages of kubelets, registries and applications for quoting.

use super::finding::Explanation;
use crate::kubernetes::pod::Event;
use crate::text::{clip, one_line};
use jiff::SignedDuration;

/// How much of another program's message a cause quotes; it must leave room for names.
pub(super) const QUOTE: usize = 300;

/// Warnings about pods that no pod waits for: a resolver's limits, a policy that only audits.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/events/event.go>
const REMARKS: [&str; 6] = [
    "DNSConfigForming",
    "FailedToRetrieveImagePullSecret",
    "InvalidEnvironmentVariableNames",
    "MissingClusterDNS",
    "PolicyViolation",
    "ProbeWarning",
];

/// How a kubelet sums up volumes, each of which has an event of its own with the cause.
const SUMMARY: &str = "Unable to attach or mount volumes";

/// A kubelet tries a volume again every two minutes at the latest: what it does not repeat within
/// this is mended.
const RETRIED: SignedDuration = SignedDuration::from_mins(3);

/// The newest warning that can hold a pod up: often only it says why a pod waits, for example for
/// a volume's Secret.
pub(super) fn last_warning(explanation: &Explanation) -> Option<&Event> {
    let events = explanation.events.as_ref()?.as_ref().ok()?.iter();
    let warnings = events.filter(|event| event.kind == "Warning");
    let warnings = warnings.filter(|event| !REMARKS.contains(&event.reason.as_str()));
    let warnings = warnings.collect::<Vec<_>>();
    let sums_up = |event: &Event| event.message.starts_with(SUMMARY);
    let of_volume = ["FailedMount", "FailedAttachVolume", "FailedMapVolume"];
    let newest = warnings.iter().filter_map(|event| event.last).max();
    let is_current = |event: &Event| match (event.last, newest) {
        (Some(last), Some(newest)) => newest.duration_since(last) < RETRIED,
        _ => true,
    };
    let names_cause = |event: &Event| {
        of_volume.contains(&event.reason.as_str()) && !sums_up(event) && is_current(event)
    };
    let has_cause = warnings.iter().any(|event| names_cause(event));
    let warnings = warnings.into_iter();
    let warnings = warnings.filter(|event| !(has_cause && sums_up(event)));
    warnings.max_by_key(|event| event.last)
}

/// The probe of an event, and why it does not pass: it failed, or could not be carried out.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/prober/prober.go>
pub(super) fn of_probe(message: &str) -> Option<(&str, String)> {
    let (kind, rest) = message.split_once(" probe ")?;
    if let Some(answer) = rest.strip_prefix("failed: ") {
        return Some((kind, quoted(answer)));
    }
    let (_, error) = rest.strip_prefix("errored")?.split_once(": ")?;
    Some((kind, last_words(error)))
}

/// The line that most likely has the cause: the last one that mentions an error, else the last.
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
    /// Counts of nothing.
    const NONE: [&str; 4] = [" 0 error", " 0 failed", " no error", " without error"];
    let marked = log.iter().rev().find(|line| {
        let line = format!(" {}", line.to_lowercase());
        let says = |marks: &[&str]| marks.iter().any(|mark| line.contains(mark));
        says(&MARKS) && !says(&NONE)
    });
    marked.or(log.last()).map(String::as_str)
}

pub(super) fn quoted(text: &str) -> String {
    let line = one_line(&plain(text));
    clip(line.trim_end_matches('.'), QUOTE)
}

/// The end of a runtime's message: it prefixes the cause with the names of all layers.
pub(super) fn last_words(text: &str) -> String {
    let text = one_line(&plain(text));
    ending(text.trim_end_matches('.'), QUOTE)
}

/// A registry's message without the layers around it: the end has the cause.
pub(super) fn core(text: &str) -> String {
    const LIMIT: usize = 160;
    let text = one_line(&plain(text));
    // Back-off pulling image "web:2": ErrImagePull: rpc error: code = NotFound desc = not found
    let text = text.rsplit(": ErrImagePull: ").next().unwrap_or_default();
    let text = text
        .rsplit(": SignatureValidationFailed: ")
        .next()
        .unwrap_or_default();
    let text = text.rsplit(" desc = ").next().unwrap_or_default();
    ending(text.trim_end_matches('.'), LIMIT)
}

/// The end of a text, from the beginning of a word if possible.
pub(super) fn ending(text: &str, limit: usize) -> String {
    let least = text.len().saturating_sub(limit);
    if least == 0 {
        return text.to_owned();
    }
    let from = (least..=text.len()).find(|at| text.is_char_boundary(*at));
    let tail = &text[from.unwrap_or(text.len())..];
    let word = tail.find(' ').filter(|at| *at < limit / 4);
    format!("…{}", tail[word.unwrap_or_default()..].trim_start())
}

pub(super) fn times(count: u64) -> String {
    match count {
        0 | 1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    }
}

/// One line without escape sequences, other control characters and trailing spaces.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            skip_escape(&mut characters);
        } else if character == '\t' || character == '\n' {
            plain.push(' ');
        } else if !character.is_control() {
            plain.push(character);
        }
    }
    plain.trim_end().to_owned()
}

/// <https://en.wikipedia.org/wiki/ANSI_escape_code>: `ESC [ parameters letter`, `ESC ] text BEL`,
/// or two characters.
fn skip_escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        Some('[') => _ = characters.find(|letter| ('@'..='~').contains(letter)),
        Some(']') => _ = characters.find(|letter| ['\u{7}', '\u{1b}'].contains(letter)),
        Some(_) | None => {}
    }
}

/// Whether a kubelet reports only that a pull waits. Since version 1.32 it also reports the reason.
/// <https://github.com/kubernetes/kubernetes/pull/127918>
pub(super) fn is_mute(message: &str) -> bool {
    let waits = message.starts_with("Back-off pulling image") && !message.contains("\": ");
    waits || message.is_empty()
}
