//! The Deployment of a new version: what the live one is, with another pod template, under a name
//! and a label of its own.

use super::scene::FAMILY;
use super::{blue_green, immutable};
use crate::change::{self, Author};
use crate::cluster::object::{self, Deployment};
use crate::cluster::service::{Selector, VERSION, read_selector};
use crate::request::{Fault, Request, Strategy};
use serde_json::{Map, Value, json};

/// The digest of the template that was asked for: the server completes it with defaults.
pub const DIGEST: &str = "landfall/digest";
/// The job that created the Deployment: what it created it may delete again.
pub const CREATED_BY: &str = "landfall/created-by";
/// How many replicas a Deployment had before it was scaled to zero.
pub const REPLICAS: &str = "landfall/replicas";
/// How many replicas a newcomer was given again, after somebody had scaled it down.
pub const WANTED: &str = "landfall/wanted";
/// The Service that the Deployment is behind: another one must not be switched to it.
pub const SERVICE: &str = "landfall/service";

/// Annotations that belong to one object and are not handed on.
const OWN_NOTES: [&str; 10] = [
    "deployment.kubernetes.io/",
    "kubectl.kubernetes.io/last-applied-configuration",
    "landfall/",
    // Whoever owns the live one by these would prune the newcomer, which is in none of its files.
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "meta.helm.sh/",
    "kapp.k14s.io/",
];

/// A new version, before it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Newcomer {
    /// Its Deployment's name.
    pub name: String,
    /// Its label: `blue`, `green` or a digest.
    pub version: String,
    /// The digest of its template.
    pub digest: String,
    template: Value,
}

impl Newcomer {
    /// Renders it. The time in `author` goes into the template where pods are to be restarted, so
    /// that it must be the same in each invocation.
    pub fn render(request: &Request, live: &Deployment, author: &Author) -> Rendered {
        let mut template = change::template(request, live, author.now)?;
        unlabel(&mut template);
        let digest = object::template_digest(&template);
        let version = match &request.strategy {
            Strategy::Rolling | Strategy::BlueGreen(_) => blue_green::version(live).to_owned(),
            Strategy::Immutable { .. } => immutable::version(&digest),
        };
        let newcomer = Newcomer::named(request, version, digest, template);
        if newcomer.name != live.name() || newcomer.is_live(live) {
            return Ok(newcomer);
        }
        // The live one has this name and was changed since: it is not to be written over.
        let now = object::template_digest(&live.value()["spec"]["template"]);
        let version = immutable::version(&object::digest(&format!("{}{now}", newcomer.digest)));
        let Newcomer {
            digest, template, ..
        } = newcomer;
        Ok(Newcomer::named(request, version, digest, template))
    }

    fn named(request: &Request, version: String, digest: String, mut template: Value) -> Newcomer {
        let labels = ["metadata", "labels"].into_iter();
        let labels = labels.fold(&mut template, |place, key| &mut place[key]);
        labels[VERSION] = json!(version);
        Newcomer {
            name: format!("{}-{version}", request.deployment),
            version,
            digest,
            template,
        }
    }

    /// Whether the live Deployment is this version already.
    pub fn is_live(&self, live: &Deployment) -> bool {
        let mut found = live.value().pointer("/spec/template").cloned();
        let found = found.get_or_insert(Value::Null);
        unlabel(found);
        let mut wanted = self.template.clone();
        unlabel(&mut wanted);
        let was_asked = live.annotation(DIGEST) == Some(&*self.digest);
        *found == wanted || was_asked && change::contains(found, &wanted)
    }

    /// The labels of its pods.
    pub fn labels(&self) -> Selector {
        read_selector(self.template.pointer("/metadata/labels"))
    }

    /// Labels that the Service selects by, and the template does not have.
    pub fn missing(&self, selector: &Selector) -> Vec<String> {
        let labels = self.labels();
        let wanted = selector.iter();
        let missing = wanted.filter(|(key, value)| labels.get(*key) != Some(value));
        missing
            .map(|(key, value)| format!("{key}={value}"))
            .collect()
    }

    /// The object to create.
    pub fn create(&self, request: &Request, live: &Deployment, author: &Author) -> Value {
        let mut object = self.object(request, live, author);
        object["metadata"]["annotations"][CREATED_BY] = json!(author.job);
        object
    }

    /// The object that takes the place of an idle one.
    pub fn replace(
        &self,
        request: &Request,
        live: &Deployment,
        idle: &Deployment,
        author: &Author,
    ) -> Value {
        let mut object = self.object(request, live, author);
        for field in ["resourceVersion", "uid"] {
            object["metadata"][field] = idle.value()["metadata"][field].clone();
        }
        for kept in [object::REVISION, CREATED_BY] {
            if let Some(text) = idle.annotation(kept) {
                object["metadata"]["annotations"][kept] = json!(text);
            }
        }
        object["spec"]["selector"] = idle.value()["spec"]["selector"].clone();
        object
    }

    fn object(&self, request: &Request, live: &Deployment, author: &Author) -> Value {
        let base = request.manifest.as_ref().unwrap_or(live.value());
        let handed_on = |name: &String| !OWN_NOTES.iter().any(|own| name.starts_with(own));
        let texts = |part: &str| {
            let mut texts = read_selector(base["metadata"].get(part));
            texts.retain(|name, _| handed_on(name));
            texts
        };
        let mut annotations = texts("annotations");
        if request.manifest.is_none() {
            annotations.remove(change::CHANGE_CAUSE);
        }
        annotations.extend(change::history(request, author));
        let service = request.strategy.switch().map(|switch| &*switch.service);
        annotations.extend(service.map(|service| (SERVICE.to_owned(), service.to_owned())));
        annotations.extend([
            (change::EXECUTION.to_owned(), author.execution.to_owned()),
            (change::JOB.to_owned(), author.job.to_owned()),
            (change::DEPLOYED_AT.to_owned(), author.now.to_string()),
            (DIGEST.to_owned(), self.digest.clone()),
        ]);
        let mut labels = texts("labels");
        labels.insert(FAMILY.to_owned(), request.deployment.clone());
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": self.name, "namespace": request.namespace,
                "labels": labels, "annotations": annotations},
            "spec": self.spec(request, live)})
    }

    /// The live one's spec, what a manifest says over it, and the new template.
    fn spec(&self, request: &Request, live: &Deployment) -> Value {
        let mut spec = live.value()["spec"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let manifest = request.manifest.as_ref();
        let said = manifest.and_then(|manifest| manifest["spec"].as_object());
        let said = said.cloned().unwrap_or_default().into_iter();
        spec.extend(said.filter(|(field, _)| !["replicas", "selector"].contains(&field.as_str())));
        spec.insert("replicas".to_owned(), json!(live.replicas()));
        spec.insert("template".to_owned(), self.template.clone());
        let selector = spec.entry("selector").or_insert_with(|| json!({}));
        let selector = selector
            .as_object_mut()
            .map(std::mem::take)
            .unwrap_or_default();
        spec.insert("selector".to_owned(), self.selector(selector));
        spec.remove("paused");
        Value::Object(spec)
    }

    fn selector(&self, mut selector: Map<String, Value>) -> Value {
        let mut labels = read_selector(selector.get("matchLabels"));
        labels.insert(VERSION.to_owned(), self.version.clone());
        selector.insert("matchLabels".to_owned(), json!(labels));
        Value::Object(selector)
    }
}

/// A newcomer, or what the request asks for and cannot have.
pub type Rendered = Result<Newcomer, Vec<Fault>>;

/// Takes off what tells versions apart.
fn unlabel(template: &mut Value) {
    let labels = template.pointer_mut("/metadata/labels");
    if let Some(labels) = labels.and_then(Value::as_object_mut) {
        labels.remove(VERSION);
        labels.remove(crate::cluster::service::TEMPLATE_HASH);
    }
}

/// Whether the Deployment is one of the family, made by us.
pub fn is_ours(deployment: &Deployment, family: &str, version: &str) -> bool {
    let labels = read_selector(deployment.value().pointer("/metadata/labels"));
    let selector = deployment.value().pointer("/spec/selector/matchLabels");
    labels.get(FAMILY).map(String::as_str) == Some(family)
        && read_selector(selector).get(VERSION).map(String::as_str) == Some(version)
}

/// The version that a Deployment's pods have, where it is one of ours.
pub fn version_of(deployment: &Deployment) -> Option<&str> {
    let selector = deployment.value().pointer("/spec/selector/matchLabels")?;
    selector.get(VERSION)?.as_str()
}

/// Scales one to zero that failed: what never served is not worth keeping.
pub fn put_away(deployment: &Deployment, job: &str) -> Value {
    let mut patch = scale_down(deployment);
    patch["metadata"]["annotations"][change::ROLLED_BACK] = json!(job);
    patch
}

/// Scales to zero, and writes down how far up it was.
pub fn scale_down(deployment: &Deployment) -> Value {
    json!({"metadata": {"resourceVersion": deployment.resource_version(),
            "annotations": {REPLICAS: deployment.replicas().to_string()}},
        "spec": {"replicas": 0}})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Parameters;

    fn request(more: Value) -> Request {
        let mut fields = json!({"deployment": "web", "namespace": "shop", "service": "web",
            "strategy": "blueGreen"});
        for (name, value) in more.as_object().unwrap() {
            fields[name] = value.clone();
        }
        Request::parse(&Parameters::Text(fields.to_string()), "job-2").unwrap()
    }

    fn author() -> Author<'static> {
        Author {
            execution: "run-2",
            job: "job-2",
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
        }
    }

    fn live() -> Deployment {
        Deployment::new(json!({
            "metadata": {"name": "web", "uid": "u", "labels": {"team": "a", "app.kubernetes.io/instance": "web"}, "annotations": {
                object::REVISION: "4", "landfall/job": "old", "note": "kept",
                change::CHANGE_CAUSE: "of the old one",
                "kubectl.kubernetes.io/last-applied-configuration": "{}"}},
            "spec": {"replicas": 5, "minReadySeconds": 3, "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "app", "image": "app:1"}]}}}}))
    }

    fn rendered(more: Value) -> Newcomer {
        Newcomer::render(&request(more), &live(), &author()).unwrap()
    }

    fn two() -> Value {
        json!({"images": {"app": "app:2"}})
    }

    /// Changed by hand, or by a webhook that writes other images than were asked for.
    #[test]
    fn a_live_one_of_the_same_name_that_was_changed_is_not_written_over() {
        let immutable = json!({"strategy": "immutable", "images": {"app": "app:2"}});
        let request = request(immutable);
        let render = |live: &Deployment| Newcomer::render(&request, live, &author()).unwrap();
        let first = render(&live());
        let as_written = Deployment::new(first.create(&request, &live(), &author()));
        let again = render(&as_written);
        assert!(again.is_live(&as_written) && again.name == first.name);
        let mut drifted = as_written.value().clone();
        drifted["spec"]["template"]["spec"]["containers"][0]["image"] = json!("app:3");
        let drifted = Deployment::new(drifted);
        let other = render(&drifted);
        assert!(!other.is_live(&drifted) && other.name != first.name);
        assert_eq!(other, render(&drifted), "it is the same each time");
        assert_eq!(other.labels()[VERSION], other.version);
    }

    #[test]
    fn a_newcomer_is_the_live_one_with_another_template() {
        let newcomer = rendered(two());
        let object = newcomer.create(&request(two()), &live(), &author());
        let (metadata, spec) = (&object["metadata"], &object["spec"]);
        assert_eq!(
            (&metadata["name"], &metadata["namespace"]),
            (&json!("web-blue"), &json!("shop"))
        );
        assert_eq!(metadata["labels"], json!({"team": "a", FAMILY: "web"}));
        let notes = metadata["annotations"].as_object().unwrap();
        let names = notes.keys().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(
            names,
            [
                change::CHANGE_CAUSE,
                CREATED_BY,
                "landfall/deployed-at",
                DIGEST,
                "landfall/execution",
                "landfall/job",
                SERVICE,
                "note"
            ]
        );
        assert_eq!(notes["landfall/job"], "job-2");
        assert_eq!(
            (&spec["replicas"], &spec["minReadySeconds"]),
            (&json!(5), &json!(3))
        );
        assert_eq!(spec["strategy"], json!({"type": "Recreate"}));
        let labels = json!({"app": "web", VERSION: "blue"});
        assert_eq!(spec["selector"], json!({"matchLabels": labels}));
        assert_eq!(spec["template"]["metadata"]["labels"], labels);
        assert_eq!(spec["template"]["spec"]["containers"][0]["image"], "app:2");
        let made = Deployment::new(object);
        assert!(is_ours(&made, "web", "blue") && newcomer.is_live(&made));
        assert!(!is_ours(&made, "web", "green") && !is_ours(&made, "api", "blue"));
        assert!(!is_ours(&live(), "web", "blue") && !newcomer.is_live(&live()));
        assert_eq!(
            (version_of(&made), version_of(&live())),
            (Some("blue"), None)
        );
    }

    #[test]
    fn an_idle_one_keeps_what_cannot_change() {
        let newcomer = rendered(two());
        let idle = Deployment::new(json!({"metadata": {"name": "web-blue", "uid": "b",
                "resourceVersion": "9", "annotations": {object::REVISION: "2", CREATED_BY: "job-1",
                REPLICAS: "3"}},
            "spec": {"selector": {"matchLabels": {"old": "1", VERSION: "blue"}}}}));
        let object = newcomer.replace(&request(two()), &live(), &idle, &author());
        assert_eq!(object["metadata"]["uid"], "b");
        assert_eq!(object["metadata"]["resourceVersion"], "9");
        assert_eq!(object["spec"]["selector"], idle.value()["spec"]["selector"]);
        let notes = &object["metadata"]["annotations"];
        assert_eq!(
            (&notes[object::REVISION], &notes[CREATED_BY]),
            (&json!("2"), &json!("job-1"))
        );
        assert_eq!(notes.get(REPLICAS), None);
    }

    #[test]
    fn a_digest_is_of_the_template_alone() {
        let digest = |more: Value| rendered(more).digest;
        let env = json!({"images": {"app": "app:2"}, "env": {"A": "1"}});
        assert_eq!(digest(two()), digest(two()));
        assert_ne!(digest(two()), digest(env));
        let immutable = rendered(json!({"strategy": "immutable", "images": {"app": "app:2"}}));
        assert_eq!(immutable.digest, digest(two()));
        assert_eq!(immutable.name, format!("web-{}", &immutable.digest[..10]));
        // The version that is there has the digest that it would get.
        let same = rendered(json!({"images": {"app": "app:1"}}));
        assert!(same.is_live(&live()));
        let restarted = rendered(json!({"restart": true}));
        assert!(!restarted.is_live(&live()));
    }

    #[test]
    fn a_manifest_gives_the_template_and_more() {
        let manifest = json!({"metadata": {"labels": {"team": "b"}}, "spec": {"replicas": 1,
            "minReadySeconds": 9, "selector": {"matchLabels": {"x": "y"}},
            "template": {"metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "app:3"}]}}}});
        let request = request(json!({"manifest": manifest}));
        let newcomer = Newcomer::render(&request, &live(), &author()).unwrap();
        let object = newcomer.create(&request, &live(), &author());
        assert_eq!(object["metadata"]["labels"]["team"], "b");
        let spec = &object["spec"];
        assert_eq!(
            (&spec["replicas"], &spec["minReadySeconds"]),
            (&json!(5), &json!(9))
        );
        assert_eq!(
            spec["selector"]["matchLabels"],
            json!({"app": "web", VERSION: "blue"})
        );
        // The server completes it; what was asked for is known by its digest.
        let mut completed = object.clone();
        completed["spec"]["template"]["spec"]["dnsPolicy"] = json!("ClusterFirst");
        assert!(newcomer.is_live(&Deployment::new(completed.clone())));
        completed["spec"]["template"]["spec"]["containers"][0]["image"] = json!("app:4");
        assert!(!newcomer.is_live(&Deployment::new(completed)));
        let service = read_selector(Some(&json!({"app": "web", "tier": "front"})));
        assert_eq!(newcomer.missing(&service), ["tier=front"]);
    }

    #[test]
    fn what_is_scaled_down_remembers_how_far_up_it_was() {
        let patch = scale_down(&live());
        assert_eq!(patch["spec"], json!({"replicas": 0}));
        assert_eq!(patch["metadata"]["annotations"], json!({REPLICAS: "5"}));
    }
}
