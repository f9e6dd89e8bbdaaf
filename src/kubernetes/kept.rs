//! Lists that are kept: read once, then followed by a watch, so that the same question again costs
//! no call. What is asked and what is answered stays the same; a watch that cannot be had, or not
//! be believed, leaves each question to a list.

mod items;
mod stream;
mod trust;

use super::Cluster;
use items::{answer, read};
use landfall_core::engine::in_short;
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::call::{Call, Verb};
use landfall_core::snapshot::{Followed, Reading, Response};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use stream::{Item, Message, Told, follow};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};
use tracing::Instrument as _;

pub use trust::Trust;

/// Lists that are kept at a time: a rollout asks for its versions, its pods, and sometimes for
/// those of others.
const LISTS: usize = 4;

/// Objects of one list that are kept; of a list with more, each question is asked.
const ITEMS: usize = 10_000;

/// How long the server is to keep a watch open.
const WATCH_SECONDS: u64 = 300;

/// What watches have told and nobody has taken yet. More is left in the sockets.
const BACKLOG: usize = 64;

/// How often changes of pods end a wait. Thousands may change in a second.
const PODS_PAUSE: Duration = Duration::from_secs(1);

/// Lists that are kept.
pub struct Kept {
    lists: Vec<List>,
    tasks: JoinSet<()>,
    sender: Sender<Message>,
    receiver: Receiver<Message>,
    /// The number of the newest watch.
    newest: u64,
    /// Whether it was logged that a watch is not to be had.
    is_logged: bool,
    /// When changes of pods have ended a wait the last time.
    woken: Option<Instant>,
}

/// A list that is kept.
struct List {
    call: Call,
    items: BTreeMap<String, Item>,
    /// From where it is followed.
    version: String,
    trust: Trust,
    watch: Option<(u64, AbortHandle)>,
    /// Whether it is to be read before it is believed again, whatever a watch tells.
    is_outdated: bool,
    /// Whether it has changed since it was asked for the last time.
    is_changed: bool,
    /// How often it was asked for.
    asked: u32,
}

impl Default for Kept {
    fn default() -> Kept {
        let (sender, receiver) = channel(BACKLOG);
        Kept {
            lists: Vec::new(),
            tasks: JoinSet::new(),
            sender,
            receiver,
            newest: 0,
            is_logged: false,
            woken: None,
        }
    }
}

impl Kept {
    /// Answers a call, from what is kept where that is as good and it need not be `fresh`; also
    /// whether a watch has told the answer.
    pub async fn ask(
        &mut self,
        cluster: &Cluster,
        (call, reading): (&Call, &Reading),
        fresh: bool,
        until: Instant,
    ) -> Result<(Response, bool), CallError> {
        while let Ok((id, told, at)) = self.receiver.try_recv() {
            self.take(id, told, at);
        }
        let now = Instant::now();
        let found = self.lists.iter_mut().find(|list| list.call == *call);
        if let Some(list) = found.filter(|list| !fresh && list.is_believed(now)) {
            list.is_changed = false;
            return Ok((list.answer(reading), true));
        }
        let (items, version) = read(cluster, call, reading, until).await?;
        let items = items.into_iter().map(|item| (item.name().to_owned(), item));
        let items = items.collect::<BTreeMap<_, _>>();
        let Some(version) = version.filter(|_| items.len() <= ITEMS) else {
            self.lists.retain(|list| list.call != *call);
            let mut response = answer(items.values(), reading);
            if let Response::Pods(pods) = &mut response {
                pods.cut = true;
            }
            return Ok((response, false));
        };
        let list = self.list(call);
        list.read(items, version, fresh, Instant::now());
        let answer = list.answer(reading);
        self.log(call, "it does not tell what changes");
        Ok((answer, false))
    }

    /// Whether calls that are read like this are answered from what is kept.
    pub fn keeps(call: &Call, reading: &Reading) -> bool {
        let is_kept = match reading {
            Reading::Pods(_) | Reading::ReplicaSets => true,
            // The last look before a success: a watch's last word may be held back on its way.
            Reading::Roster(_) => false,
            Reading::Object | Reading::Whole | Reading::List => false,
            Reading::Events | Reading::Text => false,
        };
        is_kept && call.verb == Verb::List
    }

    /// Something was written: what was kept before tells nothing of it.
    pub fn outdate(&mut self) {
        for list in &mut self.lists {
            list.is_outdated = true;
        }
    }

    /// The cluster may be another one.
    pub fn clear(&mut self) {
        self.lists.clear();
        self.tasks.abort_all();
    }

    /// How the pods that were asked for are followed.
    pub fn pods(&self) -> Followed {
        let mut pods = self.lists.iter().filter(|list| list.has_pods());
        if pods.clone().any(|list| list.watch.is_none()) {
            return Followed::ByLists;
        }
        match pods.any(|list| list.is_changed) {
            true => Followed::Changed,
            false => Followed::ByWatch,
        }
    }

    /// Opens the watches that are missing.
    pub fn open(&mut self, cluster: &Arc<Cluster>) {
        while self.tasks.try_join_next().is_some() {}
        let now = Instant::now();
        for list in &mut self.lists {
            // What is asked for once may not be asked for again. The pods of a rollout are, and
            // there may be many.
            let is_wanted = list.asked > 1 || list.has_pods();
            if list.watch.is_some() || list.is_outdated || !is_wanted || !list.trust.may_open(now) {
                continue;
            }
            self.newest += 1;
            let (id, call) = (
                self.newest,
                Call::watch_of(&list.call, &list.version, WATCH_SECONDS),
            );
            list.trust.opening();
            let task = follow(Arc::clone(cluster), call, id, self.sender.clone());
            list.watch = Some((id, self.tasks.spawn(task.in_current_span())));
        }
    }

    /// Waits until something that is kept has changed: versions at once, pods not too often.
    pub async fn changed(&mut self, cluster: &Arc<Cluster>) {
        loop {
            self.open(cluster);
            let pods = self
                .lists
                .iter()
                .any(|list| list.is_changed && list.has_pods() && !list.is_outdated);
            let due = self
                .woken
                .map_or_else(Instant::now, |woken| woken + PODS_PAUSE);
            tokio::select! {
                message = self.receiver.recv() => {
                    if let Some((id, told, at)) = message && self.take(id, told, at) {
                        return;
                    }
                }
                () = sleep_until(due), if pods => {
                    self.woken = Some(Instant::now());
                    return;
                }
            }
        }
    }

    /// Takes what a watch has told at this time; true where a version has changed.
    fn take(&mut self, id: u64, told: Told, at: Instant) -> bool {
        let mut lists = self.lists.iter_mut();
        let Some(list) = lists.find(|list| list.is_of(id)) else {
            return false;
        };
        let call = list.call.clone();
        let error = match &told {
            Told::Refused(error) => in_short(error),
            Told::Garbled => "what came is not from a watch".to_owned(),
            Told::Expired => "its history does not reach back so far".to_owned(),
            Told::Over(_) | Told::Opened | Told::Put(..) | Told::Gone(..) | Told::Bookmark(_) => {
                "it ends at once".to_owned()
            }
        };
        let has_changed = list.take(told, at) && !list.has_pods();
        self.lists.retain(|list| list.items.len() <= ITEMS);
        self.log(&call, &error);
        has_changed
    }

    /// Logs once that lists take the place of a watch.
    fn log(&mut self, call: &Call, error: &str) {
        let mut lists = self.lists.iter();
        let is_given_up = lists.any(|list| list.call == *call && list.trust.is_given_up());
        if is_given_up && !self.is_logged {
            self.is_logged = true;
            let resource = &*call.resource;
            tracing::warn!(
                resource,
                error,
                "no watch is to be had; lists take its place"
            );
        }
    }

    /// The list of a call; one that is new takes the place of the oldest.
    fn list(&mut self, call: &Call) -> &mut List {
        if let Some(at) = self.lists.iter().position(|list| list.call == *call) {
            return &mut self.lists[at];
        }
        if self.lists.len() >= LISTS {
            self.lists.remove(0);
        }
        self.lists.push(List {
            call: call.clone(),
            items: BTreeMap::new(),
            version: String::new(),
            trust: Trust::new(Instant::now()),
            watch: None,
            is_outdated: false,
            is_changed: false,
            asked: 0,
        });
        self.lists.last_mut().expect("one was added")
    }
}

impl List {
    fn is_of(&self, id: u64) -> bool {
        self.watch.as_ref().is_some_and(|(own, _)| *own == id)
    }

    fn has_pods(&self) -> bool {
        self.call.answer.as_deref() == Some("Pod")
    }

    fn is_believed(&self, now: Instant) -> bool {
        self.watch.is_some() && !self.is_outdated && self.trust.is_believed(now)
    }

    fn answer(&mut self, reading: &Reading) -> Response {
        self.asked += 1;
        answer(self.items.values(), reading)
    }

    /// Takes the list as it was read now. A last look may be `fresh`er than a watch that is well.
    fn read(&mut self, items: BTreeMap<String, Item>, version: String, fresh: bool, now: Instant) {
        let is_same = self.items == items;
        if self.watch.is_some() && !is_same {
            // A watch that was opened before goes on from before, and would undo what was read.
            self.close();
            self.trust.corrected(!self.is_outdated && !fresh, now);
        } else {
            self.trust.confirmed(now);
        }
        self.items = items;
        self.version = version;
        self.is_outdated = false;
        self.is_changed = false;
    }

    /// Takes what its watch has told; true where something has changed.
    fn take(&mut self, told: Told, now: Instant) -> bool {
        match told {
            Told::Opened => self.trust.opened(now),
            Told::Bookmark(version) => self.advance(version, now),
            Told::Put(name, item, version) => {
                self.advance(version, now);
                let has_changed = self.items.get(&name) != Some(&item);
                self.items.insert(name, item);
                self.is_changed |= has_changed;
                return has_changed;
            }
            Told::Gone(name, version) => {
                self.advance(version, now);
                let has_changed = self.items.remove(&name).is_some();
                self.is_changed |= has_changed;
                return has_changed;
            }
            Told::Over(end) => {
                self.close();
                self.trust.ended(end == super::WatchEnd::Ended, now);
            }
            Told::Expired | Told::Garbled => {
                self.close();
                self.is_outdated = true;
                self.trust.ended(false, now);
            }
            Told::Refused(error) => {
                self.close();
                let (mut is_final, mut pause) = (false, Duration::ZERO);
                if let CallError::Refused(refusal) = &error {
                    is_final = !refusal.may_pass();
                    pause = refusal.wait.unwrap_or_default();
                }
                self.trust.refused(is_final, pause, now);
            }
        }
        false
    }

    fn advance(&mut self, version: String, now: Instant) {
        self.version = version;
        self.trust.told(now);
    }

    fn close(&mut self) {
        if let Some((_, task)) = self.watch.take() {
            task.abort();
        }
    }
}

impl Drop for List {
    fn drop(&mut self) {
        self.close();
    }
}
