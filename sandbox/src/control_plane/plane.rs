//! A real Kubernetes control plane on loopback: etcd, kube-apiserver, kube-controller-manager,
//! kube-scheduler, kwok instead of kubelets, and aws-iam-authenticator's verifier, which lets
//! people in as EKS does. All its files are in one temporary folder.

use crate::iam;
use crate::kubectl::Kubectl;
use crate::process::Process;
use rcgen::KeyPair;
use serde_json::{Value, json};
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use landfall_sandbox::kubernetes::Authority;

/// How long the control plane may take to start; two seconds are usual.
const START: Duration = Duration::from_secs(60);
/// The time between two checks during the start.
const PAUSE: Duration = Duration::from_millis(100);
/// The number of nodes, so that one failing node is not the whole cluster.
const NODES: usize = 3;
/// What pods do, as kwok's configuration.
const STAGES: &str = include_str!("stages.yaml");
/// The policy of the audit log.
const AUDIT: &str = include_str!("audit.yaml");
/// The controllers that the stories need; fewer start faster. A Service's proxy still uses
/// Endpoints.
const CONTROLLERS: &str = "deployment-controller,replicaset-controller,endpointslice-controller,\
    endpoints-controller,statefulset-controller,daemonset-controller,job-controller,\
    cronjob-controller,ttl-after-finished-controller,persistentvolume-binder-controller,\
    disruption-controller,\
    serviceaccount-controller,serviceaccount-token-controller,garbage-collector-controller,\
    namespace-controller,horizontal-pod-autoscaler-controller,resourcequota-controller,\
    root-ca-certificate-publisher-controller";
/// The log lines of a healthy and a crashed container, in the kubelet's format:
/// <https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md>.
const SERVING: &str = "2026-01-01T00:00:00.000000000Z stdout F listening on :8080\n";
const CRASHED: &str = "2026-01-01T00:00:00.000000000Z stdout F reading the configuration\n\
    2026-01-01T00:00:00.100000000Z stderr F panic: no DATABASE_URL\n";

/// A running control plane. Dropping it ends every process and deletes its folder.
pub(crate) struct Plane {
    // In the order in which they must end.
    processes: Vec<Process>,
    folder: Folder,
    pub(crate) kubectl: Kubectl,
    pub(crate) server: String,
}

/// A folder that is deleted with its owner.
pub(crate) struct Folder(PathBuf);

/// Loopback ports that were free a moment ago.
struct Ports {
    etcd: u16,
    peer: u16,
    server: u16,
    controllers: u16,
    scheduler: u16,
    kubelet: u16,
    authenticator: u16,
}

impl Plane {
    /// Starts everything and waits until pods can run.
    ///
    /// # Errors
    ///
    /// A message with the last log lines of the program that failed.
    pub(crate) fn start(programs: &Path) -> Result<Plane, String> {
        let folder = Folder::new()?;
        let ports = Ports::find().map_err(|error| format!("no free port: {error}"))?;
        let server = format!("https://127.0.0.1:{}", ports.server);
        write_files(&folder.0, &server, &ports).map_err(|error| folder.problem(&error))?;
        let kubeconfig = folder.0.join("kubeconfig");
        let mut plane = Plane {
            processes: Vec::new(),
            kubectl: Kubectl::new(programs.join("kubectl"), kubeconfig, None),
            server,
            folder,
        };
        let deadline = Instant::now() + START;
        plane.run(programs, "etcd", &etcd(&ports))?;
        plane.run(
            programs,
            "authenticator",
            &iam::authenticator(ports.authenticator),
        )?;
        plane.run(programs, "kube-apiserver", &api_server(&ports))?;
        plane.wait(deadline, |kubectl| {
            kubectl.ask(&["get", "--raw", "/readyz"])
        })?;
        plane.run(programs, "kube-controller-manager", &controllers(&ports))?;
        plane.run(programs, "kube-scheduler", &scheduler(&ports))?;
        let kwok = kwok("--manage-all-nodes=true", ports.kubelet);
        plane.run(programs, "kwok", &kwok)?;
        make_nodes(
            &plane.kubectl,
            &json!({"kubernetes.io/os": "linux"}),
            &json!([]),
        )?;
        plane.wait(deadline, |kubectl| {
            kubectl.ask(&[
                "wait",
                "--for=condition=Ready",
                "node",
                "--all",
                "--timeout=1s",
            ])?;
            kubectl.ask(&["get", "serviceaccount", "default", "--output=name"])
        })?;
        Ok(plane)
    }

    /// The folder with logs, keys and kubeconfig.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder.0
    }

    fn run(&mut self, programs: &Path, name: &str, arguments: &[String]) -> Result<(), String> {
        let process = Process::start(&programs.join(name), arguments, &self.folder.0)?;
        // The newest process ends first, so that no controller reports a missing server.
        self.processes.insert(0, process);
        Ok(())
    }

    /// Polls until there is a result, as long as everything runs and time is left.
    fn wait(
        &mut self,
        deadline: Instant,
        question: impl Fn(&Kubectl) -> Result<String, String>,
    ) -> Result<(), String> {
        loop {
            self.processes.iter_mut().try_for_each(Process::check)?;
            match question(&self.kubectl) {
                Ok(_) => return Ok(()),
                Err(problem) if Instant::now() > deadline => {
                    return Err(format!("not up within {} s: {problem}", START.as_secs()));
                }
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
    }
}

impl Folder {
    pub(crate) fn new() -> Result<Folder, String> {
        let name = format!("landfall-control-plane-{}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(name));
        fs::create_dir(&folder.0).map_err(|error| folder.problem(&error))?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn problem(&self, error: &io::Error) -> String {
        format!("{}: {error}", self.0.display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It is a temporary file; if it cannot be deleted, it does no harm.
        let _removed = fs::remove_dir_all(&self.0);
    }
}

impl Ports {
    fn find() -> io::Result<Ports> {
        // All listeners stay open until all ports are found, so that the ports differ.
        let listeners = (0..7)
            .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .collect::<io::Result<Vec<_>>>()?;
        let port = |index: usize| -> io::Result<u16> { Ok(listeners[index].local_addr()?.port()) };
        Ok(Ports {
            etcd: port(0)?,
            peer: port(1)?,
            server: port(2)?,
            controllers: port(3)?,
            scheduler: port(4)?,
            kubelet: port(5)?,
            authenticator: port(6)?,
        })
    }
}

/// Writes keys, certificates, tokens and configuration. A restarted control plane has new ones.
fn write_files(folder: &Path, server: &str, ports: &Ports) -> io::Result<()> {
    let write = |name: &str, text: &str| fs::write(folder.join(name), text);
    let authority = Authority::generate();
    let clients = Authority::generate();
    let accounts = KeyPair::generate().map_err(io::Error::other)?;
    let token = secret()?;
    write("ca.crt", authority.pem())?;
    write("clients.crt", clients.pem())?;
    write("clients.key", &clients.key())?;
    iam::write(folder, ports.authenticator)?;
    write("accounts.key", &accounts.serialize_pem())?;
    write("accounts.pub", &accounts.public_key_pem())?;
    write(
        "tokens.csv",
        &format!("{token},admin,admin,\"system:masters\"\n"),
    )?;
    write("audit.yaml", AUDIT)?;
    write_served(folder, &authority)?;
    let cluster = json!({"server": server, "certificate-authority": folder.join("ca.crt")});
    write("kubeconfig", &kubeconfig(&cluster, &token).to_string())
}

/// Writes the certificate of the loopback servers and kwok's data: pods and their logs.
pub(crate) fn write_served(folder: &Path, authority: &Authority) -> io::Result<()> {
    let (certificate, key) = authority.server_certificate()?;
    for (name, text) in [
        ("server.crt", certificate.as_str()),
        ("server.key", &key),
        ("serving.log", SERVING),
        ("crashed.log", CRASHED),
        ("stages.yaml", &stages(folder)),
    ] {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}

/// A random secret.
fn secret() -> io::Result<String> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let bytes = key.public_key_raw().iter().skip(1).take(24);
    Ok(bytes.map(|byte| format!("{byte:02x}")).collect())
}

/// JSON is YAML: <https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/>.
fn kubeconfig(cluster: &Value, token: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "landfall",
        "contexts": [{"name": "landfall", "context": {"cluster": "landfall", "user": "admin"}}],
        "clusters": [{"name": "landfall", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": token}}]
    })
}

/// kwok's configuration: what pods do, and what their containers log.
fn stages(folder: &Path) -> String {
    let logs = json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterLogs",
        "metadata": {"name": "logs"},
        // A container `migration` only has a log where it failed.
        "spec": {"logs": [{
            "containers": ["migration"],
            "logsFile": folder.join("crashed.log")
        }, {
            "logsFile": folder.join("serving.log"),
            "previousLogsFile": folder.join("crashed.log")
        }]}
    });
    format!("{STAGES}---\n{logs}\n")
}

/// Creates nodes that kwok keeps alive.
pub(crate) fn make_nodes(kubectl: &Kubectl, labels: &Value, taints: &Value) -> Result<(), String> {
    (1..=NODES).try_for_each(|number| {
        kubectl.create(&json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": format!("landfall-{number}"), "labels": labels},
            "spec": {"taints": taints}
        }))
    })
}

fn flags<const N: usize>(flags: [&str; N]) -> Vec<String> {
    flags.map(str::to_owned).to_vec()
}

fn etcd(ports: &Ports) -> Vec<String> {
    let client = format!("http://127.0.0.1:{}", ports.etcd);
    let mut arguments = flags(["--data-dir=etcd", "--unsafe-no-fsync", "--log-level=warn"]);
    arguments.extend([
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls=http://127.0.0.1:{}", ports.peer),
    ]);
    arguments
}

fn api_server(ports: &Ports) -> Vec<String> {
    let mut arguments = flags([
        "--bind-address=127.0.0.1",
        "--cert-dir=.",
        "--tls-cert-file=server.crt",
        "--tls-private-key-file=server.key",
        "--authorization-mode=RBAC",
        // As in every cluster whose network and volumes are DaemonSets.
        "--allow-privileged=true",
        "--token-auth-file=tokens.csv",
        "--service-account-key-file=accounts.pub",
        "--service-account-signing-key-file=accounts.key",
        // Longer than any token that must not be shortened.
        "--service-account-max-token-expiration=48h",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--endpoint-reconciler-type=none",
        // A controller that watches real nodes would have to remove this taint.
        "--disable-admission-plugins=TaintNodesByCondition",
        // What is refused now may be allowed in the next story.
        "--authentication-token-webhook-config-file=authenticator.kubeconfig",
        "--authentication-token-webhook-cache-ttl=1s",
        "--client-ca-file=clients.crt",
        "--audit-policy-file=audit.yaml",
        "--audit-log-path=audit.log",
        // By default it begins a new file after 100 MB, and whoever counts would lose the old one.
        "--audit-log-maxsize=10240",
    ]);
    arguments.extend([
        format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd),
        format!("--secure-port={}", ports.server),
        format!(
            "--service-account-issuer=https://127.0.0.1:{}",
            ports.server
        ),
    ]);
    arguments
}

fn controllers(ports: &Ports) -> Vec<String> {
    let mut arguments = flags([
        "--kubeconfig=kubeconfig",
        "--bind-address=127.0.0.1",
        "--root-ca-file=ca.crt",
        "--service-account-private-key-file=accounts.key",
        "--leader-elect=false",
        "--kube-api-qps=1000",
        "--kube-api-burst=2000",
    ]);
    arguments.extend([
        format!("--controllers={CONTROLLERS}"),
        format!("--secure-port={}", ports.controllers),
    ]);
    arguments
}

fn scheduler(ports: &Ports) -> Vec<String> {
    let mut arguments = flags([
        "--kubeconfig=kubeconfig",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
    ]);
    arguments.push(format!("--secure-port={}", ports.scheduler));
    arguments
}

/// <https://kwok.sigs.k8s.io/docs/generated/kwok/>. Its certificate is for `kubectl logs`.
pub(crate) fn kwok(nodes: &str, port: u16) -> Vec<String> {
    let mut arguments = flags([
        "--kubeconfig=kubeconfig",
        "--config=stages.yaml",
        nodes,
        "--node-ip=127.0.0.1",
        "--node-lease-duration-seconds=40",
        "--tls-cert-file=server.crt",
        "--tls-private-key-file=server.key",
    ]);
    arguments.extend([
        format!("--node-port={port}"),
        format!("--server-address=127.0.0.1:{port}"),
    ]);
    arguments
}
