//! A canary. Without a route the share is that of the pods (`canary/sharing.rs`).
//!
//! Over a route: the candidate gets a growing share of the requests by the weights of the
//! route, while the Service itself stays with the old version.
//!
//! The route tells the progress: each step is one write, with the weights and with a note of the
//! step and of the weights from before. So the way back is one write at any time. Only after the
//! last step is the Service switched; then the route is given back as it was, and the candidate's
//! own Service goes.
//!
//! The candidate has ready pods before it has weight, and no weight in force before it loses them.

mod admission;
mod ending;
mod route_fault;
mod routed;
mod service;
mod sharing;
mod stepping;
