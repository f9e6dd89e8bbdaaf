//! Reading: what a look asks for, and what its answer is to the observation.

use super::answers::{
    cannot_be_tried, found, is_of_proxy, items, object, says_nothing, targets, text,
};
use super::brief::{brief, in_short};
use super::limits::{CONFLICTS, EXPLANATION_TIMEOUT, ROLLBACK};
use super::model::{Answer, Engine, Note, Pending, Reading};
use crate::change::editor::Editor;
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::kubernetes::object::{Deployment, template_of};
use crate::strategy::scene::{self, Shape, Sought};
use crate::strategy::{DryRun, Look};
use crate::workload::health::diagnosis::{self, Explanation, PodSnapshot};
use crate::workload::health::steadiness::{self, Roster};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// How long the pods are waited for: a rollout can be followed without them, too. In what is left
/// of a short life it is a third.
const PODS_TIMEOUT: SignedDuration = SignedDuration::from_secs(5);

/// How long one answer of the smoke test may take.
const SMOKE_TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

/// What a call that is not granted would give.
const EVIDENCE: &str = "see more";

/// See [`EVIDENCE`].
const SMOKE: &str = "have the smoke test run";

/// How the answer about something around a Service is read.
pub(super) fn reading(sought: &Sought) -> Reading {
    match sought.shape() {
        Shape::One => Reading::Object,
        Shape::List => Reading::List,
        Shape::Text => Reading::Text,
    }
}

impl Engine {
    pub(super) fn look(&mut self, look: Look, now: Timestamp) {
        let call = look.call(&self.request);
        let (reading, limit) = match &look {
            Look::ReplicaSets { .. } => (Reading::ReplicaSets, None),
            Look::Autoscalers => (Reading::List, None),
            Look::Pods { set, .. } => (Reading::Pods(set.clone()), Some(PODS_TIMEOUT)),
            Look::Roster { set, .. } => (Reading::Roster(set.clone()), Some(PODS_TIMEOUT)),
            Look::Editor { .. } | Look::Log { .. } => (Reading::Text, Some(EXPLANATION_TIMEOUT)),
            Look::Events { .. } => (Reading::Events, Some(EXPLANATION_TIMEOUT)),
            Look::Deployment | Look::Candidate { .. } | Look::Previous { .. } | Look::DryRun(_) => {
                (Reading::Object, None)
            }
            Look::Scene(sought) => {
                let limit = (sought.shape() == Shape::Text).then_some(SMOKE_TIMEOUT);
                (reading(sought), limit)
            }
        };
        let until = limit.map_or(self.until, |limit| self.soon(now, limit));
        self.ask(call, reading, until, Pending::Look(look));
    }

    pub(super) fn looked(
        &mut self,
        look: &Look,
        call: Call,
        result: Result<Answer, CallError>,
        now: Timestamp,
    ) {
        let is_trial = matches!(look, Look::Scene(Sought::Trial(_)) | Look::DryRun(_));
        match self.take(look, &call, result, now) {
            Ok(()) => {}
            Err(CallError::Refused(refusal))
                if is_trial && refusal.code == 409 && self.conflicts < CONFLICTS =>
            {
                self.lost_race(now);
            }
            Err(error) => self.trouble(call, error, now),
        }
    }

    /// Takes an answer into the observation; an error is one that the deploy cannot do without.
    fn take(
        &mut self,
        look: &Look,
        call: &Call,
        result: Result<Answer, CallError>,
        now: Timestamp,
    ) -> Result<(), CallError> {
        match look {
            Look::Deployment | Look::Candidate { .. } => {
                let found = found(result)?;
                self.observation.renew(Some(found.map(Deployment::new)));
            }
            Look::Scene(sought) => self.scene(sought, call, result)?,
            Look::ReplicaSets { .. } => self.replica_sets(result)?,
            Look::Autoscalers => {
                let name = &self.request.deployment;
                let scaled = items(result)?.iter().any(|scaler| targets(scaler, name));
                self.observation.autoscaled = Some(scaled);
            }
            Look::Pods { set, .. } => self.pods(call, set, result, now),
            Look::Roster { .. } => self.roster(result, now),
            Look::DryRun(_) => {
                let tried = match object(result) {
                    Ok(object) => DryRun::Would(Deployment::new(object)),
                    Err(CallError::Refused(refusal)) if cannot_be_tried(&refusal) => DryRun::Unable,
                    Err(error) => return Err(error),
                };
                self.observation.dry_run = Some(tried);
            }
            Look::Editor { steps } => self.editor(steps, result),
            Look::Events { .. } => {
                let mask = self.mask;
                let events = match result {
                    Ok(Answer::Events(mut events)) => {
                        for event in &mut events {
                            event.message = mask(&event.message);
                        }
                        Ok(events)
                    }
                    Ok(_) => Ok(Vec::new()),
                    Err(error) => Err(brief(call, &error, EVIDENCE)),
                };
                self.observation.explanation.events = Some(events);
            }
            Look::Log { .. } => {
                // Hidden before it is cut: half a value might not be known again.
                let log = text(result).map(|text| diagnosis::log_lines(&(self.mask)(&text)));
                let log = log.map_err(|error| brief(call, &error, EVIDENCE));
                self.observation.explanation.log = Some(log);
            }
            Look::Previous { .. } => self.previous(call, result)?,
        }
        Ok(())
    }

    /// Something around a Service.
    pub(super) fn scene(
        &mut self,
        sought: &Sought,
        call: &Call,
        result: Result<Answer, CallError>,
    ) -> Result<(), CallError> {
        let answer = match sought.shape() {
            Shape::One => match found(result) {
                Err(error) if says_nothing(sought, &error) => scene::Answer::One(None),
                found => scene::Answer::One(found?),
            },
            Shape::List => scene::Answer::List(items(result)?),
            Shape::Text => match text(result) {
                Err(error) if is_of_proxy(&error) => {
                    scene::Answer::Unanswered(brief(call, &error, SMOKE))
                }
                text => scene::Answer::Text(text.map_err(|error| brief(call, &error, SMOKE))),
            },
        };
        self.observation.scene.take(sought, answer);
        Ok(())
    }

    fn replica_sets(&mut self, result: Result<Answer, CallError>) -> Result<(), CallError> {
        let mut sets = match result {
            Ok(Answer::ReplicaSets(sets)) => sets,
            result => {
                items(result)?;
                Vec::new()
            }
        };
        for (message, _) in sets.iter_mut().filter_map(|set| set.failure.as_mut()) {
            *message = (self.mask)(message);
        }
        self.observation.replica_sets = Some(sets);
        Ok(())
    }

    /// Takes the pods of a ReplicaSet. A deploy continues without them if they cannot be read.
    fn pods(&mut self, call: &Call, set: &str, result: Result<Answer, CallError>, now: Timestamp) {
        let mut sets = self.observation.replica_sets.iter().flatten();
        let set = sets.find(|found| found.name == set).cloned();
        let pods = match result {
            Ok(Answer::Pods(pods)) => Ok(pods.hide(self.mask)),
            Ok(_) => Err("an answer that is no list of pods".to_owned()),
            Err(error) => {
                self.notes.push(Note::PodsUnreadable(in_short(&error)));
                Err(brief(call, &error, EVIDENCE))
            }
        };
        self.observation.sight = Some(PodSnapshot {
            at: now,
            set: set.unwrap_or_default(),
            pods,
        });
        self.observation.explanation = Explanation::default();
    }

    /// Takes which pods a ReplicaSet has. Without them the Deployment's counters decide.
    fn roster(&mut self, result: Result<Answer, CallError>, now: Timestamp) {
        let pods = match result {
            Ok(Answer::Roster(pods)) => pods,
            Ok(_) => Vec::new(),
            Err(error) => {
                self.notes.push(Note::PodsUnreadable(in_short(&error)));
                Vec::new()
            }
        };
        self.observation.roster = Some(Roster {
            at: now,
            pods: steadiness::summed(pods.into_iter()),
        });
    }

    /// Who set a field. Where that cannot be read it is not told.
    fn editor(&mut self, steps: &[String], result: Result<Answer, CallError>) {
        let object = text(result)
            .ok()
            .and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let editor = object.and_then(|object| Editor::of(&object, steps));
        self.observation.editor = Some(editor.map(|editor| Editor {
            manager: (self.mask)(&editor.manager),
            ..editor
        }));
    }

    /// The template to return to. A refusal must not take the place of what it was to be read for.
    fn previous(
        &mut self,
        call: &Call,
        result: Result<Answer, CallError>,
    ) -> Result<(), CallError> {
        let template = match found(result) {
            Ok(set) => {
                let live = self.observation.deployment.iter().flatten().next();
                let is_there = set.is_some();
                let template = set.zip(live);
                let template = template.and_then(|(set, live)| template_of(&set, live));
                if is_there && template.is_none() {
                    self.notes.push(Note::ForeignReplicaSet);
                }
                Ok(template)
            }
            Err(error) if self.locked_out.is_none() && !self.may_pass(&error) => {
                Err(brief(call, &error, ROLLBACK))
            }
            Err(error) => return Err(error),
        };
        self.observation.previous_template = Some(template);
        Ok(())
    }
}
