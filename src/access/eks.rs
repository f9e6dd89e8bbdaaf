//! The way into a cluster of EKS: EKS says where it is, and a signed call to STS is the token.
//! <https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster>

use super::connection::{Connection, IamUser, unusable};
use crate::aws::clients::Aws;
use crate::aws::failure::{self, AwsError};
use crate::aws::signature;
use crate::kubernetes::Cluster as Client;
use crate::telemetry::logging;
use aws_sdk_eks::types::{Cluster, ClusterStatus};
use aws_sdk_sts::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use landfall_core::eks::{AssumedRole, EksCluster};
use landfall_core::event::Keys;
use landfall_core::formats::certificate;
use landfall_core::kubernetes::credential::Credential;
use landfall_core::kubernetes::server::{self, Paths, Server};
use landfall_core::kubernetes::token::{Token, appearance};
use landfall_core::outcome::{
    AwsFault, CredentialSource, CredentialsError, EKS_TOKEN_LIMIT, EksCall, EksError, EksNetwork,
    EksPlace,
};
use std::sync::Arc;

/// For how long a token is used. EKS accepts it for 15 minutes.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(14);

/// What is left to the credentials of an assumed role when it is assumed anew: the life of a token
/// that is signed with them.
const ROLE_MARGIN: SignedDuration = SignedDuration::from_mins(15);

/// The name of our sessions, which the API server's audit log shows.
const SESSION: &str = "landfall";

/// The header that binds a token to its cluster.
const CLUSTER_HEADER: &str = "x-k8s-aws-id";

/// A cluster as EKS describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// The API server.
    pub server: Server,
    /// From where it can be reached.
    pub network: EksNetwork,
    /// What tokens are made for: the cluster's name, or the id of a local cluster on an Outpost.
    pub id: String,
}

/// The credentials of an assumed role.
#[derive(Clone)]
pub struct Assumed {
    role: AssumedRole,
    keys: Keys,
    expires: Timestamp,
}

/// A token for a cluster, and when it should be replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct Signed {
    /// The token.
    pub token: Token,
    /// When the next one should be made.
    pub renew_at: Timestamp,
}

/// Opens a cluster of EKS.
pub(super) async fn open(
    aws: &Aws,
    cluster: &EksCluster,
    assumed: &mut Vec<Assumed>,
    now: Timestamp,
) -> Result<Connection, CredentialsError> {
    let region = region(aws, cluster)?;
    let keys = keys(aws, cluster.role.as_ref(), assumed, now).await?;
    let described = describe(aws, cluster, &region, &keys).await?;
    let source = CredentialSource::Eks(EksPlace {
        cluster: cluster.or_in(Some(&region)),
        network: Some(described.network),
    });
    let user = IamUser {
        id: described.id,
        region,
        role: cluster.role.clone(),
    };
    let (credential, iam) = signed_in(aws, user, &keys, now).await?;
    let client = Client::new(&described.server, &credential).map_err(unusable)?;
    Ok(Connection {
        iam: Some(iam),
        ..Connection::new(client, described.server, credential, source)
    })
}

/// Makes a new token of IAM for a connection, whose sockets are kept.
pub(super) async fn sign_anew(
    aws: &Aws,
    open: Connection,
    assumed: &mut Vec<Assumed>,
    now: Timestamp,
) -> Result<Connection, CredentialsError> {
    let Some((user, _)) = open.iam else {
        return Ok(open);
    };
    let keys = keys(aws, user.role.as_ref(), assumed, now).await?;
    let (credential, iam) = signed_in(aws, user, &keys, now).await?;
    let client = Client::on(open.cluster.approach(), &credential).map_err(unusable)?;
    Ok(Connection {
        cluster: Arc::new(client),
        credential,
        iam: Some(iam),
        ..open
    })
}

/// Makes the credential of a user of IAM, and says when the next one is due.
pub(super) async fn signed_in(
    aws: &Aws,
    user: IamUser,
    keys: &Keys,
    now: Timestamp,
) -> Result<(Credential, (IamUser, Timestamp)), EksError> {
    let signed = sign(aws, &user.id, &user.region, keys, now).await?;
    logging::hide([signed.token.reveal()]);
    Ok((Credential::Token(signed.token), (user, signed.renew_at)))
}

/// Hides what signs tokens for an assumed role, which an error of AWS may quote.
pub(super) fn hide_assumed(assumed: &Assumed) {
    hide_keys(&assumed.keys);
}

/// Hides what signs tokens in every line from now on.
fn hide_keys(keys: &Keys) {
    logging::hide([&*keys.secret].into_iter().chain(keys.session.as_deref()));
}

/// The region of a cluster: its own, or the function's.
pub fn region(aws: &Aws, cluster: &EksCluster) -> Result<String, EksError> {
    let region = cluster.region.as_ref().or(aws.settings.region.as_ref());
    region.cloned().ok_or(EksError::NoRegion)
}

/// The credentials to ask and sign with: the function's own, or those of the role to assume.
/// They are hidden in every line from now on. `kept` are the ones from an earlier call.
pub async fn keys(
    aws: &Aws,
    role: Option<&AssumedRole>,
    kept: &mut Vec<Assumed>,
    now: Timestamp,
) -> Result<Keys, EksError> {
    let Some(role) = role else {
        let missing = |why| EksError::Call(EksCall::DescribeCluster, AwsFault::Refused(why));
        let own = aws.own_keys().map_err(missing)?;
        hide_keys(own);
        return Ok(own.clone());
    };
    kept.retain(|assumed| assumed.expires > now + ROLE_MARGIN);
    let assumed = match kept.iter().find(|assumed| assumed.role == *role) {
        Some(assumed) => assumed,
        None => {
            let assumed = assume(aws, role).await?;
            kept.push_mut(assumed)
        }
    };
    hide_assumed(assumed);
    Ok(assumed.keys.clone())
}

/// Assumes a role. The role needs `sts:AssumeRole` on it, and its trust policy must name ours.
async fn assume(aws: &Aws, role: &AssumedRole) -> Result<Assumed, EksError> {
    let failed = |fault| EksError::Call(EksCall::AssumeRole(role.arn.clone()), fault);
    let own = aws.own_keys();
    let own = own.map_err(|why| failed(AwsFault::Refused(why)))?;
    let region = aws.settings.region.as_ref().ok_or(EksError::NoRegion)?;
    let call = aws.sts(region, own).assume_role();
    let call = call.role_arn(&role.arn).role_session_name(SESSION);
    let answer = call.set_external_id(role.external_id.clone()).send().await;
    let answer = answer.map_err(|error| failed(fault(failure::read(error))))?;
    let odd = || {
        failed(AwsFault::Refused(
            "its answer has no credentials".to_owned(),
        ))
    };
    let given = answer.credentials().ok_or_else(odd)?;
    let expires = Timestamp::from_second(given.expiration().secs()).map_err(|_| odd())?;
    Ok(Assumed {
        role: role.clone(),
        keys: Keys {
            id: given.access_key_id().to_owned(),
            secret: given.secret_access_key().to_owned(),
            session: Some(given.session_token().to_owned()),
        },
        expires,
    })
}

/// Asks EKS where a cluster is. The caller needs `eks:DescribeCluster` on it.
pub async fn describe(
    aws: &Aws,
    cluster: &EksCluster,
    region: &str,
    keys: &Keys,
) -> Result<Described, EksError> {
    let call = aws.eks(region, keys).describe_cluster();
    let answer = call.name(&cluster.name).send().await;
    let answer = answer
        .map_err(failure::read)
        .map_err(|error| match &error {
            AwsError::Refused(_, code, _) if code == "ResourceNotFoundException" => {
                EksError::NoCluster
            }
            AwsError::Refused(..) | AwsError::Unreachable(_) => {
                EksError::Call(EksCall::DescribeCluster, fault(error))
            }
        })?;
    let found = answer.cluster().ok_or(EksError::NoEndpoint)?;
    // EKS is asked by name alone, and answers from the account of whoever asks.
    let of_found = found.arn().and_then(|arn| EksCluster::read(arn).ok());
    let of_found = of_found.and_then(|found| found.account);
    match (&cluster.account, of_found) {
        (Some(meant), Some(found)) if *meant != found => Err(EksError::NoCluster),
        (_, _) => described(found),
    }
}

fn described(cluster: &Cluster) -> Result<Described, EksError> {
    let status = cluster.status();
    let is_active = [&ClusterStatus::Active, &ClusterStatus::Updating]
        .iter()
        .any(|active| status == Some(*active));
    if let Some(status) = status.filter(|_| !is_active) {
        return Err(EksError::NotActive(status.as_str().to_owned()));
    }
    let address = cluster.endpoint().ok_or(EksError::NoEndpoint)?;
    let address = server::address(address, Paths::Refused).map_err(|_| EksError::NoEndpoint)?;
    let ca = cluster.certificate_authority().and_then(|ca| ca.data());
    let ca = certificate::normalized(ca.ok_or(EksError::NoEndpoint)?).map_err(EksError::Ca)?;
    let vpc = cluster.resources_vpc_config();
    let network = vpc.map(|vpc| EksNetwork {
        public: vpc.endpoint_public_access(),
        private: vpc.endpoint_private_access(),
        public_blocks: vpc.public_access_cidrs().to_vec(),
        vpc: vpc.vpc_id().map(str::to_owned),
    });
    // The AWS CLI's rule for a local cluster.
    let outpost = cluster.outpost_config();
    let is_local = outpost.is_some_and(|outpost| outpost.etcd_instance_type().is_none());
    let id = cluster.id().filter(|_| is_local).or(cluster.name());
    Ok(Described {
        server: Server::new(&address, Some(ca)),
        network: network.unwrap_or_default(),
        id: id.unwrap_or_default().to_owned(),
    })
}

/// Makes a token for a cluster, which needs no call.
pub async fn sign(
    aws: &Aws,
    id: &str,
    region: &str,
    keys: &Keys,
    now: Timestamp,
) -> Result<Signed, EksError> {
    let signed = |why: String| EksError::Call(EksCall::GetCallerIdentity, AwsFault::Refused(why));
    let address = sts(aws, region).await.map_err(signed)?;
    let url = format!("{address}/?Action=GetCallerIdentity&Version=2011-06-15");
    let headers = [(CLUSTER_HEADER, id)];
    let url = signature::presign(&url, &headers, region, keys, now).map_err(signed)?;
    let token = format!("{}{}", appearance::EKS, URL_SAFE_NO_PAD.encode(url));
    if token.len() > EKS_TOKEN_LIMIT {
        return Err(EksError::TokenTooLong(token.len()));
    }
    Ok(Signed {
        token: Token::new(&token),
        renew_at: now + TOKEN_LIFE,
    })
}

/// The address of STS in a region. An endpoint of our own would be refused by the cluster, which
/// sends the signed call itself.
async fn sts(aws: &Aws, region: &str) -> Result<String, String> {
    let settings = &aws.settings;
    let parameters = Params::builder()
        .region(region)
        .use_fips(settings.fips)
        .use_dual_stack(settings.dual_stack)
        .use_global_endpoint(false)
        .build();
    let unknown = format!("the SDK knows no address of STS in {region}");
    let parameters = parameters.map_err(|_| unknown.clone())?;
    let endpoint = DefaultResolver::new().resolve_endpoint(&parameters).await;
    let endpoint = endpoint.map_err(|_| unknown)?;
    Ok(endpoint.url().trim_end_matches('/').to_owned())
}

fn fault(error: AwsError) -> AwsFault {
    match error {
        AwsError::Unreachable(why) => AwsFault::Unreachable(why),
        AwsError::Refused(status, code, message) => AwsFault::answered(status, &code, &message),
    }
}

#[cfg(test)]
mod tests;
