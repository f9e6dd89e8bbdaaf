//! The AWS CLI's own code, run without a network: its `eks get-token` makes the tokens that ours
//! are compared with. <https://docs.aws.amazon.com/cli/latest/reference/eks/get-token.html>

use crate::peer::run_python;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use landfall::access::eks;
use landfall::aws::clients::Aws;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PREFIX: &str = "k8s-aws-v1.";
/// Regions of every partition that both SDKs know.
const REGIONS: [&str; 10] = [
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
