//! Checks the fields that say what is deployed: `deployment`, or `workload` for any kind.

use super::checks::{name_of, unresolved};
use super::fields::Check;
use super::shown::excerpt;
use crate::text::one_of;
use crate::text::placeholder;
use crate::workload::Kind;

impl Check<'_> {
    /// Finds out which workload is meant, as far as that is said; [`Check::name`] tells the faults.
    pub(super) fn workload(&mut self) {
        let text = |field: &str| self.fields.get(field)?.as_str().map(str::to_owned);
        let deployment = text("deployment").map(|name| ("deployment", name));
        let workload = text("workload").and_then(|text| kind_and_name(&text).ok());
        self.named = match workload {
            Some((kind, name)) => {
                self.kind = kind;
                Some(("workload", name))
            }
            None => deployment,
        };
    }

    fn check_names(&mut self) {
        let deployment = self.text("deployment");
        if let Some(name) = &deployment {
            self.check("deployment", name_of(name, 253, true));
        }
        let Some(workload) = self.text("workload") else {
            return;
        };
        let checked = kind_and_name(&workload).and_then(|(kind, name)| {
            name_of(&name, 253, true)?;
            match deployment {
                Some(deployment) if (kind, &name) != (Kind::Deployment, &deployment) => {
                    Err(format!(
                        "is `{}/{name}` and `deployment` is `{deployment}`; they must agree",
                        kind.row().names[0]
                    ))
                }
                Some(_) | None => Ok(()),
            }
        });
        self.check("workload", checked);
    }

    /// The field that names the workload.
    pub(super) fn naming_field(&self) -> &'static str {
        self.named.as_ref().map_or("deployment", |(field, _)| field)
    }

    /// The workload's name, from the parameters or from the manifest.
    pub(super) fn name(&mut self, manifest_name: Option<String>, manifest: bool) -> Option<String> {
        self.check_names();
        match (self.named.clone(), manifest_name) {
            (Some((field, given)), Some(named)) if given != named => {
                let problem = format!("is `{named}` and `{field}` is `{given}`; they must agree");
                self.fault("manifest.metadata.name", problem);
                None
            }
            (Some((_, name)), _) => Some(name),
            (None, Some(named)) => {
                self.check("manifest.metadata.name", name_of(&named, 253, true));
                Some(named)
            }
            (None, None) => {
                // A manifest that could not be read may contain the name.
                let unread = self.fields.contains_key("manifest") && !manifest;
                // A name of another type is a fault of its own.
                let is_name =
                    |field: &str| ["manifest.metadata", "manifest.metadata.name"].contains(&field);
                let unread = unread || self.faults.iter().any(|it| is_name(&it.field));
                if !unread && !self.is_there("deployment") && !self.is_there("workload") {
                    let problem = if manifest {
                        "is missing, and the manifest has no metadata.name either"
                    } else {
                        "is missing: the name of the Deployment to change"
                    };
                    self.fault("deployment", problem);
                }
                None
            }
        }
    }
}

/// Reads a kind and a name as `kubectl` takes them.
fn kind_and_name(text: &str) -> Result<(Kind, String), String> {
    const SHAPE: &str = "a kind and a name such as `statefulset/db`";
    if text.contains(placeholder::PIPELINE) {
        return Err(unresolved(text));
    }
    let Some((kind, name)) = text.split_once('/') else {
        return Err(format!("must be {SHAPE}, and is `{}`", excerpt(text, 0)));
    };
    let Some(kind) = Kind::named(kind) else {
        let deployed = Kind::ALL.into_iter();
        let deployed = deployed.filter(|kind| !kind.row().strategies.is_empty());
        let names = deployed.map(|kind| kind.row().names[0]).collect::<Vec<_>>();
        return Err(format!(
            "must be {SHAPE}, of a kind that is {}, and is `{}`",
            one_of(&names),
            excerpt(text, 0)
        ));
    };
    if kind.ends() {
        return Err(
            "is a Job, which cannot get a new version: Kubernetes never lets its pod template \
             change. Run Jobs as part of a release, by `manifests`"
                .to_owned(),
        );
    }
    Ok((kind, name.to_owned()))
}

#[cfg(test)]
mod tests;
