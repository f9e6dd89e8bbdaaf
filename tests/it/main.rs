//! Whole invocations of the real function, through real sockets, against the sandbox.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::too_many_lines,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]

mod stage;
mod simulated;
mod cluster;
mod real;
mod prober;
mod application;
mod rolling;
mod bake;
mod alarms;
mod rollback;
mod executions;
mod applying;
mod canaries;
mod canary;
mod blue_green;
mod overlap;
mod immutable;
mod kubeconfig;
mod refusals;
mod contention;
mod kills;
mod meddling;
mod failures;
mod diagnosis;
mod resume;
mod called;
mod page;
mod announced;
mod artifact;
mod releases;
mod field;
mod access;
mod ways_in;
mod workloads;
mod rotation;
mod only_in_sandbox;
mod api_calls;
mod hygiene;
mod metrics;
mod release_simulation;
mod simulation;
mod switching_simulation;
mod differential;
mod peer;
mod emulator;
mod moto;
mod aws_cli;
mod authenticator;
mod by_kubeconfig;
mod setup;
mod parameters;
mod template;
mod fuzz;

/// Simulated clusters are made of small objects, and copied thousands of times: with the system's
/// allocator a third of the time is its own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
