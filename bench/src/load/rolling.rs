//! Rollouts of a minute: the calls, and the bytes that are read, while somebody follows one.

use super::deployer::{Deployer, build_step, deployment, image, settle};
use super::wire::Wire;
use crate::plane::Plane;
use crate::process::{Process, event_with};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use std::time::Duration;

/// The pods of the rollouts that are followed.
pub(crate) const PODS: [usize; 3] = [3, 100, 5_000];
/// More pods than this in several rollouts at a time would measure the machine.
pub(super) const SMALL: usize = 1_000;
/// How long one rollout may take, many pods on a busy machine included.
const PATIENCE: Duration = Duration::from_secs(600);
/// Until a pod of a few is ready: three waves of these are a minute.
const READY: &str = "20s";
/// Until one of many is ready, in fifty waves: the control plane needs the rest of the minute.
const SOON: &str = "1s";
const WAVES: usize = 50;
/// The node of many pods, which kwok plays.
const NODE: &str = "landfall-1";
/// Until the pods of the rollout before are gone.
const REST: Duration = Duration::from_secs(5);

/// Everybody at the same time, each with a Deployment of their own.
pub(super) async fn together(
    plane: &Plane,
    deployers: &[Deployer],
    pods: usize,
) -> Result<Vec<Value>, String> {
    eprintln!("Rollouts of {pods} pods, all at the same time");
    let name = |deployer: &Deployer| format!("load-{}-{pods}", deployer.name());
    for deployer in deployers {
        prepare(plane, &name(deployer), pods)?;
    }
    for deployer in deployers {
        settle(plane, &name(deployer))?;
    }
    let rows = deployers
        .iter()
        .map(|deployer| follow(plane, deployer, name(deployer), pods));
    let rows = try_join_all(rows).await?;
    for deployer in deployers {
        remove(plane, &name(deployer))?;
    }
    Ok(rows)
}

/// One after another, with the same Deployment.
pub(super) async fn in_turn(
    plane: &Plane,
    deployers: &[Deployer],
    pods: usize,
) -> Result<Vec<Value>, String> {
    let name = format!("load-{pods}");
    eprintln!("{pods} pods start");
    prepare(plane, &name, pods)?;
    settle(plane, &name)?;
    let mut rows = Vec::new();
    for deployer in deployers {
        eprintln!("A rollout of {pods} pods: {}", deployer.title());
        tokio::time::sleep(REST).await;
        rows.push(follow(plane, deployer, name.clone(), pods).await?);
    }
    remove(plane, &name)?;
    Ok(rows)
}

fn prepare(plane: &Plane, name: &str, pods: usize) -> Result<(), String> {
    let wave = match pods {
        ..=SMALL => pods.div_ceil(3),
        _ => pods / WAVES,
    };
    let mut deployment = deployment(name, &image("first", 0, "10ms"), pods, wave);
    if pods > SMALL {
        // The scheduler binds a few dozen pods a second, so it would be what is measured.
        deployment["spec"]["template"]["spec"]["nodeName"] = json!(NODE);
    }
    plane.apply(&deployment)
}

fn remove(plane: &Plane, name: &str) -> Result<(), String> {
    let gone = ["delete", "deployment", name, "--wait=false"];
    plane.kubectl.ask(&gone, "").map(|_| ())
}

/// One deploy, whose calls and bytes are counted until its last connection is closed.
async fn follow(
    plane: &Plane,
    deployer: &Deployer,
    name: String,
    pods: usize,
) -> Result<Value, String> {
    let (account, token) = (&*deployer.account, &*deployer.token);
    let counted = plane.audit.count(account)?;
    let wire = Wire::start(&plane.url).await?;
    let image = image(
        deployer.name(),
        pods,
        if pods <= SMALL { READY } else { SOON },
    );
    let (seconds, cpu, peak) = match &deployer.candidate {
        Some(candidate) => {
            let event = event_with(&json!({"deployment": name, "images": {"app": image}}));
            let access = plane.access(&wire.url, token);
            let process = Process::start(candidate, access, event).await?;
            let report = process.first(PATIENCE).await;
            let report = report.map_err(|problem| format!("{account}: {problem}"))?;
            let took = report.at.duration_since(process.started).as_secs_f64();
            (took, process.cpu()?, process.peak()?)
        }
        None => {
            let used = build_step(plane, (&wire.url, token), (&name, &image)).await?;
            (used.seconds, used.cpu, used.peak)
        }
    };
    let (read, connections) = (wire.read(), wire.connections());
    drop(wire);
    let calls = plane.audit.settled(counted).await?;
    Ok(
        json!({"pods": pods, "name": deployer.name(), "title": deployer.title(),
        "calls": calls.all(), "kinds": calls.kinds, "read": read, "connections": connections,
        "seconds": seconds, "cpu": cpu, "peak": peak}),
    )
}
