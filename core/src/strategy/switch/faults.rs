//! What speaks against a switch in what was read, said before anything is written.

use super::autoscaler::is_of;
use super::context::Context;
use super::smoke::{port_of, preview_name};
use crate::change;
use crate::kubernetes::object::controlled_by;
use crate::kubernetes::service::{Autoscaler, Selector, Service, ServicePod};
use crate::problem::Fault;
use crate::snapshot::Query;
use crate::state::marks;
use crate::strategy::candidate::{self, Candidate};
use crate::strategy::service_lock;
use crate::text::quote;
use crate::workload::Workload;
use crate::workload::replica_set::ReplicaSet;
use serde_json::json;

/// The beginning of the readiness gates of the AWS Load Balancer Controller.
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/pod_readiness_gate/>
const AWS_GATE: &str = "target-health.elbv2.k8s.aws/";

impl Context<'_> {
    /// The candidate must be able to be available in time; what comes back has served before.
    pub(super) fn fault_of_time(&self, live: &Workload) -> Option<Fault> {
        let said = self.request.manifest.as_ref();
        let said = said.and_then(|manifest| manifest["spec"].get("minReadySeconds"));
        let spec = json!({"minReadySeconds": said.unwrap_or(&json!(live.min_ready_seconds()))});
        let fault = change::fault_of_time(self.request, &json!({"spec": spec}));
        fault.filter(|_| !self.request.mode.is_rollback())
    }

    /// The Service must send to the live Deployment's pods, and to no others.
    pub(super) fn fault_of_members(
        &self,
        live: &Workload,
        sets: &[ReplicaSet],
        members: &[ServicePod],
        family: bool,
    ) -> Option<Fault> {
        let mut members = members.iter().filter(|member| !member.going).peekable();
        if members.peek().is_none() {
            if live.replicas() == 0 {
                return Some(self.service_fault(&format!(
                    "selects no pods, as `{}` is scaled to zero. This strategy takes over from a \
                     version that serves: scale it up first",
                    live.name()
                )));
            }
            return Some(self.service_fault(&format!(
                "selects no pods. This strategy takes over from a version that serves: correct the \
                 selector of the Service, or name the one that has the pods of `{}`",
                live.name()
            )));
        }
        let versions = self.versions().unwrap_or_default();
        let of_family = |member: &ServicePod| {
            let plain = &*self.request.deployment;
            let mut all = versions.iter().map(|it| it.name()).chain([plain]);
            family && all.any(|name| member.is_under(name))
        };
        let members = members.collect::<Vec<_>>();
        let own = |member: &&ServicePod| member.is_of(live, sets);
        let foreign = members
            .iter()
            .find(|member| !own(member) && !of_family(member));
        let Some(foreign) = foreign else {
            let mut ready = members.iter().filter(|member| member.ready).peekable();
            let others_alone = ready.peek().is_some() && !ready.any(own);
            return others_alone.then(|| {
                let name = live.name();
                self.service_fault(&format!(
                    "sends to other pods than those of `{name}`, none of which is ready. Bring \
                     `{name}` up again, or scale it to zero if the others are to stay"
                ))
            });
        };
        Some(self.service_fault(&format!(
            "selects pods of others as well, such as `{}`: switching it would cut them off. Give \
             `{}` a Service whose selector finds its pods alone",
            foreign.name,
            live.name()
        )))
    }

    /// The end will demand that the new pods are the Service's endpoints and no others are: whoever
    /// writes endpoints of his own into it is told before anything is written.
    pub(super) fn see_no_strangers(
        &self,
        service: &Service,
        faults: &mut Vec<Fault>,
    ) -> Result<(), Query> {
        let strangers = &self.snapshot.endpoints(service.name())?.strangers;
        faults.extend(strangers.iter().next().map(|slice| {
            self.service_fault(&format!(
                "has endpoints of somebody else in EndpointSlice `{slice}`: it would send to them \
                 whatever its selector says. Delete that EndpointSlice, or give `{}` a Service \
                 without one",
                self.request.deployment
            ))
        }));
        Ok(())
    }

    /// Two Services cannot take turns on the same Deployments: each would retire what the other one
    /// sends to.
    pub(super) fn fault_of_service(&self, live: &Workload) -> Option<Fault> {
        let ours = &*self.switch.service;
        let versions = self.versions().unwrap_or_default();
        let other = [live].into_iter().chain(versions).find_map(|one| {
            let service = one.annotation(marks::SERVICE)?;
            (service != ours).then(|| (one.name(), service))
        });
        let (name, other) = other?;
        Some(self.service_fault(&format!(
            "is not the one that `{name}` was deployed behind: that is `{other}`, whose pods would \
             be taken away. Switch `{other}`; or, if it is no longer used, remove the annotation \
             {} from the Deployments",
            marks::SERVICE
        )))
    }

    /// An autoscaler that another object controls, as one of KEDA's does, is pointed back by it at
    /// once: the version that serves would not be scaled.
    pub(super) fn fault_of_scaler(
        &self,
        live: &Workload,
        scalers: &[Autoscaler],
    ) -> Result<Option<Fault>, Query> {
        let names = self.names(&[live.name()])?;
        let mut scalers = scalers.iter().filter(|scaler| is_of(scaler, &names));
        let found = scalers.find_map(|scaler| Some((scaler, controlled_by(scaler.value())?)));
        // What comes back is not to wait for that.
        let found = found.filter(|_| !self.request.mode.is_rollback());
        let Some((scaler, (kind, owner))) = found else {
            return Ok(None);
        };
        let problem = format!(
            "names `{}`, which HorizontalPodAutoscaler `{}` scales. {} `{}` controls that, and \
             would point it back at `{}`, so nothing would scale the version that serves: use the \
             strategy `rolling`",
            self.request.deployment,
            scaler.name(),
            quote(kind),
            quote(owner),
            scaler.target(),
        );
        Ok(Some(Fault::new("deployment", problem)))
    }

    pub(super) fn fault_of_names(
        &self,
        candidate: &Candidate,
        found: Option<&Workload>,
    ) -> Option<Fault> {
        let taken = found?;
        if candidate::is_ours(taken, &self.request.deployment, &candidate.version) {
            return None;
        }
        let name = &candidate.name;
        Some(Fault::new(
            "deployment",
            format!(
                "needs a Deployment `{name}` for the new version, and one of that name is there \
                 that Landfall did not make: delete or rename it"
            ),
        ))
    }

    /// Pods that the Service does not find would never get traffic.
    pub(super) fn fault_of_labels(
        &self,
        candidate: &Candidate,
        selector: &Selector,
    ) -> Option<Fault> {
        let missing = candidate.missing(&service_lock::common(selector));
        let service = &self.switch.service;
        let labels = missing.join("`, `");
        let fault = match &self.request.manifest {
            Some(_) => Fault::new(
                "manifest.spec.template.metadata.labels",
                format!("lack `{labels}`, by which Service `{service}` selects its pods"),
            ),
            None => self.service_fault(&format!(
                "selects by `{labels}`, which the Deployment's pod template does not have"
            )),
        };
        (!missing.is_empty()).then_some(fault)
    }

    /// A readiness gate of the AWS Load Balancer Controller in the template itself: pods get it
    /// from the controller's webhook where their Service finds them at their creation. What it
    /// waits for comes after the switch, which waits for it.
    pub(super) fn fault_of_gate(&self, candidate: &Candidate) -> Option<Fault> {
        let gate = candidate.readiness_gates();
        let gate = gate.into_iter().find(|gate| gate.starts_with(AWS_GATE))?;
        let (field, has) = match &self.request.manifest {
            Some(_) => ("manifest.spec.template.spec.readinessGates", "have"),
            None => ("deployment", "names one whose pod template has"),
        };
        let problem = format!(
            "{has} `{}`. No load balancer knows the new pods before the switch, so they would \
             never be ready: leave the gate to the controller's webhook",
            quote(gate)
        );
        Some(Fault::new(field, problem))
    }

    pub(super) fn fault_of_preview(&self, service: &Service) -> Option<Fault> {
        let smoke = self.switch.smoke.as_ref()?;
        if port_of(service, smoke).is_none() {
            let known = service
                .ports()
                .iter()
                .map(|port| match port["name"].as_str() {
                    Some(name) => format!("`{name}`"),
                    None => format!("`{}`", port["port"]),
                });
            let known = known.collect::<Vec<_>>().join(", ");
            let has = if known.is_empty() { "no port" } else { &*known };
            let problem = match &smoke.port {
                Some(port) => format!("is to ask port `{port}` by TCP, and the Service has {has}"),
                None => format!("needs a port to ask by TCP, and the Service has {has}"),
            };
            return Some(Fault::new("smoke", problem));
        }
        let name = preview_name(&self.switch.service);
        let preview = self.snapshot.seen_service(&name)?;
        (!self.owns_preview(preview)).then(|| {
            Fault::new(
                "smoke",
                format!(
                    "needs a Service `{name}` for a while, and one of that name is there that \
                     Landfall did not make: delete or rename it"
                ),
            )
        })
    }
}
