//! What was read of the cluster since the last write or wait: queries, each with its answer.
//!
//! A strategy asks the snapshot and gets the answer, or the query that is to be read first. What is
//! forgotten, and when, are two rules: [`Snapshot::invalidate_pods`], after the Deployment that is
//! watched has changed, and [`Snapshot::invalidate_all`], after a write or a wait.

mod answer;
mod invalidation;
mod query;
mod response;
mod taken;
mod told;

pub use answer::{Answer, DryRun, Listed, Missed, Smoked, Typed};
pub use query::{EXPLANATION_TIMEOUT, Items, Kind, MOMENT, Optional, Query, ROLLBACK, Terms};
pub use response::{Reading, Reply, Response, found, object};

use crate::change::editor::Editor;
use crate::kubernetes::pod::Event;
use crate::kubernetes::route::{Route, RouteKind};
use crate::kubernetes::service::{Autoscaler, Endpoints, Selector, Service, ServicePod, written};
use crate::workload::health::diagnosis::{Explanation, PodSnapshot, log_lines};
use crate::workload::health::job::{JobEnd, told_end};
use crate::workload::replica_set::{ReplicaSet, count_pods};
use crate::workload::{self, Workload};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use taken::{blocking, got, listed, replica_sets, roster, service_pods};

/// How pods are followed. It decides how soon a look at them is worth its price, and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Followed {
    /// Each look is a list.
    #[default]
    ByLists,
    /// A look costs nothing.
    ByWatch,
    /// The same, and they have changed since the last look.
    Changed,
}

/// Events, or why they cannot be read.
type EventsRead = Result<Vec<Event>, String>;

/// What was read of the cluster since the last write or wait.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    answers: Vec<(Query, Answer)>,
    /// What was not read, but told by a watch.
    told: Vec<Query>,
    /// The Deployments that writes have scaled to zero.
    retired: Vec<Query>,
    /// A Deployment that is read again, and its `resourceVersion` before: what was read of its
    /// versions holds if it still has this one.
    doubted: Option<(Query, Option<String>)>,
    /// When the first of these was taken.
    since: Option<Timestamp>,
    /// The last look at the pods of the newest ReplicaSet, which is renewed in its own time.
    pub pods: Option<PodSnapshot>,
    /// How whoever reads the cluster follows these pods.
    pub followed: Followed,
    /// How often in a row these could not be read.
    pub pods_missed: u32,
    /// What was read to explain what they show.
    pub explanation: Explanation,
    /// The Job as it was seen last: Kubernetes may delete it as soon as it has ended.
    pub last_job: Option<Workload>,
    /// How often nothing told how a Job ended that is gone.
    pub ends_unseen: u32,
    /// The smoke test.
    pub smoke: Smoked,
    /// Whether a trial has found a name taken that no list has.
    pub is_taken: bool,
    /// What could not be cleared away, and why.
    pub left: Vec<(String, String)>,
}

impl Snapshot {
    /// A write has returned this Deployment: whatever else was seen belongs to another version.
    pub fn of(deployment: Workload) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.set(Query::deployment(deployment.name()), Some(deployment));
        snapshot
    }

    /// The answer to a query, or the query, which is to be read first.
    pub fn get<T: Typed>(&self, query: Query) -> Result<&T, Query> {
        let mut all = self.answers.iter();
        let found = all.find(|(asked, _)| *asked == query);
        found.and_then(|(_, it)| T::of(it)).ok_or(query)
    }

    /// Keeps the answer to a query.
    pub fn set(&mut self, query: Query, answer: impl Into<Answer>) {
        let answer = answer.into();
        if let Answer::Deployment(Some(live)) = &answer
            && live.kind().ends()
        {
            self.last_job = Some(live.clone());
        }
        // The only version of a Job is read with it, and is what it had where it is gone.
        if let Answer::Deployment(live) = &answer
            && let Some(live) = live.as_ref().or(self.last_job.as_ref())
            && let Some(only) = ReplicaSet::only(live)
        {
            let selector = live.selector();
            self.set(Query::replica_sets(&selector), vec![only]);
        }
        self.answers.retain(|(asked, _)| *asked != query);
        self.told.retain(|told| *told != query);
        self.answers.push((query, answer));
    }

    /// The Deployment of this name, where there is one.
    pub fn deployment(&self, name: &str) -> Result<Option<&Workload>, Query> {
        let found = self.get::<Option<Workload>>(Query::deployment(name));
        found.map(Option::as_ref)
    }

    /// The Service of this name, where there is one.
    pub fn service(&self, name: &str) -> Result<Option<&Service>, Query> {
        let found = self.get::<Option<Service>>(Query::service(name));
        found.map(Option::as_ref)
    }

    /// The route of this kind and name, where there is one.
    pub fn route(&self, kind: RouteKind, name: &str) -> Result<Option<&Route>, Query> {
        let found = self.get::<Option<Route>>(Query::route(kind, name));
        found.map(Option::as_ref)
    }

    /// All Deployments that were read and are there.
    pub fn deployments(&self) -> impl Iterator<Item = &Workload> {
        let answers = || self.answers.iter().map(|(_, answer)| answer);
        let listed = answers().filter_map(Vec::<Workload>::of).flatten();
        let single = answers().filter_map(Option::<Workload>::of).flatten();
        listed.chain(single)
    }

    /// The Deployment of this name, as far as it was read and is there.
    pub fn seen_deployment(&self, name: &str) -> Option<&Workload> {
        self.deployment(name).ok().flatten()
    }

    /// The Service of this name, as far as it was read and is there.
    pub fn seen_service(&self, name: &str) -> Option<&Service> {
        self.service(name).ok().flatten()
    }

    /// The versions under the selector of a workload: ReplicaSets, ControllerRevisions.
    pub fn replica_sets(&self, deployment: &Workload) -> Result<&[ReplicaSet], Query> {
        let found = self.get::<Vec<ReplicaSet>>(Query::replica_sets(&deployment.selector()));
        found.map(Vec::as_slice)
    }

    /// The pods that a selector of a Service finds.
    pub fn service_pods(&self, selector: &Selector) -> Result<&[ServicePod], Query> {
        let query = Query::List(Items::ServicePods, written(selector));
        self.get::<Vec<ServicePod>>(query).map(Vec::as_slice)
    }

    /// The endpoints of a Service.
    pub fn endpoints(&self, service: &str) -> Result<&Endpoints, Query> {
        self.get(Query::List(Items::EndpointSlices, service.to_owned()))
    }

    /// Who set a field of an object last, where the server notes that.
    pub fn editor(
        &self,
        kind: Kind,
        name: &str,
        field: Vec<String>,
    ) -> Result<Option<&Editor>, Query> {
        let name = name.to_owned();
        let query = Query::Editor { kind, name, field };
        self.get::<Option<Editor>>(query).map(Option::as_ref)
    }

    /// The namespace's autoscalers.
    pub fn autoscalers(&self) -> Result<&[Autoscaler], Query> {
        self.get::<Vec<Autoscaler>>(Query::autoscalers())
            .map(Vec::as_slice)
    }

    /// All objects of the namespace, of a resource that may not be served, or not be read.
    pub fn listed(&self, items: Items) -> Result<&Listed, Query> {
        self.get(Query::List(items, String::new()))
    }

    /// What a dry run came to. The call of the next one differs, by its time: they are compared by
    /// being one.
    pub fn dry_run(&self) -> Option<&DryRun> {
        self.answers.iter().find_map(|(_, it)| DryRun::of(it))
    }

    /// Takes a response as the answer to a query. `mask` hides what is secret in texts of the
    /// cluster, before they are cut: half a value might not be known again.
    pub fn take(
        &mut self,
        kind: workload::Kind,
        query: Query,
        response: Result<Response, Missed>,
        at: Timestamp,
        mask: fn(&str) -> String,
    ) {
        self.since.get_or_insert(at);
        let object = |it: Result<Response, Missed>| it.ok().and_then(Response::object);
        let items = |it: Result<Response, Missed>| it.map(Response::items).unwrap_or_default();
        let answer: Answer = match &query {
            Query::Get(of @ (Kind::Deployment | Kind::Service | Kind::Route(_)), _) => {
                got(*of, kind, object(response))
            }
            Query::RouteEvents { .. } => events(response, mask).ok().into(),
            Query::Get(Kind::ReplicaSet, _) => response
                .map(|it| it.object().map(Arc::unwrap_or_clone))
                .map_err(|missed| missed.why)
                .into(),
            Query::ServiceAgain(name) => {
                return self.read_again(name, object(response).map(Service::new));
            }
            Query::List(Items::Deployments, _) => {
                let all = items(response).into_iter();
                all.map(|object| listed(kind, object))
                    .collect::<Vec<_>>()
                    .into()
            }
            Query::List(Items::ReplicaSets, selector) => {
                let sets = replica_sets(response, mask);
                self.counted(selector, sets).into()
            }
            Query::List(Items::ServicePods, _) => service_pods(response).into(),
            Query::List(Items::Autoscalers, _) => {
                let all = items(response).into_iter().map(Autoscaler::new);
                all.collect::<Vec<_>>().into()
            }
            Query::List(Items::EndpointSlices, _) => Endpoints::read(&items(response)).into(),
            Query::List(Items::Ingresses | Items::TargetGroupBindings, _) => {
                Listed::of(response).into()
            }
            Query::Pods { set, .. } => return self.take_pods(set, response, at, mask),
            Query::Roster { .. } => roster(response, at).into(),
            Query::Blocking { .. } => blocking(response).into(),
            Query::Events { .. } => return self.take_events(response, mask),
            Query::JobEnd { .. } => self.job_end(response, mask).into(),
            Query::Log { .. } => return self.take_log(response, mask),
            Query::Editor { field, .. } => editor(response, field, mask).into(),
            // Whoever may not even ask is told by the refusal of the thing itself.
            Query::Permission(_) => {
                let review = object(response).unwrap_or_default();
                let allowed = review.pointer("/status/allowed").and_then(Value::as_bool);
                allowed.unwrap_or(true).into()
            }
            Query::DryRun(_) => object(response)
                .map_or(DryRun::Unable, |it| DryRun::Would(Workload::new(kind, it)))
                .into(),
            Query::Proxy { contains, .. } => {
                return self.smoke.take(text(response), contains.as_deref());
            }
        };
        if let Answer::Deployment(now) = &answer {
            self.settle_doubt(&query, now.as_ref());
        }
        self.set(query, answer);
    }

    /// Versions with the pods that are counted by the workload that was read before them.
    fn counted(&self, selector: &str, mut sets: Vec<ReplicaSet>) -> Vec<ReplicaSet> {
        let all = self.answers.iter().filter_map(|(_, it)| Option::of(it));
        let mut all = all.filter_map(Option::<Workload>::as_ref);
        if let Some(live) = all.find(|live| live.selector() == *selector) {
            count_pods(live, &mut sets);
        }
        sets
    }

    /// The deploy continues without the pods if they cannot be read.
    fn take_pods(
        &mut self,
        set: &str,
        response: Result<Response, Missed>,
        at: Timestamp,
        mask: fn(&str) -> String,
    ) {
        let sets = self
            .answers
            .iter()
            .filter_map(|(_, it)| Vec::<ReplicaSet>::of(it));
        let set = sets.flatten().find(|one: &&ReplicaSet| one.name == set);
        let mut set = set.cloned().unwrap_or_default();
        let pods = match response {
            Ok(Response::Pods(pods)) => Ok(pods.hide(mask)),
            Ok(_) => Err("an answer that is not a list of pods".to_owned()),
            Err(missed) => Err(missed.why),
        };
        // What an event has told holds until there is a pod.
        if let Some(before) = self.pods.take()
            && before.set.name == set.name
            && !set.keeper.is_empty()
            && pods.as_ref().is_ok_and(|pods| pods.count() == 0)
        {
            set.failure = before.set.failure;
        }
        self.pods = Some(PodSnapshot { at, set, pods });
        self.pods_missed = match &self.pods {
            Some(PodSnapshot { pods: Err(_), .. }) => self.pods_missed + 1,
            Some(PodSnapshot { pods: Ok(_), .. }) | None => 0,
        };
        self.explanation = Explanation::default();
    }

    /// How a Job ended that is gone, by its events.
    fn job_end(
        &mut self,
        response: Result<Response, Missed>,
        mask: fn(&str) -> String,
    ) -> Option<JobEnd> {
        let end = told_end(&events(response, mask).unwrap_or_default());
        self.ends_unseen += u32::from(end.is_none());
        end
    }

    fn take_log(&mut self, response: Result<Response, Missed>, mask: fn(&str) -> String) {
        let lines = text(response).map(|text| log_lines(&mask(&text)));
        self.explanation.log = Some(lines.map_err(|missed| missed.why));
    }

    fn take_events(&mut self, response: Result<Response, Missed>, mask: fn(&str) -> String) {
        let events = events(response, mask);
        if let (Some(sight), Ok(events)) = (&mut self.pods, &events) {
            sight.learn_of_creation(events);
        }
        self.explanation.events = Some(events);
    }
}

fn events(response: Result<Response, Missed>, mask: fn(&str) -> String) -> EventsRead {
    match response {
        Ok(Response::Events(mut events)) => {
            for event in &mut events {
                event.message = mask(&event.message);
            }
            Ok(events)
        }
        Ok(_) => Ok(Vec::new()),
        Err(missed) => Err(missed.why),
    }
}

/// Who set a field. Where that cannot be read it is not told.
fn editor(
    response: Result<Response, Missed>,
    field: &[String],
    mask: fn(&str) -> String,
) -> Option<Editor> {
    let object = serde_json::from_str::<Value>(&text(response).ok()?).ok()?;
    let editor = Editor::of(&object, field)?;
    Some(Editor {
        manager: mask(&editor.manager),
        ..editor
    })
}

fn text(response: Result<Response, Missed>) -> Result<String, Missed> {
    let Response::Text(text) = response? else {
        return Ok(String::new());
    };
    Ok(text)
}

#[cfg(test)]
mod tests;
