//! Scripted pods: what they show, second by second.

use jiff::SignedDuration;
use serde_json::Value;

/// A time after a pod's creation, and what the pod shows from then on.
type Moment = (SignedDuration, Value);

/// What the pods of one version show.
///
/// A state is `"creating"`, `"ready"`, or an object with any of `phase`, `reason`, `message`,
/// `node` (null: none yet), `nominated` (a node that is to come), `conditions`
/// (`{type: [status, reason, message]}`, null for none), `containers` and `init`. A container is
/// `{"waiting": [reason, message]}`, `{"running": true}` or `{"ended": [code, reason, message]}`
/// with `ready`, `started`, `restarts`, `image`, and `last` (how it ended before).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The moments of each pod in the order of creation; further pods repeat the last one.
    pub lives: Vec<Vec<Moment>>,
    /// Merged into the spec of each pod, like by a mutating webhook; containers are added.
    pub spec: Value,
    /// The log of each container.
    pub log: String,
    /// Events of each pod: `{"type", "reason", "message", "count"}`, with `container` for those of
    /// one container, and `every` (seconds) for one that comes again and again.
    pub events: Vec<Value>,
    /// When pods cannot be created.
    pub barred: Option<Barred>,
}

/// Why and for how long pods cannot be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barred {
    /// The API server's message.
    pub message: String,
    /// The duration from the first attempt.
    pub lasts: SignedDuration,
    /// How many pods can still be created.
    pub room: usize,
}

impl Script {
    /// Parses `[[second, state], …]` for all pods, or a list of such lists.
    pub fn read(pods: &Value) -> Script {
        let life = |life: &Value| {
            let moments = life.as_array().into_iter().flatten();
            let moment = |moment: &Value| {
                let seconds = moment[0].as_f64().unwrap_or_default();
                let at = SignedDuration::from_secs_f64(seconds);
                (at, moment[1].clone())
            };
            moments.map(moment).collect()
        };
        let lives = if pods[0][0].is_array() {
            pods.as_array().into_iter().flatten().map(life).collect()
        } else {
            vec![life(pods)]
        };
        Script {
            lives,
            ..Script::default()
        }
    }
}
