//! What deploys ask of a real API server, by its own audit log and metrics: rollouts of few and of
//! many pods, a switch with a bake, and many deploys at once.

mod crowd;
mod deployer;
mod rolling;
mod switch;
mod text;
mod wire;

use crate::candidate::{Candidate, LANDFALL};
use crate::plane::Plane;
use deployer::Deployer;
use rolling::SMALL;
use serde_json::{Value, json};

pub(crate) use rolling::PODS;
pub(crate) use text::{bytes, rollout, text};

/// The deploys at once.
pub(crate) const DEPLOYS: [usize; 3] = [1, 10, 100];

/// Measures rollouts of so many pods, a switch, and so many deploys at once.
pub(crate) async fn measure(
    candidates: &[Candidate],
    pods: &[usize],
    deploys: &[usize],
) -> Result<Value, String> {
    let plane = Plane::find()?;
    let all = candidates.iter().map(Some).chain([None]);
    let deployers = all.map(|candidate| Deployer::new(&plane, "load", candidate));
    let deployers = deployers.collect::<Result<Vec<_>, _>>()?;
    let (few, many) = pods
        .iter()
        .copied()
        .partition::<Vec<_>, _>(|pods| *pods <= SMALL);
    let mut rollouts = Vec::new();
    for pods in few {
        rollouts.extend(rolling::together(&plane, &deployers, pods).await?);
    }
    let landfall = candidates.iter().find(|it| it.name == LANDFALL);
    let (mut switch, mut crowds) = (Value::Null, Vec::new());
    if let Some(landfall) = landfall {
        switch = switch::measure(&plane, landfall).await?;
        for deploys in deploys {
            crowds.extend(crowd::measure(&plane, landfall, *deploys).await?);
        }
    }
    // These last: what they leave behind keeps the API server busy for a while.
    for pods in many {
        rollouts.extend(rolling::in_turn(&plane, &deployers, pods).await?);
    }
    Ok(
        json!({"version": plane.version, "date": format!("{:.0}", jiff::Timestamp::now()),
        "processors": std::thread::available_parallelism().map_or(1, usize::from),
        "rollouts": rollouts, "switch": switch, "crowds": crowds}),
    )
}
