//! The calls that somebody made, from the API server's audit log.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::time::Duration;

/// Until the end of a watch is in the log.
const LOGGED: Duration = Duration::from_secs(2);

/// The log file.
pub(crate) struct Audit(String);

/// Where the log ended before somebody's calls.
pub(crate) struct Counted {
    user: String,
    offset: u64,
}

/// The calls of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    reads: usize,
    dry_runs: usize,
    writes: usize,
    /// Questions about permissions.
    reviews: usize,
    /// How many of each verb and resource, such as `watch pods`.
    pub(crate) kinds: BTreeMap<String, usize>,
}

impl Calls {
    /// These calls, or the others where there are more of them.
    pub(crate) fn or(self, other: Calls) -> Calls {
        if other.all() > self.all() {
            other
        } else {
            self
        }
    }

    pub(crate) fn words(&self) -> String {
        let reads = self.reads + self.reviews;
        format!("{reads}, {}, {}", self.dry_runs, self.writes)
    }

    /// All of them.
    pub(crate) fn all(&self) -> usize {
        self.reads + self.dry_runs + self.writes + self.reviews
    }

    fn add(&mut self, event: &Value) {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        let uri = text("/requestURI").unwrap_or_default();
        let resource = text("/objectRef/resource").unwrap_or_default();
        let verb = text("/verb").unwrap_or_default();
        *self.kinds.entry(format!("{verb} {resource}")).or_default() += 1;
        *match verb {
            _ if uri.contains("dryRun=All") => &mut self.dry_runs,
            _ if resource.ends_with("accessreviews") => &mut self.reviews,
            "create" | "update" | "patch" | "delete" => &mut self.writes,
            _ => &mut self.reads,
        } += 1;
    }
}

impl Audit {
    pub(crate) fn open(path: String) -> Audit {
        Audit(path)
    }

    /// Begins to count the calls of a ServiceAccount.
    pub(crate) fn count(&self, name: &str) -> Result<Counted, String> {
        let length = std::fs::metadata(&self.0).map(|data| data.len());
        Ok(Counted {
            user: format!("system:serviceaccount:default:{name}"),
            offset: length.map_err(|error| format!("{}: {error}", self.0))?,
        })
    }

    /// The calls since then.
    pub(crate) fn since(&self, counted: Counted) -> Result<Calls, String> {
        let told = |error: std::io::Error| format!("{}: {error}", self.0);
        let mut file = std::fs::File::open(&self.0).map_err(told)?;
        file.seek(SeekFrom::Start(counted.offset)).map_err(told)?;
        let mut calls = Calls::default();
        for line in BufReader::new(file).lines() {
            let event = serde_json::from_str::<Value>(&line.map_err(told)?).unwrap_or_default();
            if event.pointer("/user/username").and_then(Value::as_str) == Some(&counted.user) {
                calls.add(&event);
            }
        }
        Ok(calls)
    }

    /// The same where connections have just been closed: a watch is logged when it has ended.
    pub(crate) async fn settled(&self, counted: Counted) -> Result<Calls, String> {
        tokio::time::sleep(LOGGED).await;
        self.since(counted)
    }
}
