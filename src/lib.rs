//! Landfall deploys a new version of an application from AWS CodePipeline to Kubernetes.
//!
//! One invocation reads from top to bottom:
//!
//! - [`invocation`]: the main path; job, request, resume, access, deploy, exactly one report.
//! - [`job`]: CodePipeline's side, the event and the call that answers it.
//! - [`environment`]: which cluster, and where its token and CA are.
//! - [`request`]: the user parameters, checked.
//! - [`artifact`]: the files that they name, from the input artifacts in S3.
//! - [`bucket`]: parts of an object in S3.
//! - [`archive`], [`manifest`], [`yaml`], [`image`]: what is in those files.
//! - [`continuation`]: what survives to the next invocation.
//! - [`certificate`]: a CA's certificates as people store them.
//! - [`credentials`]: the token and the CA, from SSM.
//! - [`cluster`]: the calls to the Kubernetes API and what we read of its objects.
//! - [`strategy`]: the pure core; from what is known and seen to the next step.
//! - [`change`]: what a request writes.
//! - [`plan`]: what it would write, for a person to read before.
//! - [`rollout`]: whether a rollout is done.
//! - [`diagnosis`]: why it is not done, and whether it ever will be.
//! - [`deploy`]: the loop that observes, decides and acts.
//! - [`rotation`]: a new token for the cluster, and what is said of it.
//! - [`report`]: every sentence that a user sees.
//! - [`metrics`]: what became of it, counted for CloudWatch.
//! - [`amazon`]: calls of AWS's JSON services.
//! - [`redaction`]: what must appear in no text, and what does not show.
//! - [`https`], [`logging`]: the one HTTPS stack and the log lines.

pub mod invocation;
pub mod job;
pub mod environment;
pub mod request;
pub mod artifact;
pub mod bucket;
pub mod archive;
pub mod manifest;
pub mod yaml;
pub mod image;
pub mod continuation;
pub mod certificate;
pub mod credentials;
pub mod cluster;
pub mod strategy;
pub mod change;
pub mod plan;
pub mod rollout;
pub mod diagnosis;
pub mod deploy;
pub mod rotation;
pub mod report;
pub mod metrics;
pub mod amazon;
pub mod redaction;
pub mod https;
pub mod logging;
