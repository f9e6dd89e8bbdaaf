//! The words for a credential that cannot be had or is refused: where it is kept, when it expires,
//! and the one next step of each cause.

use super::client::Client;
use super::{eks, network};
use crate::environment::SECRETS_MANAGER;
use crate::kubernetes::refusal::RefusalCause;
use crate::kubernetes::token::{Identity, Life};
use crate::kubernetes::{CallError, RefusedToken};
use crate::outcome::{
    CLOCK_NEXT, CredentialSource, CredentialsError, KeyFault, KubeconfigPlace, ParameterPlace,
    UserKind,
};
use crate::text::{distance, listed, quote};
use jiff::Timestamp;
use std::time::Duration;

/// Where the access to the cluster should come from.
pub(super) fn kept(source: &CredentialSource) -> String {
    match source {
        CredentialSource::Parameter(place) => format!("The token is kept in {place}."),
        CredentialSource::Eks(place) => eks::opened_by(&place.cluster),
        CredentialSource::Kubeconfig(place) => {
            let context = match &place.context {
                Some(context) => format!(" Its context is `{}`.", quote(context)),
                None => String::new(),
            };
            let user = match &place.user {
                Some(UserKind::Eks(cluster)) => format!(" {}", eks::opened_by(cluster)),
                Some(UserKind::Token | UserKind::Certificate) | None => String::new(),
            };
            format!(
                "The kubeconfig is kept in {}.{context}{user}",
                place.parameter
            )
        }
    }
}

/// What is known of the access to the cluster that bears on a call that failed.
pub(super) fn evidence(error: &CallError, source: &CredentialSource) -> Option<String> {
    match (error, source) {
        (CallError::Refused(refusal), _) => match (refusal.cause(), Client::of(source)) {
            (RefusalCause::Token, _) => {
                let token = refusal.token.as_ref()?;
                Some(refused_token(source, token))
            }
            (RefusalCause::Permission(user), Client::Role(_)) => eks::known_as(&user),
            (_, _) => None,
        },
        (CallError::Unreachable(unreached), CredentialSource::Eks(place))
            if network::is_limit(unreached.cause) =>
        {
            network::limits(place)
        }
        (_, _) => None,
    }
}

/// Where the credential comes from that the cluster refused at a time, and what it says of itself.
pub(super) fn refused_token(source: &CredentialSource, token: &RefusedToken) -> String {
    match (source, Client::of(source)) {
        (_, Client::Role(_)) => format!(
            "{} The token was made anew, and was refused as well.",
            kept(source)
        ),
        (_, Client::Certificate) => kept(source),
        (CredentialSource::Kubeconfig(place), Client::Token) => {
            let says = says(token);
            format!("The token is from {}. {says}", from(place))
        }
        (CredentialSource::Parameter(_) | CredentialSource::Eks(_), Client::Token) => {
            format!("The token is from {source}. {}", says(token))
        }
    }
}

/// A user of a kubeconfig, by its context.
fn from(place: &KubeconfigPlace) -> String {
    match &place.context {
        Some(context) => format!(
            "context `{}` of the kubeconfig in {}",
            quote(context),
            place.parameter
        ),
        None => format!("the kubeconfig in {}", place.parameter),
    }
}

/// What a token that the cluster refused says of itself.
fn says(token: &RefusedToken) -> String {
    let begins = token.identity.as_ref().and_then(|it| it.begins);
    let lasts = match begins.filter(|begins| *begins > token.at) {
        Some(begins) => format!(
            "It is valid only from {begins:.0} (in {}): the clock of whoever issued it is ahead, \
             or it is for later.",
            distance(Duration::try_from(begins.duration_since(token.at)).unwrap_or_default())
        ),
        None => lasts(token.life, token.at),
    };
    match token.identity.as_ref().map(whose) {
        Some(whose) => format!("{lasts} {whose}"),
        None => lasts,
    }
}

/// The audience of a token that a pod shows to AWS.
/// <https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html>
const OF_AWS: &str = "sts.amazonaws.com";

/// How many audiences of a token are named.
const AUDIENCES: usize = 3;

/// Whose a token is, in its own words.
fn whose(identity: &Identity) -> String {
    let quoted = |text: &str| format!("`{}`", quote(text));
    let of = |what: &str, text: &str| format!("{what} {}", quoted(text));
    let (issuer, subject) = (&*identity.issuer, &*identity.subject);
    let audiences = identity.audiences.iter().take(AUDIENCES);
    let audiences = listed(audiences.map(|audience| quoted(audience)).collect());
    let said = [
        (!subject.is_empty()).then(|| of("the subject", subject)),
        (!issuer.is_empty()).then(|| of("the issuer", issuer)),
        (!audiences.is_empty()).then(|| format!("the audience {audiences}")),
    ];
    let said = listed(said.into_iter().flatten().collect());
    match identity.audiences.as_slice() {
        [only] if only == OF_AWS => {
            format!("It names {said}: it is for AWS, and no cluster accepts it.")
        }
        _ => format!("It names {said}."),
    }
}

/// How long a token that the cluster refused at a time is valid, as it says.
fn lasts(life: Life, at: Timestamp) -> String {
    let between = |from: Timestamp, to: Timestamp| {
        distance(Duration::try_from(to.duration_since(from)).unwrap_or_default())
    };
    match life {
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
        Life::Unknown => "It is not a JWT, as a ServiceAccount's token is, and does not say when \
                          it expires."
            .to_owned(),
    }
}

/// What to do where the cluster refuses the credential.
pub(super) fn store_another(source: &CredentialSource, life: Option<Life>) -> String {
    let place = match (source, Client::of(source)) {
        (_, Client::Role(cluster)) => return eks::let_in(cluster),
        (CredentialSource::Parameter(place), _) => return store_another_token(place, life),
        (CredentialSource::Kubeconfig(place), _) => place,
        (CredentialSource::Eks(place), _) => return eks::let_in(&place.cluster),
    };
    let parameter = &place.parameter.parameter;
    let what = match (Client::of(source), life) {
        (Client::Certificate, _) => {
            "a client certificate that the CA of this cluster's clients has signed"
        }
        (_, Some(Life::OfEks)) => {
            "an `exec` stanza that runs `aws eks get-token` in the place of such a token"
        }
        (_, Some(_) | None) => "a valid token of this cluster",
    };
    format!(
        "Store in SSM parameter `{parameter}` a kubeconfig with {what}, then retry the stage. The \
         parameter was read again, and what it holds was refused as well."
    )
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
    let region = region(source);
    if let CredentialSource::Kubeconfig(_) = source
        && let Some(next) = in_kubeconfig(error)
    {
        return next;
    }
    let next = match error {
        CredentialsError::Missing(names) => return missing(names, region, source),
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
        CredentialsError::Eks(error) => return eks::next(error, source),
    };
    next.to_owned()
}

/// The region that the source is in, for commands.
fn region(source: &CredentialSource) -> &str {
    let region = match source {
        CredentialSource::Parameter(place) => place.region.as_deref(),
        CredentialSource::Eks(place) => place.cluster.region.as_deref(),
        CredentialSource::Kubeconfig(place) => place.parameter.region.as_deref(),
    };
    region.unwrap_or("REGION")
}

/// What to do about what a kubeconfig holds.
fn in_kubeconfig(error: &CredentialsError) -> Option<String> {
    if let CredentialsError::NoToken(name, _) | CredentialsError::Expired(name, ..) = error {
        return Some(format!(
            "Store in SSM parameter `{name}` a kubeconfig with a valid token, then retry the \
             stage."
        ));
    }
    let next = "Correct the cluster's `certificate-authority-data` in the kubeconfig and store it \
                again, then retry the stage.";
    matches!(error, CredentialsError::Ca(_)).then(|| next.to_owned())
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

fn missing(names: &str, region: &str, source: &CredentialSource) -> String {
    let name = names.split('`').nth(1).unwrap_or_default();
    let variables = match source {
        CredentialSource::Parameter(_) | CredentialSource::Eks(_) => {
            "K8S_TOKEN_PARAMETER or K8S_CA_PARAMETER"
        }
        CredentialSource::Kubeconfig(_) => "KUBECONFIG_PARAMETER",
    };
    let list = match name.strip_prefix(SECRETS_MANAGER) {
        Some(secret) => format!(
            "aws secretsmanager list-secret-version-ids --region {region} --secret-id {}",
            without_selector(secret)
        ),
        None => format!(
            "aws ssm get-parameter-history --region {region} --name {} --query \
             'Parameters[].[Version,Labels]'",
            without_selector(name)
        ),
    };
    format!(
        "Store it in that region under this name, or correct {variables}, then retry the stage. \
         `{list}` lists what is there."
    )
}

/// The right to read a secret of Secrets Manager.
const SECRET_VALUE: &str = "secretsmanager:GetSecretValue";

/// Where a right is to be granted.
fn grant(right: &str, said: &str) -> String {
    // SSM asks Secrets Manager in the function's name.
    let (right, on) = match said.contains(SECRET_VALUE) {
        true => (SECRET_VALUE, "the secret"),
        false => (right, "the parameter"),
    };
    eks::allow(said, right, on, "SSM", "the function's role")
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
