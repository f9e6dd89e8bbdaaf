//! How a switch hands over: by one cut, or with both versions behind the Service for as long as a
//! load balancer in front of it needs to see the new pods healthy.
//!
//! The choice is made once, with the lock, and is kept on the Service: whoever goes on must not
//! choose otherwise.

use crate::kubernetes::front::{self, Balancer, Front};
use crate::kubernetes::resource::{INGRESSES, TARGET_GROUP_BINDINGS};
use crate::kubernetes::service::Service;
use crate::request::{AskedHandover, Switch};
use crate::snapshot::{Items, Listed, Query, Snapshot};
use crate::state::marks;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long an Application Load Balancer may need for a new target: its controller looks every 15 s
/// at the latest, then one check must pass, every 15 s (or 30 s by ELB's own default) with a
/// time-out of 5 s.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>
const APPLICATION: Duration = Duration::from_secs(60);

/// The same for a Network Load Balancer, which may take minutes before it checks a new target.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html>
const NETWORK: Duration = Duration::from_secs(4 * 60);

/// The same where it is not known what is in front.
const ANY: Duration = Duration::from_secs(90);

/// How a switch hands over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// For how many seconds both versions serve; `None` for a cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Why so.
    pub why: Why,
}

/// Why a switch hands over as it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Why {
    /// The user says so.
    Asked,
    /// This is in front of the Service.
    Front(Front),
    /// Nothing of the kind is in front of the Service.
    NoFront,
    /// What is in front may not be read: these resources may not be listed.
    Unreadable(Vec<String>),
    /// Without the version, the Service's selector would find this pod of something else as well.
    Others(String),
    /// The Service's selector has nothing but the version.
    NoLabel,
    /// This Deployment of the same application could not be scaled down, and would serve as well.
    Left(String),
}

impl Handover {
    fn overlap(time: Duration, why: Why) -> Handover {
        Handover {
            seconds: Some(time.as_secs()),
            why,
        }
    }

    /// One cut.
    pub fn cut(why: Why) -> Handover {
        Handover { seconds: None, why }
    }

    /// For how long both versions serve; `None` for a cut.
    pub fn time(&self) -> Option<Duration> {
        self.seconds.map(Duration::from_secs)
    }

    /// How the last switch of this Service handed over. What cannot be read is not known.
    pub fn noted(service: &Service) -> Option<Handover> {
        serde_json::from_str(service.annotation(marks::HANDOVER)?).ok()
    }
}

/// What is in front of a Service, as far as it may be read.
enum Found {
    Front(Front),
    Nothing,
    Unknown(Vec<String>),
}

/// Chooses by what the user says, else by what is in front of the Service.
///
/// # Errors
///
/// What must be read first.
pub fn choose(switch: &Switch, service: &Service, snapshot: &Snapshot) -> Result<Handover, Query> {
    Ok(match switch.handover {
        AskedHandover::Cut => Handover::cut(Why::Asked),
        AskedHandover::Overlap(Some(time)) => Handover::overlap(time, Why::Asked),
        AskedHandover::Overlap(None) => {
            let time = match in_front(service, snapshot)? {
                Found::Front(front) => needed(front.balancer),
                Found::Nothing | Found::Unknown(_) => ANY,
            };
            Handover::overlap(time, Why::Asked)
        }
        AskedHandover::Auto => match in_front(service, snapshot)? {
            Found::Front(front) => Handover::overlap(needed(front.balancer), Why::Front(front)),
            Found::Nothing => Handover::cut(Why::NoFront),
            // Without being asked, two versions never serve at once where nothing is known to need
            // it: that is what these strategies promise.
            Found::Unknown(resources) => Handover::cut(Why::Unreadable(resources)),
        },
    })
}

fn needed(balancer: Balancer) -> Duration {
    match balancer {
        Balancer::Application => APPLICATION,
        Balancer::Network | Balancer::Unknown => NETWORK,
    }
}

fn in_front(service: &Service, snapshot: &Snapshot) -> Result<Found, Query> {
    let mut unreadable = Vec::new();
    match snapshot.listed(Items::TargetGroupBindings)? {
        Listed::Items(bindings) => {
            // Where there are such objects, they tell of everything that the controller does.
            let found = front::of_bindings(bindings, service.name());
            let found = found.or_else(|| front::of_service(service));
            return Ok(found.map_or(Found::Nothing, Found::Front));
        }
        Listed::Unserved => {}
        Listed::Refused => unreadable.push(TARGET_GROUP_BINDINGS.name.to_string()),
    }
    if let Some(front) = front::of_service(service) {
        return Ok(Found::Front(front));
    }
    match snapshot.listed(Items::Ingresses)? {
        Listed::Items(ingresses) => {
            if let Some(front) = front::of_ingresses(ingresses, service) {
                return Ok(Found::Front(front));
            }
        }
        Listed::Unserved => {}
        Listed::Refused => unreadable.push(INGRESSES.name.to_string()),
    }
    Ok(match unreadable.is_empty() {
        true => Found::Nothing,
        false => Found::Unknown(unreadable),
    })
}

#[cfg(test)]
mod tests;
