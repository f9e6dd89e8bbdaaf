//! Whom an object belongs to, as release tools mark it.

use crate::state::marks::{PART_OF, RELEASE};
use serde_json::Value;
use std::fmt;

/// A release, as its objects are marked with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The id of the release's ApplySet: the value of the label [`PART_OF`].
    pub id: String,
    /// `NAMESPACE/NAME` of the release: the value of the annotation [`RELEASE`].
    pub release: String,
}

/// Who else an object belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForeignOwner {
    /// Another release of Landfall: `NAMESPACE/NAME`.
    Release(String),
    /// A release of Helm: `NAMESPACE/NAME`.
    Helm(String),
    /// An Argo CD Application.
    ArgoCd(String),
    /// A Kustomization or HelmRelease of Flux: `NAMESPACE/NAME`.
    Flux(String),
    /// An app of kapp, by the value of its label.
    Kapp(String),
    /// An inventory of kpt or another tool that uses cli-utils.
    Inventory(String),
    /// Another ApplySet, such as one of kubectl.
    ApplySet(String),
}

impl fmt::Display for ForeignOwner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, name) = match self {
            ForeignOwner::Release(name) => ("release", name),
            ForeignOwner::Helm(name) => ("Helm release", name),
            ForeignOwner::ArgoCd(name) => ("Argo CD Application", name),
            ForeignOwner::Flux(name) => ("Flux object", name),
            ForeignOwner::Kapp(name) => ("kapp app", name),
            ForeignOwner::Inventory(name) => ("inventory", name),
            ForeignOwner::ApplySet(name) => ("ApplySet", name),
        };
        write!(out, "{what} `{name}`")
    }
}

/// Who else an object belongs to; empty if it is ours or nobody's. Such an object is adopted only
/// where the request forces it.
///
/// - Helm's objects have its label and its annotations: a label alone is also in what
///   `helm template` prints.
/// - Argo CD's annotation counts only where it names the object itself, as there: operators copy
///   annotations to what they create. Its label is the same as Helm's, so it counts only where
///   Argo CD also manages fields.
pub fn owners(live: &Value, owner: &Owner) -> Vec<ForeignOwner> {
    let marks = Marks(live);
    [
        marks.landfall(owner),
        marks.helm(),
        marks.argo_cd(owner),
        marks.flux(),
        marks
            .label("kapp.k14s.io/app")
            .map(|app| ForeignOwner::Kapp(app.to_owned())),
        marks
            .annotation("config.k8s.io/owning-inventory")
            .map(|id| ForeignOwner::Inventory(id.to_owned())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A label or an annotation: the list in the metadata, and its name.
pub type Mark = (&'static str, &'static str);

/// The marks by which the other owners of an object know it as theirs, as far as its manifest does
/// not ask for them. They go where it is taken over: left, they would say for ever that it is
/// theirs. Those of another release or ApplySet are replaced by ours. The manifest is read only
/// where the object has such marks.
pub fn marks_of_others(live: &Value, manifest: impl FnOnce() -> Value, owner: &Owner) -> Vec<Mark> {
    let has = |object: &Value, (list, name): Mark| object["metadata"][list].get(name).is_some();
    let marks = owners(live, owner).into_iter().flat_map(|it| marks_of(&it));
    let mut marks = marks.copied().collect::<Vec<_>>();
    marks.retain(|mark| has(live, *mark));
    if !marks.is_empty() {
        let manifest = manifest();
        marks.retain(|mark| !has(&manifest, *mark));
    }
    marks
}

fn marks_of(owner: &ForeignOwner) -> &'static [Mark] {
    match owner {
        ForeignOwner::Release(_) | ForeignOwner::ApplySet(_) => &[],
        ForeignOwner::Helm(_) => &[
            ("labels", "app.kubernetes.io/managed-by"),
            ("annotations", "meta.helm.sh/release-name"),
            ("annotations", "meta.helm.sh/release-namespace"),
        ],
        ForeignOwner::ArgoCd(_) => &[
            ("annotations", "argocd.argoproj.io/tracking-id"),
            ("labels", "argocd.argoproj.io/instance"),
        ],
        ForeignOwner::Flux(_) => &[
            ("labels", "kustomize.toolkit.fluxcd.io/name"),
            ("labels", "kustomize.toolkit.fluxcd.io/namespace"),
            ("labels", "helm.toolkit.fluxcd.io/name"),
            ("labels", "helm.toolkit.fluxcd.io/namespace"),
        ],
        ForeignOwner::Kapp(_) => &[
            ("labels", "kapp.k14s.io/app"),
            ("labels", "kapp.k14s.io/association"),
        ],
        ForeignOwner::Inventory(_) => &[("annotations", "config.k8s.io/owning-inventory")],
    }
}

struct Marks<'a>(&'a Value);

impl<'a> Marks<'a> {
    fn text(&self, list: &str, name: &str) -> Option<&'a str> {
        let list = self.0.get("metadata")?.get(list)?;
        list.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    fn label(&self, name: &str) -> Option<&'a str> {
        self.text("labels", name)
    }

    fn annotation(&self, name: &str) -> Option<&'a str> {
        self.text("annotations", name)
    }

    /// Another release, or another ApplySet. The label decides, because pruning goes by it; the
    /// annotation tells whose it is.
    fn landfall(&self, owner: &Owner) -> Option<ForeignOwner> {
        let set = self.label(PART_OF);
        let release = self
            .annotation(RELEASE)
            .filter(|name| *name != owner.release);
        match (set, release) {
            (Some(set), _) if set == owner.id => None,
            (_, Some(release)) => Some(ForeignOwner::Release(release.to_owned())),
            (Some(set), None) => Some(ForeignOwner::ApplySet(set.to_owned())),
            (None, None) => None,
        }
    }

    fn helm(&self) -> Option<ForeignOwner> {
        if self.label("app.kubernetes.io/managed-by") != Some("Helm") {
            return None;
        }
        let name = self.annotation("meta.helm.sh/release-name")?;
        let namespace = self.annotation("meta.helm.sh/release-namespace");
        Some(ForeignOwner::Helm(self.in_namespace(namespace, name)))
    }

    fn argo_cd(&self, owner: &Owner) -> Option<ForeignOwner> {
        let tracked = self.annotation("argocd.argoproj.io/tracking-id");
        let tracked = tracked.and_then(|id| self.tracked_by(id));
        let is_managed = || {
            let entries = self.0.pointer("/metadata/managedFields");
            let mut entries = entries.and_then(Value::as_array).into_iter().flatten();
            entries.any(|entry| entry["manager"] == "argocd-controller")
        };
        // Selectors use this label, so it stays on what was taken over.
        let is_ours = || self.label(PART_OF) == Some(&owner.id);
        let labelled = || {
            let label = self.label("app.kubernetes.io/instance")?;
            (is_managed() && !is_ours()).then_some(label)
        };
        let app = tracked
            .or_else(|| self.label("argocd.argoproj.io/instance"))
            .or_else(labelled)?;
        Some(ForeignOwner::ArgoCd(app.to_owned()))
    }

    /// The Application of `APP:GROUP/KIND:NAMESPACE/NAME`, if it names this object.
    fn tracked_by(&self, id: &'a str) -> Option<&'a str> {
        let mut parts = id.rsplitn(3, ':');
        let (object, kind, app) = (parts.next()?, parts.next()?, parts.next()?);
        let (_, name) = object.split_once('/')?;
        let (_, kind) = kind.split_once('/')?;
        let is_it = self.0["metadata"]["name"] == name && self.0["kind"] == kind;
        is_it.then_some(app)
    }

    fn flux(&self) -> Option<ForeignOwner> {
        let of = |controller: &str| {
            let name = self.label(&format!("{controller}.toolkit.fluxcd.io/name"))?;
            let namespace = self.label(&format!("{controller}.toolkit.fluxcd.io/namespace"));
            Some(ForeignOwner::Flux(self.in_namespace(namespace, name)))
        };
        of("kustomize").or_else(|| of("helm"))
    }

    fn in_namespace(&self, namespace: Option<&str>, name: &str) -> String {
        let own = self.0["metadata"]["namespace"].as_str();
        match namespace.or(own) {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
