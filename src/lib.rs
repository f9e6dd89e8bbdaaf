//! Landfall deploys a new version of an application from AWS CodePipeline to Kubernetes.
//!
//! What it decides is `landfall-core`; here is what has a socket, a clock or an environment. One
//! invocation reads from top to bottom:
//!
//! - [`handler`]: the main path of a deploy; request, resume, access, deploy, exactly one report.
//! - [`access`]: the token and the CA from SSM, the kept connection, the token's renewal.
//! - [`artifacts`]: the files that the user parameters name, from the input artifacts in S3.
//! - `access`: the way to the cluster, and the renewal of its token.
//! - [`kubernetes`]: the calls to the cluster's API.
//! - [`driver`]: runs the engine; it sends the calls and sleeps the waits.
//! - [`aws`]: the clients for SSM and CodePipeline, and S3.
//! - [`http`], [`telemetry`]: the one HTTPS stack; log lines and counts.

#![cfg_attr(
    test,
    allow(clippy::too_many_lines, reason = "tables of cases are long")
)]

pub mod access;
pub mod artifacts;
pub mod aws;
pub mod driver;
pub mod handler;
pub mod http;
pub mod kubernetes;
pub mod telemetry;
