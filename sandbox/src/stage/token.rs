//! A cluster that a token opens.

use crate::stage::cluster::Cluster;
use crate::stage::{Stage, TOKEN_PARAMETER};
use landfall_sandbox::aws::ParameterKind;
use landfall_sandbox::kubernetes::Kubernetes;
use std::io;

impl Stage {
    /// Uses an existing cluster.
    pub(crate) async fn against(cluster: Cluster) -> io::Result<Stage> {
        Stage::by_token(cluster, None).await
    }

    /// Starts everything but the function, which opens the cluster by its token.
    pub(super) async fn by_token(
        cluster: Cluster,
        kubernetes: Option<Kubernetes>,
    ) -> io::Result<Stage> {
        let mut environment = vec![
            ("K8S_CLUSTER".to_owned(), cluster.url),
            ("K8S_TOKEN_PARAMETER".to_owned(), TOKEN_PARAMETER.to_owned()),
        ];
        environment.extend(cluster.ca.map(|ca| ("K8S_CA".to_owned(), ca)));
        let stage = Stage::with(environment, kubernetes).await?;
        stage
            .aws
            .put_parameter(TOKEN_PARAMETER, &cluster.token, ParameterKind::SecureString);
        Ok(stage)
    }
}
