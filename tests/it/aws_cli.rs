//! The AWS CLI's own code, run without a network: its `eks get-token` makes the tokens that ours
//! are compared with, its `eks update-kubeconfig` the kubeconfigs that ours must understand.
//! <https://docs.aws.amazon.com/cli/latest/reference/eks/get-token.html>

use crate::peer::run_python;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use landfall::access::eks;
use landfall::aws::clients::Aws;
use landfall_core::formats::certificate;
use landfall_core::kubeconfig::{Kubeconfig, KubeconfigUser};
use landfall_sandbox::kubernetes::Authority;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PREFIX: &str = "k8s-aws-v1.";
/// Regions of every partition that both SDKs know.
const REGIONS: [&str; 13] = [
    "eu-central-1",
    "us-east-1",
    "us-west-2",
    "ap-southeast-2",
    "us-gov-west-1",
    "us-gov-east-1",
    "cn-north-1",
    "cn-northwest-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "eu-isoe-west-1",
    "us-isof-south-1",
    "eusc-de-east-1",
];

/// Who signs, for which cluster, where and when.
#[derive(Clone)]
pub struct Signing {
    pub region: String,
    pub key: String,
    pub secret: String,
    pub session: Option<String>,
    pub cluster: String,
    pub time: Timestamp,
    pub fips: bool,
    pub dual_stack: bool,
}

impl Signing {
    /// By the keys of AWS's examples, at a fixed time.
    pub fn example(region: &str, session: Option<&str>) -> Signing {
        Signing {
            region: region.to_owned(),
            key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            session: session.map(str::to_owned),
            cluster: "prod".to_owned(),
            time: "2026-11-28T23:59:59Z".parse().unwrap(),
            fips: false,
            dual_stack: false,
        }
    }

    /// The token that the function makes.
    pub async fn ours(&self) -> String {
        let aws = Aws::read(|name| match name {
            "AWS_REGION" => Some("eu-west-1".to_owned()),
            "AWS_ACCESS_KEY_ID" => Some(self.key.clone()),
            "AWS_SECRET_ACCESS_KEY" => Some(self.secret.clone()),
            "AWS_SESSION_TOKEN" => self.session.clone(),
            "AWS_USE_FIPS_ENDPOINT" => Some(self.fips.to_string()),
            "AWS_USE_DUALSTACK_ENDPOINT" => Some(self.dual_stack.to_string()),
            _ => None,
        });
        let keys = aws.own_keys().unwrap();
        let signed = eks::sign(&aws, &self.cluster, &self.region, keys, self.time).await;
        signed.unwrap().token.reveal().to_owned()
    }

    fn json(&self) -> Value {
        json!({"region": self.region, "key": self.key, "secret": self.secret,
            "session": self.session, "cluster": self.cluster, "fips": self.fips,
            "dualStack": self.dual_stack,
            "time": self.time.strftime("%Y-%m-%dT%H:%M:%S").to_string()})
    }
}

/// The tokens that the AWS CLI makes.
pub fn theirs(signings: &[Signing]) -> Vec<String> {
    let input = signings.iter().map(Signing::json).collect::<Vec<_>>();
    let output = run_python("get_token.py", &[], &json!(input).to_string());
    serde_json::from_str(&output).unwrap()
}

/// Everything before the query of the signed URL, and the query.
fn parts(token: &str) -> (String, BTreeMap<String, String>) {
    let coded = token.strip_prefix(PREFIX).unwrap();
    let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(coded).unwrap()).unwrap();
    let url = reqwest::Url::parse(&decoded).unwrap();
    let (address, _) = decoded.split_once('?').unwrap();
    let query = url.query_pairs().into_owned().collect::<BTreeMap<_, _>>();
    assert_eq!(query.len(), url.query_pairs().count(), "{decoded}");
    (address.to_owned(), query)
}

#[tokio::test]
#[ignore = "needs the AWS CLI: make conformance"]
async fn tokens_equal_those_of_aws_eks_get_token() {
    let session = "IQoJb3JpZ2luX2VjEOz//////////wEaDGV1LWNlbnRyYWwtMSJI+a/b=c==";
    let mut signings = Vec::new();
    for region in REGIONS {
        signings.push(Signing::example(region, None));
        signings.push(Signing::example(region, Some(session)));
    }
    for (fips, dual_stack) in [(true, false), (false, true), (true, true)] {
        for region in ["us-east-1", "us-gov-west-1"] {
            let plain = Signing::example(region, Some(session));
            signings.push(Signing {
                fips,
                dual_stack,
                ..plain
            });
        }
    }
    for cluster in ["My_cluster-1", "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"] {
        let plain = Signing::example("eu-central-1", None);
        signings.push(Signing {
            cluster: cluster.to_owned(),
            ..plain
        });
    }
    for time in ["2027-01-01T00:00:00Z", "2028-02-29T12:34:56.789Z"] {
        let plain = Signing::example("eu-central-1", None);
        signings.push(Signing {
            time: time.parse().unwrap(),
            ..plain
        });
    }
    let theirs = theirs(&signings);
    assert_eq!(theirs.len(), signings.len());
    for (signing, theirs) in signings.iter().zip(theirs) {
        let (ours, theirs) = (parts(&signing.ours().await), parts(&theirs));
        assert_eq!(ours, theirs, "ours, the AWS CLI's: {}", signing.json());
        assert_eq!(ours.1["X-Amz-Signature"].len(), 64);
    }
}

/// What DescribeCluster answers.
fn described(arn: &str, endpoint: &str, more: &Value) -> Value {
    use base64::engine::general_purpose::STANDARD;
    let mut cluster = json!({"arn": arn, "endpoint": endpoint, "status": "ACTIVE",
        "certificateAuthority": {"data": STANDARD.encode(Authority::generate().pem())}});
    let more = more.as_object().unwrap().clone();
    cluster.as_object_mut().unwrap().extend(more);
    cluster
}

#[test]
#[ignore = "needs the AWS CLI: make conformance"]
fn kubeconfigs_of_aws_eks_update_kubeconfig_are_understood() {
    let uuid = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
    let role = "arn:aws:iam::444455556666:role/ci/deployer";
    let none = json!({});
    let outpost = json!({"id": uuid, "outpostConfig": {"outpostArns": []}});
    let extended = json!({"id": uuid, "outpostConfig": {"etcdInstanceType": "m5.large"}});
    let arn = |partition: &str, region: &str, name: &str| {
        format!("arn:{partition}:eks:{region}:111122223333:cluster/{name}")
    };
    let prod = arn("aws", "eu-central-1", "prod");
    // Options, ARN, endpoint, more of the answer; the context, and the cluster, region and role.
    let frankfurt = "https://A0.gr7.eu-central-1.eks.amazonaws.com";
    let beijing = "https://A1.yl4.cn-north-1.eks.amazonaws.com.cn";
    let ipv6 = "https://A2.gr7.eks-cluster.us-west-2.api.aws";
    let government = "https://A3.gr7.us-gov-west-1.eks.amazonaws.com";
    let china = arn("aws-cn", "cn-north-1", "web");
    let gov = arn("aws-us-gov", "us-gov-west-1", "gov");
    let rows = [
        (
            vec!["--name", "prod"],
            &prod,
            frankfurt,
            &none,
            &*prod,
            ("prod", "eu-central-1", None),
        ),
        (
            vec!["--name", "web"],
            &china,
            beijing,
            &none,
            &*china,
            ("web", "cn-north-1", None),
        ),
        (
            vec!["--name", "gov", "--alias", "gov", "--user-alias", "us"],
            &gov,
            government,
            &none,
            "gov",
            ("gov", "us-gov-west-1", None),
        ),
        (
            vec!["--name", "six", "--alias", "six", "--role-arn", role],
            &arn("aws", "us-west-2", "six"),
            ipv6,
            &none,
            "six",
            ("six", "us-west-2", Some(role)),
        ),
        (
            vec!["--name", "local", "--alias", "local"],
            &arn("aws", "eu-central-1", "local"),
            frankfurt,
            &outpost,
            "local",
            (uuid, "eu-central-1", None),
        ),
        (
            vec!["--name", "extended", "--alias", "extended"],
            &arn("aws", "eu-central-1", "extended"),
            frankfurt,
            &extended,
            "extended",
            ("extended", "eu-central-1", None),
        ),
        (
            vec![
                "--name",
                "proxied",
                "--alias",
                "proxied",
                "--proxy-url",
                "http://10.0.0.1:3128",
            ],
            &arn("aws", "eu-central-1", "proxied"),
            frankfurt,
            &none,
            "proxied",
            ("proxied", "eu-central-1", None),
        ),
    ];
    let mut calls = rows.clone().map(|(arguments, arn, endpoint, more, ..)| {
        json!({"arguments": arguments, "cluster": described(arn, endpoint, more)})
    }).to_vec();
    let profiled = ["--name", "ops", "--alias", "ops", "--profile", "ops"];
    let cluster = described(&arn("aws", "eu-west-1", "ops"), frankfurt, &none);
    calls.push(json!({"arguments": profiled, "cluster": cluster}));
    let text = run_python("update_kubeconfig.py", &[], &json!(calls).to_string());
    let kubeconfig = Kubeconfig::read(&text).unwrap();
    for (index, (_, _, endpoint, _, context, expected)) in rows.iter().enumerate() {
        let selected = kubeconfig.select(Some(context));
        let selected = selected.unwrap_or_else(|error| panic!("{context}: {error:?}\n{text}"));
        let (server, KubeconfigUser::Eks(cluster)) = (selected.server, selected.user) else {
            panic!("{context}: not EKS\n{text}");
        };
        assert_eq!(server.address, endpoint.to_lowercase());
        let data = calls[index]["cluster"]["certificateAuthority"]["data"].as_str();
        let ca = certificate::normalized(data.unwrap()).unwrap();
        assert_eq!(
            server.ca.as_deref().map(str::trim),
            Some(ca.trim()),
            "{context}"
        );
        let proxy = (*context == "proxied").then_some("http://10.0.0.1:3128");
        let found = server
            .proxy
            .as_deref()
            .map(|proxy| proxy.trim_end_matches('/'));
        assert_eq!(found, proxy, "{context}");
        let role = cluster.role.as_ref().map(|role| role.arn.as_str());
        assert_eq!(
            (&*cluster.name, cluster.region.as_deref().unwrap(), role),
            *expected
        );
    }
    // The last one that was written is the current one. Its profile does not exist in a function.
    let refused = format!("{:?}", kubeconfig.select(None).unwrap_err());
    assert!(refused.contains("Profile"), "{refused}");
}
