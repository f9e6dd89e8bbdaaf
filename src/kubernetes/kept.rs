//! Lists that are kept: read once, then followed by a watch, so that the same question again costs
//! no call. What is asked and what is answered stays the same; a watch that cannot be had, or not
//! be believed, leaves each question to a list.

mod items;
mod list;
mod stream;
mod trust;

use super::Cluster;
use items::{Form, Item, answer, read};
use landfall_core::engine::in_short;
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::call::Call;
use landfall_core::snapshot::{Followed, Reading, Response};
use landfall_core::state::marks::VERSION;
use list::{List, selected};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use stream::{Message, Told, follow};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::Instrument as _;

pub use trust::Trust;

/// Lists that are kept at a time: a rollout asks for its versions, its pods, and sometimes for
/// those of others. A switch does so for two versions, and asks for what is in front of them.
const LISTS: usize = 4;
const LISTS_OF_SWITCH: usize = 16;

/// Objects of one list that are kept; of a list with more, each question is asked.
const ITEMS: usize = 10_000;

/// How long the server is to keep a watch open.
const WATCH_SECONDS: u64 = 300;

/// What watches have told and nobody has taken yet. More is left in the sockets.
const BACKLOG: usize = 64;

/// How often changes of pods end a wait. Thousands may change in a second.
const PODS_PAUSE: Duration = Duration::from_secs(1);

/// The same for all that a switch follows: what it does not follow is read after each of them.
const PAUSE: Duration = Duration::from_millis(250);

/// How long a watch may take to tell what was written, or read, in another way.
const CATCHING_UP: Duration = Duration::from_millis(100);

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
    /// Whether what a switch reads is kept, too.
    is_switch: bool,
    /// Whether there is too much of all versions to follow it.
    is_narrow: bool,
    /// The path of the object that is followed by other means.
    followed_elsewhere: String,
}

impl Kept {
    /// Nothing yet. `is_switch`: whether what a switch reads is to be kept, too.
    pub fn new(is_switch: bool) -> Kept {
        let (sender, receiver) = channel(BACKLOG);
        Kept {
            lists: Vec::new(),
            tasks: JoinSet::new(),
            sender,
            receiver,
            newest: 0,
            is_logged: false,
            woken: None,
            is_switch,
            is_narrow: false,
            followed_elsewhere: String::new(),
        }
    }

    /// Answers a call, from what is kept where that is as good and it need not be `fresh`; also
    /// whether a watch has told the answer. `None` where such answers are not kept.
    pub async fn ask(
        &mut self,
        cluster: &Cluster,
        (call, reading): (&Call, &Reading),
        fresh: bool,
        until: Instant,
    ) -> Option<Result<(Response, bool), CallError>> {
        let form = Form::of(call, reading, self.is_switch)?;
        while let Ok((id, told, at)) = self.receiver.try_recv() {
            self.take(id, told, at);
        }
        if !fresh {
            let is_awaited =
                |list: &List| list.is(call, form) && list.awaited.is_some() && !list.is_outdated;
            self.catch_up(is_awaited).await;
        }
        let now = Instant::now();
        let mut lists = self.lists.iter_mut().filter(|_| !fresh);
        let found = lists.find(|list| {
            let has_it = list.is(call, form) || list.covers(call, form);
            has_it && list.is_believed(now)
        });
        if let Some(list) = found {
            return Some(Ok((list.answer(call, reading), true)));
        }
        let wider = self.wider(call, form).filter(|_| !fresh);
        let list = wider.as_ref().unwrap_or(call);
        let read = read(cluster, list, form, until).await;
        let read = self.read((call, reading), (list, form), read, fresh).await;
        Some(read.map(|response| (response, false)))
    }

    /// What is read in the place of a version's pods, or of what controls them: those of all
    /// versions, so that the ones of the next are among what is followed. Where they are not to be
    /// followed, it would only be more to read.
    fn wider(&self, call: &Call, form: Form) -> Option<Call> {
        let may_widen = matches!(form, Form::Versions | Form::ServicePods);
        let is_wide = self.is_switch && !self.is_narrow && may_widen;
        let wider = is_wide.then(|| call.without_label(VERSION)).flatten()?;
        let mut lists = self.lists.iter();
        let is_unfollowed = |list: &List| list.is(&wider, form) && list.trust.is_given_up();
        (!lists.any(is_unfollowed)).then_some(wider)
    }

    /// Takes a list as it was read for a question.
    async fn read(
        &mut self,
        (asked, reading): (&Call, &Reading),
        (call, form): (&Call, Form),
        read: Result<(Vec<Item>, Option<String>), CallError>,
        fresh: bool,
    ) -> Result<Response, CallError> {
        if read.is_err() && form == Form::Single {
            // Of what is not there nothing can be followed.
            self.lists.retain(|list| !list.is(call, form));
        }
        let (items, version) = read?;
        let items = items.into_iter().map(|item| (item.name().to_owned(), item));
        let items = items.collect::<BTreeMap<_, _>>();
        let Some(version) = version.filter(|_| items.len() <= ITEMS) else {
            self.lists.retain(|list| !list.is(call, form));
            self.is_narrow |= asked != call;
            let wanted = selected(asked).unwrap_or_default();
            let part = items.values().filter(|item| item.has(&wanted));
            let mut response = answer(part, reading);
            if let Response::Pods(pods) = &mut response {
                pods.cut = true;
            }
            return Ok(response);
        };
        if self.is_switch {
            let is_other = |list: &List| list.is(call, form) && list.items != items;
            let is_behind = |list: &List| {
                let part = list.part(call).map(|item| (item.name(), item));
                list.covers(call, form)
                    && !part.eq(items.iter().map(|(name, item)| (&**name, item)))
            };
            self.catch_up(|list| is_other(list) || is_behind(list))
                .await;
            let now = Instant::now();
            let lists = self.lists.iter_mut();
            for list in lists.filter(|list| list.watch.is_some() && list.covers(call, form)) {
                let is_same = !is_behind(list);
                list.checked(is_same, fresh, now);
            }
        }
        let list = self.list(call, form);
        list.read(items, version, fresh, Instant::now());
        let answer = list.answer(asked, reading);
        self.log(call, "it does not tell what changes");
        Ok(answer)
    }

    /// Waits a moment for what watches are about to tell, as long as a list `is_behind`.
    async fn catch_up(&mut self, is_behind: impl Fn(&List) -> bool) {
        let end = Instant::now() + CATCHING_UP;
        loop {
            let mut lists = self.lists.iter();
            if !lists.any(|list| list.watch.is_some() && is_behind(list)) {
                return;
            }
            let Ok(Some((id, told, at))) = timeout_at(end, self.receiver.recv()).await else {
                return;
            };
            self.take(id, told, at);
        }
    }

    /// Something was written, and came to this: what was kept before tells nothing of it. A switch
    /// goes on from what others have not been changed by.
    pub fn written(&mut self, call: &Call, result: Option<&Response>) {
        for list in &mut self.lists {
            match result.filter(|_| self.is_switch) {
                Some(Response::Object(object)) => list.written(call, object),
                _ => list.is_outdated = true,
            }
        }
    }

    /// Something is waited for: what is not followed is to be read after it. The object of this
    /// path is followed by other means.
    pub fn wait(&mut self, cluster: &Arc<Cluster>, followed_elsewhere: &str) {
        followed_elsewhere.clone_into(&mut self.followed_elsewhere);
        self.lists.iter_mut().for_each(List::wait);
        self.open(cluster);
    }

    /// The cluster may be another one.
    pub fn clear(&mut self) {
        self.lists.clear();
        self.tasks.abort_all();
    }

    /// How the pods that were asked for are followed.
    pub fn pods(&self) -> Followed {
        let lists = self.lists.iter();
        let mut pods = lists.filter(|list| list.is_of_pods() && list.is_current);
        if pods.clone().any(|list| list.watch.is_none()) {
            return Followed::ByLists;
        }
        match pods.any(|list| list.is_changed) {
            true => Followed::Changed,
            false => Followed::ByWatch,
        }
    }

    /// Opens the watches that are missing.
    fn open(&mut self, cluster: &Arc<Cluster>) {
        while self.tasks.try_join_next().is_some() {}
        let now = Instant::now();
        let is_covered = |list: &List| {
            let mut others = self.lists.iter();
            others.any(|other| other.covers(&list.call, list.form) && other.is_followed(now))
        };
        let covered = self.lists.iter().map(is_covered).collect::<Vec<_>>();
        for (list, is_covered) in self.lists.iter_mut().zip(covered) {
            let is_elsewhere = *list.call.path == *self.followed_elsewhere;
            if is_covered || !list.is_wanted() || is_elsewhere || !list.trust.may_open(now) {
                continue;
            }
            self.newest += 1;
            let (id, version) = (self.newest, list.begins_at());
            let call = Call::watch_of(&list.call, &version, WATCH_SECONDS);
            list.trust.opening();
            let what = (call, list.form, list.only().to_owned());
            let task = follow(Arc::clone(cluster), what, id, self.sender.clone());
            list.watch = Some((id, self.tasks.spawn(task.in_current_span())));
        }
    }

    /// Waits until something that is kept has changed: versions at once, pods not too often.
    pub async fn changed(&mut self, cluster: &Arc<Cluster>) {
        loop {
            self.open(cluster);
            let due = self.due();
            let end = due.unwrap_or_else(Instant::now);
            tokio::select! {
                message = self.receiver.recv() => {
                    if let Some((id, told, at)) = message {
                        self.take(id, told, at);
                    }
                }
                () = sleep_until(end), if due.is_some() => {
                    self.woken = Some(Instant::now());
                    // Whether pods have changed decides how soon they are looked at.
                    let others = self.lists.iter_mut().filter(|it| !it.is_of_pods());
                    others.for_each(|list| list.is_changed = false);
                    return;
                }
            }
        }
    }

    /// When what has changed ends a wait.
    fn due(&self) -> Option<Instant> {
        let changed = self.lists.iter().filter(|list| list.wakes());
        let pauses = changed.map(|list| match (list.is_busy(), self.is_switch) {
            (true, _) => PODS_PAUSE,
            (false, true) => PAUSE,
            (false, false) => Duration::ZERO,
        });
        let pause = pauses.min()?;
        Some(self.woken.map_or_else(Instant::now, |woken| woken + pause))
    }

    /// Takes what watches tell, for as long as nobody waits for it.
    pub async fn drain(&mut self) {
        while let Some((id, told, at)) = self.receiver.recv().await {
            self.take(id, told, at);
        }
    }

    /// Takes what a watch has told at this time.
    fn take(&mut self, id: u64, told: Told, at: Instant) {
        let mut lists = self.lists.iter_mut();
        let Some(list) = lists.find(|list| list.is_of(id)) else {
            return;
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
        list.take(told, at);
        self.lists.retain(|list| list.items.len() <= ITEMS);
        self.log(&call, &error);
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
    fn list(&mut self, call: &Call, form: Form) -> &mut List {
        // What was asked for last stays longest.
        let place = self.lists.iter().position(|list| list.is(call, form));
        if let Some(place) = place {
            let found = self.lists.remove(place);
            return self.lists.push_mut(found);
        }
        let most = match self.is_switch {
            true => LISTS_OF_SWITCH,
            false => LISTS,
        };
        if self.lists.len() >= most {
            self.lists.remove(0);
        }
        self.lists.push_mut(List::new(call, form, self.is_switch))
    }
}
