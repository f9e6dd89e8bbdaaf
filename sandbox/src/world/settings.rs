//! What a test sets up: behaviours, faults, rights, tokens.

use crate::world::behaviour::{Behaviour, Says};
use crate::world::fault;
use crate::world::fault::{Fault, On};
use crate::world::mutation::Mutation;
use crate::world::object;
use crate::world::object::text;
use crate::world::refusal::Refusal;
use crate::world::state::{Task, Timing, World};
use jiff::SignedDuration;

impl World {
    /// What pods do that have a container with such an image; a later rule beats an earlier one.
    /// Pods that are not ready yet heed it at once.
    pub fn behave(&mut self, image_contains: impl Into<String>, behaviour: Behaviour) {
        self.behaviours.push((image_contains.into(), behaviour));
        self.rethink();
    }

    /// The same, and pods that are ready heed it, too: a version that falls ill while it serves.
    pub fn strike(&mut self, image_contains: impl Into<String>, behaviour: Behaviour) {
        let image = image_contains.into();
        self.behave(image.clone(), behaviour);
        let all = self.lives.keys().cloned().collect::<Vec<_>>();
        for key in all {
            let struck = self.store.get(&key).is_some_and(|pod| {
                let containers = object::list(pod, "/spec/containers");
                let mut images = containers.iter().map(|it| text(it, "/image"));
                !object::terminating(pod) && images.any(|it| it.contains(&image))
            });
            if struck {
                self.plan_step(Task::Pod(key));
            }
        }
    }

    /// What pods with such an image say to a question over the API server's proxy; a later rule
    /// beats an earlier one. All others say `200 ok`.
    pub fn say(&mut self, image_contains: impl Into<String>, status: u16, body: impl Into<String>) {
        self.answers.push(Says {
            image: image_contains.into(),
            status,
            body: body.into(),
        });
    }

    /// What all other pods do.
    pub fn default_behaviour(&mut self, behaviour: Behaviour) {
        self.default_behaviour = behaviour;
        self.rethink();
    }

    /// How long things take.
    pub fn timing(&mut self) -> &mut Timing {
        &mut self.timing
    }

    /// Plans a fault for the next requests that match.
    pub fn fault(&mut self, on: On, fault: Fault, times: u32) {
        self.faults.push(fault::Planned {
            on,
            fault,
            left: times,
        });
    }

    /// Forgets all planned faults.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Refuses a verb on a resource (`patch`, `deployments`; `get`, `pods/log`; `*` for any).
    pub fn forbid(&mut self, verb: impl Into<String>, resource: impl Into<String>) {
        self.forbidden.insert((verb.into(), resource.into()));
    }

    /// Takes a [`World::forbid`] back.
    pub fn grant(&mut self, verb: impl Into<String>, resource: impl Into<String>) {
        self.forbidden.remove(&(verb.into(), resource.into()));
    }

    /// Refuses requests as an admission plugin or a webhook does: after rights, before storage.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }

    /// Remembers no request from now on: whoever copies the world copies them, too.
    pub fn keep_no_requests(&mut self) {
        self.seen_limit = 0;
    }

    /// Another accepted token, as after a rotation by hand. What the cluster issued stays good.
    pub fn rotate_token(&mut self, token: impl Into<String>) {
        self.token = token.into();
    }

    /// Whose the tokens are, by the API server's name for them.
    pub fn sign_in(&mut self, user: impl Into<String>) {
        self.user = user.into();
    }

    /// The longest life of a token that is issued, as `--service-account-max-token-expiration`.
    pub fn shorten_tokens(&mut self, life: SignedDuration) {
        self.longest_token = Some(life.as_secs());
    }

    /// Forgets the log of changes: every older watch and list token is expired.
    pub fn forget_history(&mut self) {
        self.store.forget();
    }

    /// Lets a webhook change what is written from now on.
    pub fn mutate(&mut self, mutation: Mutation) {
        self.mutations.push(mutation);
    }
}
