//! Measures how long Landfall takes to check many crashing pods and find the cause. The other
//! candidates do not check pods.

use crate::candidate::Candidate;
use crate::process::{Cluster, PATIENCE, Process, TOKEN, event_with, milliseconds};
use landfall_sandbox::aws::Outcome;
use landfall_sandbox::instant::{DEPLOYMENT, InstantCluster};
use serde_json::json;

/// The numbers of pods.
pub(crate) const PODS: [usize; 5] = [1, 10, 100, 1_000, 5_000];

/// The measurements for one number of pods.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crowd {
    pub(crate) pods: usize,
    /// The size of the pods' JSON in MiB.
    pub(crate) size: f64,
    /// The time from the first page to the call after the last page, in milliseconds.
    pub(crate) looks: Vec<f64>,
    /// The peak memory in MiB.
    pub(crate) peak: f64,
}

impl Crowd {
    pub(crate) async fn measure(
        candidate: &Candidate,
        pods: usize,
        rounds: usize,
    ) -> Result<Crowd, String> {
        let mut crowd = Crowd {
            pods,
            ..Crowd::default()
        };
        for _ in 0..rounds {
            crowd.round(candidate).await?;
        }
        Ok(crowd)
    }

    async fn round(&mut self, candidate: &Candidate) -> Result<(), String> {
        let cluster = InstantCluster::start_crowded(TOKEN, self.pods);
        let cluster = cluster.await.map_err(|error| error.to_string())?;
        let access = Cluster {
            url: cluster.url(),
            ca: cluster.ca(),
            token: Some(TOKEN),
        };
        // Without patience the first check decides.
        let image = "registry.example.com/demo-app:2.0";
        let parameters =
            json!({"deployment": DEPLOYMENT, "images": {"app": image}, "patience": "0s"});
        let process = Process::start(candidate, access, event_with(&parameters)).await?;
        match process.outcome(PATIENCE).await {
            Outcome::Failed(_) => {}
            other @ (Outcome::Succeeded(_) | Outcome::Silent(_) | Outcome::Pending) => {
                let log = process.function.log().join("\n");
                return Err(format!("the deploy did not fail: {other:?}\n{log}"));
            }
        }
        let (time, bytes) = cluster.look();
        self.looks.push(milliseconds(time));
        self.size = bytes as f64 / 1024.0 / 1024.0;
        self.peak = self.peak.max(process.peak()?);
        Ok(())
    }
}
