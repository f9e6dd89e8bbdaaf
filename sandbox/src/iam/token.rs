//! Checks a token of EKS as aws-iam-authenticator and then STS do.
//! <https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/pkg/token/token.go>

use crate::iam::{AccessKey, AccessKeys, Principal};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;
use url::{Host, Url};

const PREFIX: &str = "k8s-aws-v1.";
const LONGEST: usize = 4096;
const LIFE: SignedDuration = SignedDuration::from_mins(15);
/// The longest `X-Amz-Expires`, in seconds.
const LONGEST_EXPIRY: u64 = 900;
const CLUSTER_HEADER: &str = "x-k8s-aws-id";
/// The parameters that the signed URL may have.
const PARAMETERS: [&str; 9] = [
    "action",
    "version",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];

type Parameters = BTreeMap<String, String>;

impl AccessKeys {
    /// Whose token it is, at the server of this cluster; or why it is refused.
    pub(crate) fn verify(
        &self,
        token: &str,
        cluster: &str,
        now: Timestamp,
    ) -> Result<Principal, &'static str> {
        let url = decode(token)?;
        let parameters = parameters(&url)?;
        let signed_at = check(&parameters, now)?;
        let scope = given(&parameters, "x-amz-credential")?;
        let scope = scope.split('/').collect::<Vec<_>>();
        let [id, _, region, "sts", "aws4_request"] = *scope else {
            return Err("the credential is not for STS");
        };
        let host = url.host_str().unwrap_or_default();
        if !host_fits(host, region) {
            return Err("the credential is for another region than the host");
        }
        let key = self.get(id).ok_or("the access key is not known")?;
        if key.expires <= now {
            return Err("the credentials have expired");
        }
        if given(&parameters, "x-amz-security-token")? != key.session {
            return Err("the security token is another one's");
        }
        let expected = signature(&url, &parameters, region, &key, cluster, signed_at)?;
        match given(&parameters, "x-amz-signature")? == expected {
            true => Ok(key.principal),
            false => Err("the signature does not match"),
        }
    }
}

/// The signed URL in a token.
fn decode(token: &str) -> Result<Url, &'static str> {
    if token.len() > LONGEST {
        return Err("the token is too long");
    }
    let coded = token.strip_prefix(PREFIX).ok_or("the prefix is missing")?;
    let url = URL_SAFE_NO_PAD.decode(coded);
    let url = url.map_err(|_| "it is not base64url without padding")?;
    let url = String::from_utf8(url).map_err(|_| "it is not text")?;
    let url = Url::parse(&url).map_err(|_| "it is not a URL")?;
    let is_bare = url.port().is_none() && url.username().is_empty() && url.fragment().is_none();
    let is_name = matches!(url.host(), Some(Host::Domain(_)));
    match url.scheme() == "https" && url.path() == "/" && is_bare && is_name {
        true => Ok(url),
        false => Err("the URL is not one of STS"),
    }
}

/// Whether it is a host of STS in the partition `aws`, for a credential of this region.
fn host_fits(host: &str, region: &str) -> bool {
    let is_region = region.split('-').count() >= 3;
    let regional = [
        format!("sts.{region}.amazonaws.com"),
        format!("sts-fips.{region}.amazonaws.com"),
        format!("sts.{region}.api.aws"),
    ];
    let is_global = host == "sts.amazonaws.com" && region == "us-east-1";
    is_global || (is_region && regional.iter().any(|one| one == host))
}

/// The parameters of the URL, by their names in lower case.
fn parameters(url: &Url) -> Result<Parameters, &'static str> {
    let mut all = Parameters::new();
    for (name, value) in url.query_pairs() {
        let name = name.to_lowercase();
        if !PARAMETERS.contains(&&*name) {
            return Err("a parameter is not allowed");
        }
        if all.insert(name, value.into_owned()).is_some() {
            return Err("a parameter is there twice");
        }
    }
    Ok(all)
}

fn given<'a>(parameters: &'a Parameters, name: &str) -> Result<&'a str, &'static str> {
    let value = parameters.get(name).map(String::as_str);
    value.ok_or("a parameter is missing")
}

/// What the authenticator checks by itself. Returns when the URL was signed.
fn check(parameters: &Parameters, now: Timestamp) -> Result<Timestamp, &'static str> {
    if given(parameters, "action")? != "GetCallerIdentity" {
        return Err("the action is not GetCallerIdentity");
    }
    let mut signed = given(parameters, "x-amz-signedheaders")?.split(';');
    if !signed.any(|header| header.eq_ignore_ascii_case(CLUSTER_HEADER)) {
        return Err("the cluster's header is not signed");
    }
    let expires = given(parameters, "x-amz-expires")?.parse::<u64>();
    if expires.is_ok_and(|expires| expires > LONGEST_EXPIRY) {
        return Err("X-Amz-Expires is too long");
    }
    let date = given(parameters, "x-amz-date")?;
    let date = DateTime::strptime("%Y%m%dT%H%M%SZ", date).map_err(|_| "X-Amz-Date is odd")?;
    let date = date.to_zoned(TimeZone::UTC);
    let signed_at = date.map_err(|_| "X-Amz-Date is odd")?.timestamp();
    match now.duration_since(signed_at) > LIFE {
        true => Err("X-Amz-Date is older than 15 minutes"),
        false => Ok(signed_at),
    }
}

/// The signature that STS computes, which gets the cluster's header from the API server.
fn signature(
    url: &Url,
    parameters: &Parameters,
    region: &str,
    key: &AccessKey,
    cluster: &str,
    signed_at: Timestamp,
) -> Result<String, &'static str> {
    let host = url.host_str().unwrap_or_default();
    let version = given(parameters, "version")?;
    let url = format!("https://{host}/?Action=GetCallerIdentity&Version={version}");
    let expires = given(parameters, "x-amz-expires")?.parse();
    let expires = Duration::from_secs(expires.map_err(|_| "X-Amz-Expires is odd")?);
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(expires);
    let session = Some(key.session.clone());
    let identity = Credentials::new(&key.id, &key.secret, session, None, "sandbox").into();
    let unsigned = "the request cannot be signed";
    let how = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("sts")
        .time(signed_at.into())
        .settings(settings)
        .build();
    let how = how.map_err(|_| unsigned)?.into();
    let headers = [(CLUSTER_HEADER, cluster)].into_iter();
    let request = SignableRequest::new("GET", &url, headers, SignableBody::Bytes(&[]));
    let signed = sign(request.map_err(|_| unsigned)?, &how).map_err(|_| unsigned)?;
    Ok(signed.into_parts().1)
}

#[cfg(test)]
mod tests;
