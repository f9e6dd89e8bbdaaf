//! The words for a cluster of EKS that IAM does not open, and the one next step of each cause.

use super::client::Client;
use super::named::Named;
use super::unreachable::NAME_UNKNOWN;
use crate::eks::{AssumedRole, EksCluster};
use crate::kubernetes::refusal::User;
use crate::outcome::{AwsFault, CLOCK_NEXT, CredentialSource, Denier, EksCall, EksError};
use crate::text::quote;

/// The group that the Roles in `deploy/` are bound to.
const GROUP: &str = "landfall";

/// By whom a cluster is opened.
pub(super) fn opened_by(cluster: &EksCluster) -> String {
    match &cluster.role {
        Some(role) => format!(
            "The function opens {cluster} by IAM, with the role `{}`, which it assumes.",
            role.arn
        ),
        None => format!("The function opens {cluster} by its own role (IAM)."),
    }
}

/// What to do where the cluster does not let the role in.
pub(super) fn let_in(cluster: &EksCluster) -> String {
    let named = Named::new(Some(cluster));
    let see = named.entry("describe-access-entry", named.role);
    let create = named.entry("create-access-entry", named.role);
    format!(
        "See whether the cluster has an access entry for the role{}: `{see}`. If there is none, \
         `{create} --kubernetes-groups {GROUP}` makes it. If there is one, the role was deleted \
         and made anew under its old ARN, and EKS keeps the id of the former one: delete the \
         entry (`aws eks delete-access-entry` with the same options) and make it again. Then \
         retry the stage.",
        named.legend()
    )
}

/// What to do where the role is let in and may not do what `asks` says, as `verb resource`.
pub(super) fn give_group(
    cluster: &EksCluster,
    user: &User,
    asks: &str,
    namespace: &str,
    roles: &str,
) -> String {
    let named = Named::new(Some(cluster));
    let of_user = match user {
        User::Iam(session) => role_of_session(session),
        User::ServiceAccount { .. } | User::Named(_) | User::Unknown => None,
    };
    let role = match (&cluster.role, of_user) {
        (None, Some(role)) => role,
        (Some(_), _) | (None, None) => named.role.to_owned(),
    };
    let update = named.entry("update-access-entry", &role);
    let legend = match role == named.role {
        true => named.legend(),
        false => "",
    };
    format!(
        "Either its access entry lacks the group `{GROUP}`, or no RoleBinding in `{namespace}` \
         gives this group the verb. `kubectl --namespace {namespace} auth can-i {asks} --as \
         {GROUP} --as-group {GROUP}` tells which: on `yes` run `{update} --kubernetes-groups \
         {GROUP}`{legend}, on `no` apply the Roles in `{namespace}` ({roles} all verbs that are \
         needed). Then retry the stage."
    )
}

/// As whom the cluster took a call that it refused.
pub(super) fn known_as(user: &User) -> Option<String> {
    let name = match user {
        User::Iam(name) | User::Named(name) => name.clone(),
        User::ServiceAccount { namespace, name } => {
            format!("system:serviceaccount:{namespace}:{name}")
        }
        User::Unknown => return None,
    };
    Some(format!(
        "The cluster takes the function for user `{}`.",
        quote(&name)
    ))
}

/// The role of a session, `arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/SESSION`. A role's path is
/// not in it. What has another form does not become part of a command.
fn role_of_session(session: &str) -> Option<String> {
    let (head, rest) = session.split_once(":assumed-role/")?;
    let (role, _) = rest.split_once('/')?;
    let head = head.replacen(":sts:", ":iam:", 1);
    let arn = format!("{head}:role/{role}");
    AssumedRole::read(&arn).ok()?;
    Some(arn)
}

/// What to do about an error of the way in.
pub(super) fn next(error: &EksError, source: &CredentialSource) -> String {
    let cluster = match Client::of(source) {
        Client::Role(cluster) => Some(cluster),
        Client::Token | Client::Certificate => None,
    };
    let named = Named::new(cluster);
    let is_kubeconfig = matches!(source, CredentialSource::Kubeconfig(_));
    let setting = match is_kubeconfig {
        true => "the `exec` stanza of the kubeconfig's user",
        false => "EKS_CLUSTER",
    };
    match error {
        EksError::NoRegion if is_kubeconfig => format!(
            "Give the cluster's region in {setting} (`--region`), and store the kubeconfig again. \
             Then retry the stage."
        ),
        EksError::NoRegion => format!(
            "Name the cluster by its ARN in {setting} (arn:aws:eks:REGION:ACCOUNT:cluster/NAME), \
             then retry the stage."
        ),
        EksError::NoCluster if is_kubeconfig => format!(
            "Correct name, region and role in {setting} (`aws eks list-clusters --region {}` lists \
             what is there) and store the kubeconfig again. Then retry the stage.",
            named.region
        ),
        EksError::NoCluster => format!(
            "Correct {setting}, then retry the stage (`aws eks list-clusters --region {}` lists \
             what is there). A cluster of another region is named by its ARN; one of another \
             account also needs a role of that account in EKS_ROLE.",
            named.region
        ),
        EksError::NotActive(status) => not_active(status, &named, setting),
        EksError::NoEndpoint => format!(
            "Open it by a token in SSM (K8S_CLUSTER) or by a kubeconfig with a token \
             (KUBECONFIG_PARAMETER) instead of {setting}, then retry the stage."
        ),
        EksError::Ca(_) => format!(
            "Retry the stage. If this happens again, `{} --query cluster.certificateAuthority` \
             shows what EKS answers: whatever stands between the function and EKS may change it.",
            named.command("describe-cluster")
        ),
        EksError::TokenTooLong(_) => match cluster.and_then(|cluster| cluster.role.as_ref()) {
            None => {
                "Let the function assume a role by EKS_ROLE, whose session is its own and \
                     smaller; the access entry is that role's then. Then retry the stage."
            }
            Some(_) => {
                "Let the session of the role be smaller (its `MinimumSessionTokenSize`), \
                        or open the cluster by a token in SSM (K8S_CLUSTER). Then retry the stage."
            }
        }
        .to_owned(),
        EksError::Call(call, fault) => of_call(call, fault, &named, cluster, setting),
    }
}

/// What to do about a cluster that is not active.
fn not_active(status: &str, named: &Named<'_>, setting: &str) -> String {
    match status {
        "DELETING" => format!(
            "Name another cluster in {setting}, or make this one again when it is gone. Then retry \
             the stage."
        ),
        "FAILED" => format!(
            "`{} --query cluster.health` says why. Delete it and make it again, then retry the \
             stage.",
            named.command("describe-cluster")
        ),
        _ => format!(
            "Wait until it is active (`{}`), then retry the stage.",
            named.command("wait cluster-active")
        ),
    }
}

/// What to do about a call to AWS that failed.
fn of_call(
    call: &EksCall,
    fault: &AwsFault,
    named: &Named<'_>,
    cluster: Option<&EksCluster>,
    setting: &str,
) -> String {
    let region = named.region;
    let service = match call {
        EksCall::DescribeCluster => "eks",
        EksCall::AssumeRole(_) | EksCall::GetCallerIdentity => "sts",
    };
    match fault {
        AwsFault::Denied(said) => match call {
            EksCall::AssumeRole(role) => assumable(role, said, cluster),
            EksCall::DescribeCluster | EksCall::GetCallerIdentity => describable(said, cluster),
        },
        AwsFault::NotSigned(_) => format!(
            "Retry the stage: Lambda renews these credentials. If this happens again, the \
             function's role was deleted or made anew (deploy the function again), or the account \
             has not enabled region {region}."
        ),
        AwsFault::Clock(_) => CLOCK_NEXT.to_owned(),
        AwsFault::Throttled(_) => format!(
            "Retry the stage, and let fewer deploys begin at once: this account calls {} in \
             {region} too often.",
            service.to_uppercase()
        ),
        AwsFault::Broken(_) => format!(
            "Retry the stage when {} is healthy again in {region}.",
            service.to_uppercase()
        ),
        AwsFault::Refused(said) if said.starts_with("RegionDisabled") => format!(
            "Activate STS in {region} for the account (IAM console, Account settings), then retry \
             the stage."
        ),
        AwsFault::Refused(_) => {
            format!("Correct {setting} or the function's environment, then retry the stage.")
        }
        AwsFault::Unreachable(why) if why.starts_with("AWS_") => {
            "Correct the function's environment variables, then retry the stage.".to_owned()
        }
        AwsFault::Unreachable(why) if why.contains(NAME_UNKNOWN) => format!(
            "If AWS has no region {region}, correct it in {setting}. Otherwise let the function's \
             VPC resolve names (`enableDnsSupport`). Then retry the stage."
        ),
        AwsFault::Unreachable(_) => format!(
            "Retry the stage. A function in a VPC needs a NAT gateway, or the interface endpoint \
             `com.amazonaws.{region}.{service}` with a security group that lets port 443 in."
        ),
    }
}

/// What lets the function assume a role.
fn assumable(role: &str, said: &str, cluster: Option<&EksCluster>) -> String {
    let own = caller(said).unwrap_or_else(|| "the function's role".to_owned());
    let id = cluster.and_then(|cluster| cluster.role.as_ref()?.external_id.as_ref());
    let id = match id {
        Some(_) => "its `sts:ExternalId` must be the one that the function gives",
        None => {
            "where it asks for an `sts:ExternalId`, give that to the function (EKS_EXTERNAL_ID)"
        }
    };
    let next = match Denier::of(said) {
        Denier::Organization => {
            format!("Have the policies of the AWS organization allow sts:AssumeRole on `{role}`")
        }
        Denier::Endpoint => {
            "Allow sts:AssumeRole in the policy of the VPC endpoint to STS".to_owned()
        }
        Denier::Statement | Denier::Boundary(true) => {
            format!("Remove the statement that denies sts:AssumeRole on `{role}` to {own}")
        }
        Denier::Boundary(false) => {
            format!("Allow sts:AssumeRole on `{role}` in the permissions boundary of {own}")
        }
        Denier::NoIdentityPolicy => {
            format!("Allow sts:AssumeRole on `{role}` to {own} in its own policy")
        }
        Denier::NoResourcePolicy => {
            format!("Allow sts:AssumeRole to {own} in the trust policy of `{role}`; {id}")
        }
        Denier::Unsaid => {
            let name = role.rsplit('/').next().unwrap_or(role);
            return format!(
                "Two policies must allow sts:AssumeRole: that of {own} on `{role}`, and the trust \
                 policy of that role to {own} (`aws iam get-role --role-name {name} --query \
                 Role.AssumeRolePolicyDocument`); {id}. AWS denies a role that does not exist as \
                 well. Then retry the stage."
            );
        }
    };
    format!("{next}, then retry the stage.")
}

/// What lets the function ask EKS for the cluster.
fn describable(said: &str, cluster: Option<&EksCluster>) -> String {
    let on = resource(said).unwrap_or_else(|| match cluster {
        Some(EksCluster {
            name,
            region,
            account,
            ..
        }) => format!(
            "arn:aws:eks:{}:{}:cluster/{name}",
            region.as_deref().unwrap_or("REGION"),
            account.as_deref().unwrap_or("ACCOUNT")
        ),
        None => "the cluster".to_owned(),
    });
    let assumed = cluster.and_then(|cluster| cluster.role.as_ref());
    let who = assumed.map(|role| format!("`{}`", role.arn));
    let who = who.or_else(|| caller(said));
    let who = who.unwrap_or_else(|| "the function's role".to_owned());
    let next = allow(said, "eks:DescribeCluster", &format!("`{on}`"), "EKS", &who);
    format!("{next}, then retry the stage.")
}

/// What lets `who` do an action of a service on something, by who denies it as AWS says.
pub(super) fn allow(said: &str, action: &str, on: &str, service: &str, who: &str) -> String {
    match Denier::of(said) {
        Denier::Endpoint => {
            format!("Allow {action} in the policy of the VPC endpoint to {service}")
        }
        Denier::Organization => {
            format!("Have the policies of the AWS organization allow {action}")
        }
        Denier::Boundary(_) => {
            format!("Allow {action} on {on} in the permissions boundary of {who}")
        }
        Denier::Statement => format!("Remove the statement that denies {action} to {who}"),
        Denier::NoIdentityPolicy | Denier::NoResourcePolicy | Denier::Unsaid => {
            format!("Allow {action} on {on} to {who}")
        }
    }
}

/// The role that AWS names as the caller in `User: ARN is not authorized …`.
fn caller(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("User: ")?;
    let session = rest.split_whitespace().next()?;
    role_of_session(session).map(|role| format!("`{role}`"))
}

/// What AWS names in `… on resource: ARN …`, where that is a cluster.
fn resource(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("on resource: ")?;
    let arn = rest.split_whitespace().next()?;
    EksCluster::read(arn).ok()?;
    Some(arn.to_owned())
}

#[cfg(test)]
mod tests;
