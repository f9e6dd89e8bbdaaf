//! The calls that follow changes.

use super::{Call, Verb};
use crate::kubernetes::name::Name;
use crate::kubernetes::resource::Resource;

impl Call {
    /// Follows one object from a resource version on; the server ends the stream after `seconds`.
    /// A field selector on the name matches a Role that is limited to that name.
    pub fn watch(
        resource: &Resource,
        namespace: &str,
        name: &str,
        resource_version: &str,
        seconds: u64,
    ) -> Call {
        let mut call = Call::new(Verb::Watch, resource, namespace, None);
        let name = Name::new(name, resource.rule);
        call.select(
            "fieldSelector",
            name.map(|name| format!("metadata.name={name}")),
        );
        call.since_version(resource_version, seconds)
    }

    /// Follows what a list has, or the object that a call reads, from the version of that on; the
    /// server ends the stream after `seconds`.
    pub fn watch_of(list: &Call, resource_version: &str, seconds: u64) -> Call {
        let mut call = Call {
            verb: Verb::Watch,
            ..list.clone()
        };
        if list.verb == Verb::Get {
            let (collection, name) = list.path.parent();
            call.path = collection;
            call.query
                .push("fieldSelector", format!("metadata.name={name}"));
        }
        let selects = |name: &str| ["labelSelector", "fieldSelector"].contains(&name);
        call.query.0.retain(|(name, _)| selects(name));
        call.since_version(resource_version, seconds)
    }

    /// The same list whatever the value of this label is: it has all that this one has. `None`
    /// where the label is not selected by its value, or nothing else is.
    pub fn without_label(&self, label: &str) -> Option<Call> {
        let mut wider = self.clone();
        let mut query = wider.query.0.iter_mut();
        let (_, selector) = query.find(|(name, _)| *name == "labelSelector")?;
        let is_plain = |term: &str| !term.contains([' ', '!', '(']);
        let is_of_label = |term: &&str| term.split_once('=').is_some_and(|(own, _)| own == label);
        let terms = selector.split(',').collect::<Vec<_>>();
        let others = terms.iter().copied().filter(|term| !is_of_label(term));
        let others = others.collect::<Vec<_>>();
        let is_wider = !others.is_empty() && others.len() < terms.len();
        if !is_wider || !terms.iter().all(|term| is_plain(term)) {
            return None;
        }
        *selector = others.join(",");
        Some(wider)
    }

    fn since_version(mut self, resource_version: &str, seconds: u64) -> Call {
        self.query.push("watch", "true");
        self.query.push("allowWatchBookmarks", "true");
        self.query.push("timeoutSeconds", seconds.to_string());
        if !resource_version.is_empty() {
            self.query.push("resourceVersion", resource_version);
        }
        self
    }
}
