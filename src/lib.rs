//! Landfall deploys a new version of an application from AWS CodePipeline to Kubernetes.
//!
//! What it decides is `landfall-core`; here is what has a socket, a clock or an environment. One
//! invocation reads from top to bottom:
//!
//! - [`invocation`]: the main path; job, request, resume, access, deploy, exactly one report.
//! - [`job`]: the event that CodePipeline sends.
//! - [`environment`]: which cluster, and where its token and CA are.
//! - [`artifact`]: the files that the user parameters name, from the input artifacts in S3.
//! - [`cluster`]: the calls to the Kubernetes API.
//! - [`driver`]: runs the engine; its calls go out, its waits are slept.
//! - [`metrics`]: what became of it, counted for CloudWatch.
//! - [`aws`]: SSM, CodePipeline and S3.
//! - [`http`], [`logging`]: the one HTTPS stack and the log lines.

#![cfg_attr(
    test,
    allow(clippy::too_many_lines, reason = "tables of cases are long")
)]

pub mod invocation;
pub mod job;
pub mod environment;
pub mod artifact;
pub mod cluster;
pub mod driver;

pub mod metrics;
pub mod aws;
pub mod http;
pub mod logging;
