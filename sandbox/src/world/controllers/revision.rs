//! ControllerRevisions: the templates that a StatefulSet or a DaemonSet has had.
//!
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/history/controller_history.go>

use crate::world::controllers::pod::create::{reference_to, uid_of};
use crate::world::object::{hash, integer, letters, map_mut, owned_by, text, written};
use crate::world::state::World;
use crate::world::store::Key;
use serde_json::{Value, json};
use std::sync::Arc;

/// The label of pods that says of which revision they are.
pub(crate) const REVISION_HASH: &str = "controller-revision-hash";
/// The label of a StatefulSet's revisions.
pub(crate) const STATEFUL_HASH: &str = "controller.kubernetes.io/hash";
/// How many revisions are kept where the object does not say it.
const HISTORY: i64 = 10;
/// How many names are tried for a revision whose hash collides.
const COLLISIONS: u32 = 16;

/// A template that an object has or had.
#[derive(Clone)]
pub(crate) struct Revision {
    pub(crate) key: Key,
    pub(crate) object: Arc<Value>,
}

impl Revision {
    pub(crate) fn name(&self) -> &str {
        &self.key.name
    }

    pub(crate) fn number(&self) -> i64 {
        integer(&self.object, "/revision")
    }

    /// The template of its pods.
    pub(crate) fn template(&self) -> Value {
        let mut template = self.object["data"]["spec"]["template"].clone();
        if let Some(fields) = template.as_object_mut() {
            fields.remove("$patch");
        }
        template
    }
}

impl World {
    /// The revisions of an object from the oldest to the newest; the last is that of its template,
    /// which is created or renewed.
    pub(crate) fn revisions_of(&mut self, key: &Key, object: &Value, label: &str) -> Vec<Revision> {
        let mut revisions = self.listed_revisions(key, text(object, "/metadata/uid"));
        let data = data_of(object);
        let next = revisions.last().map_or(0, Revision::number) + 1;
        let same = |revision: &Revision| revision.object["data"] == data;
        match revisions.iter().rposition(same) {
            Some(place) if place + 1 == revisions.len() => {}
            Some(place) => {
                let mut revision = revisions.remove(place);
                let mut renewed = Value::clone(&revision.object);
                renewed["revision"] = next.into();
                self.write(&revision.key, renewed);
                revision.object = self.store.get(&revision.key).cloned().unwrap_or_default();
                revisions.push(revision);
            }
            None => revisions.extend(self.create_revision(key, object, data, next, label)),
        }
        revisions
    }

    fn listed_revisions(&self, key: &Key, uid: &str) -> Vec<Revision> {
        let all = self.store.all("controllerrevisions");
        let own = all.filter(|(it, object)| it.namespace == key.namespace && owned_by(object, uid));
        let mut revisions: Vec<Revision> = own
            .map(|(key, object)| Revision {
                key: key.clone(),
                object: Arc::clone(object),
            })
            .collect();
        revisions.sort_by_key(Revision::number);
        revisions
    }

    fn create_revision(
        &mut self,
        key: &Key,
        object: &Value,
        data: Value,
        number: i64,
        label: &str,
    ) -> Option<Revision> {
        let spoken = data.to_string();
        let mut names = (0..COLLISIONS).map(|collision| {
            let hash = letters(hash(format!("{spoken}{collision}").as_bytes()));
            let name = format!("{}-{hash}", key.name);
            (Key::new("controllerrevisions", &key.namespace, &name), hash)
        });
        let (free, hash) = names.find(|(key, _)| self.store.get(key).is_none())?;
        let uid = self.store.number();
        let mut metadata = json!({"name": free.name, "namespace": key.namespace,
            "uid": uid_of(uid), "creationTimestamp": written(self.clock),
            "labels": object["spec"]["template"]["metadata"]["labels"],
            "ownerReferences": reference_to(object)});
        map_mut(&mut metadata, "labels").insert(label.to_owned(), hash.into());
        if let Some(annotations) = object["metadata"].get("annotations") {
            metadata["annotations"] = annotations.clone();
        }
        let revision = json!({"kind": "ControllerRevision", "apiVersion": "apps/v1",
            "metadata": metadata, "data": data, "revision": number});
        self.write(&free, revision);
        let object = self.store.get(&free).cloned()?;
        Some(Revision { key: free, object })
    }

    /// Deletes the oldest revisions beyond the limit, except those in use.
    pub(crate) fn trim_revisions(
        &mut self,
        object: &Value,
        revisions: &[Revision],
        in_use: impl Fn(&Revision) -> bool,
    ) {
        let limit = object["spec"]["revisionHistoryLimit"].as_i64();
        let limit = usize::try_from(limit.unwrap_or(HISTORY)).unwrap_or_default();
        let idle: Vec<&Revision> = revisions.iter().filter(|it| !in_use(it)).collect();
        for revision in idle.iter().take(idle.len().saturating_sub(limit)) {
            self.discard(&revision.key, true);
        }
    }
}

/// What a revision remembers of an object: its template, as a patch.
fn data_of(object: &Value) -> Value {
    let mut template = object["spec"]["template"].clone();
    map_mut(&mut template, "metadata");
    template["$patch"] = "replace".into();
    json!({"spec": {"template": template}})
}
