//! A request to SSM or CodePipeline.

use crate::aws::answer::Cut;
use crate::aws::ssm;
use http_body_util::{BodyExt as _, Limited};
use hyper::Request;
use hyper::body::Incoming;
use jiff::Timestamp;
use serde_json::Value;

/// SSM and CodePipeline requests are far smaller.
const REQUEST_BYTES: usize = 1024 * 1024;

/// A request to SSM or CodePipeline. The authorization itself is never kept.
pub(super) struct Asked {
    pub(super) target: String,
    pub(super) signed: bool,
    pub(super) body: Option<Value>,
    pub(super) at: Timestamp,
}

impl Asked {
    pub(super) async fn read(request: Request<Incoming>) -> Result<Asked, Cut> {
        let header = |name: &str| {
            let value = request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.unwrap_or_default()
        };
        let target = header("x-amz-target").to_owned();
        let signed = header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=");
        let body = Limited::new(request.into_body(), REQUEST_BYTES).collect();
        let bytes = body.await.map_err(|_| Cut)?.to_bytes();
        Ok(Asked {
            target,
            signed,
            body: serde_json::from_slice(&bytes).ok(),
            at: Timestamp::now(),
        })
    }

    /// `ssm:GetParameters`, as IAM names it.
    pub(super) fn action(&self) -> String {
        let (service, operation) = self.target.split_once('.').unwrap_or_default();
        let service = if service == "AmazonSSM" {
            "ssm"
        } else {
            "codepipeline"
        };
        format!("{service}:{operation}")
    }

    pub(super) fn resource(&self) -> String {
        let body = self.body.as_ref();
        let name = body.and_then(|body| body.get("Name").or_else(|| body.get("Names")?.get(0)));
        match name.and_then(Value::as_str) {
            Some(name) if name.starts_with("arn:") => format!(" on resource: {name}"),
            Some(name) => format!(" on resource: {}", ssm::arn(name)),
            None => String::new(),
        }
    }
}
