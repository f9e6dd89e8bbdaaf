//! S3's buckets and their objects.

use crate::aws::account::REGION;
use hyper::body::Bytes;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(super) struct Buckets {
    pub(super) objects: BTreeMap<(String, String), Bytes>,
    pub(super) regions: BTreeMap<String, String>,
    /// Those that the function's own role may read.
    pub(super) open: BTreeSet<String>,
}

impl Buckets {
    pub(super) fn put(&mut self, bucket: &str, key: &str, content: Bytes) {
        self.regions
            .entry(bucket.to_owned())
            .or_insert_with(|| REGION.to_owned());
        self.objects
            .insert((bucket.to_owned(), key.to_owned()), content);
    }

    /// The artifact store of a pipeline is there, whoever writes to it first.
    pub(super) fn open_stores(&mut self, event: &Value) {
        let outputs = event["CodePipeline.job"]["data"]["outputArtifacts"].as_array();
        for output in outputs.into_iter().flatten() {
            if let Some(bucket) = output["location"]["s3Location"]["bucketName"].as_str() {
                let region = self.regions.entry(bucket.to_owned());
                region.or_insert_with(|| REGION.to_owned());
            }
        }
    }

    pub(super) fn locate(&mut self, bucket: &str, region: &str) {
        self.regions.insert(bucket.to_owned(), region.to_owned());
    }
}
