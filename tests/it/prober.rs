//! An independent look at what a Service sends to: a watch of its EndpointSlices, over a connection
//! of its own, so that no state goes unseen.

pub mod route;

use crate::cluster::Cluster;
use crate::stage::Stage;
use landfall::http::{self, Trust};
use reqwest::Response;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Pods of one version that must be ready at every moment, where a story says nothing else.
const REQUIRED: usize = 2;
const MIXTURE: &str = "mixture";
/// States that are shown when one of them was wrong.
const SHOWN: usize = 12;
/// How long the watch may be behind the list when a story is over.
const CATCHING_UP: Duration = Duration::from_secs(20);

/// The slices of the Service `demo-app` as they are known.
type Slices = BTreeMap<String, Value>;

/// One that watches until it is dropped.
pub struct Prober {
    source: Source,
    known: watch::Receiver<Known>,
    task: AbortHandle,
}

/// For how long a Service was so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spans {
    /// Without a ready pod: the longest time.
    pub empty: Duration,
    /// With pods of two versions: the longest time.
    pub mixed: Duration,
}

/// What was seen so far.
pub struct Known {
    required: usize,
    /// What is wrong is timed, and is no complaint.
    timed: bool,
    /// Two versions may have pods.
    shared: bool,
    spans: Spans,
    /// Since when it is empty, and since when it is mixed.
    since: [Option<Instant>; 2],
    slices: Slices,
    version: String,
    states: VecDeque<String>,
    /// How many states there were.
    pub count: usize,
    complaint: Option<String>,
}

impl Stage {
    /// Runs a part of the story while the Service's EndpointSlices are watched: they must always
    /// have enough ready pods, all of one version.
    pub async fn probed<T>(&self, story: impl Future<Output = T>) -> T {
        self.probed_for(REQUIRED, story).await
    }

    /// The same with another number of pods that must be ready.
    pub async fn probed_for<T>(&self, required: usize, story: impl Future<Output = T>) -> T {
        let mut prober = Prober::start(&self.cluster, required).await;
        let told = tokio::select! {
            told = story => told,
            complaint = prober.complaint() => panic!("{complaint}\n{}", self.log()),
        };
        if let Err(complaint) = prober.finish().await {
            panic!("{complaint}\n{}", self.log());
        }
        told
    }
}

impl Prober {
    /// Begins to watch. What is there already is looked at as well.
    pub async fn start(cluster: &Cluster, required: usize) -> Prober {
        Prober::begin(cluster, Known::new(required)).await
    }

    /// One for a Service that sends to two versions at times.
    pub async fn sharing(cluster: &Cluster, required: usize) -> Prober {
        let known = Known {
            shared: true,
            ..Known::new(required)
        };
        Prober::begin(cluster, known).await
    }

    /// One that does not complain, and tells how long what is wrong has lasted.
    pub async fn timing(cluster: &Cluster) -> Prober {
        let known = Known {
            timed: true,
            ..Known::new(1)
        };
        Prober::begin(cluster, known).await
    }

    /// How long the Service was empty or mixed, up to now.
    pub async fn spans(&mut self) -> Spans {
        self.finish().await.unwrap();
        self.known.borrow().spans_now()
    }

    /// The last states in words.
    pub fn states(&self) -> String {
        let known = self.known.borrow();
        known
            .states
            .iter()
            .map(|state| format!("\n  {state}"))
            .collect()
    }

    async fn begin(cluster: &Cluster, mut known: Known) -> Prober {
        let source = Source::of(cluster);
        let (slices, version) = source.list().await;
        let answer = source.watch(&version).await;
        (known.slices, known.version) = (slices, version);
        known.judge();
        let (sender, known) = watch::channel(known);
        let task = tokio::spawn(follow(source.clone(), answer, sender)).abort_handle();
        Prober {
            source,
            known,
            task,
        }
    }

    /// What was wrong; as long as nothing is, it does not return.
    pub async fn complaint(&mut self) -> String {
        let known = self.known.wait_for(|known| known.complaint.is_some()).await;
        let known = known.expect("the watch goes on");
        known.complaint.clone().unwrap_or_default()
    }

    /// Waits until every state up to this moment was looked at: how many, or what was wrong.
    pub async fn finish(&mut self) -> Result<usize, String> {
        let (now, _) = self.source.list().await;
        let seen = self
            .known
            .wait_for(|known| known.complaint.is_some() || known.reaches(&now));
        let seen = tokio::time::timeout(CATCHING_UP, seen).await;
        let known = seen
            .map_err(|_| "the watch does not catch up with the list".to_owned())?
            .expect("the watch goes on");
        known.complaint.clone().map_or(Ok(known.count), Err)
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads the watch until something is wrong. A server ends each after a while; the next goes on
/// from the last state that was seen.
async fn follow(source: Source, mut answer: Response, sender: watch::Sender<Known>) {
    let mut text = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => text.extend_from_slice(&chunk),
            Ok(None) | Err(_) => {
                text.clear();
                let version = sender.borrow().version.clone();
                answer = source.watch(&version).await;
            }
        }
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line = text.drain(..=end).collect::<Vec<_>>();
            let event = serde_json::from_slice(&line).unwrap();
            sender.send_modify(|known| known.take(event));
        }
        if sender.borrow().complaint.is_some() {
            return sender.closed().await;
        }
    }
}

impl Known {
    fn new(required: usize) -> Known {
        Known {
            required,
            timed: false,
            shared: false,
            spans: Spans::default(),
            since: [None; 2],
            slices: Slices::new(),
            version: String::new(),
            states: VecDeque::new(),
            count: 0,
            complaint: None,
        }
    }

    fn take(&mut self, mut event: Value) {
        let slice = event["object"].take();
        let version = slice["metadata"]["resourceVersion"].as_str();
        match event["type"].as_str().unwrap() {
            "ADDED" | "MODIFIED" => _ = self.slices.insert(name(&slice), slice.clone()),
            "DELETED" => _ = self.slices.remove(&name(&slice)),
            "BOOKMARK" => {}
            other => panic!("{other}: {slice}"),
        }
        self.version = version.unwrap().to_owned();
        self.judge();
    }

    /// Looks at the state that is known now. The first thing that is wrong counts.
    fn judge(&mut self) {
        let (state, problem) = look(&self.slices, self.required);
        let problem = problem.filter(|problem| !(self.shared && problem.contains(MIXTURE)));
        self.count += 1;
        self.states
            .push_back(format!("{} {state}", jiff::Timestamp::now()));
        if self.states.len() > SHOWN {
            self.states.pop_front();
        }
        if self.timed {
            return self.time(problem.as_deref());
        }
        if let (None, Some(problem)) = (&self.complaint, problem) {
            let states = self.states.iter().map(|state| format!("\n  {state}"));
            let states = states.collect::<String>();
            self.complaint = Some(format!("{problem}; the last states were:{states}"));
        }
    }

    /// Notes when it became empty or mixed, or ceased to be.
    fn time(&mut self, problem: Option<&str>) {
        self.spans = self.spans_now();
        let is = |words: &str| problem.is_some_and(|problem| problem.contains(words));
        for (since, is_so) in self
            .since
            .iter_mut()
            .zip([is("sends to 0 pods"), is(MIXTURE)])
        {
            *since = is_so.then(|| since.unwrap_or_else(Instant::now));
        }
    }

    fn spans_now(&self) -> Spans {
        let [empty, mixed] = self
            .since
            .map(|since| since.map_or(Duration::ZERO, |it| it.elapsed()));
        Spans {
            empty: self.spans.empty.max(empty),
            mixed: self.spans.mixed.max(mixed),
        }
    }

    /// Whether everything of a list was seen, or something later.
    fn reaches(&self, list: &Slices) -> bool {
        let number = |slice: &Value| {
            let version = slice["metadata"]["resourceVersion"].as_str();
            version.and_then(|it| it.parse::<u64>().ok()).unwrap_or(0)
        };
        let seen = self.version.parse::<u64>().unwrap_or(0);
        list.values().all(|slice| seen >= number(slice))
    }
}

/// What a Service sends to in words, and what is wrong with it.
fn look(slices: &Slices, required: usize) -> (String, Option<String>) {
    let endpoints = slices
        .values()
        .filter_map(|slice| slice["endpoints"].as_array());
    let (mut ready, mut others) = (BTreeSet::new(), BTreeSet::new());
    for endpoint in endpoints.flatten() {
        let pod = endpoint["targetRef"]["name"].as_str().unwrap();
        match endpoint["conditions"]["ready"] == true {
            true => ready.insert(pod),
            false => others.insert(pod),
        };
    }
    // A pod's name is its Deployment's with two endings.
    let version = |pod: &&str| pod.rsplitn(3, '-').last().unwrap().to_owned();
    let versions = ready.iter().map(version).collect::<BTreeSet<_>>();
    let problem = if ready.len() < required {
        Some(format!(
            "the Service sends to {} pods, which must be {required}",
            ready.len()
        ))
    } else if versions.len() > 1 {
        Some(format!("the Service sends to a {MIXTURE} of {versions:?}"))
    } else {
        None
    };
    (format!("ready {ready:?}, not ready {others:?}"), problem)
}

fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap().to_owned()
}

/// Where slices are read: the administrator's address in a real cluster.
#[derive(Clone)]
struct Source {
    client: reqwest::Client,
    /// Up to the API's group: `https://127.0.0.1:6443/apis/`.
    base: String,
    namespace: String,
    token: Option<String>,
}

impl Source {
    fn of(cluster: &Cluster) -> Source {
        let (base, token, trust) = match cluster {
            Cluster::Sandbox(kubernetes) => (
                kubernetes.url(),
                Some(cluster.token().to_owned()),
                Trust::Only(kubernetes.ca()),
            ),
            Cluster::Real(namespace) => (namespace.admin(), None, Trust::Public),
        };
        Source {
            client: http::client(trust).unwrap(),
            base: format!("{base}/apis/"),
            namespace: cluster.namespace().to_owned(),
            token,
        }
    }

    fn url(&self, version: &str, rest: &str) -> String {
        let Source {
            base, namespace, ..
        } = self;
        format!("{base}{version}/namespaces/{namespace}/{rest}")
    }

    fn slices(&self) -> String {
        let label = "labelSelector=kubernetes.io%2Fservice-name%3Ddemo-app";
        let slices = self.url("discovery.k8s.io/v1", "endpointslices");
        format!("{slices}?{label}")
    }

    /// What is there, if it is.
    async fn get(&self, url: &str) -> Option<Value> {
        let mut request = self.client.get(url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.ok()?;
        let is_there = answer.status() == 200;
        let text = answer.text().await.ok().filter(|_| is_there)?;
        serde_json::from_str(&text).ok()
    }

    async fn ask(&self, url: &str) -> Response {
        let mut request = self.client.get(url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{url}");
        answer
    }

    async fn list(&self) -> (Slices, String) {
        let text = self.ask(&self.slices()).await.text().await.unwrap();
        let mut list: Value = serde_json::from_str(&text).unwrap();
        let version = list["metadata"]["resourceVersion"].as_str();
        let version = version.unwrap().to_owned();
        let items = list["items"].as_array_mut().map(std::mem::take);
        let items = items.unwrap_or_default().into_iter();
        (items.map(|slice| (name(&slice), slice)).collect(), version)
    }

    async fn watch(&self, version: &str) -> Response {
        let slices = self.slices();
        self.ask(&format!("{slices}&watch=true&resourceVersion={version}"))
            .await
    }
}

#[test]
fn the_prober_sees_what_must_not_be() {
    let of = |pods: &[(&str, bool)]| {
        let endpoint = |(pod, ready): &(&str, bool)| {
            let conditions = serde_json::json!({"ready": ready});
            serde_json::json!({"conditions": conditions, "targetRef": {"name": pod}})
        };
        let endpoints = pods.iter().map(endpoint).collect::<Vec<_>>();
        let slices = Slices::from([("a".into(), serde_json::json!({"endpoints": endpoints}))]);
        look(&slices, 2).1
    };
    let well = [("web-blue-1-a", true), ("web-blue-1-b", true)];
    assert_eq!(of(&well), None);
    let more = [well[0], well[1], ("web-green-1-a", false)];
    assert_eq!(of(&more), None, "one that gets no traffic is no mixture");
    for (wrong, words) in [
        (&[][..], "sends to 0 pods"),
        (&[well[0], ("web-blue-1-b", false)], "sends to 1 pods"),
        (&[well[0], ("web-green-1-b", true)], "mixture"),
    ] {
        let problem = of(wrong).unwrap_or_default();
        assert!(problem.contains(words), "{wrong:?}: {problem}");
    }
    assert!(look(&Slices::new(), 1).1.is_some());
}

/// Each of these is over within milliseconds, and none of them is looked for.
#[tokio::test(flavor = "multi_thread")]
async fn the_prober_cries_when_pods_go() {
    let stage = crate::blue_green::stage().await;
    let mut prober = Prober::start(&stage.cluster, 2).await;
    assert!(prober.finish().await.is_ok(), "nothing has happened");
    stage.cluster.scale(1).await;
    let patience = Duration::from_secs(20);
    let cry = tokio::time::timeout(patience, prober.complaint()).await;
    let cry = cry.unwrap();
    assert!(cry.contains("sends to 1 pods, which must be 2"), "{cry}");
    stage.cluster.scale(2).await;
    crate::blue_green::endpoints_are_known(&stage).await;

    // The prober is told of a state that was over before anybody asked for it.
    let mut prober = Prober::start(&stage.cluster, 2).await;
    let nobody = serde_json::json!({"app": "nobody"});
    let own = serde_json::json!({"app": "demo-app"});
    let place = ["spec", "selector"];
    stage
        .cluster
        .change("services", "demo-app", place, nobody)
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    stage
        .cluster
        .change("services", "demo-app", place, own)
        .await;
    crate::blue_green::endpoints_are_known(&stage).await;
    let cry = prober.finish().await.unwrap_err();
    assert!(cry.contains("sends to 0 pods"), "{cry}");
}
