//! Reads a kubeconfig: the server and the credential of one of its contexts.
//!
//! The format is that of client-go. What `kubectl` would take from the machine it runs on (files,
//! programs, AWS profiles) does not exist for the function, so it is refused with its reason. The
//! programs that make tokens for EKS are not started: the function makes the same token itself.
//! A kubeconfig is full of secrets, so no error has anything of it but checked names.
//! <https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/>

mod cluster;
mod entry;
mod exec;
mod model;
mod secrets;
mod text;
mod user;

use crate::outcome::{KubeconfigEntry, KubeconfigError, KubeconfigProblem};
use entry::{Entry, Listed};
pub use model::{KubeconfigUser, Selected};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;

/// A kubeconfig. It is never printed.
#[derive(Clone, PartialEq)]
pub struct Kubeconfig {
    root: Map<String, Value>,
    secrets: BTreeSet<String>,
}

impl fmt::Debug for Kubeconfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Kubeconfig")
    }
}

impl Kubeconfig {
    /// Reads a kubeconfig in YAML, JSON or base64 of them, or says what the text is instead. Its
    /// entries are not checked before they are selected: others do no harm.
    pub fn read(text: &str) -> Result<Kubeconfig, KubeconfigError> {
        let root = text::read(text)?;
        let secrets = secrets::of(&root);
        Ok(Kubeconfig { root, secrets })
    }

    /// Everything secret in it, also of contexts that are not used, as written and decoded.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(String::as_str)
    }

    /// The names of its contexts, as far as they can be shown.
    pub fn contexts(&self) -> Vec<String> {
        self.names().map(|name| self.shown(name)).collect()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let entries = self.root.get("contexts").and_then(Value::as_array);
        let names = entries.into_iter().flatten();
        names.filter_map(|entry| entry.get("name")?.as_str())
    }

    /// Selects the context of this name, or `current-context`, or the only one. The context's
    /// namespace does not count: a request has its own.
    pub fn select(&self, context: Option<&str>) -> Result<Selected, KubeconfigError> {
        let name = self.context_name(context)?;
        let (mut faults, listed) = (Vec::new(), self.listed("contexts", "context"));
        let mut context = listed.entry(name, KubeconfigEntry::Context(self.shown(name)));
        let [cluster, user] = ["cluster", "user"].map(|field| context.text(field));
        let user_name = self.shown(user.unwrap_or_default());
        let cluster = self.referred(&mut context, "cluster", cluster, KubeconfigEntry::Cluster);
        let user = self.referred(&mut context, "user", user, KubeconfigEntry::User);
        faults.append(&mut context.faults);
        let server = cluster.and_then(|mut entry| {
            let server = cluster::server(&mut entry);
            faults.append(&mut entry.faults);
            server
        });
        let host = server.as_ref().map(|server| &*server.address);
        let user = user.and_then(|mut entry| {
            let user = user::user(&mut entry, host);
            faults.append(&mut entry.faults);
            user
        });
        match (server, user) {
            (Some(server), Some(user)) if faults.is_empty() => Ok(Selected {
                context: self.shown(name),
                server,
                user,
                user_name,
            }),
            _ => Err(KubeconfigError::Context {
                name: self.shown(name),
                faults,
            }),
        }
    }

    /// The context to use. It exists.
    fn context_name<'a>(&'a self, asked: Option<&'a str>) -> Result<&'a str, KubeconfigError> {
        let unusable = self.listed("contexts", "context").unusable();
        if let Some(fault) = unusable.filter(|it| it.problem == KubeconfigProblem::NotAList) {
            return Err(KubeconfigError::Context {
                name: String::new(),
                faults: vec![fault],
            });
        }
        let names = self.names().filter(|name| !name.is_empty());
        let names = names.collect::<Vec<_>>();
        let current = self.root.get("current-context").and_then(Value::as_str);
        let current = current.filter(|name| !name.is_empty());
        match (asked.or(current), &names[..]) {
            (_, []) => Err(KubeconfigError::NoContext),
            (Some(name), _) if names.contains(&name) => Ok(name),
            (Some(name), _) => Err(KubeconfigError::UnknownContext {
                name: self.shown(name),
                is_current: asked.is_none(),
                known: self.contexts(),
            }),
            (None, [name]) => Ok(name),
            (None, _) => Err(KubeconfigError::NoCurrentContext {
                known: self.contexts(),
            }),
        }
    }

    fn listed(&self, list: &'static str, inner: &'static str) -> Listed<'_> {
        Listed {
            entries: self.root.get(list),
            list,
            inner,
        }
    }

    /// The entry that a field of the context names.
    fn referred<'a>(
        &'a self,
        context: &mut Entry<'_>,
        field: &'static str,
        name: Option<&str>,
        place: fn(String) -> KubeconfigEntry,
    ) -> Option<Entry<'a>> {
        let listed = match field {
            "cluster" => self.listed("clusters", "cluster"),
            _ => self.listed("users", "user"),
        };
        let Some(name) = name else {
            // A value of another type is a fault already.
            if !context.has_fault(field) {
                context.fault(field, KubeconfigProblem::Missing);
            }
            return None;
        };
        if let Some(fault) = listed.unusable() {
            context.faults.push(fault);
            return None;
        }
        if !listed.has(name) {
            let name = self.shown(name);
            context.fault(field, KubeconfigProblem::Dangling(name));
            return None;
        }
        Some(listed.entry(name, place(self.shown(name))))
    }

    /// A name as it may be shown: not if it looks like a secret, or is a part of one.
    fn shown(&self, name: &str) -> String {
        secrets::shown(name, &self.secrets)
    }
}

#[cfg(test)]
mod tests;
