//! Why an object of S3 cannot be read.

/// Why an object cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreError {
    /// It is not there, or its bucket is not.
    Missing(String),
    /// It is there, in an archive tier.
    Frozen,
    /// The credentials do not allow it.
    Denied(String),
    /// They do, but not the key that it is encrypted with.
    KeyDenied(String),
    /// Their time is over.
    Expired(String),
    /// It was replaced between two reads.
    Changed,
    /// S3 cannot be reached.
    Unreachable(String),
    /// It answers, and is overloaded or broken to the end.
    Busy(String),
    /// S3 refuses the call, or answers what cannot be an answer.
    Refused(String),
}
