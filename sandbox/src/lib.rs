//! A local AWS and a local Kubernetes API to run Landfall against.
//!
//! - [`world`]: a Kubernetes cluster as a value: objects, controllers, pods, faults; time comes in.
//! - [`kubernetes`]: that world behind a TLS server with a CA of its own.
//! - [`instant`]: a scripted cluster that takes next to no time, to measure against.
//! - [`aws`]: the Lambda Runtime API, SSM, EKS, STS and CodePipeline's job API.
//! - [`balancer`]: what a load balancer's controller adds for target groups.
//! - [`gateway`]: the Gateway API and its controller, as far as tests need them.
//! - [`traffic`]: which pods get which share of a route's requests.
//! - [`iam`]: whose access keys they are, and tokens of EKS.
//! - [`kubeconfig`]: kubeconfigs, as people and programs write them.
//! - [`function`]: the real function, run as Lambda runs it.
//! - [`ending`]: how its programs end.

pub mod aws;
pub mod balancer;
pub mod ending;
pub mod function;
pub mod gateway;
pub mod iam;
pub mod instant;
pub mod kubeconfig;
pub mod kubernetes;
pub mod traffic;
pub mod world;
