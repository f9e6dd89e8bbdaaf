//! Checks the fields that say where a deploy goes: the namespace and the cluster. Which workload is
//! in `workload.rs`.

use super::Draft;
use super::checks::{name_of, unresolved};
use super::fields::Check;
use crate::environment::ClusterSource;
use crate::problem::Fault;
use crate::text::placeholder;

/// The longest `cluster`. Kubernetes limits the names of contexts nowhere; the longest that a tool
/// writes is the ARN of a cluster of EKS, of about 160 characters.
pub(super) const CONTEXT_LIMIT: usize = 256;

impl Draft {
    /// Checks that a kubeconfig is there where `cluster` names one of its contexts: a function that
    /// serves one cluster must not deploy to it what was meant for another.
    pub fn fits(&self, source: &ClusterSource) -> Result<(), Vec<Fault>> {
        let served = match (&self.cluster, source) {
            (None, _) | (_, ClusterSource::Kubeconfig(_)) => return Ok(()),
            (Some(_), ClusterSource::Token(source)) => format!("{} (K8S_CLUSTER)", source.cluster),
            (Some(_), ClusterSource::Eks(cluster)) => format!("{cluster} (EKS_CLUSTER)"),
        };
        let problem = format!(
            "names a context of a kubeconfig, and this function has none: it serves {served} \
             alone. Leave `cluster` out, or give the function a kubeconfig by KUBECONFIG_PARAMETER"
        );
        Err(vec![Fault::new("cluster", problem)])
    }
}

impl Check<'_> {
    pub(super) fn namespace(&mut self, manifest_namespace: Option<String>) -> String {
        let given = self.text("namespace");
        for (field, namespace) in [
            ("namespace", &given),
            ("manifest.metadata.namespace", &manifest_namespace),
        ] {
            if let Some(namespace) = namespace {
                self.check(field, name_of(namespace, 63, false));
            }
        }
        if let (Some(given), Some(named)) = (&given, &manifest_namespace)
            && given != named
        {
            let problem = format!("is `{named}` and `namespace` is `{given}`; they must agree");
            self.fault("manifest.metadata.namespace", problem);
        }
        given
            .or(manifest_namespace)
            .unwrap_or_else(|| "default".to_owned())
    }

    /// The context of the kubeconfig. Its name may have any characters that can be seen.
    pub(super) fn context(&mut self) -> Option<String> {
        let name = self.text("cluster")?;
        let plain = name.chars().all(|character| !character.is_control());
        let problem = if name.contains(placeholder::PIPELINE) {
            unresolved(&name)
        } else if name.is_empty() || name.chars().count() > CONTEXT_LIMIT || !plain {
            format!(
                "must be the name of a context of the kubeconfig: 1 to {CONTEXT_LIMIT} characters \
                 without line breaks"
            )
        } else {
            return Some(name);
        };
        self.fault("cluster", problem);
        None
    }
}
