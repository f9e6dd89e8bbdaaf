//! What is on the outside of a record: it can be read, and changed, without unpacking it.

use crate::kubernetes::object::timestamp;
use crate::state::marks::{
    AT, CAUSE, COMMIT, COMMITTED, EXECUTION, JOB, PREVIOUS, RELEASE, RELEASE_REVISION,
    RETURNED_FROM, RETURNED_TO, ROLLED_BACK_AT, STATUS, WAY_BACK,
};
use crate::text::{clip, one_line};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The longest cause that is kept.
const CAUSE_LIMIT: usize = 1000;

/// How far a revision has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is being deployed, or its deploy died.
    Pending,
    /// It was deployed as a whole.
    Deployed,
    /// It failed.
    Failed,
    /// It was deployed, and a later one is.
    Superseded,
}

/// Their words in the annotation.
const WORDS: [(Status, &str); 4] = [
    (Status::Pending, "pending"),
    (Status::Deployed, "deployed"),
    (Status::Failed, "failed"),
    (Status::Superseded, "superseded"),
];

impl Status {
    /// The word in the annotation.
    pub fn word(self) -> &'static str {
        let row = WORDS.iter().find(|(status, _)| *status == self);
        row.map_or("", |(_, word)| word)
    }

    /// Whether a revision of this status was once deployed as a whole.
    pub fn was_good(self) -> bool {
        matches!(self, Status::Deployed | Status::Superseded)
    }
}

/// Which revision it is, who deployed it, and how far it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Heading {
    /// The name of the release.
    pub release: String,
    /// The namespace of the release.
    pub namespace: String,
    /// Its number, from 1.
    pub revision: u64,
    /// How far it came.
    pub status: Status,
    /// The pipeline's execution.
    pub execution: String,
    /// The first job of the deploy.
    pub job: String,
    /// When the deploy began.
    pub at: Timestamp,
    /// The commit, where it is known.
    pub commit: Option<String>,
    /// When the newest commit was made of all revisions so far, if known.
    pub committed: Option<Timestamp>,
    /// The revision that served before it.
    pub previous: Option<u64>,
    /// The revision that it brought back, if it is a rollback on demand.
    pub back_to: Option<u64>,
    /// The revision that it left, if it brought back what served before while an alarm rang.
    pub returned_from: Option<u64>,
    /// When its way back began; once that is done, when it ended.
    pub failed_at: Option<Timestamp>,
    /// Why it failed.
    pub cause: Option<String>,
    /// What was done about it, packed.
    pub way_back: Option<String>,
    /// The version of its Secret, as it was read or written last.
    pub version: Option<String>,
}

impl Heading {
    /// The name of a revision's Secret.
    pub fn name_for(release: &str, revision: u64) -> String {
        format!("landfall.{release}.v{revision}")
    }

    /// The name of its Secret.
    pub fn name(&self) -> String {
        Heading::name_for(&self.release, self.revision)
    }

    /// Selects the Secrets of all revisions of a release, and not its parent.
    pub fn selector(release: &str) -> String {
        format!("{RELEASE}={release},{RELEASE_REVISION}")
    }

    /// Selects the Secret of this revision.
    pub fn own_selector(&self) -> String {
        let (release, revision) = (&self.release, self.revision);
        format!("{RELEASE}={release},{RELEASE_REVISION}={revision}")
    }

    /// Reads it from a Secret; `None` where it is not a record, or what it says makes no sense.
    pub fn read(secret: &Value) -> Option<Heading> {
        let metadata = &secret["metadata"];
        let annotation = |key: &str| metadata["annotations"][key].as_str();
        let owned = |key: &str| annotation(key).map(str::to_owned);
        let word = annotation(STATUS)?;
        let number = |key: &str| annotation(key)?.parse::<u64>().ok();
        let heading = Heading {
            release: metadata["labels"][RELEASE].as_str()?.to_owned(),
            namespace: metadata["namespace"].as_str()?.to_owned(),
            revision: metadata["labels"][RELEASE_REVISION]
                .as_str()?
                .parse()
                .ok()?,
            status: WORDS.iter().find(|row| row.1 == word)?.0,
            execution: owned(EXECUTION)?,
            job: owned(JOB)?,
            at: timestamp(annotation(AT)?)?,
            commit: owned(COMMIT),
            committed: annotation(COMMITTED).and_then(timestamp),
            previous: number(PREVIOUS),
            back_to: number(RETURNED_TO),
            returned_from: number(RETURNED_FROM),
            failed_at: annotation(ROLLED_BACK_AT).and_then(timestamp),
            cause: owned(CAUSE),
            way_back: owned(WAY_BACK),
            version: metadata["resourceVersion"].as_str().map(str::to_owned),
        };
        let named = metadata["name"].as_str() == Some(&heading.name());
        named.then_some(heading)
    }

    /// The metadata of its Secret.
    pub fn metadata(&self) -> Value {
        let revision = self.revision.to_string();
        json!({
            "name": self.name(),
            "namespace": self.namespace,
            "labels": {RELEASE: self.release, RELEASE_REVISION: revision},
            "annotations": self.annotations(),
        })
    }

    /// Whether the revision failed: it was taken back, or is being taken back.
    pub fn has_failed(&self) -> bool {
        self.status == Status::Failed || self.status == Status::Pending && self.cause.is_some()
    }

    /// Whether it tells the same end as another one of the same revision.
    pub fn ends_as(&self, other: &Heading) -> bool {
        let cause = |heading: &Heading| heading.annotations().remove(CAUSE);
        self.status == other.status && cause(self) == cause(other)
    }

    /// A merge patch that writes how far the revision came, and leaves what was recorded. Whoever
    /// has written the record since its version was read wins.
    pub fn patch(&self) -> Value {
        let mut annotations = self.annotations();
        for (key, value) in [(CAUSE, &self.cause), (WAY_BACK, &self.way_back)] {
            if value.is_none() {
                annotations.insert(key.to_owned(), Value::Null);
            }
        }
        let mut metadata = json!({"annotations": annotations});
        if let Some(version) = &self.version {
            metadata["resourceVersion"] = json!(version);
        }
        json!({"metadata": metadata})
    }

    fn annotations(&self) -> Map<String, Value> {
        let cause = self.cause.as_deref();
        let cause = cause.map(|cause| clip(&one_line(cause), CAUSE_LIMIT));
        let all = [
            (STATUS, Some(self.status.word().to_owned())),
            (EXECUTION, Some(self.execution.clone())),
            (JOB, Some(self.job.clone())),
            (AT, Some(self.at.to_string())),
            (COMMIT, self.commit.clone()),
            (COMMITTED, self.committed.map(|time| time.to_string())),
            (PREVIOUS, self.previous.map(|number| number.to_string())),
            (RETURNED_TO, self.back_to.map(|number| number.to_string())),
            (
                RETURNED_FROM,
                self.returned_from.map(|number| number.to_string()),
            ),
            (ROLLED_BACK_AT, self.failed_at.map(|time| time.to_string())),
            (CAUSE, cause),
            (WAY_BACK, self.way_back.clone()),
        ];
        let present = all
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)));
        present
            .map(|(key, value)| (key.to_owned(), Value::String(value)))
            .collect()
    }
}
