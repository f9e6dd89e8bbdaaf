//! Prepares messages of kubelets, registries and applications for quoting.

use crate::kubernetes::pod::Event;
use crate::text::{clip, one_line};
use jiff::{SignedDuration, Timestamp};

/// How much of another program's message a cause quotes; it must leave room for names.
pub(super) const QUOTE: usize = 300;

/// A kubelet did not find a pull secret; the image may be pulled all the same.
pub(super) const LOST_SECRET: &str = "FailedToRetrieveImagePullSecret";

/// Warnings about pods that no pod waits for: a resolver's limits, a policy that only audits.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/events/event.go>
const REMARKS: [&str; 6] = [
    "DNSConfigForming",
    LOST_SECRET,
    "InvalidEnvironmentVariableNames",
    "MissingClusterDNS",
    "PolicyViolation",
    "ProbeWarning",
];

/// Words of a line that mentions an error.
const ERRORS: [&str; 9] = [
    "panic",
    "fatal",
    "error",
    "exception",
    "failed",
    "cannot",
    "refused",
    "denied",
    "emerg",
];

/// Words of one that says what is not as it must be.
const LACKS: [&str; 12] = [
    "can't",
    "could not",
    "unable to",
    "missing",
    "invalid",
    "required",
    "unknown",
    "unbound variable",
    "not found",
    "not set",
    "no such",
    "must be",
];

/// How a kubelet sums up volumes, each of which has an event of its own with the cause.
const SUMMARY: &str = "Unable to attach or mount volumes";

/// A kubelet tries a volume again every two minutes at the latest: what it does not repeat within
/// this is mended.
const RETRIED: SignedDuration = SignedDuration::from_mins(3);

/// The newest warning that can hold a pod up: often only it says why a pod waits, for example for
/// a volume's Secret.
pub(super) fn last_warning(events: Vec<&Event>) -> Option<&Event> {
    let warnings = events.into_iter();
    let warnings = warnings.filter(|event| event.kind == "Warning");
    let warnings = warnings.filter(|event| !REMARKS.contains(&event.reason.as_str()));
    let warnings = warnings.collect::<Vec<_>>();
    let sums_up = |event: &Event| event.message.starts_with(SUMMARY);
    let of_volume = ["FailedMount", "FailedAttachVolume", "FailedMapVolume"];
    let newest = warnings.iter().filter_map(|event| event.last).max();
    let names_cause = |event: &Event| {
        let is_telling = of_volume.contains(&event.reason.as_str()) && !sums_up(event);
        is_telling && is_current(event, newest)
    };
    let has_cause = warnings.iter().any(|event| names_cause(event));
    let warnings = warnings.into_iter();
    let warnings = warnings.filter(|event| !(has_cause && sums_up(event)));
    warnings.max_by_key(|event| event.last)
}

/// Whether an event may still be true at the time of the newest one.
pub(super) fn is_current(event: &Event, newest: Option<Timestamp>) -> bool {
    match (event.last, newest) {
        (Some(last), Some(newest)) => newest.duration_since(last) < RETRIED,
        _ => true,
    }
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

/// The line that most likely has the cause: the last one that mentions an error, rather one that
/// begins at the margin than one that continues another, unless a later one says what is missing;
/// else the last. A line below a warning counts only where the last line is one, too.
pub(super) fn telling(log: &[String]) -> Option<String> {
    let log = without_usage(log);
    let of_program = log.iter().filter(|line| !is_of_manager(line));
    let of_program = of_program.cloned().collect::<Vec<_>>();
    error_line(&of_program)
        .or_else(|| error_line(log))
        .or_else(|| log.last().cloned())
}

/// A log without the usage that a program prints at its end, behind what is wrong with its options.
fn without_usage(log: &[String]) -> &[String] {
    let is_heading = |line: &String| line.to_lowercase().starts_with("usage");
    let is_part = |line: &String| line.starts_with([' ', '\t']) || line.ends_with(':');
    match log.iter().rposition(is_heading) {
        Some(at) if at > 0 && log[at + 1..].iter().all(is_part) => &log[..at],
        Some(_) | None => log,
    }
}

/// Whether a process manager (npm, yarn, pnpm, gunicorn, uvicorn, PHP-FPM) says that it has ended
/// its work, or its program has; why that is stands before it.
fn is_of_manager(line: &str) -> bool {
    const OWN: [&str; 7] = [
        "npm err!",
        "npm error",
        "elifecycle",
        "worker failed to boot",
        "shutting down: master",
        "application startup failed. exiting",
        "fpm initialization failed",
    ];
    /// Before the number at the end of a line.
    const ENDS: [&str; 3] = [
        "command failed with exit code ",
        "exited with code ",
        "exited with status ",
    ];
    /// All that `go run` says; errors of Go's programs end so as well.
    const ALL: &str = "exit status ";
    let line = line.to_lowercase();
    let number = |letter: char| letter.is_ascii_digit() || ['.', ')'].contains(&letter);
    let end = line.trim_end_matches(number);
    OWN.iter().any(|mark| line.contains(mark))
        || ENDS.iter().any(|mark| end.ends_with(mark))
        || end == ALL
}

/// The line that tells of an error, if one does.
fn error_line(log: &[String]) -> Option<String> {
    let informs = log.last().is_some_and(|last| is_information(last));
    let lines = (0..log.len()).rev().filter(|at| !is_frame(log, *at));
    let (low, high): (Vec<_>, Vec<_>) = lines.partition(|at| is_information(&log[*at]));
    let is_at_margin = |at: &&usize| !log[**at].starts_with([' ', '\t']);
    let erring = |lines: &[usize]| {
        let marked = lines.iter().filter(|at| is_marked(&log[**at], &ERRORS));
        let marked = marked.collect::<Vec<_>>();
        let mut at_margin = marked.iter().copied().filter(|at| is_at_margin(at));
        at_margin.next().or(marked.first().copied()).copied()
    };
    let lacks = high.iter().filter(is_at_margin);
    let lacks = lacks.filter(|at| is_marked(&log[**at], &LACKS)).max();
    let at = match lacks.copied().max(erring(&high)) {
        None if informs => erring(&low),
        found => found,
    }?;
    let line = log[at].trim_end();
    // Rust says where it panicked, and in the next line why; .NET has the inner exception there.
    let next = log.get(at + 1).map(|next| next.trim());
    let goes_on = |next: &&str| line.ends_with(':') || next.starts_with("---> ");
    match next.filter(|next| !next.is_empty() && goes_on(next)) {
        Some(next) if !is_frame(log, at + 1) => Some(format!("{line} {next}")),
        Some(_) | None => Some(line.to_owned()),
    }
}

/// Whether a line was logged at a level below a warning: by the first level named among the times
/// and names that loggers begin with.
fn is_information(line: &str) -> bool {
    const LOW: [&str; 4] = ["info", "debug", "trace", "notice"];
    const HIGH: [&str; 7] = [
        "warn", "warning", "error", "err", "critical", "fatal", "panic",
    ];
    let line = line.to_lowercase();
    let words = line.split(|letter: char| !letter.is_alphanumeric());
    let mut words = words.filter(|word| !word.is_empty()).take(14);
    let level = words.find(|word| LOW.contains(word) || HIGH.contains(word));
    level.is_some_and(|level| LOW.contains(&level))
}

/// Whether a line mentions an error: not the name of a file or a package, nor a field that is
/// empty, such as `"error":null`.
fn is_marked(line: &str, marks: &[&str]) -> bool {
    /// Counts of nothing.
    const NONE: [&str; 4] = [" 0 error", " 0 failed", " no error", " without error"];
    let words = line.split_whitespace().filter(|word| !word.contains('/'));
    let line = words.fold(String::new(), |line, word| {
        line + " " + &word.to_lowercase()
    });
    let is_full = |mark: &str| {
        let mut places = line.match_indices(mark);
        places.any(|(at, _)| !is_empty_field(&line[at + mark.len()..]))
    };
    marks.iter().any(|mark| is_full(mark)) && !NONE.iter().any(|none| line.contains(none))
}

/// Whether the rest of a line, behind the name of a field, gives it no value.
fn is_empty_field(rest: &str) -> bool {
    let rest = rest.strip_prefix('s').unwrap_or(rest);
    let rest = rest.trim_start_matches(['"', '\'', ' ']);
    let Some(value) = rest.strip_prefix([':', '=']) else {
        return false;
    };
    let value = value.trim_start();
    let ends = |rest: &str| !rest.starts_with(|it: char| it.is_alphanumeric() || it == '.');
    let empty = [
        "null", "nil", "<nil>", "none", "false", "0", "\"\"", "[]", "{}",
    ];
    empty
        .iter()
        .any(|empty| value.strip_prefix(empty).is_some_and(ends))
}

/// Whether a line is a part of a stack trace behind the error: of the JVM, Node.js, .NET, Ruby, PHP
/// or Go.
fn is_frame(log: &[String], at: usize) -> bool {
    let line = log[at].trim();
    let begins = ["at ", "from ", "... ", "--- End of "];
    let numbered = line.strip_prefix('#').and_then(|rest| rest.split_once(' '));
    let of_php = numbered.is_some_and(|(number, _)| number.parse::<u32>().is_ok());
    let is_place = |line: &String| line.starts_with([' ', '\t']) && line.contains(".go:");
    let of_go = line.ends_with(')') && log.get(at + 1).is_some_and(is_place);
    // Node.js: where an error was emitted that nobody handles.
    let leads_in = line.ends_with(" at:");
    let begins = begins.iter().any(|begin| line.starts_with(begin));
    begins || leads_in || of_php || of_go || is_place(&log[at])
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

/// What a registry says of the repository or the tag, beyond that it does not have the image: whose
/// registry was asked, or that the tag was there once.
pub(super) fn about_repository(text: &str) -> Option<String> {
    let text = core(text);
    let words = text.rsplit("\": ").next().unwrap_or_default();
    let says = ["repository", "expired"]
        .iter()
        .any(|word| words.contains(word));
    says.then(|| words.to_owned())
}

/// The image that a kubelet could not pull, if it is not the container's: that of a volume.
/// <https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/>
pub(super) fn other_image<'a>(message: &'a str, own: &str) -> Option<&'a str> {
    let (_, named) = message.split_once("image \"")?;
    let (named, _) = named.split_once('"')?;
    let ((name, tag), (own, own_tag)) = (parts(named), parts(own));
    // A runtime writes a short name out: `docker.io/library/nginx:latest`.
    let is_name = name == own || name.ends_with(&format!("/{own}"));
    let is_tag = tag.is_none() || own_tag.is_none() || tag == own_tag;
    let is_own = own.is_empty() || is_name && is_tag;
    (!is_own).then_some(named)
}

/// An image's name, and its tag.
fn parts(image: &str) -> (&str, Option<&str>) {
    let (named, _) = image.split_once('@').unwrap_or((image, ""));
    let last = named.rfind('/').map_or(0, |slash| slash + 1);
    match named[last..].split_once(':') {
        Some((end, tag)) => (&named[..last + end.len()], Some(tag)),
        None => (named, None),
    }
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
