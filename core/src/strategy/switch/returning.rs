//! Rollback on demand of a switch: which Deployment has the version that is brought back. From
//! there on it is a switch like any other, with the same lock, judgement and way back.

use super::context::Context;
use crate::change::Author;
use crate::kubernetes::object::timestamp;
use crate::kubernetes::service::Service;
use crate::problem::Fault;
use crate::request::{Request, ReturnTarget, Strategy};
use crate::snapshot::Query;
use crate::state::marks::{
    self, DEPLOYED_AT, EXECUTION, RETURNED_FROM, RETURNED_TO, ROLLED_BACK, SERVED,
};
use crate::strategy::candidate::{self, Candidate, Rendered};
use crate::strategy::context::Context as Known;
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::pauses::CATCHING_UP;
use crate::strategy::service_lock::taken_back::TakenBack;
use crate::strategy::service_lock::{self, Lock};
use crate::text::listed;
use crate::workload::Workload;
use serde_json::{Value, json};
use std::time::Duration;

/// How many names [`SERVED`] has: of these one is needed, and each may be the one that serves now.
const SERVED_LIMIT: usize = 4;

/// How long after the lock a version that is missing is looked for again.
const SECOND_LOOK: Duration = Duration::from_secs(10);

/// How many versions a fault lists.
const LISTED: usize = 5;

impl Context<'_> {
    /// The new version, or the one that a rollback on demand brings back, as it is to be written.
    pub(super) fn candidate(
        &self,
        service: &Service,
        live: &Workload,
        lock: Option<&Lock>,
    ) -> Result<Candidate, Decision> {
        let rendered = match self.request.mode.is_rollback() {
            true => self.returning(service, live)?,
            false => self.new_version(service, live, lock)?,
        };
        rendered.map_err(|faults| match lock {
            Some(lock) if self.is_fresh(lock) => {
                let stage = Stage::Settling(live.name().to_owned());
                self.wait(stage, CATCHING_UP)
            }
            Some(_) | None => self.refuse(lock, faults),
        })
    }

    /// The new version. Where it served before, and an alarm rings, it is a way back, and says so.
    fn new_version(
        &self,
        service: &Service,
        live: &Workload,
        lock: Option<&Lock>,
    ) -> Result<Rendered, Query> {
        let author = Author {
            now: lock.map_or(self.continuation.started, |lock| lock.since),
            ..self.author()
        };
        let candidate = match Candidate::render(self.request, live, &author) {
            Ok(candidate) => candidate,
            Err(faults) => return Ok(Err(faults)),
        };
        let returns = match lock {
            Some(lock) => lock.returns,
            None if self.is_held_up() => {
                let all = self.family()?;
                self.of_family(service, live, &all).has_served(&candidate)
            }
            None => false,
        };
        Ok(Ok(match returns {
            true => candidate.returning_from(live),
            false => candidate,
        }))
    }

    /// Whether the lock of a rollback was taken a moment ago. What was there before it may be
    /// missing from an older answer of the API server, and nothing is lost by another look.
    fn is_fresh(&self, lock: &Lock) -> bool {
        let is_rollback = self.request.mode.is_rollback();
        is_rollback && self.now + self.request.timeout < lock.deadline + SECOND_LOOK
    }

    fn returning(&self, service: &Service, live: &Workload) -> Result<Rendered, Decision> {
        if is_done(self.request, live) {
            self.check_template(live)?;
        }
        let all = self.family()?;
        Ok(self.rendered(service, live, &all))
    }

    fn rendered(&self, service: &Service, live: &Workload, all: &[&Workload]) -> Rendered {
        let source = self.of_family(service, live, all).source();
        source
            .map(|source| Candidate::back(self.request, live, source))
            .map_err(|fault| vec![fault])
    }

    fn of_family<'f>(
        &'f self,
        service: &'f Service,
        live: &'f Workload,
        all: &'f [&'f Workload],
    ) -> Family<'f> {
        Family {
            context: self,
            service,
            live,
            all,
        }
    }

    /// The Deployments of the application.
    pub(super) fn family(&self) -> Result<Vec<&Workload>, Query> {
        let mut all = Vec::from_iter(self.plain()?);
        all.extend(self.versions()?);
        Ok(all)
    }
}

/// The same for a plan, of what was read for the decision.
pub fn planned(known: &Known, live: &Workload) -> Rendered {
    let context = Context::of(known).ok_or_else(Vec::new)?;
    let service = context.seen_service().ok_or_else(Vec::new)?;
    let mut all = Vec::from_iter(context.plain().ok().flatten());
    all.extend(context.versions().unwrap_or_default());
    context.rendered(service, live, &all)
}

/// What the patch of a switch notes beside: which Deployments served before the one that it leaves.
pub(super) fn remember(mut patch: Value, service: &Service, live: &Workload) -> Value {
    let mut served = service_lock::served(service, live.name());
    served.truncate(SERVED_LIMIT);
    if !served.is_empty() {
        patch["metadata"]["annotations"][SERVED] = json!(served.join(","));
    } else if service.annotation(SERVED).is_some() {
        patch["metadata"]["annotations"][SERVED] = Value::Null;
    }
    patch
}

/// The Deployments of one application behind a Service.
struct Family<'a> {
    context: &'a Context<'a>,
    service: &'a Service,
    live: &'a Workload,
    all: &'a [&'a Workload],
}

impl<'a> Family<'a> {
    /// The Deployment whose version is brought back. It is the live one where there is nothing to
    /// do: its version is asked for, this execution has brought it back, or it was not replaced
    /// yet.
    fn source(&self) -> Result<&'a Workload, Fault> {
        let continuation = self.context.continuation;
        if is_done(self.context.request, self.live) || self.keeps_live() {
            return Ok(self.live);
        }
        // What this deploy has written has the version, whatever became of the one it came from.
        let job = Some(&*continuation.job);
        let of_job = |one: &&Workload| one.annotation(marks::JOB) == job;
        if let Some(written) = self.others().into_iter().find(of_job) {
            return Ok(written);
        }
        match &self.context.request.to {
            Some(to) => self.named(to),
            None => self.served_before(),
        }
    }

    /// Whether the last deploy was not done, or this execution or another one has taken it back:
    /// what serves was not replaced.
    fn keeps_live(&self) -> bool {
        let (context, service, live) = (self.context, self.service, self.live);
        let (request, started) = (context.request, context.continuation.started);
        TakenBack::by(request, service).is_some()
            || context.unfinished_lock(service, live).is_some()
            || context.failed_meanwhile(service, live, self.all).is_some()
            || context.returned_meanwhile(service, live).is_some()
            || TakenBack::meanwhile(request, service, started).is_some()
    }

    fn others(&self) -> Vec<&'a Workload> {
        let live = self.live.name();
        let others = self.all.iter().copied();
        let others = others.filter(|one| one.name() != live && !one.is_being_deleted());
        others.collect()
    }

    fn named(&self, to: &ReturnTarget) -> Result<&'a Workload, Fault> {
        let is_it = |one: &Workload| {
            let version = marks::version_of(one);
            one.name() == to.text() || version == Some(to.text())
        };
        let has_image = |one: &Workload| images(one).any(|image| image == to.text());
        if is_it(self.live) || has_image(self.live) {
            return Ok(self.live);
        }
        if let Some(found) = self.others().into_iter().find(|one| is_it(one)) {
            return Ok(found);
        }
        let mut found = self.others();
        found.retain(|one| has_image(one));
        let ask = |problem: &str| Fault::new("to", format!("is `{}`, {problem}", to.text()));
        match found.as_slice() {
            [one] => Ok(one),
            [] => Err(ask(&format!(
                "and no Deployment of `{}` has that name, version or image; {}",
                self.context.request.deployment,
                self.versions()
            ))),
            more => {
                let names = more.iter().map(|one| format!("`{}`", one.name()));
                let names = listed(names.collect());
                Err(ask(&format!(
                    "which is the image of {names}: name one of these Deployments"
                )))
            }
        }
    }

    /// The version that served before the one that does now.
    fn served_before(&self) -> Result<&'a Workload, Fault> {
        let service = self.service.name();
        let Some(name) = service_lock::served(self.service, self.live.name())
            .first()
            .copied()
        else {
            return Err(self.refused(&format!(
                "Service `{service}` was never switched from another version to `{}`. To roll a \
                 Deployment back to an earlier revision of its own, use the strategy `rolling`",
                self.live.name()
            )));
        };
        let found = self.others().into_iter().find(|one| one.name() == name);
        let Some(found) = found else {
            return Err(self.refused(&format!(
                "`{name}`, which served before, no longer exists. Deploy that version again, or \
                 name another one by `to`; {}",
                self.versions()
            )));
        };
        match self.was_written_over(found) {
            None => Ok(found),
            Some(by) => Err(self.refused(&format!(
                "the version that served before is lost: {by} has written another one, which \
                 failed, into `{name}`. Deploy that version again, or name one by `to`; {}",
                self.versions()
            ))),
        }
    }

    /// Whether a new version is one that served before the one that does now, by what is left of
    /// it. What that one was to replace while an alarm rang, or was rolled back from, does not
    /// count.
    fn has_served(&self, candidate: &Candidate) -> bool {
        let left = self.live.annotation(RETURNED_FROM);
        let names = service_lock::served(self.service, self.live.name()).into_iter();
        let mut names = names.filter(|name| Some(*name) != left);
        let others = self.others();
        names.any(|name| {
            let mut found = others.iter().filter(|one| one.name() == name);
            found.any(|one| candidate.is_live(one) && self.was_written_over(one).is_none())
        })
    }

    /// Who has written another version into the idle one of two since that served.
    fn was_written_over(&self, found: &Workload) -> Option<String> {
        if matches!(self.context.request.strategy, Strategy::Immutable { .. }) {
            // Its name is its version's.
            return None;
        }
        // A rollback that failed has left it as it was.
        if candidate::returned(found).is_some_and(|(name, _)| name == found.name()) {
            return None;
        }
        let at = |text: Option<&str>| text.and_then(timestamp);
        let since = at(self.service.annotation(DEPLOYED_AT));
        let is_later = at(found.annotation(DEPLOYED_AT)) > since;
        let has_failed = found.annotation(ROLLED_BACK).is_some();
        let was_taken_back = service_lock::from(self.service) == Some(self.live.name())
            && service_lock::to(self.service) == Some(found.name());
        let by = found.annotation(EXECUTION);
        let by = by.map_or("another deploy".to_owned(), |by| format!("execution {by}"));
        (is_later || has_failed || was_taken_back).then_some(by)
    }

    fn refused(&self, problem: &str) -> Fault {
        let mode = self.context.request.mode.name();
        Fault::new("mode", format!("is `{mode}`, and {problem}"))
    }

    /// The versions that could be named.
    fn versions(&self) -> String {
        let told = self.others().into_iter().map(|one| {
            let image = images(one).next().unwrap_or("no image");
            format!("`{}` ({image})", one.name())
        });
        let told = told.collect::<Vec<_>>();
        let more = told.len().saturating_sub(LISTED);
        let told = told.into_iter().take(LISTED).collect::<Vec<_>>();
        match (told.len(), more) {
            (0, _) => format!("there is no version beside `{}`", self.live.name()),
            (1, _) => format!("the only other version is {}", listed(told)),
            (_, 0) => format!("the other versions are {}", listed(told)),
            (_, more) => format!("the other versions are {} and {more} more", told.join(", ")),
        }
    }
}

/// Whether this execution has brought back what serves: its stage is retried.
fn is_done(request: &Request, live: &Workload) -> bool {
    let is_ours = live.annotation(EXECUTION) == Some(&request.execution);
    is_ours && live.annotation(RETURNED_TO).is_some()
}

fn images(one: &Workload) -> impl Iterator<Item = &str> {
    one.images("containers").chain(one.images("initContainers"))
}

#[cfg(test)]
mod tests;
