//! The order of the way back.

use super::item::{Back, BackTo};
use super::model::ReleaseEngine;
use crate::kubernetes::object_id::ObjectId;
use crate::release::order::{Step, order_among, reversed_among, waits_for_removal};
use jiff::SignedDuration;
use std::collections::BTreeSet;

/// Sorts objects into steps, by the groups of the release's definitions.
type Sort = fn(&[(&ObjectId, i32)], &BTreeSet<&str>) -> Vec<Step>;

impl ReleaseEngine {
    /// What is put back comes first, in order; then what is new is deleted, in the opposite order.
    /// New webhooks and policies, and policies that are put back, go before all that: they came
    /// last, and would be asked about what comes back.
    pub(super) fn order_backs(&mut self) {
        let ids = |of: &dyn Fn(&Back) -> bool| {
            let chosen = self.backs.iter().enumerate();
            let chosen = chosen.filter(|(_, back)| !stays(back) && of(back));
            chosen.map(|(place, _)| place).collect::<Vec<_>>()
        };
        let ungated = ids(&is_in_the_way);
        let restored = ids(&|back| !is_in_the_way(back) && !is_new(back));
        let deleted = ids(&|back| !is_in_the_way(back) && is_new(back));
        let own = self.own_groups();
        let steps_of = |places: &[usize], sort: Sort| {
            let list = places
                .iter()
                .map(|place| (&self.backs[*place].id, self.backs[*place].wave));
            let steps = sort(&list.collect::<Vec<_>>(), &own).into_iter();
            let steps = steps.map(|step| {
                let members = step.members.iter().map(|it| places[*it]);
                (members.collect::<Vec<_>>(), waits_for_removal(step.rank))
            });
            steps.collect::<Vec<_>>()
        };
        let kept = [(ungated, true), (restored, false)].into_iter();
        let kept = kept.flat_map(|(places, waits)| {
            let steps = steps_of(&places, order_among).into_iter();
            steps.map(move |(members, _)| (members, waits))
        });
        let steps = kept.chain(steps_of(&deleted, reversed_among));
        let steps = steps.collect::<Vec<_>>();
        let waits = steps.iter().enumerate().filter(|(_, (_, waits))| *waits);
        self.back_waits = waits.map(|(step, _)| step).collect();
        self.back_steps = steps.into_iter().map(|(members, _)| members).collect();
    }
}

/// How long an API server may go on asking what is gone, or is another one now: it looks for
/// changed policies once a second (`policy_source.go`).
/// <https://github.com/kubernetes/apiserver/tree/master/pkg/admission/plugin/policy/generic>
pub(super) const ADMISSION_LAG: SignedDuration = SignedDuration::from_secs(2);

fn stays(back: &Back) -> bool {
    matches!(back.to, BackTo::Stay(_) | BackTo::NothingUnlessRan)
}

fn is_new(back: &Back) -> bool {
    back.to == BackTo::Nothing
}

/// Whether it admits other objects and is not to be there. A webhook that is put back is not among
/// these: who serves it comes back first.
pub(super) fn is_in_the_way(back: &Back) -> bool {
    let admits = back.id.group == "admissionregistration.k8s.io";
    admits && (is_new(back) || back.id.kind.contains("Policy"))
}
