//! Sends a request about an object, and writes one.

use super::{Object, S3Error, SILENCE, Store, header, permanent, refused, unreachable};
use crate::aws::signature::Signature;
use crate::kubernetes::failure;
use jiff::Timestamp;
use landfall_core::event::{Artifact, Keys, Output};
use landfall_core::outcome::StoreError;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Response};
use tokio::time::timeout;

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
            let trouble = match object.write(by_kms, key, content).await {
                Ok(()) => return Ok(()),
                Err(trouble) => trouble,
            };
            attempts += 1;
            match trouble {
                // The policy of a pipeline's bucket may deny what does not ask for KMS, also where
                // the job names no key.
                // <https://docs.aws.amazon.com/codepipeline/latest/userguide/S3-artifact-encryption.html>
                S3Error::Failed(StoreError::Denied(_), _) if !by_kms => by_kms = true,
                trouble @ (S3Error::Failed(..) | S3Error::Elsewhere(_)) => {
                    object.recover(trouble, attempts, &mut moved).await?;
                }
            }
        }
    }
}

impl Object<'_> {
    /// Signs and sends one request about the object.
    pub(super) async fn send(
        &self,
        method: Method,
        headers: HeaderMap,
        content: &[u8],
    ) -> Result<Response, S3Error> {
        let Artifact { bucket, key, .. } = self.artifact;
        let url = self.store.url(&self.host, bucket, key);
        let signature = Signature {
            service: "s3",
            region: &self.region,
            keys: self.keys,
            now: Timestamp::now(),
        };
        let headers = signature.sign(method.as_str(), &url, headers, content);
        let headers = headers.map_err(refused)?;
        let client = self.store.https.client();
        let client = client.map_err(|why| permanent(StoreError::Unreachable(why)))?;
        let request = client.request(method, url).headers(headers);
        match timeout(SILENCE, request.body(content.to_vec()).send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(unreachable(failure::told(&error, &self.host))),
            Err(_) => Err(unreachable("it does not answer".to_owned())),
        }
    }

    async fn write(&self, by_kms: bool, key: Option<&str>, content: &[u8]) -> Result<(), S3Error> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zip"));
        if by_kms {
            headers.insert(ENCRYPTION, HeaderValue::from_static("aws:kms"));
        }
        if let Some(key) = key {
            headers.insert("x-amz-server-side-encryption-aws-kms-key-id", header(key)?);
        }
        let response = self.send(Method::PUT, headers, content).await?;
        match response.status().is_success() {
            true => Ok(()),
            false => Err(self.refusal(response).await),
        }
    }
}
