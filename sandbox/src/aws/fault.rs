//! Faults that tests plan for requests to AWS.

use crate::aws::account::{ACCOUNT, REGION};
use crate::aws::answer::Refusal;
use crate::aws::request::{Asked, Protocol};
use crate::iam::Principal;
use std::time::Duration;

/// A fault of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsFault {
    /// 400 `ThrottlingException`
    Throttling,
    /// 503
    Unavailable,
    /// 400 `AccessDeniedException` that names the action.
    AccessDenied,
    /// 400 `ExpiredTokenException`
    ExpiredToken,
    /// SSM may be read but not the key: 400 `AccessDeniedException` as KMS words it.
    KmsAccessDenied,
    /// 400 `InvalidJobStateException`
    InvalidJobState,
    /// 400 `JobNotFoundException`
    JobNotFound,
    /// No response; the connection stays open.
    Stall,
    /// The connection closes without a response; nothing was done.
    Cut,
    /// The connection closes without a response; the request was carried out.
    CutAfter,
    /// The correct response, late.
    Slow(Duration),
}

pub(super) struct Planned {
    pub(super) target: String,
    pub(super) fault: AwsFault,
    pub(super) left: u32,
}

const ROLE: &str = "assumed-role/landfall/landfall";

impl AwsFault {
    pub(super) fn refusal(self, asked: &Asked, caller: Option<&Principal>) -> Option<Refusal> {
        let (kind, message) = match self {
            AwsFault::Throttling => ("ThrottlingException", "Rate exceeded".to_owned()),
            AwsFault::Unavailable => {
                let text = "Service is unavailable. Please try again later.".to_owned();
                ("ServiceUnavailableException", text)
            }
            AwsFault::AccessDenied => ("AccessDeniedException", access_denied(asked, caller)),
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
        match (self, asked.protocol) {
            (AwsFault::Unavailable, _) => refusal.status = 503,
            (AwsFault::AccessDenied | AwsFault::ExpiredToken, Protocol::Rest | Protocol::Query) => {
                refusal.status = 403;
            }
            (_, _) => {}
        }
        Some(refusal)
    }
}

fn access_denied(asked: &Asked, caller: Option<&Principal>) -> String {
    let action = asked.action();
    let user = caller.map_or_else(|| format!("arn:aws:sts::{ACCOUNT}:{ROLE}"), Principal::arn);
    let resource = asked.resource(caller.map_or(ACCOUNT, Principal::account));
    format!(
        "User: {user} is not authorized to perform: {action}{resource} because no identity-based \
         policy allows the {action} action"
    )
}
