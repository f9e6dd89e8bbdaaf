//! Recognizes what a file is that is not a manifest, and says what to do.

mod hint;
mod printed;

use super::image::shown;
use crate::formats::yaml::{self, YamlError, text};
pub(super) use hint::glued;
use printed::{notes, printed};
use serde_json::Value;

/// How much of a template's line a message shows.
const LINE_SHOWN: usize = 80;

/// The longest path that counts as the target of a symbolic link.
const LINK_LIMIT: usize = 300;

/// Files without a `kind` that people name as manifests: the fields that identify them, what they
/// are, and the solution.
const FILES: [(&[&str], &str, &str); 12] = [
    (&["sops"], "a file that sops has encrypted", DECRYPT),
    (
        &["jobs"],
        "a workflow of GitHub Actions or CircleCI",
        "name the manifest of a Deployment",
    ),
    (
        &["hooks"],
        "an AppSpec file of CodeDeploy",
        "name the manifest of a Deployment",
    ),
    (
        &["AWSTemplateFormatVersion"],
        "a template of CloudFormation",
        "name the manifest of a Deployment",
    ),
    (
        &["containerDefinitions"],
        "a task definition of ECS",
        "write a Deployment for Kubernetes and name that",
    ),
    (
        &["LAST DEPLOYED"],
        "the output of `helm install --dry-run`",
        RENDER,
    ),
    (
        &["CreationTimestamp"],
        "the output of `kubectl describe`",
        "write the file with `kubectl get deployment NAME --output yaml`",
    ),
    (
        &["phases"],
        "a build specification of CodeBuild",
        "name the file that the build writes",
    ),
    (
        &["services"],
        "a Compose file",
        "write a Deployment for Kubernetes (`kompose convert` makes a draft) and name that",
    ),
    (
        &[
            "resources",
            "bases",
            "patches",
            "namePrefix",
            "nameSuffix",
            "configMapGenerator",
        ],
        "a Kustomization",
        KUSTOMIZE,
    ),
    (
        &["replicaCount", "nameOverride", "fullnameOverride"],
        "the values of a Helm chart",
        RENDER,
    ),
    (
        &["appVersion", "version"],
        "the Chart.yaml of a Helm chart",
        RENDER,
    ),
];

/// What to do with a file of sops.
const DECRYPT: &str =
    "decrypt it in the build (`sops --decrypt`), and name the file that comes of it";

/// What to do with a Helm chart.
pub(super) const RENDER: &str =
    "run `helm template` in the build, and name the file that it writes";
/// What to do with a Kustomization.
pub(super) const KUSTOMIZE: &str =
    "run `kustomize build` in the build, and name the file that it writes";

/// The problem of a file that has a Kustomization and no Deployment.
pub(super) fn kustomization() -> String {
    format!("is a Kustomization, which has no Deployment in it: {KUSTOMIZE}")
}

/// The group of kustomize's own files.
pub(super) const KUSTOMIZE_GROUP: &str = "kustomize.config.k8s.io";

/// Objects that tools and the programs of a cluster read from their files, and no cluster has: how
/// their group ends, and whose they are.
const CONFIGURATIONS: [(&str, &str); 8] = [
    ("kind.x-k8s.io", "kind"),
    ("k3d.io", "k3d"),
    ("eksctl.io", "eksctl"),
    ("skaffold", "Skaffold"),
    ("kubeadm.k8s.io", "kubeadm"),
    ("audit.k8s.io", "the API server"),
    (".config.k8s.io", "a program of Kubernetes"),
    ("client.authentication.k8s.io", "a plugin of kubectl"),
];

/// Says what an object is that a tool reads from its file.
pub(super) fn configuration(object: &Value) -> Option<String> {
    let version = object["apiVersion"].as_str()?;
    if version == "v1" && object["kind"] == "Config" {
        return Some(KUBECONFIG.to_owned());
    }
    let (group, _) = version
        .split_once('/')
        .filter(|(group, _)| *group != KUSTOMIZE_GROUP)?;
    let mut rows = CONFIGURATIONS.iter();
    let (_, whose) = rows.find(|(end, _)| group.ends_with(end))?;
    Some(format!(
        "is a configuration of {whose}, not an object of a cluster: leave the file out of the \
         manifests"
    ))
}

/// The problem of a kubeconfig among manifests.
pub(super) const KUBECONFIG: &str = "is a kubeconfig and opens a cluster to whoever has it: \
    leave it out of the manifests, and of the artifact";

/// Says what a file is instead of a manifest; `None` if that is unknown.
pub(super) fn known(text: &str) -> Option<String> {
    let fields = fields(text.split("\n---").next().unwrap_or(text));
    let is_known = |keys: &&[&str]| keys.iter().any(|key| fields.contains(key));
    let rows = FILES.iter().filter(|(keys, ..)| is_known(keys));
    let rows = rows.filter(|_| !fields.contains(&"kind"));
    let mut told = rows.map(|(_, what, way)| format!("looks like {what}: {way}"));
    stand_in(text)
        .or_else(|| told.next())
        .or_else(|| printed::other(text))
}

/// Says what was stored in place of the file; `None` if it may be the file.
pub(super) fn stand_in(text: &str) -> Option<String> {
    let begin = text.trim_start();
    let lower = begin.get(..9).unwrap_or(begin).to_ascii_lowercase();
    let conflict = text.lines().position(|line| line.starts_with("<<<<<<< "));
    if let Some(line) = conflict {
        return Some(format!(
            "has the marks of a merge conflict (`<<<<<<<` in line {}): resolve it and commit the \
             file",
            line + 1
        ));
    }
    // https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
    if begin.starts_with("version https://git-lfs.github.com/") {
        let problem = "is a Git LFS pointer and not the file that it stands for: have a build with \
            a full clone run `git lfs pull`, or keep the file out of Git LFS";
        return Some(problem.to_owned());
    }
    if lower.starts_with("<!doctype") || lower.starts_with("<html") {
        let problem = "is an HTML page, as a login or an error is: look at the step that downloads \
            the file";
        return Some(problem.to_owned());
    }
    if let Some(problem) = printed(text) {
        return Some(problem);
    }
    let target = shown(link(text)?);
    Some(format!(
        "has nothing but the path `{target}`, as a symbolic link has that was stored as a text: \
         name the file that it leads to"
    ))
}

/// The outermost fields of a YAML text; of JSON all fields.
fn fields(text: &str) -> Vec<&str> {
    let is_json = text.trim_start().starts_with('{');
    let names = text.lines().filter_map(|line| {
        let (name, _) = line.split_once(':')?;
        let outer = name.trim_start_matches(['{', ' ', '\t', '"']);
        let is_outer = is_json || outer.len() == name.len();
        is_outer.then(|| outer.trim_end_matches('"'))
    });
    names.collect()
}

/// The path, if the file contains nothing else.
fn link(text: &str) -> Option<&str> {
    let path = text.trim();
    let inner = |it: char| it.is_ascii_alphanumeric() || "-_./".contains(it);
    let is_path = path.contains('/') || path.ends_with(".yaml") || path.ends_with(".yml");
    (is_path && path.len() <= LINK_LIMIT && path.chars().all(inner)).then_some(path)
}

/// Why a file cannot be read. A template, another kind of file or an invisible character explains
/// the parser's error better.
pub(super) fn unreadable(text: &str, error: &YamlError) -> String {
    // A parser may stop in the next line.
    if let Some(problem) = template(text, error.line + 1).or_else(|| known(text)) {
        return problem;
    }
    let at = text.lines().nth(error.line.saturating_sub(1));
    if let Some(alias) = at
        .filter(|_| error.problem.contains("unknown anchor"))
        .and_then(alias)
    {
        return format!(
            "has the alias `*{alias}` in line {}, and its document no anchor `&{alias}` before it: \
             an anchor is known in its own document alone, and a text that begins with `*` needs \
             quotes",
            error.line
        );
    }
    // `image: registry/web:`, of which YAML says that a second mapping begins.
    let image = at.and_then(|line| line.trim_start_matches(['-', ' ']).strip_prefix("image: "));
    if image.is_some_and(|image| image.trim_end().ends_with(':')) {
        return format!(
            "has an image whose tag came out empty (line {}): the step that writes the file must \
             fill it in",
            error.line
        );
    }
    let told = format!("{} (line {})", error.problem, error.line);
    let before = error.line.saturating_sub(2);
    for (index, line) in text.lines().enumerate().skip(before).take(3) {
        let unseen = text::first_unseen(line.trim_end_matches('\r'));
        let indents = line.trim_start_matches(' ').starts_with('\t');
        match unseen {
            Some((_, name)) if indents || !name.starts_with("a tab") => {
                let number = index + 1;
                let how = match indents {
                    true => "indent by blanks",
                    false => "write a plain character",
                };
                return format!("{told}. There is {name} in line {number}: {how}");
            }
            _ => {}
        }
    }
    match hint::hint(text, error.line) {
        Some(hint) => format!("{told}: {hint}"),
        None => told,
    }
}

/// The name of the first alias in a line.
fn alias(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once('*')?;
    let end = rest.find(|it: char| it.is_whitespace() || ",]}".contains(it));
    Some(&rest[..end.unwrap_or(rest.len())]).filter(|name| !name.is_empty())
}

/// Says that the text is an unrendered template, if a placeholder comes no later than this line.
pub(super) fn template(text: &str, last: usize) -> Option<String> {
    let (line, place) = yaml::template(text).filter(|(line, _)| *line <= last)?;
    let place = shown(&place.chars().take(LINE_SHOWN).collect::<String>());
    Some(not_rendered(&format!("`{place}` in line {line}")))
}

/// Says what is yet to be done with a file that could be read: a template of ytt, or values that
/// sops has encrypted, with which pods would run as they are.
pub(super) fn unfinished(text: &str) -> Option<String> {
    // What sops has written ends with its own field; what was rendered from it has a container's
    // value. One in a block of text, or in an object whose operator decrypts it, is meant to stay.
    let is_field = |line: &str| {
        let mut starts = ["sops:", "  \"sops\":", "\t\"sops\":"].into_iter();
        starts.any(|start| line.starts_with(start))
    };
    let is_encrypted = || {
        let mut places = text.match_indices("ENC[AES256_GCM,data:").peekable();
        let has_value = places.peek().is_some();
        let mut before = places.map(|(place, _)| text[..place].trim_end_matches([' ', '"', '\'']));
        let of_container = before.any(|it| it.ends_with("value:") || it.ends_with("value\":"));
        // JSON in one line, of which `sops` is a field as well.
        let is_json = text.starts_with('{') && text.contains("\"sops\":");
        let is_file = (is_json || text.lines().any(is_field)) && !text.contains("SopsSecret");
        of_container || has_value && is_file
    };
    let with_notes = notes(text).map(|line| {
        format!(
            "has the notes of a Helm chart in line {line}, as `helm install --dry-run` prints \
             them: {RENDER}"
        )
    });
    ytt(text).or(with_notes).or_else(|| {
        is_encrypted()
            .then(|| format!("has values that sops has encrypted (`ENC[AES256_GCM,…`): {DECRYPT}"))
    })
}

/// Says that the text is a template of ytt. It could be read, but without what ytt would fill in.
fn ytt(text: &str) -> Option<String> {
    let (line, place) = yaml::ytt(text)?;
    let place = shown(&place.chars().take(LINE_SHOWN).collect::<String>());
    Some(format!(
        "looks like a template of ytt that was not rendered (`{place}` in line {line}): have the \
         build run `ytt`, and name the file that comes of it"
    ))
}

/// The problem of an unrendered template with this placeholder.
pub(super) fn not_rendered(place: &str) -> String {
    match place.contains("{%") && !place.contains("{{") {
        true => format!(
            "looks like a Jinja template that was not rendered ({place}): have the build render \
             it, and name the file that comes of it"
        ),
        false => format!("looks like a Helm template that was not rendered ({place}): {RENDER}"),
    }
}

#[cfg(test)]
mod tests;
