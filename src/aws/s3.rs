//! Reads parts of an S3 object: ranged GETs, signed with a job's own credentials.
//!
//! Three responses need care: a bucket in another region, an object that changes between two reads
//! (each later read requires the first read's ETag), and S3's many kinds of refusals.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>

mod put;

use super::clients::Aws;
use super::failure::is_transient;
use super::http_client::{HttpsClient, host_of};
use super::partition;
use super::settings::{AwsService, Settings};
use crate::http;
use crate::kubernetes::failure;
use landfall_core::event::{Artifact, Keys};
use landfall_core::outcome::{StoreError, is_about_key, is_of_clock, key_fault};
use landfall_core::retry::{self, Failure, Next};
use landfall_core::text::percent_encoded;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_MATCH, RANGE, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use std::ops::Range;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long S3 may be silent, before and within a response.
const SILENCE: Duration = Duration::from_secs(5);

/// The words in KMS's error codes, which S3 passes on, for temporary errors.
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>
const KMS_BUSY: [&str; 4] = [
    "Throttling",
    "DependencyTimeout",
    "KMSInternal",
    "KeyUnavailable",
];

/// How much of an error's text is read.
const ERROR_LIMIT: usize = 16 * 1024;

/// Access to S3.
#[derive(Clone, Debug, Default)]
pub struct Store {
    settings: Settings,
    https: HttpsClient,
}

/// An opened object.
pub struct Object<'a> {
    store: &'a Store,
    keys: &'a Keys,
    artifact: &'a Artifact,
    region: String,
    /// S3's host in the object's region.
    host: String,
    etag: Option<HeaderValue>,
    /// The object's length.
    pub total: u64,
}

/// A failed read.
enum S3Error {
    /// The read failed, and a retry may help or not.
    Failed(StoreError, Failure),
    /// The bucket is in this region.
    Elsewhere(String),
}

impl Store {
    /// Uses the settings for all of AWS.
    pub fn new(aws: &Aws) -> Store {
        Store {
            settings: aws.settings.clone(),
            https: aws.https.clone(),
        }
    }

    /// Opens an object and reads its last bytes: `tail` of them, or all. `region` is the region of
    /// the previous object, because all objects are usually in one bucket.
    pub async fn open<'a>(
        &'a self,
        keys: &'a Keys,
        artifact: &'a Artifact,
        tail: u64,
        region: Option<String>,
    ) -> Result<(Object<'a>, Vec<u8>), StoreError> {
        let region = region.or(self.settings.region.clone());
        let mut object = self.object(keys, artifact, region).await?;
        let mut bytes = Vec::new();
        let limit = usize::try_from(tail).unwrap_or(usize::MAX);
        let begun = |bytes: &mut Vec<u8>| bytes.clear();
        let take = |bytes: &mut Vec<u8>, more: &[u8]| {
            bytes.extend_from_slice(more);
            Ok::<_, StoreError>(bytes.len() <= limit)
        };
        object
            .get(&format!("bytes=-{tail}"), &mut bytes, begun, take)
            .await?;
        match bytes.len() <= limit && bytes.len() as u64 <= object.total {
            true => Ok((object, bytes)),
            false => Err(StoreError::Refused(
                "more came than was asked for".to_owned(),
            )),
        }
    }

    /// An object of which nothing was read.
    async fn object<'a>(
        &'a self,
        keys: &'a Keys,
        artifact: &'a Artifact,
        region: Option<String>,
    ) -> Result<Object<'a>, StoreError> {
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        // In a URL such a part would lead to another object.
        let mut parts = artifact.key.split('/');
        if parts.any(|part| [".", ".."].contains(&part)) {
            return Err(StoreError::NoUrl);
        }
        Ok(Object {
            store: self,
            keys,
            artifact,
            host: self.host(&region).await?,
            region,
            etag: None,
            total: 0,
        })
    }

    /// S3's host in a region, or that of the configured endpoint.
    async fn host(&self, region: &str) -> Result<String, StoreError> {
        if let Some(endpoint) = self.settings.endpoint(AwsService::S3) {
            return Ok(host_of(endpoint));
        }
        let suffix = partition::suffix(region).await;
        let suffix = suffix.map_err(StoreError::Refused)?;
        let fips = if self.settings.fips { "-fips" } else { "" };
        let dual = match self.settings.dual_stack {
            true => ".dualstack",
            false => "",
        };
        Ok(format!("s3{fips}{dual}.{region}.{suffix}"))
    }

    /// The URL of an object. A bucket with a dot in its name would not match the certificate.
    fn url(&self, host: &str, bucket: &str, key: &str) -> String {
        let key = encoded(key);
        if let Some(endpoint) = self.settings.endpoint(AwsService::S3) {
            return format!("{endpoint}/{}/{key}", encoded(bucket));
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match bucket.bytes().all(plain) {
            true => format!("https://{bucket}.{host}/{key}"),
            false => format!("https://{host}/{}/{key}", encoded(bucket)),
        }
    }
}

/// Encodes a path for SigV4, except for the slashes.
fn encoded(text: &str) -> String {
    percent_encoded(text, b"-._~/")
}

impl Object<'_> {
    /// The region of the bucket.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Reads some bytes and passes them on as they arrive. `begin` is called before each attempt,
    /// `take` for each piece; if `take` returns false, the rest is not read.
    pub async fn read<S, E: From<StoreError>>(
        &mut self,
        range: Range<u64>,
        state: &mut S,
        begin: impl FnMut(&mut S),
        take: impl FnMut(&mut S, &[u8]) -> Result<bool, E>,
    ) -> Result<(), E> {
        let last = range.end.saturating_sub(1);
        let range = format!("bytes={}-{last}", range.start);
        self.get(&range, state, begin, take).await
    }

    /// Prepares another attempt: after a pause, or in the region in which the bucket is, unless it
    /// was said to be in another one before. The caller has a deadline for the whole.
    async fn recover(
        &mut self,
        trouble: S3Error,
        attempts: u32,
        moved: &mut bool,
    ) -> Result<(), StoreError> {
        let region = match trouble {
            S3Error::Elsewhere(region) => region,
            S3Error::Failed(error, failure) => {
                match retry::next(failure, attempts, Duration::MAX, fastrand::f64()) {
                    Next::Retry(pause) => sleep(pause).await,
                    Next::GiveUp | Next::OutOfTime => return Err(error),
                }
                return Ok(());
            }
        };
        if std::mem::replace(moved, true) {
            let why = format!("the bucket is said to be in {region}, and is not");
            return Err(StoreError::Refused(why));
        }
        tracing::info!(region, "the bucket is in another region");
        self.host = self.store.host(&region).await?;
        self.region = region;
        Ok(())
    }

    async fn get<S, E: From<StoreError>>(
        &mut self,
        range: &str,
        state: &mut S,
        mut begin: impl FnMut(&mut S),
        mut take: impl FnMut(&mut S, &[u8]) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut attempts = 0;
        let mut moved = false;
        loop {
            let trouble = match self.ask(range).await {
                Ok(mut response) => {
                    begin(state);
                    match self.body(&mut response, state, &mut take).await? {
                        None => return Ok(()),
                        Some(why) => unreachable(why),
                    }
                }
                Err(trouble) => trouble,
            };
            attempts += 1;
            self.recover(trouble, attempts, &mut moved).await?;
        }
    }

    /// Reads a body; `Some` says what interrupted it.
    async fn body<S, E>(
        &self,
        response: &mut Response,
        state: &mut S,
        mut take: impl FnMut(&mut S, &[u8]) -> Result<bool, E>,
    ) -> Result<Option<String>, E> {
        loop {
            match timeout(SILENCE, response.chunk()).await {
                Ok(Ok(Some(piece))) => {
                    if !take(state, &piece)? {
                        return Ok(None);
                    }
                }
                Ok(Ok(None)) => return Ok(None),
                Ok(Err(error)) => return Ok(Some(failure::told(&error, &self.host))),
                Err(_) => return Ok(Some("it fell silent in the middle".to_owned())),
            }
        }
    }

    async fn ask(&mut self, range: &str) -> Result<Response, S3Error> {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, header(range)?);
        if let Some(etag) = &self.etag {
            headers.insert(IF_MATCH, etag.clone());
        }
        let response = self.send(Method::GET, headers, &[]).await?;
        // An empty object has no last byte.
        let is_empty = response.status() == StatusCode::RANGE_NOT_SATISFIABLE;
        if is_empty && self.etag.is_none() {
            let bytes = ::http::Response::new(Vec::new());
            return Ok(Response::from(bytes));
        }
        let header = response.headers().get(CONTENT_RANGE);
        let total = header.and_then(|range| range.to_str().ok()?.rsplit('/').next()?.parse().ok());
        let total = match response.status() {
            StatusCode::PARTIAL_CONTENT => total,
            // Some servers return an object without a last byte as a whole.
            StatusCode::OK if self.etag.is_none() => response.content_length(),
            _ => return Err(self.refusal(response).await),
        };
        let Some(total) = total else {
            return Err(refused("it does not say how long the object is".to_owned()));
        };
        if self.etag.is_some() && total != self.total {
            return Err(permanent(StoreError::Changed));
        }
        self.total = total;
        if self.etag.is_none() {
            self.etag = response.headers().get(ETAG).cloned();
        }
        Ok(response)
    }

    async fn refusal(&self, response: Response) -> S3Error {
        let status = response.status();
        let told = response.headers().get("x-amz-bucket-region");
        let told = told
            .and_then(|region| region.to_str().ok())
            .map(str::to_owned);
        let asked = response.headers().get(RETRY_AFTER);
        let asked = retry::asked(asked.and_then(|value| value.to_str().ok()));
        let body = timeout(SILENCE, http::read(response, ERROR_LIMIT)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        let body = String::from_utf8_lossy(&body);
        let code = element(&body, "Code").unwrap_or_default();
        let region = told.or_else(|| element(&body, "Region"));
        if let Some(region) = region
            && is_region(&region)
            && region != self.region
        {
            return S3Error::Elsewhere(region);
        }
        let text = element(&body, "Message").unwrap_or_default();
        let text = text.trim_end_matches('.');
        let said = match (code.is_empty(), text.is_empty()) {
            (true, _) => format!("HTTP {}", status.as_u16()),
            (false, true) => code.clone(),
            (false, false) => format!("{code}: {text}"),
        };
        // S3 explains each refusal of a GET in XML.
        let is_foreign = code.is_empty() && !body.trim().is_empty();
        if is_foreign && !is_transient(status.as_u16(), "") {
            let why = format!("{said} came, and not from S3; a proxy or another server sent it");
            return permanent(StoreError::Unreachable(why));
        }
        let (error, failure) = refusal(status.as_u16(), &code, said, asked);
        S3Error::Failed(error, failure)
    }
}

fn is_region(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= 32 && text.bytes().all(plain)
}

fn header(value: &str) -> Result<HeaderValue, S3Error> {
    HeaderValue::from_str(value).map_err(|error| refused(error.to_string()))
}

fn permanent(error: StoreError) -> S3Error {
    S3Error::Failed(error, Failure::Permanent)
}

fn refused(why: String) -> S3Error {
    permanent(StoreError::Refused(why))
}

fn unreachable(why: String) -> S3Error {
    S3Error::Failed(StoreError::Unreachable(why), Failure::Transient(None))
}

/// Classifies an error of S3.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
fn refusal(
    status: u16,
    code: &str,
    said: String,
    asked: Option<Duration>,
) -> (StoreError, Failure) {
    let is_kms_busy = code.starts_with("KMS.") && KMS_BUSY.iter().any(|it| code.contains(it));
    if is_kms_busy || is_transient(status, code) {
        return (StoreError::Busy(said), Failure::Transient(asked));
    }
    let error = match (status, code) {
        (_, "ExpiredToken" | "TokenRefreshRequired") => StoreError::Expired(said),
        (_, "InvalidObjectState") => StoreError::Frozen,
        _ if is_of_clock(&said) => StoreError::Clock(said),
        (_, "InvalidToken" | "InvalidAccessKeyId" | "SignatureDoesNotMatch") => {
            StoreError::NotSigned(said)
        }
        (400 | 403, _) if is_about_key(&said) => match key_fault(&said) {
            Some(fault) => StoreError::KeyUnusable(fault, said),
            None => StoreError::KeyDenied(said),
        },
        (_, "NoSuchKey" | "NoSuchBucket" | "NoSuchVersion") | (404, _) => StoreError::Missing(said),
        (412, _) => StoreError::Changed,
        (401 | 403, _) => StoreError::Denied(said),
        _ => StoreError::Refused(said),
    };
    (error, Failure::Permanent)
}

/// The text of an element in S3's error documents, which are flat.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    let text = text.replace("&quot;", "\"").replace("&#39;", "'");
    Some(text.replace("&amp;", "&").trim().to_owned())
}

#[cfg(test)]
mod tests;
