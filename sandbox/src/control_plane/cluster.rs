//! The cluster for the stories: a new one, or an existing one.

use crate::iam;
use crate::kubectl::Kubectl;
use crate::plane::{Folder, Plane, kwok, make_nodes, write_served};
use crate::process::Process;
use landfall_sandbox::kubernetes::Authority;
use landfall_sandbox::world::sample_deployment;
use serde_json::{Value, json};
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The label and taint of the nodes that kwok simulates in an existing cluster.
pub(crate) const NODE: &str = "landfall/stories";
/// The Roles that a user applies.
const ROLES: &str = include_str!("../../../deploy/rbac.yaml");
const TOKEN_SECRET: &str = include_str!("../../../deploy/token-secret.yaml");
/// How long the controller may take to write a token into its Secret.
const TOKEN: Duration = Duration::from_secs(10);
/// How long `kubectl proxy` may take to print its address.
const PROXY: Duration = Duration::from_secs(10);

/// A cluster and how to reach it.
pub(crate) struct Cluster {
    // Ended first, because it uses the others.
    _proxy: Process,
    kind: Kind,
    server: String,
    ca: PathBuf,
    admin: String,
    /// `v1.35.4`.
    pub(crate) version: String,
}

enum Kind {
    Own(Plane),
    Joined(Joined),
}

/// An existing cluster with our nodes in it.
struct Joined {
    _kwok: Process,
    kubectl: Kubectl,
    folder: Folder,
}

impl Cluster {
    /// Starts a new cluster.
    pub(crate) fn start(programs: &Path) -> Result<Cluster, String> {
        let plane = Plane::start(programs)?;
        let (server, ca) = (plane.server.clone(), plane.folder().join("ca.crt"));
        Cluster::with(Kind::Own(plane), server, ca)
    }

    /// Uses an existing cluster. The stories' pods run only on nodes that kwok simulates, which are
    /// removed at the end.
    pub(crate) fn join(
        programs: &Path,
        kubeconfig: PathBuf,
        context: Option<String>,
    ) -> Result<Cluster, String> {
        if !kubeconfig.is_file() {
            return Err(format!("{}: no such file", kubeconfig.display()));
        }
        let kubectl = Kubectl::new(programs.join("kubectl"), kubeconfig, context);
        let config = kubectl.ask(&[
            "config",
            "view",
            "--raw",
            "--flatten",
            "--minify",
            "-o=json",
        ])?;
        let config: Value = serde_json::from_str(&config).map_err(|error| error.to_string())?;
        let cluster = &config["clusters"][0]["cluster"];
        let server = cluster["server"]
            .as_str()
            .ok_or("the kubeconfig names no server")?;
        let folder = Folder::new()?;
        let ca = folder.path().join("cluster-ca.crt");
        write(&ca, authority(cluster)?.as_bytes())?;
        write(
            &folder.path().join("kubeconfig"),
            config.to_string().as_bytes(),
        )?;
        let kwok = play(programs, &folder)?;
        let server = server.to_owned();
        let joined = Joined {
            _kwok: kwok,
            kubectl,
            folder,
        };
        let taint = json!([{"key": NODE, "value": "true", "effect": "NoSchedule"}]);
        make_nodes(&joined.kubectl, &json!({NODE: "true"}), &taint)?;
        Cluster::with(Kind::Joined(joined), server, ca)
    }

    fn with(kind: Kind, server: String, ca: PathBuf) -> Result<Cluster, String> {
        let (kubectl, folder) = kind.parts();
        let (proxy, admin) = proxy(kubectl, folder)?;
        let version = kubectl.ask(&["get", "--raw", "/version"])?;
        let version: Value = serde_json::from_str(&version).map_err(|error| error.to_string())?;
        let version = version["gitVersion"]
            .as_str()
            .unwrap_or("unknown")
            .to_owned();
        Ok(Cluster {
            _proxy: proxy,
            kind,
            server,
            ca,
            admin,
            version,
        })
    }

    /// The environment variables with which a command finds the cluster.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let (kubectl, folder) = self.kind.parts();
        let path = |path: &Path| path.display().to_string();
        let mut variables = vec![
            ("LANDFALL_CLUSTER", self.server.clone()),
            ("LANDFALL_CLUSTER_CA", path(&self.ca)),
            ("LANDFALL_CLUSTER_ADMIN", self.admin.clone()),
            ("LANDFALL_CLUSTER_VERSION", self.version.clone()),
            ("LANDFALL_KUBECTL", path(kubectl.program())),
            ("KUBECONFIG", path(kubectl.kubeconfig())),
        ];
        match self.kind {
            Kind::Own(_) => {
                variables.extend([
                    ("LANDFALL_CLUSTER_AUDIT", path(&folder.join("audit.log"))),
                    ("LANDFALL_CLUSTER_EKS", iam::CLUSTER.to_owned()),
                    ("LANDFALL_CLUSTER_IAM", path(&folder.join(iam::FILE))),
                    ("LANDFALL_CLUSTER_CLIENTS", path(folder)),
                ]);
            }
            Kind::Joined(_) => variables.push(("LANDFALL_CLUSTER_NODES", NODE.to_owned())),
        }
        variables
    }

    /// Creates `demo-app` with the permissions of `deploy/rbac.yaml` and its token in a file;
    /// returns the instructions for the user.
    pub(crate) fn prepare(&self) -> Result<String, String> {
        let (kubectl, folder) = self.kind.parts();
        let mut deployment = sample_deployment("demo-app", "registry.example.com/demo-app:1.0.0");
        deployment["spec"]["progressDeadlineSeconds"] = json!(30);
        kubectl.create(&deployment)?;
        kubectl.apply(ROLES)?;
        kubectl.apply(TOKEN_SECRET)?;
        let secret = [
            "get",
            "secret",
            "landfall-token",
            "--output=jsonpath={.data.token}",
        ];
        let deadline = Instant::now() + TOKEN;
        let mut token = kubectl.ask(&secret)?;
        while token.is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
            token = kubectl.ask(&secret)?;
        }
        let file = folder.join("token");
        write(&file, &decode(&token)?)?;
        Ok(self.advice(kubectl, folder, &file))
    }

    fn advice(&self, kubectl: &Kubectl, folder: &Path, token: &Path) -> String {
        format!(
            "Kubernetes {version} runs at {server} until Ctrl-C, with a Deployment demo-app in \
             namespace default and what deploy/rbac.yaml grants.\n\n\
             Watch it in a second terminal:\n  \
             {kubectl} --kubeconfig {config} get pods --watch\n\n\
             Deploy to it in a third:\n  \
             make invoke EVENT=events/image.json CLUSTER={server} \\\n    \
             CA={ca} \\\n    \
             TOKEN_FILE={token}\n\n\
             Then EVENT=events/crashing.json and events/failing.json. An image behaves as its \
             name says:\n…:never-ready, :crash, :out-of-memory, :missing, :no-config, \
             :after-4s.\nLogs of the cluster's programs: {folder}",
            version = self.version,
            server = self.server,
            kubectl = kubectl.program().display(),
            config = kubectl.kubeconfig().display(),
            token = token.display(),
            ca = self.ca.display(),
            folder = folder.display(),
        )
    }
}

impl Kind {
    fn parts(&self) -> (&Kubectl, &Path) {
        match self {
            Kind::Own(plane) => (&plane.kubectl, plane.folder()),
            Kind::Joined(joined) => (&joined.kubectl, joined.folder.path()),
        }
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        let selector = format!("--selector={NODE}");
        let arguments = ["delete", "node", &selector, "--wait=false"];
        if let Err(problem) = self.kubectl.ask(&arguments) {
            eprintln!("The nodes with the label {NODE} are still there: {problem}");
        }
    }
}

/// Starts kwok only for the nodes with our label.
fn play(programs: &Path, folder: &Folder) -> Result<Process, String> {
    write_served(folder.path(), &Authority::generate()).map_err(|error| error.to_string())?;
    let port = free_port()?;
    let nodes = format!("--manage-nodes-with-label-selector={NODE}=true");
    let arguments = kwok(&nodes, port);
    Process::start(&programs.join("kwok"), &arguments, folder.path())
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    use base64::Engine as _;
    let decoded = base64::engine::general_purpose::STANDARD.decode(text);
    decoded.map_err(|error| format!("no base64: {error}"))
}

/// The CA of a kubeconfig's cluster in PEM.
fn authority(cluster: &Value) -> Result<String, String> {
    let data = cluster["certificate-authority-data"].as_str();
    let data = data.ok_or("the kubeconfig names no certificate authority")?;
    let pem = decode(data)?;
    String::from_utf8(pem).map_err(|error| format!("certificate-authority-data: {error}"))
}

/// Starts `kubectl proxy`, which supports every kind of authentication in a kubeconfig.
fn proxy(kubectl: &Kubectl, folder: &Path) -> Result<(Process, String), String> {
    let port = free_port()?;
    let arguments = kubectl.arguments(&["proxy", &format!("--port={port}")]);
    let mut process = Process::start(kubectl.program(), &arguments, folder)?;
    let deadline = Instant::now() + PROXY;
    while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        process.check()?;
        if Instant::now() > deadline {
            return Err("kubectl proxy does not listen".into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok((process, format!("http://127.0.0.1:{port}")))
}

fn free_port() -> Result<u16, String> {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr());
    free.map(|address| address.port())
        .map_err(|error| format!("no free port: {error}"))
}

fn write(path: &Path, content: &[u8]) -> Result<(), String> {
    fs::write(path, content).map_err(|error| format!("{}: {error}", path.display()))
}
