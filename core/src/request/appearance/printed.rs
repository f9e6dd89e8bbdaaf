//! What a command printed into a file, and other texts that no manifest begins like.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How the messages of commands begin that a step wrote into its file.
const BEGINNINGS: [&str; 19] = [
    "[Container] ",
    "An error occurred (",
    "ERROR:",
    "Error from server",
    "Error:",
    "WARNING:",
    "error:",
    "fatal:",
    "Traceback (",
    "panic: ",
    "npm ERR!",
    "npm error",
    "Usage:",
    "usage:",
    "Unable to ",
    "time=",
    "Login Succeeded",
    "Updated context ",
    "sed: ",
];

/// How a shell's messages end: `/bin/sh: 1: envsubst: not found`.
const ENDINGS: [&str; 4] = [
    "command not found",
    ": not found",
    "No such file or directory",
    "Permission denied",
];

/// Other kinds of files by how their first line begins: what they are, and the solution.
const OTHERS: [(&str, &str, &str); 9] = [
    ("#!", "a script", NAME),
    ("FROM ", "a Dockerfile", NAME),
    ("resource \"", "a file of Terraform", NAME),
    (
        "diff -",
        "a diff",
        "apply it in the build, and name the file that comes of it",
    ),
    ("local ", "a file of Jsonnet", EVALUATE),
    ("package ", "a file of CUE", EVALUATE),
    ("import ", "a program", EVALUATE),
    (
        "```",
        "a page of Markdown",
        "keep what is between the fences alone",
    ),
    (
        "$ANSIBLE_VAULT",
        "a file that Ansible Vault has encrypted",
        "decrypt it in the build, and name the file that comes of it",
    ),
];
const EVALUATE: &str = "have the build evaluate it, and name the file that comes of it";
const NAME: &str = "name the manifest of a Deployment";

/// Says that a command has printed into the file before its first document.
pub(super) fn printed(text: &str) -> Option<String> {
    let (line, first) = first(text, |_| false)?;
    let begins = BEGINNINGS.iter().find(|word| first.starts_with(**word));
    let ends = || {
        ENDINGS
            .iter()
            .find(|word| first.trim_end().ends_with(**word))
    };
    let word = begins.or_else(ends).copied().or_else(|| of_klog(first))?;
    let word = word.trim_matches([' ', '(', ':', '=']);
    Some(format!(
        "has what a command printed (`{word}` in line {line}): look at the step that writes the \
         file, and keep messages out of it (`2>&1` puts them there)"
    ))
}

/// Says what a file is that does not begin like a manifest. Its text is not quoted: it may be
/// anything.
pub(super) fn other(text: &str) -> Option<String> {
    let mut rows = OTHERS.iter();
    if let Some((_, what, way)) = rows.find(|(begin, ..)| text.trim_start().starts_with(begin)) {
        return Some(format!("looks like {what}: {way}"));
    }
    let (line, first) = first(text, |line| line.starts_with('#'))?;
    if let Some((_, what, way)) = OTHERS.iter().find(|(begin, ..)| first.starts_with(begin)) {
        return Some(format!("looks like {what}: {way}"));
    }
    if is_base64(text) {
        let problem = "is base64 of a manifest: decode it in the build, and name the file that \
                       comes of it";
        return Some(problem.to_owned());
    }
    (!is_of_yaml(first)).then(|| {
        format!(
            "does not begin like a manifest (line {line}): look at the step that writes the file, \
             and keep what commands print out of it"
        )
    })
}

/// Whether the whole text is base64 of a text that has an object of Kubernetes in it.
fn is_base64(text: &str) -> bool {
    let joined = text.split_whitespace().collect::<String>();
    let decoded = STANDARD.decode(joined).ok();
    let decoded = decoded.and_then(|decoded| String::from_utf8(decoded).ok());
    decoded.is_some_and(|decoded| decoded.contains("apiVersion"))
}

/// The line in which Helm's notes begin, which follow the manifests of `helm install --dry-run`.
pub(super) fn notes(text: &str) -> Option<usize> {
    let mut lines = text.lines();
    lines
        .position(|line| line == "NOTES:")
        .map(|index| index + 1)
}

/// The first line that is not empty, and its number.
fn first(text: &str, is_skipped: fn(&str) -> bool) -> Option<(usize, &str)> {
    let lines = text.lines().enumerate();
    let mut lines = lines.filter(|(_, line)| !line.trim().is_empty() && !is_skipped(line));
    lines.next().map(|(index, line)| (index + 1, line))
}

/// The beginning of a line of Kubernetes' own logs: `W1129 10:11:12.123456 …`.
fn of_klog(line: &str) -> Option<&str> {
    let (word, _) = line.split_once(' ')?;
    let digits = word.strip_prefix(['I', 'W', 'E', 'F'])?;
    (digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(word)
}

/// Whether a document of YAML or JSON may begin so.
fn is_of_yaml(line: &str) -> bool {
    const SIGNS: [&str; 10] = ["---", "%", "{", "[", "- ", "? ", "\"", "'", "&", "!"];
    let line = line.trim();
    let is_field = line.split_once(':').is_some_and(|(name, value)| {
        let is_apart = value.is_empty() || value.starts_with([' ', '\t']);
        !name.contains(' ') && (is_apart || !line.contains(' '))
    });
    is_field || SIGNS.iter().any(|sign| line.starts_with(sign))
}
