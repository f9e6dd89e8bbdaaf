//! EKS: DescribeCluster, for the clusters of an account and a region.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeCluster.html>

use crate::aws::account::{ACCOUNT, REGION};
use crate::aws::answer::Refusal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// A cluster of EKS.
#[derive(Clone, Debug)]
pub struct EksCluster {
    /// The name.
    pub name: String,
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// `ACTIVE`, `CREATING`, `DELETING`, `FAILED`, `UPDATING` or `PENDING`.
    pub status: String,
    /// The API server.
    pub endpoint: String,
    /// Its CA, PEM.
    pub ca: String,
    /// Whether it can be reached from the internet.
    pub public: bool,
    /// Whether it can be reached from its VPC.
    pub private: bool,
    /// The addresses that may reach it from the internet.
    pub public_blocks: Vec<String>,
}

impl EksCluster {
    /// An active cluster in the function's account and region.
    pub fn active(name: &str, endpoint: &str, ca: &str) -> EksCluster {
        EksCluster {
            name: name.to_owned(),
            account: ACCOUNT.to_owned(),
            region: REGION.to_owned(),
            status: "ACTIVE".to_owned(),
            endpoint: endpoint.to_owned(),
            ca: ca.to_owned(),
            public: true,
            private: false,
            public_blocks: vec!["0.0.0.0/0".to_owned()],
        }
    }

    /// The ARN.
    pub fn arn(&self) -> String {
        let (region, account, name) = (&self.region, &self.account, &self.name);
        format!("arn:aws:eks:{region}:{account}:cluster/{name}")
    }

    fn described(&self) -> Value {
        let mut cluster = json!({
            "name": self.name,
            "arn": self.arn(),
            "createdAt": 1_700_000_000.0,
            "version": "1.35",
            "status": self.status,
            "accessConfig": {"authenticationMode": "API"},
            "platformVersion": "eks.1",
            "resourcesVpcConfig": {
                "subnetIds": ["subnet-1", "subnet-2"],
                "securityGroupIds": [],
                "vpcId": "vpc-0a1b2c3d",
                "endpointPublicAccess": self.public,
                "endpointPrivateAccess": self.private,
                "publicAccessCidrs": self.public_blocks,
            },
            "tags": {},
        });
        // A cluster that is still being made has neither.
        if !["CREATING", "PENDING"].contains(&&*self.status) {
            cluster["endpoint"] = self.endpoint.clone().into();
            cluster["certificateAuthority"] = json!({"data": STANDARD.encode(&self.ca)});
        }
        json!({"cluster": cluster})
    }
}

/// All clusters.
#[derive(Default)]
pub(super) struct Clusters(Vec<EksCluster>);

impl Clusters {
    /// Adds a cluster in the place of the one with its ARN.
    pub(super) fn put(&mut self, cluster: EksCluster) {
        let arn = cluster.arn();
        self.0.retain(|one| one.arn() != arn);
        self.0.push(cluster);
    }

    pub(super) fn remove(&mut self, arn: &str) {
        self.0.retain(|one| one.arn() != arn);
    }

    pub(super) fn answer(
        &self,
        operation: &str,
        body: &Value,
        account: &str,
    ) -> Result<Value, Refusal> {
        if operation != "DescribeCluster" {
            return Err(Refusal::unknown_operation(operation));
        }
        let name = body["name"].as_str().unwrap_or_default();
        let fits = |one: &&EksCluster| {
            one.name == name
                && one.account == account
                && Some(&*one.region) == body["region"].as_str()
        };
        let cluster = self.0.iter().find(fits);
        let described = cluster.map(EksCluster::described);
        described.ok_or_else(|| Refusal {
            status: 404,
            ..Refusal::new(
                "ResourceNotFoundException",
                format!("No cluster found for name: {name}."),
            )
        })
    }
}
