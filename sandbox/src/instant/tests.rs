use super::*;
use crate::instant::objects::{REPLICAS, REVISION, UID, managed_fields};
use crate::instant::script::{Moment, Script, number};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const SETS: &str =
    "/apis/apps/v1/namespaces/default/replicasets?labelSelector=app%3Ddemo-app&limit=50";
const PATIENCE: Duration = Duration::from_secs(10);

struct Client {
    stream: TlsStream<TcpStream>,
    token: &'static str,
}

impl Client {
    async fn new(cluster: &InstantCluster, token: &'static str) -> Client {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(cluster.ca().as_bytes()).unwrap();
        roots.add(ca).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let address = cluster.url().strip_prefix("https://").unwrap();
        let tcp = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, tcp).await.unwrap();
        Client { stream, token }
    }

    /// The connection is kept: the next call goes over the same one.
    async fn call(&mut self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let (status, head) = self.send(method, path, body).await;
        let length = head.split("content-length: ").nth(1).unwrap();
        let length = length.split("\r\n").next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn send(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: k\r\nAuthorization: Bearer {}\r\n\
                 Content-Type: application/strategic-merge-patch+json\r\n\
                 Content-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let head = self.read_until("\r\n\r\n").await;
        (head[9..12].parse().unwrap(), head)
    }

    async fn read_until(&mut self, end: &str) -> String {
        let mut read = Vec::new();
        while !read.ends_with(end.as_bytes()) {
            let byte = tokio::time::timeout(PATIENCE, self.stream.read_u8());
            read.push(byte.await.expect("in time").unwrap());
        }
        String::from_utf8(read).unwrap()
    }
}

fn image(object: &Value) -> &str {
    let image = object.pointer("/spec/template/spec/containers/0/image");
    image.unwrap().as_str().unwrap()
}

/// Revision, pods and owner of each ReplicaSet, the newest one last.
fn counted(list: &Value) -> Vec<(String, u64, String)> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|set| {
            let metadata = &set["metadata"];
            let owner = &metadata["ownerReferences"][0];
            assert_eq!(owner["controller"], true);
            assert!(metadata["labels"]["pod-template-hash"].is_string());
            let revision = metadata["annotations"][REVISION].as_str().unwrap();
            let available = number(&set["status"]["availableReplicas"]);
            let owner = owner["uid"].as_str().unwrap();
            (revision.to_owned(), available, owner.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn each_deploy_is_done_with_the_call_after_its_write() {
    let cluster = InstantCluster::start("a-token").await.unwrap();
    let mut client = Client::new(&cluster, "a-token").await;
    let path = format!("{DEPLOYMENTS}/{DEPLOYMENT}");
    for number in 1..=3 {
        let (_, before) = client.call("GET", &path, "").await;
        let wanted = format!("demo-app:2.{number}");
        let patch = json!({
            "metadata": {"annotations": {"job": number.to_string(), "gone": null}},
            "spec": {"template": {"spec": {"containers": [{"name": "app", "image": wanted}]}}}
        });
        let (code, written) = client.call("PATCH", &path, &patch.to_string()).await;
        assert_eq!((code, image(&written)), (200, wanted.as_str()));
        assert_eq!(written["metadata"]["generation"], number + 1);
        assert_eq!(
            written["status"], before["status"],
            "the status is the old one"
        );
        assert_eq!(
            written["metadata"]["annotations"][REVISION],
            number.to_string()
        );

        let (_, done) = client.call("GET", &path, "").await;
        assert_eq!(done["status"]["observedGeneration"], number + 1);
        assert_eq!(done["status"]["updatedReplicas"], REPLICAS);
        assert_eq!(done["spec"], written["spec"]);
        let annotations = &done["metadata"]["annotations"];
        let revision = (number + 1).to_string();
        assert_eq!(
            *annotations,
            json!({REVISION: revision, "job": number.to_string()})
        );

        let (_, sets) = client.call("GET", SETS, "").await;
        let owner = UID.to_owned();
        let expected = [
            (number.to_string(), 0, owner.clone()),
            (revision, REPLICAS, owner),
        ];
        assert_eq!(counted(&sets), expected);
    }
    assert_eq!(cluster.calls(), 12);
}

#[tokio::test]
async fn a_watch_tells_once_and_stays_open_until_its_time_is_over() {
    let cluster = InstantCluster::start("a-token").await.unwrap();
    let mut client = Client::new(&cluster, "a-token").await;
    let path = format!("{DEPLOYMENTS}?watch=true&timeoutSeconds=1");
    let begun = tokio::time::Instant::now();
    let (code, head) = client.send("GET", &path, "").await;
    assert_eq!(code, 200);
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    let _size = client.read_until("\r\n").await;
    let event: Value = serde_json::from_str(&client.read_until("\n").await).unwrap();
    assert_eq!(event["type"], "MODIFIED");
    assert_eq!(event["object"]["status"]["availableReplicas"], REPLICAS);
    assert_eq!(client.read_until("0\r\n\r\n").await, "\r\n0\r\n\r\n");
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_gets_a_status() {
    let cluster = InstantCluster::start("a-token").await.unwrap();
    let name = format!("{DEPLOYMENTS}/{DEPLOYMENT}");
    let cases = [
        ("b-token", "GET", name.as_str(), 401, "Unauthorized"),
        (
            "a-token",
            "GET",
            "/api/v1/namespaces/default/pods",
            404,
            "NotFound",
        ),
        ("a-token", "PUT", &name, 404, "NotFound"),
        ("a-token", "PATCH", &name, 400, "BadRequest"),
    ];
    for (token, method, path, code, reason) in cases {
        let mut client = Client::new(&cluster, token).await;
        let (found, status) = client.call(method, path, "no JSON").await;
        assert_eq!((found, &status["reason"]), (code, &json!(reason)), "{path}");
        assert_eq!(status["kind"], "Status");
    }
    assert_eq!(cluster.calls(), 4);
}

#[tokio::test]
async fn in_a_crowd_each_answer_is_of_the_kind_that_was_asked_for() {
    const CORE: &str = "/api/v1/namespaces/default";
    let cluster = InstantCluster::start_crowded("a-token", 700).await.unwrap();
    let mut client = Client::new(&cluster, "a-token").await;
    let containers = json!([{"name": "app", "image": "demo-app:2.0"}]);
    let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
    let deployment = format!("{DEPLOYMENTS}/{DEPLOYMENT}");
    client.call("PATCH", &deployment, &patch.to_string()).await;
    let (_, sets) = client.call("GET", SETS, "").await;
    let name = sets["items"][0]["metadata"]["name"].as_str().unwrap();
    let set = format!("/apis/apps/v1/namespaces/default/replicasets/{name}");
    let cases = [
        (deployment, "apps/v1", "Deployment"),
        (SETS.to_owned(), "apps/v1", "ReplicaSetList"),
        (set, "apps/v1", "ReplicaSet"),
        (format!("{CORE}/pods?limit=500"), "v1", "PodList"),
        (format!("{CORE}/events?limit=500"), "v1", "EventList"),
    ];
    for (path, version, kind) in cases {
        let (code, answer) = client.call("GET", &path, "").await;
        assert_eq!(code, 200, "{path}");
        assert_eq!(answer["apiVersion"], version, "{path}");
        assert_eq!(answer["kind"], kind, "{path}");
    }
    assert!(cluster.look().1 > 500 * 4_000);
    // A watch tells nothing of pods that stay as they are, and is not counted as a look.
    for of in [format!("{CORE}/pods"), SETS.replace("?", "?watch=true&")] {
        let look = cluster.look().1;
        let path = match of.contains('?') {
            true => format!("{of}&timeoutSeconds=1"),
            false => format!("{of}?watch=true&timeoutSeconds=1"),
        };
        let (code, head) = client.send("GET", &path, "").await;
        assert_eq!(code, 200, "{path}");
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        assert_eq!(client.read_until("0\r\n\r\n").await, "0\r\n\r\n");
        assert_eq!(cluster.look().1, look, "{path}");
    }
}

#[tokio::test]
async fn what_a_client_did_is_told_once_and_in_its_order() {
    let cluster = InstantCluster::start("a-token").await.unwrap();
    let begun = Timestamp::now();
    let mut client = Client::new(&cluster, "a-token").await;
    client.call("GET", SETS, "").await;
    client.call("GET", SETS, "").await;
    let moments = cluster.moments();
    let kinds = moments.iter().map(|(moment, _)| *moment);
    let expected = [
        Moment::Connected,
        Moment::Secured,
        Moment::Called,
        Moment::Called,
    ];
    assert_eq!(kinds.collect::<Vec<_>>(), expected);
    assert!(moments.is_sorted_by_key(|(_, at)| *at) && moments[0].1 >= begun);
    assert_eq!(cluster.moments(), []);
}

#[test]
fn the_objects_are_as_large_as_real_ones() {
    let script = Script::new("a-token");
    let managed = managed_fields().to_string().len();
    assert!((1_800..2_600).contains(&managed), "{managed}");
    assert!(script.deployment_text.len() > 4_000);
}
