//! The folder that is released.

use landfall_sandbox::aws::zip;
use serde_json::{Value, json};
use std::path::Path;

/// Objects of one file.
const IN_FILE: usize = 10;
/// The kinds of the objects, for `kubectl get`.
pub(super) const KINDS: &str = "configmaps,services,serviceaccounts,roles,deployments";
/// What all of them have.
pub(super) const SELECTOR: &str = "bench=yes";

/// Objects of several kinds, of which half are ConfigMaps.
pub(super) struct Folder(Vec<(String, String)>);

impl Folder {
    /// So many objects with so many bytes of data. A quarter differs between two versions.
    pub(super) fn new(objects: usize, bytes: usize, version: u32) -> Folder {
        let length = bytes / objects.max(1) * 2;
        let all = (0..objects).map(|number| object(number, length, version).to_string());
        let all = all.collect::<Vec<_>>();
        let files = all.chunks(IN_FILE).enumerate();
        Folder(
            files
                .map(|(number, texts)| (format!("{number:03}.yaml"), texts.join("\n---\n")))
                .collect(),
        )
    }

    /// The input artifact.
    pub(super) fn archive(&self) -> Vec<u8> {
        let names = self.0.iter().map(|(name, _)| format!("k8s/{name}"));
        let names = names.collect::<Vec<_>>();
        let members = names.iter().zip(&self.0);
        let members = members.map(|(name, (_, text))| (&**name, text.as_bytes()));
        zip(&members.collect::<Vec<_>>())
    }

    /// Writes the files into a folder of `home`, and returns its path.
    pub(super) fn write(&self, home: &Path) -> Result<String, String> {
        let folder = home.join("k8s");
        let told = |error: std::io::Error| format!("{}: {error}", folder.display());
        std::fs::create_dir_all(&folder).map_err(told)?;
        for (name, text) in &self.0 {
            std::fs::write(folder.join(name), text).map_err(told)?;
        }
        Ok(folder.to_string_lossy().into_owned())
    }
}

/// A text that cannot be packed to much less than it is, so that a record does not hold all of it.
fn noise(length: usize, seed: u64) -> String {
    // https://en.wikipedia.org/wiki/Xorshift
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'0' + (state % 64) as u8)
    };
    (0..length).map(|_| next()).collect()
}

/// One object. Only the data of ConfigMaps has a length.
fn object(number: usize, length: usize, version: u32) -> Value {
    let version = if number.is_multiple_of(4) { version } else { 1 };
    let name = format!("bench-{number:04}");
    let mut object = match number % 10 {
        0 | 2 | 4 | 6 | 8 => json!({"apiVersion": "v1", "kind": "ConfigMap",
            "data": {"version": version.to_string(), "text": noise(length, number as u64)}}),
        1 | 3 => json!({"apiVersion": "v1", "kind": "Service",
            "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}}),
        5 => json!({"apiVersion": "v1", "kind": "ServiceAccount"}),
        7 => json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]}),
        // It has no pods: what starting them takes is not what is compared.
        _ => json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {
            "replicas": 0, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [
                {"name": "app", "image": "registry.example.com/app:1.0.0",
                 "ports": [{"containerPort": 8080}],
                 "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
                 "readinessProbe": {"httpGet": {"path": "/", "port": 8080}}}]}}}}),
    };
    object["metadata"] = json!({"name": name, "labels": {"bench": "yes"}});
    if object["kind"] == "Deployment" {
        // kubectl does not follow anything either.
        object["metadata"]["annotations"] = json!({"landfall/follow": "no"});
    }
    object
}
