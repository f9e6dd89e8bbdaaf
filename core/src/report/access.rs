//! The words for a token that cannot be had or is refused: where it is kept, when it expires, and
//! the one next step of each cause.

use crate::kubernetes::token::Life;
use crate::outcome::{CLOCK_NEXT, CredentialSource, CredentialsError, KeyFault, ParameterPlace};
use crate::text::words;
use jiff::Timestamp;
use std::time::Duration;

/// Where the access to the cluster should come from.
pub(super) fn kept(source: &CredentialSource) -> String {
    match source {
        CredentialSource::Parameter(place) => format!("The token is kept in {place}."),
        CredentialSource::Eks(place) => {
            format!(
                "The function opens {} by its own role (IAM).",
                place.cluster
            )
        }
        CredentialSource::Kubeconfig(place) => {
            format!("The kubeconfig is kept in {}.", place.parameter)
        }
    }
}

/// Where the credential comes from that the cluster refused at a time, and what it says of itself.
pub(super) fn refused_token(source: &CredentialSource, life: Life, at: Timestamp) -> String {
    match source {
        CredentialSource::Parameter(place) => refused_bearer(place, life, at),
        CredentialSource::Eks(_) | CredentialSource::Kubeconfig(_) => kept(source),
    }
}

/// Where a token is kept that the cluster refused at a time, and what it says of itself.
fn refused_bearer(place: &ParameterPlace, life: Life, at: Timestamp) -> String {
    let between = |from: Timestamp, to: Timestamp| {
        words(Duration::try_from(to.duration_since(from)).unwrap_or_default())
    };
    let says = match life {
        Life::OfEks => "It was issued by `aws eks get-token`; such tokens are valid for 15 \
            minutes."
            .to_owned(),
        Life::Until(until) if until <= at => {
            format!("It expired at {until:.0} ({} ago).", between(until, at))
        }
        Life::Until(until) => format!(
            "Its own expiry is {until:.0} (in {}), so it was revoked (its \
             ServiceAccount or Secret was deleted) or is for another cluster.",
            between(at, until)
        ),
        Life::Endless => "It has no expiry, so it was revoked (its ServiceAccount or Secret was \
                          deleted) or is for another cluster."
            .to_owned(),
        Life::Unknown => "It is not a JWT, and does not say when it expires.".to_owned(),
    };
    format!("The token is from {place}. {says}")
}

/// What to store where the cluster refuses the token.
pub(super) fn store_another(source: &CredentialSource, life: Option<Life>) -> String {
    match source {
        CredentialSource::Parameter(place) => store_another_token(place, life),
        CredentialSource::Eks(place) => format!(
            "Let the function's role into {} (an access entry with the group `landfall`), then \
             retry the stage.",
            place.cluster
        ),
        CredentialSource::Kubeconfig(place) => format!(
            "Store a kubeconfig with a valid credential in {}, then retry the stage.",
            place.parameter
        ),
    }
}

fn store_another_token(place: &ParameterPlace, life: Option<Life>) -> String {
    let what = match life {
        Some(Life::OfEks) => "the token of a ServiceAccount",
        Some(_) | None => "a valid token of this cluster",
    };
    format!(
        "Store {what} in SSM parameter `{}`, then retry the stage. The parameter was read again, \
         and its token was refused as well.",
        place.parameter
    )
}

/// What to do where there is no access.
pub(super) fn next(error: &CredentialsError, source: &CredentialSource) -> String {
    let region = match source {
        CredentialSource::Parameter(place) => place.region.as_deref(),
        CredentialSource::Eks(place) => place.cluster.region.as_deref(),
        CredentialSource::Kubeconfig(place) => place.parameter.region.as_deref(),
    };
    let region = region.unwrap_or("REGION");
    let next = match error {
        CredentialsError::Missing(names) => {
            return missing(names, region);
        }
        CredentialsError::Denied(right, said) => {
            return format!("{}, then retry the stage.", grant(right, said));
        }
        CredentialsError::KeyDenied(right, _) => {
            return format!(
                "Allow {right} on the parameter's key to the function's role, in the role's policy \
                 and in the key's own, then retry the stage."
            );
        }
        CredentialsError::KeyUnusable(fault, _) => usable_key(*fault),
        CredentialsError::NotSigned(_) => {
            "Retry the stage: Lambda renews these credentials. If this happens again, the \
             function's role was deleted or created again: deploy the function again."
        }
        CredentialsError::Clock(_) => CLOCK_NEXT,
        CredentialsError::Throttled(_) => {
            "Retry the stage. Where many deploys begin at once, raise the throughput of Parameter \
             Store (`aws ssm update-service-setting --setting-id \
             /ssm/parameter-store/high-throughput-enabled --setting-value true`)."
        }
        CredentialsError::Broken(_) => "Retry the stage when SSM is healthy again.",
        CredentialsError::Unreachable(why) if why.starts_with("AWS_") => {
            "Correct the function's environment variables, then retry the stage."
        }
        CredentialsError::Unreachable(_) => {
            return format!(
                "Retry the stage. A function in a VPC needs a NAT gateway, or the interface \
                 endpoint `com.amazonaws.{region}.ssm` with a security group that lets port 443 in."
            );
        }
        CredentialsError::Refused(_) => {
            "Correct the parameter or the function's environment, then retry the stage."
        }
        CredentialsError::NoToken(name, _) => {
            return format!(
                "Store the token itself in SSM parameter `{name}`, then retry the stage."
            );
        }
        CredentialsError::Expired(name, ..) => {
            return format!(
                "Store a valid token in SSM parameter `{name}`, then retry the stage. Where it is \
                 renewed by a schedule, the function's log says why the last renewals failed."
            );
        }
        CredentialsError::Ca(_) => {
            "Store the cluster's CA as PEM, or as base64 of it, in K8S_CA or the parameter that \
             K8S_CA_PARAMETER names, then retry the stage."
        }
        CredentialsError::ClientCertificate(_)
        | CredentialsError::Kubeconfig(_)
        | CredentialsError::Proxy(_) => {
            "Correct the kubeconfig and store it again, then retry the stage."
        }
        CredentialsError::Eks(_) => {
            "Correct the access of the function's role to the cluster, then retry the stage."
        }
    };
    next.to_owned()
}

/// What makes a KMS key usable.
fn usable_key(fault: KeyFault) -> &'static str {
    match fault {
        KeyFault::Disabled => "Enable the key (`aws kms enable-key`), then retry the stage.",
        KeyFault::PendingDeletion => {
            "Cancel the deletion of the key and enable it (`aws kms cancel-key-deletion`, `aws kms \
             enable-key`), or store the value again under another one, then retry the stage."
        }
        KeyFault::Other => {
            "Store the value again under a key that can be used (`aws ssm put-parameter \
             --overwrite --key-id`), then retry the stage."
        }
    }
}

fn missing(names: &str, region: &str) -> String {
    let name = names.split('`').nth(1).unwrap_or_default();
    format!(
        "Store it in that region under this name, or correct K8S_TOKEN_PARAMETER or \
         K8S_CA_PARAMETER, then retry the stage. `aws ssm get-parameter-history --region \
         {region} --name {} --query 'Parameters[].[Version,Labels]'` lists what is there.",
        without_selector(name)
    )
}

/// Where a right is to be granted, by what AWS says of who denies it.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
fn grant(right: &str, said: &str) -> String {
    let has = |words: &str| said.contains(words);
    if has("VPC endpoint policy") {
        format!("Allow {right} in the policy of the VPC endpoint to SSM")
    } else if has("service control policy") || has("resource control policy") {
        format!("Have the policies of the AWS organization allow {right}")
    } else if has("permissions boundary") {
        format!("Allow {right} in the permissions boundary of the function's role")
    } else if has("explicit deny") {
        format!("Remove the statement that denies {right} to the function's role")
    } else {
        format!("Allow {right} on the parameter to the function's role")
    }
}

/// A parameter's name without version or label.
fn without_selector(name: &str) -> &str {
    let (start, rest) = match name.rfind('/') {
        // An ARN has colons before its last part.
        Some(slash) if name.starts_with("arn:") => (slash, &name[slash..]),
        Some(_) | None => (0, name),
    };
    let end = rest.find(':').map_or(name.len(), |end| start + end);
    &name[..end]
}

#[cfg(test)]
mod tests;
