//! A request to SSM, CodePipeline, CloudWatch, EKS or STS.

use crate::aws::answer::{Cut, Refusal};
use crate::aws::{cbor, cloudwatch, ssm};
use crate::iam::{AccessKeys, Principal};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// SSM and CodePipeline requests are far smaller.
const REQUEST_BYTES: usize = 1024 * 1024;

/// How a service reads and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// JSON 1.1, of SSM and CodePipeline.
    Json,
    /// Paths and JSON, of EKS.
    Rest,
    /// A form and XML, of STS.
    Query,
    /// RPC v2 with CBOR, of CloudWatch.
    Cbor,
}

/// A request to SSM, CodePipeline, EKS or STS. The signature itself is never kept.
pub(super) struct Asked {
    pub(super) protocol: Protocol,
    pub(super) target: String,
    /// Who says to have signed it; none where it is not signed.
    pub(super) signer: Option<Signer>,
    pub(super) body: Option<Value>,
    pub(super) at: Timestamp,
}

/// The scope of a signature, and the security token beside it.
pub(super) struct Signer {
    id: String,
    pub(super) region: String,
    pub(super) service: String,
    session: Option<String>,
}

impl Signer {
    fn read(headers: &HeaderMap) -> Option<Signer> {
        let given = headers.get("authorization")?.to_str().ok()?;
        let scope = given.strip_prefix("AWS4-HMAC-SHA256 Credential=")?;
        let mut scope = scope.split([',', ' ']).next()?.split('/');
        let (id, _, region) = (scope.next()?, scope.next()?, scope.next()?);
        let session = headers.get("x-amz-security-token");
        let session = session.and_then(|token| token.to_str().ok());
        Some(Signer {
            id: id.to_owned(),
            region: region.to_owned(),
            service: scope.next()?.to_owned(),
            session: session.map(str::to_owned),
        })
    }

    /// Whose key it is.
    pub(super) fn principal(
        &self,
        keys: &AccessKeys,
        now: Timestamp,
    ) -> Result<Principal, Refusal> {
        let refused = |kind, message: &str| Refusal {
            status: 403,
            ..Refusal::new(kind, message)
        };
        let invalid = "The security token included in the request is invalid.";
        let key = keys.get(&self.id);
        let key = key.filter(|key| self.session.as_deref() == Some(&*key.session));
        let key = key.ok_or_else(|| refused("UnrecognizedClientException", invalid))?;
        if key.expires <= now {
            let expired = "The security token included in the request is expired";
            return Err(refused("ExpiredTokenException", expired));
        }
        Ok(key.principal)
    }
}

impl Asked {
    /// Whether a request is for S3, which has paths of its own.
    pub(super) fn is_for_s3(head: &Parts) -> bool {
        let signer = Signer::read(&head.headers);
        [Method::GET, Method::PUT].contains(&head.method)
            && signer.is_none_or(|signer| signer.service != "eks")
    }

    pub(super) async fn read(head: Parts, body: Incoming) -> Result<Asked, Cut> {
        let signer = Signer::read(&head.headers);
        let header = |name: &str| {
            let value = head.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default()
        };
        let target = header("x-amz-target").to_owned();
        let is_cbor = header("smithy-protocol") == "rpc-v2-cbor";
        let is_form = header("content-type").starts_with("application/x-www-form-urlencoded");
        let body = Limited::new(body, REQUEST_BYTES).collect();
        let bytes = body.await.map_err(|_| Cut)?.to_bytes();
        let region = signer.as_ref().map(|signer| signer.region.clone());
        let is_rest = head.method == Method::GET;
        let (protocol, target, body) = if is_rest {
            let (target, body) = rest(head.uri.path(), region);
            (Protocol::Rest, target, Some(body))
        } else if is_form {
            let (target, body) = form(&bytes);
            (Protocol::Query, target, Some(body))
        } else if is_cbor {
            let target = rpc(head.uri.path());
            (Protocol::Cbor, target, cbor::decode(&bytes))
        } else {
            (Protocol::Json, target, serde_json::from_slice(&bytes).ok())
        };
        Ok(Asked {
            protocol,
            target,
            signer,
            body,
            at: Timestamp::now(),
        })
    }

    /// `ssm:GetParameters`, as IAM names it.
    pub(super) fn action(&self) -> String {
        let (service, operation) = self.target.split_once('.').unwrap_or_default();
        let service = match service {
            "AmazonSSM" => "ssm",
            "EKS" => "eks",
            "STS" => "sts",
            cloudwatch::SERVICE => "cloudwatch",
            "AWSEvents" => "events",
            _ => "codepipeline",
        };
        format!("{service}:{operation}")
    }

    pub(super) fn resource(&self, account: &str) -> String {
        let text = |member: &str| self.body.as_ref()?.get(member)?.as_str();
        let named = || {
            let body = self.body.as_ref()?;
            body.get("Name").or_else(|| body.get("Names")?.get(0))
        };
        let resource = match self.protocol {
            Protocol::Rest => text("name").map(|name| {
                let region = text("region").unwrap_or_default();
                format!("arn:aws:eks:{region}:{account}:cluster/{name}")
            }),
            Protocol::Query => text("RoleArn").map(str::to_owned),
            Protocol::Cbor => None,
            Protocol::Json => {
                named()
                    .and_then(Value::as_str)
                    .map(|name| match name.starts_with("arn:") {
                        true => name.to_owned(),
                        false => ssm::arn(name),
                    })
            }
        };
        resource.map_or_else(String::new, |resource| format!(" on resource: {resource}"))
    }
}

/// What EKS is asked by a path.
fn rest(path: &str, region: Option<String>) -> (String, Value) {
    let name = path.strip_prefix("/clusters/").unwrap_or_default();
    let is_name = !name.is_empty() && !name.contains('/');
    let operation = if is_name { "DescribeCluster" } else { path };
    (
        format!("EKS.{operation}"),
        json!({"name": name, "region": region}),
    )
}

/// What is asked by a path of RPC v2, `/service/SERVICE/operation/OPERATION`.
fn rpc(path: &str) -> String {
    let rest = path.strip_prefix("/service/").unwrap_or_default();
    rest.replacen("/operation/", ".", 1)
}

/// What STS is asked by a form.
fn form(bytes: &[u8]) -> (String, Value) {
    let pairs = url::form_urlencoded::parse(bytes);
    let mut members = pairs
        .map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())))
        .collect::<Map<_, _>>();
    let action = members.remove("Action").unwrap_or_default();
    (
        format!("STS.{}", action.as_str().unwrap_or_default()),
        members.into(),
    )
}
