//! Why an object of S3 cannot be read.

/// Why an object cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreError {
    /// The object or its bucket does not exist.
    Missing(String),
    /// The object is in an archive tier.
    Frozen,
    /// S3 denies access.
    Denied(String),
    /// KMS denies the use of the object's key.
    KeyDenied(String),
    /// The credentials have expired.
    Expired(String),
    /// The object was replaced between two reads.
    Changed,
    /// S3 cannot be reached.
    Unreachable(String),
    /// S3 responds, but is still overloaded or broken after all retries.
    Busy(String),
    /// S3 refuses the call, or its response is invalid.
    Refused(String),
}
