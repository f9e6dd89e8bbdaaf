//! The Roles as YAML that `kubectl apply -f -` takes, with comments for whoever reads them.

use super::needs::{Needs, Plan};
use super::rights::{Matter, Reason, Rights, Rule};
use crate::account::{ACCOUNT, GROUP};
use std::collections::BTreeSet;

/// The longest line of a comment.
const WIDTH: usize = 100;

/// Writes all of it. `home` is the namespace of the ServiceAccount that gets the rights.
pub(crate) fn text(plan: &Plan<'_>, needs: &Needs, home: &str, command: &str) -> String {
    let mut out = Output::default();
    out.comment(&format!(
        "What Landfall needs for the release `{}` in namespace `{}`, and no more. Made by:",
        plan.release, plan.namespace
    ));
    out.line(&format!("#   {command}"));
    out.comment(
        "Apply it with `kubectl apply -f -`. It is bound to the group and to the ServiceAccount \
         of deploy/rbac.yaml. When the manifests get other kinds, objects of the whole cluster or \
         roles, make it anew.",
    );
    if !plan.prune {
        out.comment("For releases with `prune`, add --prune.");
    }
    for namespace in brought(needs) {
        out.comment(&format!(
            "The release itself makes namespace `{namespace}`. A Role can only be in a namespace \
             that exists, so make it first: kubectl create namespace {namespace}"
        ));
    }
    for note in &needs.notes {
        out.comment(note);
    }
    for (namespace, rights) in &needs.rights {
        if !rights.is_empty() {
            out.role(plan, namespace.as_deref(), rights, home);
        }
    }
    out.text
}

/// The namespaces that the release makes and that a Role is for.
fn brought(needs: &Needs) -> impl Iterator<Item = &String> {
    let has_role = |name: &&String| needs.rights.contains_key(&Some((*name).clone()));
    needs.brought.iter().filter(has_role)
}

#[derive(Default)]
struct Output {
    text: String,
}

impl Output {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Writes a comment, broken into lines.
    fn comment(&mut self, text: &str) {
        let mut line = "#".to_owned();
        for word in text.split_whitespace() {
            if line.chars().count() + word.chars().count() + 1 > WIDTH && line != "#" {
                self.line(&line);
                "#".clone_into(&mut line);
            }
            line.push(' ');
            line.push_str(word);
        }
        self.line(&line);
    }

    fn role(&mut self, plan: &Plan<'_>, namespace: Option<&str>, rights: &Rights, home: &str) {
        let (kind, name) = match namespace {
            Some(_) => ("Role", format!("landfall-release-{}", plan.release)),
            // Neither part can have a dot, so no other release has this name.
            None => (
                "ClusterRole",
                format!("landfall-release-{}.{}", plan.namespace, plan.release),
            ),
        };
        self.head(kind, &name, namespace);
        self.line("rules:");
        for rule in rights.rules() {
            self.rule(&rule);
        }
        self.head(&format!("{kind}Binding"), &name, namespace);
        let (name, home) = (scalar(&name), scalar(home));
        self.line(&format!(
            "\
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {kind}
  name: {name}
subjects:
- kind: ServiceAccount
  name: {ACCOUNT}
  namespace: {home}
- apiGroup: rbac.authorization.k8s.io
  kind: Group
  name: {GROUP}"
        ));
    }

    fn head(&mut self, kind: &str, name: &str, namespace: Option<&str>) {
        let name = scalar(name);
        self.line(&format!(
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {name}"
        ));
        if let Some(namespace) = namespace {
            self.line(&format!("  namespace: {}", scalar(namespace)));
        }
    }

    fn rule(&mut self, rule: &Rule) {
        for reason in &rule.reasons {
            self.comment(&words(reason));
        }
        let mut groups = BTreeSet::new();
        let (mut resources, mut named, mut urls) = (Vec::new(), BTreeSet::new(), Vec::new());
        for matter in &rule.matters {
            match matter {
                Matter::Resource {
                    group,
                    resource,
                    names,
                } => {
                    groups.insert(group.as_str());
                    resources.push(resource.as_str());
                    named.extend(names.iter().map(String::as_str));
                }
                Matter::Url(path) => urls.push(path.as_str()),
            }
        }
        let verbs = rule.verbs.iter().map(String::as_str);
        let mut first = "- ";
        for (field, values) in [
            ("apiGroups", groups.into_iter().collect::<Vec<_>>()),
            ("resources", resources),
            ("resourceNames", named.into_iter().collect()),
            ("nonResourceURLs", urls),
            ("verbs", verbs.collect()),
        ] {
            if !values.is_empty() {
                self.line(&format!("{first}{field}: {}", list(&values)));
                first = "  ";
            }
        }
    }
}

/// Why a rule is there.
fn words(reason: &Reason) -> String {
    match reason {
        Reason::Records(release) => format!(
            "The Secrets in which Landfall keeps the release: its parent `landfall.{release}` and \
             a record of each revision, `landfall.{release}.v1` and so on. They cannot be named \
             here: the name of an object to create or to list is not known to a Role, and the \
             numbers of the revisions are not known beforehand. So these verbs are for all Secrets \
             of the namespace."
        ),
        Reason::Objects => "Objects of the manifests: read, applied and taken back.".to_owned(),
        Reason::Named => "Objects of the whole cluster, by their names.".to_owned(),
        Reason::Versions => "Which pods are of the new version.".to_owned(),
        Reason::Autoscalers => "Whether an autoscaler owns the replicas.".to_owned(),
        Reason::Pods => "Why pods do not get ready.".to_owned(),
        Reason::Stuck => {
            "On the way back: a pod that was never ready blocks the StatefulSet until \
             it is deleted."
                .to_owned()
        }
        Reason::Held(role) => format!(
            "{role} of the manifests has these rights: Kubernetes lets nobody grant what they do \
             not have. They are granted here instead of `escalate`, which would allow any role."
        ),
        Reason::Bound(role) => format!(
            "A binding of the manifests refers to {role}, which is not among them: the right to \
             bind it, without its own rights."
        ),
    }
}

fn list(values: &[&str]) -> String {
    let values = values.iter().map(|value| scalar(value));
    format!("[{}]", values.collect::<Vec<_>>().join(", "))
}

/// Writes a text as YAML: as it is where every reader of YAML takes it for that text.
fn scalar(text: &str) -> String {
    let plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || "-./".contains(it);
    let is_word = text.starts_with(|it: char| it.is_ascii_lowercase())
        && text.chars().all(plain)
        && !["on", "off", "yes", "no", "y", "n", "true", "false", "null"].contains(&text);
    match is_word {
        true => text.to_owned(),
        false => serde_json::Value::from(text).to_string(),
    }
}

#[cfg(test)]
mod tests;
