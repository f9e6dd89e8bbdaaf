//! Kubeconfigs from SSM: which cluster a context names, and what opens it.

use super::connection::{Connection, IamUser, unusable};
use super::eks::{self, Assumed};
use super::ssm;
use crate::aws::clients::Aws;
use crate::kubernetes::Cluster;
use crate::telemetry::logging;
use jiff::{SignedDuration, Timestamp};
use landfall_core::kubeconfig::{Kubeconfig, KubeconfigUser, Selected};
use landfall_core::kubernetes::credential::Credential;
use landfall_core::outcome::{CredentialSource, CredentialsError, UserKind};

/// For how long a kubeconfig is believed. It may come to name another server under the same
/// context, which a warm function must not miss; a deploy of several invocations needs it once.
const LIFE: SignedDuration = SignedDuration::from_secs(60);

/// A kubeconfig that was read.
pub(super) struct Kept {
    kubeconfig: Kubeconfig,
    read_at: Timestamp,
}

/// Selects a context of the kubeconfig. What is wrong with the one that is kept may be corrected by
/// now: then it is read again.
pub(super) async fn select(
    aws: &Aws,
    parameter: &str,
    context: Option<&str>,
    kept: &mut Option<Kept>,
    now: Timestamp,
) -> Result<Selected, CredentialsError> {
    let selected = usable(read(aws, parameter, kept, now).await?, context, now);
    let is_new = kept.as_ref().is_some_and(|kept| kept.read_at == now);
    if is_new || selected.is_ok() {
        return selected;
    }
    *kept = None;
    usable(read(aws, parameter, kept, now).await?, context, now)
}

fn usable(
    kubeconfig: &Kubeconfig,
    context: Option<&str>,
    now: Timestamp,
) -> Result<Selected, CredentialsError> {
    let selected = kubeconfig.select(context).and_then(|selected| {
        selected.check(now)?;
        Ok(selected)
    });
    selected.map_err(CredentialsError::Kubeconfig)
}

/// Reads the kubeconfig from its parameter, unless the one that is kept was read just now.
async fn read<'a>(
    aws: &Aws,
    parameter: &str,
    kept: &'a mut Option<Kept>,
    now: Timestamp,
) -> Result<&'a Kubeconfig, CredentialsError> {
    let fresh = kept.take().filter(|kept| now < kept.read_at + LIFE);
    let current = match fresh {
        Some(kept) => kept,
        None => {
            let values = ssm::values(aws, &[parameter]).await?;
            let text = values.first().map(String::as_str).unwrap_or_default();
            Kept {
                kubeconfig: Kubeconfig::read(text).map_err(CredentialsError::Kubeconfig)?,
                read_at: now,
            }
        }
    };
    let kubeconfig = &kept.insert(current).kubeconfig;
    logging::hide(kubeconfig.secrets());
    Ok(kubeconfig)
}

/// Opens the cluster of a context. A connection that is open to the same server, with the same
/// credential, is kept.
pub(super) async fn open(
    aws: &Aws,
    selected: Selected,
    source: &CredentialSource,
    open: Option<Connection>,
    assumed: &mut Vec<Assumed>,
    now: Timestamp,
) -> Result<Connection, CredentialsError> {
    let Selected {
        context,
        server,
        user,
        ..
    } = selected;
    let (credential, iam, kind) = match user {
        KubeconfigUser::Token(token) => (Credential::Token(token), None, UserKind::Token),
        KubeconfigUser::Certificate(certificate) => {
            let credential = Credential::Certificate(certificate);
            (credential, None, UserKind::Certificate)
        }
        KubeconfigUser::Eks(cluster) => {
            // Reports name the region, wherever it is from.
            let region = eks::region(aws, &cluster)?;
            let cluster = cluster.or_in(Some(&region));
            let user = IamUser {
                id: cluster.name.clone(),
                region,
                role: cluster.role.clone(),
            };
            let keys = eks::keys(aws, user.role.as_ref(), assumed, now).await?;
            let (credential, iam) = eks::signed_in(aws, user, &keys, now).await?;
            (credential, Some(iam), UserKind::Eks(cluster))
        }
    };
    let source = source.of_context(context, kind);
    // A client certificate belongs to the way.
    let way = open.filter(|open| open.server == server && open.has_way_for(&credential));
    let cluster = match &way {
        Some(open) => Cluster::on(open.cluster.approach(), &credential),
        None => Cluster::new(&server, &credential),
    };
    let cluster = cluster.map_err(unusable)?;
    Ok(Connection {
        iam,
        kinds: way.map(|open| open.kinds).unwrap_or_default(),
        ..Connection::new(cluster, server, credential, source)
    })
}
