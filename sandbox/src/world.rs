//! A Kubernetes cluster as a value: objects, controllers, pods and faults.
//!
//! Nothing here reads a clock, opens a socket or uses randomness: time is an argument, and the same
//! calls give the same cluster. [`World::answer`] is the API server, [`World::advance`] is
//! everything that happens without a request.
//!
//! `state` is the cluster as a value, `time` advances it. `api` is the API server: how a request
//! enters, permissions, admission, reads and writes. `controllers` change Deployments, ReplicaSets,
//! pods and endpoints. `behaviour` and `script` say what pods do; `identity` says who
//! calls; `fault`, `refusal`, `settings` and `sample` are for tests.

mod api;
mod behaviour;
mod change;
mod controllers;
mod fault;
mod identity;
mod mutation;
mod object;
mod refusal;
mod route_state;
mod routes;
mod sample;
mod script;
mod selector;
mod settings;
mod state;
mod store;
mod target_group;
mod target_groups;
mod time;

#[cfg(test)]
mod tests;

pub use api::message::{Answer, Body, Request};
pub use api::reply::{Gone, Reply, Watch, WatchFlow};
pub use behaviour::Behaviour;
pub use fault::{Fault, On};
pub use identity::Identity;
pub use mutation::Mutation;
pub use refusal::Refusal;
pub use sample::{sample_autoscaler, sample_deployment, sample_service};
pub use script::{Barred, Script};
pub use state::{Seen, Timing, World};
