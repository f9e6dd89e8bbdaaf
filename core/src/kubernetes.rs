//! The Kubernetes API: calls as values, responses as small types.

pub mod answer;
pub mod builtin;
pub mod call;
pub mod contact;
pub mod credential;
pub mod discovery;
mod error;
pub mod front;
pub mod group;
pub mod identity;
pub mod known_kinds;
pub mod name;
mod path;
mod permission;
pub mod resource;
mod verb;
pub mod object;
pub mod object_id;
pub mod pod;
pub mod quantity;
pub mod refusal;
pub mod route;
pub mod server;
pub mod service;
pub mod token;
pub mod warning;
pub mod watched;

pub use error::{CallError, FieldCause, Refusal, RefusedToken};
