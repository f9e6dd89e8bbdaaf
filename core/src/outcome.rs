//! The outcomes of a deploy: CodePipeline's failure types, the sections of the handbook, and the
//! errors of everything that is read.

mod access;
mod answered;
mod artifact;
mod aws;
mod cause;
mod eks;
mod failure;
mod kubeconfig;
mod source;
mod store;

pub use access::{CredentialsError, KeyFault, ParameterPlace, check};
pub use answered::{AwsPermission, key_fault};
pub use artifact::{ArtifactError, FileReference, KeysError, Place, Searched};
pub use aws::{CLOCK_NEXT, Denier, is_about_key, is_of_clock};
pub use cause::{Cause, Grace, SUPPLY};
pub use eks::{AwsFault, EksCall, EksError, TOKEN_LIMIT as EKS_TOKEN_LIMIT};
pub use failure::{FailureCode, FailureType};
pub use kubeconfig::{
    ExecProblem, KubeconfigEntry, KubeconfigError, KubeconfigFault, KubeconfigProblem, OtherText,
    ProxyProblem,
};
pub use source::{CredentialSource, EksNetwork, EksPlace, KubeconfigPlace, UserKind};
pub use store::StoreError;
