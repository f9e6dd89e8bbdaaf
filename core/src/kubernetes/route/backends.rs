//! Between which backends a route divides traffic, and where in it.

use std::fmt;

/// Between which Services the traffic is divided.
#[derive(Clone, Copy, Debug)]
pub struct Backends<'a> {
    /// The namespace of both, which is that of the route.
    pub namespace: &'a str,
    /// The Service that the route sends to.
    pub service: &'a str,
    /// The Service of the candidate, which Landfall makes.
    pub canary: &'a str,
}

/// A place where a route divides traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A rule of an HTTPRoute.
    Rule {
        /// Its number, from 1.
        number: usize,
        /// Its name, where it has one.
        name: Option<String>,
    },
    /// An action of an Ingress.
    Action(String),
}

/// Prints it for a sentence: ``rule 2 (`api`)``, ``action `web` ``.
impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Rule { number, name: None } => write!(out, "rule {number}"),
            Place::Rule {
                number,
                name: Some(name),
            } => write!(out, "rule {number} (`{name}`)"),
            Place::Action(name) => write!(out, "action `{name}`"),
        }
    }
}
