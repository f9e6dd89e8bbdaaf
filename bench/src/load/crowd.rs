//! Many deploys at once, in processes of their own: what they cost the API server, and what its
//! other clients notice.

use super::deployer::{Deployer, build_step, deployment, image, settle};
use crate::candidate::Candidate;
use crate::plane::Plane;
use crate::process::{Process, event_with, milliseconds};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

/// The pods of each; one at a time is replaced, so a rollout has three waves of [`READY`].
const PODS: usize = 3;
const READY: &str = "3s";
/// The label of all of them.
const LABEL: &str = "load-crowd";
const PATIENCE: Duration = Duration::from_secs(300);
/// The pause between two requests of the other client.
const PAUSE: Duration = Duration::from_millis(10);
/// How often it is asked whether all have ended; nobody else would notice that.
const LOOK: Duration = Duration::from_millis(500);
const BYSTANDER: &str = "load-bystander";
/// A small object that every cluster has.
const OBJECT: &str = "/api/v1/namespaces/default/configmaps/kube-root-ca.crt";

/// Measures so many deploys at once in each way.
pub(super) async fn measure(
    plane: &Plane,
    landfall: &Candidate,
    deploys: usize,
) -> Result<Vec<Value>, String> {
    let names = (0..deploys).map(|number| format!("{LABEL}-{deploys}-{number:03}"));
    let names = names.collect::<Vec<_>>();
    let items = names.iter().map(|name| {
        let mut item = deployment(name, &image("first", 0, "10ms"), PODS, 1);
        item["metadata"]["labels"] = json!({LABEL: deploys.to_string()});
        item
    });
    let items = items.collect::<Vec<_>>();
    plane.apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}))?;
    for name in &names {
        settle(plane, name)?;
    }
    let proxy = Bystander::start(plane).await?;
    let mut rows = Vec::new();
    // Nobody only changes the images: its cost is that of the pods themselves.
    let ways = [
        None,
        Some(Deployer::new(plane, LABEL, Some(landfall))?),
        Some(Deployer::new(plane, LABEL, None)?),
    ];
    for deployer in ways {
        let title = deployer.as_ref().map_or("nobody follows", Deployer::title);
        eprintln!("{deploys} deploys at once: {title}");
        let row = run(plane, &proxy, &names, deployer.as_ref()).await;
        let mut row = row.map_err(|problem| format!("{deploys} deploys, {title}: {problem}"))?;
        row["title"] = json!(title);
        rows.push(row);
    }
    let selector = format!("--selector={LABEL}={deploys}");
    plane
        .kubectl
        .ask(&["delete", "deployment", &selector, "--wait=false"], "")?;
    Ok(rows)
}

async fn run(
    plane: &Plane,
    bystander: &Bystander,
    names: &[String],
    deployer: Option<&Deployer>,
) -> Result<Value, String> {
    let account = deployer.map_or(BYSTANDER, |deployer| &deployer.account);
    let image = image(account, names.len(), READY);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let counted = plane.audit.count(account)?;
    let (cpu, started) = (plane.cpu()?, Timestamp::now());
    let requests = bystander.ask();
    let deploys = async {
        match deployer {
            None => {
                let label = format!("--selector={LABEL}={}", names.len());
                let container = format!("app={image}");
                plane
                    .kubectl
                    .ask(&["set", "image", "deployment", &label, &container], "")?;
                Ok(Vec::new())
            }
            Some(deployer) => all(plane, deployer, names, &image).await,
        }
    };
    let seconds = deploys.await?;
    // All are judged at the same point: when every pod has been replaced.
    let label = format!("{LABEL}={}", names.len());
    while !bystander.complete(&label, &image).await? {
        if Timestamp::now().duration_since(started).as_secs_f64() > PATIENCE.as_secs_f64() {
            return Err("the rollouts did not end".to_owned());
        }
        tokio::time::sleep(LOOK).await;
    }
    let wall = Timestamp::now().duration_since(started).as_secs_f64();
    let mut requests = requests.end().await;
    let cpu = plane.cpu()? - cpu;
    requests.sort_by(f64::total_cmp);
    let rank = |percent: usize| requests[(requests.len() * percent).div_ceil(100).max(1) - 1];
    if requests.is_empty() {
        return Err("the other client was never answered".to_owned());
    }
    let calls = plane.audit.settled(counted).await?.all();
    let calls = deployer.map(|_| calls);
    Ok(json!({"deploys": names.len(), "wall": wall, "cpu": cpu,
        "calls": calls, "last": seconds.iter().copied().reduce(f64::max),
        "others": {"requests": requests.len(), "median": rank(50), "ninetyNine": rank(99)}}))
}

/// Starts all at once, and returns what each took in seconds.
async fn all(
    plane: &Plane,
    deployer: &Deployer,
    names: &[String],
    image: &str,
) -> Result<Vec<f64>, String> {
    let token = &*deployer.token;
    let one = async |name: &String| match &deployer.candidate {
        Some(candidate) => {
            let event = event_with(&json!({"deployment": name, "images": {"app": image}}));
            let access = plane.access(&plane.url, token);
            let process = Process::start(candidate, access, event).await?;
            let report = process.first(PATIENCE).await?;
            Ok(report.at.duration_since(process.started).as_secs_f64())
        }
        None => {
            let used = build_step(plane, (&plane.url, token), (name, image)).await?;
            Ok(used.seconds)
        }
    };
    try_join_all(names.iter().map(one)).await
}

/// Another client of the API server, which has nothing to do with the deploys. It goes by way of
/// `kubectl proxy`, as a ServiceAccount, so that the server's own limits hold for it.
struct Bystander {
    _proxy: tokio::process::Child,
    address: Arc<str>,
}

/// Requests one after another, until they are ended.
struct Asking {
    task: tokio::task::JoinHandle<()>,
    times: Arc<Mutex<Vec<f64>>>,
}

impl Asking {
    async fn end(self) -> Vec<f64> {
        self.task.abort();
        std::mem::take(&mut *self.times.lock().await)
    }
}

impl Bystander {
    async fn start(plane: &Plane) -> Result<Bystander, String> {
        let token = plane.account(BYSTANDER)?;
        let flags = plane.flags(&plane.url, &token);
        let (proxy, address) = plane.kubectl.proxy(&flags).await?;
        Ok(Bystander {
            _proxy: proxy,
            address: address.into(),
        })
    }

    fn ask(&self) -> Asking {
        let (address, times) = (Arc::clone(&self.address), Arc::<Mutex<Vec<f64>>>::default());
        let kept = Arc::clone(&times);
        let task = tokio::spawn(async move {
            loop {
                let began = Timestamp::now();
                if get(&address, OBJECT).await.is_ok() {
                    let took = milliseconds(Timestamp::now().duration_since(began));
                    kept.lock().await.push(took);
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        Asking { task, times }
    }

    /// Whether all Deployments with this label run nothing but this image.
    async fn complete(&self, label: &str, image: &str) -> Result<bool, String> {
        let path = format!("/apis/apps/v1/namespaces/default/deployments?labelSelector={label}");
        let list = get(&self.address, &path).await?;
        let list = serde_json::from_str::<Value>(&list).map_err(|error| error.to_string())?;
        let items = list["items"].as_array().ok_or("no list of Deployments")?;
        Ok(items.iter().all(|item| {
            let (spec, status) = (&item["spec"], &item["status"]);
            let counts = ["replicas", "updatedReplicas", "availableReplicas"];
            spec["template"]["spec"]["containers"][0]["image"] == image
                && status["observedGeneration"] == item["metadata"]["generation"]
                && counts.iter().all(|count| status[count] == spec["replicas"])
        }))
    }
}

/// The body of an answer with status 200, over a connection of its own.
async fn get(address: &str, path: &str) -> Result<String, String> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = exchange.await.map_err(|error| format!("{path}: {error}"))?;
    let answer = String::from_utf8_lossy(&answer);
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.contains(" 200 ") => Ok(body.to_owned()),
        _ => Err(format!(
            "{path}: {}",
            answer.lines().next().unwrap_or_default()
        )),
    }
}
