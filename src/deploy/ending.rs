//! What is read when a call has ended a switch: what its Service sends to, and what is scaled up.

use super::{Deploy, Outcome};
use crate::cluster::Cluster;
use jiff::Timestamp;
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::call::Call;
use landfall_core::outcome::CredentialsError;
use landfall_core::report::outage;
use landfall_core::state::continuation::Phase;
use landfall_core::strategy::scene::Sought;
use landfall_core::strategy::{self, Decision, Look, Present};
use std::sync::Arc;

/// What is looked at for it: the Service, its EndpointSlices, and the Deployments behind it.
const LOOKS: usize = 6;

impl Outcome {
    /// Whether pods are wanted and none was seen to serve at the end.
    pub fn is_outage(&self) -> bool {
        match self {
            Outcome::Failed(failure) => failure.is_outage(),
            Outcome::Broken(_, _, present) => present.as_deref().is_some_and(outage::is_of_switch),
            Outcome::Finished(_)
            | Outcome::Planned(_)
            | Outcome::LockedOut(_)
            | Outcome::LostSight(..)
            | Outcome::HandedOver(_) => false,
        }
    }
}

impl<R: AsyncFn() -> Result<Arc<Cluster>, CredentialsError>> Deploy<'_, R> {
    /// The end that a call came to which failed for good.
    pub(super) async fn broken(&mut self, call: Call, error: CallError) -> Outcome {
        let present = self.present().await;
        Outcome::Broken(Box::new(call), error, present.map(Box::new))
    }

    /// What is there now of a switch that was begun; nothing where it cannot be read either.
    async fn present(&mut self) -> Option<Present> {
        let switch = self.request.strategy.switch()?;
        if self.continuation.phase == Phase::Start {
            return None;
        }
        self.observation.renew(None);
        self.observation.scene.service = None;
        let mut look = Look::Scene(Sought::Service);
        for _ in 0..LOOKS {
            let Look::Scene(sought) = &look else {
                return None;
            };
            let call = look.call(self.request);
            if let Err(error) = self.scene(sought, &call).await {
                let error = super::unreadable(&error);
                tracing::warn!(error, "what is there now cannot be read");
                return None;
            }
            let (request, observation) = (self.request, &self.observation);
            let (continuation, now) = (&*self.continuation, Timestamp::now());
            match strategy::switch::present(request, switch, continuation, observation, now) {
                Ok(present) => return Some(present),
                Err(Decision::Look(next)) => look = next,
                Err(_) => return None,
            }
        }
        None
    }
}
