//! How soon Landfall acts on a version that cannot serve, after its pods show it.

use crate::candidate::Candidate;
use crate::process::{PATIENCE, Process, event_with, milliseconds};
use crate::rollouts::{access, cluster, image};
use jiff::SignedDuration;
use landfall_sandbox::aws::Outcome;
use landfall_sandbox::instant::DEPLOYMENT;
use landfall_sandbox::world::Behaviour;
use serde_json::json;

/// Until the image is known to be missing.
const SHOWN: &str = "ErrImagePull";

/// From the moment at which the pods show that their image is missing to the write that takes the
/// version back, in milliseconds. The deploy has no patience that would be waited for.
pub(crate) async fn seen(landfall: &Candidate, rounds: usize) -> Result<Vec<f64>, String> {
    let mut times = Vec::new();
    for round in 0..rounds {
        let cluster = cluster(SignedDuration::from_millis(100)).await?;
        cluster.world(|world, _| world.behave("missing", Behaviour::ImagePull));
        let wanted = format!("registry.example.com/demo-app:missing-{round}");
        let parameters =
            json!({"deployment": DEPLOYMENT, "images": {"app": wanted}, "patience": "0s"});
        let event = event_with(&parameters);
        let process = Process::start(landfall, access(&cluster), event).await?;
        let shown = cluster.until(|world| {
            let mut pods = world.objects("pods").into_iter();
            pods.any(|pod| pod.to_string().contains(SHOWN))
        });
        let back = cluster.until(|world| {
            let live = world.deployment("default", DEPLOYMENT);
            live.is_some_and(|live| {
                let now = &live["spec"]["template"]["spec"]["containers"][0]["image"];
                live["metadata"]["generation"].as_u64() > Some(2) && *now == image(0)
            })
        });
        let both = tokio::time::timeout(PATIENCE, async { tokio::join!(shown, back) });
        let (shown, back) = both.await.map_err(|_| "no version was taken back")?;
        times.push(milliseconds(back.duration_since(shown)));
        match process.outcome(PATIENCE).await {
            Outcome::Failed(_) => {}
            other @ (Outcome::Succeeded(_) | Outcome::Silent(_) | Outcome::Pending) => {
                return Err(format!("the deploy did not fail: {other:?}"));
            }
        }
    }
    Ok(times)
}
