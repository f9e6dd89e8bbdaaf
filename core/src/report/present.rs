//! What is said of a switch that somebody else has come between: what the Service sends to now,
//! and what is still scaled up.

use super::model::{Report, fail, who};
use super::outage;
use crate::change::editor::Editor;
use crate::kubernetes::service::Detour;
use crate::outcome::{FailureCode, FailureType};
use crate::request::{Request, candidate_service};
use crate::strategy::TrafficState;
use crate::text::{listed, quote};

/// What to do about somebody else's later change. Which of both is wanted only people know.
const LEAVE_OR_RELEASE: &str = "To keep the version that serves now, do nothing; to \
    deploy this version, release the change again.";

/// The same where no later execution has taken this one's place.
const LEAVE_OR_RETRY: &str =
    "To keep the version that serves now, do nothing; to deploy this version, retry the stage.";

/// What to do about a selector that others set.
const OTHERS_SET: &str = "A tool that applies the Service from files must not manage its \
    `spec.selector` (docs/strategies.md).";

/// A later change stands, be it another execution's or not.
pub(super) fn later(headline: &str, by: Option<&str>) -> Report {
    let next = match by {
        Some(_) => LEAVE_OR_RELEASE,
        None => LEAVE_OR_RETRY,
    };
    let (code, failure_type) = (FailureCode::OutOfSync, FailureType::RevisionOutOfSync);
    fail(code, failure_type, headline, &[], next)
}

fn counted(count: i64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

impl TrafficState {
    /// Whether all traffic goes to this deploy's version.
    fn is_of_this_deploy(&self) -> bool {
        self.sends.keys().eq(&self.version)
    }

    /// Whether this deploy's version gets traffic now, where it is known by name.
    fn of_this_deploy(&self) -> String {
        let Some(version) = &self.version else {
            return String::new();
        };
        let gets = match self.sends.contains_key(version) {
            true => "gets traffic",
            false => "gets no traffic",
        };
        format!("This deploy's version, `{version}`, {gets} now. ")
    }

    /// What is there now, in words.
    pub fn sentence(&self) -> String {
        let service = &self.service;
        let sends = self.sends.iter().map(|(name, pods)| {
            let pods = i64::try_from(*pods).unwrap_or(i64::MAX);
            format!("`{name}` ({})", counted(pods, "pod"))
        });
        let sends = listed(sends.collect());
        let now = match (self.is_there, self.sends.len()) {
            (true, count) if self.detour.is_some() => self.aside(count, &sends),
            (false, _) => format!("Service `{service}` does not exist now."),
            (true, 0) => {
                format!("Service `{service}` now routes to no pod, so nothing is served.")
            }
            (true, 1) => format!("Service `{service}` now routes to {sends}."),
            (true, _) => format!(
                "Service `{service}` now routes to {sends}: more than one version serves at once."
            ),
        };
        let up = self.up.iter();
        let up = up.map(|(name, count)| format!("`{name}` ({})", counted(*count, "replica")));
        match listed(up.collect()) {
            up if up.is_empty() => format!("{now} None of its Deployments is scaled up."),
            up => format!("{now} Scaled up: {up}."),
        }
    }

    /// Where a Service leads that does not send to the pods of a selector. `count` Deployments have
    /// the pods of its endpoints: `sends`.
    fn aside(&self, count: usize, sends: &str) -> String {
        let service = &self.service;
        match &self.detour {
            Some(Detour::ExternalName(name)) => format!(
                "Service `{service}` is of type ExternalName now: it leads to `{}`, not to pods.",
                quote(name)
            ),
            Some(Detour::NoSelector) | None if count == 0 => {
                format!("Service `{service}` has no selector now, and routes to no pod.")
            }
            Some(Detour::NoSelector) | None => format!(
                "Service `{service}` has no selector now, so Kubernetes does not update its \
                 endpoints any more: it routes to {sends}, even after these pods have ended."
            ),
        }
    }
}

/// What came of a deploy whose Service is not there any more, where a route may give a share of the
/// traffic to the new version still. `fate` says what became of that.
pub(super) fn service_gone(request: &Request, share: Option<u8>, fate: &str) -> String {
    let canary = request.strategy.canary();
    let route = canary.and_then(|canary| canary.route.as_ref());
    let (Some(percent), Some(route), Some(switch)) = (share, route, request.strategy.switch())
    else {
        return format!("Nothing was switched back, because the Service no longer exists. {fate}");
    };
    if percent == 0 {
        return format!(
            "`{route}` sends everything to Service `{}` again, which no longer exists. {fate}",
            switch.service
        );
    }
    format!(
        "`{route}` still sends {percent} % of the traffic to Service `{}`, that of the new \
         version. Nothing was taken back, because Service `{}` no longer exists. {fate}",
        candidate_service(&switch.service),
        switch.service
    )
}

/// What to do about it. `help` is what to do about the cause.
pub(super) fn make_anew(request: &Request, share: u8, code: FailureCode, help: &str) -> String {
    let switch = request.strategy.switch();
    let service = switch.map_or("", |switch| &*switch.service);
    let then = match code == FailureCode::OutOfSync {
        true => "Then retry the stage.",
        false => help,
    };
    let first = match share {
        0 => "",
        _ => "; if the route still names it, the next canary first gives it all traffic",
    };
    format!("Create Service `{service}` again{first}. {then}")
}

/// Somebody else's change stands, and the deploy has stepped aside.
pub(super) fn set_aside(
    request: &Request,
    by: Option<&str>,
    editor: Option<&Editor>,
    present: &TrafficState,
) -> Report {
    let who = who(by, editor);
    let (service, namespace) = (&present.service, &request.namespace);
    let next = match (by, present.is_mixed()) {
        (None, _) if present.detour.is_some() => format!(
            "{}To deploy this version, let the Service select its pods again (`spec.type`, \
             `spec.selector`), then retry the stage. {OTHERS_SET}",
            present.of_this_deploy()
        ),
        (None, _) if present.is_there && present.sends.is_empty() => format!(
            "Correct the Service's `spec.selector`, so that it selects ready pods again; to deploy \
             this version then, retry the stage. {OTHERS_SET}"
        ),
        (None, true) => format!(
            "Retry the stage: the next deploy pins the Service to one version first. Or set its \
             selector to the version that you want to keep. {OTHERS_SET}"
        ),
        (None, false) if present.is_of_this_deploy() => format!(
            "{}Retry the stage: that brings its deploy to its end. {OTHERS_SET}",
            present.of_this_deploy()
        ),
        (None, false) => format!("{}{LEAVE_OR_RETRY} {OTHERS_SET}", present.of_this_deploy()),
        (Some(_), _) => format!("{}{LEAVE_OR_RELEASE}", present.of_this_deploy()),
    };
    fail(
        FailureCode::OutOfSync,
        FailureType::RevisionOutOfSync,
        &outage::told(
            request,
            Some(present.serving()),
            format!(
                "Service `{service}` in `{namespace}` was changed by {who} after this deploy wrote \
                 its version; the later change was kept."
            ),
        ),
        &[present.sentence()],
        &next,
    )
}
