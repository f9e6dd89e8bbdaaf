//! The settings of tests: behaviours, faults, permissions, tokens.

use crate::iam::AccessKeys;
use crate::world::behaviour::{Behaviour, Says};
use crate::world::fault;
use crate::world::fault::{Fault, On};
use crate::world::identity::Iam;
use crate::world::mutation::Mutation;
use crate::world::object;
use crate::world::object::text;
use crate::world::refusal::Refusal;
use crate::world::state::{Task, Timing, World};
use jiff::SignedDuration;
use std::collections::BTreeMap;

impl World {
    /// Sets the behaviour of pods with such an image; a later rule overrides an earlier one. It
    /// applies at once to pods that are not ready yet.
    pub fn behave(&mut self, image_contains: impl Into<String>, behaviour: Behaviour) {
        self.behaviours.push((image_contains.into(), behaviour));
        self.rethink();
    }

    /// The same, also for pods that are ready: a version that becomes unhealthy later.
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

    /// Sets the response of such pods to requests through the API server's proxy; a later rule
    /// overrides an earlier one. The default is `200 ok`.
    pub fn say(&mut self, image_contains: impl Into<String>, status: u16, body: impl Into<String>) {
        self.answers.push(Says {
            image: image_contains.into(),
            status,
            body: body.into(),
        });
    }

    /// Sets the behaviour of all other pods.
    pub fn default_behaviour(&mut self, behaviour: Behaviour) {
        self.default_behaviour = behaviour;
        self.rethink();
    }

    /// The durations of this world.
    pub fn timing(&mut self) -> &mut Timing {
        &mut self.timing
    }

    /// Plans a fault for the next matching requests.
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

    /// Denies a verb on a resource (`patch`, `deployments`; `get`, `pods/log`; `*` for any).
    pub fn forbid(&mut self, verb: impl Into<String>, resource: impl Into<String>) {
        self.forbidden.insert((verb.into(), resource.into()));
    }

    /// Undoes a [`World::forbid`].
    pub fn grant(&mut self, verb: impl Into<String>, resource: impl Into<String>) {
        self.forbidden.remove(&(verb.into(), resource.into()));
    }

    /// Refuses requests like an admission plugin or a webhook: after permissions, before storage.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }

    /// Stops recording requests and changes, so that no watch can be opened: copies of the world
    /// would copy them, too. A stale read still finds what was there before the last change.
    pub fn keep_no_history(&mut self) {
        self.seen_limit = 0;
        self.store.keep_no_log();
    }

    /// Accepts another token, as after a manual rotation. Issued tokens stay valid.
    pub fn rotate_token(&mut self, token: impl Into<String>) {
        self.token = token.into();
    }

    /// Sets the owner of the tokens, by the API server's user name.
    pub fn sign_in(&mut self, user: impl Into<String>) {
        self.user = user.into();
    }

    /// Makes it a cluster of EKS with this name: it accepts tokens that are signed with these keys.
    /// Nobody has an access entry yet.
    pub fn trust_iam(&mut self, cluster: impl Into<String>, keys: AccessKeys) {
        self.iam = Some(Iam {
            cluster: cluster.into(),
            keys,
            entries: BTreeMap::new(),
        });
    }

    /// Makes or changes the access entry of a role.
    pub fn enter(&mut self, role: impl Into<String>, groups: &[&str]) {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let entries = self.iam.as_mut().map(|iam| &mut iam.entries);
        entries.and_then(|entries| entries.insert(role.into(), groups));
    }

    /// Deletes the access entry of a role.
    pub fn leave(&mut self, role: &str) {
        let entries = self.iam.as_mut().map(|iam| &mut iam.entries);
        entries.and_then(|entries| entries.remove(role));
    }

    /// Sets the longest lifetime of an issued token, like `--service-account-max-token-expiration`.
    pub fn shorten_tokens(&mut self, life: SignedDuration) {
        self.longest_token = Some(life.as_secs());
    }

    /// Forgets the log of changes: older watches and list tokens expire.
    pub fn forget_history(&mut self) {
        self.store.forget();
    }

    /// Adds a webhook that changes what is written from now on.
    pub fn mutate(&mut self, mutation: Mutation) {
        self.mutations.push(mutation);
    }
}
