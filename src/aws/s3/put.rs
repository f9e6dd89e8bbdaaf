//! Writes an object.

use super::{Object, S3Error, SILENCE, Store, unreachable};
use crate::aws::signature::Signature;
use crate::kubernetes::failure;
use jiff::Timestamp;
use landfall_core::event::{Keys, Output};
use landfall_core::outcome::StoreError;
use landfall_core::retry::{self, Failure, Next};
use reqwest::Body;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The header that has S3 encrypt with a key of KMS.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
const ENCRYPTION: &str = "x-amz-server-side-encryption";

impl Store {
    /// Writes an archive to where an output artifact goes, encrypted as the job says. Done twice,
    /// it does no more than once.
    pub async fn put(
        &self,
        keys: &Keys,
        output: &Output,
        content: &[u8],
    ) -> Result<(), StoreError> {
        let region = self.settings.region.clone();
        let mut object = self.object(keys, &output.artifact, region).await?;
        let (mut attempts, mut moved) = (0, false);
        let mut by_kms = output.key.is_some();
        loop {
            let key = output.key.as_deref();
            let trouble = match object.send(by_kms, key, content).await {
                Ok(()) => return Ok(()),
                Err(trouble) => trouble,
            };
            attempts += 1;
            match trouble {
                S3Error::Elsewhere(region) => object.moves_to(region, &mut moved).await?,
                // The policy of a pipeline's bucket may deny what does not ask for KMS, also where
                // the job names no key.
                // <https://docs.aws.amazon.com/codepipeline/latest/userguide/S3-artifact-encryption.html>
                S3Error::Failed(StoreError::Denied(_), _) if !by_kms => by_kms = true,
                S3Error::Failed(error, failure) => {
                    match retry::next(failure, attempts, Duration::MAX, fastrand::f64()) {
                        Next::Retry(pause) => sleep(pause).await,
                        Next::GiveUp | Next::OutOfTime => return Err(error),
                    }
                }
            }
        }
    }
}

impl Object<'_> {
    async fn send(&self, by_kms: bool, key: Option<&str>, content: &[u8]) -> Result<(), S3Error> {
        let permanent = |error| S3Error::Failed(error, Failure::Permanent);
        let refused = |why: String| permanent(StoreError::Refused(why));
        let url = self
            .store
            .url(&self.host, &self.artifact.bucket, &self.artifact.key);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zip"));
        if by_kms {
            headers.insert(ENCRYPTION, HeaderValue::from_static("aws:kms"));
        }
        if let Some(key) = key {
            let key = HeaderValue::from_str(key).map_err(|error| refused(error.to_string()))?;
            headers.insert("x-amz-server-side-encryption-aws-kms-key-id", key);
        }
        let signature = Signature {
            service: "s3",
            region: &self.region,
            keys: self.keys,
            now: Timestamp::now(),
        };
        let headers = signature.sign("PUT", &url, headers, content);
        let headers = headers.map_err(refused)?;
        let client = self.store.https.client();
        let client = client.map_err(|why| permanent(StoreError::Unreachable(why)))?;
        let request = client
            .put(url)
            .headers(headers)
            .body(Body::from(content.to_vec()));
        let response = match timeout(SILENCE, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(unreachable(failure::told(&error, &self.host))),
            Err(_) => return Err(unreachable("it does not answer".to_owned())),
        };
        match response.status().is_success() {
            true => Ok(()),
            false => Err(self.refusal(response).await),
        }
    }
}
