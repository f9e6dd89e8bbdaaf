//! SSM's and CodePipeline's common endpoint: JSON 1.1 over HTTP, with the faults of tests.

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::server::Cut;
use super::{ACCOUNT, Answer, AwsFault, REGION, Shared, State, s3, ssm};

const ROLE: &str = "assumed-role/landfall/landfall";
/// SSM and CodePipeline requests are far smaller.
const REQUEST_BYTES: usize = 1024 * 1024;

pub(super) async fn answer(shared: &Shared, request: Request<Incoming>) -> Result<Answer, Cut> {
    if request.method() == Method::GET {
        let (head, body) = request.into_parts();
        return s3::answer(shared, head, body).await;
    }
    let asked = Asked::read(request).await?;
    let fault = shared.state().planned_fault(&asked.target);
    match fault {
        Some(AwsFault::Cut) => {
            shared.change(|state| state.record(&asked, None, true));
            return Err(Cut);
        }
        Some(AwsFault::Stall) => {
            shared.change(|state| state.record(&asked, None, true));
            return std::future::pending().await;
        }
        Some(AwsFault::Slow(delay)) => tokio::time::sleep(delay).await,
        Some(_) | None => {}
    }
    let refusal = fault.and_then(|fault| fault.refusal(&asked));
    let faulty = refusal.is_some();
    let (result, number) = shared.change(|state| {
        let result = match refusal {
            Some(refusal) => Err(refusal),
            None => asked.perform(state),
        };
        let lost = fault == Some(AwsFault::CutAfter);
        state.record(&asked, Some(&result).filter(|_| !lost), faulty);
        state.requests += 1;
        (result, state.requests)
    });
    if fault == Some(AwsFault::CutAfter) {
        return Err(Cut);
    }
    Ok(answer_result(result, number))
}

/// A request to SSM or CodePipeline. The authorization itself is never kept.
pub(super) struct Asked {
    pub(super) target: String,
    signed: bool,
    pub(super) body: Option<Value>,
    pub(super) at: Timestamp,
}

impl Asked {
    async fn read(request: Request<Incoming>) -> Result<Asked, Cut> {
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

    fn perform(&self, state: &mut State) -> Result<Value, Refusal> {
        if !self.signed {
            return Err(Refusal {
                status: 403,
                ..Refusal::new(
                    "MissingAuthenticationTokenException",
                    "Missing Authentication Token",
                )
            });
        }
        let body = self.body.as_ref().ok_or_else(Refusal::serialization)?;
        state.perform(&self.target, body)
    }

    /// `ssm:GetParameters`, as IAM names it.
    fn action(&self) -> String {
        let (service, operation) = self.target.split_once('.').unwrap_or_default();
        let service = if service == "AmazonSSM" {
            "ssm"
        } else {
            "codepipeline"
        };
        format!("{service}:{operation}")
    }

    fn resource(&self) -> String {
        let body = self.body.as_ref();
        let name = body.and_then(|body| body.get("Name").or_else(|| body.get("Names")?.get(0)));
        match name.and_then(Value::as_str) {
            Some(name) if name.starts_with("arn:") => format!(" on resource: {name}"),
            Some(name) => format!(" on resource: {}", ssm::arn(name)),
            None => String::new(),
        }
    }
}

impl AwsFault {
    fn refusal(self, asked: &Asked) -> Option<Refusal> {
        let (kind, message) = match self {
            AwsFault::Throttling => ("ThrottlingException", "Rate exceeded".to_owned()),
            AwsFault::Unavailable => {
                let text = "Service is unavailable. Please try again later.".to_owned();
                ("ServiceUnavailableException", text)
            }
            AwsFault::AccessDenied => ("AccessDeniedException", access_denied(asked)),
            AwsFault::ExpiredToken => {
                let text = "The security token included in the request is expired".to_owned();
                ("ExpiredTokenException", text)
            }
            AwsFault::KmsAccessDenied if asked.target.ends_with(".PutParameter") => {
                let text = format!(
                    "User: arn:aws:sts::{ACCOUNT}:{ROLE} is not authorized to perform: \
                     kms:Encrypt on resource: arn:aws:kms:{REGION}:{ACCOUNT}:key/a-key because no \
                     identity-based policy allows the kms:Encrypt action (Service: AWSKMS; Status \
                     Code: 400; Error Code: AccessDeniedException; Request ID: \
                     3ee54ab1-2f1b-4d9d-8735-e46987cb5355; Proxy: null)"
                );
                ("AccessDeniedException", text)
            }
            // The wording is KMS's own, passed on by SSM:
            // https://github.com/Droplr/aws-env/issues/29
            AwsFault::KmsAccessDenied => {
                let text = "The ciphertext refers to a customer master key that does not exist, \
                            does not exist in this region, or you are not allowed to access. \
                            (Service: AWSKMS; Status Code: 400; Error Code: \
                            AccessDeniedException; Request ID: \
                            3ee54ab1-2f1b-4d9d-8735-e46987cb5355; Proxy: null)";
                ("AccessDeniedException", text.to_owned())
            }
            AwsFault::InvalidJobState => {
                let text = "The job is already in a finished state.".to_owned();
                ("InvalidJobStateException", text)
            }
            AwsFault::JobNotFound => (
                "JobNotFoundException",
                "The job cannot be found.".to_owned(),
            ),
            AwsFault::Stall | AwsFault::Cut | AwsFault::CutAfter | AwsFault::Slow(_) => {
                return None;
            }
        };
        let mut refusal = Refusal::new(kind, message);
        if self == AwsFault::Unavailable {
            refusal.status = 503;
        }
        Some(refusal)
    }
}

fn access_denied(asked: &Asked) -> String {
    let action = asked.action();
    let resource = asked.resource();
    format!(
        "User: arn:aws:sts::{ACCOUNT}:{ROLE} is not authorized to perform: {action}{resource} \
         because no identity-based policy allows the {action} action"
    )
}

fn answer_result(result: Result<Value, Refusal>, number: u64) -> Answer {
    let (status, body) = match result {
        Ok(body) => (200, body),
        Err(refusal) => (
            refusal.status,
            json!({"__type": refusal.kind, "message": refusal.message}),
        ),
    };
    Response::builder()
        .status(status)
        .header("Content-Type", "application/x-amz-json-1.1")
        .header(
            "x-amzn-RequestId",
            format!("{number:08x}-0a0b-4c0d-8e0f-{number:012x}"),
        )
        .body(body.to_string().into())
        .expect("the headers are made here")
}

/// An error as AWS's JSON 1.1 protocol answers it.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Refusal {
        let message = message.into();
        Refusal {
            status: 400,
            kind,
            message,
        }
    }

    pub(super) fn validation(message: impl Into<String>) -> Refusal {
        Refusal::new("ValidationException", message)
    }

    pub(super) fn required(member: &str) -> Refusal {
        Refusal::validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
             Member must not be null"
        ))
    }

    pub(super) fn serialization() -> Refusal {
        Refusal::new("SerializationException", "The request could not be parsed")
    }

    pub(super) fn unknown_operation(operation: &str) -> Refusal {
        Refusal::new(
            "UnknownOperationException",
            format!("Unknown operation {operation}"),
        )
    }
}
