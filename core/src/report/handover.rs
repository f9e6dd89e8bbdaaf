//! How a switch handed over, or would, and why so.

use crate::kubernetes::front::{Balancer, Front};
use crate::strategy::handover::{Handover, Why};
use crate::text::{listed, words};

/// After a switch. What the user asked for, and was done, needs no word where nothing follows from
/// it.
pub(super) fn done(handover: &Handover) -> String {
    match (handover.time(), &handover.why) {
        (None, Why::Asked) => String::new(),
        (None, why) => format!(" {}", cut(why, "was switched")),
        (Some(time), why) => format!(
            " Both versions served for {} before the previous one left{}.",
            words(time),
            reason(why)
        ),
    }
}

/// Before a switch.
pub(super) fn planned(handover: &Handover) -> String {
    match (handover.time(), &handover.why) {
        (None, Why::Asked) => " It would be switched at once (`handover`).".to_owned(),
        (None, why) => format!(" {}", cut(why, "would be switched")),
        (Some(time), why) => format!(
            " Both versions would serve for {} before the previous one leaves{}.",
            words(time),
            reason(why)
        ),
    }
}

/// Why both serve for a while.
fn reason(why: &Why) -> String {
    match why {
        Why::Front(front) => {
            let (balancer, (kind, name)) = (balancer(front), &front.object);
            format!(", so that {balancer} sees the new pods healthy first ({kind} `{name}`)")
        }
        Why::Asked
        | Why::NoFront
        | Why::Unreadable(_)
        | Why::Others(_)
        | Why::NoLabel
        | Why::Left(_) => " (`handover`)".to_owned(),
    }
}

/// Why it is a cut.
fn cut(why: &Why, done: &str) -> String {
    match why {
        Why::Asked | Why::Front(_) => format!("It {done} at once."),
        Why::NoFront => format!(
            "It {done} at once, as no load balancer of AWS with pods as its targets is in front of \
             the Service (`handover`)."
        ),
        Why::Unreadable(resources) => {
            let resources = resources.iter().map(|name| format!("`{name}`"));
            format!(
                "It {done} at once. Whether a load balancer in front of the Service needs time to \
                 see the new pods healthy is not known: the token may not list {} \
                 (deploy/rbac-switching.yaml). Grant that; `blueGreen` and `immutable` may set \
                 `handover` instead.",
                listed(resources.collect())
            )
        }
        Why::Others(pod) => format!(
            "It {done} at once, though a load balancer with pods as its targets is in front of the \
             Service: without the version its selector also finds pod `{pod}`, which is of \
             something else."
        ),
        Why::NoLabel => format!(
            "It {done} at once, though a load balancer with pods as its targets is in front of the \
             Service: its selector has nothing but the version."
        ),
        Why::Left(deployment) => format!(
            "It {done} at once, as `{deployment}` could not be scaled down and would have served, \
             too."
        ),
    }
}

fn balancer(front: &Front) -> &'static str {
    match front.balancer {
        Balancer::Application => "the Application Load Balancer",
        Balancer::Network => "the Network Load Balancer",
        Balancer::Unknown => "the load balancer",
    }
}

#[cfg(test)]
mod tests;
