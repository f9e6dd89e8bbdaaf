//! The cluster as `aws eks describe-cluster` shows it: who may have entries, where it is, and who
//! reaches it.

use crate::arn::{ClusterName, RoleArn};
use crate::command::Tools;
use crate::failure::Refusal;
use crate::target::pem;
use serde_json::Value;

/// How the cluster knows IAM roles.
/// <https://docs.aws.amazon.com/eks/latest/userguide/grant-k8s-access.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// By the ConfigMap aws-auth alone.
    ConfigMap,
    /// By access entries; with `API_AND_CONFIG_MAP` an entry comes first.
    Entries,
}

/// An EKS cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) partition: String,
    pub(crate) region: String,
    pub(crate) account: String,
    /// `https://host`.
    pub(crate) endpoint: String,
    /// In PEM.
    pub(crate) ca: String,
    pub(crate) mode: Mode,
    pub(crate) reach: Reach,
}

/// Who reaches the API server.
/// <https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    public: bool,
    private: bool,
    /// The addresses that reach the public endpoint; empty for all.
    sources: Vec<String>,
    vpc: String,
    security_group: String,
}

impl Cluster {
    /// Reads the cluster.
    pub(crate) async fn read(tools: &Tools, name: &ClusterName) -> Result<Cluster, Refusal> {
        let command = tools.aws(&["eks", "describe-cluster", "--name", &name.name]);
        Cluster::parse(&command.ask(None).await?, name, tools)
    }

    fn parse(printed: &str, asked: &ClusterName, tools: &Tools) -> Result<Cluster, Refusal> {
        let answer: Value = serde_json::from_str(printed).unwrap_or_default();
        let cluster = &answer["cluster"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        check_status(&text(&cluster["status"]), &asked.name, tools)?;
        if cluster["connectorConfig"].is_object() {
            return Err(Refusal::own(
                "it is a cluster of another place that EKS only shows (EKS Connector), so it has \
                 no endpoint in AWS",
                "Use a token instead: run this without --eks-cluster.",
            ));
        }
        let arn = text(&cluster["arn"]);
        let mut parts = arn.split(':').skip(1).map(str::to_owned);
        let mut part = || parts.next().unwrap_or_default();
        let (partition, _, region, account) = (part(), part(), part(), part());
        let endpoint = text(&cluster["endpoint"]);
        let ca = pem(&cluster["certificateAuthority"]["data"]);
        let (Some(ca), true, false) = (ca, endpoint.starts_with("https://"), account.is_empty())
        else {
            return Err(Refusal::own(
                "EKS's answer lacks the cluster's ARN, its endpoint, or a CA in PEM",
                "Does AWS_ENDPOINT_URL name something else than AWS? Else look at it with `aws \
                 eks describe-cluster`.",
            ));
        };
        Ok(Cluster {
            name: asked.name.clone(),
            mode: mode(&cluster["accessConfig"]["authenticationMode"])?,
            reach: Reach::parse(&cluster["resourcesVpcConfig"]),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            arn,
            partition,
            region,
            account,
            ca,
        })
    }

    /// Refuses a role that could never serve: `eks:DescribeCluster` does not reach into another
    /// account.
    pub(crate) fn check_role(&self, role: &RoleArn, assumed: bool) -> Result<(), Refusal> {
        if role.partition != self.partition {
            return Err(Refusal::own(
                format!("{} is of another partition than {}", role.whole, self.arn),
                "No role serves across partitions: name one of the cluster's.",
            ));
        }
        if !assumed || !self.is_foreign(role) {
            return Ok(());
        }
        Err(Refusal::own(
            format!(
                "the cluster is in account {}, and the role in {}: it may not read a cluster of \
                 another account (eks:DescribeCluster), whatever entry it has",
                self.account, role.account
            ),
            format!(
                "Name a role of account {} that may eks:DescribeCluster on {} and that trusts the \
                 function's role.",
                self.account, self.arn
            ),
        ))
    }

    /// Whether the role is of another account. Its entry serves, but it may not ask EKS where the
    /// cluster is.
    pub(crate) fn is_foreign(&self, role: &RoleArn) -> bool {
        role.account != self.account
    }
}

/// Only a cluster with an endpoint and a CA can be set up.
fn check_status(status: &str, name: &str, tools: &Tools) -> Result<(), Refusal> {
    let advice = match status {
        "ACTIVE" | "UPDATING" => return Ok(()),
        "CREATING" | "PENDING" => {
            let wait = tools.aws(&["eks", "wait", "cluster-active", "--name", name]);
            format!("Wait until it is made (`{wait}`), then run this again.")
        }
        _ => "Name a cluster that is ACTIVE with --eks-cluster.".to_owned(),
    };
    Err(Refusal::own(
        format!("cluster {name} is {status}, not ACTIVE"),
        advice,
    ))
}

fn mode(value: &Value) -> Result<Mode, Refusal> {
    match value.as_str() {
        Some("CONFIG_MAP") => Ok(Mode::ConfigMap),
        Some(_) => Ok(Mode::Entries),
        None => Err(Refusal::own(
            "your AWS CLI does not tell how the cluster knows IAM roles \
             (accessConfig.authenticationMode)",
            "It knows no access entries: install AWS CLI 2.15.5 or newer.",
        )),
    }
}

impl Reach {
    fn parse(config: &Value) -> Reach {
        let text = |field: &str| config[field].as_str().unwrap_or("unknown").to_owned();
        let sources = config["publicAccessCidrs"].as_array();
        let sources = sources.into_iter().flatten().filter_map(Value::as_str);
        let mut sources: Vec<_> = sources.map(str::to_owned).collect();
        if sources.iter().any(|it| it == "0.0.0.0/0") {
            sources.clear();
        }
        Reach {
            public: config["endpointPublicAccess"] != false,
            private: config["endpointPrivateAccess"] == true,
            sources,
            vpc: text("vpcId"),
            security_group: text("clusterSecurityGroupId"),
        }
    }

    /// In few words, for the head.
    pub(crate) fn words(&self) -> String {
        let public = match &self.sources[..] {
            [] => "public".to_owned(),
            some => format!("public for {}", some.join(", ")),
        };
        match (self.public, self.private) {
            (true, true) => format!("{public}; private in {}", self.vpc),
            (true, false) => public,
            (false, _) => format!("private in {}", self.vpc),
        }
    }

    /// What the function needs to get there; `None` if nothing.
    pub(crate) fn warning(&self) -> Option<String> {
        let Reach {
            vpc,
            security_group,
            ..
        } = self;
        let inside = format!(
            "SubnetIds and SecurityGroupIds in {vpc}, and {security_group} must let that group in \
             at port 443"
        );
        match (self.public, self.private, &self.sources[..]) {
            (false, ..) => Some(format!(
                "the API server is reached only from {vpc} and what is joined to it: the function \
                 needs {inside}"
            )),
            (true, _, []) => None,
            (true, true, some) => Some(format!(
                "the public endpoint lets in only {}, and a function outside a VPC has no address \
                 of its own: it needs {inside}",
                some.join(", ")
            )),
            (true, false, some) => Some(format!(
                "the public endpoint lets in only {}, and a function outside a VPC has no address \
                 of its own: it needs subnets behind a NAT gateway whose address is among these, \
                 or the private endpoint switched on",
                some.join(", ")
            )),
        }
    }
}
