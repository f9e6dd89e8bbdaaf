//! A blue/green deploy with a bake of a minute.

use super::deployer::{deployment, image, settle};
use super::wire::Wire;
use crate::candidate::Candidate;
use crate::plane::Plane;
use crate::process::{Process, event_with};
use landfall_sandbox::world::sample_service;
use serde_json::{Value, json};
use std::time::Duration;

const NAME: &str = "load-switch";
const PODS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(180);
/// Until the Service sends to the pods.
const ENDPOINTS: Duration = Duration::from_secs(3);

/// Measures one: its calls and the bytes that were read.
pub(super) async fn measure(plane: &Plane, landfall: &Candidate) -> Result<Value, String> {
    eprintln!("A blue/green deploy with a bake of a minute");
    plane.apply(&deployment(NAME, &image("first", 0, "10ms"), PODS, 1))?;
    plane.apply(&sample_service(NAME))?;
    settle(plane, NAME)?;
    tokio::time::sleep(ENDPOINTS).await;
    let token = plane.account(NAME)?;
    let counted = plane.audit.count(NAME)?;
    let wire = Wire::start(&plane.url).await?;
    let event = event_with(&json!({"deployment": NAME, "service": NAME, "bake": "60s",
        "strategy": "blueGreen", "images": {"app": image("switch", 0, "1s")}}));
    let process = Process::start(landfall, plane.access(&wire.url, &token), event).await?;
    let report = process.first(PATIENCE).await?;
    let seconds = report.at.duration_since(process.started).as_secs_f64();
    let (read, connections, peak) = (wire.read(), wire.connections(), process.peak()?);
    drop((process, wire));
    let calls = plane.audit.settled(counted).await?;
    Ok(json!({
        "pods": PODS,
        "bake": 60,
        "calls": calls.all(),
        "words": calls.words(),
        "kinds": calls.kinds,
        "read": read,
        "connections": connections,
        "seconds": seconds,
        "peak": peak,
    }))
}
