//! The smoke test: the new version is asked over a Service of its own before it gets traffic.

use super::context::Context;
use crate::kubernetes::call::Call;
use crate::kubernetes::resource::SERVICES;
use crate::kubernetes::service::{Service, ServicePod};
use crate::request::Smoke;
use crate::snapshot::{Query, Smoked};
use crate::state::marks::PREVIEW_OF;
use crate::strategy::causes::RolloutCause;
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::rollout_tracker::CATCHING_UP;
use crate::strategy::service_lock;
use serde_json::{Value, json};
use std::time::Duration;

/// How often the smoke test is asked before its failure counts, and the pause between: the first
/// request to a fresh application may well fail.
const SMOKE_TRIES: u32 = 3;

/// The same where the API server does not reach the application: with the pauses half a minute.
const SMOKE_UNANSWERED: u32 = 15;

/// See [`SMOKE_TRIES`].
const SMOKE_PAUSE: Duration = Duration::from_secs(2);

impl Context<'_> {
    /// Asks the candidate over a Service of its own.
    pub(super) fn smoke(
        &self,
        service: &Service,
        version: &str,
        members: &[ServicePod],
        smoke: &Smoke,
    ) -> Result<(), Decision> {
        let Smoked {
            tries,
            unanswered,
            last,
        } = &self.snapshot.smoke;
        if *last == Some(Ok(())) {
            return Ok(());
        }
        let wanted = preview(service, &self.request.namespace, version);
        let namespace = &self.request.namespace;
        let Some(found) = self.preview()? else {
            return Err(self.step(Call::create(&SERVICES, namespace, wanted)));
        };
        if json!(found.selector()) != wanted["spec"]["selector"] {
            self.clear_preview()?;
        }
        let endpoints = self.snapshot.endpoints(found.name())?;
        if !endpoints.are_all_of(members, 1) {
            return Err(self.wait(Stage::Smoke, CATCHING_UP));
        }
        match last {
            Some(Ok(())) => Ok(()),
            None => Err(Decision::Read(Query::Proxy {
                target: proxy_target(found, port_of(found, smoke)),
                path: smoke.path.clone(),
                contains: smoke.contains.clone(),
            })),
            Some(Err(_)) if *tries < SMOKE_TRIES && *unanswered < SMOKE_UNANSWERED => {
                Err(self.wait(Stage::Smoke, SMOKE_PAUSE))
            }
            Some(Err(last)) => Err(self.fail(RolloutCause::Smoke {
                path: smoke.path.clone(),
                tries: tries + unanswered,
                last: last.clone(),
            })),
        }
    }

    pub(super) fn preview(&self) -> Result<Option<&Service>, Query> {
        self.snapshot.service(&preview_name(&self.switch.service))
    }

    pub(super) fn owns_preview(&self, preview: &Service) -> bool {
        preview.annotation(PREVIEW_OF) == Some(&self.switch.service)
    }

    /// Takes the smoke test's Service away, where it is ours.
    pub(super) fn clear_preview(&self) -> Result<(), Decision> {
        if self.own_lock().is_some_and(|lock| lock.untested) {
            return Ok(());
        }
        match self.preview()? {
            Some(preview) if self.owns_preview(preview) && !self.is_left(preview.name()) => {
                Err(self.delete_service(preview))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The name of the Service of the smoke test.
pub(super) fn preview_name(service: &str) -> String {
    format!("{service}-preview")
}

/// The Service of the smoke test: the same ports, for the candidate's pods.
pub(super) fn preview(service: &Service, namespace: &str, version: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": preview_name(service.name()), "namespace": namespace,
            "annotations": {PREVIEW_OF: service.name()}},
        "spec": {"selector": service_lock::of_version(&service.selector(), version),
            "ports": service.ports_for_another()}})
}

/// The port that the smoke test asks, of those that speak TCP.
pub(super) fn port_of<'a>(service: &'a Service, smoke: &Smoke) -> Option<&'a Value> {
    let is_tcp = |port: &&Value| matches!(port["protocol"].as_str(), None | Some("TCP"));
    let mut ports = service.ports().iter().filter(is_tcp);
    let Some(wanted) = &smoke.port else {
        return ports.next();
    };
    let number = wanted.parse::<u16>().ok();
    ports.find(|port| {
        let by_number = number.is_some_and(|number| port["port"] == number);
        port["name"] == **wanted || by_number
    })
}

/// A port of a Service as the API server's proxy names it. A number alone tells https, a name says
/// itself what it is.
/// <https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls>
pub(super) fn proxy_target(service: &Service, port: Option<&Value>) -> String {
    let port = port.unwrap_or(&Value::Null);
    let name = port["name"].as_str().unwrap_or_default();
    let number = port["port"].as_i64().unwrap_or(80);
    let https = match port["appProtocol"].as_str() {
        Some(protocol) => protocol == "https",
        None => name.starts_with("https") || name.is_empty() && number == 443,
    };
    let port = match name {
        "" => number.to_string(),
        name => name.to_owned(),
    };
    let scheme = if https { "https:" } else { "" };
    format!("{scheme}{}:{port}", service.name())
}

#[cfg(test)]
mod tests;
