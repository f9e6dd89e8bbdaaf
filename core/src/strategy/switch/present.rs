//! What is there when a deploy ends otherwise than it should: what the Service sends to, and what
//! is scaled up. It is read, not concluded from what was written: others write, too.

use super::context::Context;
use crate::change::editor::Editor;
use crate::kubernetes::service::{Detour, Service};
use crate::snapshot::{Kind, Query};
use crate::strategy::causes::RolloutCause;
use crate::strategy::causes::TrafficState;
use crate::strategy::decision::Decision;
use crate::strategy::result::{Failure, RollbackResult};
use crate::workload::Workload;
use std::collections::BTreeMap;

/// The Deployment that a pod is named after: both names between were made by controllers.
pub(super) fn deployment_of(pod: &str) -> Option<&str> {
    let (set, _) = pod.rsplit_once('-')?;
    Some(set.rsplit_once('-')?.0)
}

impl Context<'_> {
    /// Whatever ends the deploy, with what is there now where more than one version may be.
    pub(super) fn told(&self, decision: Decision) -> Decision {
        let Decision::GiveUp(failure) = decision else {
            return decision;
        };
        let is_told = if let Failure::Rollout {
            failure,
            rollback_result,
        } = &failure
        {
            let is_at_zero = matches!(failure.cause, RolloutCause::ScaledToZero(_));
            is_at_zero || *rollback_result != RollbackResult::NothingWritten
        } else {
            matches!(
                failure,
                Failure::Deleted(_) | Failure::OutOfSync { wrote: true, .. }
            )
        };
        if !is_told {
            return Decision::GiveUp(failure);
        }
        let told = || {
            // Whoever has set the selector last, where that was not one of us.
            let is_unknown = matches!(failure, Failure::OutOfSync { by: None, .. });
            let editor = if is_unknown { self.editor()? } else { None };
            Ok(failure.with(editor, self.present()?))
        };
        told().map_or_else(Decision::Read, Decision::GiveUp)
    }

    fn editor(&self) -> Result<Option<Editor>, Query> {
        let service = self.snapshot.service(&self.switch.service)?;
        let field = match service.and_then(Service::detour) {
            Some(Detour::ExternalName(_)) => "f:type",
            Some(Detour::NoSelector) | None => "f:selector",
        };
        let field = ["f:spec", field].map(str::to_owned).to_vec();
        let editor = self
            .snapshot
            .editor(Kind::Service, &self.switch.service, field)?;
        Ok(editor.cloned())
    }

    pub(super) fn present(&self) -> Result<TrafficState, Query> {
        let service = self.snapshot.service(&self.switch.service).ok();
        let is_there = service.is_none_or(|service| service.is_some());
        let detour = service.flatten().and_then(Service::detour);
        let sends_to_pods = !matches!(detour, Some(Detour::ExternalName(_)));
        let plain = self.plain()?;
        let all = plain.into_iter().chain(self.versions()?);
        let all = all.filter(|one| !one.is_being_deleted());
        let up = all.filter(|one| one.replicas() > 0);
        let up = up.map(|one: &Workload| (one.name().to_owned(), one.replicas()));
        let up = up.collect::<BTreeMap<_, _>>();
        let mut sends = BTreeMap::new();
        if is_there && sends_to_pods {
            for pod in &self.snapshot.endpoints(&self.switch.service)?.ready {
                let name = deployment_of(pod).unwrap_or(pod).to_owned();
                *sends.entry(name).or_insert(0) += 1;
            }
        }
        Ok(TrafficState {
            service: self.switch.service.clone(),
            is_there,
            detour,
            sends,
            up,
            version: self.made_by_this_deploy()?.map(|one| one.name().to_owned()),
        })
    }
}

impl Failure {
    /// The same failure, which is to be told, with what was read of the Service when it ended.
    fn with(mut self, editor: Option<Editor>, present: TrafficState) -> Failure {
        if let Failure::Rollout { failure, .. } = &mut self {
            failure.evidence.serving = Some(present.serving());
            failure.traffic = Some(present);
            return self;
        }
        let by = if let Failure::OutOfSync { by, .. } = self {
            by
        } else {
            None
        };
        Failure::SetAside {
            by,
            editor,
            present,
        }
    }
}

#[cfg(test)]
mod tests;
