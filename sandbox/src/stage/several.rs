//! A function that serves several clusters, by a kubeconfig.

use crate::stage::{Stage, TOKEN_PARAMETER};
use landfall_sandbox::aws::ParameterKind;
use landfall_sandbox::kubeconfig::{self, Context, User};
use std::collections::BTreeSet;

/// The parameter with the kubeconfig.
pub(super) const PARAMETER: &str = "k8s-kubeconfig";

impl Stage {
    /// Where events name clusters, the function gets a kubeconfig in the place of one cluster. Each
    /// of the names is a context in it, and all lead to the stage's one cluster.
    pub(crate) fn serve_clusters(&mut self, names: &BTreeSet<String>) {
        if names.is_empty() {
            return;
        }
        let variable = |name: &str| {
            let mut variables = self.environment.iter();
            let found = variables.find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        let (server, ca) = (variable("K8S_CLUSTER"), variable("K8S_CA"));
        let token = self.aws.parameter(TOKEN_PARAMETER);
        let token = token.map(|token| token.value).unwrap_or_default();
        let contexts = names.iter().map(|name| Context {
            name: name.clone(),
            server: server.clone().unwrap_or_default(),
            ca: ca.clone(),
            user: User::Token(token.clone()),
        });
        let text = kubeconfig::write(&contexts.collect::<Vec<_>>());
        self.aws
            .put_parameter(PARAMETER, &text, ParameterKind::SecureString);
        let kubeconfig = ("KUBECONFIG_PARAMETER".to_owned(), PARAMETER.to_owned());
        self.environment = vec![kubeconfig, Stage::called_variable()];
    }
}
