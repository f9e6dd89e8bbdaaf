//! The latest state of the watched object, from its watch. Reads of the object are answered from
//! here as long as the watch is believed.

use crate::kubernetes::kept::Trust;
use crate::kubernetes::{Watch, WatchEvent};
use futures_util::FutureExt;
use landfall_core::engine::{Ask, Watching};
use landfall_core::kubernetes::call::{Call, Verb};
use landfall_core::kubernetes::contact::Identity;
use landfall_core::kubernetes::identity;
use landfall_core::snapshot::{Reading, Response};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// When a watch that the server should have ended, after five minutes, is taken for dead.
const WATCH_TRUST: Duration = Duration::from_secs(305);

/// An object that is watched.
pub(super) struct Watched {
    watch: Watch,
    asked: Identity,
    /// The path of the call that reads it.
    path: String,
    /// The object as it is; `None` where that is not known, or not to be believed.
    object: Option<Value>,
    trust: Trust,
    /// When it had told nothing more: what is taken from it later came after that.
    polled: Instant,
}

impl Watched {
    /// A watch that was opened now, from this object on.
    pub(super) fn new(watch: Watch, watching: &Watching, object: Option<Value>) -> Watched {
        let now = Instant::now();
        let mut trust = Trust::new(now);
        trust.opened(now);
        Watched {
            watch,
            asked: Identity {
                name: watching.name.clone(),
                ..identity::asked(&watching.call).unwrap_or_default()
            },
            path: path(watching),
            object,
            trust,
            polled: now,
        }
    }

    /// Waits for the next change.
    pub(super) async fn next(&mut self) -> WatchEvent {
        let event = self.watch.next(&self.asked).await;
        self.polled = Instant::now();
        self.take(&event);
        event
    }

    /// The path of the call that reads the object.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Whether it is of what is to be watched.
    pub(super) fn is_for(&self, watching: &Watching) -> bool {
        self.path == path(watching)
    }

    /// Whether a write may be of the object.
    pub(super) fn is_of(&self, call: &Call) -> bool {
        let (collection, _) = self.path.rsplit_once('/').unwrap_or_default();
        call.path.starts_with(collection)
    }

    /// Whether the server has not left it open for too long.
    pub(super) fn is_young(&self) -> bool {
        self.watch.opened().elapsed() < WATCH_TRUST
    }

    /// The answer to a question for the object, where it need not be asked.
    pub(super) fn answer(&mut self, ask: &Ask) -> Option<Response> {
        // What is taken here is not heard by the engine in another way.
        if ask.fresh || !self.is_asked(ask) {
            return None;
        }
        while let Some(event) = self.watch.next(&self.asked).now_or_never() {
            self.take(&event);
            if event == WatchEvent::Over {
                break;
            }
        }
        self.polled = Instant::now();
        let object = self.object.clone()?;
        let is_believed = self.trust.is_believed(Instant::now());
        is_believed.then(|| Response::Object(object.into()))
    }

    /// Takes what was read of the object, as the watch has not told it.
    pub(super) fn read(&mut self, ask: &Ask, response: Option<&Response>) {
        let version = |object: &Value| object.pointer("/metadata/resourceVersion").cloned();
        match response {
            Some(Response::Object(read)) if self.is_asked(ask) => {
                match self.object.as_ref().map(version) == Some(version(read)) {
                    true => self.trust.confirmed(Instant::now()),
                    // What comes of it is for the engine to decide.
                    false => self.object = None,
                }
            }
            _ => {}
        }
    }

    fn is_asked(&self, ask: &Ask) -> bool {
        ask.call.verb == Verb::Get && ask.reading == Reading::Object && ask.call.path == self.path
    }

    fn take(&mut self, event: &WatchEvent) {
        match event {
            WatchEvent::Now(object) => {
                self.object = Some(object.clone());
                self.trust.told(self.polled);
            }
            WatchEvent::Nothing => self.trust.told(self.polled),
            WatchEvent::Deleted | WatchEvent::Over => self.object = None,
        }
    }
}

/// The path of the call that reads what is to be watched.
fn path(watching: &Watching) -> String {
    format!("{}/{}", watching.call.path, watching.name)
}
