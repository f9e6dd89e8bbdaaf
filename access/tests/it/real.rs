//! The Roles for a release, on a real API server: what they allow, and what they do not.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// One object of each sort that Landfall has a rule for.
const MANIFESTS: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: b}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: web}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: app, image: db}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: app, image: migrate}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules:
- apiGroups: [""]
  resources: [pods]
  verbs: [get, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: default}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: delegator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:auth-delegator"}
subjects: [{kind: ServiceAccount, name: default}]
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: NAMESPACE-high}
value: 1000
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: zones.NAMESPACE.example.com}
spec:
  group: NAMESPACE.example.com
  scope: Namespaced
  names: {kind: Zone, plural: zones, singular: zone, listKind: ZoneList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: NAMESPACE.example.com/v1
kind: Zone
metadata: {name: zone}
"#;

/// A namespace with an account `landfall`, gone with all that is in it at the end.
struct Ground {
    kubectl: String,
    namespace: String,
    folder: PathBuf,
}

impl Ground {
    fn new() -> Ground {
        let kubectl = std::env::var("LANDFALL_KUBECTL").expect("make conformance");
        let namespace = format!("access-{}", std::process::id());
        let folder = std::env::temp_dir().join(format!("landfall-{namespace}"));
        std::fs::create_dir_all(&folder).unwrap();
        let ground = Ground {
            kubectl,
            namespace,
            folder,
        };
        ground.admin(&["create", "namespace", &ground.namespace]);
        ground.admin(&[
            "-n",
            &ground.namespace,
            "create",
            "serviceaccount",
            "landfall",
        ]);
        ground
    }

    fn run(&self, words: &[&str], input: Option<&str>) -> Output {
        let mut command = Command::new(&self.kubectl);
        let command = command.args(words).stdin(Stdio::piped());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin
            .write_all(input.unwrap_or_default().as_bytes())
            .unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    }

    /// What an administrator does.
    fn admin(&self, words: &[&str]) -> String {
        self.admin_with(words, None)
    }

    fn admin_with(&self, words: &[&str], input: Option<&str>) -> String {
        let output = self.run(words, input);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the account may do: the output, or what the API server says.
    fn account(&self, token: &str, words: &[&str], input: Option<&str>) -> Result<String, String> {
        let named = |name: &str| std::env::var(name).unwrap();
        let server = format!("--server={}", named("LANDFALL_CLUSTER"));
        let ca = format!("--certificate-authority={}", named("LANDFALL_CLUSTER_CA"));
        let token = format!("--token={token}");
        // The administrator's certificate in the kubeconfig would be a second credential.
        let none = self.folder.join("none").display().to_string();
        let kubeconfig = format!("--kubeconfig={none}");
        std::fs::write(&none, "").unwrap();
        let mut all = vec![&*kubeconfig, &server, &ca, &token, "-n", &self.namespace];
        all.extend(words);
        let output = self.run(&all, input);
        match output.status.success() {
            true => Ok(String::from_utf8(output.stdout).unwrap()),
            false => Err(String::from_utf8(output.stderr).unwrap()),
        }
    }

    /// The Roles for the manifests, as the tool prints them.
    fn roles(&self, manifests: &str, words: &[&str]) -> String {
        let file = self.folder.join("all.yaml");
        std::fs::write(&file, manifests).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_landfall-access"))
            .args(["--for", file.to_str().unwrap(), "-n", &self.namespace])
            .args(["--release", "web"])
            .args(words)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn token(&self) -> String {
        let token = self.admin(&["-n", &self.namespace, "create", "token", "landfall"]);
        token.trim().to_owned()
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let namespace = &self.namespace;
        for words in [
            &["delete", "--wait=false", "namespace", namespace][..],
            &["delete", "priorityclass", &format!("{namespace}-high")],
            &["delete", "crd", &format!("zones.{namespace}.example.com")],
            &[
                "delete",
                "clusterrole",
                &format!("landfall-release-{namespace}.web"),
            ],
            &[
                "delete",
                "clusterrolebinding",
                &format!("landfall-release-{namespace}.web"),
            ],
        ] {
            let _left = self.run(words, None);
        }
        let _left = std::fs::remove_dir_all(&self.folder);
    }
}

const APPLY: [&str; 5] = [
    "apply",
    "--server-side",
    "--field-manager=landfall",
    "-f",
    "-",
];

#[test]
#[ignore = "needs a real control plane: make conformance"]
fn a_token_with_these_roles_can_do_a_release_and_nothing_else() {
    let ground = Ground::new();
    let namespace = ground.namespace.clone();
    let manifests = MANIFESTS.replace("NAMESPACE", &namespace);
    let token = ground.token();
    let may = |words: &[&str]| {
        let can = [&["auth", "can-i"], words].concat();
        ground.account(&token, &can, None).is_ok()
    };
    // Without the Roles nothing is allowed.
    let refused = ground.account(&token, &APPLY, Some(&manifests));
    assert!(refused.unwrap_err().contains("forbidden"));
    assert!(!may(&["get", "secrets"]));

    let roles = ground.roles(&manifests, &[]);
    let applied = ground.admin_with(&["apply", "-f", "-"], Some(&roles));
    assert!(
        applied.contains("clusterrole.rbac.authorization.k8s.io/"),
        "{applied}"
    );
    // The API server takes a moment to see a new Role.
    ground.admin(&[
        "wait",
        "--for=jsonpath={.rules}",
        "-n",
        &namespace,
        "role/landfall-release-web",
    ]);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !may(&["get", "secrets"]) {
        assert!(std::time::Instant::now() < until, "{roles}");
    }

    // A plan, and a release: a definition first, as Landfall does.
    let (before, zone) = manifests.rsplit_once("---\n").unwrap();
    let dry = [&APPLY[..], &["--dry-run=server"]].concat();
    // A role that only a dry run has made cannot be bound: Landfall leaves that one untried.
    let tried = before
        .split("---\n")
        .filter(|it| !it.contains("kind: Role, name: reader"));
    let tried = tried.collect::<Vec<_>>().join("---\n");
    ground.account(&token, &dry, Some(&tried)).unwrap();
    ground.account(&token, &APPLY, Some(before)).unwrap();
    let definition = format!("crd/zones.{namespace}.example.com");
    ground.admin(&["wait", "--for=condition=Established", &definition]);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        match ground.account(&token, &APPLY, Some(zone)) {
            Ok(_) => break,
            Err(said) => assert!(std::time::Instant::now() < until, "{said}"),
        }
    }
    // Again, with a change of each.
    let changed = manifests.replace("  template:\n", "  template:\n    # again\n");
    let changed = changed.replace("metadata: {name: ", "metadata: {labels: {a: b}, name: ");
    ground.account(&token, &APPLY, Some(&changed)).unwrap();
    for object in [
        "configmap/settings",
        "service/web",
        "deployment/web",
        "statefulset/db",
        "job/migrate",
        "role/reader",
        "rolebinding/delegator",
        &format!("priorityclass/{namespace}-high"),
        &definition,
        &format!("zones.{namespace}.example.com/zone"),
    ] {
        let name = ground.account(&token, &["get", object, "-o=name"], None);
        name.unwrap_or_else(|said| panic!("{object}: {said}"));
    }
    // Following, and what a failure is explained with.
    for kind in [
        "pods",
        "events",
        "replicasets",
        "controllerrevisions",
        "hpa",
        "secrets",
    ] {
        let listed = ground.account(&token, &["get", kind], None);
        listed.unwrap_or_else(|said| panic!("{kind}: {said}"));
    }
    // The way back, and the records.
    for words in [
        ["delete", "pods"],
        ["get", "pods/log"],
        ["delete", "jobs"],
        ["delete", "deployments"],
        ["update", "configmaps"],
        ["create", "secrets"],
        ["update", "secrets"],
        ["patch", "secrets"],
        ["delete", "secrets"],
    ] {
        assert!(may(&words), "{words:?}");
    }
    for words in [
        &["create", "pods"][..],
        &["create", "pods/exec"],
        &["update", "jobs"],
        &["create", "serviceaccounts"],
        &["create", "serviceaccounts/token"],
        &["get", "ingresses"],
        &["escalate", "roles"],
        &["bind", "clusterroles"],
        &["bind", "clusterrole/cluster-admin"],
        &["delete", "crd"],
        &["get", "crd/others.example.com"],
        &["patch", "priorityclass/system-node-critical"],
        &["get", "secrets", "-n", "kube-system"],
        &["list", "pods", "-A"],
        &["get", "nodes"],
    ] {
        assert!(!may(words), "{words:?}");
    }
    // What the Roles do not have, the API server refuses to hand on.
    let wider = manifests.replace("verbs: [get, watch]", "verbs: [get, watch, create]");
    let refused = ground.account(&token, &APPLY, Some(&wider)).unwrap_err();
    assert!(
        refused.contains("attempting to grant RBAC permissions not currently held"),
        "{refused}"
    );
    let other = manifests.replace("{name: delegator}", "{name: editor}");
    let other = other.replace("\"system:auth-delegator\"", "cluster-admin");
    let refused = ground.account(&token, &APPLY, Some(&other)).unwrap_err();
    assert!(refused.contains("\"editor\" is forbidden"), "{refused}");
    assert!(
        refused.contains("attempting to grant RBAC permissions"),
        "{refused}"
    );
}
