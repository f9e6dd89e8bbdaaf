//! Why an object of S3 cannot be read: the failure type, the message, and what to do.

use super::access::KeyFault;
use super::aws::CLOCK_NEXT;
use super::failure::FailureType;
use std::fmt;

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
    /// Nobody can use the object's key.
    KeyUnusable(KeyFault, String),
    /// The credentials have expired.
    Expired(String),
    /// S3 does not accept the credentials.
    NotSigned(String),
    /// S3 refuses the call because of its time.
    Clock(String),
    /// The object's key has no URL.
    NoUrl,
    /// The object was replaced between two reads.
    Changed,
    /// S3 cannot be reached.
    Unreachable(String),
    /// S3 responds, but is still overloaded or broken after all retries.
    Busy(String),
    /// S3 refuses the call, or its response is invalid.
    Refused(String),
}

impl StoreError {
    /// The failure type in the report.
    pub fn kind(&self) -> FailureType {
        match self {
            StoreError::Missing(_)
            | StoreError::Frozen
            | StoreError::Changed
            | StoreError::NoUrl => FailureType::RevisionUnavailable,
            StoreError::Denied(_)
            | StoreError::KeyDenied(_)
            | StoreError::Expired(_)
            | StoreError::NotSigned(_) => FailureType::PermissionError,
            StoreError::KeyUnusable(..) => FailureType::ConfigurationError,
            StoreError::Unreachable(_)
            | StoreError::Busy(_)
            | StoreError::Clock(_)
            | StoreError::Refused(_) => FailureType::SystemUnavailable,
        }
    }

    /// What the user should do.
    pub fn next(&self) -> &'static str {
        match self {
            StoreError::Missing(said) if said.starts_with("NoSuchBucket") => {
                "The bucket was deleted: create it again or give the pipeline another artifact \
                 store, and release the change again."
            }
            StoreError::Missing(_) | StoreError::Frozen => {
                "Release the change again, so that the artifact is made anew. A lifecycle rule of \
                 the bucket may remove artifacts that are still needed."
            }
            StoreError::Changed => "Retry.",
            StoreError::Denied(_) => {
                "The job's credentials are those of the pipeline: its role, the bucket's policy \
                 and its endpoint policy must allow s3:GetObject on the artifact. S3 also denies \
                 what is not there, where it may not be listed."
            }
            StoreError::KeyDenied(_) => {
                "The pipeline's role needs kms:Decrypt on the key of the artifact store, and the \
                 key's policy must allow it."
            }
            StoreError::KeyUnusable(KeyFault::Disabled, _) => {
                "Enable the key (`aws kms enable-key`), then retry the stage."
            }
            StoreError::KeyUnusable(KeyFault::PendingDeletion, _) => {
                "Cancel the deletion of the key and enable it (`aws kms cancel-key-deletion`, `aws \
                 kms enable-key`), then retry the stage."
            }
            StoreError::KeyUnusable(KeyFault::Other, _) => {
                "Give the pipeline's artifact store a key that can be used, and release the change \
                 again."
            }
            StoreError::NotSigned(_) => "Retry the stage: each job brings credentials of its own.",
            StoreError::Clock(_) => CLOCK_NEXT,
            StoreError::NoUrl => {
                "Use a key without `.` and `..` between slashes, and release the change again."
            }
            StoreError::Expired(_) => {
                "Retry: each job brings credentials of its own. Where this happens again, the job \
                 waited too long before it was run."
            }
            StoreError::Busy(_) => {
                "Retry the stage in a few minutes: S3 or the way to it is overloaded, and nothing \
                 is wrong with the artifact."
            }
            StoreError::Unreachable(_) => {
                "Retry. In a VPC the function needs a route or a gateway endpoint to S3."
            }
            StoreError::Refused(_) => {
                "Correct what S3 names, or release the change again, so that the artifact is made \
                 anew."
            }
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Missing(said) => write!(formatter, "it is not there ({said})"),
            StoreError::Frozen => formatter.write_str("it was moved to an archive tier of S3"),
            StoreError::Denied(said) => write!(formatter, "S3 denies it ({said})"),
            StoreError::KeyDenied(said) => {
                write!(
                    formatter,
                    "the key that it is encrypted with is denied ({said})"
                )
            }
            StoreError::KeyUnusable(fault, said) => {
                let state = fault.state();
                write!(
                    formatter,
                    "the key that it is encrypted with {state} ({said})"
                )
            }
            StoreError::NotSigned(said) => {
                write!(
                    formatter,
                    "S3 does not accept the job's credentials ({said})"
                )
            }
            StoreError::Clock(said) => write!(
                formatter,
                "S3 refuses calls of this time: the function's clock differs from S3's ({said})"
            ),
            StoreError::NoUrl => formatter
                .write_str("its key has `.` or `..` between slashes, and there is no URL for that"),
            StoreError::Expired(said) => {
                write!(formatter, "the job's credentials have expired ({said})")
            }
            StoreError::Changed => formatter.write_str("it was replaced meanwhile"),
            StoreError::Busy(said) => {
                write!(formatter, "S3 is overloaded, and stayed so ({said})")
            }
            StoreError::Unreachable(why) => {
                write!(formatter, "S3 could not be reached: {why}")
            }
            StoreError::Refused(said) => write!(formatter, "S3 refused the call ({said})"),
        }
    }
}
