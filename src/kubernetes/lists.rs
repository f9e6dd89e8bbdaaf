//! Lists, which come in pages.

use super::Cluster;
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::call::Call;
use landfall_core::kubernetes::pod::{PodPage, PodRecord, Pods};
use landfall_core::kubernetes::watched::Newest;
use serde_json::Value;
use tokio::time::Instant;

/// Pages of one list: a thousand objects of one Deployment.
const MAX_PAGES: usize = 20;

/// Pages of pods: ten thousand. Of more than that nothing is concluded.
const MAX_POD_PAGES: usize = 40;

impl Cluster {
    /// The pods of a ReplicaSet, each page reduced before the next one is fetched.
    pub async fn pods(&self, call: &Call, set: &str, until: Instant) -> Result<Pods, CallError> {
        let mut pods = Pods::default();
        let mut page = call.clone();
        for _ in 0..MAX_POD_PAGES {
            let read = |body: &[u8]| Pods::read(body, set);
            let (found, token) = self.read(&page, until, read).await?;
            pods.extend(found);
            if token.is_empty() {
                return Ok(pods);
            }
            page = call.clone().page(&token);
        }
        pods.cut = true;
        Ok(pods)
    }

    /// The pods under a selector, each reduced to what is kept of it, and the version from which
    /// they are followed; that is `None` where there are more pods than are read.
    pub async fn pod_records(
        &self,
        call: &Call,
        until: Instant,
    ) -> Result<(Vec<PodRecord>, Option<String>), CallError> {
        let (mut pods, mut newest) = (Vec::new(), Newest::default());
        let mut page = call.clone();
        for _ in 0..MAX_POD_PAGES {
            let found = self.read(&page, until, PodPage::read).await?;
            pods.extend(found.pods);
            newest = newest.max(found.newest);
            if found.proceed.is_empty() {
                return Ok((pods, Some(newest.start(&found.version))));
            }
            page = call.clone().page(&found.proceed);
        }
        Ok((pods, None))
    }

    /// All pages of a list, each item reduced by `read` before the next page is fetched.
    pub async fn list<T>(
        &self,
        call: Call,
        until: Instant,
        read: impl Fn(&Value) -> T,
    ) -> Result<Vec<T>, CallError> {
        let all = self.list_at(call, until, read).await?;
        Ok(all.0)
    }

    /// The same, and the version from which it is followed; `None` where it is longer than is read.
    pub async fn list_at<T>(
        &self,
        call: Call,
        until: Instant,
        read: impl Fn(&Value) -> T,
    ) -> Result<(Vec<T>, Option<String>), CallError> {
        let (mut found, mut newest) = (Vec::new(), Newest::default());
        let mut page = call.clone();
        for _ in 0..MAX_PAGES {
            let list = match self.send(&page, until).await {
                // The list has grown too old while it was read: it is begun again.
                // https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
                Err(CallError::Refused(refusal)) if refusal.code == 410 && page != call => {
                    found.clear();
                    page = call.clone();
                    continue;
                }
                sent => sent?,
            };
            let items = list.get("items").and_then(Value::as_array);
            for item in items.into_iter().flatten() {
                let version = item.pointer("/metadata/resourceVersion");
                newest.add(version.and_then(Value::as_str).unwrap_or_default());
                found.push(read(item));
            }
            let token = list.pointer("/metadata/continue").and_then(Value::as_str);
            match token {
                Some(token) if !token.is_empty() => page = call.clone().page(token),
                _ => {
                    let version = list.pointer("/metadata/resourceVersion");
                    let version = version.and_then(Value::as_str).unwrap_or_default();
                    return Ok((found, Some(newest.start(version))));
                }
            }
        }
        tracing::warn!(
            resource = &*call.resource,
            "the list is longer than is read"
        );
        Ok((found, None))
    }
}
