//! `landfall-access` as a person runs it, with stand-ins for `kubectl` and the AWS CLI, and the
//! sandbox's API server where a token is tried.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::too_many_lines
)]

mod desk;
mod eks;
mod kubeconfig;
mod real;
mod release;
