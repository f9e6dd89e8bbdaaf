//! The outcomes of a deploy: CodePipeline's failure types, the sections of the handbook, and the
//! errors of everything that is read.

mod access;
mod answered;
mod artifact;
mod cause;
mod failure;
mod store;

pub use access::{CredentialsError, KeyFault, ParameterPlace, check};
pub use answered::AwsPermission;
pub use artifact::{ArtifactError, FileReference, Place, Searched};
pub use cause::{Cause, Grace, SUPPLY};
pub use failure::{FailureCode, FailureType};
pub use store::StoreError;
