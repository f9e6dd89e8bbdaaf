//! Signs requests to S3 and EventBridge, and the call to STS that is a token of EKS, with the SDK's
//! signer.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>

use crate::http::chain;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningError, SigningInstructions, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use jiff::Timestamp;
use landfall_core::event::Keys;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue};
use std::time::Duration;

/// How long a signed URL is valid by itself. STS does not look at it; this is what everyone sends.
const URL_LIFE: Duration = Duration::from_secs(60);

/// Signs a call to STS that another will send: a GET of this URL with these headers. Returns the
/// URL with the signature in its query.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
pub fn presign(
    url: &str,
    headers: &[(&str, &str)],
    region: &str,
    keys: &Keys,
    now: Timestamp,
) -> Result<String, String> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(URL_LIFE);
    let body = SignableBody::Bytes(&[]);
    let request = SignableRequest::new("GET", url, headers.iter().copied(), body);
    let instructions = signed("sts", region, keys, now, settings, request)?;
    let mut url = Url::parse(url).map_err(|_| "the URL is not valid".to_owned())?;
    for (name, value) in instructions.params() {
        url.query_pairs_mut().append_pair(name, value);
    }
    Ok(url.into())
}

/// Signs a request to a service.
fn signed(
    service: &str,
    region: &str,
    keys: &Keys,
    now: Timestamp,
    settings: SigningSettings,
    request: Result<SignableRequest<'_>, SigningError>,
) -> Result<SigningInstructions, String> {
    let session = keys.session.clone();
    let identity = Credentials::new(&keys.id, &keys.secret, session, None, "landfall").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(now.into())
        .settings(settings)
        .build()
        .map_err(|error| chain(&error))?
        .into();
    let request = request.map_err(|error| chain(&error))?;
    let signed = sign(request, &parameters).map_err(|error| chain(&error))?;
    Ok(signed.into_parts().0)
}

/// The parameters of a signature.
pub struct Signature<'a> {
    /// The service, as signatures name it.
    pub service: &'a str,
    /// The region of the bucket or the bus.
    pub region: &'a str,
    /// The credentials.
    pub keys: &'a Keys,
    /// The time; AWS refuses a signature that is five minutes off.
    pub now: Timestamp,
}

impl Signature<'_> {
    /// The headers of a request, including its signature. The URL must be exactly the one that is
    /// sent.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>
    pub fn sign(
        &self,
        method: &str,
        url: &str,
        mut headers: HeaderMap,
        body: &[u8],
    ) -> Result<HeaderMap, String> {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let shown = headers.iter();
        let shown = shown.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let request = SignableRequest::new(method, url, shown, SignableBody::Bytes(body));
        let signed = signed(
            self.service,
            self.region,
            self.keys,
            self.now,
            settings,
            request,
        )?;
        let (added, _) = signed.into_parts();
        for header in added {
            let value = HeaderValue::from_str(header.value());
            let mut value = value.map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            headers.insert(header.name(), value);
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests;
