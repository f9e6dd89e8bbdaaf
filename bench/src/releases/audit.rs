//! The calls that one of the two made, from the API server's audit log.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};

/// The log file.
pub(super) struct Audit(String);

/// Where the log ended before somebody's calls.
pub(super) struct Counted {
    user: String,
    offset: u64,
}

/// The calls of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Calls {
    reads: usize,
    dry_runs: usize,
    writes: usize,
    /// Questions about permissions.
    reviews: usize,
}

impl Calls {
    /// These calls, or the others where there are more of them.
    pub(super) fn or(self, other: Calls) -> Calls {
        let sum = |calls: Calls| calls.reads + calls.dry_runs + calls.writes + calls.reviews;
        if sum(other) > sum(self) { other } else { self }
    }

    pub(super) fn words(self) -> String {
        let reads = self.reads + self.reviews;
        format!("{reads}, {}, {}", self.dry_runs, self.writes)
    }

    fn add(&mut self, event: &Value) {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        let uri = text("/requestURI").unwrap_or_default();
        let resource = text("/objectRef/resource").unwrap_or_default();
        *match text("/verb").unwrap_or_default() {
            _ if uri.contains("dryRun=All") => &mut self.dry_runs,
            _ if resource.ends_with("accessreviews") => &mut self.reviews,
            "create" | "update" | "patch" | "delete" => &mut self.writes,
            _ => &mut self.reads,
        } += 1;
    }
}

impl Audit {
    pub(super) fn open(path: String) -> Audit {
        Audit(path)
    }

    /// Begins to count the calls of a ServiceAccount.
    pub(super) fn count(&self, name: &str) -> Result<Counted, String> {
        let length = std::fs::metadata(&self.0).map(|data| data.len());
        Ok(Counted {
            user: format!("system:serviceaccount:default:{name}"),
            offset: length.map_err(|error| format!("{}: {error}", self.0))?,
        })
    }

    /// The calls since then.
    pub(super) fn since(&self, counted: Counted) -> Result<Calls, String> {
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
}
