//! The control plane that `landfall-control-plane` started around the benchmark.

use crate::audit::Audit;
use crate::kubectl::{Kubectl, variable};
use crate::process::Cluster;
use serde_json::json;

/// The API server's own count of its processor time.
const CPU: &str = "process_cpu_seconds_total ";

/// A real Kubernetes, from the variables that are set for the benchmark.
pub(crate) struct Plane {
    pub(crate) kubectl: Kubectl,
    pub(crate) audit: Audit,
    pub(crate) url: String,
    pub(crate) ca: String,
    pub(crate) version: String,
    authority: String,
}

impl Plane {
    pub(crate) fn find() -> Result<Plane, String> {
        let authority = variable("LANDFALL_CLUSTER_CA")?;
        let ca = std::fs::read_to_string(&authority);
        Ok(Plane {
            kubectl: Kubectl::find()?,
            audit: Audit::open(variable("LANDFALL_CLUSTER_AUDIT")?),
            url: variable("LANDFALL_CLUSTER")?,
            ca: ca.map_err(|error| format!("{authority}: {error}"))?,
            version: variable("LANDFALL_CLUSTER_VERSION")?,
            authority,
        })
    }

    /// Creates a ServiceAccount that may do everything, and returns its token. The audit log tells
    /// the calls of one from those of another.
    pub(crate) fn account(&self, name: &str) -> Result<String, String> {
        let access = json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "ServiceAccount",
             "metadata": {"name": name, "namespace": "default"}},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
             "metadata": {"name": name},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                         "name": "cluster-admin"},
             "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "default"}]}]});
        self.apply(&access)?;
        let token = [
            "create",
            "token",
            name,
            "--namespace=default",
            "--duration=6h",
        ];
        Ok(self.kubectl.ask(&token, "")?.trim().to_owned())
    }

    pub(crate) fn apply(&self, object: &serde_json::Value) -> Result<(), String> {
        let applied = self
            .kubectl
            .ask(&["apply", "--filename=-"], &object.to_string());
        applied.map(|_| ())
    }

    /// How a function reaches the cluster with this token, perhaps by way of another address.
    pub(crate) fn access<'a>(&'a self, url: &'a str, token: &'a str) -> Cluster<'a> {
        Cluster {
            url,
            ca: &self.ca,
            token: Some(token),
        }
    }

    /// The same for `kubectl`.
    pub(crate) fn flags(&self, url: &str, token: &str) -> [String; 4] {
        [
            "--kubeconfig=/dev/null".to_owned(),
            format!("--server={url}"),
            format!("--certificate-authority={}", self.authority),
            format!("--token={token}"),
        ]
    }

    /// The processor time that the API server has used so far, in seconds.
    pub(crate) fn cpu(&self) -> Result<f64, String> {
        let metrics = self.kubectl.ask(&["get", "--raw", "/metrics"], "")?;
        let line = metrics.lines().find_map(|line| line.strip_prefix(CPU));
        let seconds = line.and_then(|seconds| seconds.parse().ok());
        seconds.ok_or_else(|| format!("the API server's metrics have no {CPU}"))
    }
}
